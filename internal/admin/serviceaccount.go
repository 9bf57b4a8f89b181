package admin

import (
	"context"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var (
	errRoleForbidden    = &hallpass.Error{Kind: hallpass.Denied, ID: "serviceaccounts.ErrRoleForbidden", Message: "can not assign a role higher than user's role"}
	errInvalidAccountID = &hallpass.Error{Kind: hallpass.Invalid, ID: "serviceaccounts.ErrInvalidId", Message: "invalid service account id specified"}
)

// ServiceAccountID reads an account's ID from a path, which has a decimal ID, of an
// account that need not exist, or the uid of an account of the caller's org. A uid
// that is unknown is NotFound, what is neither ID nor uid Invalid.
func (a *Admin) ServiceAccountID(ctx context.Context, c hallpass.Caller, ref string) (id hallpass.ServiceAccountID, err error) {
	if n, ok := hallpass.ParseID(ref); ok {
		return hallpass.ServiceAccountID(n), nil
	}
	if !hallpass.ValidUID(ref) {
		return 0, errInvalidAccountID
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		id, err = tx.ServiceAccountByUID(c.Org, ref)
		return err
	})
	return id, err
}

// A NewServiceAccount is what an account is created from. A nil Role means
// Viewer.
type NewServiceAccount struct {
	Name     string
	Role     *hallpass.Role
	Disabled bool
	Roles    []string // uids of the roles that it is given beside the basic one
	Owner    string   // who answers for it; empty: nobody is named
	Purpose  string
}

// CreateServiceAccount makes an account in the caller's org, with its roles: all
// of it or nothing. A role that the caller may not give is Denied, one that is
// not there Invalid, a login that exists already a Conflict. A human creator may
// manage the account from then on, whatever else changes.
func (a *Admin) CreateServiceAccount(ctx context.Context, c hallpass.Caller, in NewServiceAccount) (hallpass.ServiceAccount, error) {
	if err := hallpass.TidyName("name", &in.Name); err != nil {
		return hallpass.ServiceAccount{}, err
	}
	if err := hallpass.TidyOwner(&in.Owner, &in.Purpose); err != nil {
		return hallpass.ServiceAccount{}, err
	}
	now := a.now()
	account := hallpass.ServiceAccount{
		UID: secret.NewUID(), Org: c.Org, Name: in.Name, Login: hallpass.ServiceAccountLogin(c.Org, in.Name),
		Role: hallpass.RoleViewer, Disabled: in.Disabled, CreatedAt: now, UpdatedAt: now, CreatedBy: c.Principal.Login, Owner: in.Owner, Purpose: in.Purpose,
	}
	if in.Role != nil {
		account.Role = *in.Role
	}
	err := a.change(ctx, c, need{action: hallpass.ServiceAccountsCreate}, "serviceaccount.create", func(t *Turn) error {
		if err := a.mayGiveRole(t.Tx, t.Caller, account.Role, false); err != nil {
			return err
		}
		if err := t.mayOwn("", account.Owner); err != nil {
			return err
		}
		made, err := t.CreateServiceAccount(account)
		if err != nil {
			return err
		}
		if t.Caller.User() != 0 {
			creator := hallpass.Grant{
				Org: t.Caller.Org, Resource: hallpass.ServiceAccountResource, ResourceID: idText(made.ID),
				To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: t.Caller.Principal.ID}, Level: hallpass.LevelAdmin, CreatedAt: now,
			}
			if err := t.SetGrant(creator); err != nil {
				return err
			}
		}
		to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(made.ID)}
		for _, uid := range in.Roles {
			err := a.step(t, uid, assigning{org: t.Caller.Org, grantee: to})
			if hallpass.KindOf(err) == hallpass.NotFound {
				err = hallpass.Invalidf("roleUids", "there is no role with the uid %s", shorten(uid))
			}
			if err != nil {
				return err
			}
		}
		account = made
		return t.Audit("serviceaccount", idText(made.ID), strings.Join(append([]string{"role " + made.Role.String()}, in.Roles...), ", "))
	})
	return account, err
}

