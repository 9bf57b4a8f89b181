package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

var roleColumns = `r.id, r.org_id, r.uid, r.name, r.display_name, r.description, r.group_name, r.hidden, r.version, r.created_us, r.updated_us, ` + fileOf("role", "r.org_id", "r.uid")

// roleRow is a role with the number that its permissions refer to.
type roleRow struct {
	id int64
	hallpass.NamedRole
}

func scanNamedRole(r row) (n roleRow, err error) {
	var created, updated int64
	err = r.Scan(&n.id, &n.Org, &n.UID, &n.Name, &n.DisplayName, &n.Description, &n.Group, &n.Hidden, &n.Version, &created, &updated, &n.File)
	n.CreatedAt, n.UpdatedAt = fromMicros(created), fromMicros(updated)
	return n, err
}

var (
	errRoleNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "accesscontrol.role-not-found", Message: "Role not found"}
	errRoleTaken    = &hallpass.Error{Kind: hallpass.Conflict, ID: "accesscontrol.role-already-exists", Message: "A role with the same uid or name exists already"}
)

// CreateRole stores a new role. A uid or name that a role has which is there in
// the same org is a Conflict.
func (tx *Tx) CreateRole(r hallpass.NamedRole) error {
	if err := tx.roleFree(r); err != nil {
		return err
	}
	id, err := tx.nextID("role")
	if err != nil {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO roles (id, org_id, uid, name, name_key, display_name, description, group_name, hidden, version, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		id, r.Org, r.UID, r.Name, hallpass.NameKey(r.Name), r.DisplayName, r.Description, r.Group, r.Hidden, r.Version, micros(r.CreatedAt), micros(r.UpdatedAt))
	if isUnique(err) {
		return errRoleTaken
	}
	if err != nil {
		return fmt.Errorf("store: create role: %w", err)
	}
	return tx.setRolePermissions(id, r.Permissions)
}

// roleFree reports as a Conflict that the role's uid or name is taken by
// another one that stands beside it: the global roles stand beside those of
// every org.
func (tx *Tx) roleFree(r hallpass.NamedRole) error {
	var others int
	err := tx.sql.QueryRow(`
		SELECT COUNT(*) FROM roles WHERE (org_id IN (0, $1) OR $1 = 0) AND NOT (org_id = $1 AND uid = $4) AND (uid = $2 OR name_key = $3)`,
		r.Org, r.UID, hallpass.NameKey(r.Name), r.UID).Scan(&others)
	if err != nil {
		return fmt.Errorf("store: look for role: %w", err)
	}
	if others > 0 {
		return errRoleTaken
	}
	return nil
}

func (tx *Tx) setRolePermissions(id int64, list []hallpass.Permission) error {
	if _, err := tx.exec(`DELETE FROM role_permissions WHERE role_id = $1`, id); err != nil {
		return fmt.Errorf("store: set permissions of role: %w", err)
	}
	for _, p := range list {
		_, err := tx.exec(`
			INSERT INTO role_permissions (role_id, action, scope) VALUES ($1, $2, $3) ON CONFLICT (role_id, action, scope) DO NOTHING`, id, p.Action, p.Scope)
		if err != nil {
			return fmt.Errorf("store: set permissions of role: %w", err)
		}
	}
	return nil
}

// Role returns the role with that uid as org sees it: its own, a global, fixed
// or basic one; NotFound when there is none.
func (tx *Tx) Role(org hallpass.OrgID, uid string) (hallpass.NamedRole, error) {
	if r, ok := hallpass.FixedRole(uid); ok {
		return r, nil
	}
	n, err := tx.roleRow(org, uid)
	if err == nil {
		n.Permissions, err = tx.rolePermissions(n.id)
		return n.NamedRole, err
	}
	for _, r := range hallpass.BasicRoles() {
		if r.UID == uid {
			return r, nil
		}
	}
	return hallpass.NamedRole{}, err
}

func (tx *Tx) roleRow(org hallpass.OrgID, uid string) (roleRow, error) {
	n, err := scanNamedRole(tx.sql.QueryRow(`
		SELECT `+roleColumns+` FROM roles r WHERE r.org_id IN (0, $1) AND r.uid = $2 ORDER BY r.org_id DESC LIMIT 1`, org, uid))
	if err != nil {
		return n, notFound(fmt.Errorf("store: role: %w", err), errRoleNotFound.ID, errRoleNotFound.Message)
	}
	return n, nil
}

// GivenActions returns the actions that roles and access give to anybody in the org:
// what every Admin holds anyway is not among them.
func (tx *Tx) GivenActions(org hallpass.OrgID) ([]hallpass.Action, error) {
	list, err := all(tx, func(r row) (a hallpass.Action, err error) { err = r.Scan(&a); return a, err }, `
		SELECT DISTINCT p.action FROM role_permissions p JOIN roles r ON r.id = p.role_id
		WHERE  r.org_id IN (0, $1) AND (r.uid LIKE 'basic\_%' ESCAPE '\' OR EXISTS (
		       SELECT 1 FROM role_assignments ra WHERE ra.role_org = r.org_id AND ra.role_uid = r.uid AND ra.org_id IN (0, $1)))`, org)
	if err != nil {
		return nil, fmt.Errorf("store: given actions: %w", err)
	}
	return list, nil
}

func (tx *Tx) rolePermissions(id int64) ([]hallpass.Permission, error) {
	list, err := all(tx, scanPermission, `SELECT action, scope FROM role_permissions WHERE role_id = $1 ORDER BY action, scope`, id)
	if err != nil {
		return nil, fmt.Errorf("store: permissions of role: %w", err)
	}
	return list, nil
}

// Roles returns the custom roles that are there in org and the basic ones that
// were changed, by name.
func (tx *Tx) Roles(org hallpass.OrgID) ([]hallpass.NamedRole, error) {
	rows, err := all(tx, scanNamedRole, `SELECT `+roleColumns+` FROM roles r WHERE r.org_id IN (0, $1) ORDER BY r.name_key`, org)
	if err != nil {
		return nil, fmt.Errorf("store: roles: %w", err)
	}
	type held struct {
		role int64
		hallpass.Permission
	}
	permissions, err := all(tx, func(r row) (h held, err error) {
		err = r.Scan(&h.role, &h.Action, &h.Scope)
		return h, err
	}, `SELECT p.role_id, p.action, p.scope FROM role_permissions p JOIN roles r ON r.id = p.role_id WHERE r.org_id IN (0, $1) ORDER BY p.action, p.scope`, org)
	if err != nil {
		return nil, fmt.Errorf("store: roles: %w", err)
	}
	byRole := make(map[int64][]hallpass.Permission)
	for _, h := range permissions {
		byRole[h.role] = append(byRole[h.role], h.Permission)
	}
	list := make([]hallpass.NamedRole, 0, len(rows))
	for _, n := range rows {
		n.Permissions = byRole[n.id]
		list = append(list, n.NamedRole)
	}
	return list, nil
}

// UpdateRole stores everything about the role that can change, the version too.
// NotFound when its org has none with that uid.
func (tx *Tx) UpdateRole(r hallpass.NamedRole) error {
	n, err := tx.roleRow(r.Org, r.UID)
	if err != nil {
		return err
	}
	if n.Org != r.Org {
		return errRoleNotFound
	}
	if err := tx.roleFree(r); err != nil {
		return err
	}
	_, err = tx.exec(`
		UPDATE roles
		SET    name = $2, name_key = $3, display_name = $4, description = $5, group_name = $6, hidden = $7, version = $8, updated_us = $9
		WHERE  id = $1`, n.id, r.Name, hallpass.NameKey(r.Name), r.DisplayName, r.Description, r.Group, r.Hidden, r.Version, micros(r.UpdatedAt))
	if err != nil {
		return fmt.Errorf("store: update role: %w", err)
	}
	return tx.setRolePermissions(n.id, r.Permissions)
}

// DeleteRole removes the role and takes it from everybody; NotFound when there
// is none.
func (tx *Tx) DeleteRole(org hallpass.OrgID, uid string) error {
	n, err := tx.roleRow(org, uid)
	if err != nil {
		return err
	}
	if n.Org != org {
		return errRoleNotFound
	}
	return tx.steps("delete role",
		do(`DELETE FROM role_assignments WHERE role_org = $1 AND role_uid = $2`, org, uid),
		do(`DELETE FROM role_permissions WHERE role_id = $1`, n.id),
		do(`DELETE FROM roles WHERE id = $1`, n.id),
	)
}

// ResetBasicRoles puts the basic roles back to what they were at first.
func (tx *Tx) ResetBasicRoles() error {
	return tx.steps("reset basic roles",
		do(`DELETE FROM role_permissions WHERE role_id IN (SELECT id FROM roles WHERE org_id = 0 AND uid LIKE 'basic\_%' ESCAPE '\')`),
		do(`DELETE FROM roles WHERE org_id = 0 AND uid LIKE 'basic\_%' ESCAPE '\'`),
	)
}

// An Assignment is that somebody was given a role.
type Assignment struct {
	Org     hallpass.OrgID // where it holds; zero: on the server and in every org
	To      hallpass.Grantee
	RoleOrg hallpass.OrgID // whose role it is; zero: a global or fixed one
	RoleUID string
}

// Assign gives the role; having it already is no error, and reported.
func (tx *Tx) Assign(a Assignment, at time.Time) (had bool, err error) {
	n, err := tx.exec(`
		INSERT INTO role_assignments (org_id, kind, grantee_id, role_org, role_uid, created_us) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, grantee_id, org_id, role_org, role_uid) DO NOTHING`, a.Org, a.To.Kind, a.To.ID, a.RoleOrg, a.RoleUID, micros(at))
	if err != nil {
		return false, fmt.Errorf("store: assign role: %w", err)
	}
	return n == 0, nil
}

// Unassign takes the role away and reports whether it was there.
func (tx *Tx) Unassign(a Assignment) (had bool, err error) {
	n, err := tx.exec(`
		DELETE FROM role_assignments WHERE org_id = $1 AND kind = $2 AND grantee_id = $3 AND role_org = $4 AND role_uid = $5`,
		a.Org, a.To.Kind, a.To.ID, a.RoleOrg, a.RoleUID)
	if err != nil {
		return false, fmt.Errorf("store: unassign role: %w", err)
	}
	return n > 0, nil
}

func scanAssignment(r row) (a Assignment, err error) {
	err = r.Scan(&a.Org, &a.To.Kind, &a.To.ID, &a.RoleOrg, &a.RoleUID)
	return a, err
}

// AssignmentsOf returns who was given the role in org; those of every org too
// if asked.
func (tx *Tx) AssignmentsOf(org hallpass.OrgID, r hallpass.NamedRole) ([]Assignment, error) {
	list, err := all(tx, scanAssignment, `
		SELECT org_id, kind, grantee_id, role_org, role_uid FROM role_assignments
		WHERE  role_org = $1 AND role_uid = $2 AND org_id = $3 ORDER BY kind, grantee_id`, r.Org, r.UID, org)
	if err != nil {
		return nil, fmt.Errorf("store: assignments of role: %w", err)
	}
	return list, nil
}

// CountAssignments returns how often the role was given, in any org.
func (tx *Tx) CountAssignments(r hallpass.NamedRole) (n int, err error) {
	err = tx.sql.QueryRow(`SELECT COUNT(*) FROM role_assignments WHERE role_org = $1 AND role_uid = $2`, r.Org, r.UID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: count assignments of role: %w", err)
	}
	return n, nil
}

// AssignmentsTo returns the roles given to the grantee that hold in org itself:
// not those of every org, which are asked for with org zero.
func (tx *Tx) AssignmentsTo(org hallpass.OrgID, to hallpass.Grantee) ([]Assignment, error) {
	list, err := all(tx, scanAssignment, `
		SELECT org_id, kind, grantee_id, role_org, role_uid FROM role_assignments
		WHERE  org_id = $1 AND kind = $2 AND grantee_id = $3 ORDER BY role_org, role_uid`, org, to.Kind, to.ID)
	if err != nil {
		return nil, fmt.Errorf("store: roles assigned: %w", err)
	}
	return list, nil
}

// BasicAssignments returns the roles given to basic roles in org and in every
// org.
func (tx *Tx) BasicAssignments(org hallpass.OrgID) ([]Assignment, error) {
	list, err := all(tx, scanAssignment, `
		SELECT org_id, kind, grantee_id, role_org, role_uid FROM role_assignments
		WHERE  org_id IN (0, $1) AND kind = 'basic' ORDER BY grantee_id, role_org, role_uid`, org)
	if err != nil {
		return nil, fmt.Errorf("store: roles of basic roles: %w", err)
	}
	return list, nil
}
