package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Audit returns a page of the entries that f picks, newest first. An admin sees
// the own org; a server admin every org, or the one that f names. An action
// that is unknown, and has no entry, is Invalid.
func (a *Admin) Audit(ctx context.Context, c hallpass.Caller, f hallpass.AuditFilter) (page hallpass.AuditPage, err error) {
	if err := a.Authorize(ctx, c, hallpass.AuditRead, ""); err != nil {
		return page, err
	}
	if !c.ServerAdmin {
		if f.Org != 0 && f.Org != c.Org {
			return page, a.refused(ctx, c, errOtherOrg, string(hallpass.AuditRead), target("org", int64(f.Org)))
		}
		f.Org = c.Org
	}
	if err := a.db.FlushAudit(ctx); err != nil { // so that the list has what has just happened
		return page, err
	}
	if err := a.auditAction(ctx, f.Action); err != nil {
		return page, err
	}
	return a.db.Audit(ctx, f)
}

// AuditEntry returns the entry. It is NotFound when there is none, and when it is of another
// org than an admin's own.
func (a *Admin) AuditEntry(ctx context.Context, c hallpass.Caller, id hallpass.AuditID) (e hallpass.AuditEntry, err error) {
	if err := a.Authorize(ctx, c, hallpass.AuditRead, ""); err != nil {
		return e, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		e, err = tx.AuditEntry(id)
		if err == nil && !c.ServerAdmin && e.Org != c.Org {
			err = store.ErrNoAuditEntry
		}
		return err
	})
	return e, err
}

// AuditSeen returns which actions and logins the newest entries have that the caller may
// read, in their order.
func (a *Admin) AuditSeen(ctx context.Context, c hallpass.Caller) (actions, logins []string, err error) {
	if err := a.Authorize(ctx, c, hallpass.AuditRead, ""); err != nil {
		return nil, nil, err
	}
	org := c.Org
	if c.ServerAdmin {
		org = 0
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		actions, logins, err = tx.AuditSeen(org)
		return err
	})
	return actions, logins, err
}

// AuditChain returns a reader of the audit's chain, and seal, which leaves of a link only its
// digests unless f picks its entry. The chain goes through all orgs, so it is Denied to all
// but server admins. An action that is unknown, and has no entry, is Invalid.
func (a *Admin) AuditChain(ctx context.Context, c hallpass.Caller, f hallpass.AuditFilter) (r *store.AuditReader, seal func(hallpass.AuditLink) hallpass.AuditLink, err error) {
	if err := a.mayProve(ctx, c); err != nil {
		return nil, nil, err
	}
	if err := a.db.FlushAudit(ctx); err != nil {
		return nil, nil, err
	}
	if err := a.auditAction(ctx, f.Action); err != nil {
		return nil, nil, err
	}
	r, err = a.db.ReadAudit(ctx)
	return r, func(l hallpass.AuditLink) hallpass.AuditLink {
		if l.Kind != hallpass.EntryLink || l.Prunes() || f.Picks(l.Entry) {
			return l
		}
		return l.Seal()
	}, err
}

// mayProve returns an error unless c may read the audit of every org.
func (a *Admin) mayProve(ctx context.Context, c hallpass.Caller) error {
	if err := a.Authorize(ctx, c, hallpass.AuditRead, ""); err != nil {
		return err
	}
	if !c.ServerAdmin {
		return a.refused(ctx, c, errWholeAudit, string(hallpass.AuditRead), "audit")
	}
	return nil
}

var errWholeAudit = &hallpass.Error{
	Kind: hallpass.Denied, ID: "accesscontrol.Denied", Message: "The chain of the audit goes through all orgs: only server admins may read it", Needs: string(hallpass.AuditRead),
}

var errOtherOrg = &hallpass.Error{
	Kind: hallpass.Denied, ID: "accesscontrol.Denied", Message: "The audit of other orgs is for server admins", Needs: string(hallpass.AuditRead),
}

// auditAction returns an error, naming the nearest, when an entry of the action
// can never have been written. An API behind the guard demands permissions of
// its own: what looks like one, and like no slip in ours, may be one.
func (a *Admin) auditAction(ctx context.Context, action string) error {
	if action == "" || hallpass.AuditAction(action) {
		return nil
	}
	nearest, edits := hallpass.NearestAuditAction(action)
	if hallpass.Action(action).Valid() && edits > aSlip {
		return nil
	}
	return a.db.Read(ctx, func(tx *store.Tx) error {
		has, err := tx.AuditHas(action) // another version's
		if err != nil || has {
			return err
		}
		return hallpass.Invalidf("action", "the audit has no such action: did you mean %s?", nearest)
	})
}

// aSlip is how many wrong letters a slip has at most.
const aSlip = 3
