package wire

import "time"

// Role is GET /api/access-control/roles/{role} and a row of the role lists.
type Role struct {
	Version     int64            `json:"version"`
	UID         string           `json:"uid"`
	Name        string           `json:"name"`
	DisplayName string           `json:"displayName"`
	Description string           `json:"description"`
	Group       string           `json:"group"`
	Permissions []RolePermission `json:"permissions,omitempty"`
	Global      bool             `json:"global"`
	Hidden      bool             `json:"hidden,omitempty"`
	Delegatable *bool            `json:"delegatable,omitempty"` // whether the caller may assign it, if the request asked for that
	Mapped      bool             `json:"mapped,omitempty"`
	Created     time.Time        `json:"created"`
	Updated     time.Time        `json:"updated"`
	// ProvisionedBy is the provisioning file that declares it; absent: none does.
	ProvisionedBy string `json:"provisionedBy,omitempty"`
}

// RolePermission is one of a role's permissions.
type RolePermission struct {
	Action  string    `json:"action"`
	Scope   string    `json:"scope"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// Permission is an action on a scope.
type Permission struct {
	Action string `json:"action"`
	Scope  string `json:"scope"`
}

// CreateRole is POST /api/access-control/roles, and without the UID
// PUT /api/access-control/roles/{role}. Version, if given, must be higher
// than the stored one.
type CreateRole struct {
	UID         string       `json:"uid"`
	Version     int64        `json:"version"`
	Name        string       `json:"name"`
	DisplayName string       `json:"displayName"`
	Description string       `json:"description"`
	Group       string       `json:"group"`
	Hidden      bool         `json:"hidden"`
	Global      bool         `json:"global"`
	Permissions []Permission `json:"permissions"`
}

// RoleAssignments is GET and PUT /api/access-control/roles/{role}/assignments.
type RoleAssignments struct {
	RoleUID         string  `json:"role_uid"`
	Users           []int64 `json:"users"`
	Teams           []int64 `json:"teams"`
	ServiceAccounts []int64 `json:"service_accounts"`
}

// AddRole is POST /api/access-control/users/{user}/roles and
// /api/access-control/teams/{team}/roles.
type AddRole struct {
	RoleUID string `json:"roleUid"`
	Global  bool   `json:"global"`
}

// SetRoles is PUT on the same paths: it replaces all roles of the user or team.
type SetRoles struct {
	RoleUIDs      []string `json:"roleUids"`
	Global        bool     `json:"global"`
	IncludeHidden bool     `json:"includeHidden"`
}

// RolesSearch is POST /api/access-control/users/roles/search, and for teams.
type RolesSearch struct {
	IncludeHidden bool    `json:"includeHidden"`
	OrgID         int64   `json:"orgId"`
	UserIDs       []int64 `json:"userIds"`
	TeamIDs       []int64 `json:"teamIds"`
}

// BuiltInRole is POST /api/access-control/builtin-roles: a role given to
// everybody who has a basic role.
type BuiltInRole struct {
	RoleUID     string `json:"roleUid"`
	BuiltInRole string `json:"builtinRole"`
	Global      bool   `json:"global"`
}

// ResetRoles is POST /api/access-control/roles/hard-reset.
type ResetRoles struct {
	BasicRoles bool `json:"BasicRoles"`
}

// AccessControlStatus is GET /api/access-control/status.
type AccessControlStatus struct {
	Enabled bool `json:"enabled"`
}

// Explanation is GET /api/access-control/explain.
type Explanation struct {
	Allowed    bool     `json:"allowed"`
	Cut        bool     `json:"cut"`        // the account may, and the limits of the token that asks do not allow it
	Via        []Source `json:"via"`        // what allows it, to the account if it is cut
	WouldAllow []string `json:"wouldAllow"` // roles that would allow it, if nothing does
	Taken      string   `json:"taken"`      // how Hallpass understands the action: "known", "foreign" or "unknown"
	Nearest    string   `json:"nearest,omitempty"`
	Notes      []string `json:"notes"` // further facts, in sentences
}

// Source is a permission and the role or access grant that gives it.
type Source struct {
	Role       string     `json:"role"` // its name, as "basic:viewer" or "managed:users:2"
	RoleUID    string     `json:"roleUid,omitempty"`
	Through    string     `json:"through"` // "itself", "team <name>", "basic role <name>" or "server admin"
	Permission Permission `json:"permission"`
}

// EffectivePermission is a permission that a principal holds, with its
// sources.
type EffectivePermission struct {
	Action string   `json:"action"`
	Scope  string   `json:"scope"`
	Via    []Source `json:"via,omitempty"`
}

// ResourceDescription is GET /api/access-control/{resource}/description.
type ResourceDescription struct {
	Assignments ResourceAssignments `json:"assignments"`
	Permissions []string            `json:"permissions"`
}

// ResourceAssignments says who can be given access to a kind of resource.
type ResourceAssignments struct {
	Users           bool `json:"users"`
	ServiceAccounts bool `json:"serviceAccounts"`
	Teams           bool `json:"teams"`
	BuiltInRoles    bool `json:"builtInRoles"`
}

// ResourcePermission is a row of GET /api/access-control/{resource}/{id}.
type ResourcePermission struct {
	ID               int64    `json:"id"`
	RoleName         string   `json:"roleName"`
	IsManaged        bool     `json:"isManaged"`
	IsInherited      bool     `json:"isInherited"`
	IsServiceAccount bool     `json:"isServiceAccount"`
	UserID           int64    `json:"userId,omitempty"`
	UserUID          string   `json:"userUid,omitempty"`
	UserLogin        string   `json:"userLogin,omitempty"`
	UserAvatarURL    string   `json:"userAvatarUrl,omitempty"`
	Team             string   `json:"team,omitempty"`
	TeamID           int64    `json:"teamId,omitempty"`
	TeamUID          string   `json:"teamUid,omitempty"`
	TeamAvatarURL    string   `json:"teamAvatarUrl,omitempty"`
	BuiltInRole      string   `json:"builtInRole,omitempty"`
	Actions          []string `json:"actions"`
	Permission       string   `json:"permission"`
}

// SetResourcePermissions is POST /api/access-control/{resource}/{id}: the
// listed entries change, the others stay.
type SetResourcePermissions struct {
	Permissions []SetResourcePermission `json:"permissions"`
}

// SetResourcePermission is one of them; an empty Permission removes the access.
type SetResourcePermission struct {
	UserID      int64  `json:"userId"`
	TeamID      int64  `json:"teamId"`
	BuiltInRole string `json:"builtInRole"`
	Permission  string `json:"permission"`
}

// SetPermission is POST /api/access-control/{resource}/{id}/users/{user} and
// the same for teams and basic roles. An empty or absent Permission removes the access.
type SetPermission struct {
	Permission string `json:"permission"`
}
