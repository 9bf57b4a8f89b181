package store

import (
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

// UserCaller returns the caller that the user is in org, by default the one
// the user works in.
func (tx *Tx) UserCaller(u hallpass.User, org hallpass.OrgID) (hallpass.Caller, error) {
	if org == 0 {
		org = u.Org
	}
	role, member, err := tx.MemberRole(org, u.ID)
	if err != nil {
		return hallpass.Caller{}, err
	}
	return tx.userCaller(u, org, role, member)
}

// UserOutside returns the caller that the user is where it is no member: with
// what holds on the server and in every org.
func (tx *Tx) UserOutside(u hallpass.User) (hallpass.Caller, error) {
	return tx.userCaller(u, 0, hallpass.RoleNone, false)
}

// UserInside returns the caller that the user is in org or, where it is no
// member, would be as one with the role None: what was given there already
// counts.
func (tx *Tx) UserInside(u hallpass.User, org hallpass.OrgID) (hallpass.Caller, error) {
	role, _, err := tx.MemberRole(org, u.ID)
	if err != nil {
		return hallpass.Caller{}, err
	}
	return tx.userCaller(u, org, role, true)
}

func (tx *Tx) userCaller(u hallpass.User, org hallpass.OrgID, role hallpass.Role, member bool) (hallpass.Caller, error) {
	s, err := tx.standing(org, int64(u.ID), role, member)
	if err != nil {
		return hallpass.Caller{}, err
	}
	if u.ServerAdmin {
		flag, err := tx.serverAdminPermissions()
		if err != nil {
			return hallpass.Caller{}, err
		}
		s.Server = flag.With(s.Server.List()...)
	}
	return hallpass.UserCaller(u, org, s), nil
}

// OrgsHeldBy returns the orgs that the user has anything in: those it is a
// member of, and those where a role, a place in a team or access waits for it to
// become one.
func (tx *Tx) OrgsHeldBy(user hallpass.UserID) ([]hallpass.OrgID, error) {
	list, err := all(tx, func(r row) (id hallpass.OrgID, err error) { err = r.Scan(&id); return id, err }, `
		SELECT org_id FROM members WHERE user_id = $1
		UNION SELECT org_id FROM role_assignments WHERE kind = 'principal' AND grantee_id = $1 AND org_id <> 0
		UNION SELECT org_id FROM team_members WHERE principal_id = $1
		UNION SELECT org_id FROM grants WHERE kind = 'principal' AND grantee_id = $1
		ORDER BY 1`, user)
	if err != nil {
		return nil, fmt.Errorf("store: orgs held by user %d: %w", user, err)
	}
	return list, nil
}

// ServiceAccountCaller returns the caller that the account is in its org.
func (tx *Tx) ServiceAccountCaller(a hallpass.ServiceAccount) (hallpass.Caller, error) {
	s, err := tx.standing(a.Org, int64(a.ID), a.Role, true)
	if err != nil {
		return hallpass.Caller{}, err
	}
	return hallpass.ServiceAccountCaller(a, s), nil
}

// Ceiling returns the ceiling of a token of org with the limits, nil if they take no
// permission away. It reads what the basic role of the limits permits now, with the roles
// that everybody in org was given who has it.
func (tx *Tx) Ceiling(org hallpass.OrgID, l hallpass.TokenLimits) (*hallpass.Ceiling, error) {
	if l.MaxRole == nil {
		return hallpass.NewCeiling(l, nil), nil
	}
	s, err := tx.standing(org, 0, *l.MaxRole, true)
	return hallpass.NewCeiling(l, s.Basic.With(s.Held...)), err
}

// standing puts together what the principal was given in org. Access to folders
// and dashboards is left out: it is looked up where the tree is known.
func (tx *Tx) standing(org hallpass.OrgID, principal int64, role hallpass.Role, member bool) (hallpass.PrincipalAccess, error) {
	s := hallpass.PrincipalAccess{Member: member, Role: role}
	var err error
	if s.Basic, err = tx.basicPermissions(role); err != nil {
		return s, err
	}
	sources, err := tx.roleSources(org, principal, role, member)
	if err != nil {
		return s, err
	}
	var server []hallpass.Permission
	for _, src := range sources {
		s.Held = append(s.Held, src.Permissions...)
		if src.Server {
			server = append(server, src.Permissions...)
		}
	}
	if len(server) > 0 {
		s.Server = hallpass.NewPermissions(server...)
	}
	if !member {
		return s, nil
	}
	held, err := tx.heldByGrant(org, principal)
	if err != nil {
		return s, err
	}
	for _, g := range held {
		s.Held = append(s.Held, g.Permissions()...)
	}
	return s, nil
}

// basicPermissions returns what the basic role permits now.
func (tx *Tx) basicPermissions(role hallpass.Role) (*hallpass.Permissions, error) {
	list, changed, err := tx.changedBasicRole(role.UID())
	if err != nil || !changed {
		return role.Permissions(), err
	}
	return hallpass.NewPermissions(list...), nil
}

func (tx *Tx) serverAdminPermissions() (*hallpass.Permissions, error) {
	list, changed, err := tx.changedBasicRole(hallpass.ServerAdminUID)
	if err != nil || !changed {
		return hallpass.ServerAdminPermissions(), err
	}
	return hallpass.NewPermissions(list...), nil
}

// changedBasicRole returns the permissions of a basic role that was changed,
// and whether it was.
func (tx *Tx) changedBasicRole(uid string) (list []hallpass.Permission, changed bool, err error) {
	rows, err := all(tx, scanPermission, `
		SELECT COALESCE(p.action, ''), COALESCE(p.scope, '')
		FROM   roles r LEFT JOIN role_permissions p ON p.role_id = r.id
		WHERE  r.org_id = 0 AND r.uid = $1`, uid)
	if err != nil {
		return nil, false, fmt.Errorf("store: basic role %s: %w", uid, err)
	}
	for _, p := range rows {
		if p.Action != "" {
			list = append(list, p)
		}
	}
	return list, len(rows) > 0, nil
}

func scanPermission(r row) (p hallpass.Permission, err error) {
	err = r.Scan(&p.Action, &p.Scope)
	return p, err
}

// A RoleSource is a role that reaches a principal, and how.
type RoleSource struct {
	Grantee     hallpass.Grantee // the principal itself, a team of theirs, or a basic role
	TeamName    string
	Server      bool // holds on the server and in every org
	Role        hallpass.NamedRole
	Permissions []hallpass.Permission
}

// roleSources returns the roles assigned to the principal, to the teams it is
// in and to the basic roles it has, with what they permit. One who is not a
// member of org has only what holds in every org.
func (tx *Tx) roleSources(org hallpass.OrgID, principal int64, role hallpass.Role, member bool) ([]RoleSource, error) {
	type line struct {
		RoleSource
		permission hallpass.Permission
	}
	rank := int64(role)
	if !member {
		org, rank = 0, -1
	}
	lines, err := all(tx, func(r row) (l line, err error) {
		var assignedIn hallpass.OrgID
		err = r.Scan(&assignedIn, &l.Grantee.Kind, &l.Grantee.ID, &l.TeamName, &l.Role.Org, &l.Role.UID, &l.Role.Name, &l.permission.Action, &l.permission.Scope)
		l.Server = assignedIn == 0
		return l, err
	}, `
		SELECT ra.org_id, ra.kind, ra.grantee_id, COALESCE(t.name, ''), ra.role_org, ra.role_uid, COALESCE(r.name, ''), COALESCE(p.action, ''), COALESCE(p.scope, '')
		FROM   role_assignments ra
		LEFT   JOIN teams t ON ra.kind = 'team' AND t.id = ra.grantee_id
		LEFT   JOIN roles r ON r.org_id = ra.role_org AND r.uid = ra.role_uid
		LEFT   JOIN role_permissions p ON p.role_id = r.id
		WHERE  ra.org_id IN (0, $1)
		AND    (ra.kind = 'principal' AND ra.grantee_id = $2
		        OR ra.kind = 'team' AND ra.grantee_id IN (SELECT m.team_id FROM team_members m WHERE m.principal_id = $2 AND m.org_id = $1)
		        OR ra.kind = 'basic' AND ra.grantee_id <= $3)
		ORDER  BY ra.kind, ra.grantee_id, ra.org_id, ra.role_org, ra.role_uid`, org, principal, rank)
	if err != nil {
		return nil, fmt.Errorf("store: roles of principal %d: %w", principal, err)
	}
	var sources []RoleSource
	for _, l := range lines {
		last := len(sources) - 1
		if last < 0 || sources[last].Grantee != l.Grantee || sources[last].Server != l.Server || sources[last].Role.Org != l.Role.Org || sources[last].Role.UID != l.Role.UID {
			src := l.RoleSource
			if fixed, ok := hallpass.FixedRole(src.Role.UID); ok {
				src.Role, src.Permissions = fixed, fixed.Permissions
			}
			sources = append(sources, src)
			last++
		}
		if l.permission.Action != "" {
			sources[last].Permissions = append(sources[last].Permissions, l.permission)
		}
	}
	return sources, nil
}

// RoleSources returns the roles that reach the principal in org, beside what
// its basic role permits; the latter is returned as the first source, and that
// of the server admin flag where admin is set.
func (tx *Tx) RoleSources(org hallpass.OrgID, principal int64, role hallpass.Role, member, admin bool) ([]RoleSource, error) {
	var sources []RoleSource
	if member {
		basic, err := tx.basicPermissions(role)
		if err != nil {
			return nil, err
		}
		sources = append(sources, RoleSource{
			Grantee: hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(role)}, Role: hallpass.BasicRoles()[role], Permissions: basic.List(),
		})
	}
	if admin {
		flag, err := tx.serverAdminPermissions()
		if err != nil {
			return nil, err
		}
		named := hallpass.BasicRoles()
		sources = append(sources, RoleSource{Server: true, Role: named[len(named)-1], Permissions: flag.List()})
	}
	assigned, err := tx.roleSources(org, principal, role, member)
	return append(sources, assigned...), err
}
