package api

import (
	"strconv"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// selfPermissions is GET /api/access-control/user/permissions.
func (a *API) selfPermissions(c call, _ none) (map[string][]string, error) {
	list, err := a.admin.PermissionsOf(c.Context(), c.caller, "", admin.PermissionFilter{})
	return byAction(list), err
}

func byAction(list []hallpass.Permission) map[string][]string {
	out := make(map[string][]string)
	for _, p := range list {
		if p.Action != hallpass.ForeignActions {
			out[string(p.Action)] = append(out[string(p.Action)], string(p.Scope))
		}
	}
	return out
}

// selfActions is GET /api/access-control/user/actions.
func (a *API) selfActions(c call, _ none) (map[string]bool, error) {
	list, err := a.admin.PermissionsOf(c.Context(), c.caller, "", admin.PermissionFilter{})
	out := make(map[string]bool)
	for _, p := range list {
		if p.Action != hallpass.ForeignActions {
			out[string(p.Action)] = true
		}
	}
	return out, err
}

// permissionFilter reads ?action|actionPrefix&scope=.
func permissionFilter(c call) (admin.PermissionFilter, error) {
	f := admin.PermissionFilter{Action: hallpass.Action(query(c, "action")), ActionPrefix: query(c, "actionPrefix"), Scope: hallpass.Scope(query(c, "scope"))}
	if (f.Action == "") == (f.ActionPrefix == "") {
		return f, hallpass.Invalidf("action", "provide one of 'action' or 'actionPrefix'")
	}
	return f, nil
}

// searchPermissions is GET /api/access-control/users/permissions/search.
func (a *API) searchPermissions(c call, _ none) (map[string]map[string][]string, error) {
	f, err := permissionFilter(c)
	if err != nil {
		return nil, err
	}
	found, err := a.admin.SearchPermissions(c.Context(), c.caller, f)
	out := make(map[string]map[string][]string, len(found))
	for id, list := range found {
		out[strconv.FormatInt(id, 10)] = byAction(list)
	}
	return out, err
}

// searchUserPermissions is GET /api/access-control/user/{user}/permissions/search.
func (a *API) searchUserPermissions(c call, _ none) (map[string][]string, error) {
	f, err := permissionFilter(c)
	if err != nil {
		return nil, err
	}
	list, err := a.admin.PermissionsOf(c.Context(), c.caller, c.PathValue("user"), f)
	return byAction(list), err
}

// userPermissions is GET /api/access-control/users/{user}/permissions; with
// ?sources=true each permission has its sources.
func (a *API) userPermissions(c call, _ none) ([]wire.EffectivePermission, error) {
	_, list, err := a.admin.Effective(c.Context(), c.caller, c.PathValue("user"))
	out := make([]wire.EffectivePermission, 0, len(list))
	for _, e := range list {
		if e.Action == hallpass.ForeignActions && !flag(c, "sources") {
			continue // Grafana's clients know no such action
		}
		row := wire.EffectivePermission{Action: string(e.Action), Scope: string(e.Scope)}
		if flag(c, "sources") {
			row.Via = sourceRows(e.Sources)
		}
		out = append(out, row)
	}
	return out, err
}

func sourceRows(list []admin.Source) []wire.Source {
	out := make([]wire.Source, 0, len(list))
	for _, s := range list {
		out = append(out, wire.Source{
			Role: s.Role, RoleUID: s.RoleUID, Through: s.Through, Permission: wire.Permission{Action: string(s.Permission.Action), Scope: string(s.Permission.Scope)},
		})
	}
	return out
}

// explain is GET /api/access-control/explain?principal=&action=&scope=.
func (a *API) explain(c call, _ none) (wire.Explanation, error) {
	e, err := a.admin.Explain(c.Context(), c.caller, query(c, "principal"), hallpass.Action(query(c, "action")), hallpass.Scope(query(c, "scope")))
	out := wire.Explanation{
		Allowed: e.Allowed, Cut: e.Cut, Via: sourceRows(e.Via), WouldAllow: make([]string, 0, len(e.WouldAllow)), Taken: string(e.Taken), Nearest: string(e.Nearest),
		Notes: append([]string{}, e.Notes...),
	}
	for _, r := range e.WouldAllow {
		out.WouldAllow = append(out.WouldAllow, r.Name)
	}
	return out, err
}

// describeResource is GET /api/access-control/{resource}/description.
func (a *API) describeResource(r hallpass.Resource) func(call, none) (wire.ResourceDescription, error) {
	return func(c call, _ none) (wire.ResourceDescription, error) {
		out := wire.ResourceDescription{Assignments: wire.ResourceAssignments{
			Users: true, ServiceAccounts: r.BasicRoles(), Teams: r != hallpass.TeamResource, BuiltInRoles: r.BasicRoles(),
		}}
		for _, l := range r.Levels() {
			out.Permissions = append(out.Permissions, string(l))
		}
		return out, a.admin.AuthorizeAccess(c.Context(), c.caller, r)
	}
}

// resourcePermissions is GET /api/access-control/{resource}/{ref}.
func (a *API) resourcePermissions(r hallpass.Resource) func(call, none) ([]wire.ResourcePermission, error) {
	return func(c call, _ none) ([]wire.ResourcePermission, error) {
		list, err := a.admin.Accesses(c.Context(), c.caller, r, c.PathValue("ref"))
		out := make([]wire.ResourcePermission, 0, len(list))
		for _, g := range list {
			out = append(out, accessRow(g))
		}
		return out, err
	}
}

func accessRow(g admin.Access) wire.ResourcePermission {
	row := wire.ResourcePermission{
		ID: int64(g.ID), RoleName: g.To.RoleName(), IsManaged: true, IsInherited: g.Inherited, Permission: string(g.Level), Actions: []string{},
	}
	for _, action := range g.Resource.Actions(g.Level) {
		row.Actions = append(row.Actions, string(action))
	}
	switch g.To.Kind {
	case hallpass.ToTeam:
		row.Team, row.TeamID, row.TeamUID, row.TeamAvatarURL = g.Team.Name, g.To.ID, g.Team.UID, avatarURL(g.Team.Name+"@localhost")
	case hallpass.ToBasicRole:
		row.BuiltInRole = hallpass.Role(g.To.ID).String()
	case hallpass.ToPrincipal:
		p := g.Principal
		row.UserID, row.UserUID, row.UserLogin, row.UserAvatarURL = g.To.ID, p.UID, p.Login, principalAvatar(p)
		row.IsServiceAccount = p.Kind == hallpass.ServiceAccountPrincipal
	}
	return row
}

// setResourcePermissions is POST /api/access-control/{resource}/{ref}.
func (a *API) setResourcePermissions(r hallpass.Resource) func(call, wire.SetResourcePermissions) (wire.Message, error) {
	return func(c call, in wire.SetResourcePermissions) (wire.Message, error) {
		list := make([]admin.NewAccess, 0, len(in.Permissions))
		for _, p := range in.Permissions {
			n := admin.NewAccess{Level: hallpass.Level(p.Permission)}
			switch {
			case p.UserID > 0 && p.TeamID == 0 && p.BuiltInRole == "":
				n.Kind, n.Ref = hallpass.ToPrincipal, strconv.FormatInt(p.UserID, 10)
			case p.TeamID > 0 && p.UserID == 0 && p.BuiltInRole == "":
				n.Kind, n.Ref = hallpass.ToTeam, strconv.FormatInt(p.TeamID, 10)
			case p.BuiltInRole != "" && p.UserID == 0 && p.TeamID == 0:
				n.Kind, n.Ref = hallpass.ToBasicRole, p.BuiltInRole
			default:
				return wire.Message{}, hallpass.Invalidf("permissions", "each permission names one of userId, teamId and builtInRole")
			}
			list = append(list, n)
		}
		return wire.Message{Message: "Permissions updated"}, a.admin.SetAccess(c.Context(), c.caller, r, c.PathValue("ref"), list, false)
	}
}

// setResourcePermission is POST /api/access-control/{resource}/{ref}/users/{to},
// …/teams/{to} and …/builtInRoles/{to}.
func (a *API) setResourcePermission(r hallpass.Resource, kind hallpass.GranteeKind) func(call, wire.SetPermission) (wire.Message, error) {
	return func(c call, in wire.SetPermission) (wire.Message, error) {
		out := wire.Message{Message: "Permission updated"}
		if in.Permission == "" {
			out.Message = "Permission removed"
		}
		n := admin.NewAccess{Kind: kind, Ref: c.PathValue("to"), Level: hallpass.Level(in.Permission)}
		return out, a.admin.SetAccess(c.Context(), c.caller, r, c.PathValue("ref"), []admin.NewAccess{n}, false)
	}
}

// licensed is GET /api/licensing/check: whether the features that Grafana licenses are
// there. In Hallpass they are.
func (a *API) licensed(call, none) (bool, error) { return true, nil }
