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

// An ActionInfo is a row of the table of actions: what is known about one. The
// vocabulary, the sentences about what somebody may do, the matrix of roles and
// the manual are made of these rows, so that an action is told about in all of
// them or in none.
type ActionInfo struct {
	Action Action
	Area   Area
	Does   string // the verb, as "read"
	About  string // what it is done to, as "teams"
	Level  ActionLevel
	Asked  Asked
	Scopes []Scope // the scopes that are asked for: kinds end in "*"; none: it takes no scope
	Lists  bool    // it is asked for without a scope too, by lists
}

// Words says what somebody may do who holds the action, as "read teams".
func (i ActionInfo) Words() string { return i.Does + " " + i.About }

// An Area is a group of actions about the same things.
type Area string

// The areas, in the order in which they are shown.
const (
	AreaAccounts     Area = "Service accounts"
	AreaMembers      Area = "Members"
	AreaTeams        Area = "Teams"
	AreaRoles        Area = "Roles"
	AreaOrganization Area = "Organization"
	AreaUsers        Area = "Server users"
	AreaFolders      Area = "Folders"
	AreaDashboards   Area = "Dashboards"
	AreaSources      Area = "Data sources"
	AreaOther        Area = "Other" // what is about single things, and the actions of other APIs
)

// Areas lists the areas in the order in which they are shown.
func Areas() []Area {
	return []Area{
		AreaAccounts, AreaMembers, AreaTeams, AreaRoles, AreaOrganization, AreaUsers, AreaFolders, AreaDashboards, AreaSources, AreaOther,
	}
}

// areaThings are what an area is about, as a sentence names it.
var areaThings = map[Area]string{
	AreaAccounts: "service accounts and their tokens", AreaMembers: "members of the organization", AreaTeams: "teams",
	AreaRoles: "roles and who has them", AreaOrganization: "the organization", AreaUsers: "users of the server", AreaFolders: "folders",
	AreaDashboards: "dashboards", AreaSources: "data sources",
}

// An ActionLevel is how much power an action is.
type ActionLevel uint8

// The levels of actions, in the order of power.
const (
	LooksAt  ActionLevel = iota + 1 // it shows something
	Changes                         // it changes, adds or removes something
	Empowers                        // it changes what others may do
)

// String returns the word for the level: "read", "write" or "admin".
func (l ActionLevel) String() string {
	switch l {
	case LooksAt:
		return "read"
	case Changes:
		return "write"
	case Empowers:
		return "admin"
	}
	return ""
}

// Asked says who is asked for an action, and where.
type Asked uint8

// By whom an action can be used.
const (
	AskedNowhere  Asked = iota // by nobody here: only APIs behind Hallpass may ask for it
	AskedOfAll                 // in the organization, by users and service accounts
	AskedOfUsers               // in the organization, by users alone
	AskedOnServer              // on the server as a whole, by users alone
)

// The kinds of scope that actions take.
var (
	ofAccount   = []Scope{"serviceaccounts:id:*"}
	ofMember    = []Scope{"users:id:*"}
	ofEveryone  = []Scope{everyUser} // the demand is for all of them at once
	ofUser      = []Scope{"global.users:id:*"}
	ofTeam      = []Scope{"teams:id:*"}
	ofRole      = []Scope{"roles:uid:*"}
	ofFolder    = []Scope{"folders:uid:*"}
	ofDashboard = []Scope{"dashboards:uid:*", "folders:uid:*"}
	ofSource    = []Scope{"datasources:uid:*"}
	ofKey       = []Scope{"apikeys:id:*"}
	ofSetting   = []Scope{"settings:*"}
	ofGiving    = []Scope{ScopeDelegate}
	ofResetting = []Scope{ScopeEscalate}
	ofNothing   []Scope
)

const (
	accountThings   = "service accounts and their tokens"
	givenRoleThings = "roles of users, service accounts and basic roles"
)

