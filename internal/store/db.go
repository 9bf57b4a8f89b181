package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// A DB is an open database. It is safe for concurrent use.
type DB struct {
	write, read *sql.DB
	lookUp      *sql.Stmt                       // of LookUp, on read
	power       *sql.Stmt                       // of LookUp for a token with a pause or limits, on read
	saveUses    [len(usesInStatement)]*sql.Stmt // of SaveUses, on write
	reading     prepared                        // of SQLite, on read
	writing     prepared                        // of SQLite, on write
	postgres    bool
	config      *pgx.ConnConfig // of PostgreSQL
	acks        acks
	lost        atomic.Bool   // PostgreSQL does not answer heartbeats
	turn        chan struct{} // holds one value while somebody writes
	written     atomic.Uint64 // writes that the database let begin
	dataVersion int64         // of ChangedElsewhere; belongs to whoever has the turn
	auditQueue  auditQueue
	searching   chan struct{} // holds a value for each search of the audit
	reserve     reserve       // of SQLite
	broken      chan error

	mu          sync.Mutex
	subscribers []func(ChangeEvent) // guarded by mu; called without it

	auditSubscribers []func(hallpass.AuditEntry) // fixed before serving begins
}

//go:embed migrations
var migrations embed.FS

// Open opens the SQLite database file at path, creates it if it is missing,
// and brings its schema up to date. A schema newer than this program is refused
// and left as it is.
func Open(ctx context.Context, path string) (*DB, error) {
	reserved := path + "-reserve"
	db, err := open(ctx, path)
	if err != nil && os.Remove(reserved) == nil { // on a full disk that may have been in the way
		db, err = open(ctx, path)
	}
	if err != nil {
		return nil, err
	}
	db.reserve.path = reserved
	return db, nil
}

func open(ctx context.Context, path string) (*DB, error) {
	return openFile(ctx, path, (*DB).ready)
}

func openFile(ctx context.Context, path string, prepare func(*DB, context.Context) error) (*DB, error) {
	write, read, err := openSQLite(path)
	if err != nil {
		return nil, err
	}
	db, err := opened(ctx, &DB{write: write, read: read, reading: prepared{pool: read}, writing: prepared{pool: write}}, prepare)
	if err != nil {
		return nil, located(path, err)
	}
	return db, nil
}

// OpenAsItIs opens the database file at path, which must be an installation's,
// and leaves its schema as it is. What it returns can be backed up and read by
// Stored, and no more.
func OpenAsItIs(ctx context.Context, path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("store: open database: %w", err)
	}
	return openFile(ctx, path, (*DB).recognize)
}

// A Tracer is told of each statement that PostgreSQL gets.
type Tracer = pgx.QueryTracer

// PostgresOptions say where a PostgreSQL database is.
type PostgresOptions struct {
	URL         secret.Text // postgres://user:password@host:5432/database
	Connections int         // kept at most; 0: 16
	Tracer      Tracer      // is told of each statement, by several connections at once; nil: nobody is
}

// OpenPostgres opens the PostgreSQL database and brings its schema up to date.
// A schema newer than this program is refused and left as it is.
func OpenPostgres(ctx context.Context, o PostgresOptions) (*DB, error) {
	db, err := openPostgres(o)
	if err != nil {
		return nil, err
	}
	return opened(ctx, db, (*DB).ready)
}

// OpenPostgresAsItIs is OpenAsItIs for a PostgreSQL database.
func OpenPostgresAsItIs(ctx context.Context, o PostgresOptions) (*DB, error) {
	db, err := openPostgres(o)
	if err != nil {
		return nil, err
	}
	return opened(ctx, db, (*DB).recognize)
}

