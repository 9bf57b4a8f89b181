package admin

import (
	"context"
	"sync"

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
	begun := a.orgs.coherence.Begin()
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		o, err = tx.Org(c.Org)
		return err
	})
	if err == nil {
		a.orgs.coherence.Keep(begun, func() { a.orgs.rows.Store(o.ID, o) })
	}
	return o, err
}

// orgs keeps the orgs that were asked for, because GET /api/org is how every
// script proves its token.
type orgs struct {
	rows      sync.Map // hallpass.OrgID → hallpass.Org
	coherence store.Coherence
}

func (o *orgs) get(id hallpass.OrgID) (hallpass.Org, bool) {
	row, ok := o.rows.Load(id)
	if !ok {
		return hallpass.Org{}, false
	}
	return row.(hallpass.Org), true
}

// forget drops the orgs that a change reaches.
func (o *orgs) forget(r hallpass.Reach) {
	switch {
	case r.Everybody:
		o.rows.Clear()
	case r.Org != 0:
		o.rows.Delete(r.Org)
	}
}

// RenameOrg gives the caller's org another name. One that another org has is a
// Conflict.
func (a *Admin) RenameOrg(ctx context.Context, c hallpass.Caller, name string) error {
	if err := hallpass.TidyName("name", &name); err != nil {
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
	return a.change(ctx, c, need{action: hallpass.OrgsWrite}, "org.update", func(t *Turn) error {
		o, err := t.Org(t.Caller.Org)
		if err != nil {
			return err
		}
		what := set(&o)
		o.UpdatedAt = a.now()
		if err := t.declare(changed(hallpass.OrgChanged, o.ID)); err != nil {
			return err
		}
		if err := t.UpdateOrg(o); err != nil {
			return err
		}
		return t.Audit("org", idText(o.ID), what)
	})
}

// In returns the caller as it is in another org: a user with what the user has
// there. An org that the caller has no part in is NotFound, as one that does
// not exist.
func (a *Admin) In(ctx context.Context, c hallpass.Caller, org hallpass.OrgID) (hallpass.Caller, error) {
	if c.User() == 0 {
		if c.Org != org {
			return c, errOrgNotFound
		}
		return c, nil
	}
	there := c
	if c.Org != org {
		err := a.db.Read(ctx, func(tx *store.Tx) error {
			u, err := tx.User(c.User())
			if err == nil {
				there, err = tx.UserCaller(u, org)
			}
			return err
		})
		if err != nil {
			return c, err
		}
		there.Token, there.Session, there.From = c.Token, c.Session, c.From
	}
	if there.OrgMissing && there.Server == nil {
		return c, errOrgNotFound
	}
	return there, nil
}

var errOrgNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "org.not-found", Message: "Organization not found"}

// OrgByName returns the caller as it is in the org with that name, as In does.
func (a *Admin) OrgByName(ctx context.Context, c hallpass.Caller, name string) (hallpass.Caller, error) {
	var o hallpass.Org
	err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
		o, err = tx.OrgByName(name)
		return err
	})
	if err != nil {
		return c, err
	}
	return a.In(ctx, c, o.ID)
}

// A Page picks a page of a list. Number counts from 1, Size is at least 1.
type Page struct{ Number, Size int }

// limits returns the page as the database wants it. A page beyond any end is
// empty, and no product overflows.
func (p Page) limits() (limit, offset int) {
	if p.Number <= 1 {
		return p.Size, 0
	}
	if p.Number-1 > (1<<31)/max(p.Size, 1) {
		return p.Size, 1 << 31
	}
	return p.Size, (p.Number - 1) * p.Size
}

// SlicePage returns the page of a list that is in memory.
func SlicePage[T any](list []T, p Page) []T {
	limit, offset := p.limits()
	offset = min(offset, len(list))
	return list[offset:min(offset+limit, len(list))]
}

// Orgs returns a page of the server's orgs whose name holds text.
func (a *Admin) Orgs(ctx context.Context, c hallpass.Caller, text string, p Page) (list []hallpass.Org, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgsRead, where: onServer}, func(tx *store.Tx) error {
		limit, offset := p.limits()
		list, err = tx.Orgs(text, limit, offset)
		return err
	})
	return list, err
}

// OrgSummaries is Orgs with how much is in each, read with one statement. Whoever may read
// the orgs of the server and not their quotas gets no numbers.
func (a *Admin) OrgSummaries(ctx context.Context, c hallpass.Caller, text string, p Page) (list []hallpass.OrgSummary, counted bool, err error) {
	counted = c.CanOnServer(hallpass.OrgsQuotasRead, "")
	err = a.read(ctx, c, need{action: hallpass.OrgsRead, where: onServer}, func(tx *store.Tx) error {
		limit, offset := p.limits()
		list, err = tx.OrgSummaries(text, 0, a.now(), limit, offset)
		return err
	})
	if !counted {
		for i, s := range list {
			list[i] = hallpass.OrgSummary{Org: s.Org}
		}
	}
	return list, counted, err
}

// OrgSummary returns one org of the server; NotFound when there is none. counted is as for
// OrgSummaries.
func (a *Admin) OrgSummary(ctx context.Context, c hallpass.Caller, id hallpass.OrgID) (s hallpass.OrgSummary, counted bool, err error) {
	counted = c.CanOnServer(hallpass.OrgsQuotasRead, "")
	err = a.read(ctx, c, need{action: hallpass.OrgsRead, where: onServer}, func(tx *store.Tx) error {
		list, err := tx.OrgSummaries("", id, a.now(), 1, 0)
		if err == nil && (len(list) == 0 || id == 0) {
			err = errOrgNotFound
		}
		if err != nil {
			return err
		}
		if s = list[0]; !counted {
			s = hallpass.OrgSummary{Org: s.Org}
		}
		return nil
	})
	return s, counted, err
}

// CreateOrg makes an org with the user who calls as its Admin. A name that is
// taken is a Conflict. What basic roles have in every org holds on the server
// too: the caller must hold it there already.
func (a *Admin) CreateOrg(ctx context.Context, c hallpass.Caller, name string) (o hallpass.Org, err error) {
	if err := hallpass.TidyName("name", &name); err != nil {
		return o, err
	}
	now := a.now()
	err = a.change(ctx, c, need{action: hallpass.OrgsCreate, where: onServer, users: true}, "org.create", func(t *Turn) error {
		o, err = t.CreateOrg(hallpass.Org{Name: name, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return err
		}
		u, err := t.User(t.Caller.User())
		if err != nil {
			return err
		}
		sources, err := t.RoleSources(o.ID, 0, hallpass.RoleAdmin, true, false)
		if err != nil {
			return err
		}
		for _, s := range sources {
			if !s.Server {
				continue
			}
			if err := mayGiveOnServer(t.Caller, s.Permissions); err != nil {
				return err
			}
		}
		if err := t.SetMember(hallpass.Member{Org: o.ID, User: u, Role: hallpass.RoleAdmin, JoinedAt: now}); err != nil {
			return err
		}
		if u.Org == 0 {
			u.Org = o.ID
			if err := t.UpdateUser(u); err != nil {
				return err
			}
		}
		t.org = o.ID
		return t.Audit("org", idText(o.ID), "name "+o.Name)
	})
	return o, err
}

// DeleteOrg removes the org that c acts in with everything inside. Once it has
// returned, the org's accounts and tokens are refused. The org that the user works
// in cannot be deleted. One that has a guard of the configuration file, or anything that a
// provisioning file declares, is a Conflict: with that file no server would start again.
func (a *Admin) DeleteOrg(ctx context.Context, c hallpass.Caller) error {
	return a.change(ctx, c, need{action: hallpass.OrgsDelete, users: true}, "org.delete", func(t *Turn) error {
		u, err := t.User(t.Caller.User())
		if err != nil {
			return err
		}
		if u.Org == t.Caller.Org {
			return errOwnOrg
		}
		o, err := t.Org(t.Caller.Org)
		if hallpass.KindOf(err) == hallpass.NotFound {
			return errNoOrgToDelete
		}
		if err != nil {
			return err
		}
		if err := unmanaged(t.Tx, o.ID); err != nil {
			return err
		}
		if err := noFiles(t.Tx, o.ID); err != nil {
			return err
		}
		if err := t.declare(append(permissionsChanged(o.ID), changed(hallpass.OrgChanged, o.ID))...); err != nil {
			return err
		}
		if err := t.DeleteOrg(t.Caller.Org); err != nil {
			return err
		}
		return t.Audit("org", idText(o.ID), "name "+o.Name)
	})
}

var (
	errOwnOrg        = &hallpass.Error{Kind: hallpass.Invalid, ID: "org.current", Message: "Can not delete org for current user"}
	errNoOrgToDelete = &hallpass.Error{Kind: hallpass.NotFound, ID: "org.not-found", Message: "Failed to delete organization. ID not found"}
)

// Quotas returns how much of what is countable the org that c acts in holds.
// Nothing is limited.
func (a *Admin) Quotas(ctx context.Context, c hallpass.Caller) (used map[string]int64, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgsQuotasRead}, func(tx *store.Tx) error {
		if _, err := tx.Org(c.Org); err != nil {
			return err
		}
		used, err = tx.Usage(c.Org)
		return err
	})
	return used, err
}
