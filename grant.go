package hallpass

import (
	"strconv"
	"strings"
	"time"
)

// A Grant is a level of access to one resource, given to one principal, team or
// basic role: what Grafana calls a managed permission. There is at most one for
// a resource and grantee. A Grant is a plain value.
type Grant struct {
	ID         GrantID
	Org        OrgID
	Resource   Resource
	ResourceID string // a service account's ID in decimal, a folder's or dashboard's uid
	To         Grantee
	Level      Level
	CreatedAt  time.Time
}

// A Grantee is whom something is given to.
type Grantee struct {
	Kind GranteeKind
	ID   int64 // of the principal or team; the number of the basic role
}

// GranteeKind tells the kinds of grantee apart.
type GranteeKind string

// The kinds of grantee. A basic role stands for everybody who has it or a
// higher one.
const (
	ToPrincipal GranteeKind = "principal"
	ToTeam      GranteeKind = "team"
	ToBasicRole GranteeKind = "basic"
)

// BasicGrantee returns the basic role of that name as a grantee. It is false for
// a name that no basic role has, and for None, which would be everybody.
func BasicGrantee(name string) (Grantee, bool) {
	role, ok := ParseRole(name)
	return Grantee{ToBasicRole, int64(role)}, ok && role != RoleNone
}

// A Resource is a kind of thing that access can be granted to, one by one.
type Resource string

// The kinds of resource. Access to a team is membership in it.
const (
	ServiceAccountResource Resource = "serviceaccounts"
	TeamResource           Resource = "teams"
	FolderResource         Resource = "folders"
	DashboardResource      Resource = "dashboards"
)

// A Level is how much access a Grant gives.
type Level string

// The levels; not every resource has each.
const (
	LevelView   Level = "View"
	LevelEdit   Level = "Edit"
	LevelAdmin  Level = "Admin"
	LevelMember Level = "Member"
)

// resourceRule is what can be granted on a kind of resource.
type resourceRule struct {
	scope      string // before the resource's ID
	levels     []Level
	actions    map[Level][]Action
	basicRoles bool // whether basic roles can be given access
	read       Action
	write      Action
}

var (
	dashboardView  = []Action{DashboardsRead}
	dashboardEdit  = joinActions(dashboardView, DashboardsWrite, DashboardsDelete)
	dashboardAdmin = joinActions(dashboardEdit, DashboardsPermissionsRead, DashboardsPermissionsWrite)
	folderView     = joinActions(dashboardView, FoldersRead)
	folderEdit     = joinActions(dashboardEdit, FoldersRead, FoldersWrite, FoldersDelete, FoldersCreate, DashboardsCreate)
	folderAdmin    = joinActions(folderEdit, DashboardsPermissionsRead, DashboardsPermissionsWrite, FoldersPermissionsRead, FoldersPermissionsWrite)
	accountEdit    = []Action{ServiceAccountsRead, ServiceAccountsWrite}
	accountAdmin   = joinActions(accountEdit, ServiceAccountsDelete, ServiceAccountsPermissionsRead, ServiceAccountsPermissionsWrite)
	teamMember     = []Action{TeamsRead}
	teamAdmin      = joinActions(teamMember, TeamsWrite, TeamsDelete, TeamsPermissionsRead, TeamsPermissionsWrite)

	resourceRules = map[Resource]resourceRule{
		ServiceAccountResource: {
			"serviceaccounts:id:", []Level{LevelEdit, LevelAdmin}, map[Level][]Action{LevelEdit: accountEdit, LevelAdmin: accountAdmin},
			false, ServiceAccountsPermissionsRead, ServiceAccountsPermissionsWrite,
		},
		TeamResource: {
			"teams:id:", []Level{LevelMember, LevelAdmin}, map[Level][]Action{LevelMember: teamMember, LevelAdmin: teamAdmin},
			false, TeamsPermissionsRead, TeamsPermissionsWrite,
		},
		FolderResource: {
			"folders:uid:", []Level{LevelView, LevelEdit, LevelAdmin},
			map[Level][]Action{LevelView: folderView, LevelEdit: folderEdit, LevelAdmin: folderAdmin},
			true, FoldersPermissionsRead, FoldersPermissionsWrite,
		},
		DashboardResource: {
			"dashboards:uid:", []Level{LevelView, LevelEdit, LevelAdmin},
			map[Level][]Action{LevelView: dashboardView, LevelEdit: dashboardEdit, LevelAdmin: dashboardAdmin},
			true, DashboardsPermissionsRead, DashboardsPermissionsWrite,
		},
	}
)

func joinActions(a []Action, more ...Action) []Action {
	return append(append([]Action(nil), a...), more...)
}

// Levels lists the levels of access to r, the least first. The slice is shared
// and must not be changed.
func (r Resource) Levels() []Level { return resourceRules[r].levels }

// Actions lists what the level permits on a resource of kind r; nil when r has
// no such level. The slice is shared and must not be changed.
func (r Resource) Actions(l Level) []Action { return resourceRules[r].actions[l] }

// BasicRoles reports whether basic roles can be given access to r.
func (r Resource) BasicRoles() bool { return resourceRules[r].basicRoles }

// PermissionsRead and PermissionsWrite return the actions that looking at and
// changing the access to a resource of kind r demand.
func (r Resource) PermissionsRead() Action  { return resourceRules[r].read }
func (r Resource) PermissionsWrite() Action { return resourceRules[r].write }

// Scope returns the scope of the resource with that ID.
func (r Resource) Scope(id string) Scope { return Scope(resourceRules[r].scope + id) }

// ResourceOf returns the resource that a scope names by itself: not one that
// stands for several.
func (s Scope) ResourceOf() (r Resource, id string, ok bool) {
	for r, rule := range resourceRules {
		if id, ok := strings.CutPrefix(string(s), rule.scope); ok && id != "" && !strings.HasSuffix(id, "*") {
			return r, id, true
		}
	}
	return "", "", false
}

// Permissions returns what g permits.
func (g Grant) Permissions() []Permission {
	scope := g.Resource.Scope(g.ResourceID)
	var list []Permission
	for _, a := range g.Resource.Actions(g.Level) {
		list = append(list, Permission{a, scope})
	}
	return list
}

// RoleName is the name under which Grafana shows where a managed permission
// comes from.
func (g Grantee) RoleName() string {
	switch g.Kind {
	case ToTeam:
		return "managed:teams:" + strconv.FormatInt(g.ID, 10) + ":permissions"
	case ToBasicRole:
		return "managed:builtins:" + strings.ToLower(Role(g.ID).String()) + ":permissions"
	}
	return "managed:users:" + strconv.FormatInt(g.ID, 10) + ":permissions"
}