func opened(ctx context.Context, db *DB, prepare func(*DB, context.Context) error) (*DB, error) {
	db.turn, db.broken, db.acks.look = make(chan struct{}, 1), make(chan error, 1), make(chan struct{}, 1)
	db.searching = make(chan struct{}, searches)
	db.auditQueue.closeAll() // makes the maps
	if err := db.ownSession(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := prepare(db, ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err := db.ChangedElsewhere(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// ready brings the schema up to date and prepares what is asked most.
func (db *DB) ready(ctx context.Context) error {
	if err := db.migrate(ctx); err != nil {
		return err
	}
	return db.prepare(ctx)
}

// provider returns what knows the migrations, and runs them on the connections
// it is given.
func (db *DB) provider(on *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("store: migrate: %w", err)
	}
	dialect, options, err := db.migrator()
	if err != nil {
		return nil, fmt.Errorf("store: migrate: %w", err)
	}
	p, err := goose.NewProvider(dialect, on, files, options...)
	if err != nil {
		return nil, fmt.Errorf("store: migrate: %w", err)
	}
	return p, nil
}

func (db *DB) migrate(ctx context.Context) (err error) {
	on, done := db.unhurriedly()
	defer func() { err = errors.Join(err, done()) }()
	p, err := db.provider(on)
	if err != nil {
		return err
	}
	// goose takes a newer schema for an up-to-date one.
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("store: migrate: %w", classify(err))
	}
	if current > target {
		return errNewer(current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", classify(err))
	}
	if err := db.compareBytes(ctx); err != nil {
		return err
	}
	if err := db.beginChain(ctx); err != nil {
		return err
	}
	return db.watchHands(ctx)
}

func errNewer(current, known int64) error {
	return fmt.Errorf("store: the database has schema version %d, this program knows versions up to %d: use a newer program", current, known)
}

// Close closes the database. Writes that were answered are on disk already.
func (db *DB) Close() error {
	return errors.Join(db.read.Close(), db.write.Close())
}

// Ping reports whether the database answers a query.
func (db *DB) Ping(ctx context.Context) error {
	var v int64
	if err := db.read.QueryRowContext(ctx, `SELECT v FROM state WHERE id = 1`).Scan(&v); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: ping: %w", db.seen(err))
	}
	return nil
}

// Broken delivers the first error which says that the database can no longer
// be relied on. The process must end then: what an fsync refused to promise
// must not be answered from memory.
func (db *DB) Broken() <-chan error { return db.broken }

// seen classifies err and raises the alarm if the database is broken.
func (db *DB) seen(err error) error {
	if isBroken(err) {
		select {
		case db.broken <- err:
		default:
		}
	}
	return classify(err)
}

// A Tx is one transaction. It belongs to the goroutine that runs it. Its
// methods take no context: all statements of a transaction run within the one
// time that the transaction was given when it began.
type Tx struct {
	db      *DB
	sql     statements
	changes []hallpass.Change
	version hallpass.Version // of the last of changes
	written bool             // something else than a change
	longest time.Duration    // that any node may answer from memory without them

	end hallpass.AuditMark // of the audit's chain, once the transaction has linked to it
}

// txTimeout is how long a transaction may take; lostTimeout while the database
// does not answer heartbeats, so that nobody waits long for what fails.
const (
	txTimeout   = 10 * time.Second
	lostTimeout = time.Second
)

// Answers reports whether the database answers heartbeats, as far as is known.
func (db *DB) Answers() bool { return !db.lost.Load() }

// patience is how long a transaction that begins now may take.
func (db *DB) patience() time.Duration {
	if db.lost.Load() {
		return lostTimeout
	}
	return txTimeout
}

// Read runs fn on a consistent view of the database. fn must not write.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.patience())
	defer cancel()
	return db.view(ctx, fn)
}

// view runs fn on a consistent view of the database.
func (db *DB) view(ctx context.Context, fn func(*Tx) error) error {
	stx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: db.readIsolation()})
	if err != nil {
		return fmt.Errorf("store: begin: %w", db.seen(err))
	}
	tx := &Tx{db: db, sql: statements{ctx: ctx, tx: stx, prepared: &db.reading}}
	defer func() {
		_ = stx.Rollback() // nothing was written, so nothing can be lost
		db.reading.learn(ctx, tx.sql.missed)
	}()
	return db.seen(fn(tx))
}

// Write runs fn in a transaction and commits it; when Write returns nil, what
// fn did is on disk. When fn fails, nothing of it stays. fn may run more than
// once and so must touch nothing but its Tx. One transaction writes at a time,
// on however many nodes, so fn sees what it read stand still.
//
// Subscribers hear of the changes before the commit and after it, so that what
// is being revoked is refused first. Where several nodes share the database,
// Write returns when none of them answers from memory without the changes.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	tx, err := db.writeInTurn(ctx, fn)
	if err == nil && tx.longest > 0 {
		db.awaitNodes(ctx, tx.version, tx.longest)
	}
	return err
}

