package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hallpass-dev/hallpass/wire"
)

const rolesPath = "/api/access-control/roles"

// Roles returns the roles of the org and the global roles. If hidden is true, it also
// returns the roles that lists leave out.
func (c *Client) Roles(ctx context.Context, hidden bool) ([]wire.Role, error) {
	return call[[]wire.Role](ctx, c, http.MethodGet, rolesPath+"?includeHidden="+strconv.FormatBool(hidden), nil)
}

// Role returns the role with that uid.
func (c *Client) Role(ctx context.Context, uid string) (wire.Role, error) {
	return call[wire.Role](ctx, c, http.MethodGet, rolePath(uid), nil)
}

// FindRole returns the role with that uid or name.
func (c *Client) FindRole(ctx context.Context, ref string) (wire.Role, error) {
	byID := func(uid string) (wire.Role, error) { return c.Role(ctx, uid) }
	byName := func(name string) (wire.Role, error) {
		list, err := c.Roles(ctx, true)
		if err != nil {
			return wire.Role{}, err
		}
		row, err := one("role", name, list, func(r wire.Role) bool { return r.Name == name })
		if err != nil {
			return wire.Role{}, err
		}
		return c.Role(ctx, row.UID) // the roles in a list may come without their permissions
	}
	if !likeUID(ref) {
		return byName(ref)
	}
	if r, err := byID(ref); !missing(err) { // roles have no numbers: digits are a uid or a name
		return r, err
	}
	return byName(ref)
}

// CreateRole creates a custom role.
func (c *Client) CreateRole(ctx context.Context, in wire.CreateRole) (wire.Role, error) {
	return call[wire.Role](ctx, c, http.MethodPost, rolesPath, in)
}

// UpdateRole replaces the role with that uid.
func (c *Client) UpdateRole(ctx context.Context, uid string, in wire.CreateRole) (wire.Role, error) {
	return call[wire.Role](ctx, c, http.MethodPut, rolePath(uid), in)
}

// DeleteRole removes a custom role. If the role is assigned, force is needed, and
// everybody loses the role.
func (c *Client) DeleteRole(ctx context.Context, uid string, force, global bool) (wire.Message, error) {
	q := url.Values{"force": {strconv.FormatBool(force)}, "global": {strconv.FormatBool(global)}}
	return c.tell(ctx, http.MethodDelete, rolePath(uid)+"?"+q.Encode(), nil)
}

// RoleAssignments returns who has the role.
func (c *Client) RoleAssignments(ctx context.Context, uid string) (wire.RoleAssignments, error) {
	return call[wire.RoleAssignments](ctx, c, http.MethodGet, rolePath(uid)+"/assignments", nil)
}

// SetRoleAssignments gives the role to these principals and teams, and takes it from
// all others.
func (c *Client) SetRoleAssignments(ctx context.Context, uid string, in wire.RoleAssignments) (wire.RoleAssignments, error) {
	return call[wire.RoleAssignments](ctx, c, http.MethodPut, rolePath(uid)+"/assignments", in)
}

// UserRoles returns the roles that are assigned to a user or service account itself.
func (c *Client) UserRoles(ctx context.Context, id int64) ([]wire.Role, error) {
	return call[[]wire.Role](ctx, c, http.MethodGet, grantsPath("users", id), nil)
}

// AddUserRole gives a role to a user or service account.
func (c *Client) AddUserRole(ctx context.Context, id int64, in wire.AddRole) (wire.Message, error) {
	return c.tell(ctx, http.MethodPost, grantsPath("users", id), in)
}

// RemoveUserRole takes a role from a user or service account.
func (c *Client) RemoveUserRole(ctx context.Context, id int64, uid string, global bool) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, grantsPath("users", id)+"/"+segment(uid)+"?global="+strconv.FormatBool(global), nil)
}

// TeamRoles returns the roles that a team was given.
func (c *Client) TeamRoles(ctx context.Context, id int64) ([]wire.Role, error) {
	return call[[]wire.Role](ctx, c, http.MethodGet, grantsPath("teams", id), nil)
}

// AddTeamRole gives a role to a team.
func (c *Client) AddTeamRole(ctx context.Context, id int64, in wire.AddRole) (wire.Message, error) {
	return c.tell(ctx, http.MethodPost, grantsPath("teams", id), in)
}

// RemoveTeamRole takes a role from a team.
func (c *Client) RemoveTeamRole(ctx context.Context, id int64, uid string) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, grantsPath("teams", id)+"/"+segment(uid), nil)
}

func rolePath(uid string) string { return rolesPath + "/" + segment(uid) }

func grantsPath(kind string, id int64) string {
	return fmt.Sprintf("/api/access-control/%s/%d/roles", kind, id)
}
