package hallpass

import "strings"

// An Action names what is done, as in "serviceaccounts:write".
type Action string

// The actions that something here asks for. The vocabulary is Grafana's,
// "audit:read" ours.
const (
	ServiceAccountsCreate           Action = "serviceaccounts:create"
	ServiceAccountsRead             Action = "serviceaccounts:read"
	ServiceAccountsWrite            Action = "serviceaccounts:write"
	ServiceAccountsDelete           Action = "serviceaccounts:delete"
	ServiceAccountsPermissionsRead  Action = "serviceaccounts.permissions:read"
	ServiceAccountsPermissionsWrite Action = "serviceaccounts.permissions:write"

	OrgsRead             Action = "orgs:read"
	OrgsWrite            Action = "orgs:write"
	OrgsCreate           Action = "orgs:create"
	OrgsDelete           Action = "orgs:delete"
	OrgsPreferencesRead  Action = "orgs.preferences:read"
	OrgsPreferencesWrite Action = "orgs.preferences:write"
	OrgsQuotasRead       Action = "orgs.quotas:read"

	OrgUsersRead   Action = "org.users:read"
	OrgUsersAdd    Action = "org.users:add"
	OrgUsersWrite  Action = "org.users:write"
	OrgUsersRemove Action = "org.users:remove"

	UsersRead             Action = "users:read"
	UsersWrite            Action = "users:write"
	UsersCreate           Action = "users:create"
	UsersDelete           Action = "users:delete"
	UsersEnable           Action = "users:enable"
	UsersDisable          Action = "users:disable"
	UsersLogout           Action = "users:logout"
	UsersPasswordWrite    Action = "users.password:write"
	UsersPermissionsWrite Action = "users.permissions:write"
	UsersPermissionsRead  Action = "users.permissions:read"
	UsersAuthTokenRead    Action = "users.authtoken:read"
	UsersAuthTokenWrite   Action = "users.authtoken:write"
	UsersQuotasRead       Action = "users.quotas:read"
	UsersRolesRead        Action = "users.roles:read"
	UsersRolesAdd         Action = "users.roles:add"
	UsersRolesRemove      Action = "users.roles:remove"

	TeamsCreate           Action = "teams:create"
	TeamsRead             Action = "teams:read"
	TeamsWrite            Action = "teams:write"
	TeamsDelete           Action = "teams:delete"
	TeamsPermissionsRead  Action = "teams.permissions:read"
	TeamsPermissionsWrite Action = "teams.permissions:write"
	TeamsRolesRead        Action = "teams.roles:read"
	TeamsRolesAdd         Action = "teams.roles:add"
	TeamsRolesRemove      Action = "teams.roles:remove"

	RolesRead   Action = "roles:read"
	RolesWrite  Action = "roles:write"
	RolesDelete Action = "roles:delete"

	FoldersCreate           Action = "folders:create"
	FoldersRead             Action = "folders:read"
	FoldersWrite            Action = "folders:write"
	FoldersDelete           Action = "folders:delete"
	FoldersPermissionsRead  Action = "folders.permissions:read"
	FoldersPermissionsWrite Action = "folders.permissions:write"

	DashboardsCreate           Action = "dashboards:create"
	DashboardsRead             Action = "dashboards:read"
	DashboardsWrite            Action = "dashboards:write"
	DashboardsDelete           Action = "dashboards:delete"
	DashboardsPermissionsRead  Action = "dashboards.permissions:read"
	DashboardsPermissionsWrite Action = "dashboards.permissions:write"

	StatusAccessControl Action = "status:accesscontrol"
	AuditRead           Action = "audit:read"
	// ServerStatsRead shows the nodes that share the database.
	ServerStatsRead Action = "server.stats:read"
	// DatasourcesRead lists data sources: there are none here, and clients ask.
	DatasourcesRead Action = "datasources:read"
	SettingsRead    Action = "settings:read"
)