// writeUnordered runs fn in a transaction for what is no change and may be written
// in any order, as last uses. On PostgreSQL it does not wait for changes, nor they for
// it, unless both touch the same row.
func (db *DB) writeUnordered(ctx context.Context, fn func(*Tx) error) error {
	if !db.postgres { // one writes at a time, in the order of asking
		return db.Write(ctx, fn)
	}
	ctx, cancel := context.WithTimeout(ctx, db.patience())
	defer cancel()
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store: begin: %w", db.seen(err))
	}
	defer func() { _ = conn.Close() }() // it only goes back to the pool
	return db.inTx(ctx, conn, func(tx *Tx) error {
		if err := tx.yield(); err != nil {
			return fmt.Errorf("store: wait to write: %w", err)
		}
		return fn(tx)
	})
}

// inTx runs fn in a transaction on conn and commits it. It waits for no turn, and
// nobody is told of changes: those take Write.
func (db *DB) inTx(ctx context.Context, conn *sql.Conn, fn func(*Tx) error) error {
	stx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", db.seen(err))
	}
	defer func() { _ = stx.Rollback() }() // after a commit this does nothing
	tx := &Tx{db: db, sql: statements{ctx: ctx, tx: stx, prepared: &db.writing}}
	if err := fn(tx); err != nil {
		return db.seen(err)
	}
	if err := tx.keepEnd(); err != nil {
		return db.seen(err)
	}
	if err := commit(conn, stx); err != nil {
		return fmt.Errorf("store: commit: %w", db.seen(err))
	}
	return nil
}

func (db *DB) writeInTurn(ctx context.Context, fn func(*Tx) error) (*Tx, error) {
	conn, done, err := db.writer(ctx)
	if err != nil {
		return nil, err
	}
	var missed []string
	defer func() {
		done()
		db.writing.learn(ctx, missed)
	}()
	timed, cancel := context.WithTimeout(ctx, db.patience())
	defer cancel()
	for wait := time.Millisecond; ; wait *= 2 {
		tx, err := db.writeOnce(timed, conn, fn)
		if tx != nil {
			missed = tx.sql.missed
		}
		if isFull(err) && tx != nil && len(tx.changes) > 0 && db.reserve.use() {
			continue
		}
		if !isAgain(err) || wait > turnWait/4 {
			return tx, err
		}
		time.Sleep(wait/2 + rand.N(wait)) // #nosec G404 -- jitter: those who met once must not meet again, and nothing depends on it
	}
}

// writeOnce runs fn in a transaction once. What fn did is returned also when it
// failed.
func (db *DB) writeOnce(ctx context.Context, conn *sql.Conn, fn func(*Tx) error) (*Tx, error) {
	stx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("store: begin: %w", db.seen(err))
	}
	tx := &Tx{db: db, sql: statements{ctx: ctx, tx: stx, prepared: &db.writing}}
	defer func() { _ = stx.Rollback() }() // after a commit this does nothing
	if err := tx.takeTurn(); err != nil {
		return tx, fmt.Errorf("store: wait to write: %w", db.seen(err))
	}
	db.written.Add(1) // the database let us in: the queue moves
	if err := fn(tx); err != nil {
		return tx, db.seen(err)
	}
	if err := tx.keepEnd(); err != nil {
		return tx, db.seen(err)
	}
	switch {
	case len(tx.changes) == 0 && db.Full():
		return tx, errFull
	case len(tx.changes) > 0:
		if err := tx.call(); err != nil {
			return tx, db.seen(err)
		}
		db.announce(ChangeEvent{Phase: Coming, Changes: tx.changes})
		// Also after a failed commit: whether it happened is then for the next
		// read to say, never for a memory of before.
		defer db.announce(ChangeEvent{Phase: Settled, Changes: tx.changes})
	}
	if err := commit(conn, stx); err != nil {
		return tx, fmt.Errorf("store: commit: %w", unconfirmed(db.seen(err)))
	}
	return tx, nil
}

