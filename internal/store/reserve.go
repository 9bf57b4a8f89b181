package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// reserve is room that is set aside beside a SQLite file, so that on a full disk
// what must be written still can be: changes of authority, revocations first of
// all. From when it is used until it is set aside again nothing else is written.
type reserve struct {
	path  string      // of the file that takes the room
	kept  atomic.Bool // it is there
	inUse atomic.Bool // there is no room for it
}

// reserveSize is enough for the write-ahead log until that begins anew, and for
// some ten thousand revocations.
const reserveSize = 8 << 20

var errFull = &hallpass.Error{Kind: hallpass.Unavailable, ID: "database.full", Message: "The database has no room left"}

// KeepReserve sets the reserve aside if it is not there. That the disk is full is
// no error: Full says so then.
func (db *DB) KeepReserve(ctx context.Context) error {
	r := &db.reserve
	if db.postgres || r.kept.Load() {
		return nil
	}
	if err := db.waitTurn(ctx); err != nil { // a write must not find the disk full of half a reserve
		return fmt.Errorf("store: keep reserve: %w", classify(err))
	}
	defer func() { <-db.turn }()
	err := occupy(r.path, reserveSize)
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	r.kept.Store(err == nil)
	r.inUse.Store(full)
	if err != nil && !full {
		return fmt.Errorf("store: keep reserve: %w", err)
	}
	return nil
}

// Full reports whether the disk is so full that nothing but changes of authority
// is written.
func (db *DB) Full() bool { return db.reserve.inUse.Load() }

// use gives the reserve's room to the database, and reports whether that helped.
func (r *reserve) use() bool {
	if !r.kept.Swap(false) {
		return false
	}
	r.inUse.Store(true)
	return os.Remove(r.path) == nil
}

// occupy makes a file that takes so many bytes of the disk, or none at all.
func occupy(path string, size int64) error {
	f, _, err := plainfile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(allocate(f, size), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// write fills the file with so many bytes.
func write(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, at); err != nil {
			return err
		}
	}
	return nil
}
