package api

import (
	"strconv"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

func roleRow(r hallpass.NamedRole) wire.Role {
	out := wire.Role{
		Version: r.Version, UID: r.UID, Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Group: r.Group, Global: r.Global(),
		Hidden: r.Hidden, Created: r.CreatedAt, Updated: r.UpdatedAt, ProvisionedBy: r.File,
	}
	for _, p := range r.Editable() {
		out.Permissions = append(out.Permissions, wire.RolePermission{Action: string(p.Action), Scope: string(p.Scope), Created: r.UpdatedAt, Updated: r.UpdatedAt})
	}
	return out
}

func roleRows(list []hallpass.NamedRole) []wire.Role {
	out := make([]wire.Role, 0, len(list))
	for _, r := range list {
		out = append(out, roleRow(r))
	}
	return out
}

func givenRows(list []admin.GivenRole) []wire.Role {
	out := make([]wire.Role, 0, len(list))
	for _, r := range list {
		out = append(out, roleRow(r.NamedRole))
	}
	return out
}

// accessControlStatus is GET /api/access-control/status.
func (a *API) accessControlStatus(call, none) (wire.AccessControlStatus, error) {
	return wire.AccessControlStatus{Enabled: true}, nil
}

// roles is GET /api/access-control/roles?includeHidden&delegatable.
func (a *API) roles(c call, _ none) ([]wire.Role, error) {
	f := admin.RoleFilter{Hidden: flag(c, "includeHidden"), Delegatable: flag(c, "delegatable")}
	list, err := a.admin.Roles(c.Context(), c.caller, f)
	out := roleRows(list)
	if f.Delegatable {
		yes := true
		for i := range out {
			out[i].Delegatable = &yes
		}
	}
	return out, err
}

// role is GET /api/access-control/roles/{role}.
func (a *API) role(c call, _ none) (wire.Role, error) {
	r, err := a.admin.Role(c.Context(), c.caller, c.PathValue("role"))
	return roleRow(r), err
}

func roleOf(in wire.CreateRole) hallpass.NamedRole {
	r := hallpass.NamedRole{
		UID: in.UID, Version: in.Version, Name: in.Name, DisplayName: in.DisplayName, Description: in.Description, Group: in.Group, Hidden: in.Hidden,
	}
	for _, p := range in.Permissions {
		r.Permissions = append(r.Permissions, hallpass.Permission{Action: hallpass.Action(p.Action), Scope: hallpass.Scope(p.Scope)})
	}
	return r
}

// createRole is POST /api/access-control/roles.
func (a *API) createRole(c call, in wire.CreateRole) (wire.Role, error) {
	if in.Version < 0 {
		return wire.Role{}, hallpass.Invalidf("version", "version is negative")
	}
	r, err := a.admin.CreateRole(c.Context(), c.caller, roleOf(in), in.Global)
	return roleRow(r), err
}

// updateRole is PUT /api/access-control/roles/{role}.
func (a *API) updateRole(c call, in wire.CreateRole) (wire.Role, error) {
	in.UID = c.PathValue("role")
	if in.Version < 0 {
		return wire.Role{}, hallpass.Invalidf("version", "version is negative")
	}
	r, err := a.admin.UpdateRole(c.Context(), c.caller, roleOf(in), in.Global)
	return roleRow(r), err
}

// deleteRole is DELETE /api/access-control/roles/{role}?force&global.
func (a *API) deleteRole(c call, _ none) (wire.Message, error) {
	return wire.Message{Message: "Role deleted"}, a.admin.DeleteRole(c.Context(), c.caller, c.PathValue("role"), flag(c, "force"))
}

// resetRoles is POST /api/access-control/roles/hard-reset.
func (a *API) resetRoles(c call, in wire.ResetRoles) (wire.Message, error) {
	if !in.BasicRoles {
		return wire.Message{}, hallpass.Invalidf("BasicRoles", "BasicRoles must be true: there is nothing else to reset")
	}
	return wire.Message{Message: "Reset performed"}, a.admin.ResetBasicRoles(c.Context(), c.caller)
}

// roleAssignments is GET /api/access-control/roles/{role}/assignments.
func (a *API) roleAssignments(c call, _ none) (wire.RoleAssignments, error) {
	uid := c.PathValue("role")
	list, err := a.admin.RoleAssignments(c.Context(), c.caller, uid)
	out := wire.RoleAssignments{RoleUID: uid, Users: []int64{}, Teams: []int64{}, ServiceAccounts: []int64{}}
	for _, p := range list.Users {
		out.Users = append(out.Users, p.ID)
	}
	for _, t := range list.Teams {
		out.Teams = append(out.Teams, int64(t.ID))
	}
	for _, p := range list.ServiceAccounts {
		out.ServiceAccounts = append(out.ServiceAccounts, p.ID)
	}
	return out, err
}

// setRoleAssignments is PUT on the same path.
func (a *API) setRoleAssignments(c call, in wire.RoleAssignments) (wire.RoleAssignments, error) {
	if err := a.admin.SetRoleAssignments(c.Context(), c.caller, c.PathValue("role"), in.Users, in.ServiceAccounts, in.Teams); err != nil {
		return wire.RoleAssignments{}, err
	}
	return a.roleAssignments(c, none{})
}

// toUser returns the user or service account that the path names, as a grantee.
func (a *API) toUser(c call) (hallpass.Grantee, error) {
	id, err := a.principalID(c)
	return hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: id}, err
}

