package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// busyTimeout is how long SQLite waits for a lock of another connection.
const busyTimeout = "busy_timeout(3000)"

// openSQLite opens the database file twice: one connection that writes, each
// of its transactions IMMEDIATE and durable when committed, and readers that
// cannot write and are not held up by the writer.
func openSQLite(path string) (write, read *sql.DB, err error) {
	for _, suffix := range sideFiles {
		if err := plainfile.Validate(path + suffix); err != nil { // SQLite would wait for the other end of a pipe
			return nil, nil, fmt.Errorf("store: open database: %w", err)
		}
	}
	file, _, err := plainfile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
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

// Bounds on what one statement, one wait for a lock and one silence inside a
// transaction may take on PostgreSQL. A node that froze with a lock in its hand
// loses it after the last of them.
const (
	statementTimeout = 10 * time.Second
	silenceTimeout   = 2 * time.Second
	connectTimeout   = 3 * time.Second
)

// openPostgres opens the pools for the PostgreSQL database at url: writers and
// readers apart, so that readers never wait behind writers.
func openPostgres(o PostgresOptions) (*DB, error) {
	config, err := pgx.ParseConfig(o.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("store: open database: %w", errURL) // the library's words repeat it
	}
	ms := func(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
	for name, value := range map[string]string{
		"application_name":                    "hallpass",
		"timezone":                            "UTC",
		"statement_timeout":                   ms(statementTimeout),
		"lock_timeout":                        ms(turnWait),
		"idle_in_transaction_session_timeout": ms(silenceTimeout),
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	// With several hosts only the one that takes writes will do: a replica may
	// not know yet what was revoked.
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	config.AfterConnect = durable
	config.OnNotice = noticed
	config.Tracer = o.Tracer
	size := o.Connections
	if size == 0 {
		size = defaultConnections
	}
	db := &DB{postgres: true, config: config}
	pool := func(n int) *sql.DB {
		p := db.reopen()
		p.SetMaxOpenConns(n)
		p.SetMaxIdleConns(n)
		p.SetConnMaxIdleTime(5 * time.Minute)
		return p
	}
	db.write, db.read = pool(max(size/4, 1)), pool(max(size-size/4, 1))
	return db, nil
}

// reopen returns another pool for the same PostgreSQL database.
func (db *DB) reopen() *sql.DB { return stdlib.OpenDB(*db.config) }

// unprepared returns another pool for the same PostgreSQL database. Its
// statements are sent as they are: none takes a second message, also not on a new
// connection.
func (db *DB) unprepared() *sql.DB {
	config := db.config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	return stdlib.OpenDB(*config)
}

// changesChannel is where nodes are woken when a change was committed.
const changesChannel = "hallpass_changes"

// databaseClock is PostgreSQL's clock in UTC microseconds.
const databaseClock = `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`

// call has the nodes that share the database woken when the transaction
// commits, and notes how long the slowest of them may go without hearing it.
func (tx *Tx) call() error {
	if !tx.db.postgres {
		return nil
	}
	var longest int64
	if err := tx.sql.QueryRow(`SELECT COALESCE(MAX(bound_us), 0) FROM nodes`).Scan(&longest); err != nil {
		return fmt.Errorf("store: nodes to wait for: %w", err)
	}
	tx.longest = time.Duration(longest) * time.Microsecond
	if _, err := tx.sql.Exec(`SELECT pg_notify($1, '')`, changesChannel); err != nil {
		return fmt.Errorf("store: wake nodes: %w", err)
	}
	return nil
}

// defaultConnections is how many connections a node keeps to PostgreSQL at
// most, beside the two of its NodeConn.
const defaultConnections = 16

// durable sees to it that what this connection commits is on disk when it is
// answered, and on a synchronous standby where there is one, whatever the
// database's default. A stronger setting stays. It marks the connection too, in
// the same message, for the way may be long.
func durable(ctx context.Context, conn *pgconn.PgConn) error {
	return conn.Exec(ctx, markOurs+`SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')`).Close()
}

// unreplicated marks a connection whose last commit the standby may not hold.
const unreplicated = "unreplicated"

// noticed marks the connection when PostgreSQL gave up waiting for a synchronous
// standby because somebody cancelled the statement. The commit is answered with
// success all the same.
func noticed(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == "SyncRepWaitForLSN" {
		conn.CustomData()[unreplicated] = true
	}
}

var errUnreplicated = &hallpass.Error{
	Kind: hallpass.Unavailable, ID: "database.failing", Message: "The standby of the database did not confirm the change: it may be lost, or not",
}

// commit commits the transaction that was begun on conn. It fails, and nobody
// knows what became of the change, when a standby that was to hold it was not
// waited for to the end.
func commit(conn *sql.Conn, stx *sql.Tx) error {
	if err := stx.Commit(); err != nil {
		return err
	}
	return conn.Raw(func(c any) error {
		pg, ok := c.(*stdlib.Conn)
		if !ok {
			return nil
		}
		marks := pg.Conn().PgConn().CustomData()
		if marks[unreplicated] == nil {
			return nil
		}
		delete(marks, unreplicated)
		return errUnreplicated
	})
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// postgresCode returns the SQLSTATE of err, "" if it has none.
func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isUnique reports whether err is a clash with a unique index.
func isUnique(err error) bool {
	c := sqliteCode(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || postgresCode(err) == "23505"
}

// isBroken reports whether err says that the file or the disk cannot be relied
// on any more. A full disk is not that, and neither is a server elsewhere: it
// comes back, and then shows what it remembers.
func isBroken(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// isFull reports whether err says that there was no room for what was written.
func isFull(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_FULL }

// isAgain reports whether err says that the transaction was undone for the sake
// of another, and may be tried again.
func isAgain(err error) bool {
	c := postgresCode(err)
	return c == "40001" || c == "40P01"
}

// isUndone reports whether err says that what was to be committed is surely not:
// the database found something wrong with it, or had no room.
func isUndone(err error) bool {
	code := postgresCode(err)
	return code != "" && code[:2] != "08" && code[:2] != "57" && code[:2] != "58" || sqliteCode(err) != 0 && !isBroken(err)
}

// tooSlow is the ID of a statement that was cut off for the time it took.
const tooSlow = "database.too-slow"

// classify makes what passes by itself Unavailable and leaves the rest.
func classify(err error) error {
	if err == nil {
		return nil
	}
	unavailable := func(id, message string) error {
		return &hallpass.Error{Kind: hallpass.Unavailable, ID: id, Message: message, Err: err}
	}
	slow := func() error { return unavailable(tooSlow, "The database did not finish in time") }
	busy := func() error { return unavailable(errBusy.ID, errBusy.Message) }
	full := func() error { return unavailable(errFull.ID, errFull.Message) }
	failing := func() error { return unavailable("database.failing", "The database cannot be reached") }
	var e *hallpass.Error
	if errors.As(err, &e) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return slow()
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy()
	case sqlite3.SQLITE_FULL:
		return full()
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return failing()
	}
	if code := postgresCode(err); code != "" {
		switch {
		case code == "55P03" || isAgain(err): // a lock not had in time
			return busy()
		case code == "57014": // a statement cut off
			return slow()
		case code == "53100":
			return full()
		case code[:2] == "08" || code[:2] == "53" || code[:2] == "57" || code[:2] == "58" || code == "25006" || code == "25P03" || code == "25P04":
			return failing()
		}
		return err
	}
	var dial *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &dial) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return failing()
	}
	return err
}

// Passes reports whether err may be over in a moment: the database is slow, is not
// reached, or somebody has a lock in it. What is wrong with a file or its disk does
// not pass by itself.
func Passes(err error) bool {
	err = classify(err)
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Kind != hallpass.Unavailable || e.ID == errFull.ID {
		return false
	}
	switch sqliteCode(err) & 0xff {
	case 0, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

// readIsolation gives a reader one view of the database for all of its
// statements. SQLite's transactions have no other.
func (db *DB) readIsolation() sql.IsolationLevel {
	if db.postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

// writeLock is the number of the lock that writers of all nodes take in turn.
const writeLock = 0x68616c6c70617373 // "hallpass"

// takeTurn waits until no other node writes. On SQLite there is no other: the
// transaction began IMMEDIATE.
//
// A PostgreSQL transaction of the level READ COMMITTED that takes this lock
// before anything else sees, in each statement, what all before it have
// committed, and nobody commits beside it: it is as good as serializable, and is
// never undone.
func (tx *Tx) takeTurn() error {
	if !tx.db.postgres {
		return nil
	}
	_, err := tx.sql.Exec(`SELECT pg_advisory_xact_lock($1)`, int64(writeLock))
	return err
}

// ChangedElsewhere reports whether another process has changed the SQLite file
// since the last call. Nobody should, and nothing that is announced here tells of
// it. Where several nodes share a database their heartbeats do.
func (db *DB) ChangedElsewhere(ctx context.Context) (bool, error) {
	if db.postgres {
		return false, nil
	}
	conn, done, err := db.writer(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	// To the connection that writes all of ours, only others' commits are news.
	before := db.dataVersion
	if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&db.dataVersion); err != nil {
		return false, fmt.Errorf("store: data version: %w", db.seen(err))
	}
	return before != 0 && before != db.dataVersion, nil
}

// unorderedLock is the number of the lock that the transactions of writeUnordered
// take in turn: two that touch many rows each might wait for each other.
const unorderedLock = writeLock + 1

// yield waits until no other node is in writeUnordered, and has this transaction
// give up rather than wait long for a row that a change holds. The
// change may be waiting for it in turn, and must not be the one that
// PostgreSQL, after a second, undoes.
func (tx *Tx) yield() error {
	_, err := tx.sql.Exec(`SELECT pg_advisory_xact_lock($1), set_config('lock_timeout', '100ms', true)`, int64(unorderedLock))
	return err
}

// migrator returns how migrations are run: on PostgreSQL behind a lock, for
// several nodes may start at once.
func (db *DB) migrator() (goose.Dialect, []goose.ProviderOption, error) {
	if !db.postgres {
		return goose.DialectSQLite3, nil, nil
	}
	// Asked for every second: nodes that start together do not wait for long.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return "", nil, err
	}
	return goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}

// compareBytes has PostgreSQL compare text byte by byte, as SQLite does,
// whatever language the database was made for: pages are cut and names compared
// alike on both, and an upgrade of the system's collations breaks no index.
//
// Tables are changed in turn with all who write: a node that started a moment
// earlier writes them already, and the two would wait for each other.
func (db *DB) compareBytes(ctx context.Context) error {
	if !db.postgres {
		return nil
	}
	const others = `
		FROM   pg_attribute a
		JOIN   pg_class t ON t.oid = a.attrelid AND t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
		WHERE  a.atttypid = 'text'::regtype AND a.attnum > 0 AND NOT a.attisdropped
		AND    a.attcollation <> (SELECT oid FROM pg_collation WHERE collname = 'C' AND collnamespace = 'pg_catalog'::regnamespace)`
	var n int64
	err := db.write.QueryRowContext(ctx, `SELECT COUNT(*)`+others).Scan(&n)
	if err == nil && n > 0 {
		err = db.exclusively(ctx, func(tx *Tx) error {
			_, err := tx.exec(`
				DO $$
				DECLARE c record;
				BEGIN
					FOR c IN SELECT a.attrelid::regclass AS tab, a.attname AS col` + others + ` ORDER BY a.attrelid, a.attnum LOOP
						EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE TEXT COLLATE "C"', c.tab, c.col);
					END LOOP;
				END $$`)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store: compare text by bytes: %w", classify(err))
	}
	return nil
}

// columnsQuery lists the columns of every table: the table, the column, its
// type, and its place in the primary key, 0 for none.
func (db *DB) columnsQuery() string {
	if db.postgres {
		return `
			SELECT t.relname::text, a.attname::text, format_type(a.atttypid, NULL), COALESCE(k.place, 0)
			FROM   pg_class t
			JOIN   pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT   JOIN LATERAL (
				SELECT u.place FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, place)
				WHERE  i.indrelid = t.oid AND i.indisprimary AND u.attnum = a.attnum
			) k ON TRUE
			WHERE  t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
			ORDER  BY t.relname::text COLLATE "C", a.attname::text COLLATE "C"`
	}
	return `
		SELECT t.name, c.name, LOWER(c.type), c.pk
		FROM   sqlite_master t
		JOIN   pragma_table_info(t.name) c
		WHERE  t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
		ORDER  BY t.name, c.name`
}

// referencesQuery lists which table refers to which.
func (db *DB) referencesQuery() string {
	if db.postgres {
		return `
			SELECT DISTINCT c.relname::text, p.relname::text
			FROM   pg_constraint f
			JOIN   pg_class c ON c.oid = f.conrelid
			JOIN   pg_class p ON p.oid = f.confrelid
			WHERE  f.contype = 'f' AND f.connamespace = current_schema()::regnamespace`
	}
	return `
		SELECT DISTINCT t.name, f."table"
		FROM   sqlite_master t
		JOIN   pragma_foreign_key_list(t.name) f
		WHERE  t.type = 'table'`
}

// by has SQLite take that index; onlyBy does that for PostgreSQL.
func (db *DB) by(index string) string {
	if db.postgres {
		return ""
	}
	return " INDEXED BY " + index
}

// onlyBy is the condition that the column has that value. Where the rows are
// ordered by the column first, PostgreSQL then takes an index that begins with it:
// of a plain comparison it would conclude that this order is every order.
func (db *DB) onlyBy(column, bind string, value any) string {
	if !db.postgres {
		return column + " = " + bind
	}
	kind := "TEXT"
	if _, ok := value.(int64); ok {
		kind = "BIGINT"
	}
	return column + " = ANY (ARRAY[CAST(" + bind + " AS " + kind + ")])"
}

// inOrder has PostgreSQL read rows in the order of an index where there is one,
// in this transaction: until it has statistics of a table that grew it takes
// thousands of rows for a few, and sorts them. Nor is it to compile the query,
// which takes longer than any of these do: it would for the price it puts on
// sorting.
func (tx *Tx) inOrder() error {
	if !tx.db.postgres {
		return nil
	}
	_, err := tx.sql.Exec(`SELECT set_config('enable_sort', 'off', TRUE), set_config('jit', 'off', TRUE)`)
	return err
}

// unhurriedly returns connections whose statements may take as long as they do,
// as an index of millions of rows does, and what closes them.
func (db *DB) unhurriedly() (*sql.DB, func() error) {
	if !db.postgres {
		return db.write, func() error { return nil }
	}
	config := db.config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	on := stdlib.OpenDB(*config)
	return on, on.Close
}

// unhurried lifts the bounds on how long this transaction may take.
func (tx *Tx) unhurried() error {
	if !tx.db.postgres {
		return nil
	}
	_, err := tx.sql.Exec(`
		SELECT set_config('statement_timeout', '0', TRUE), set_config('idle_in_transaction_session_timeout', '0', TRUE)`)
	return err
}

// damage returns what SQLite finds wrong with its file, "" for nothing.
func (db *DB) damage(ctx context.Context) (string, error) {
	var found string
	err := db.write.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found)
	if err != nil || found != "ok" {
		return found, err
	}
	err = db.write.QueryRowContext(ctx, `SELECT COALESCE(MIN('a row of ' || "table" || ' refers to none of ' || parent), '') FROM pragma_foreign_key_check`).Scan(&found)
	return found, err
}

// errOpenElsewhere says that a SQLite file cannot be one file now.
var errOpenElsewhere = errors.New("another process has it open")

// single closes a SQLite database and leaves one file of it. It is
// errOpenElsewhere when that cannot be.
func (db *DB) single(ctx context.Context) error {
	err := db.read.Close()
	var mode string
	if err == nil {
		err = db.write.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode)
	}
	if code := sqliteCode(err) & 0xff; code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED || err == nil && mode != "delete" {
		err = errOpenElsewhere
	}
	return errors.Join(err, db.write.Close())
}
