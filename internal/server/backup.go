package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Table is what one table of a database holds.
type Table = store.Table

// Backup writes all that the configured database holds into a new SQLite file at
// path, and returns what that is. Servers may run meanwhile.
func Backup(ctx context.Context, c Config, path string) (held []Table, err error) {
	db, err := openAsItIs(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Backup(ctx, path)
}

func openAsItIs(ctx context.Context, c Config) (*store.DB, error) {
	if c.Database.postgres() {
		return store.OpenPostgresAsItIs(ctx, postgresOptions(c))
	}
	return store.OpenAsItIs(ctx, databasePath(c))
}

// Restored says what a restore did.
type Restored struct {
	Held   []Table  // what the backup holds
	Aside  string   // where the database that was there is now; empty: there was none
	Unread error    // why the last changes of that one could not be read; nil: they were
	Again  int      // things that had ended after the backup, and were ended again
	Lost   []string // what was made after the backup and is not in it: numbers, and what they numbered
	Torn   bool     // the last line of the journal was cut off: the change in it is not known
	Alone  bool     // no journal was here that could have told of such things
	Open   error    // what a person must look at before the server starts; nil: nothing
}

// Restore puts the database in the backup at path in the place of the configured
// one, and has it refuse again what ended after the backup, as far as the
// journal in the data directory tells. The server must be stopped. A SQLite
// database that is there is refused, or with aside kept under another name;
// a PostgreSQL database must be empty.
func Restore(ctx context.Context, c Config, path string, aside bool) (r Restored, err error) {
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.takePlace(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.vacant(aside); err != nil {
		return r, err
	}
	scratch := databasePath(c) + ".restoring"
	if c.Database.postgres() {
		scratch = filepath.Join(c.DataDir, "restoring.db")
	}
	defer func() { err = errors.Join(err, store.Remove(scratch)) }()
	if r.Held, err = s.unpack(ctx, path, scratch); err != nil {
		return r, err
	}
	if c.Database.postgres() {
		err = s.restoreRows(ctx, scratch)
	} else {
		err = s.restoreFile(ctx, scratch, &r)
	}
	if err != nil {
		return r, err
	}
	r.Alone, r.Torn = s.journal.Known().Installation == "", s.journal.Torn()
	s.node = s.newNode(nil)
	settled, open := s.node.Settle(ctx)
	r.Again, r.Lost, r.Open = settled.Again, settled.Lost, open
	if r.Open == nil {
		return r, s.forgetFirstPassword(ctx)
	}
	return r, nil
}

// vacant refuses a place with a database, unless that may be put aside.
func (s *Server) vacant(aside bool) error {
	if s.config.Database.postgres() {
		return nil // Copy looks
	}
	path := databasePath(s.config)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && aside {
		return nil
	} else if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return fmt.Errorf("%s is there already: choose another folder with --data, or --force, which keeps it under another name", path)
}

// unpack copies the backup to scratch, sees that it is sound and of this
// installation, and brings its schema up to date. The backup stays as it is.
func (s *Server) unpack(ctx context.Context, path, scratch string) ([]Table, error) {
	switch file, err := os.Stat(path); {
	case err != nil:
		return nil, fmt.Errorf("restore: %w", err)
	case !file.Mode().IsRegular() && !file.IsDir(): // to open a pipe would be to wait for who writes it
		return nil, fmt.Errorf("%s is not a file that a backup could be in", path)
	case !s.config.Database.postgres():
		if present, err := os.Stat(databasePath(s.config)); err == nil && os.SameFile(file, present) {
			return nil, fmt.Errorf("%s is the database itself, not a backup of it", path)
		}
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		return nil, fmt.Errorf("%s has a file %s-wal beside it: it is a database in use, not a backup", path, filepath.Base(path))
	}
	if err := copyFile(path, scratch); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	held, err := store.Inspect(ctx, scratch)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be restored: %w", path, err)
	}
	db, err := store.Open(ctx, scratch)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be restored: %w", path, err)
	}
	now, err := db.State(ctx)
	if known := s.journal.Known(); err == nil && known.Installation != "" && known.Installation != now.Installation {
		err = fmt.Errorf("the backup is of the installation %s, and the journal %s of %s: choose the folder that belongs to the backup, or an empty one, with --data",
			now.Installation, s.journal.Path(), known.Installation)
	}
	return held, errors.Join(err, db.Close())
}

// copyFile copies the file to one that nobody else may read, over what is there.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	if err := store.Remove(to); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// restoreRows copies scratch into the PostgreSQL database, which must be empty.
func (s *Server) restoreRows(ctx context.Context, scratch string) (err error) {
	if s.db, err = openDatabase(ctx, s.config); err != nil {
		return err
	}
	from, err := store.Open(ctx, scratch)
	if err != nil {
		return err
	}
	_, err = store.Copy(ctx, from, s.db)
	return errors.Join(err, from.Close())
}

// restoreFile puts scratch in the place of the SQLite database.
func (s *Server) restoreFile(ctx context.Context, scratch string, r *Restored) (err error) {
	path := databasePath(s.config)
	if _, err := os.Stat(path); err == nil {
		r.Aside = path + ".replaced-" + time.Now().UTC().Format("20060102T150405Z")
		r.Unread = s.salvage(ctx, path, scratch)
	}
	if err := store.Replace(ctx, scratch, path, r.Aside); err != nil {
		return err
	}
	s.db, err = openDatabase(ctx, s.config)
	return err
}

// salvage has the journal hear of the last changes in the database at path, which the
// one at scratch is about to replace.
func (s *Server) salvage(ctx context.Context, path, scratch string) (err error) {
	next, err := store.Open(ctx, scratch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, next.Close()) }()
	old, err := store.OpenAsItIs(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	return s.journal.Salvage(ctx, old, next)
}
