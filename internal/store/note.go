package store

import (
	"context"
	"sync"

	"github.com/hallpass-dev/hallpass"
)

// notes gathers the audit entries that no transaction carries, so that a dead
// token tried a thousand times a second costs one row a minute and not a
// thousand commits.
type notes struct {
	mu   sync.Mutex
	rows map[noteKey]*note // guarded by mu
	old  []*note           // of a minute gone by, not yet written whole; guarded by mu

	flush sync.Mutex // held over a flush, so that each count is written once
}

// noteKey tells one note from another: repeats within a minute that
// agree in all of it are one entry.
type noteKey struct {
	org       hallpass.OrgID
	principal int64
	token     hallpass.TokenID
	action    string
	target    string
	outcome   hallpass.Outcome
	reason    string
	address   string
}

// note is one entry and its repeats that are not yet written.
type note struct {
	entry   hallpass.AuditEntry // its ID is zero until the row exists
	minute  int64
	unsaved int64
}

// maxNotes bounds the notes kept for merging; beyond it the oldest
// minute's are let go.
const maxNotes = 10_000

// Note takes down an audit entry that no transaction carries: a refusal, or a
// password that was right. It waits for no disk: FlushNotes writes it. Repeats
// within the minute of the first are counted in its row. It reports whether e
// was the first.
func (db *DB) Note(e hallpass.AuditEntry) (first bool) {
	key := noteKey{e.Org, e.Actor.ID, e.Token, e.Action, e.Target, e.Outcome, e.Reason, e.From.Address}
	minute := e.At.Unix() / 60
	for _, fn := range db.noteSubscribers {
		fn(e)
	}
	r := &db.notes
	r.mu.Lock()
	defer r.mu.Unlock()
	if row := r.rows[key]; row != nil {
		if row.minute == minute {
			row.unsaved++
			return false
		}
		r.old = append(r.old, row)
	}
	if len(r.rows) >= maxNotes {
		r.retire(minute)
	}
	r.rows[key] = &note{entry: e, minute: minute, unsaved: 1}
	return true
}

// OnNote has fn called with every note, before it is written. It must be quick.
// Subscribe before serving begins.
func (db *DB) OnNote(fn func(hallpass.AuditEntry)) {
	db.noteSubscribers = append(db.noteSubscribers, fn)
}

// retire moves the rows of other minutes out of the map; all of them when that
// makes no room. The caller holds mu.
func (r *notes) retire(minute int64) {
	for _, all := range []bool{false, true} {
		for key, row := range r.rows {
			if all || row.minute != minute {
				r.old = append(r.old, row)
				delete(r.rows, key)
			}
		}
		if len(r.rows) < maxNotes {
			return
		}
	}
}

// FlushNotes writes what Note noted. What cannot be written now is kept
// for the next time.
func (db *DB) FlushNotes(ctx context.Context) error {
	r := &db.notes
	r.flush.Lock()
	defer r.flush.Unlock()

	type write struct {
		row   *note
		entry hallpass.AuditEntry
		n     int64
	}
	var writes []write
	r.mu.Lock()
	old := r.old
	for _, row := range r.rows {
		if row.unsaved > 0 {
			writes = append(writes, write{row, row.entry, row.unsaved})
		}
	}
	for _, row := range old {
		if row.unsaved > 0 {
			writes = append(writes, write{row, row.entry, row.unsaved})
		}
	}
	r.mu.Unlock()
	if len(writes) == 0 {
		return nil
	}

	ids := make([]hallpass.AuditID, len(writes))
	err := db.Write(ctx, func(tx *Tx) error {
		for i, w := range writes {
			if ids[i] = w.entry.ID; ids[i] != 0 {
				if err := tx.recur(ctx, w.entry.ID, w.n); err != nil {
					return err
				}
				continue
			}
			w.entry.Count = w.n
			id, err := tx.Audit(ctx, w.entry)
			if err != nil {
				return err
			}
			ids[i] = id
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, w := range writes {
		w.row.entry.ID = ids[i]
		w.row.unsaved -= w.n
	}
	r.old = r.old[len(old):] // those that came meanwhile stay
	return nil
}
