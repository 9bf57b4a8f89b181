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

	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Table is what one table of a database holds.
type Table = store.Table

// Backup writes everything in the configured database into a new SQLite file at path,
// and returns the tables. Servers may run meanwhile.
func Backup(ctx context.Context, c Config, path string) (held []Table, err error) {
	db, err := openUnmigrated(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Backup(ctx, path)
}

func openUnmigrated(ctx context.Context, c Config) (*store.DB, error) {
	if c.Database.postgres() {
		return store.OpenPostgresAsItIs(ctx, postgresOptions(c))
	}
	return store.OpenAsItIs(ctx, databasePath(c))
}

// Restored says what a restore did.
type Restored struct {
	Held         []Table  // what the backup holds
	ReplacedPath string   // the new path of the database that was replaced; empty: there was none
	JournalErr   error    // why the last changes of the replaced database could not be read; nil: they were
	Reapplied    int      // how many things that had ended after the backup were ended again
	Lost         []string // what was made after the backup and is lost: IDs, and what they belonged to
	Torn         bool     // the last line of the journal was cut off: the change in it is not known
	NoJournal    bool     // there was no journal in the data directory
	NeedsReview  error    // what a person must review before the server starts; nil: nothing
}

// Restore replaces the configured database by the backup at path, and ends again what
// had ended after the backup, as far as the journal in the data directory knows it. The server must be stopped. If a
// SQLite database exists, Restore fails, or with aside renames it first; a PostgreSQL
// database must be empty.
func Restore(ctx context.Context, c Config, path string, aside bool) (r Restored, err error) {
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.lockDataDir(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.refuseExisting(aside); err != nil {
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
	r.NoJournal, r.Torn = s.journal.Known().Installation == "", s.journal.Torn()
	s.node = s.newNode(nil)
	settled, open := s.node.Settle(ctx)
	r.Reapplied, r.Lost, r.NeedsReview = settled.Reapplied, settled.Lost, open
	if r.NeedsReview == nil {
		return r, s.forgetFirstPassword(ctx)
	}
	return r, nil
}

// refuseExisting returns an error if a SQLite database exists, unless aside allows to
// rename it.
func (s *Server) refuseExisting(aside bool) error {
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

// unpack copies the backup to scratch, checks that it is intact and of this
// installation, and migrates its schema. The backup itself does not change.
func (s *Server) unpack(ctx context.Context, path, scratch string) ([]Table, error) {
	switch file, err := os.Stat(path); {
	case err != nil:
		return nil, fmt.Errorf("restore: %w", err)
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
	in, _, err := plainfile.Open(from, os.O_RDONLY, 0)
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
	if s.db, err = openDatabase(ctx, s.config, nil); err != nil {
		return err
	}
	from, err := store.Open(ctx, scratch)
	if err != nil {
		return err
	}
	_, err = store.Copy(ctx, from, s.db)
	return errors.Join(err, from.Close())
}

// restoreFile replaces the SQLite database by scratch.
func (s *Server) restoreFile(ctx context.Context, scratch string, r *Restored) (err error) {
	path := databasePath(s.config)
	if _, err := os.Stat(path); err == nil {
		r.ReplacedPath = path + ".replaced-" + time.Now().UTC().Format("20060102T150405Z")
		r.JournalErr = s.salvage(ctx, path, scratch)
	}
	if err := store.Replace(ctx, scratch, path, r.ReplacedPath); err != nil {
		return err
	}
	s.db, err = openDatabase(ctx, s.config, nil)
	return err
}

// salvage writes the last changes of the database at path to the journal, before the
// database at scratch replaces it.
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
