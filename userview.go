package hallpass

import (
	"cmp"
	"time"
)

// A UserSummary is a user with what lists show of them in one org. It is a plain value.
type UserSummary struct {
	User
	Member bool // of the org; otherwise Role, Given and Teams say nothing
	Role   Role
	Given  Given      // filled in for the page that is shown
	Teams  []UserTeam // filled in for the page that is shown
}

// A UserTeam is a team that a user is in.
type UserTeam struct {
	User UserID
	Team Team
}

// HasPassword reports whether a password of the user fits. It may still be refused, where
// passwords are turned off.
func (u User) HasPassword() bool { return u.PasswordHash != "" }

// A UserView picks users by a question that people ask about them.
type UserView string

// The views of users.
const (
	AllUsers      UserView = ""
	AdminUsers    UserView = "admins"        // the role in the org is Admin
	ServerAdmins  UserView = "server-admins" // they may do everything on the server
	OutsideUsers  UserView = "company"       // an outside issuer signs them in
	NeverUsers    UserView = "never"         // they never signed in
	IdleUsers     UserView = "idle"          // they last signed in longer ago than Stale
	DisabledUsers UserView = "disabled"
)

// UserViews lists the views in the order in which lists offer them.
func UserViews() []UserView {
	return []UserView{AllUsers, AdminUsers, ServerAdmins, OutsideUsers, NeverUsers, IdleUsers, DisabledUsers}
}

// Picks reports whether the view shows the user at now. A view that there is not shows
// none.
func (v UserView) Picks(u UserSummary, now time.Time) bool {
	switch v {
	case AllUsers:
		return true
	case AdminUsers:
		return u.Member && u.Role == RoleAdmin
	case ServerAdmins:
		return u.ServerAdmin
	case OutsideUsers:
		return u.Outside
	case NeverUsers:
		return u.SeenAt.IsZero()
	case IdleUsers:
		return !u.SeenAt.IsZero() && now.Sub(u.SeenAt) > Stale
	case DisabledUsers:
		return u.Disabled
	}
	return false
}

// A UserSort is an order of users.
type UserSort string

// The orders of users. Users who are equal in one come by name.
const (
	UsersByName UserSort = ""
	UsersByRole UserSort = "role" // the highest first, and last who is no member
	UsersBySeen UserSort = "seen" // the latest sign-in first
)

// Compare orders two users, apart from their names.
func (o UserSort) Compare(a, b UserSummary) int {
	switch o {
	case UsersByRole:
		return cmp.Compare(b.rank(), a.rank())
	case UsersBySeen:
		return b.SeenAt.Compare(a.SeenAt)
	}
	return 0
}

// rank is how far up the user stands in the org.
func (u UserSummary) rank() int {
	if !u.Member {
		return -1
	}
	return int(u.Role)
}