// toTeam returns the team that the path names, as a grantee.
func (a *API) toTeam(c call) (hallpass.Grantee, error) {
	id, err := a.admin.TeamID(c.Context(), c.caller, c.PathValue("team"))
	return hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(id)}, err
}

// userRolesList is GET /api/access-control/users/{user}/roles.
func (a *API) userRolesList(c call, _ none) ([]wire.Role, error) {
	list, err := a.admin.RolesOf(c.Context(), c.caller, c.PathValue("user"), flag(c, "includeHidden"))
	return givenRows(list), err
}

// addUserRole is POST /api/access-control/users/{user}/roles.
func (a *API) addUserRole(c call, in wire.AddRole) (wire.Message, error) {
	to, err := a.toUser(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Role added to the user."}, a.admin.AssignRole(c.Context(), c.caller, in.RoleUID, to, in.Global)
}

// setUserRoles is PUT on the same path.
func (a *API) setUserRoles(c call, in wire.SetRoles) (wire.Message, error) {
	to, err := a.toUser(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "User roles have been updated."}, a.admin.SetRoles(c.Context(), c.caller, to, in.RoleUIDs, in.Global)
}

// removeUserRole is DELETE /api/access-control/users/{user}/roles/{role}?global.
func (a *API) removeUserRole(c call, _ none) (wire.Message, error) {
	to, err := a.toUser(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Role removed from user."}, a.admin.UnassignRole(c.Context(), c.caller, c.PathValue("role"), to, flag(c, "global"))
}

// teamRolesList is GET /api/access-control/teams/{team}/roles.
func (a *API) teamRolesList(c call, _ none) ([]wire.Role, error) {
	return onTeam(a, c, func(id hallpass.TeamID) ([]wire.Role, error) {
		list, err := a.admin.RolesOfTeam(c.Context(), c.caller, id, flag(c, "includeHidden"))
		return givenRows(list), err
	})
}

// addTeamRole is POST /api/access-control/teams/{team}/roles.
func (a *API) addTeamRole(c call, in wire.AddRole) (wire.Message, error) {
	to, err := a.toTeam(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Role added to the team."}, a.admin.AssignRole(c.Context(), c.caller, in.RoleUID, to, false)
}

// setTeamRoles is PUT on the same path.
func (a *API) setTeamRoles(c call, in wire.SetRoles) (wire.Message, error) {
	to, err := a.toTeam(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Team roles have been updated."}, a.admin.SetRoles(c.Context(), c.caller, to, in.RoleUIDs, false)
}

// removeTeamRole is DELETE /api/access-control/teams/{team}/roles/{role}.
func (a *API) removeTeamRole(c call, _ none) (wire.Message, error) {
	to, err := a.toTeam(c)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Role removed from team."}, a.admin.UnassignRole(c.Context(), c.caller, c.PathValue("role"), to, false)
}

// searchUserRoles is POST /api/access-control/users/roles/search.
func (a *API) searchUserRoles(c call, in wire.RolesSearch) (map[string][]wire.Role, error) {
	return a.searchRoles(c, hallpass.ToPrincipal, in.UserIDs, in.IncludeHidden)
}

// searchTeamRoles is POST /api/access-control/teams/roles/search.
func (a *API) searchTeamRoles(c call, in wire.RolesSearch) (map[string][]wire.Role, error) {
	return a.searchRoles(c, hallpass.ToTeam, in.TeamIDs, in.IncludeHidden)
}

func (a *API) searchRoles(c call, kind hallpass.GranteeKind, ids []int64, hidden bool) (map[string][]wire.Role, error) {
	if len(ids) > maxPerPage {
		return nil, hallpass.Invalidf("ids", "at most %d ids are taken at once", maxPerPage)
	}
	found, err := a.admin.RolesOfMany(c.Context(), c.caller, kind, ids, hidden)
	out := make(map[string][]wire.Role, len(found))
	for id, list := range found {
		out[strconv.FormatInt(id, 10)] = givenRows(list)
	}
	return out, err
}

// builtInRoles is GET /api/access-control/builtin-roles.
func (a *API) builtInRoles(c call, _ none) (map[string][]wire.Role, error) {
	found, err := a.admin.BasicRoleRoles(c.Context(), c.caller)
	out := make(map[string][]wire.Role, len(found))
	for role, list := range found {
		out[role.String()] = roleRows(list)
	}
	return out, err
}

func toBasicRole(name string) (hallpass.Grantee, error) {
	role, ok := hallpass.ParseRole(name)
	if !ok {
		return hallpass.Grantee{}, hallpass.Invalidf("builtinRole", "builtinRole must be one of None, Viewer, Editor, Admin")
	}
	return hallpass.Grantee{Kind: hallpass.ToBasicRole, ID: int64(role)}, nil
}

// addBuiltInRole is POST /api/access-control/builtin-roles.
func (a *API) addBuiltInRole(c call, in wire.BuiltInRole) (wire.Message, error) {
	to, err := toBasicRole(in.BuiltInRole)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Built-in role grant added"}, a.admin.AssignRole(c.Context(), c.caller, in.RoleUID, to, in.Global)
}

// removeBuiltInRole is DELETE /api/access-control/builtin-roles/{builtin}/roles/{role}?global.
func (a *API) removeBuiltInRole(c call, _ none) (wire.Message, error) {
	to, err := toBasicRole(c.PathValue("builtin"))
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Built-in role grant removed"}, a.admin.UnassignRole(c.Context(), c.caller, c.PathValue("role"), to, flag(c, "global"))
}
