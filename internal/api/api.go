package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Options sets up an API.
type Options struct {
	Admin    *admin.Admin
	Library  *library.Library
	Verify   *verify.Verifier
	Node     *node.Node
	Cookies  httpd.Cookies
	Base     httpd.Base // the path below which clients reach the server; empty: the whole host
	Basic    bool       // take users' passwords as Basic credentials ([auth.basic] enabled)
	Commit   string     // the version of Hallpass; /api/health shows it as the commit
	Ready    func() Readiness
	Refusals func(hallpass.GuardID) []hallpass.GuardRefusal // the last requests that this node refused for a guard, newest first; nil: none
	Jobs     func() []hallpass.Job                          // background work of the server; nil: none
	Stop     <-chan struct{}                                // closed when the server drains: streams end then
}

// An API answers the JSON calls.
type API struct {
	admin    *admin.Admin
	library  *library.Library
	verify   *verify.Verifier
	node     *node.Node
	cookies  httpd.Cookies
	basic    bool
	health   health
	answers  orgAnswers
	ready    func() Readiness
	refusals func(hallpass.GuardID) []hallpass.GuardRefusal
	jobs     func() []hallpass.Job
	stop     <-chan struct{}
	base     httpd.Base // below which clients reach the server
	contract []byte
	docs     []byte // the page /docs
	mux      *http.ServeMux
	names    *http.ServeMux // the paths below orgNames and folderIDs
}

// Below orgNames a path has the name of an org, not its number; below folderIDs it has
// the number of a folder, not its uid. One mux for all paths could not tell whether
// "/api/orgs/name/users" is the org "users" or the members of the org "name", nor
// whether "/api/folders/id/7" is the folder 7 or a part of the folder "id", so these
// paths have their own mux.
const (
	orgNames  = "/api/orgs/name/"
	folderIDs = "/api/folders/id/"
)

// New returns the handler of every path the API serves.
func New(o Options) *API {
	a := &API{
		admin: o.Admin, library: o.Library, verify: o.Verify, node: o.Node, cookies: o.Cookies, basic: o.Basic,
		health: health{commit: o.Commit, ready: o.Ready}, ready: o.Ready, refusals: o.Refusals, jobs: o.Jobs, stop: o.Stop,
		mux: http.NewServeMux(), names: http.NewServeMux(),
		base: o.Base, contract: contractBelow(o.Base), docs: o.Base.Links(docsPage),
	}
	if a.refusals == nil {
		a.refusals = func(hallpass.GuardID) []hallpass.GuardRefusal { return nil }
	}
	for _, r := range a.routes() {
		_, path, _ := strings.Cut(r.pattern, " ")
		a.muxOf(path).Handle(r.pattern, r.handler)
		if r.absent {
			a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { httpd.WriteError(w, r, errNotFound) })
		}
	}
	a.mux.HandleFunc("/", a.unknown)
	a.names.HandleFunc("/", a.unknown)
	return a
}

func (a *API) muxOf(path string) *http.ServeMux {
	number, folder := strings.CutPrefix(path, folderIDs)
	if strings.HasPrefix(path, orgNames) || folder && (number == "{number}" || number != "" && strings.Trim(number, "0123456789") == "") {
		return a.names
	}
	return a.mux
}

// routes lists every route with its rule. A path that is not in this list is not served.
func (a *API) routes() []route {
	return slices.Concat(
		a.openRoutes(), a.orgRoutes(), a.userRoutes(), a.teamRoutes(), a.accountRoutes(), a.inventoryRoutes(), a.roleRoutes(), a.permissionRoutes(), a.treeRoutes(), a.guardRoutes(), a.channelRoutes(), a.attentionRoutes(), a.tokenPolicyRoutes(), a.otherRoutes(), a.absentRoutes(),
	)
}

// The rules of routes, and functions that make them.
var (
	signedIn = rule{}
	anyUser  = rule{usersOnly: true}
)

