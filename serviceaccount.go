package hallpass

import (
	"strconv"
	"strings"
	"time"
)

// A ServiceAccount is a principal for automation: it has a role in one org and
// tokens, and no password.
//
// Times are UTC in whole microseconds. A ServiceAccount is a plain value.
type ServiceAccount struct {
	ID        ServiceAccountID
	UID       string
	Org       OrgID
	Name      string
	Login     string // unique on the server, case-folded; made once, from the first name
	Role      Role
	Disabled  bool
	CreatedAt time.Time
	UpdatedAt time.Time
	CreatedBy string // login of the principal who made it; empty: a version that did not note it
	Owner     string // who answers for it, as people write it: a name, a team, a mail address; empty: nobody is named
	Purpose   string // what it is for
	File      string // the provisioning file that declares it; empty: none does
}

// ServiceAccountLogin returns the login of a new account: Grafana's
// "sa-<org>-<name>", lower-cased, each space a dash.
func ServiceAccountLogin(org OrgID, name string) string {
	return "sa-" + strconv.FormatInt(int64(org), 10) + "-" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

// Scope returns the scope of this one account.
func (id ServiceAccountID) Scope() Scope {
	return Scope("serviceaccounts:id:" + strconv.FormatInt(int64(id), 10))
}

// A ServiceAccountSummary is an account with the figures that a list shows about
// its tokens.
type ServiceAccountSummary struct {
	ServiceAccount
	TokenFigures
	Given   Given
	Failing int // tokens that are refused and that somebody tries; lists of accounts alone tell it
}

// TokenFigures are what the tokens of an account add up to.
type TokenFigures struct {
	Tokens        int       // all that were not deleted, ended ones included
	LiveTokens    int       // those that have not ended; of a disabled account none may be used all the same
	NeverExpiring int       // those of them that never end
	Paused        int       // those of them that are paused
	Overlapping   int       // those of them that are being replaced and not paused
	Expired       int       // those that have expired: neither was another made in their place, nor were they revoked
	LastUse       Use       // the latest of any of its tokens; zero: never
	NextExpiry    time.Time // the soonest end of its live tokens, save of those that a live one replaces; zero: none ends
	LastEnd       time.Time // when the latest of the others ended; zero: none has
}

// Usable returns how many of the account's tokens may be used now.
func (s ServiceAccountSummary) Usable() int {
	if s.Disabled {
		return 0
	}
	return s.LiveTokens - s.Paused
}

// ExpiresSoon reports whether one of the account's live tokens expires within
// seven days.
func (s ServiceAccountSummary) ExpiresSoon(now time.Time) bool {
	return s.EndsWithin(now, soonExpiry)
}

// A Given counts what a principal holds in addition to its basic role, directly and
// through its teams.
type Given struct {
	MoreRoles    int
	AccessGrants int // single accounts, folders and dashboards that it has access to
}

// With returns the basic role and what was given in addition, as "None + 1 role".
func (g Given) With(r Role) string {
	if more := g.Words(); more != "" {
		return r.String() + " + " + more
	}
	return r.String()
}

// Words returns what was given in words, as "2 roles, access to 1 thing"; empty: nothing.
func (g Given) Words() string {
	var parts []string
	if g.MoreRoles > 0 {
		parts = append(parts, Counted(g.MoreRoles, "role"))
	}
	if g.AccessGrants > 0 {
		parts = append(parts, "access to "+Counted(g.AccessGrants, "thing"))
	}
	return strings.Join(parts, ", ")
}

// Counted tells a number of things: "1 role", "2 roles".
func Counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// A ServiceAccountPatch changes an account; a nil field leaves it as it is.
type ServiceAccountPatch struct {
	Name     *string
	Role     *Role
	Disabled *bool
	Owner    *string // to "": nobody is named
	Purpose  *string
}