// unconfirmed tells a commit of which nobody knows whether it happened from one
// that surely did not: who hears that the database is unavailable may ask again
// elsewhere at once, and a proxy does so by itself.
func unconfirmed(err error) error {
	if !errors.Is(err, hallpass.Unavailable) || isUndone(err) {
		return err
	}
	return &hallpass.Error{
		Kind: hallpass.Unavailable, ID: "database.unknown-outcome", Err: err,
		Message: "The database did not confirm the change: it may have been made, or not. Look before you ask again",
	}
}

// turnWait is how long a write waits while none of those before it gets done.
// With what it then waits for a lock of another process (busyTimeout) it stays
// under the 6 s of SEC-42. turnLimit is how long it waits in a long queue that
// moves.
const (
	turnWait  = 2500 * time.Millisecond
	turnLimit = 10 * time.Second
)

// writer returns the writing connection when it is this write's turn, and what
// ends the turn; Unavailable when others hold it for too long. Turns are taken in
// the order of asking: the pool would wake any of those who wait, and some not in
// time.
func (db *DB) writer(ctx context.Context) (*sql.Conn, func(), error) {
	wait, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	if err := db.waitTurn(wait); err != nil {
		return nil, nil, fmt.Errorf("store: wait to write: %w", db.seen(err))
	}
	conn, err := db.write.Conn(wait)
	if err != nil {
		<-db.turn
		return nil, nil, fmt.Errorf("store: begin: %w", db.seen(err))
	}
	return conn, func() {
		_ = conn.Close() // it only goes back to the pool
		<-db.turn
	}, nil
}

// errBusy refuses a write while others hold the turn.
var errBusy = &hallpass.Error{Kind: hallpass.Unavailable, ID: "database.busy", Message: "The database is busy with other changes, try again shortly"}

// waitTurn takes the turn, or gives up when nobody has got done for turnWait.
func (db *DB) waitTurn(ctx context.Context) error {
	for {
		done := db.written.Load()
		patience := time.NewTimer(turnWait)
		select {
		case db.turn <- struct{}{}:
			patience.Stop()
			return nil
		case <-ctx.Done():
			patience.Stop()
			busy := *errBusy
			busy.Err = ctx.Err()
			return &busy
		case <-patience.C:
			if db.written.Load() == done {
				return errBusy
			}
		}
	}
}

// nextID takes the next number of the named counter.
func (tx *Tx) nextID(counter string) (int64, error) { return tx.nextIDs(counter, 1) }

// nextIDs takes the next n numbers of the named counter, and returns the last.
func (tx *Tx) nextIDs(counter string, n int) (int64, error) {
	tx.written = true
	var id int64
	err := tx.sql.QueryRow(`UPDATE counters SET value = value + $2 WHERE name = $1 RETURNING value`, counter, n).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("store: next %s id: %w", counter, err)
	}
	return id, nil
}

// exec runs a statement that writes and returns how many rows it touched.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	tx.written = true
	res, err := tx.sql.Exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// all runs a query and scans each row.
func all[T any](tx *Tx, scan func(row) (T, error), query string, args ...any) (list []T, err error) {
	err = each(tx, scan, func(v T) error {
		list = append(list, v)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// each runs a query, and fn with each row.
func each[T any](tx *Tx, scan func(row) (T, error), fn func(T) error, query string, args ...any) error {
	return tx.sql.Query(func(rows *sql.Rows) error {
		for rows.Next() {
			v, err := scan(rows)
			if err == nil {
				err = fn(v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, query, args...)
}

// row is what *sql.Row and *sql.Rows share.
type row interface{ Scan(dest ...any) error }

// micros turns a time into the database's form: UTC microseconds, 0 for zero and for no
// other time.
func micros(t time.Time) int64 {
	if t = hallpass.WithinTime(t); t.IsZero() {
		return 0
	}
	return cmp.Or(t.UnixMicro(), 1)
}

// fromMicros is the way back. A number beyond what the wire can tell becomes the nearest
// time: whoever asks for one thing in a list gets an answer about the others too.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	if t := hallpass.WithinTime(time.UnixMicro(us)); !t.IsZero() {
		return t
	}
	return time.UnixMicro(us + 1).UTC() // 0 alone means that there is no time
}

// notFound turns "no rows" into a NotFound error.
func notFound(err error, id, message string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: id, Message: message}
	}
	return err
}