func may(action hallpass.Action) rule           { return rule{action: action} }
func mayOnAccount(action hallpass.Action) rule  { return rule{action: action, account: true} }
func mayOnResource(action hallpass.Action) rule { return rule{action: action, resource: true} }
func mayOnServer(action hallpass.Action) rule {
	return rule{action: action, server: true, usersOnly: true}
}
func mayInOrg(action hallpass.Action) rule { return rule{action: action, org: true} }
func mayInOrgOnly(action hallpass.Action) rule {
	return rule{action: action, org: true, usersOnly: true}
}

// bodyMayBeAbsent returns the rule of a route whose body is optional.
func (r rule) bodyMayBeAbsent() rule {
	r.bodyOptional = true
	return r
}

func (a *API) openRoutes() []route {
	return []route{
		open("GET /api/health", a.health.serve),
		open("GET /healthz", a.healthz),
		open("GET /readyz", a.readyz),
		open("GET /openapi.json", a.serveContract),
		open("GET /docs", a.serveDocs),
		open("GET /docs.css", serveDocsCSS),
	}
}

func (a *API) orgRoutes() []route {
	return []route{
		endpoint(a, "GET /api/org", 200, may(hallpass.OrgsRead), a.org),
		endpoint(a, "PUT /api/org", 200, may(hallpass.OrgsWrite), a.renameOrg),
		endpoint(a, "PUT /api/org/address", 200, may(hallpass.OrgsWrite), a.setOrgAddress),
		endpoint(a, "GET /api/org/quotas", 200, may(hallpass.OrgsQuotasRead), a.orgQuotas),
		endpoint(a, "GET /api/org/preferences", 200, may(hallpass.OrgsPreferencesRead), a.orgPreferences),
		endpoint(a, "PUT /api/org/preferences", 200, may(hallpass.OrgsPreferencesWrite), a.setOrgPreferences),
		endpoint(a, "PATCH /api/org/preferences", 200, may(hallpass.OrgsPreferencesWrite), a.patchOrgPreferences),
		endpoint(a, "GET /api/org/users", 200, may(hallpass.OrgUsersRead), a.orgUsers),
		endpoint(a, "GET /api/org/users/search", 200, may(hallpass.OrgUsersRead), a.searchOrgUsers),
		endpoint(a, "GET /api/org/users/lookup", 200, may(hallpass.OrgUsersRead), a.lookupOrgUsers),
		endpoint(a, "POST /api/org/users", 200, may(hallpass.OrgUsersAdd), a.addOrgUser),
		endpoint(a, "PATCH /api/org/users/{user}", 200, may(hallpass.OrgUsersWrite), a.updateOrgUser),
		endpoint(a, "DELETE /api/org/users/{user}", 200, may(hallpass.OrgUsersRemove), a.removeOrgUser),

		endpoint(a, "GET /api/orgs", 200, mayOnServer(hallpass.OrgsRead), a.orgs),
		endpoint(a, "POST /api/orgs", 200, mayOnServer(hallpass.OrgsCreate), a.createOrg),
		endpoint(a, "GET /api/orgs/name/{name}", 200, rule{action: hallpass.OrgsRead, resource: true}, a.orgByName),
		endpoint(a, "GET /api/orgs/{org}", 200, mayInOrg(hallpass.OrgsRead), a.org),
		endpoint(a, "PUT /api/orgs/{org}", 200, mayInOrgOnly(hallpass.OrgsWrite), a.renameOrg),
		endpoint(a, "PUT /api/orgs/{org}/address", 200, mayInOrgOnly(hallpass.OrgsWrite), a.setOrgAddress),
		endpoint(a, "DELETE /api/orgs/{org}", 200, mayInOrgOnly(hallpass.OrgsDelete), a.deleteOrg),
		endpoint(a, "GET /api/orgs/{org}/quotas", 200, mayInOrg(hallpass.OrgsQuotasRead), a.orgQuotas),
		endpoint(a, "GET /api/orgs/{org}/users", 200, mayInOrg(hallpass.OrgUsersRead), a.orgUsers),
		endpoint(a, "GET /api/orgs/{org}/users/search", 200, mayInOrg(hallpass.OrgUsersRead), a.searchOrgUsers),
		endpoint(a, "POST /api/orgs/{org}/users", 200, mayInOrg(hallpass.OrgUsersAdd), a.addOrgUser),
		endpoint(a, "PATCH /api/orgs/{org}/users/{user}", 200, mayInOrg(hallpass.OrgUsersWrite), a.updateOrgUser),
		endpoint(a, "DELETE /api/orgs/{org}/users/{user}", 200, mayInOrg(hallpass.OrgUsersRemove), a.removeOrgUser),
	}
}

