package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

const grantColumns = `g.id, g.org_id, g.resource, g.resource_id, g.kind, g.grantee_id, g.level, g.created_us`

func scanGrant(r row) (g hallpass.Grant, err error) {
	var created int64
	err = r.Scan(&g.ID, &g.Org, &g.Resource, &g.ResourceID, &g.To.Kind, &g.To.ID, &g.Level, &created)
	g.CreatedAt = fromMicros(created)
	return g, err
}

// SetGrant gives the grantee the level of access to the resource, in place of
// what it had.
func (tx *Tx) SetGrant(g hallpass.Grant) error {
	id, err := tx.nextID("grant")
	if err != nil {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO grants (id, org_id, resource, resource_id, kind, grantee_id, level, created_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, resource, resource_id, kind, grantee_id) DO UPDATE SET level = excluded.level`,
		id, g.Org, g.Resource, g.ResourceID, g.To.Kind, g.To.ID, g.Level, micros(g.CreatedAt))
	if err != nil {
		return fmt.Errorf("store: set grant on %s %s: %w", g.Resource, strconv.Quote(g.ResourceID), err)
	}
	return nil
}

// DeleteGrant takes away the grantee's access to the resource; having none is
// no error.
func (tx *Tx) DeleteGrant(org hallpass.OrgID, r hallpass.Resource, id string, to hallpass.Grantee) error {
	_, err := tx.exec(`
		DELETE FROM grants WHERE org_id = $1 AND resource = $2 AND resource_id = $3 AND kind = $4 AND grantee_id = $5`, org, r, id, to.Kind, to.ID)
	if err != nil {
		return fmt.Errorf("store: delete grant on %s %s: %w", r, strconv.Quote(id), err)
	}
	return nil
}

// Grants returns the access to the resources with those IDs, in the order in
// which it was first given.
func (tx *Tx) Grants(org hallpass.OrgID, r hallpass.Resource, ids ...string) ([]hallpass.Grant, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{org, r}
	list, err := all(tx, scanGrant, `
		SELECT `+grantColumns+` FROM grants g
		WHERE  g.org_id = $1 AND g.resource = $2 AND g.resource_id IN (`+binds(&args, ids)+`) ORDER BY g.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("store: grants on %s: %w", r, err)
	}
	return list, nil
}

// maxBinds is how many values a list that may be of any length is given to one
// statement: databases bound them, and SQLite goes through all to find each.
const maxBinds = 500

// binds adds the values to args and returns their places in the text of a
// query, as "$3, $4".
func binds[T any](args *[]any, values []T) string {
	places := make([]string, len(values))
	for i, v := range values {
		*args = append(*args, v)
		places[i] = "$" + strconv.Itoa(len(*args))
	}
	return strings.Join(places, ", ")
}

// toThem is the condition that a grant reaches the principal $2 in org $1: its
// own, its teams', and from the basic roles up to $3.
const toThem = `g.org_id = $1 AND (
		       g.kind = 'principal' AND g.grantee_id = $2
		    OR g.kind = 'team' AND g.grantee_id IN (SELECT m.team_id FROM team_members m WHERE m.principal_id = $2 AND m.org_id = $1)
		    OR g.kind = 'basic' AND g.grantee_id <= $3)`

