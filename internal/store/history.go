package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// ErrDiverged says that the database's past is not the one that this node
// remembers: it failed over to an older copy, was restored, or is another
// database. Something revoked may be valid there.
var ErrDiverged = errors.New("store: the database's history is not the one this node remembers")

// continues returns ErrDiverged unless the database, which stands at now and has
// that digest at known's version, has gone through known.
func (known State) continues(now State, digest [32]byte) error {
	switch {
	case known.Installation == "": // nothing is known yet
		return nil
	case known.Installation != now.Installation || known.Version > now.Version:
		return ErrDiverged
	case known.Version > 0 && digest != known.Digest:
		return ErrDiverged
	}
	return nil
}

// DigestAt returns the digest of the history up to v; zero when the database has
// not come to v.
func (tx *Tx) DigestAt(v hallpass.Version) (digest [32]byte, err error) {
	rows, err := all(tx, func(r row) (d []byte, err error) {
		err = r.Scan(&d)
		return d, err
	}, `SELECT digest FROM changes WHERE v = $1`, v)
	if err != nil {
		return digest, fmt.Errorf("store: digest at %d: %w", v, err)
	}
	if len(rows) > 0 && len(rows[0]) == len(digest) {
		digest = [32]byte(rows[0])
	}
	return digest, nil
}

// Continues returns ErrDiverged unless the database has gone through known.
func (tx *Tx) Continues(known State) error {
	now, err := tx.State()
	if err != nil {
		return err
	}
	digest, err := tx.DigestAt(known.Version)
	if err != nil {
		return err
	}
	return known.continues(now, digest)
}

// JournalEntries returns the journal's entries for the changes, with what has become
// of their subjects by now. When the database does not tell that, because it failed
// or is another one, they say what the changes themselves say.
func (db *DB) JournalEntries(ctx context.Context, rows []ChangeRow) (entries []JournalEntry) {
	err := db.Read(ctx, func(tx *Tx) (err error) {
		entries, err = tx.journalEntries(rows)
		return err
	})
	if err == nil {
		return entries
	}
	entries = nil
	for _, r := range rows {
		entries = append(entries, newJournalEntry(r, unread(r.Change)))
	}
	return entries
}

// journalEntries is JournalEntries in the database that has gone through the last of
// the changes; ErrDiverged in another.
func (tx *Tx) journalEntries(rows []ChangeRow) ([]JournalEntry, error) {
	last := rows[len(rows)-1]
	if digest, err := tx.DigestAt(last.Version); err != nil || digest != last.Digest {
		return nil, errors.Join(err, ErrDiverged)
	}
	entries := make([]JournalEntry, 0, len(rows))
	for _, r := range rows {
		s, err := tx.subjectState(r.Change)
		if err != nil {
			return nil, err
		}
		entries = append(entries, newJournalEntry(r, s))
	}
	return entries, nil
}

// Reapply makes the database, whose past is not the one in the journal, refuse
// again what the journal says had ended: tokens and sessions end, tokens that
// were to end at a time end then, accounts and users that were gone or disabled
// are disabled, roles are cut to what they were. Nothing is given back, and no
// number that the journal knows is given again. It returns how many changes it
// made, and the open entries: a person must look at those.
func (tx *Tx) Reapply(lost []JournalEntry, at time.Time) (made int, open []JournalEntry, err error) {
	given := make(map[string]int64)
	for _, e := range lost {
		if counter := subjects[e.Kind].counter; counter != "" {
			given[counter] = max(given[counter], e.ID)
		}
	}
	if needed, err := tx.needsAgain(lost, at); err != nil {
		return 0, nil, err
	} else if needed {
		// One for all, and for everybody: half a hash and a number of the past do
		// not say whom a node may remember.
		if err := tx.Change(hallpass.Change{Kind: hallpass.PermissionsChanged}); err != nil {
			return 0, nil, err
		}
	}
	if err := tx.RaiseCounters(given); err != nil {
		return 0, nil, err
	}
	for _, e := range lost {
		if e.Open() {
			open = append(open, e)
			continue
		}
		done, err := tx.reapply(e, at)
		if err != nil {
			return 0, nil, err
		}
		if done {
			made++
		}
	}
	return made, open, nil
}

// needsAgain reports whether one of the entries is to be made true again.
func (tx *Tx) needsAgain(lost []JournalEntry, at time.Time) (bool, error) {
	for _, e := range lost {
		if steps, err := tx.again(e, at); err != nil || len(steps) > 0 {
			return true, err
		}
	}
	return false, nil
}

// reapply makes one entry true again, and reports whether it was not.
func (tx *Tx) reapply(e JournalEntry, at time.Time) (bool, error) {
	steps, err := tx.again(e, at)
	if err != nil || len(steps) == 0 {
		return false, err
	}
	subject := string(e.Kind) + ":" + strconv.FormatInt(e.ID, 10)
	if err := tx.steps("re-apply the change of "+subject, steps...); err != nil {
		return false, err
	}
	_, err = tx.Audit(hallpass.AuditEntry{
		At: at, Action: "history.reapply", Target: subject, Outcome: hallpass.Done,
		Reason: "the database came back older than change " + strconv.FormatInt(int64(e.Version), 10),
	})
	return true, err
}

// Counters returns the last number that each counter gave.
func (tx *Tx) Counters() (map[string]int64, error) {
	type counter struct {
		name  string
		value int64
	}
	list, err := all(tx, func(r row) (c counter, err error) {
		err = r.Scan(&c.name, &c.value)
		return c, err
	}, `SELECT name, value FROM counters`)
	if err != nil {
		return nil, fmt.Errorf("store: counters: %w", err)
	}
	counters := make(map[string]int64, len(list))
	for _, c := range list {
		counters[c.name] = c.value
	}
	return counters, nil
}

// RaiseCounters has the counters go on after these numbers, where they have not
// come that far.
func (tx *Tx) RaiseCounters(given map[string]int64) error {
	for name, value := range given {
		if _, err := tx.exec(`UPDATE counters SET value = $2 WHERE name = $1 AND value < $2`, name, value); err != nil {
			return fmt.Errorf("store: raise %s counter: %w", name, err)
		}
	}
	return nil
}

// DropIdle closes the idle connections of the pools: after a failover they may lead
// to the database of before.
func (db *DB) DropIdle() {
	for _, pool := range []interface {
		SetMaxIdleConns(int)
	}{db.read, db.write} {
		pool.SetMaxIdleConns(0)
	}
	db.read.SetMaxIdleConns(db.read.Stats().MaxOpenConnections)
	db.write.SetMaxIdleConns(db.write.Stats().MaxOpenConnections)
}
