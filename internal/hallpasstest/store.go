package hallpasstest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// OnPostgres reports whether this run of the tests is the one on PostgreSQL:
// HALLPASS_TEST_DATABASE is "postgres", and HALLPASS_TEST_POSTGRES the URL of a
// server where databases may be made.
func OnPostgres() bool { return os.Getenv("HALLPASS_TEST_DATABASE") == "postgres" }

// OpenStore opens a new database of the kind that this run is about, and closes
// it when the test ends.
func OpenStore(t testing.TB) *store.DB {
	t.Helper()
	if OnPostgres() {
		return OpenPostgres(t, Postgres(t))
	}
	return OpenSQLite(t, filepath.Join(t.TempDir(), "hallpass.db"))
}

// OpenSQLite opens the database file and closes it when the test ends. A file that is
// missing is copied from one that was migrated once for this process.
func OpenSQLite(t testing.TB, path string) *store.DB {
	t.Helper()
	copySQLite(t, path)
	db, err := store.Open(t.Context(), path)
	return closed(t, db, err)
}

// copySQLite writes a migrated database without rows to path, unless a file is there.
func copySQLite(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	file, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// migratedFile returns a SQLite file that was just migrated, made once for this
// process: under the race detector the migrations take longer than most tests.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hallpass-migrated")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a file that stays in the temporary folder does no harm
	path := filepath.Join(dir, "hallpass.db")
	db, err := store.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// OpenPostgres opens the database and closes it when the test ends, which fails if a
// statement takes a number of 32 bits.
func OpenPostgres(t testing.TB, url secret.Text) *store.DB {
	t.Helper()
	sent := new(statements)
	t.Cleanup(func() { sent.checkWide(t, url) })
	db, err := store.OpenPostgres(t.Context(), store.PostgresOptions{URL: url, Tracer: sent})
	return closed(t, db, err)
}

func closed(t testing.TB, db *store.DB, err error) *store.DB {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var databases atomic.Int64

// Postgres makes a database on the server that HALLPASS_TEST_POSTGRES names, for
// this test alone, and returns its URL. Without that it skips the test.
func Postgres(t testing.TB) secret.Text {
	t.Helper()
	server := os.Getenv("HALLPASS_TEST_POSTGRES")
	if server == "" {
		t.Skip("HALLPASS_TEST_POSTGRES names no PostgreSQL server; make test starts one")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	template, err := migrated(u)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s_%d", template, databases.Add(1))
	if err := onServer(u, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := onServer(u, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	own := *u
	own.Path = "/" + name
	return secret.NewText(own.String())
}

var template struct {
	once sync.Once
	name string
	err  error
}

// migrated makes, once for this process, the database that the others are
// copied from: migrating each of them would take longer than most tests.
func migrated(server *url.URL) (string, error) {
	template.once.Do(func() {
		template.name = fmt.Sprintf("hallpass_test_%d", os.Getpid())
		if template.err = onServer(server, "CREATE DATABASE "+template.name); template.err != nil {
			return
		}
		own := *server
		own.Path = "/" + template.name
		db, err := store.OpenPostgres(context.Background(), store.PostgresOptions{URL: secret.NewText(own.String())})
		if err != nil {
			template.err = err
			return
		}
		template.err = db.Close()
	})
	return template.name, template.err
}

func onServer(server *url.URL, statement string) error {
	db, err := sql.Open("pgx", server.String())
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		_ = db.Close() // the statement's error says more
		return fmt.Errorf("%s: %w", statement, err)
	}
	return db.Close()
}

// LockDatabase locks the database as another process would: nothing can be written
// until the returned function is called.
func (s *Server) LockDatabase() (unlock func()) {
	s.t.Helper()
	driver, source, statement := "sqlite", "file:"+filepath.Join(s.Dir, "hallpass.db")+"?_pragma=busy_timeout(60000)", "BEGIN IMMEDIATE"
	if s.database.Type != "" {
		driver, source, statement = "pgx", s.database.URL.Reveal(), "BEGIN; LOCK TABLE counters IN EXCLUSIVE MODE"
	}
	return Hold(s.t, driver, source, statement)
}

// Hold begins a transaction with the statement in a session of its own, as another
// process would. It lasts until the returned function is called.
func Hold(t testing.TB, driver, source, statement string) (end func()) {
	t.Helper()
	other, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	if _, err := other.Exec(statement); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := other.Exec("ROLLBACK"); err != nil {
			t.Error(err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}
}