// actionTable is every action that is not foreign. One that is asked for on
// several fixed scopes, for different things, has a row for each; the first counts
// where no scope tells.
var actionTable = []ActionInfo{
	{ServiceAccountsCreate, AreaAccounts, "create", "service accounts", Changes, AskedOfAll, ofNothing, false},
	{ServiceAccountsRead, AreaAccounts, "read", accountThings, LooksAt, AskedOfAll, ofAccount, true},
	{ServiceAccountsWrite, AreaAccounts, "change", accountThings, Changes, AskedOfAll, ofAccount, false},
	{ServiceAccountsDelete, AreaAccounts, "delete", accountThings, Changes, AskedOfAll, ofAccount, false},
	{ServiceAccountsPermissionsRead, AreaAccounts, "read", "who may manage service accounts", LooksAt, AskedOfAll, ofAccount, true},
	{ServiceAccountsPermissionsWrite, AreaAccounts, "change", "who may manage service accounts", Empowers, AskedOfAll, ofAccount, false},

	{OrgUsersRead, AreaMembers, "read", "members of the organization", LooksAt, AskedOfAll, ofMember, true},
	{OrgUsersAdd, AreaMembers, "add", "members of the organization", Changes, AskedOfAll, ofEveryone, false},
	{OrgUsersWrite, AreaMembers, "change", "the basic roles of members", Changes, AskedOfAll, ofMember, false},
	{OrgUsersRemove, AreaMembers, "remove", "members of the organization", Changes, AskedOfAll, ofMember, false},

	{TeamsCreate, AreaTeams, "create", "teams", Changes, AskedOfAll, ofNothing, false},
	{TeamsRead, AreaTeams, "read", "teams", LooksAt, AskedOfAll, ofTeam, true},
	{TeamsWrite, AreaTeams, "change", "teams", Changes, AskedOfAll, ofTeam, false},
	{TeamsDelete, AreaTeams, "delete", "teams", Changes, AskedOfAll, ofTeam, false},
	{TeamsPermissionsRead, AreaTeams, "read", "who is in teams", LooksAt, AskedOfAll, ofTeam, true},
	{TeamsPermissionsWrite, AreaTeams, "change", "who is in teams", Empowers, AskedOfAll, ofTeam, false},

	{RolesRead, AreaRoles, "read", "roles", LooksAt, AskedOfAll, ofRole, true},
	{RolesWrite, AreaRoles, "create and change", "roles", Changes, AskedOfAll, ofGiving, false},
	{RolesWrite, AreaRoles, "reset", "the basic roles", Empowers, AskedOnServer, ofResetting, false},
	{RolesDelete, AreaRoles, "delete", "roles", Changes, AskedOfAll, ofGiving, false},
	{UsersRolesRead, AreaRoles, "read", givenRoleThings, LooksAt, AskedOfAll, ofMember, true},
	{UsersRolesAdd, AreaRoles, "add", givenRoleThings, Empowers, AskedOfAll, ofGiving, false},
	{UsersRolesRemove, AreaRoles, "remove", givenRoleThings, Empowers, AskedOfAll, ofGiving, false},
	{TeamsRolesRead, AreaRoles, "read", "roles of teams", LooksAt, AskedOfAll, ofTeam, true},
	{TeamsRolesAdd, AreaRoles, "add", "roles of teams", Empowers, AskedOfAll, ofGiving, false},
	{TeamsRolesRemove, AreaRoles, "remove", "roles of teams", Empowers, AskedOfAll, ofGiving, false},
	{UsersPermissionsRead, AreaRoles, "read", "what users and accounts may do", LooksAt, AskedOfAll, ofMember, false},
	{StatusAccessControl, AreaRoles, "read", "whether access control is on", LooksAt, AskedOfAll, ofNothing, false},

	{OrgsRead, AreaOrganization, "read", "the organization", LooksAt, AskedOfAll, ofNothing, false},
	{OrgsWrite, AreaOrganization, "change", "the organization", Changes, AskedOfAll, ofNothing, false},
	{OrgsPreferencesRead, AreaOrganization, "read", "preferences of the organization", LooksAt, AskedOfAll, ofNothing, false},
	{OrgsPreferencesWrite, AreaOrganization, "change", "preferences of the organization", Changes, AskedOfAll, ofNothing, false},
	{OrgsQuotasRead, AreaOrganization, "read", "quotas of the organization", LooksAt, AskedOfAll, ofNothing, false},
	{orgsQuotasWrite, AreaOrganization, "change", "quotas of the organization", Changes, AskedNowhere, ofNothing, false},
	{OrgsDelete, AreaOrganization, "delete", "the organization", Changes, AskedOfUsers, ofNothing, false},
	{OrgsCreate, AreaOrganization, "create", "organizations", Changes, AskedOnServer, ofNothing, false},

	{UsersRead, AreaUsers, "read", "users of the server", LooksAt, AskedOnServer, ofUser, true},
	{UsersCreate, AreaUsers, "create", "users of the server", Changes, AskedOnServer, ofNothing, false},
	{UsersWrite, AreaUsers, "change", "users of the server", Changes, AskedOnServer, ofUser, false},
	{UsersDelete, AreaUsers, "delete", "users of the server", Changes, AskedOnServer, ofUser, false},
	{UsersEnable, AreaUsers, "enable", "users of the server", Changes, AskedOnServer, ofUser, false},
	{UsersDisable, AreaUsers, "disable", "users of the server", Changes, AskedOnServer, ofUser, false},
	{UsersLogout, AreaUsers, "sign out", "users of the server", Changes, AskedOnServer, ofUser, false},
	{UsersPasswordWrite, AreaUsers, "change", "passwords of users", Empowers, AskedOnServer, ofUser, false},
	{UsersPermissionsWrite, AreaUsers, "change", "who is a server admin", Empowers, AskedOnServer, ofUser, false},
	{UsersAuthTokenRead, AreaUsers, "read", "sessions of users", LooksAt, AskedOnServer, ofUser, false},
	{UsersAuthTokenWrite, AreaUsers, "end", "sessions of users", Changes, AskedOnServer, ofUser, false},
	{UsersQuotasRead, AreaUsers, "read", "quotas of users", LooksAt, AskedNowhere, ofUser, false},
	{usersQuotasWrite, AreaUsers, "change", "quotas of users", Changes, AskedNowhere, ofUser, false},

	{FoldersCreate, AreaFolders, "create", "folders", Changes, AskedOfAll, ofFolder, false},
	{FoldersRead, AreaFolders, "read", "folders", LooksAt, AskedOfAll, ofFolder, false},
	{FoldersWrite, AreaFolders, "change", "folders", Changes, AskedOfAll, ofFolder, false},
	{FoldersDelete, AreaFolders, "delete", "folders", Changes, AskedOfAll, ofFolder, false},
	{FoldersPermissionsRead, AreaFolders, "read", "who may use folders", LooksAt, AskedOfAll, ofFolder, true},
	{FoldersPermissionsWrite, AreaFolders, "change", "who may use folders", Empowers, AskedOfAll, ofFolder, false},

	{DashboardsCreate, AreaDashboards, "create", "dashboards", Changes, AskedOfAll, ofFolder, false},
	{DashboardsRead, AreaDashboards, "read", "dashboards", LooksAt, AskedOfAll, ofDashboard, false},
	{DashboardsWrite, AreaDashboards, "change", "dashboards", Changes, AskedOfAll, ofDashboard, false},
	{DashboardsDelete, AreaDashboards, "delete", "dashboards", Changes, AskedOfAll, ofDashboard, false},
	{DashboardsPermissionsRead, AreaDashboards, "read", "who may use dashboards", LooksAt, AskedOfAll, ofDashboard, true},
	{DashboardsPermissionsWrite, AreaDashboards, "change", "who may use dashboards", Empowers, AskedOfAll, ofDashboard, false},

	{datasourcesCreate, AreaSources, "create", "data sources", Changes, AskedNowhere, ofNothing, false},
	{DatasourcesRead, AreaSources, "read", "data sources", LooksAt, AskedOfAll, ofSource, true},
	{datasourcesWrite, AreaSources, "change", "data sources", Changes, AskedNowhere, ofSource, false},
	{datasourcesDelete, AreaSources, "delete", "data sources", Changes, AskedNowhere, ofSource, false},
	{datasourcesQuery, AreaSources, "query", "data sources", LooksAt, AskedNowhere, ofSource, false},
	{datasourcesExplore, AreaSources, "explore", "data sources", LooksAt, AskedNowhere, ofNothing, false},
	{datasourcesIDRead, AreaSources, "read", "ids of data sources", LooksAt, AskedNowhere, ofSource, false},
	{datasourcesPermissionsRead, AreaSources, "read", "who may use data sources", LooksAt, AskedNowhere, ofSource, false},
	{datasourcesPermissionsWrite, AreaSources, "change", "who may use data sources", Empowers, AskedNowhere, ofSource, false},

	{AuditRead, AreaOther, "read", "the audit log", LooksAt, AskedOfAll, ofNothing, false},
	{ServerStatsRead, AreaOther, "read", "the nodes and statistics of the server", LooksAt, AskedOnServer, ofNothing, false},
	{SettingsRead, AreaOther, "read", "the settings of the server", LooksAt, AskedOnServer, ofSetting, true},
	{settingsWrite, AreaOther, "change", "the settings of the server", Changes, AskedNowhere, ofSetting, false},
	{apiKeysRead, AreaOther, "read", "API keys", LooksAt, AskedNowhere, ofKey, false},
	{apiKeysCreate, AreaOther, "create", "API keys", Changes, AskedNowhere, ofNothing, false},
	{apiKeysDelete, AreaOther, "delete", "API keys", Changes, AskedNowhere, ofKey, false},
}

