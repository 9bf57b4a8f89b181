package admin

import (
	"strconv"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// The delegation rule: nobody gives what they do not hold themselves, in any
// form. A role is a bundle of power, and is not changed, taken away or deleted
// either by who does not hold it. Anything else may be taken away by whoever has
// the permission for that: membership of a team or an org, access, a token, a
// sign-in. Power that is taken away makes nobody stronger.

// errNotHeld says that the caller does not hold what it would give.
func errNotHeld(p hallpass.Permission) *hallpass.Error {
	return &hallpass.Error{
		Kind: hallpass.Denied, ID: "accesscontrol.delegation", Needs: p.String(),
		Message: "You can only give permissions that you hold yourself. Permissions needed: " + p.String(),
	}
}

// mayGive returns nil if the caller holds everything in list, in the org it
// acts in. Access to folders and dashboards counts, and to the folders they are in.
// Whoever is a server admin may become Admin of any org, and so holds what an
// Admin does.
func (a *Admin) mayGive(tx *store.Tx, c hallpass.Caller, list []hallpass.Permission) error {
	var r *Reach
	for _, p := range list {
		if c.Permissions.Has(p) || c.ServerAdmin && hallpass.RoleAdmin.Permissions().Has(p) {
			continue
		}
		resource, id, ok := p.Scope.ResourceOf()
		if !ok || c.OrgMissing || !inTree(resource) {
			return errNotHeld(p)
		}
		if r == nil {
			loaded, err := a.reach(tx, c)
			if err != nil {
				return err
			}
			r = &loaded
		}
		scopes, err := treeScopes(tx, c.Org, resource, id)
		if err != nil {
			return err
		}
		if !r.Can(p.Action, scopes) {
			return errNotHeld(p)
		}
	}
	return nil
}

// mayGiveOnServer is mayGive for what would hold on the server and in every org.
func mayGiveOnServer(c hallpass.Caller, list []hallpass.Permission) error {
	ceiling := c.Server
	if c.ServerAdmin {
		ceiling = ceiling.With(hallpass.RoleAdmin.Permissions().List()...)
	}
	for _, p := range list {
		if !ceiling.Has(p) {
			return errNotHeld(p)
		}
	}
	return nil
}

// outranks returns nil if the caller holds everything the account does: its
// role, what its roles permit, and its access to folders and dashboards. A token with a
// ceiling never holds all of its own account's: the account may get more any time, and
// what the token makes there would get it too.
func (a *Admin) outranks(tx *store.Tx, c hallpass.Caller, account hallpass.ServiceAccount) error {
	power, err := tx.ServiceAccountCaller(account)
	if err != nil {
		return err
	}
	own := c.Ceiling() != nil && account.ID == c.ServiceAccount()
	if own || power.Role > c.Role || !c.Permissions.HasAll(power.Permissions) {
		return errRoleForbidden
	}
	grants, err := tx.TreeGrants(account.Org, int64(account.ID), account.Role)
	if err != nil {
		return err
	}
	return a.mayGiveAccess(tx, c, grants)
}

// mayGiveAccess returns nil if the caller holds what the grants permit. Of those to basic
// roles that is so for a caller of that role or a higher one, unless its token has a ceiling.
func (a *Admin) mayGiveAccess(tx *store.Tx, c hallpass.Caller, grants []hallpass.Grant) error {
	for _, g := range grants {
		if g.To.Kind == hallpass.ToBasicRole && c.Ceiling() == nil {
			continue
		}
		if err := a.mayGive(tx, c, g.Permissions()); err != nil {
			if hallpass.KindOf(err) == hallpass.Denied {
				return errRoleForbidden
			}
			return err
		}
	}
	return nil
}

// mayGiveRole returns nil if the caller may give the basic role to an account:
// it is not above the caller's own, and the caller holds what it permits. With
// toUser it is given to a user, for whom what the basic role has in every org
// holds on the server too.
func (a *Admin) mayGiveRole(tx *store.Tx, c hallpass.Caller, role hallpass.Role, toUser bool) error {
	if role > c.Role {
		return errRoleForbidden
	}
	sources, err := tx.RoleSources(c.Org, 0, role, true, false)
	if err != nil {
		return err
	}
	for _, s := range sources {
		for _, p := range s.Permissions {
			if !c.Permissions.Has(p) || toUser && s.Server && !c.Server.Has(p) {
				return errRoleForbidden
			}
		}
	}
	if c.Ceiling() == nil {
		return nil // what a basic role was given, a caller of that role or a higher one has too
	}
	grants, err := tx.TreeGrants(c.Org, 0, role)
	if err != nil {
		return err
	}
	return a.mayGiveAccess(tx, c, grants)
}

// overpowers returns nil if the caller holds everything the user does: only then
// may it take over the user's sign-in, or give it back. Compared are what the
// user holds on the server, in whatever org or in none, and then each org that
// has given the user anything, also what waits there for the user to become a
// member. Whether the user is disabled makes no difference.
func (a *Admin) overpowers(tx *store.Tx, c hallpass.Caller, u hallpass.User) error {
	if c.ServerAdmin || c.User() == u.ID {
		return nil
	}
	if u.ServerAdmin {
		return errServerAdminOnly
	}
	anywhere, err := tx.UserOutside(u)
	if err != nil {
		return err
	}
	if !c.Server.HasAll(anywhere.Server) {
		return errOverpowered
	}
	me, err := tx.User(c.User())
	if err != nil {
		return err
	}
	orgs, err := tx.OrgsHeldBy(u.ID)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := a.overpowersIn(tx, org, me, u); err != nil {
			return err
		}
	}
	return nil
}

func (a *Admin) overpowersIn(tx *store.Tx, org hallpass.OrgID, me, u hallpass.User) error {
	theirs, err := tx.UserInside(u, org)
	if err != nil {
		return err
	}
	mine, err := tx.UserCaller(me, org)
	if err != nil {
		return err
	}
	if theirs.Role > mine.Role || !mine.Permissions.HasAll(theirs.Permissions) || !mine.Server.HasAll(theirs.Server) {
		return errOverpowered
	}
	grants, err := tx.TreeGrants(org, int64(u.ID), hallpass.RoleNone)
	if err != nil {
		return err
	}
	for _, g := range grants {
		err := a.mayGive(tx, mine, g.Permissions())
		if hallpass.KindOf(err) == hallpass.Denied {
			err = errOverpowered // without naming what is in an org that may not be the caller's
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errOverpowered = &hallpass.Error{
	Kind: hallpass.Denied, ID: "accesscontrol.delegation",
	Message: "This user holds more than you do. Only somebody who holds all of it, or a server admin, may do this.",
}

var errServerAdminOnly = &hallpass.Error{Kind: hallpass.Denied, ID: "user.server-admin", Message: "Permission denied", Needs: "server admin"}

// permissionsChanged is the change of what roles or teams permit to everybody
// in the org; zero: in every org.
func permissionsChanged(org hallpass.OrgID) []hallpass.Change {
	return []hallpass.Change{{Kind: hallpass.PermissionsChanged, ID: int64(org)}}
}

func errParam(name string) *hallpass.Error {
	return &hallpass.Error{Kind: hallpass.Invalid, ID: "resourcePermissions.invalidParam", Message: "Param [" + name + "] is invalid"}
}

func idText[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }
