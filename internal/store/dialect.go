package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hallpass-dev/hallpass"
)

// busyTimeout is how long SQLite waits for a lock of another connection.
const busyTimeout = "busy_timeout(3000)"

// openSQLite opens the database file twice: one connection that writes, each
// of its transactions IMMEDIATE and durable when committed, and readers that
// cannot write and are not held up by the writer.
func openSQLite(path string) (write, read *sql.DB, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("store: open database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, nil, fmt.Errorf("store: open database: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("store: open database: %w", err)
	}
	dsn := func(pragmas ...string) string {
		q := url.Values{"_pragma": append([]string{busyTimeout, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, pragmas...)}
		return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String()
	}
	write, err = sql.Open("sqlite", dsn()+"&_txlock=immediate")
	if err != nil {
		return nil, nil, fmt.Errorf("store: open database: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err = sql.Open("sqlite", dsn("query_only(1)", "cache_size(-8000)"))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("store: open database: %w", err), write.Close())
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	return write, read, nil
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// isUnique reports whether err is a clash with a unique index.
func isUnique(err error) bool {
	c := sqliteCode(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// isBroken reports whether err says that the file or the disk cannot be relied
// on any more. A full disk is not that.
func isBroken(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// classify makes what passes by itself Unavailable and leaves the rest.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var e *hallpass.Error
	if !errors.As(err, &e) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return &hallpass.Error{Kind: hallpass.Unavailable, ID: "database.busy", Message: "The database is busy, try again shortly", Err: err}
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &hallpass.Error{Kind: hallpass.Unavailable, ID: "database.busy", Message: "The database is busy, try again shortly", Err: err}
	case sqlite3.SQLITE_FULL:
		return &hallpass.Error{Kind: hallpass.Unavailable, ID: "database.full", Message: "The database has no room left", Err: err}
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return &hallpass.Error{Kind: hallpass.Unavailable, ID: "database.failing", Message: "The database cannot be reached", Err: err}
	}
	return err
}