func (a *API) userRoutes() []route {
	return []route{
		endpoint(a, "GET /api/user", 200, signedIn, a.self),
		endpoint(a, "PUT /api/user", 200, anyUser, a.updateSelf),
		endpoint(a, "PUT /api/user/password", 200, anyUser, a.changePassword),
		endpoint(a, "GET /api/user/orgs", 200, anyUser, a.selfOrgs),
		endpoint(a, "GET /api/user/teams", 200, anyUser, a.selfTeams),
		endpoint(a, "POST /api/user/using/{target}", 200, anyUser, a.useOrg),
		endpoint(a, "GET /api/user/preferences", 200, anyUser, a.selfPreferences),
		endpoint(a, "PUT /api/user/preferences", 200, anyUser, a.setSelfPreferences),
		endpoint(a, "PATCH /api/user/preferences", 200, anyUser, a.patchSelfPreferences),
		endpoint(a, "GET /api/user/auth-tokens", 200, anyUser, a.selfSessions),
		endpoint(a, "POST /api/user/revoke-auth-token", 200, anyUser, a.endSelfSession),
		endpoint(a, "GET /api/login/ping", 200, signedIn, a.ping),

		endpoint(a, "GET /api/users", 200, mayOnServer(hallpass.UsersRead), a.users),
		endpoint(a, "GET /api/users/search", 200, mayOnServer(hallpass.UsersRead), a.searchUsers),
		endpoint(a, "GET /api/users/lookup", 200, mayOnServer(hallpass.UsersRead), a.lookupUser),
		endpoint(a, "GET /api/users/{user}", 200, mayOnServer(hallpass.UsersRead), a.user),
		endpoint(a, "GET /api/users/{user}/orgs", 200, mayOnServer(hallpass.UsersRead), a.userOrgs),
		endpoint(a, "GET /api/users/{user}/teams", 200, mayOnServer(hallpass.UsersRead), a.userTeams),
		endpoint(a, "PUT /api/users/{user}", 200, mayOnServer(hallpass.UsersWrite), a.updateUser),
		endpoint(a, "POST /api/users/{user}/using/{target}", 200, mayOnServer(hallpass.UsersWrite), a.setUserOrg),

		endpoint(a, "GET /api/admin/nodes", 200, mayOnServer(hallpass.ServerStatsRead), a.nodes),
		endpoint(a, "GET /api/admin/stats", 200, mayOnServer(hallpass.ServerStatsRead), a.adminStats),
		endpoint(a, "GET /api/admin/settings", 200, mayOnServer(hallpass.SettingsRead), a.adminSettings),
		endpoint(a, "POST /api/admin/users", 200, mayOnServer(hallpass.UsersCreate), a.createUser),
		endpoint(a, "DELETE /api/admin/users/{user}", 200, mayOnServer(hallpass.UsersDelete), a.deleteUser),
		endpoint(a, "PUT /api/admin/users/{user}/password", 200, mayOnServer(hallpass.UsersPasswordWrite), a.setUserPassword),
		endpoint(a, "PUT /api/admin/users/{user}/permissions", 200, mayOnServer(hallpass.UsersPermissionsWrite), a.setServerAdmin),
		endpoint(a, "POST /api/admin/users/{user}/disable", 200, mayOnServer(hallpass.UsersDisable), a.disableUser),
		endpoint(a, "POST /api/admin/users/{user}/enable", 200, mayOnServer(hallpass.UsersEnable), a.enableUser),
		endpoint(a, "POST /api/admin/users/{user}/logout", 200, mayOnServer(hallpass.UsersLogout), a.logoutUser),
		endpoint(a, "GET /api/admin/users/{user}/auth-tokens", 200, mayOnServer(hallpass.UsersAuthTokenRead), a.userSessions),
		endpoint(a, "POST /api/admin/users/{user}/revoke-auth-token", 200, mayOnServer(hallpass.UsersAuthTokenWrite), a.endUserSession),
	}
}

