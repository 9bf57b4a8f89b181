package admin

import (
	"context"
	"maps"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// RoleAssignments is who was given a role in an org.
type RoleAssignments struct {
	Users           []hallpass.PrincipalInfo
	ServiceAccounts []hallpass.PrincipalInfo
	Teams           []hallpass.Team
	BasicRoles      []hallpass.Role
}

// RoleAssignments returns who was given the role in the caller's org.
func (a *Admin) RoleAssignments(ctx context.Context, c hallpass.Caller, uid string) (out RoleAssignments, err error) {
	err = a.read(ctx, c, need{action: hallpass.UsersRolesRead}, func(tx *store.Tx) error {
		if err := c.Authorize(hallpass.TeamsRolesRead, ""); err != nil {
			return err
		}
		r, err := tx.Role(c.Org, uid)
		if err != nil {
			return err
		}
		list, err := tx.AssignmentsOf(c.Org, r)
		if err != nil {
			return err
		}
		return out.load(tx, c.Org, list)
	})
	return out, err
}

func (out *RoleAssignments) load(tx *store.Tx, org hallpass.OrgID, list []store.Assignment) error {
	var ids []int64
	for _, as := range list {
		if as.To.Kind == hallpass.ToPrincipal {
			ids = append(ids, as.To.ID)
		}
	}
	principals, err := tx.PrincipalsByID(ids)
	if err != nil {
		return err
	}
	for _, as := range list {
		switch as.To.Kind {
		case hallpass.ToBasicRole:
			out.BasicRoles = append(out.BasicRoles, hallpass.Role(as.To.ID))
		case hallpass.ToTeam:
			t, err := tx.Team(org, hallpass.TeamID(as.To.ID))
			if err != nil {
				return err
			}
			out.Teams = append(out.Teams, t)
		case hallpass.ToPrincipal:
			if p, ok := principals[as.To.ID]; ok && p.Kind == hallpass.ServiceAccountPrincipal {
				out.ServiceAccounts = append(out.ServiceAccounts, p)
			} else if ok {
				out.Users = append(out.Users, p)
			}
		}
	}
	return nil
}

// assigning is what a change of who has a role touches.
type assigning struct {
	role    hallpass.NamedRole
	org     hallpass.OrgID // where it holds; zero: on the server and in every org
	grantee hallpass.Grantee
	remove  bool
}

// action is the permission that the step demands.
func (s assigning) action() hallpass.Action {
	switch {
	case s.grantee.Kind == hallpass.ToTeam && s.remove:
		return hallpass.TeamsRolesRemove
	case s.grantee.Kind == hallpass.ToTeam:
		return hallpass.TeamsRolesAdd
	case s.remove:
		return hallpass.UsersRolesRemove
	}
	return hallpass.UsersRolesAdd
}

// assign carries out one step, within the delegation rule, and reports whether
// it changed anything.
func (a *Admin) assign(t *Turn, s assigning) (bool, error) {
	n := roleNeed(s.action(), s.org == 0)
	if err := n.authorize(t.Caller); err != nil {
		return false, err
	}
	if s.role.Basic() {
		return false, errBasicRole
	}
	if err := t.granteeUnlocked(s.grantee); err != nil {
		return false, err
	}
	if err := a.mayGiveRolePermissions(t.Tx, t.Caller, s.org == 0, s.role.Permissions); err != nil {
		return false, err
	}
	as := store.Assignment{Org: s.org, To: s.grantee, RoleOrg: s.role.Org, RoleUID: s.role.UID}
	if s.remove {
		return t.Unassign(as)
	}
	if err := a.granteeThere(t.Tx, t.Caller, s.grantee); err != nil {
		return false, err
	}
	had, err := t.Assign(as, a.now())
	return !had, err
}

// granteeThere returns NotFound unless the caller may give roles to the grantee.
func (a *Admin) granteeThere(tx *store.Tx, c hallpass.Caller, g hallpass.Grantee) error {
	var err error
	switch g.Kind {
	case hallpass.ToPrincipal:
		_, err = a.taker(tx, c, idText(g.ID))
	case hallpass.ToTeam:
		_, err = tx.Team(c.Org, hallpass.TeamID(g.ID))
	case hallpass.ToBasicRole:
	}
	return err
}

// taker finds by ID or uid whom the caller may give roles to in its org: a member
// or service account or, for a server admin, any user of the server. The role of
// one who is not a member permits nothing until they become one.
func (a *Admin) taker(tx *store.Tx, c hallpass.Caller, ref string) (hallpass.PrincipalInfo, error) {
	p, err := a.principal(tx, c.Org, ref)
	if hallpass.KindOf(err) != hallpass.NotFound {
		return p, err
	}
	if !c.ServerAdmin {
		return p, errNotMember
	}
	if _, err := tx.Org(c.Org); err != nil {
		return p, err
	}
	id, number := hallpass.ParseID(ref)
	if !number {
		u, err := tx.UserByUID(ref)
		if err != nil {
			return p, err
		}
		id = int64(u.ID)
	}
	found, err := tx.PrincipalsByID([]int64{id})
	if err == nil && found[id].Kind != hallpass.UserPrincipal {
		err = errNoUser
	}
	return found[id], err
}

// errNotMember says the same of a user of another org and of one who does not
// exist.
var errNotMember = &hallpass.Error{
	Kind: hallpass.NotFound, ID: "user.not-found",
	Message: "User not found: not a member of this organization. Only a server admin can give a role to a user before the user is a member.",
}

// granteeChanged is the change that a step is to those who read permissions.
func granteeChanged(org hallpass.OrgID, g hallpass.Grantee) []hallpass.Change {
	if g.Kind == hallpass.ToPrincipal {
		return []hallpass.Change{{Kind: hallpass.ServiceAccountChanged, ID: g.ID}, {Kind: hallpass.UserChanged, ID: g.ID}}
	}
	return permissionsChanged(org)
}

// SetRoleAssignments gives the role to exactly these in the caller's org; whom
// basic roles and every org give it to stays.
func (a *Admin) SetRoleAssignments(ctx context.Context, c hallpass.Caller, uid string, users, accounts, teams []int64) error {
	wanted := wantedGrantees(users, accounts, teams)
	n := need{action: hallpass.UsersRolesAdd, scope: hallpass.ScopeDelegate}
	return a.change(ctx, c, n, "role.assignments.set", func(t *Turn) error {
		r, err := t.Role(t.Caller.Org, uid)
		if err != nil {
			return err
		}
		now, err := t.AssignmentsOf(t.Caller.Org, r)
		if err != nil {
			return err
		}
		if err := t.declare(permissionsChanged(t.Caller.Org)...); err != nil {
			return err
		}
		had := make(map[hallpass.Grantee]bool)
		for _, as := range now {
			had[as.To] = true
			if _, keep := wanted[as.To]; keep || as.To.Kind == hallpass.ToBasicRole {
				continue
			}
			if _, err := a.assign(t, assigning{r, t.Caller.Org, as.To, true}); err != nil {
				return err
			}
		}
		for _, g := range slices.SortedFunc(maps.Keys(wanted), func(a, b hallpass.Grantee) int { return int(a.ID - b.ID) }) {
			if had[g] {
				continue
			}
			if kind := wanted[g]; kind != hallpass.Nobody {
				if p, err := t.Principal(t.Caller.Org, g.ID); err != nil || p.Kind != kind {
					return errNoAccount
				}
			}
			if _, err := a.assign(t, assigning{r, t.Caller.Org, g, false}); err != nil {
				return err
			}
		}
		return t.Audit("role", uid, "")
	})
}

// wantedGrantees returns who is to have a role; of a principal that must be of one
// kind, which.
func wantedGrantees(users, accounts, teams []int64) map[hallpass.Grantee]hallpass.PrincipalKind {
	wanted := make(map[hallpass.Grantee]hallpass.PrincipalKind)
	for _, id := range users {
		wanted[hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: id}] = hallpass.Nobody // either kind
	}
	for _, id := range accounts {
		wanted[hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: id}] = hallpass.ServiceAccountPrincipal
	}
	for _, id := range teams {
		wanted[hallpass.Grantee{Kind: hallpass.ToTeam, ID: id}] = hallpass.Nobody
	}
	return wanted
}

