package hallpass

import "strings"

// An Action names what is done, as in "serviceaccounts:write".
type Action string

// The actions that Hallpass itself demands. The vocabulary is Grafana's; "audit:read"
// and those of guards are ours.
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

	GuardsRead   Action = "guards:read"
	GuardsWrite  Action = "guards:write"
	GuardsDelete Action = "guards:delete"
	GuardsTest   Action = "guards:test"

	// TokensIntrospect tells another API whose a token is that the API was given.
	TokensIntrospect Action = "tokens:introspect"

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

// ForeignActions, in a set of permissions, permits every action outside the
// vocabulary: those that the APIs behind the guard demand. It is not an action and
// cannot be given in a role.
const ForeignActions Action = "*"

// The rest of the vocabulary: the fixed roles hold these actions, and Hallpass itself
// never demands them.
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

// An ActionInfo is a row of the table of actions. The vocabulary, the sentences about
// what somebody may do, the matrix of roles and the manual are made from these rows,
// so that an action is in all of them or in none.
type ActionInfo struct {
	Action Action
	Area   Area
	Verb   string // the verb, as "read"
	Object string // what it is done to, as "teams"
	Level  ActionLevel
	Usable Usability
	Scopes []Scope // the scopes that are asked for: kinds end in "*"; none: it takes no scope
	Lists  bool    // it is asked for without a scope too, by lists
}

// Words says what somebody may do who holds the action, as "read teams".
func (i ActionInfo) Words() string { return i.Verb + " " + i.Object }

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
	AreaGuards       Area = "Guards"
	AreaOther        Area = "Other" // what is about single things, and the actions of other APIs
)

// Areas lists the areas in the order in which they are shown.
func Areas() []Area {
	return []Area{
		AreaAccounts, AreaMembers, AreaTeams, AreaRoles, AreaOrganization, AreaUsers, AreaFolders, AreaDashboards, AreaSources, AreaGuards, AreaOther,
	}
}

// areaThings are what an area is about, as a sentence names it.
var areaThings = map[Area]string{
	AreaAccounts: "service accounts and their tokens", AreaMembers: "members of the organization", AreaTeams: "teams",
	AreaRoles: "roles and who has them", AreaOrganization: "the organization", AreaUsers: "users of the server", AreaFolders: "folders",
	AreaDashboards: "dashboards", AreaSources: "data sources", AreaGuards: "guards of other APIs",
}

// An ActionLevel is how much power an action is.
type ActionLevel uint8

// The levels of actions, in the order of power.
const (
	Reads    ActionLevel = iota + 1 // it shows something
	Changes                         // it changes, adds or removes something
	Empowers                        // it changes what others may do
)

// String returns the word for the level: "read", "write" or "admin".
func (l ActionLevel) String() string {
	switch l {
	case Reads:
		return "read"
	case Changes:
		return "write"
	case Empowers:
		return "admin"
	}
	return ""
}

// Usability says who may use an action, and where.
type Usability uint8