// TreeGrants returns the access to folders and dashboards that reaches the
// principal with that role in org: all of it, or that to the given ones.
func (tx *Tx) TreeGrants(org hallpass.OrgID, principal int64, role hallpass.Role, among ...string) ([]hallpass.Grant, error) {
	args := []any{org, principal, int64(role)}
	query := `SELECT ` + grantColumns + ` FROM grants g WHERE ` + toThem + ` AND g.resource IN ('folders', 'dashboards')`
	if len(among) > 0 {
		query += ` AND g.resource_id IN (` + binds(&args, among) + `)`
	}
	list, err := all(tx, scanGrant, query+` ORDER BY g.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("store: tree grants of principal %d: %w", principal, err)
	}
	return list, nil
}

// heldByGrant returns the access to service accounts that reaches the
// principal, and its memberships of teams in the same form.
func (tx *Tx) heldByGrant(org hallpass.OrgID, principal int64) ([]hallpass.Grant, error) {
	list, err := all(tx, scanGrant, `
		SELECT `+grantColumns+` FROM grants g WHERE `+toThem+` AND g.resource = 'serviceaccounts' ORDER BY g.id`, org, principal, -1)
	if err != nil {
		return nil, fmt.Errorf("store: grants of principal %d: %w", principal, err)
	}
	teams, err := tx.memberships(org, principal)
	if err != nil {
		return nil, err
	}
	for _, m := range teams {
		list = append(list, hallpass.Grant{
			Org: org, Resource: hallpass.TeamResource, ResourceID: strconv.FormatInt(int64(m.Team), 10),
			To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: principal}, Level: m.Level(), CreatedAt: m.JoinedAt,
		})
	}
	return list, nil
}

// AllGrants returns everything that reaches the principal with that role in org
// beside roles: access to accounts, teams, folders and dashboards.
func (tx *Tx) AllGrants(org hallpass.OrgID, principal int64, role hallpass.Role) ([]hallpass.Grant, error) {
	held, err := tx.heldByGrant(org, principal)
	if err != nil {
		return nil, err
	}
	tree, err := tx.TreeGrants(org, principal, role)
	return append(held, tree...), err
}

// steps runs the statements of one change, one after the other.
func (tx *Tx) steps(what string, list ...step) error {
	for _, s := range list {
		if _, err := tx.exec(s.query, s.args...); err != nil {
			return fmt.Errorf("store: %s: %w", what, err)
		}
	}
	return nil
}

// step is one statement of several.
type step struct {
	query string
	args  []any
}

func do(query string, args ...any) step { return step{query, args} }

// GrantsTo returns the access that the grantee itself was given in org.
func (tx *Tx) GrantsTo(org hallpass.OrgID, to hallpass.Grantee) ([]hallpass.Grant, error) {
	list, err := all(tx, scanGrant, `
		SELECT `+grantColumns+` FROM grants g WHERE g.org_id = $1 AND g.kind = $2 AND g.grantee_id = $3 ORDER BY g.id`, org, to.Kind, to.ID)
	if err != nil {
		return nil, fmt.Errorf("store: grants to %s %d: %w", to.Kind, to.ID, err)
	}
	return list, nil
}

// Given counts what the principals were given in org beside their basic roles:
// the roles assigned to them, to their teams and to them in every org, and the
// accounts, folders and dashboards that they or their teams have access to. Who
// was given nothing is not in the answer.
func (tx *Tx) Given(org hallpass.OrgID, ids []int64) (map[int64]hallpass.Given, error) {
	out := make(map[int64]hallpass.Given)
	if len(ids) == 0 {
		return out, nil
	}
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatInt(id, 10) // numbers, so that they may stand in the text
	}
	among := "(" + strings.Join(list, ",") + ")"
	type line struct {
		id int64
		n  int
	}
	count := func(query string) ([]line, error) {
		lines, err := all(tx, func(r row) (l line, err error) {
			err = r.Scan(&l.id, &l.n)
			return l, err
		}, `SELECT g.id, COUNT(*) FROM (`+query+`) AS g GROUP BY g.id`, org)
		if err != nil {
			return nil, fmt.Errorf("store: count what was given: %w", err)
		}
		return lines, nil
	}
	roles, err := count(`
		SELECT ra.grantee_id AS id, ra.role_org, ra.role_uid FROM role_assignments ra
		WHERE  ra.kind = 'principal' AND ra.grantee_id IN ` + among + ` AND ra.org_id IN (0, $1)
		UNION
		SELECT m.principal_id, ra.role_org, ra.role_uid FROM team_members m JOIN role_assignments ra ON ra.kind = 'team' AND ra.grantee_id = m.team_id
		WHERE  m.org_id = $1 AND ra.org_id = $1 AND m.principal_id IN ` + among)
	if err != nil {
		return nil, err
	}
	things, err := count(`
		SELECT g.grantee_id AS id, g.resource, g.resource_id FROM grants g
		WHERE  g.org_id = $1 AND g.kind = 'principal' AND g.grantee_id IN ` + among + `
		UNION
		SELECT m.principal_id, g.resource, g.resource_id FROM team_members m JOIN grants g ON g.kind = 'team' AND g.grantee_id = m.team_id
		WHERE  m.org_id = $1 AND g.org_id = $1 AND m.principal_id IN ` + among)
	if err != nil {
		return nil, err
	}
	for _, l := range roles {
		out[l.id] = hallpass.Given{MoreRoles: l.n}
	}
	for _, l := range things {
		g := out[l.id]
		g.AccessGrants = l.n
		out[l.id] = g
	}
	return out, nil
}