var errNoAccount = &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrNotFound", Message: "service account not found"}

// AssignRole gives the role to somebody in the caller's org, or a user on the
// server and in every org. Having it already is no error.
func (a *Admin) AssignRole(ctx context.Context, c hallpass.Caller, uid string, to hallpass.Grantee, global bool) error {
	return a.assignOne(ctx, c, uid, to, global, false)
}

// UnassignRole takes the role away; NotFound when it was not given.
func (a *Admin) UnassignRole(ctx context.Context, c hallpass.Caller, uid string, from hallpass.Grantee, global bool) error {
	return a.assignOne(ctx, c, uid, from, global, true)
}

var errGlobalUsersOnly = &hallpass.Error{Kind: hallpass.Invalid, ID: "accesscontrol.global-users-only", Field: "global", Message: "Only users and basic roles can be given a role in every organization"}

func (a *Admin) assignOne(ctx context.Context, c hallpass.Caller, uid string, g hallpass.Grantee, global, remove bool) error {
	org, action := c.Org, "role.assign"
	if global {
		org = 0
	}
	if remove {
		action = "role.unassign"
	}
	step := assigning{org: org, grantee: g, remove: remove}
	return a.change(ctx, c, roleNeed(step.action(), global), action, func(t *Turn) error {
		var err error
		if step.role, err = t.Role(t.Caller.Org, uid); err != nil {
			return err
		}
		if err := a.checkGlobal(t, step); err != nil {
			return err
		}
		if err := t.declare(granteeChanged(org, g)...); err != nil {
			return err
		}
		did, err := a.assign(t, step)
		if err == nil && remove && !did {
			err = errNotAssigned
		}
		if err != nil {
			return err
		}
		return t.Audit("role", uid, granteeText(g))
	})
}

