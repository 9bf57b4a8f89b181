package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

// A ChangeEvent tells subscribers of changes: once as Coming, before the commit,
// and once as Settled, after the commit or its failure. Between the two nobody
// may remember anything about the subjects.
type ChangeEvent struct {
	Phase   Phase
	Changes []hallpass.Change
}

// Phase says where a change stands.
type Phase uint8

// The phases, in this order.
const (
	Coming Phase = iota
	Settled
)

// Subscribe has fn called with every event. fn runs on the goroutine of the
// change, which waits for it: it must be quick and must not use the database.
// Subscribe before serving begins.
func (db *DB) Subscribe(fn func(ChangeEvent)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.subscribers = append(db.subscribers, fn)
}

func (db *DB) announce(e ChangeEvent) {
	db.mu.Lock()
	subscribers := db.subscribers
	db.mu.Unlock()
	for _, fn := range subscribers {
		fn(e)
	}
}

// Announce tells subscribers of changes that another node has committed.
func (db *DB) Announce(changes []hallpass.Change) {
	db.announce(ChangeEvent{Phase: Coming, Changes: changes})
	db.announce(ChangeEvent{Phase: Settled, Changes: changes})
}

// AnnounceAll tells subscribers that anything may have changed, for everybody:
// nobody said what.
func (db *DB) AnnounceAll() { db.Announce([]hallpass.Change{{}}) }

// errLateChange says that a transaction writes before it says what it changes: a
// fault of the program.
var errLateChange = errors.New("store: the transaction has written before this change")

// Change counts c as the next version and writes it to the chain. A transaction
// may read before it and must not write before it; a Change after a write is an
// error. Two things rest on that. Changes take the row of state before any row
// that they change, as whoever writes by hand does (byHand), so the two never
// wait for each other in a circle. And a disk that is full is noticed by a
// transaction that is known to be a change, which may use the reserve.
//
// The order of versions is the order of commits, because one transaction writes
// at a time and the row of state stays locked until its commit.
func (tx *Tx) Change(c hallpass.Change) error {
	if tx.written {
		return fmt.Errorf("%w: of %s %d", errLateChange, c.Kind, c.ID)
	}
	var v hallpass.Version
	var before []byte
	err := tx.sql.QueryRow(`
		UPDATE state SET v = v + 1 WHERE id = 1 RETURNING v, digest`).Scan(&v, &before)
	if err != nil {
		return fmt.Errorf("store: next version: %w", err)
	}
	digest := hallpass.ChainDigest([32]byte(before), v, c)
	if _, err := tx.sql.Exec(`UPDATE state SET digest = $1 WHERE id = 1`, digest[:]); err != nil {
		return fmt.Errorf("store: set digest: %w", err)
	}
	_, err = tx.sql.Exec(`
		INSERT INTO changes (v, kind, subject_id, hash, digest) VALUES ($1, $2, $3, $4, $5)`,
		v, c.Kind, c.ID, c.Hash[:], digest[:])
	if err != nil {
		return fmt.Errorf("store: write change %d: %w", v, err)
	}
	tx.changes, tx.version = append(tx.changes, c), v
	return nil
}

// A State is where an installation's history stands.
type State struct {
	Installation string // made at the first start, the same for good
	Version      hallpass.Version
	Digest       [32]byte
}

// State returns where the history stands; NotFound before Begin.
func (tx *Tx) State() (State, error) {
	var s State
	var digest []byte
	err := tx.sql.QueryRow(`SELECT installation, v, digest FROM state WHERE id = 1`).
		Scan(&s.Installation, &s.Version, &digest)
	if err != nil {
		return State{}, notFound(fmt.Errorf("store: read state: %w", err), "", "the installation has not begun")
	}
	s.Digest = [32]byte(digest)
	return s, nil
}

// State returns where the history stands; NotFound before Begin.
func (db *DB) State(ctx context.Context) (now State, err error) {
	err = db.Read(ctx, func(tx *Tx) error {
		now, err = tx.State()
		return err
	})
	return now, err
}

// Begin writes the first state of a new installation; Conflict when it has one.
func (tx *Tx) Begin(installation string) error {
	_, err := tx.exec(`INSERT INTO state (id, installation, v, digest) VALUES (1, $1, 0, $2)`, installation, make([]byte, 32))
	if isUnique(err) {
		return &hallpass.Error{Kind: hallpass.Conflict, ID: "installation.begun", Message: "The installation has begun already"}
	}
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	return nil
}

// Changes returns the changes of versions after v, oldest first, with the
// digest at each.
func (tx *Tx) Changes(v hallpass.Version) ([]ChangeRow, error) {
	list, err := all(tx, scanChange, `
		SELECT v, kind, subject_id, hash, digest FROM changes WHERE v > $1 ORDER BY v`, v)
	if err != nil {
		return nil, fmt.Errorf("store: changes after %d: %w", v, err)
	}
	return list, nil
}

// A ChangeRow is one change as it stands in the chain.
type ChangeRow struct {
	Version hallpass.Version
	Change  hallpass.Change
	Digest  [32]byte
}

func scanChange(r row) (ChangeRow, error) {
	var c ChangeRow
	var hash, digest []byte
	if err := r.Scan(&c.Version, &c.Change.Kind, &c.Change.ID, &hash, &digest); err != nil {
		return ChangeRow{}, err
	}
	c.Change.Hash, c.Digest = [32]byte(hash), [32]byte(digest)
	return c, nil
}
