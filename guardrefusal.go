package hallpass

import (
	"strings"
	"time"
)

// A GuardRefusal is a request that a guard refused. It is a plain value.
//
// The request's texts are the client's: they are cleaned and cut, and the query is
// left out, because people put secrets there.
type GuardRefusal struct {
	At      time.Time
	Rule    int    // the number of the rule that matched; 0: none, or the request did not come that far
	Status  int    // of the answer
	Reason  string // an ID, as "guard.permission"
	Message string // the reason in words
	Method  string
	Host    string // "": the proxy did not tell it
	Path    string // raw; "": the proxy did not tell it
	// Missing is the permission that the caller lacks for the request; zero: another
	// reason, or what is missing is a role.
	Missing Permission
	// Header is what the rule read of the request when a permission or a role is missing: a
	// line each, as "X-Scope-OrgID: a"; "": nothing, or more than is kept.
	Header string
	Caller Principal
	Token  TokenID // good or not; 0: none, or one that nobody made, or that is not for readers of the guard
	From   From
}

// RefusesToken reports whether a token is refused for the reason, whatever it is used for: not
// a request by the rules of a guard.
func RefusesToken(reason string) bool {
	return strings.HasPrefix(reason, "api-key.") || reason == "identity.disabled"
}
