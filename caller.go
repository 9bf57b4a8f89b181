package hallpass

import "time"

// A Caller is the principal of one request with the permissions it holds. A
// verification makes it; callees get it as a parameter, never in a context. A Caller is a plain value; the zero Caller may do nothing.
type Caller struct {
	Principal   Principal
	Name        string
	Org         OrgID // the org the request is about
	OrgMissing  bool  // a user who is not a member of Org
	Role        Role  // in Org; a token may have a lower one than its account
	AccountRole Role  // the account's, if Ceiling is not nil; else it says nothing
	ServerAdmin bool
	Token       TokenID      // zero unless a token was presented
	Session     SessionID    // zero unless a session was
	Password    [32]byte     // User.PasswordFingerprint of the password that was presented; zero if none was
	Expires     time.Time    // when the presented token or session expires; zero: never
	EndsSoon    *[1]string   // of a token in its last 14 days: Expires in RFC 3339, shared and never changed; else nil
	Permissions *Permissions // in Org
	Server      *Permissions // on the server as a whole; nil for service accounts
	From        From
	Rate        RateStanding // of the presented token
}

// From is the origin of a request, as far as the server trusts what proxies report.
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

// CanOnServer reports whether the caller may do action on scope on the server
// as a whole. A service account never may.
func (c Caller) CanOnServer(action Action, scope Scope) bool {
	return c.Server.Has(Permission{action, scope})
}

// Authorize returns a Denied error that names what is missing unless the
// caller may do action on scope.
func (c Caller) Authorize(action Action, scope Scope) error {
	if c.Can(action, scope) {
		return nil
	}
	return Lacks(action)
}

// AuthorizeOnServer is Authorize for what concerns the server as a whole.
func (c Caller) AuthorizeOnServer(action Action, scope Scope) error {
	if c.CanOnServer(action, scope) {
		return nil
	}
	return Lacks(action)
}

// HighestMemberRole returns the highest basic role that the caller may give to a
// member of the org. A server admin may give any.
func (c Caller) HighestMemberRole() Role {
	if c.ServerAdmin {
		return RoleAdmin
	}
	return c.Role
}

// MayReadHolders reports whether the caller may read which service accounts of the org
// hold a permission.
func (c Caller) MayReadHolders() bool {
	return c.Can(ServiceAccountsRead, "serviceaccounts:id:*") && c.Can(UsersPermissionsRead, "users:id:*")
}

// Lacks returns the Denied error that names action as missing.
func Lacks(action Action) *Error {
	return &Error{
		Kind: Denied, ID: "accesscontrol.Denied", Needs: string(action),
		Message: "You'll need additional permissions to perform this action. Permissions needed: " + string(action),
	}
}

// PrincipalAccess is what a principal was given in an org, as the store has it.
type PrincipalAccess struct {
	Member bool         // of the org; a service account always is
	Role   Role         // in it
	Basic  *Permissions // of the basic role, as it is now
	Held   []Permission // of assigned roles and granted access, without the basic role
	Server *Permissions // on the server; nil: nothing
}

// UserCaller returns the user as a caller in the org. Permissions on the server hold
// in every org; all others need membership in the org.
func UserCaller(u User, org OrgID, s PrincipalAccess) Caller {
	perms := s.Basic
	if !s.Member {
		s.Role, s.Held, perms = RoleNone, nil, NewPermissions()
	}
	if s.Server != nil {
		perms = perms.With(s.Server.List()...)
	}
	return Caller{
		Principal:   Principal{UserPrincipal, int64(u.ID), u.Login},
		Name:        u.Name,
		Org:         org,
		OrgMissing:  !s.Member,
		Role:        s.Role,
		ServerAdmin: u.ServerAdmin,
		Permissions: perms.With(s.Held...),
		Server:      s.Server,
	}
}

// ServiceAccountCaller returns the service account as a caller in its org.
func ServiceAccountCaller(a ServiceAccount, s PrincipalAccess) Caller {
	return Caller{
		Principal:   Principal{ServiceAccountPrincipal, int64(a.ID), a.Login},
		Name:        a.Name,
		Org:         a.Org,
		Role:        a.Role,
		Permissions: s.Basic.With(s.Held...),
	}
}