func (a *API) teamRoutes() []route {
	return []route{
		endpoint(a, "POST /api/teams", 200, may(hallpass.TeamsCreate), a.createTeam),
		endpoint(a, "GET /api/teams/search", 200, may(hallpass.TeamsRead), a.teams),
		endpoint(a, "GET /api/teams/{team}", 200, may(hallpass.TeamsRead), a.team),
		endpoint(a, "PUT /api/teams/{team}", 200, may(hallpass.TeamsWrite), a.updateTeam),
		endpoint(a, "DELETE /api/teams/{team}", 200, may(hallpass.TeamsDelete), a.deleteTeam),
		endpoint(a, "GET /api/teams/{team}/members", 200, may(hallpass.TeamsPermissionsRead), a.teamMembers),
		endpoint(a, "POST /api/teams/{team}/members", 200, may(hallpass.TeamsPermissionsWrite), a.addTeamMember),
		endpoint(a, "PUT /api/teams/{team}/members", 200, may(hallpass.TeamsPermissionsWrite), a.setTeamMembers),
		endpoint(a, "PUT /api/teams/{team}/members/{user}", 200, may(hallpass.TeamsPermissionsWrite), a.updateTeamMember),
		endpoint(a, "DELETE /api/teams/{team}/members/{user}", 200, may(hallpass.TeamsPermissionsWrite), a.removeTeamMember),
		endpoint(a, "GET /api/teams/{team}/preferences", 200, may(hallpass.TeamsRead), a.teamPreferences),
		endpoint(a, "PUT /api/teams/{team}/preferences", 200, may(hallpass.TeamsWrite), a.setTeamPreferences),
		endpoint(a, "GET /api/teams/{team}/groups", 200, may(hallpass.TeamsPermissionsRead), a.teamGroups),
		endpoint(a, "POST /api/teams/{team}/groups", 200, may(hallpass.TeamsPermissionsWrite), a.addTeamGroup),
		endpoint(a, "DELETE /api/teams/{team}/groups", 200, may(hallpass.TeamsPermissionsWrite), a.deleteTeamGroup),
		endpoint(a, "DELETE /api/teams/{team}/groups/{group}", 200, may(hallpass.TeamsPermissionsWrite), a.deleteTeamGroup),
	}
}

