package hallpass

import (
	"slices"
	"strings"
	"time"
)

// A TokenUsage is what is known of how a token was used. As a record to be added to
// what is stored, its counts are those since the last one.
type TokenUsage struct {
	Days    []TokenDay    // those with requests, oldest first
	Places  []TokenPlace  // the latest first
	Actions []TokenAction // by action and scope
}

// Bounds on what is kept of a token's usage.
const (
	TokenDayRetention = 400 * 24 * time.Hour // how long days are kept
	MaxTokenPlaces    = 50                   // of one token; the oldest goes
	MaxTokenActions   = 100                  // of one token, with each of its scopes; the oldest goes
	MaxActionScopes   = 20                   // of one action of one token; any other scope is AnyScope
)

// AnyScope stands in a TokenAction for scopes that are not told one by one.
const AnyScope Scope = "*"

// A TokenDay is how many requests with a token there were on one UTC day. Each request
// counts in one of the counts.
type TokenDay struct {
	Day     time.Time // its beginning
	OK      int64     // answered, with a status below 400
	Denied  int64     // the token is good and lacked a permission: 403
	Failed  int64     // permitted, and then answered with an error for another reason
	Refused int64     // the token was refused: it has ended, is paused, or was used from where it may not
	Limited int64     // the token was used too often
}

// Add adds the counts of other.
func (d *TokenDay) Add(other TokenDay) {
	d.OK += other.OK
	d.Denied += other.Denied
	d.Failed += other.Failed
	d.Refused += other.Refused
	d.Limited += other.Limited
}

// Requests returns how many requests there were in all.
func (d TokenDay) Requests() int64 { return d.OK + d.Denied + d.Failed + d.Refused + d.Limited }

// A TokenPlace is a client that used a token: an address and a program. Requests that
// the token was refused for do not count. Route and Status are those of the latest
// request.
type TokenPlace struct {
	From
	Route  Route
	Status int
	First  time.Time
	Last   time.Time
	Count  int64
}

// A Route names what a request asked for, without its path and query, which may hold
// secrets.
type Route struct {
	Method  string // that of the request; "" if it is none of the usual ones
	Pattern string // as "GET /api/org", or as "GET /loki/api/v1/query (guard loki)"
}

// A TokenRoute is what requests that are counted together ask for. It does not change.
type TokenRoute struct {
	Pattern string // as "GET /api/org"; of a rule of a guard, its path, "" for no rule
	Guard   string // the guard whose rule it is; "": none
	Action  Action // that is demanded; "": none
	Scope   Scope  // on which it is demanded, where that is the same for all requests; "": each request tells, or none is demanded
}

// AskedScopes are the scopes on which a request asked for the action of its route, each
// once. The zero AskedScopes are none. It is not safe for concurrent use.
type AskedScopes struct {
	first Scope   // most requests ask on one alone
	more  []Scope // at most MaxActionScopes; if there were more, the last is AnyScope
}

// Add adds the scope. Of an empty one it keeps nothing, and in the place of one that is too
// long to be held AnyScope. It allocates nothing for the first.
func (a *AskedScopes) Add(s Scope) {
	if len(s) > maxScope {
		s = AnyScope
	}
	switch {
	case s == "" || s == a.first || slices.Contains(a.more, s):
	case a.first == "":
		a.first = s
	case len(a.more) < MaxActionScopes:
		a.more = append(a.more, s)
	default:
		a.more[len(a.more)-1] = AnyScope
	}
}

// None reports whether there are no scopes.
func (a *AskedScopes) None() bool { return a.first == "" }

// All yields the scopes in the order in which they were added.
func (a *AskedScopes) All(yield func(Scope) bool) {
	if a.first == "" || !yield(a.first) {
		return
	}
	for _, s := range a.more {
		if !yield(s) {
			return
		}
	}
}

