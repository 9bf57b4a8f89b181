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

// UID returns the uid under which the basic role stands among the named ones.
func (r Role) UID() string { return "basic_" + strings.ToLower(r.String()) }

// Permissions returns what the role permits in its org unless it was changed.
// The value is shared and must not be changed.
func (r Role) Permissions() *Permissions {
	if int(r) < len(basicSets) {
		return basicSets[r]
	}
	return basicSets[RoleNone]
}

// ServerAdminUID is the uid of the basic role of server admins.
const ServerAdminUID = "basic_grafana_admin"

// ServerAdminPermissions returns what a server admin may do on the server, and
// so in every org too, beside the role held there, unless it was changed.
func ServerAdminPermissions() *Permissions { return serverAdminSet }

var (
	basicSets = func() (sets [4]*Permissions) {
		for r := range sets {
			sets[r] = NewPermissions(basicPermissions(Role(r))...)
		}
		return sets
	}()
	serverAdminSet = NewPermissions(serverAdminPermissions()...)
)
