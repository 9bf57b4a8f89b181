package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/pressly/goose/v3"

	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// recognize sees that the database is an installation's, with a schema that
// this program knows.
func (db *DB) recognize(ctx context.Context) error {
	err := db.snapshot(ctx, func(tx *Tx) error {
		tables, err := tx.tables()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(tables, func(t table) bool { return t.name == "state" }) {
			return errors.New("it is not the database of an installation: it has no table state")
		}
		if _, err = tx.State(); err != nil {
			return err
		}
		_, err = tx.schema()
		return err
	})
	if err != nil {
		return fmt.Errorf("store: open database: %w", err)
	}
	return nil
}

// schema returns the version of the schema, which must not be newer than this
// program.
func (tx *Tx) schema() (version int64, err error) {
	if err := tx.sql.QueryRow(`SELECT MAX(version_id) FROM ` + goose.DefaultTablename).Scan(&version); err != nil {
		return 0, err
	}
	p, err := tx.db.provider(tx.db.write)
	if err != nil {
		return 0, err
	}
	known := p.ListSources()
	if last := known[len(known)-1].Version; version > last {
		return 0, errNewer(version, last)
	}
	return version, nil
}

// Current returns an error unless the schema is the one of this program.
func (db *DB) Current(ctx context.Context) error {
	return db.snapshot(ctx, func(tx *Tx) error {
		version, err := tx.schema()
		if err != nil {
			return err
		}
		p, err := db.provider(db.write)
		if err != nil {
			return err
		}
		known := p.ListSources()
		if last := known[len(known)-1].Version; version < last {
			return fmt.Errorf("store: the database has schema version %d, and this program brings it to version %d when the server starts: start the server first, or use the program that runs it", version, last)
		}
		return nil
	})
}

// Backup writes all that the database holds at this moment into a new SQLite
// file at path, which nobody else may read, and returns what that holds. Others
// may go on reading and writing. The file is there when it is whole, checked and
// on disk, and not before.
func (db *DB) Backup(ctx context.Context, path string) (held []Table, err error) {
	p, err := newPart(path)
	if err != nil {
		return nil, fmt.Errorf("store: back up: %w", err)
	}
	defer func() { err = errors.Join(err, p.drop()) }()
	if db.postgres {
		err = db.backUpRows(ctx, p.path)
	} else {
		_, err = db.write.ExecContext(ctx, `VACUUM INTO $1`, p.path)
	}
	if err != nil {
		return nil, fmt.Errorf("store: back up: %w", db.seen(err))
	}
	if held, err = Inspect(ctx, p.path); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("store: back up: %w", err)
	}
	return held, nil
}

// scratchPragmas have SQLite write a file that is worth nothing until it is
// whole, and is synced then.
const scratchPragmas = `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536`

// backUpRows copies the database into the empty file at path, with the schema
// that it has.
func (db *DB) backUpRows(ctx context.Context, path string) (err error) {
	var version int64
	err = db.snapshot(ctx, func(tx *Tx) (err error) {
		version, err = tx.schema()
		return err
	})
	if err != nil {
		return err
	}
	write, read, err := openSQLite(path)
	if err != nil {
		return err
	}
	file, err := opened(ctx, &DB{write: write, read: read}, func(file *DB, ctx context.Context) error {
		p, err := file.provider(file.write)
		if err == nil {
			_, err = p.UpTo(ctx, version)
		}
		if err == nil {
			_, err = file.write.ExecContext(ctx, scratchPragmas)
		}
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.single(ctx)) }()
	_, err = Copy(ctx, db, file)
	return err
}

// Inspect returns what the SQLite file at path holds, which must be the whole
// and sound database of an installation. It leaves one file.
func Inspect(ctx context.Context, path string) (held []Table, err error) {
	file, err := OpenAsItIs(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.single(ctx)) }()
	damage, err := file.damage(ctx)
	if err == nil && damage != "" {
		err = errors.New(damage)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s is damaged: %w", path, err)
	}
	return file.Stored(ctx)
}

// A part is a file in the making: beside the place where it will be, under
// another name, and locked. What a killed process left there is written over.
type part struct {
	whole, path string
	file        *os.File
}

func newPart(whole string) (*part, error) {
	p := &part{whole: whole, path: whole + ".partial"}
	if err := p.free(); err != nil {
		return nil, err
	}
	f, _, err := plainfile.Open(p.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	p.file = f
	if err := p.claim(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

// free refuses a place that is taken.
func (p *part) free() error {
	if _, err := os.Lstat(p.whole); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s is there already: name a new file", p.whole))
	}
	return nil
}

// claim locks the file and empties it.
func (p *part) claim() error {
	if err := syscall.Flock(int(p.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s is being written by another process", p.path)
	}
	// Whoever held the lock may have moved the file to its place.
	mine, err := p.file.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Lstat(p.path); err != nil || !os.SameFile(mine, there) {
		return fmt.Errorf("%s was written by another process just now", p.whole)
	}
	return errors.Join(p.file.Chmod(0o600), p.file.Truncate(0), remove(p.path, sideFiles...))
}

// sideFiles end the names of the files that SQLite keeps beside a database.
var sideFiles = []string{"-wal", "-shm", "-journal"}

// finish puts the file, which is whole, in its place.
func (p *part) finish() error {
	if err := p.free(); err != nil {
		return err
	}
	if err := p.file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(p.path, p.whole); err != nil {
		return err
	}
	return syncFolder(p.whole)
}

// drop lets go of the file, and removes it unless it was finished.
func (p *part) drop() error {
	var err error
	if mine, failed := p.file.Stat(); failed == nil {
		if there, failed := os.Lstat(p.path); failed == nil && os.SameFile(mine, there) {
			err = Remove(p.path)
		}
	}
	return errors.Join(err, p.file.Close())
}

// syncFolder has the folder of path remember its names.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Remove removes a SQLite database that nobody has open, if it is there.
func Remove(path string) error {
	return errors.Join(remove(path, ""), remove(path, sideFiles...))
}

func remove(path string, suffixes ...string) error {
	for _, suffix := range suffixes {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

// Replace puts the SQLite database at path in the place of the one at there,
// which is kept as aside; an empty aside says that there is none. At no moment
// is there no database. It is Unavailable while anybody has either open.
func Replace(ctx context.Context, path, there, aside string) error {
	if err := makeSingle(ctx, path); err != nil {
		return fmt.Errorf("store: replace: %w", err)
	}
	if aside != "" {
		if err := putAside(ctx, there, aside); err != nil {
			return fmt.Errorf("store: put %s aside: %w", there, err)
		}
	}
	for _, suffix := range sideFiles { // it would be read as part of the new one
		if _, err := os.Lstat(there + suffix); !errors.Is(err, os.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("store: replace: %s is there without its database: move it away", there+suffix))
		}
	}
	if err := os.Rename(path, there); err != nil {
		return fmt.Errorf("store: replace: %w", err)
	}
	return syncFolder(there)
}

// putAside gives the database at path a second name. A damaged one keeps its
// side files, under the second name alone: they must not meet another database.
func putAside(ctx context.Context, path, aside string) error {
	err := makeSingle(ctx, path)
	if errors.Is(err, errOpenElsewhere) {
		return err
	}
	for _, suffix := range sideFiles {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.Link(path, aside)
}

// makeSingle leaves one file of the SQLite database at path, with all it holds.
func makeSingle(ctx context.Context, path string) error {
	write, read, err := openSQLite(path)
	if err != nil {
		return err
	}
	return (&DB{write: write, read: read}).single(ctx)
}