// Actions returns the table of actions, by area. The slice is shared and must
// not be changed.
func Actions() []ActionInfo { return actionTable }

// vocabulary finds an action's row in the table.
var vocabulary = func() map[Action]int {
	all := make(map[Action]int, len(actionTable))
	for i, row := range actionTable {
		if _, ok := all[row.Action]; !ok {
			all[row.Action] = i
		}
	}
	return all
}()

// Info returns the action's row of the table; false for a foreign action.
func (a Action) Info() (ActionInfo, bool) {
	i, ok := vocabulary[a]
	if !ok {
		return ActionInfo{}, false
	}
	return actionTable[i], true
}

// Foreign reports whether a is outside the vocabulary: an action of some API
// behind the guard, as "prometheus:query".
func (a Action) Foreign() bool {
	_, known := vocabulary[a]
	return !known && a != ""
}

// Nearest returns the known action that a is perhaps a slip of: one that it
// differs from by a few letters, or one about the same things. False when a is
// known itself, or like none.
func (a Action) Nearest() (Action, bool) {
	if !a.Foreign() || a == ForeignActions || len(a) > MaxName {
		return "", false
	}
	noun, verb, _ := strings.Cut(strings.ToLower(strings.TrimSpace(string(a))), ":")
	best, least := Action(""), 0
	for _, row := range actionTable {
		n, v, _ := strings.Cut(string(row.Action), ":")
		off := Distance(noun, n)
		if off > len(n)/4+1 || off*2 > len(noun) {
			continue
		}
		if off = off*4 + Distance(verb, v); best == "" || off < least {
			best, least = row.Action, off
		}
	}
	return best, best != ""
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
