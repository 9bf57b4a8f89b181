package hallpass

// A Caller is the principal of one request with the permissions it holds. It
// is made by a verification and handed down as a parameter, never kept in a
// context. A Caller is a plain value; the zero Caller may do nothing.
type Caller struct {
	Principal   Principal
	Name        string
	Org         OrgID // the org the request is about
	OrgMissing  bool  // a user who is not a member of Org
	Role        Role  // in Org
	ServerAdmin bool
	Token       TokenID   // zero unless a token was presented
	Session     SessionID // zero unless a session was
	Permissions *Permissions
	From        From
}

// From is where a request came from, as far as we trust what we were told.
type From struct {
	Address   string // IP address without port
	UserAgent string
}

// PrincipalKind tells users from service accounts.
type PrincipalKind uint8

// The kinds of principal. Nobody is the zero value.
const (
	Nobody PrincipalKind = iota
	UserPrincipal
	ServiceAccountPrincipal
)

// String returns "user", "service account" or "".
func (k PrincipalKind) String() string {
	switch k {
	case UserPrincipal:
		return "user"
	case ServiceAccountPrincipal:
		return "service account"
	}
	return ""
}

// A Principal is a user or a service account. Their IDs come from one counter,
// so ID alone names it; Login is for people to read.
type Principal struct {
	Kind  PrincipalKind
	ID    int64
	Login string
}

// User returns the ID of a user who calls, zero for a service account.
func (c Caller) User() UserID {
	if c.Principal.Kind == UserPrincipal {
		return UserID(c.Principal.ID)
	}
	return 0
}

// ServiceAccount returns the ID of a service account that calls, zero for a
// user.
func (c Caller) ServiceAccount() ServiceAccountID {
	if c.Principal.Kind == ServiceAccountPrincipal {
		return ServiceAccountID(c.Principal.ID)
	}
	return 0
}

// Can reports whether the caller may do action on scope.
func (c Caller) Can(action Action, scope Scope) bool {
	return c.Permissions.Has(Permission{action, scope})
}

// Authorize returns a Denied error that names what is missing unless the
// caller may do action on scope.
func (c Caller) Authorize(action Action, scope Scope) error {
	if c.Can(action, scope) {
		return nil
	}
	return &Error{
		Kind: Denied, ID: "accesscontrol.Denied", Needs: string(action),
		Message: "You'll need additional permissions to perform this action. Permissions needed: " + string(action),
	}
}

// UserCaller returns the caller that user is in org: a member with role and
// what was granted there, or not a member, who has neither. What the server
// admin flag permits holds in every org.
func UserCaller(u User, org OrgID, role Role, member bool, granted []Permission) Caller {
	if !member {
		role, granted = RoleNone, nil
	}
	perms := role.Permissions()
	if u.ServerAdmin {
		perms = perms.With(ServerAdminPermissions().List()...)
	}
	return Caller{
		Principal:   Principal{UserPrincipal, int64(u.ID), u.Login},
		Name:        u.Name,
		Org:         org,
		OrgMissing:  !member,
		Role:        role,
		ServerAdmin: u.ServerAdmin,
		Permissions: perms.With(granted...),
	}
}

// ServiceAccountCaller returns the caller that a service account is in its org.
func ServiceAccountCaller(a ServiceAccount, granted []Permission) Caller {
	return Caller{
		Principal:   Principal{ServiceAccountPrincipal, int64(a.ID), a.Login},
		Name:        a.Name,
		Org:         a.Org,
		Role:        a.Role,
		Permissions: a.Role.Permissions().With(granted...),
	}
}