func (a *API) accountRoutes() []route {
	return []route{
		endpoint(a, "POST /api/serviceaccounts", 201, may(hallpass.ServiceAccountsCreate), a.createServiceAccount),
		endpoint(a, "GET /api/serviceaccounts/search", 200, may(hallpass.ServiceAccountsRead), a.serviceAccounts),
		endpoint(a, "GET /api/serviceaccounts/{id}", 200, mayOnAccount(hallpass.ServiceAccountsRead), a.serviceAccount),
		endpoint(a, "PATCH /api/serviceaccounts/{id}", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.updateServiceAccount),
		endpoint(a, "DELETE /api/serviceaccounts/{id}", 200, mayOnAccount(hallpass.ServiceAccountsDelete), a.deleteServiceAccount),

		endpoint(a, "GET /api/serviceaccounts/{id}/tokens", 200, mayOnAccount(hallpass.ServiceAccountsRead).taking(plain("page", "perpage", "query"), oneOf("state", hallpass.TokenStates())), a.tokens),
		endpoint(a, "POST /api/serviceaccounts/{id}/tokens", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.createToken),
		endpoint(a, "PATCH /api/serviceaccounts/{id}/tokens/{token}", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.updateToken),
		endpoint(a, "POST /api/serviceaccounts/{id}/tokens/{token}/rotate", 200, mayOnAccount(hallpass.ServiceAccountsWrite).bodyMayBeAbsent(), a.rotateToken),
		endpoint(a, "POST /api/serviceaccounts/{id}/tokens/{token}/retire", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.retireToken),
		endpoint(a, "POST /api/serviceaccounts/{id}/tokens/{token}/rotation/extend", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.extendRotation),
		endpoint(a, "POST /api/serviceaccounts/{id}/tokens/{token}/rotation/undo", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.undoRotation),
		endpoint(a, "POST /api/tokens/self/rotate", 200, signedIn.bodyMayBeAbsent(), a.rotateSelf),
		endpoint(a, "DELETE /api/serviceaccounts/{id}/tokens/{token}", 200, mayOnAccount(hallpass.ServiceAccountsWrite), a.deleteToken),
		endpoint(a, "GET /api/serviceaccounts/{id}/tokens/{token}/usage", 200, mayOnAccount(hallpass.ServiceAccountsRead).taking(plain("days")), a.tokenUsage),
		endpoint(a, "GET /api/serviceaccounts/{id}/permissions/used", 200, mayOnAccount(hallpass.ServiceAccountsRead).taking(plain("days")), a.usedPermissions),
		endpoint(a, "GET /api/serviceaccounts/{id}/impact", 200, mayOnAccount(hallpass.ServiceAccountsRead).taking(plain("action", "days")), a.impact),
		stream(a, "GET /api/serviceaccounts/{id}/tokens/{token}/events", mayOnAccount(hallpass.ServiceAccountsRead).taking(plain("since")), a.tokenEvents),
	}
}

func (a *API) roleRoutes() []route {
	return []route{
		endpoint(a, "GET /api/access-control/status", 200, rule{action: hallpass.StatusAccessControl}, a.accessControlStatus),
		endpoint(a, "GET /api/access-control/roles", 200, may(hallpass.RolesRead), a.roles),
		endpoint(a, "POST /api/access-control/roles", 201, may(hallpass.RolesWrite), a.createRole),
		endpoint(a, "POST /api/access-control/roles/hard-reset", 200, mayOnServer(hallpass.RolesWrite), a.resetRoles),
		endpoint(a, "GET /api/access-control/roles/{role}", 200, may(hallpass.RolesRead), a.role),
		endpoint(a, "PUT /api/access-control/roles/{role}", 200, may(hallpass.RolesWrite), a.updateRole),
		endpoint(a, "DELETE /api/access-control/roles/{role}", 200, may(hallpass.RolesDelete), a.deleteRole),
		endpoint(a, "GET /api/access-control/roles/{role}/assignments", 200, may(hallpass.UsersRolesRead), a.roleAssignments),
		endpoint(a, "PUT /api/access-control/roles/{role}/assignments", 200, may(hallpass.UsersRolesAdd), a.setRoleAssignments),

		endpoint(a, "GET /api/access-control/users/{user}/roles", 200, may(hallpass.UsersRolesRead), a.userRolesList),
		endpoint(a, "POST /api/access-control/users/{user}/roles", 200, may(hallpass.UsersRolesAdd), a.addUserRole),
		endpoint(a, "PUT /api/access-control/users/{user}/roles", 200, may(hallpass.UsersRolesAdd), a.setUserRoles),
		endpoint(a, "DELETE /api/access-control/users/{user}/roles/{role}", 200, may(hallpass.UsersRolesRemove), a.removeUserRole),
		endpoint(a, "POST /api/access-control/users/roles/search", 200, may(hallpass.UsersRolesRead), a.searchUserRoles),
		endpoint(a, "GET /api/access-control/users/{user}/permissions", 200, may(hallpass.UsersPermissionsRead).taking(flags("sources")), a.userPermissions),

		endpoint(a, "GET /api/access-control/teams/{team}/roles", 200, may(hallpass.TeamsRolesRead), a.teamRolesList),
		endpoint(a, "POST /api/access-control/teams/{team}/roles", 200, may(hallpass.TeamsRolesAdd), a.addTeamRole),
		endpoint(a, "PUT /api/access-control/teams/{team}/roles", 200, may(hallpass.TeamsRolesAdd), a.setTeamRoles),
		endpoint(a, "DELETE /api/access-control/teams/{team}/roles/{role}", 200, may(hallpass.TeamsRolesRemove), a.removeTeamRole),
		endpoint(a, "POST /api/access-control/teams/roles/search", 200, may(hallpass.TeamsRolesRead), a.searchTeamRoles),

		endpoint(a, "GET /api/access-control/builtin-roles", 200, may(hallpass.RolesRead), a.builtInRoles),
		endpoint(a, "POST /api/access-control/builtin-roles", 200, may(hallpass.UsersRolesAdd), a.addBuiltInRole),
		endpoint(a, "DELETE /api/access-control/builtin-roles/{builtin}/roles/{role}", 200, may(hallpass.UsersRolesRemove), a.removeBuiltInRole),

		endpoint(a, "GET /api/access-control/user/permissions", 200, signedIn, a.selfPermissions),
		endpoint(a, "GET /api/access-control/user/actions", 200, signedIn, a.selfActions),
		endpoint(a, "GET /api/access-control/users/permissions/search", 200, may(hallpass.UsersPermissionsRead), a.searchPermissions),
		endpoint(a, "GET /api/access-control/user/{user}/permissions/search", 200, may(hallpass.UsersPermissionsRead), a.searchUserPermissions),
		endpoint(a, "GET /api/access-control/explain", 200, signedIn.taking(plain("principal", "action", "scope")), a.explain),
	}
}

// permissionRoutes are the routes of access to single resources.
func (a *API) permissionRoutes() []route {
	var list []route
	for _, r := range []hallpass.Resource{hallpass.ServiceAccountResource, hallpass.TeamResource, hallpass.FolderResource, hallpass.DashboardResource} {
		at := "/api/access-control/" + string(r)
		read, write := mayOnResource(r.PermissionsRead()), mayOnResource(r.PermissionsWrite())
		list = append(list,
			endpoint(a, "GET "+at+"/description", 200, read, a.describeResource(r)),
			endpoint(a, "GET "+at+"/{ref}", 200, read, a.resourcePermissions(r)),
			endpoint(a, "POST "+at+"/{ref}", 200, write, a.setResourcePermissions(r)),
			endpoint(a, "POST "+at+"/{ref}/users/{to}", 200, write, a.setResourcePermission(r, hallpass.ToPrincipal)),
		)
		if r != hallpass.TeamResource {
			list = append(list, endpoint(a, "POST "+at+"/{ref}/teams/{to}", 200, write, a.setResourcePermission(r, hallpass.ToTeam)))
		}
		if r.BasicRoles() {
			list = append(list, endpoint(a, "POST "+at+"/{ref}/builtInRoles/{to}", 200, write, a.setResourcePermission(r, hallpass.ToBasicRole)))
		}
	}
	return list
}