// The scopes that stand for a way of doing things, not for a thing.
const (
	ScopeDelegate      Scope = "permissions:type:delegate" // to give what one holds
	ScopeEscalate      Scope = "permissions:type:escalate" // to give more than that
	ScopeAccessControl Scope = "services:accesscontrol"
)

// ForeignActions stands in a set of permissions for every action outside the
// vocabulary: those that the APIs behind the guard ask for. It is no action
// itself and cannot be given in a role.
const ForeignActions Action = "*"

// The rest of the vocabulary: nothing here asks for these, the fixed roles hold
// them.
const (
	apiKeysRead                 Action = "apikeys:read"
	apiKeysCreate               Action = "apikeys:create"
	apiKeysDelete               Action = "apikeys:delete"
	orgsQuotasWrite             Action = "orgs.quotas:write"
	usersQuotasWrite            Action = "users.quotas:write"
	datasourcesCreate           Action = "datasources:create"
	datasourcesExplore          Action = "datasources:explore"
	datasourcesWrite            Action = "datasources:write"
	datasourcesDelete           Action = "datasources:delete"
	datasourcesQuery            Action = "datasources:query"
	datasourcesIDRead           Action = "datasources.id:read"
	datasourcesPermissionsRead  Action = "datasources.permissions:read"
	datasourcesPermissionsWrite Action = "datasources.permissions:write"
	settingsWrite               Action = "settings:write"
)

// vocabulary is every action that is not foreign.
var vocabulary = func() map[Action]struct{} {
	all := make(map[Action]struct{})
	for _, a := range []Action{
		ServiceAccountsCreate, ServiceAccountsRead, ServiceAccountsWrite, ServiceAccountsDelete, ServiceAccountsPermissionsRead, ServiceAccountsPermissionsWrite,
		OrgsRead, OrgsWrite, OrgsCreate, OrgsDelete, OrgsPreferencesRead, OrgsPreferencesWrite, OrgsQuotasRead, orgsQuotasWrite,
		OrgUsersRead, OrgUsersAdd, OrgUsersWrite, OrgUsersRemove,
		UsersRead, UsersWrite, UsersCreate, UsersDelete, UsersEnable, UsersDisable, UsersLogout, UsersPasswordWrite, UsersPermissionsWrite,
		UsersPermissionsRead, UsersAuthTokenRead, UsersAuthTokenWrite, UsersQuotasRead, usersQuotasWrite, UsersRolesRead, UsersRolesAdd, UsersRolesRemove,
		TeamsCreate, TeamsRead, TeamsWrite, TeamsDelete, TeamsPermissionsRead, TeamsPermissionsWrite, TeamsRolesRead, TeamsRolesAdd, TeamsRolesRemove,
		RolesRead, RolesWrite, RolesDelete,
		FoldersCreate, FoldersRead, FoldersWrite, FoldersDelete, FoldersPermissionsRead, FoldersPermissionsWrite,
		DashboardsCreate, DashboardsRead, DashboardsWrite, DashboardsDelete, DashboardsPermissionsRead, DashboardsPermissionsWrite,
		datasourcesCreate, datasourcesExplore, DatasourcesRead, datasourcesWrite, datasourcesDelete, datasourcesQuery, datasourcesIDRead,
		datasourcesPermissionsRead, datasourcesPermissionsWrite,
		apiKeysRead, apiKeysCreate, apiKeysDelete, SettingsRead, settingsWrite, ServerStatsRead, StatusAccessControl, AuditRead,
	} {
		all[a] = struct{}{}
	}
	return all
}()

// Foreign reports whether a is outside the vocabulary: an action of some API
// behind the guard, as "prometheus:query".
func (a Action) Foreign() bool {
	_, known := vocabulary[a]
	return !known && a != ""
}

// Valid reports whether a has the form of an action: two parts with a ":"
// between, each a small letter and then small letters, digits, dots and dashes.
func (a Action) Valid() bool {
	noun, verb, ok := strings.Cut(string(a), ":")
	return ok && len(a) <= MaxName && actionPart(noun) && actionPart(verb)
}

func actionPart(s string) bool {
	return s != "" && 'a' <= s[0] && s[0] <= 'z' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
