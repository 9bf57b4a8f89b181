package hallpass

import "strings"

// A Role is a principal's basic role in an org. The zero value is RoleNone,
// and the order is the order of power.
type Role uint8

// The basic roles.
const (
	RoleNone Role = iota
	RoleViewer
	RoleEditor
	RoleAdmin
)

var roleNames = [...]string{"None", "Viewer", "Editor", "Admin"}

// String returns the role's name on the wire.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "None"
}

// ParseRole reads a role's name in any ASCII case, as Grafana does.
func ParseRole(s string) (Role, bool) {
	for i, name := range roleNames {
		if strings.EqualFold(s, name) {
			return Role(i), true
		}
	}
	return RoleNone, false
}

// Roles lists the basic roles from the weakest up.
func Roles() []Role { return []Role{RoleNone, RoleViewer, RoleEditor, RoleAdmin} }

// Permissions returns what the role permits in its org. The value is shared
// and must not be changed.
func (r Role) Permissions() *Permissions {
	if int(r) < len(basicRoles) {
		return basicRoles[r]
	}
	return basicRoles[RoleNone]
}

// ServerAdminPermissions returns what a server admin may do in every org and
// on the server, beside the role held in the org.
func ServerAdminPermissions() *Permissions { return serverAdminRole }

// What each basic role carries: Grafana's fixed roles as far as their actions
// exist here (docs/decisions/0004-basic-roles.md).
var (
	organizationReader = []Permission{{OrgsRead, ""}}
	organizationWriter = []Permission{{OrgsRead, ""}, {OrgsWrite, ""}}
	orgUsersWriter     = []Permission{{OrgUsersRead, "users:*"}, {OrgUsersAdd, "users:*"}, {OrgUsersWrite, "users:*"}, {OrgUsersRemove, "users:*"}}

	serviceAccountsWriter = []Permission{
		{ServiceAccountsCreate, ""},
		{ServiceAccountsRead, "serviceaccounts:*"},
		{ServiceAccountsWrite, "serviceaccounts:*"},
		{ServiceAccountsDelete, "serviceaccounts:*"},
		{ServiceAccountsPermissionsRead, "serviceaccounts:*"},
		{ServiceAccountsPermissionsWrite, "serviceaccounts:*"},
	}
	usersWriter = []Permission{
		{UsersRead, "global.users:*"},
		{UsersPasswordWrite, "global.users:*"},
	}
	auditReader = []Permission{{AuditRead, ""}}

	basicRoles = [...]*Permissions{
		RoleNone:   NewPermissions(),
		RoleViewer: NewPermissions(organizationReader...),
		RoleEditor: NewPermissions(organizationReader...),
		RoleAdmin:  NewPermissions(join(organizationWriter, orgUsersWriter, serviceAccountsWriter, auditReader)...),
	}
	serverAdminRole = NewPermissions(join(organizationWriter, orgUsersWriter, usersWriter, auditReader)...)
)

func join(lists ...[]Permission) []Permission {
	var all []Permission
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