// checkGlobal reports what cannot be given in every org: a role of one org, and
// anything to a team or service account.
func (a *Admin) checkGlobal(t *Turn, s assigning) error {
	if s.org != 0 || s.remove {
		return nil
	}
	if !s.role.Global() || s.grantee.Kind == hallpass.ToTeam {
		return errGlobalUsersOnly
	}
	if s.grantee.Kind == hallpass.ToPrincipal {
		p, err := a.taker(t.Tx, t.Caller, idText(s.grantee.ID))
		if err != nil {
			return err
		}
		if p.Kind != hallpass.UserPrincipal {
			return errGlobalUsersOnly
		}
	}
	return nil
}

var errNotAssigned = &hallpass.Error{Kind: hallpass.NotFound, ID: "accesscontrol.role-not-assigned", Message: "The role is not assigned"}

func granteeText(g hallpass.Grantee) string {
	if g.Kind == hallpass.ToBasicRole {
		return "to basic role " + hallpass.Role(g.ID).String()
	}
	return "to " + string(g.Kind) + ":" + idText(g.ID)
}

// SetRoles gives somebody exactly the roles with those uids, in the caller's org
// or, global, in every one.
func (a *Admin) SetRoles(ctx context.Context, c hallpass.Caller, to hallpass.Grantee, uids []string, global bool) error {
	org := c.Org
	if global {
		org = 0
	}
	n := roleNeed(assigning{grantee: to}.action(), global)
	return a.change(ctx, c, n, "roles.set", func(t *Turn) error {
		if err := a.granteeThere(t.Tx, t.Caller, to); err != nil {
			return err
		}
		now, err := t.AssignmentsTo(org, to)
		if err != nil {
			return err
		}
		if err := t.declare(granteeChanged(org, to)...); err != nil {
			return err
		}
		had := make(map[string]bool)
		for _, as := range now {
			had[as.RoleUID] = true
			if slices.Contains(uids, as.RoleUID) {
				continue
			}
			if err := a.step(t, as.RoleUID, assigning{org: org, grantee: to, remove: true}); err != nil {
				return err
			}
		}
		for _, uid := range uids {
			if had[uid] {
				continue
			}
			if err := a.step(t, uid, assigning{org: org, grantee: to}); err != nil {
				return err
			}
		}
		return t.Audit(string(to.Kind), idText(to.ID), "")
	})
}