// A ServiceAccountFilter picks a page of accounts. Page counts from 1.
type ServiceAccountFilter struct {
	Query        string
	DisabledOnly bool
	ExpiredOnly  bool // only with a token that has expired
	Page         int
	PerPage      int
}

// ServiceAccounts returns a page of the accounts that the caller may read, by
// login, and how many there are on all pages.
func (a *Admin) ServiceAccounts(ctx context.Context, c hallpass.Caller, f ServiceAccountFilter) (page []hallpass.ServiceAccountSummary, total int, err error) {
	if err := a.Authorize(ctx, c, hallpass.ServiceAccountsRead, ""); err != nil {
		return nil, 0, err
	}
	q := store.ServiceAccountQuery{
		Org: c.Org, Text: f.Query, DisabledOnly: f.DisabledOnly, ExpiredOnly: f.ExpiredOnly, Now: a.now(),
		Among: readable(c), Limit: f.PerPage,
	}
	if f.Page > 1 {
		if f.Page-1 > (1<<31)/max(f.PerPage, 1) { // past any end, and no product overflows
			q.Offset = 1 << 31
		} else {
			q.Offset = (f.Page - 1) * f.PerPage
		}
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		page, total, err = accountPage(tx, q)
		return err
	})
	return page, total, err
}

// accountPage reads the accounts that q picks with what each was given.
func accountPage(tx *store.Tx, q store.ServiceAccountQuery) (page []hallpass.ServiceAccountSummary, total int, err error) {
	if page, total, err = tx.ServiceAccounts(q); err != nil {
		return nil, 0, err
	}
	return page, total, fillGiven(tx, q.Org, page)
}

// fillGiven fills in what each of the accounts was given.
func fillGiven(tx *store.Tx, org hallpass.OrgID, page []hallpass.ServiceAccountSummary) error {
	ids := make([]int64, len(page))
	for i, s := range page {
		ids[i] = int64(s.ID)
	}
	given, err := tx.Given(org, ids)
	for i := range page {
		page[i].Given = given[ids[i]]
	}
	return err
}

// readable lists the accounts that the caller's scopes name one by one; nil
// when they cover all.
func readable(c hallpass.Caller) []hallpass.ServiceAccountID {
	const each = "serviceaccounts:id:"
	ids := []hallpass.ServiceAccountID{}
	for _, s := range c.Permissions.Scopes(hallpass.ServiceAccountsRead) {
		if s.Covers(each + "*") {
			return nil
		}
		if n, ok := hallpass.ParseID(strings.TrimPrefix(string(s), each)); ok {
			ids = append(ids, hallpass.ServiceAccountID(n))
		}
	}
	return ids
}

// ServiceAccount returns the account with what its tokens add up to; NotFound
// when the caller's org has none with that ID.
func (a *Admin) ServiceAccount(ctx context.Context, c hallpass.Caller, id hallpass.ServiceAccountID) (s hallpass.ServiceAccountSummary, err error) {
	if err := a.Authorize(ctx, c, hallpass.ServiceAccountsRead, id.Scope()); err != nil {
		return s, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		s, err = a.summary(tx, c.Org, id)
		return err
	})
	return s, err
}

// summary reads the account with what its tokens add up to and what it was given.
func (a *Admin) summary(tx *store.Tx, org hallpass.OrgID, id hallpass.ServiceAccountID) (s hallpass.ServiceAccountSummary, err error) {
	if s, err = tx.ServiceAccountSummary(org, id, a.now()); err != nil {
		return s, err
	}
	given, err := tx.Given(org, []int64{int64(id)})
	s.Given = given[int64(id)]
	return s, err
}

