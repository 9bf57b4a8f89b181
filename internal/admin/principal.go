package admin

import (
	"context"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Principals returns those of the members and service accounts of the caller's
// org that have one of the IDs. The caller must be allowed to read the members,
// the accounts or the members of a team.
func (a *Admin) Principals(ctx context.Context, c hallpass.Caller, ids []int64) (map[int64]hallpass.PrincipalInfo, error) {
	found := make(map[int64]hallpass.PrincipalInfo)
	if err := a.mayLookUpPrincipals(ctx, c); err != nil {
		return found, err
	}
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		for _, id := range ids {
			p, err := tx.Principal(c.Org, id)
			if hallpass.KindOf(err) == hallpass.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			found[id] = p
		}
		return nil
	})
	return found, err
}

// mayLookUpPrincipals returns nil if the caller may read the members, the accounts or
// the members of a team, and else records the refusal and returns it.
func (a *Admin) mayLookUpPrincipals(ctx context.Context, c hallpass.Caller) error {
	if c.Can(hallpass.ServiceAccountsRead, "") || c.Can(hallpass.TeamsPermissionsRead, "") {
		return nil
	}
	return a.Authorize(ctx, c, hallpass.OrgUsersRead, "")
}

// FindPrincipal returns the member or service account of the caller's org that
// ref names by ID, uid, login, e-mail or account name. The caller must be allowed
// to read the members, the accounts or the members of a team.
func (a *Admin) FindPrincipal(ctx context.Context, c hallpass.Caller, ref string) (p hallpass.PrincipalInfo, err error) {
	if err := a.mayLookUpPrincipals(ctx, c); err != nil {
		return p, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		p, err = a.anyPrincipal(tx, c.Org, strings.TrimSpace(ref))
		return err
	})
	return p, err
}

// anyPrincipal finds a member or service account of org by ID, uid or login,
// with or without the kind in front, as "user:ana" or "serviceaccount:7"; an
// account also by its name.
func (a *Admin) anyPrincipal(tx *store.Tx, org hallpass.OrgID, ref string) (hallpass.PrincipalInfo, error) {
	kind, rest, ok := strings.Cut(ref, ":")
	want := hallpass.Nobody
	switch {
	case ok && kind == "user":
		ref, want = rest, hallpass.UserPrincipal
	case ok && kind == "serviceaccount":
		ref, want = rest, hallpass.ServiceAccountPrincipal
	}
	if err := hallpass.ValidateText("principal", ref, 2*hallpass.MaxName); err != nil {
		return hallpass.PrincipalInfo{}, err
	}
	var p hallpass.PrincipalInfo
	id, number := hallpass.ParseID(ref)
	var err error
	if !number {
		if id, err = tx.PrincipalByUID(org, ref); hallpass.KindOf(err) == hallpass.NotFound {
			id, err = tx.PrincipalByLogin(org, ref)
		}
		if hallpass.KindOf(err) == hallpass.NotFound && want != hallpass.UserPrincipal { // an account is known by its name too
			id, err = tx.PrincipalByLogin(org, hallpass.ServiceAccountLogin(org, ref))
		}
	}
	if err == nil {
		p, err = tx.Principal(org, id)
	}
	if err == nil && want != hallpass.Nobody && p.Kind != want {
		err = errNoUser
	}
	return p, err
}

// callerOf returns the caller that the principal would be in org.
func callerOf(tx *store.Tx, org hallpass.OrgID, p hallpass.PrincipalInfo) (hallpass.Caller, error) {
	if p.Kind == hallpass.ServiceAccountPrincipal {
		account, err := tx.ServiceAccount(org, hallpass.ServiceAccountID(p.ID))
		if err != nil {
			return hallpass.Caller{}, err
		}
		return tx.ServiceAccountCaller(account)
	}
	u, err := tx.User(hallpass.UserID(p.ID))
	if err != nil {
		return hallpass.Caller{}, err
	}
	return tx.UserCaller(u, org)
}

// disabled reports whether the principal is.
func disabled(tx *store.Tx, org hallpass.OrgID, p hallpass.PrincipalInfo) (bool, error) {
	if p.Kind == hallpass.ServiceAccountPrincipal {
		account, err := tx.ServiceAccount(org, hallpass.ServiceAccountID(p.ID))
		return account.Disabled, err
	}
	u, err := tx.User(hallpass.UserID(p.ID))
	return u.Disabled, err
}

// principal returns the member or service account of the org that a path
// names by ID or uid; NotFound when there is none, Invalid when it is neither.
func (a *Admin) principal(tx *store.Tx, org hallpass.OrgID, ref string) (hallpass.PrincipalInfo, error) {
	id, ok := hallpass.ParseID(ref)
	if !ok {
		if !hallpass.ValidUID(ref) {
			return hallpass.PrincipalInfo{}, errParam("userID")
		}
		var err error
		if id, err = tx.PrincipalByUID(org, ref); err != nil {
			return hallpass.PrincipalInfo{}, err
		}
	}
	return tx.Principal(org, id)
}

// PrincipalID reads the ID of a user or service account from a path, which has an
// ID, of one that need not exist, or the uid of one of the caller's org. A uid that
// is unknown is NotFound, what is neither Invalid.
func (a *Admin) PrincipalID(ctx context.Context, c hallpass.Caller, ref string) (id int64, err error) {
	if n, ok := hallpass.ParseID(ref); ok {
		return n, nil
	}
	if !hallpass.ValidUID(ref) {
		return 0, errUserID
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		id, err = tx.PrincipalByUID(c.Org, ref)
		return err
	})
	return id, err
}

// principalChanged is the change of what one principal may do.
func principalChanged(p hallpass.Principal) hallpass.Change {
	kind := hallpass.UserChanged
	if p.Kind == hallpass.ServiceAccountPrincipal {
		kind = hallpass.ServiceAccountChanged
	}
	return hallpass.Change{Kind: kind, ID: p.ID}
}
