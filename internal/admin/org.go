package admin

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Org returns the caller's org; NotFound when it is gone.
func (a *Admin) Org(ctx context.Context, c hallpass.Caller) (o hallpass.Org, err error) {
	if err := a.Authorize(ctx, c, hallpass.OrgsRead, ""); err != nil {
		return o, err
	}
	if o, ok := a.orgs.get(c.Org); ok {
		return o, nil
	}
	epoch := a.orgs.epoch.Load()
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		o, err = tx.Org(ctx, c.Org)
		return err
	})
	if err == nil {
		a.orgs.put(epoch, o)
	}
	return o, err
}

// orgs keeps the orgs that were asked for, because GET /api/org is how every
// script proves its token. What is announced to change is forgotten before it
// does and not kept again until that is settled.
type orgs struct {
	rows  sync.Map // hallpass.OrgID → hallpass.Org
	epoch atomic.Uint64

	mu     sync.Mutex
	coming int // changes announced and not settled; guarded by mu
}

func (o *orgs) get(id hallpass.OrgID) (hallpass.Org, bool) {
	row, ok := o.rows.Load(id)
	if !ok {
		return hallpass.Org{}, false
	}
	return row.(hallpass.Org), true
}

// put keeps an org that was read after epoch was noted, unless a change was
// announced since.
func (o *orgs) put(epoch uint64, row hallpass.Org) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.coming == 0 && o.epoch.Load() == epoch {
		o.rows.Store(row.ID, row)
	}
}

func (o *orgs) changed(n store.Notice) {
	for _, c := range n.Changes {
		if c.Kind != hallpass.OrgChanged {
			continue
		}
		o.mu.Lock()
		if n.Phase == store.Coming {
			o.coming++
		} else {
			o.coming--
		}
		o.epoch.Add(1)
		o.rows.Delete(hallpass.OrgID(c.ID))
		o.mu.Unlock()
	}
}

// RenameOrg gives the caller's org another name. One that another org has is a
// Conflict.
func (a *Admin) RenameOrg(ctx context.Context, c hallpass.Caller, name string) error {
	if err := hallpass.ValidateName("name", name); err != nil {
		return err
	}
	return a.updateOrg(ctx, c, func(o *hallpass.Org) string {
		o.Name = name
		return "name " + name
	})
}

// SetOrgAddress gives the caller's org another address.
func (a *Admin) SetOrgAddress(ctx context.Context, c hallpass.Caller, address hallpass.Address) error {
	for _, part := range []struct{ field, text string }{
		{"address1", address.Address1},
		{"address2", address.Address2},
		{"city", address.City},
		{"zipcode", address.ZipCode},
		{"state", address.State},
		{"country", address.Country},
	} {
		if err := hallpass.ValidateText(part.field, part.text, hallpass.MaxName); err != nil {
			return err
		}
	}
	return a.updateOrg(ctx, c, func(o *hallpass.Org) string {
		o.Address = address
		return "address"
	})
}

func (a *Admin) updateOrg(ctx context.Context, c hallpass.Caller, set func(*hallpass.Org) string) error {
	changed := []hallpass.Change{{Kind: hallpass.OrgChanged, ID: int64(c.Org)}}
	return a.change(ctx, c, need{action: hallpass.OrgsWrite}, changed, func(tx *store.Tx, c hallpass.Caller) (hallpass.AuditEntry, error) {
		o, err := tx.Org(ctx, c.Org)
		if err != nil {
			return hallpass.AuditEntry{}, err
		}
		what := set(&o)
		o.UpdatedAt = a.now()
		if err := tx.UpdateOrg(ctx, o); err != nil {
			return hallpass.AuditEntry{}, err
		}
		entry := a.entry(c, "org.update", target("org", int64(o.ID)))
		entry.Reason = what
		return entry, nil
	})
}

// OrgUsers returns the members of the caller's org that it may see, by login:
// those whose login, e-mail or name holds query. Limit 0 means all.
func (a *Admin) OrgUsers(ctx context.Context, c hallpass.Caller, query string, limit int) (members []hallpass.Member, err error) {
	if err := a.Authorize(ctx, c, hallpass.OrgUsersRead, ""); err != nil {
		return nil, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		members, err = tx.Members(ctx, c.Org, query, limit)
		return err
	})
	visible := members[:0]
	for _, m := range members {
		if c.Can(hallpass.OrgUsersRead, hallpass.Scope(target("users:id", int64(m.User.ID)))) {
			visible = append(visible, m)
		}
	}
	return visible, err
}