// treeRoutes are the routes of folders and dashboards.
func (a *API) treeRoutes() []route {
	save := rule{action: hallpass.DashboardsWrite, resource: true, dashboard: true}
	return []route{
		endpoint(a, "GET /api/folders", 200, mayOnResource(hallpass.FoldersRead), a.folders),
		endpoint(a, "POST /api/folders", 200, mayOnResource(hallpass.FoldersCreate), a.createFolder),
		endpoint(a, "GET /api/folders/id/{number}", 200, mayOnResource(hallpass.FoldersRead), a.folderByID),
		endpoint(a, "GET /api/folders/{folder}", 200, mayOnResource(hallpass.FoldersRead), a.folder),
		endpoint(a, "PUT /api/folders/{folder}", 200, mayOnResource(hallpass.FoldersWrite), a.updateFolder),
		endpoint(a, "POST /api/folders/{folder}/move", 200, mayOnResource(hallpass.FoldersWrite), a.moveFolder),
		endpoint(a, "DELETE /api/folders/{folder}", 200, mayOnResource(hallpass.FoldersDelete), a.deleteFolder),
		endpoint(a, "GET /api/folders/{folder}/counts", 200, mayOnResource(hallpass.FoldersRead), a.folderCounts),
		endpoint(a, "GET /api/folders/{ref}/permissions", 200, mayOnResource(hallpass.FoldersPermissionsRead), a.acl(hallpass.FolderResource)),
		endpoint(a, "POST /api/folders/{ref}/permissions", 200, mayOnResource(hallpass.FoldersPermissionsWrite), a.setACL(hallpass.FolderResource, "Folder permissions updated")),

		endpoint(a, "POST /api/dashboards/db", 200, save, a.saveDashboard),
		endpoint(a, "POST /api/dashboards/import", 200, save, a.importDashboard),
		endpoint(a, "GET /api/dashboards/home", 200, mayOnResource(hallpass.DashboardsRead), a.homeDashboard),
		endpoint(a, "GET /api/dashboards/tags", 200, mayOnResource(hallpass.DashboardsRead), a.tags),
		endpoint(a, "GET /api/dashboards/uid/{dashboard}", 200, mayOnResource(hallpass.DashboardsRead), a.dashboard),
		endpoint(a, "DELETE /api/dashboards/uid/{dashboard}", 200, mayOnResource(hallpass.DashboardsDelete), a.deleteDashboard),
		endpoint(a, "GET /api/dashboards/uid/{dashboard}/versions", 200, mayOnResource(hallpass.DashboardsWrite), a.dashboardVersions),
		endpoint(a, "GET /api/dashboards/uid/{dashboard}/versions/{version}", 200, mayOnResource(hallpass.DashboardsWrite), a.dashboardVersion),
		endpoint(a, "POST /api/dashboards/uid/{dashboard}/restore", 200, mayOnResource(hallpass.DashboardsWrite), a.restoreDashboard),
		endpoint(a, "GET /api/dashboards/uid/{ref}/permissions", 200, mayOnResource(hallpass.DashboardsPermissionsRead), a.acl(hallpass.DashboardResource)),
		endpoint(a, "POST /api/dashboards/uid/{ref}/permissions", 200, mayOnResource(hallpass.DashboardsPermissionsWrite), a.setACL(hallpass.DashboardResource, "Dashboard permissions updated")),

		endpoint(a, "GET /api/dashboards/id/{number}/versions", 200, mayOnResource(hallpass.DashboardsWrite), byNumber(a, "dashboard", a.dashboardVersions)),
		endpoint(a, "GET /api/dashboards/id/{number}/versions/{version}", 200, mayOnResource(hallpass.DashboardsWrite), byNumber(a, "dashboard", a.dashboardVersion)),
		endpoint(a, "POST /api/dashboards/id/{number}/restore", 200, mayOnResource(hallpass.DashboardsWrite), byNumber(a, "dashboard", a.restoreDashboard)),
		endpoint(a, "GET /api/dashboards/id/{number}/permissions", 200, mayOnResource(hallpass.DashboardsPermissionsRead), byNumber(a, "ref", a.acl(hallpass.DashboardResource))),
		endpoint(a, "POST /api/dashboards/id/{number}/permissions", 200, mayOnResource(hallpass.DashboardsPermissionsWrite), byNumber(a, "ref", a.setACL(hallpass.DashboardResource, "Dashboard permissions updated"))),

		endpoint(a, "GET /api/search", 200, mayOnResource(hallpass.DashboardsRead), a.search),
		endpoint(a, "GET /api/search/sorting", 200, signedIn, a.sorting),
	}
}

