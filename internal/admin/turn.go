package admin

import (
	"context"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Turn is one change while it is made: the only one on however many nodes. It
// reads and writes through its Tx, in this order: first it reads and decides, then
// it declares the changes that others must hear of, then it writes, and Audit
// comes last.
type Turn struct {
	*store.Tx
	Caller hallpass.Caller // as the database has it now; no other caller counts
	Action string          // what the audit calls the change; the change may name it better

	admin   *Admin
	org     hallpass.OrgID // whose audit has the change; the caller's, unless the change makes an org or is about a user of another
	audited bool
	file    bool // a provisioning file makes the change, which nothing is locked for
}

// declare announces changes of authority: whoever remembers something about their
// subjects forgets it before the commit. A change that is declared after a write
// is an error.
func (t *Turn) declare(changes ...hallpass.Change) error {
	for _, c := range changes {
		if err := t.Change(c); err != nil {
			return err
		}
	}
	return nil
}

// Audit writes the audit entry of the change: what it was done to, and in detail
// what was done. A change of many things may write several. It is a Conflict if a
// provisioning file declares the thing and the change is one of what the file says.
func (t *Turn) Audit(noun, id, detail string) error {
	if err := t.unlocked(t.Action, noun+":"+id); err != nil {
		return err
	}
	if err := t.takenOver(noun + ":" + id); err != nil {
		return err
	}
	entry := t.admin.entry(t.Caller, t.Action, noun+":"+id)
	entry.Org, entry.Reason = t.org, detail
	_, err := t.Tx.Audit(entry)
	t.audited = err == nil
	return err
}

// errUnaudited says that a change left no audit entry: a fault of the program.
var errUnaudited = errors.New("admin: a change without an audit entry")

// change makes a change, all of it or nothing: it reads the caller anew,
// authorizes it, and lets fn make the change and write its audit entry. A refusal
// leaves nothing but its own audit entry. fn may run more than once.
func (a *Admin) change(ctx context.Context, c hallpass.Caller, n need, action string, fn func(*Turn) error) error {
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		now, err := a.reread(tx, c)
		if err != nil {
			return err
		}
		if err := n.authorize(now); err != nil {
			return err
		}
		t := &Turn{Tx: tx, Caller: now, Action: action, org: now.Org, admin: a}
		if err := fn(t); err != nil {
			return err
		}
		if !t.audited {
			return errUnaudited
		}
		return nil
	})
	return a.asked(ctx, c, n, err)
}

// changed is the change of the thing with that ID.
func changed[T ~int64](kind hallpass.ChangeKind, id T) hallpass.Change {
	return hallpass.Change{Kind: kind, ID: int64(id)}
}