// Asked says what a request of the method, "" for an unusual one, asked for: the pattern of a
// Route.
func (r TokenRoute) Asked(method string) string {
	switch {
	case r.Guard == "":
		return r.Pattern
	case r.Pattern == "":
		return strings.TrimSpace(method + " (guard " + r.Guard + ", no rule)")
	}
	return strings.TrimSpace(method + " " + r.Pattern + " (guard " + r.Guard + ")")
}

// A TokenAction is an action that requests with a token were permitted to do.
type TokenAction struct {
	Action Action // as "dashboards:read"; of a rule of a guard that needs a role, as "role:Viewer"
	Scope  Scope  // on which it was asked for; "": on none, or nobody told
	Last   time.Time
	Count  int64
}

const rolePrefix = "role:"

// RoleAction returns what stands for the role in a TokenAction.
func RoleAction(r Role) Action { return Action(rolePrefix + r.String()) }

// Role returns the role that the action stands for, and whether it stands for one.
func (a TokenAction) Role() (r Role, ok bool) {
	name, is := strings.CutPrefix(string(a.Action), rolePrefix)
	if !is {
		return RoleNone, false
	}
	return ParseRole(name)
}

// Scoped reports whether it is known on what the action was done. It is not for one that
// was done on too many things, nor for one of which the request did not name a thing.
func (a TokenAction) Scoped() bool { return a.Scope != "" && a.Scope != AnyScope }

// NeededBy reports whether a request for the action needed p, or another permission
// that covers the same: who used the action and holds p may have used p.
func (a TokenAction) NeededBy(p Permission) bool {
	if a.Scope == AnyScope {
		return p.Covers(Permission{Action: a.Action})
	}
	return p.Covers(Permission{Action: a.Action, Scope: a.Scope})
}

// An ImpactOf is what somebody is about to do to a service account or one of its
// tokens.
type ImpactOf struct {
	Do    ImpactAction
	Role  Role     // the account's new one, if Do is ImpactRole
	Roles []string // the uids of all roles that it then has itself in its org, beside its basic role, if Do is ImpactRoles
	Token TokenID  // that is to be ended or paused, if Do is ImpactToken or ImpactPause; zero with ImpactPause: each of the account
}

// An ImpactAction is what is about to be done.
type ImpactAction string

// What may be about to be done.
const (
	ImpactDisable ImpactAction = "disable" // the account is disabled
	ImpactDelete  ImpactAction = "delete"  // the account is deleted
	ImpactRole    ImpactAction = "role"    // the account gets another basic role
	ImpactRoles   ImpactAction = "roles"   // the account gets other roles beside its basic one; ParseImpact does not read it
	ImpactToken   ImpactAction = "token"   // a token is revoked, deleted or retired
	ImpactPause   ImpactAction = "pause"   // a token is paused, or all of the account are
)

// ParseImpact reads an ImpactOf as it is written in requests: "disable", "delete",
// "pause", "role:Viewer", "token:7:pause", or "token:7:revoke", where delete and retire may
// stand for revoke.
func ParseImpact(text string) (ImpactOf, error) {
	switch do, rest, _ := strings.Cut(text, ":"); ImpactAction(do) {
	case ImpactDisable, ImpactDelete, ImpactPause:
		if rest == "" && !strings.Contains(text, ":") {
			return ImpactOf{Do: ImpactAction(do)}, nil
		}
	case ImpactRole:
		if r, ok := ParseRole(rest); ok {
			return ImpactOf{Do: ImpactRole, Role: r}, nil
		}
	case ImpactToken:
		number, how, _ := strings.Cut(rest, ":")
		switch id, ok := ParseID(number); {
		case ok && how == string(ImpactPause):
			return ImpactOf{Do: ImpactPause, Token: TokenID(id)}, nil
		case ok && slices.Contains([]string{"revoke", "delete", "retire"}, how):
			return ImpactOf{Do: ImpactToken, Token: TokenID(id)}, nil
		}
	}
	return ImpactOf{}, Invalidf("action", "action is not disable, delete, pause, a role as role:Viewer, or what is done to a token as token:7:pause or token:7:revoke")
}
