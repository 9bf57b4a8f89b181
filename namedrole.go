package hallpass

import (
	"crypto/sha1" // #nosec G505 -- makes the uids of fixed roles, as Grafana does; protects nothing
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A NamedRole is a set of permissions with a name, which can be given to users,
// service accounts, teams and basic roles: a basic, fixed or custom one. A
// NamedRole is a plain value.
type NamedRole struct {
	Org         OrgID  // zero: global, there in every org
	UID         string // unique in the org, together with the global ones
	Name        string // unique in the same way, case-folded
	DisplayName string
	Description string
	Group       string
	Hidden      bool
	Version     int64 // counts the updates of a custom or basic role, from 1
	Permissions []Permission
	File        string // the provisioning file that declares it; empty: none does
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Global reports whether the role is there in every org.
func (r NamedRole) Global() bool { return r.Org == 0 }

// Fixed reports whether the role is one of the product's own, which nobody can
// change.
func (r NamedRole) Fixed() bool { return strings.HasPrefix(r.UID, "fixed_") }

// Basic reports whether the role is what a basic role permits.
func (r NamedRole) Basic() bool { return strings.HasPrefix(r.UID, "basic_") }

// MayChangeRole reports whether the caller may change r, as long as it holds what
// r permits. A fixed role cannot be changed; a global one takes the permission on
// the server.
func (c Caller) MayChangeRole(r NamedRole) bool { return !r.Fixed() && c.mayWithRole(RolesWrite, r) }

// MayDeleteRole reports the same of deleting r: only custom roles can be deleted.
func (c Caller) MayDeleteRole(r NamedRole) bool {
	return !r.Fixed() && !r.Basic() && c.mayWithRole(RolesDelete, r)
}

func (c Caller) mayWithRole(action Action, r NamedRole) bool {
	if r.Global() {
		return c.CanOnServer(action, ScopeDelegate)
	}
	return c.Can(action, ScopeDelegate)
}

// MayReadAssignments reports whether the caller may read who has which role.
func (c Caller) MayReadAssignments() bool {
	return c.Can(UsersRolesRead, "") && c.Can(TeamsRolesRead, "")
}

// Editable returns the permissions of the role that can be given and taken away:
// all but ForeignActions, which only a basic role holds and which stays in it.
func (r NamedRole) Editable() []Permission {
	return slices.DeleteFunc(slices.Clone(r.Permissions), func(p Permission) bool { return p.Action == ForeignActions })
}

// Scope returns the scope of the role.
func (r NamedRole) Scope() Scope { return Scope("roles:uid:" + r.UID) }

// BasicRoles returns the basic roles as they are unless they were changed, and
// that of server admins.
func BasicRoles() []NamedRole {
	var all []NamedRole
	for _, r := range Roles() {
		all = append(all, NamedRole{
			UID: r.UID(), Name: "basic:" + strings.ToLower(r.String()), DisplayName: r.String(), Group: "Basic", Hidden: true, Version: 1,
			Description: "What everybody with the basic role " + r.String() + " may do", Permissions: basicPermissions(r),
		})
	}
	return append(all, NamedRole{
		UID: ServerAdminUID, Name: "basic:grafana_admin", DisplayName: "Server admin", Group: "Basic", Hidden: true, Version: 1,
		Description: "What server admins may do on the server and in every organization", Permissions: serverAdminPermissions(),
	})
}

// FixedRoles returns the product's own roles, by name. The slice is shared and
// must not be changed.
func FixedRoles() []NamedRole { return fixedRoles }

// FixedRole returns the fixed role with that uid.
func FixedRole(uid string) (NamedRole, bool) {
	i, ok := fixedByUID[uid]
	if !ok {
		return NamedRole{}, false
	}
	return fixedRoles[i], true
}

// fixedUID is Grafana's way to a fixed role's uid.
func fixedUID(name string) string {
	sum := sha1.Sum([]byte(name)) // #nosec G401 -- see the import
	return "fixed_" + base64.RawURLEncoding.EncodeToString(sum[:])
}

var fixedRoles, fixedByUID = func() ([]NamedRole, map[string]int) {
	var all []NamedRole
	for _, f := range fixedTable {
		name := "fixed:" + f.name
		all = append(all, NamedRole{
			UID: fixedUID(name), Name: name, DisplayName: f.display, Group: f.group, Version: 1, Permissions: f.permissions,
			Description: NewPermissions(f.permissions...).Power(Nobody, nil).Short(),
		})
	}
	slices.SortFunc(all, func(a, b NamedRole) int { return strings.Compare(a.Name, b.Name) })
	index := make(map[string]int)
	for i, r := range all {
		index[r.UID] = i
	}
	return all, index
}()

// fixed is a row of the table of fixed roles.
type fixed struct {
	name, group, display string
	permissions          []Permission
}

// on returns the actions, each on the scope.
func on(scope Scope, actions ...Action) []Permission {
	var list []Permission
	for _, a := range actions {
		list = append(list, Permission{a, scope})
	}
	return list
}

func join(lists ...[]Permission) []Permission {
	var all []Permission
	for _, l := range lists {
		for _, p := range l {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// What the fixed roles carry: Grafana's, so that what was written for it means
// the same here (http-api.md section 5.3).
var (
	everyAccount   = Scope("serviceaccounts:*")
	everyUser      = Scope("users:*")
	everyoneGlobal = Scope("global.users:*")
	everyTeam      = Scope("teams:*")
	everyFolder    = Scope("folders:*")
	everyDashboard = Scope("dashboards:*")
	everySource    = Scope("datasources:*")
	rootFolder     = FolderResource.Scope(RootFolder)

	accountsReader            = on(everyAccount, ServiceAccountsRead)
	accountsCreator           = on("", ServiceAccountsCreate)
	accountsPermissionsReader = on(everyAccount, ServiceAccountsPermissionsRead)
	accountsPermissionsWriter = on(everyAccount, ServiceAccountsPermissionsRead, ServiceAccountsPermissionsWrite)
	accountsWriter            = join(accountsReader, accountsCreator, on(everyAccount, ServiceAccountsWrite, ServiceAccountsDelete), accountsPermissionsWriter)

	orgUsersReader = on(everyUser, OrgUsersRead)
	orgUsersWriter = join(orgUsersReader, on(everyUser, OrgUsersAdd, OrgUsersWrite, OrgUsersRemove))

	organizationReader     = on("", OrgsRead, OrgsQuotasRead)
	organizationWriter     = join(organizationReader, on("", OrgsWrite, OrgsPreferencesRead, OrgsPreferencesWrite))
	organizationMaintainer = join(organizationReader, on("", OrgsCreate, OrgsWrite, OrgsDelete, orgsQuotasWrite))

	usersReader = on(everyoneGlobal, UsersRead, UsersQuotasRead, UsersAuthTokenRead)
	usersWriter = join(usersReader, on("", UsersCreate), on(everyoneGlobal, UsersWrite, UsersDelete, UsersEnable, UsersDisable, UsersLogout,
		UsersPasswordWrite, UsersPermissionsWrite, UsersAuthTokenWrite, usersQuotasWrite))

	teamsCreator = join(on("", TeamsCreate), orgUsersReader)
	teamsReader  = on(everyTeam, TeamsRead)
	teamsWriter  = join(on("", TeamsCreate), on(everyTeam, TeamsRead, TeamsWrite, TeamsDelete, TeamsPermissionsRead, TeamsPermissionsWrite))

	foldersCreator           = on(rootFolder, FoldersCreate)
	foldersReader            = on(everyFolder, FoldersRead, DashboardsRead)
	foldersPermissionsReader = on(everyFolder, FoldersPermissionsRead)
	foldersPermissionsWriter = on(everyFolder, FoldersPermissionsRead, FoldersPermissionsWrite)
	foldersWriter            = join(foldersReader, on(everyFolder, FoldersWrite, FoldersCreate, FoldersDelete, DashboardsWrite, DashboardsCreate,
		DashboardsDelete, DashboardsPermissionsRead, DashboardsPermissionsWrite), foldersPermissionsWriter)

	dashboardsCreator           = join(on(rootFolder, DashboardsCreate, FoldersRead))
	dashboardsReader            = on(everyDashboard, DashboardsRead)
	dashboardsPermissionsReader = on(everyDashboard, DashboardsPermissionsRead)
	dashboardsPermissionsWriter = on(everyDashboard, DashboardsPermissionsRead, DashboardsPermissionsWrite)
	dashboardsWriter            = join(dashboardsReader, on(everyDashboard, DashboardsWrite, DashboardsDelete), on(everyFolder, DashboardsCreate),
		dashboardsPermissionsWriter)

	sourcesReader            = on(everySource, DatasourcesRead, datasourcesQuery)
	sourcesCreator           = on("", datasourcesCreate)
	sourcesWriter            = join(sourcesReader, sourcesCreator, on(everySource, datasourcesWrite, datasourcesDelete))
	sourcesPermissionsReader = on(everySource, datasourcesPermissionsRead)
	sourcesPermissionsWriter = on(everySource, datasourcesPermissionsRead, datasourcesPermissionsWrite)
	sourcesIDReader          = on(everySource, datasourcesIDRead)
	sourcesExplorer          = on("", datasourcesExplore)

	rolesReader = join(on("roles:*", RolesRead), on(everyTeam, TeamsRolesRead), on(everyUser, UsersRolesRead, UsersPermissionsRead))
	rolesWriter = join(rolesReader, on(ScopeDelegate, RolesWrite, RolesDelete, UsersRolesAdd, UsersRolesRemove, TeamsRolesAdd, TeamsRolesRemove))
	rolesReset  = on(ScopeEscalate, RolesWrite)

	settingsReader = on("settings:*", SettingsRead)
	settingsWriter = join(settingsReader, on("settings:*", settingsWrite))
	statsReader    = on("", ServerStatsRead)
	guardsReader   = on("guards:uid:*", GuardsRead)
	guardsWriter   = join(guardsReader, on("guards:uid:*", GuardsTest, GuardsWrite, GuardsDelete))
	keysReader     = on("apikeys:*", apiKeysRead)
	keysWriter     = join(keysReader, on("", apiKeysCreate), on("apikeys:*", apiKeysDelete))
)

var fixedTable = []fixed{
	{"serviceaccounts:reader", "Service accounts", "Reader", accountsReader},
	{"serviceaccounts:creator", "Service accounts", "Creator", accountsCreator},
	{"serviceaccounts:writer", "Service accounts", "Writer", accountsWriter},
	{"serviceaccounts.permissions:reader", "Service accounts", "Permissions reader", accountsPermissionsReader},
	{"serviceaccounts.permissions:writer", "Service accounts", "Permissions writer", accountsPermissionsWriter},
	{"org.users:reader", "Organization", "Users reader", orgUsersReader},
	{"org.users:writer", "Organization", "Users writer", orgUsersWriter},
	{"organization:reader", "Organization", "Reader", organizationReader},
	{"organization:writer", "Organization", "Writer", organizationWriter},
	{"organization:maintainer", "Organization", "Maintainer", organizationMaintainer},
	{"users:reader", "Users", "Reader", usersReader},
	{"users:writer", "Users", "Writer", usersWriter},
	{"teams:creator", "Teams", "Creator", teamsCreator},
	{"teams:read", "Teams", "Reader", teamsReader},
	{"teams:writer", "Teams", "Writer", teamsWriter},
	{"folders:creator", "Folders", "Creator", foldersCreator},
	{"folders:reader", "Folders", "Reader", foldersReader},
	{"folders:writer", "Folders", "Writer", foldersWriter},
	{"folders.general:reader", "Folders", "Root reader", on(rootFolder, FoldersRead)},
	{"folders.permissions:reader", "Folders", "Permissions reader", foldersPermissionsReader},
	{"folders.permissions:writer", "Folders", "Permissions writer", foldersPermissionsWriter},
	{"dashboards:creator", "Dashboards", "Creator", dashboardsCreator},
	{"dashboards:reader", "Dashboards", "Reader", dashboardsReader},
	{"dashboards:writer", "Dashboards", "Writer", dashboardsWriter},
	{"dashboards.permissions:reader", "Dashboards", "Permissions reader", dashboardsPermissionsReader},
	{"dashboards.permissions:writer", "Dashboards", "Permissions writer", dashboardsPermissionsWriter},
	{"datasources:reader", "Data sources", "Reader", sourcesReader},
	{"datasources:writer", "Data sources", "Writer", sourcesWriter},
	{"datasources:creator", "Data sources", "Creator", sourcesCreator},
	{"datasources:explorer", "Data sources", "Explorer", sourcesExplorer},
	{"datasources.id:reader", "Data sources", "ID reader", sourcesIDReader},
	{"datasources.permissions:reader", "Data sources", "Permissions reader", sourcesPermissionsReader},
	{"datasources.permissions:writer", "Data sources", "Permissions writer", sourcesPermissionsWriter},
	{"roles:reader", "Roles", "Reader", rolesReader},
	{"roles:writer", "Roles", "Writer", rolesWriter},
	{"roles:resetter", "Roles", "Resetter", rolesReset},
	{"guards:reader", "Guards", "Reader", guardsReader},
	{"guards:writer", "Guards", "Writer", guardsWriter},
	{"tokens:introspector", "Service accounts", "Token introspector", on("", TokensIntrospect)},
	{"settings:reader", "Settings", "Reader", settingsReader},
	{"settings:writer", "Settings", "Writer", settingsWriter},
	{"stats:reader", "Statistics", "Reader", statsReader},
	{"apikeys:reader", "API keys", "Reader", keysReader},
	{"apikeys:writer", "API keys", "Writer", keysWriter},
}

// basicPermissions lists what a basic role carries (docs/decisions/0004-basic-roles.md).
func basicPermissions(r Role) []Permission {
	var list []Permission
	if r >= RoleViewer {
		list = join(organizationReader, on(rootFolder, FoldersRead), sourcesReader, sourcesIDReader)
	}
	if r >= RoleEditor {
		list = join(list, dashboardsCreator, foldersCreator, sourcesExplorer)
	}
	if r >= RoleAdmin {
		list = join(list, accountsWriter, orgUsersWriter, organizationWriter, teamsCreator, teamsWriter, foldersWriter, dashboardsWriter,
			sourcesWriter, sourcesPermissionsWriter, keysWriter, guardsWriter, rolesWriter, on("", AuditRead, TokensIntrospect), on(ScopeAccessControl, StatusAccessControl),
			on("*", ForeignActions))
	}
	return list
}

func serverAdminPermissions() []Permission {
	return join(usersWriter, organizationMaintainer, organizationWriter, orgUsersWriter, settingsReader, statsReader, rolesWriter, rolesReset,
		on("", AuditRead), on(ScopeAccessControl, StatusAccessControl))
}

// Limits on custom roles.
const (
	maxRoleText        = 1024
	MaxRolePermissions = 2000
)

// ValidateRole tidies the name of r and reports what keeps r from being a custom role: a field that is
// malformed, a name or uid that is reserved, or a permission with an invalid
// action or scope. validatePermissions false takes any action and scope that
// is text ([rbac] permission_validation_enabled).
func ValidateRole(r *NamedRole, validatePermissions bool) error {
	if err := TidyName("name", &r.Name); err != nil {
		return err
	}
	for _, prefix := range []string{"fixed:", "basic:", "managed:"} {
		if strings.HasPrefix(NameKey(r.Name), prefix) && !r.Basic() {
			return &Error{Kind: Invalid, ID: "accesscontrol.role-invalid-name", Field: "name", Message: "names that begin with " + prefix + " are reserved"}
		}
	}
	if r.UID != "" && (!ValidChosenUID(r.UID) || len(r.UID) > MaxUID) {
		return Invalidf("uid", "uid is not made of at most %d letters, digits, dashes and underscores", MaxUID)
	}
	if _, number := ParseID(r.UID); number {
		return Invalidf("uid", "uid is a number")
	}
	for _, f := range []struct{ field, text string }{{"displayName", r.DisplayName}, {"group", r.Group}} {
		if err := ValidateText(f.field, f.text, MaxName); err != nil {
			return err
		}
	}
	if !utf8.ValidString(r.Description) || utf8.RuneCountInString(r.Description) > maxRoleText || strings.ContainsRune(r.Description, 0) {
		return Invalidf("description", "description is not text of at most %d characters", maxRoleText)
	}
	if err := ValidateNoToken("description", r.Description); err != nil {
		return err
	}
	if len(r.Permissions) > MaxRolePermissions {
		return Invalidf("permissions", "a role holds at most %d permissions", MaxRolePermissions)
	}
	for _, p := range r.Permissions {
		if err := ValidatePermission(p, validatePermissions); err != nil {
			return err
		}
	}
	return nil
}

// ValidatePermission reports what keeps p from standing in a custom role; strict is
// the validatePermissions of ValidateRole.
func ValidatePermission(p Permission, strict bool) error {
	if strict && !p.Action.Valid() {
		return &Error{Kind: Invalid, ID: "accesscontrol.permission-invalid-action", Field: "permissions", Message: "Permission contains an invalid action: one is written like teams:read"}
	}
	if strict && !p.Scope.WellFormed() {
		return &Error{Kind: Invalid, ID: "accesscontrol.permission-invalid-scope", Field: "permissions", Message: "Permission contains an invalid scope: one is written like teams:id:7 or teams:*"}
	}
	if p.Action == "" || p.Action == ForeignActions {
		return &Error{Kind: Invalid, ID: "accesscontrol.permission-invalid-action", Field: "permissions", Message: "Permission contains an invalid action: one is written like teams:read"}
	}
	if err := ValidateText("permissions", string(p.Action), MaxName); err != nil {
		return err
	}
	return ValidateText("permissions", string(p.Scope), maxScope)
}