// UpdateServiceAccount changes the account's name, role, owner, purpose or whether it
// is disabled, and returns what it is then. A role above the caller's own is
// Denied, and so is enabling an account that has one. Once it has returned, the
// tokens of a disabled account are refused.
func (a *Admin) UpdateServiceAccount(ctx context.Context, c hallpass.Caller, id hallpass.ServiceAccountID, p hallpass.ServiceAccountPatch) (hallpass.ServiceAccountSummary, error) {
	if p.Name != nil {
		if err := hallpass.TidyName("name", p.Name); err != nil {
			return hallpass.ServiceAccountSummary{}, err
		}
	}
	if err := hallpass.TidyOwner(p.Owner, p.Purpose); err != nil {
		return hallpass.ServiceAccountSummary{}, err
	}
	var after hallpass.ServiceAccountSummary
	err := a.change(ctx, c, need{action: hallpass.ServiceAccountsWrite, scope: id.Scope()}, "serviceaccount.update", func(t *Turn) error {
		account, err := t.ServiceAccount(t.Caller.Org, id)
		if err != nil {
			return err
		}
		before := account
		apply(p, &account)
		if err := t.mayOwn(before.Owner, account.Owner); err != nil {
			return err
		}
		if p.Role != nil {
			if err := a.mayGiveRole(t.Tx, t.Caller, account.Role, false); err != nil {
				return err
			}
		}
		if before.Disabled && !account.Disabled {
			if err := a.outranks(t.Tx, t.Caller, account); err != nil {
				return err
			}
		}
		account.UpdatedAt = a.now()
		if err := t.declare(changed(hallpass.ServiceAccountChanged, id)); err != nil {
			return err
		}
		if err := t.UpdateServiceAccount(account); err != nil {
			return err
		}
		if after, err = a.summary(t.Tx, t.Caller.Org, id); err != nil {
			return err
		}
		var what string
		if t.Action, what = describe(before, account); what != "" {
			if err := t.unlocked("serviceaccount.update", target("serviceaccount", int64(id))); err != nil {
				return err
			}
		}
		return t.Audit("serviceaccount", idText(id), what)
	})
	return after, err
}

func apply(p hallpass.ServiceAccountPatch, a *hallpass.ServiceAccount) {
	if p.Name != nil {
		a.Name = *p.Name
	}
	if p.Role != nil {
		a.Role = *p.Role
	}
	if p.Disabled != nil {
		a.Disabled = *p.Disabled
	}
	if p.Owner != nil {
		a.Owner = *p.Owner
	}
	if p.Purpose != nil {
		a.Purpose = *p.Purpose
	}
}

// describe returns the audit's action and words for an update.
func describe(before, after hallpass.ServiceAccount) (action, what string) {
	action = "serviceaccount.update"
	var parts []string
	if before.Name != after.Name {
		parts = append(parts, "name "+after.Name)
	}
	if before.Role != after.Role {
		parts = append(parts, "role "+before.Role.String()+" to "+after.Role.String())
	}
	if before.Owner != after.Owner {
		parts = append(parts, "owner "+after.Owner)
	}
	if before.Purpose != after.Purpose {
		parts = append(parts, "purpose")
	}
	if before.Disabled != after.Disabled {
		action = "serviceaccount.enable"
		if after.Disabled {
			action = "serviceaccount.disable"
		}
	}
	return action, strings.Join(parts, ", ")
}

// DeleteServiceAccount removes the account with its tokens and permissions for
// good. Once it has returned, the tokens are refused.
func (a *Admin) DeleteServiceAccount(ctx context.Context, c hallpass.Caller, id hallpass.ServiceAccountID) error {
	return a.change(ctx, c, need{action: hallpass.ServiceAccountsDelete, scope: id.Scope()}, "serviceaccount.delete", func(t *Turn) error {
		s, err := t.ServiceAccountSummary(t.Caller.Org, id, a.now())
		if err != nil {
			return err
		}
		if err := t.declare(changed(hallpass.ServiceAccountChanged, id)); err != nil {
			return err
		}
		if err := t.DeleteServiceAccount(t.Caller.Org, id); err != nil {
			return err
		}
		return t.Audit("serviceaccount", idText(id), "login "+s.Login)
	})
}