// By whom an action can be used.
const (
	UsableNowhere  Usability = iota // by nobody here: only APIs behind Hallpass may ask for it
	UsableByAll                     // in the organization, by users and service accounts
	UsableByUsers                   // in the organization, by users alone
	UsableOnServer                  // on the server as a whole, by users alone
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
	ofGuard     = []Scope{"guards:uid:*"}
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
	{ServiceAccountsCreate, AreaAccounts, "create", "service accounts", Changes, UsableByAll, ofNothing, false},
	{ServiceAccountsRead, AreaAccounts, "read", accountThings, Reads, UsableByAll, ofAccount, true},
	{ServiceAccountsWrite, AreaAccounts, "change", accountThings, Changes, UsableByAll, ofAccount, false},
	{ServiceAccountsDelete, AreaAccounts, "delete", accountThings, Changes, UsableByAll, ofAccount, false},
	{ServiceAccountsPermissionsRead, AreaAccounts, "read", "who may manage service accounts", Reads, UsableByAll, ofAccount, true},
	{ServiceAccountsPermissionsWrite, AreaAccounts, "change", "who may manage service accounts", Empowers, UsableByAll, ofAccount, false},

	{OrgUsersRead, AreaMembers, "read", "members of the organization", Reads, UsableByAll, ofMember, true},
	{OrgUsersAdd, AreaMembers, "add", "members of the organization", Changes, UsableByAll, ofEveryone, false},
	{OrgUsersWrite, AreaMembers, "change", "the basic roles of members", Changes, UsableByAll, ofMember, false},
	{OrgUsersRemove, AreaMembers, "remove", "members of the organization", Changes, UsableByAll, ofMember, false},

	{TeamsCreate, AreaTeams, "create", "teams", Changes, UsableByAll, ofNothing, false},
	{TeamsRead, AreaTeams, "read", "teams", Reads, UsableByAll, ofTeam, true},
	{TeamsWrite, AreaTeams, "change", "teams", Changes, UsableByAll, ofTeam, false},
	{TeamsDelete, AreaTeams, "delete", "teams", Changes, UsableByAll, ofTeam, false},
	{TeamsPermissionsRead, AreaTeams, "read", "who is in teams", Reads, UsableByAll, ofTeam, true},
	{TeamsPermissionsWrite, AreaTeams, "change", "who is in teams", Empowers, UsableByAll, ofTeam, false},

	{RolesRead, AreaRoles, "read", "roles", Reads, UsableByAll, ofRole, true},
	{RolesWrite, AreaRoles, "create and change", "roles", Changes, UsableByAll, ofGiving, false},
	{RolesWrite, AreaRoles, "reset", "the basic roles", Empowers, UsableOnServer, ofResetting, false},
	{RolesDelete, AreaRoles, "delete", "roles", Changes, UsableByAll, ofGiving, false},
	{UsersRolesRead, AreaRoles, "read", givenRoleThings, Reads, UsableByAll, ofMember, true},
	{UsersRolesAdd, AreaRoles, "add", givenRoleThings, Empowers, UsableByAll, ofGiving, false},
	{UsersRolesRemove, AreaRoles, "remove", givenRoleThings, Empowers, UsableByAll, ofGiving, false},
	{TeamsRolesRead, AreaRoles, "read", "roles of teams", Reads, UsableByAll, ofTeam, true},
	{TeamsRolesAdd, AreaRoles, "add", "roles of teams", Empowers, UsableByAll, ofGiving, false},
	{TeamsRolesRemove, AreaRoles, "remove", "roles of teams", Empowers, UsableByAll, ofGiving, false},
	{UsersPermissionsRead, AreaRoles, "read", "what users and accounts may do", Reads, UsableByAll, ofMember, false},
	{StatusAccessControl, AreaRoles, "read", "whether access control is on", Reads, UsableByAll, ofNothing, false},

	{OrgsRead, AreaOrganization, "read", "the organization", Reads, UsableByAll, ofNothing, false},
	{OrgsWrite, AreaOrganization, "change", "the organization", Changes, UsableByAll, ofNothing, false},
	{OrgsPreferencesRead, AreaOrganization, "read", "preferences of the organization", Reads, UsableByAll, ofNothing, false},
	{OrgsPreferencesWrite, AreaOrganization, "change", "preferences of the organization", Changes, UsableByAll, ofNothing, false},
	{OrgsQuotasRead, AreaOrganization, "read", "quotas of the organization", Reads, UsableByAll, ofNothing, false},
	{orgsQuotasWrite, AreaOrganization, "change", "quotas of the organization", Changes, UsableNowhere, ofNothing, false},
	{OrgsDelete, AreaOrganization, "delete", "the organization", Changes, UsableByUsers, ofNothing, false},
	{OrgsCreate, AreaOrganization, "create", "organizations", Changes, UsableOnServer, ofNothing, false},

	{UsersRead, AreaUsers, "read", "users of the server", Reads, UsableOnServer, ofUser, true},
	{UsersCreate, AreaUsers, "create", "users of the server", Changes, UsableOnServer, ofNothing, false},
	{UsersWrite, AreaUsers, "change", "users of the server", Changes, UsableOnServer, ofUser, false},
	{UsersDelete, AreaUsers, "delete", "users of the server", Changes, UsableOnServer, ofUser, false},
	{UsersEnable, AreaUsers, "enable", "users of the server", Changes, UsableOnServer, ofUser, false},
	{UsersDisable, AreaUsers, "disable", "users of the server", Changes, UsableOnServer, ofUser, false},
	{UsersLogout, AreaUsers, "sign out", "users of the server", Changes, UsableOnServer, ofUser, false},
	{UsersPasswordWrite, AreaUsers, "change", "passwords of users", Empowers, UsableOnServer, ofUser, false},
	{UsersPermissionsWrite, AreaUsers, "change", "who is a server admin", Empowers, UsableOnServer, ofUser, false},
	{UsersAuthTokenRead, AreaUsers, "read", "sessions of users", Reads, UsableOnServer, ofUser, false},
	{UsersAuthTokenWrite, AreaUsers, "end", "sessions of users", Changes, UsableOnServer, ofUser, false},
	{UsersQuotasRead, AreaUsers, "read", "quotas of users", Reads, UsableNowhere, ofUser, false},
	{usersQuotasWrite, AreaUsers, "change", "quotas of users", Changes, UsableNowhere, ofUser, false},

	{FoldersCreate, AreaFolders, "create", "folders", Changes, UsableByAll, ofFolder, false},
	{FoldersRead, AreaFolders, "read", "folders", Reads, UsableByAll, ofFolder, false},
	{FoldersWrite, AreaFolders, "change", "folders", Changes, UsableByAll, ofFolder, false},
	{FoldersDelete, AreaFolders, "delete", "folders", Changes, UsableByAll, ofFolder, false},
	{FoldersPermissionsRead, AreaFolders, "read", "who may use folders", Reads, UsableByAll, ofFolder, true},
	{FoldersPermissionsWrite, AreaFolders, "change", "who may use folders", Empowers, UsableByAll, ofFolder, false},

	{DashboardsCreate, AreaDashboards, "create", "dashboards", Changes, UsableByAll, ofFolder, false},
	{DashboardsRead, AreaDashboards, "read", "dashboards", Reads, UsableByAll, ofDashboard, false},
	{DashboardsWrite, AreaDashboards, "change", "dashboards", Changes, UsableByAll, ofDashboard, false},
	{DashboardsDelete, AreaDashboards, "delete", "dashboards", Changes, UsableByAll, ofDashboard, false},
	{DashboardsPermissionsRead, AreaDashboards, "read", "who may use dashboards", Reads, UsableByAll, ofDashboard, true},
	{DashboardsPermissionsWrite, AreaDashboards, "change", "who may use dashboards", Empowers, UsableByAll, ofDashboard, false},

	{datasourcesCreate, AreaSources, "create", "data sources", Changes, UsableNowhere, ofNothing, false},
	{DatasourcesRead, AreaSources, "read", "data sources", Reads, UsableByAll, ofSource, true},
	{datasourcesWrite, AreaSources, "change", "data sources", Changes, UsableNowhere, ofSource, false},
	{datasourcesDelete, AreaSources, "delete", "data sources", Changes, UsableNowhere, ofSource, false},
	{datasourcesQuery, AreaSources, "query", "data sources", Reads, UsableNowhere, ofSource, false},
	{datasourcesExplore, AreaSources, "explore", "data sources", Reads, UsableNowhere, ofNothing, false},
	{datasourcesIDRead, AreaSources, "read", "ids of data sources", Reads, UsableNowhere, ofSource, false},
	{datasourcesPermissionsRead, AreaSources, "read", "who may use data sources", Reads, UsableNowhere, ofSource, false},
	{datasourcesPermissionsWrite, AreaSources, "change", "who may use data sources", Empowers, UsableNowhere, ofSource, false},

	{GuardsRead, AreaGuards, "read", "guards", Reads, UsableByAll, ofGuard, true},
	{GuardsTest, AreaGuards, "test", "guards", Reads, UsableByAll, ofGuard, false},
	{GuardsWrite, AreaGuards, "create and change", "guards", Empowers, UsableByAll, ofGuard, false},
	{GuardsDelete, AreaGuards, "delete", "guards", Changes, UsableByAll, ofGuard, false},

	{TokensIntrospect, AreaOther, "read", "whose tokens other APIs are given", Reads, UsableByAll, ofNothing, false},
	{AuditRead, AreaOther, "read", "the audit log", Reads, UsableByAll, ofNothing, false},
	{ServerStatsRead, AreaOther, "read", "the nodes and statistics of the server", Reads, UsableOnServer, ofNothing, false},
	{SettingsRead, AreaOther, "read", "the settings of the server", Reads, UsableOnServer, ofSetting, true},
	{settingsWrite, AreaOther, "change", "the settings of the server", Changes, UsableNowhere, ofSetting, false},
	{apiKeysRead, AreaOther, "read", "API keys", Reads, UsableNowhere, ofKey, false},
	{apiKeysCreate, AreaOther, "create", "API keys", Changes, UsableNowhere, ofNothing, false},
	{apiKeysDelete, AreaOther, "delete", "API keys", Changes, UsableNowhere, ofKey, false},
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

// Reads reports whether a only looks, by its verb, the part after the last ":". That is
// so for foreign actions too. ActionLevel says how much power an action is instead: one
// that only shows something may have another verb.
func (a Action) Reads() bool {
	switch a[strings.LastIndexByte(string(a), ':')+1:] {
	case "read", "query", "list", "get", "view", "search", "explore", "test":
		return true
	}
	return false
}

// Nearest returns the known action that may be meant by a mistyped a: one that
// differs by a few letters, or one about the same things. It is false when a is
// known, or like no known action.
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