func (a *API) guardRoutes() []route {
	return []route{
		endpoint(a, "GET /api/guards", 200, may(hallpass.GuardsRead).taking(plain("query", "page", "perpage")), a.guards),
		endpoint(a, "POST /api/guards", 201, may(hallpass.GuardsWrite), a.createGuard),
		endpoint(a, "GET /api/guards/{guard}", 200, mayOnResource(hallpass.GuardsRead), a.guard),
		endpoint(a, "PUT /api/guards/{guard}", 200, may(hallpass.GuardsWrite), a.updateGuard),
		endpoint(a, "DELETE /api/guards/{guard}", 200, mayOnResource(hallpass.GuardsDelete), a.deleteGuard),
		endpoint(a, "POST /api/guards/{guard}/test", 200, mayOnResource(hallpass.GuardsTest), a.testGuard),
		endpoint(a, "GET /api/guards/{guard}/usage", 200, mayOnResource(hallpass.GuardsRead).taking(plain("days")), a.guardUsage),
	}
}

func (a *API) channelRoutes() []route {
	return []route{
		endpoint(a, "GET /api/org/notifications", 200, may(hallpass.OrgsWrite), a.notifications),
		endpoint(a, "POST /api/org/notifications", 201, may(hallpass.OrgsWrite), a.createChannel),
		endpoint(a, "GET /api/org/notifications/{channel}", 200, may(hallpass.OrgsWrite), a.channel),
		endpoint(a, "PATCH /api/org/notifications/{channel}", 200, may(hallpass.OrgsWrite), a.updateChannel),
		endpoint(a, "DELETE /api/org/notifications/{channel}", 200, may(hallpass.OrgsWrite), a.deleteChannel),
		endpoint(a, "POST /api/org/notifications/{channel}/test", 200, may(hallpass.OrgsWrite), a.testChannel),
		endpoint(a, "POST /api/org/notifications/{channel}/retry", 200, may(hallpass.OrgsWrite), a.retryNotices),
		endpoint(a, "GET /api/org/notifications/{channel}/messages", 200, may(hallpass.OrgsWrite).taking(oneOf("state", hallpass.NoticeStates()), plain("limit", "after")), a.deliveries),
		endpoint(a, "POST /api/org/notifications/{channel}/messages/{message}/retry", 200, may(hallpass.OrgsWrite), a.retryNotice),
	}
}

func (a *API) otherRoutes() []route {
	return []route{
		endpoint(a, "GET /api/frontend/settings", 200, signedIn, a.frontendSettings),
		endpoint(a, "GET /api/licensing/check", 200, signedIn, a.licensed),
		auditRoute(a),

		endpoint(a, "GET /api/auth/keys", 200, signedIn, alwaysEmpty("[]")),
		endpoint(a, "/api/auth/keys", 200, signedIn, a.oldKeys),
		endpoint(a, "/api/auth/keys/{rest...}", 200, signedIn, a.oldKeys),
	}
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.muxOf(r.URL.Path).ServeHTTP(w, r)
}

var (
	errNotFound   = &hallpass.Error{Kind: hallpass.NotFound, Message: "Not found"}
	errMethod     = &hallpass.Error{Kind: hallpass.Invalid, ID: "request.method-not-allowed", Message: "Method not allowed"}
	methodsServed = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
)

// unknown answers a request that no route takes: 405 with Allow when the path takes
// other methods, else 404.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range methodsServed {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := a.muxOf(r.URL.Path).Handler(probe); pattern != "/" && pattern != "" {
			allow = append(allow, m)
		}
	}
	if len(allow) == 0 {
		httpd.WriteError(w, r, errNotFound)
		return
	}
	if allow[0] == http.MethodGet {
		allow = append(allow, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	httpd.WriteError(w, r, errMethod)
}
