package store

import (
	"context"
	"slices"
	"sync"

	"github.com/hallpass-dev/hallpass"
)

// notes gathers the audit entries that no transaction carries, so that a dead
// token tried a thousand times a second costs one row a minute and not a
// thousand commits.
type notes struct {
	mu     sync.Mutex
	minute int64             // that rows and by are of; guarded by mu
	rows   map[noteKey]*note // guarded by mu
	by     map[noter]*noted  // guarded by mu
	old    []*note           // let go, not yet written whole; guarded by mu
	lost   *note             // what counts those that there was no room for; guarded by mu

	flush sync.Mutex // held over a flush, so that each count is written once
}

// noteKey tells one note from another: repeats within a minute that agree in all
// of it are one entry.
type noteKey struct {
	org       hallpass.OrgID
	principal int64
	token     hallpass.TokenID
	action    string
	target    string
	outcome   hallpass.AuditOutcome
	reason    string
	address   string
}

// note is one entry and its repeats that are not yet written.
type note struct {
	entry   hallpass.AuditEntry // its ID is zero until the row exists
	unsaved int64
}

// A noter is whose entries are bounded together: one token, one session's or
// password's user, and of them what was refused apart from what was not.
type noter struct {
	principal int64
	token     hallpass.TokenID
	outcome   hallpass.AuditOutcome
}

// noted is what a noter has within the minute.
type noted struct {
	single int                      // entries of their own
	more   map[hallpass.OrgID]*note // an entry for the rest, in each of a few orgs
}

// Bounds on notes. Beyond maxSingle different entries of one noter within a
// minute the rest are counted in one, of which an org has its own while the orgs
// are few. Beyond maxNotes of all noters, those of the minute so far are let go:
// they are written, and what repeats them becomes another entry. When the
// database has not taken as many for long, only their number is kept.
const (
	maxSingle = 20
	maxNotes  = 10_000
	maxOld    = 5 * maxNotes
)

// Note takes down an audit entry that no transaction carries: a refusal, or a
// password that was right. It waits for no disk: FlushNotes writes it. Repeats
// within the minute of the first are counted in its row. It reports whether e
// is the first of its noter within the minute, which should be written soon.
func (db *DB) Note(e hallpass.AuditEntry) (first bool) {
	e = e.Clean()
	for _, fn := range db.noteSubscribers {
		fn(e)
	}
	r := &db.notes
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(e.At.Unix() / 60)
	key := noteKey{e.Org, e.Actor.ID, e.Token, e.Action, e.Target, e.Outcome, e.Reason, e.From.Address}
	if known := r.rows[key]; known != nil {
		known.unsaved++
		return false
	}
	if len(r.rows) >= maxNotes {
		r.retire()
	}
	by := noter{e.Actor.ID, e.Token, e.Outcome}
	of := r.by[by]
	if of == nil {
		of = &noted{}
		r.by[by] = of
	}
	if of.single < maxSingle {
		of.single++
		r.rows[key] = &note{entry: e, unsaved: 1}
		return of.single == 1
	}
	of.count(e)
	return false
}

// count counts e in the entry for the rest.
func (n *noted) count(e hallpass.AuditEntry) {
	if n.more == nil {
		n.more = make(map[hallpass.OrgID]*note)
	}
	org := e.Org
	if n.more[org] == nil && len(n.more) >= maxSingle {
		org = 0
	}
	if n.more[org] == nil {
		e.Org, e.Action, e.Target, e.Reason = org, hallpass.MoreRefusals, "", "beyond the first 20 within the minute; from this address the first of them"
		if e.Outcome != hallpass.Refused {
			e.Action = "password.verify"
		}
		n.more[org] = &note{entry: e}
	}
	n.more[org].unsaved++
}

// OnNote has fn called with every note, before it is written. It must be quick.
// Subscribe before serving begins.
func (db *DB) OnNote(fn func(hallpass.AuditEntry)) {
	db.noteSubscribers = append(db.noteSubscribers, fn)
}

// turn begins another minute. A note of the minute before that comes late counts
// as one of this. The caller holds mu.
func (r *notes) turn(minute int64) {
	if minute == r.minute || minute == r.minute-1 {
		return
	}
	r.retire()
	r.minute = minute
}

// retire lets go of what there is, to be written and not added to. The caller
// holds mu.
func (r *notes) retire() {
	add := func(n *note) {
		switch {
		case n.unsaved == 0:
		case len(r.old) < maxOld:
			r.old = append(r.old, n)
		case r.lost == nil:
			r.lost = &note{entry: hallpass.AuditEntry{
				At: n.entry.At, Action: hallpass.MoreRefusals, Outcome: n.entry.Outcome, Reason: "the database took no entries for so long that only their number was kept",
			}, unsaved: n.unsaved}
		default:
			r.lost.unsaved += n.unsaved
		}
	}
	for _, n := range r.rows {
		add(n)
	}
	for _, of := range r.by {
		for _, n := range of.more {
			add(n)
		}
	}
	r.rows, r.by = make(map[noteKey]*note), make(map[noter]*noted)
}

// unsaved returns the notes with something to be written. The caller holds mu.
func (r *notes) unsaved() (list []*note) {
	add := func(n *note) {
		if n.unsaved > 0 {
			list = append(list, n)
		}
	}
	for _, n := range r.old {
		add(n)
	}
	for _, n := range r.rows {
		add(n)
	}
	for _, of := range r.by {
		for _, n := range of.more {
			add(n)
		}
	}
	if r.lost != nil {
		add(r.lost)
	}
	return list
}

// notesInTx is how many notes a transaction writes at most: changes wait for it.
const notesInTx = 200

// FlushNotes writes what Note noted, in as few transactions as may be. What
// cannot be written now is kept for the next time.
func (db *DB) FlushNotes(ctx context.Context) error {
	r := &db.notes
	r.flush.Lock()
	defer r.flush.Unlock()

	r.mu.Lock()
	due := r.unsaved()
	r.mu.Unlock()
	for part := range slices.Chunk(due, notesInTx) {
		if err := db.writeNotes(ctx, part); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.old = slices.DeleteFunc(r.old, func(n *note) bool { return n.unsaved == 0 })
	if r.lost != nil && r.lost.unsaved == 0 {
		r.lost = nil
	}
	return nil
}

// writeNotes writes the notes in one transaction.
func (db *DB) writeNotes(ctx context.Context, list []*note) error {
	r := &db.notes
	entries := make([]hallpass.AuditEntry, len(list))
	r.mu.Lock()
	for i, n := range list {
		entries[i] = n.entry
		entries[i].Count = n.unsaved
	}
	r.mu.Unlock()
	ids := make([]hallpass.AuditID, len(list))
	err := db.Write(ctx, func(tx *Tx) (err error) {
		for i, e := range entries {
			if ids[i] = e.ID; e.ID != 0 {
				err = tx.recur(e.ID, e.Count)
			} else {
				ids[i], err = tx.Audit(e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, n := range list {
		n.entry.ID = ids[i]
		n.unsaved -= entries[i].Count
	}
	return nil
}
