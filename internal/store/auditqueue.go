package store

import (
	"context"
	"slices"
	"sync"

	"github.com/hallpass-dev/hallpass"
)

// auditQueue gathers the audit entries that no transaction carries, so that a dead
// token tried a thousand times a second costs one row a minute and not a
// thousand commits.
type auditQueue struct {
	mu       sync.Mutex
	minute   int64                          // that rows and bySource are of; guarded by mu
	rows     map[pendingKey]*pendingEntry   // guarded by mu
	bySource map[auditSource]*sourceEntries // guarded by mu
	old      []*pendingEntry                // closed, and not yet written whole; guarded by mu
	lost     *pendingEntry                  // counts those that there was no room for; guarded by mu

	flush sync.Mutex // held over a flush, so that each count is written once
}

// pendingKey tells one pending entry from another: repeats within a minute that
// agree in all of it are one entry.
type pendingKey struct {
	org       hallpass.OrgID
	principal int64
	token     hallpass.TokenID
	action    string
	target    string
	outcome   hallpass.AuditOutcome
	reason    string
	address   string
}

// pendingEntry is one entry and its repeats that are not yet written.
type pendingEntry struct {
	entry   hallpass.AuditEntry // its ID is zero until the row exists
	unsaved int64
}

// An auditSource is what bounds hold for: the entries about one token, or about one
// user who presents a session or a password. Refusals have a source of their own.
type auditSource struct {
	principal int64
	token     hallpass.TokenID
	outcome   hallpass.AuditOutcome
}

// sourceEntries are those of one source within the minute.
type sourceEntries struct {
	single int                              // how many have an entry of their own
	more   map[hallpass.OrgID]*pendingEntry // the rest: one entry for each of a few orgs
}

// Bounds on pending entries. Of one source within a minute maxSingle different
// entries are kept; the rest are counted in one entry for each org while the orgs
// are few, and in one for all orgs beyond that. When all sources together have
// maxPending, those of the minute so far are closed: they are written, and what
// repeats them becomes another entry. When the database has taken no entries for
// so long that maxOld are closed, only the number of the rest is kept.
const (
	maxSingle  = 20
	maxPending = 10_000
	maxOld     = 5 * maxPending
)

// RecordAudit keeps an audit entry that no transaction carries: a refusal, or a
// password that was right. It waits for no disk: FlushAudit writes the entry.
// Repeats within the minute of the first are counted in its row. It reports
// whether e is the first of its source within the minute, which should be written
// soon.
func (db *DB) RecordAudit(e hallpass.AuditEntry) (first bool) {
	e = e.Clean()
	for _, fn := range db.auditSubscribers {
		fn(e)
	}
	q := &db.auditQueue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.begin(e.At.Unix() / 60)
	key := pendingKey{e.Org, e.Actor.ID, e.Token, e.Action, e.Target, e.Outcome, e.Reason, e.From.Address}
	if known := q.rows[key]; known != nil {
		known.unsaved++
		return false
	}
	if len(q.rows) >= maxPending {
		q.closeAll()
	}
	source := auditSource{e.Actor.ID, e.Token, e.Outcome}
	of := q.bySource[source]
	if of == nil {
		of = &sourceEntries{}
		q.bySource[source] = of
	}
	if of.single < maxSingle {
		of.single++
		q.rows[key] = &pendingEntry{entry: e, unsaved: 1}
		return of.single == 1
	}
	of.count(e)
	return false
}

// count counts e in the entry for the rest.
func (n *sourceEntries) count(e hallpass.AuditEntry) {
	if n.more == nil {
		n.more = make(map[hallpass.OrgID]*pendingEntry)
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
		n.more[org] = &pendingEntry{entry: e}
	}
	n.more[org].unsaved++
}

// OnAudit has fn called with every entry of RecordAudit, before it is written. fn
// must be quick. Subscribe before serving begins.
func (db *DB) OnAudit(fn func(hallpass.AuditEntry)) {
	db.auditSubscribers = append(db.auditSubscribers, fn)
}

// begin begins another minute. An entry of the minute before that comes late
// counts as one of this. The caller holds mu.
func (q *auditQueue) begin(minute int64) {
	if minute == q.minute || minute == q.minute-1 {
		return
	}
	q.closeAll()
	q.minute = minute
}

// closeAll has the entries so far written and not added to. The caller holds mu.
func (q *auditQueue) closeAll() {
	add := func(n *pendingEntry) {
		switch {
		case n.unsaved == 0:
		case len(q.old) < maxOld:
			q.old = append(q.old, n)
		case q.lost == nil:
			q.lost = &pendingEntry{entry: hallpass.AuditEntry{
				At: n.entry.At, Action: hallpass.MoreRefusals, Outcome: n.entry.Outcome, Reason: "the database took no entries for so long that only their number was kept",
			}, unsaved: n.unsaved}
		default:
			q.lost.unsaved += n.unsaved
		}
	}
	for _, n := range q.rows {
		add(n)
	}
	for _, of := range q.bySource {
		for _, n := range of.more {
			add(n)
		}
	}
	q.rows, q.bySource = make(map[pendingKey]*pendingEntry), make(map[auditSource]*sourceEntries)
}

// unsaved returns the entries of which something is to be written: with repeats also
// those of which a row tells already. The caller holds mu.
func (q *auditQueue) unsaved(repeats bool) (list []*pendingEntry) {
	add := func(n *pendingEntry) {
		if n.unsaved > 0 && (repeats || n.entry.ID == 0) {
			list = append(list, n)
		}
	}
	for _, n := range q.old {
		if n.unsaved > 0 {
			list = append(list, n)
		}
	}
	for _, n := range q.rows {
		add(n)
	}
	for _, of := range q.bySource {
		for _, n := range of.more {
			add(n)
		}
	}
	if q.lost != nil {
		add(q.lost)
	}
	return list
}

// pendingInTx is how many entries a transaction writes at most: changes wait for it.
const pendingInTx = 200

// FlushAudit writes the entries of RecordAudit, in as few transactions as
// possible. What cannot be written now is kept for the next time.
func (db *DB) FlushAudit(ctx context.Context) error { return db.flushAudit(ctx, true) }

// FlushNewAudit is FlushAudit without repeats of entries that were written within their
// minute: each time that repeats are written is another link of the chain.
func (db *DB) FlushNewAudit(ctx context.Context) error { return db.flushAudit(ctx, false) }

func (db *DB) flushAudit(ctx context.Context, repeats bool) error {
	q := &db.auditQueue
	q.flush.Lock()
	defer q.flush.Unlock()

	q.mu.Lock()
	due := q.unsaved(repeats)
	q.mu.Unlock()
	for part := range slices.Chunk(due, pendingInTx) {
		if err := db.writePending(ctx, part); err != nil {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.old = slices.DeleteFunc(q.old, func(n *pendingEntry) bool { return n.unsaved == 0 })
	if q.lost != nil && q.lost.unsaved == 0 {
		q.lost = nil
	}
	return nil
}

// writePending writes the entries in one transaction.
func (db *DB) writePending(ctx context.Context, list []*pendingEntry) error {
	q := &db.auditQueue
	entries := make([]hallpass.AuditEntry, len(list))
	q.mu.Lock()
	for i, n := range list {
		entries[i] = n.entry
		entries[i].Count = n.unsaved
	}
	q.mu.Unlock()
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
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, n := range list {
		n.entry.ID = ids[i]
		n.unsaved -= entries[i].Count
	}
	return nil
}