// step carries out one step about the role with that uid.
func (a *Admin) step(t *Turn, uid string, s assigning) (err error) {
	if s.role, err = t.Role(t.Caller.Org, uid); err != nil {
		return err
	}
	if err := a.checkGlobal(t, s); err != nil {
		return err
	}
	_, err = a.assign(t, s)
	return err
}

// RolesOf returns the roles that a user or service account of the caller's org
// was given itself, in the org and everywhere; to a server admin also those that
// wait for a user to become a member.
func (a *Admin) RolesOf(ctx context.Context, c hallpass.Caller, ref string, hidden bool) (list []GivenRole, err error) {
	err = a.read(ctx, c, need{action: hallpass.UsersRolesRead}, func(tx *store.Tx) error {
		p, err := a.taker(tx, c, ref)
		if err != nil {
			return err
		}
		if err := c.Authorize(hallpass.UsersRolesRead, hallpass.UserID(p.ID).Scope()); err != nil {
			return err
		}
		list, err = a.rolesOf(tx, c.Org, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: p.ID}, hidden)
		return err
	})
	return list, err
}

// RolesOfTeam returns the roles that the team was given.
func (a *Admin) RolesOfTeam(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, hidden bool) (list []GivenRole, err error) {
	err = a.readTeam(ctx, c, hallpass.TeamsRolesRead, id, func(tx *store.Tx, _ hallpass.Team) error {
		list, err = a.rolesOf(tx, c.Org, hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(id)}, hidden)
		return err
	})
	return list, err
}

// GivenRole is a role that somebody was given.
type GivenRole struct {
	hallpass.NamedRole
	Everywhere bool // on the server and in every org, and not in this one by itself
}

func (a *Admin) rolesOf(tx *store.Tx, org hallpass.OrgID, to hallpass.Grantee, hidden bool) ([]GivenRole, error) {
	here, err := tx.AssignmentsTo(org, to)
	if err != nil {
		return nil, err
	}
	everywhere, err := tx.AssignmentsTo(0, to)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	var list []GivenRole
	for _, as := range append(here, everywhere...) {
		r, err := tx.Role(org, as.RoleUID)
		if err != nil {
			return nil, err
		}
		if seen[r.UID] || r.Hidden && !hidden {
			continue
		}
		seen[r.UID] = true
		list = append(list, GivenRole{r, as.Org == 0})
	}
	return list, nil
}

// RolesOfMany returns the roles given to each of the principals or teams of the
// caller's org; those it has no such of are left out.
func (a *Admin) RolesOfMany(ctx context.Context, c hallpass.Caller, kind hallpass.GranteeKind, ids []int64, hidden bool) (map[int64][]GivenRole, error) {
	action := hallpass.UsersRolesRead
	if kind == hallpass.ToTeam {
		action = hallpass.TeamsRolesRead
	}
	out := make(map[int64][]GivenRole)
	err := a.read(ctx, c, need{action: action}, func(tx *store.Tx) error {
		for _, id := range ids {
			g := hallpass.Grantee{Kind: kind, ID: id}
			if err := a.granteeThere(tx, c, g); hallpass.KindOf(err) == hallpass.NotFound {
				continue
			} else if err != nil {
				return err
			}
			list, err := a.rolesOf(tx, c.Org, g, hidden)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				out[id] = list
			}
		}
		return nil
	})
	return out, err
}

// BasicRoleRoles returns the roles given to each basic role, in the caller's org
// and everywhere.
func (a *Admin) BasicRoleRoles(ctx context.Context, c hallpass.Caller) (map[hallpass.Role][]hallpass.NamedRole, error) {
	out := make(map[hallpass.Role][]hallpass.NamedRole)
	err := a.read(ctx, c, need{action: hallpass.RolesRead}, func(tx *store.Tx) error {
		list, err := tx.BasicAssignments(c.Org)
		if err != nil {
			return err
		}
		for _, as := range list {
			r, err := tx.Role(c.Org, as.RoleUID)
			if err != nil {
				return err
			}
			out[hallpass.Role(as.To.ID)] = append(out[hallpass.Role(as.To.ID)], r)
		}
		return nil
	})
	return out, err
}
