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

// A ServiceAccountSummary is an account with what a list tells about its
// tokens.
type ServiceAccountSummary struct {
	ServiceAccount
	Tokens     int       // all that were not deleted, expired ones included
	LiveTokens int       // those that may be used now
	LastUsedAt time.Time // by any of its tokens; zero: never
	NextExpiry time.Time // the soonest of its live tokens; zero: none expires
}

// A ServiceAccountPatch changes an account; a nil field leaves it as it is.
type ServiceAccountPatch struct {
	Name     *string
	Role     *Role
	Disabled *bool
}
