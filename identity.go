package hallpass

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// An OutsideUser is a person as an outside issuer proved them when they signed in there.
// Issuer and Subject name the person; all else is what the issuer says about them today.
// It is a plain value.
type OutsideUser struct {
	Issuer  string
	Subject string // the issuer never gives it to somebody else
	Login   string // what the issuer calls them; may be empty
	Email   string // may be empty

	EmailProven bool // the issuer says that the person reads the mails of Email
	Name        string
	Role        Role // in the first org; without HasRole it says nothing
	HasRole     bool
	ServerAdmin bool     // the issuer says that they are one
	Groups      []string // outside groups, which teams may be matched with
}

// An Identity is a user's name at an outside issuer: whoever proves it signs in as the
// user. A user may have several.
type Identity struct {
	Issuer    string
	Subject   string
	User      UserID
	CreatedAt time.Time
	SeenAt    time.Time
}

// AnyDomain in SignInPolicy.Domains admits people with whatever address, or with none.
const AnyDomain = "*"

// A SignInPolicy says who may sign in by an outside issuer, and what is taken from there.
// The zero value admits nobody.
type SignInPolicy struct {
	Issuer string // whose sessions count; those that began at another one have ended

	Domains []string // of addresses, one of which the person must have proved; AnyDomain: everybody
	Groups  []string // outside groups, one of which the person must be in; empty: none is needed
	SignUp  bool     // who has no user gets one
	ByEmail bool     // who has no identity gets the user with their proven address

	Role         bool // the role in the first org is taken from the issuer at each sign-in
	RoleStrict   bool // who has no role there is refused; otherwise they are a Viewer
	ServerAdmins bool // and so is who is a server admin
	Teams        bool // outside groups put people in the teams that are matched with them

	SessionLifetime time.Duration // of a session that begins so, at most; 0: as of others
}

// Admits returns a Denied error that says why the person may not sign in, nil if they
// may.
func (p SignInPolicy) Admits(u OutsideUser) error {
	switch {
	case !p.admitsAddress(u):
		if u.Email != "" && !u.EmailProven {
			return &Error{Kind: Denied, ID: "federation.email-unproven", Message: "The provider does not say that the address " + u.Email + " is yours, and only people with an address of the company may sign in here"}
		}
		return &Error{Kind: Denied, ID: "federation.domain", Message: "Only people with an address of the company may sign in here"}
	case len(p.Groups) > 0 && !slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(p.Groups, g) }):
		return &Error{Kind: Denied, ID: "federation.group", Message: "You are in none of the groups that may sign in here"}
	case p.Role && p.RoleStrict && !u.HasRole:
		return &Error{Kind: Denied, ID: "federation.role", Message: "The provider gives you no role here, and without one nobody may sign in"}
	}
	return nil
}

func (p SignInPolicy) admitsAddress(u OutsideUser) bool {
	if slices.Contains(p.Domains, AnyDomain) {
		return true
	}
	at := strings.LastIndexByte(u.Email, '@')
	return u.EmailProven && at > 0 && slices.ContainsFunc(p.Domains, func(d string) bool { return NameKey(d) == NameKey(u.Email[at+1:]) })
}

// Names returns the login and the address that the person gets as a new user. What
// looks like an address and is not proven is neither: others would take the user for
// whoever reads the mails of it. The error is Denied if nothing is left to call them by.
func (u OutsideUser) Names() (login, email string, err error) {
	if u.EmailProven {
		email = u.Email
	}
	login = u.Login
	if strings.Contains(login, "@") && NameKey(login) != NameKey(email) {
		login = ""
	}
	login = cmp.Or(login, email)
	if login == "" {
		return "", "", &Error{Kind: Denied, ID: "federation.no-login", Message: "The provider tells no login name for you, and no address that is proven to be yours"}
	}
	return login, cmp.Or(email, login), nil
}
