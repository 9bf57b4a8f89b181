package hallpass

import (
	"slices"
	"strings"
)

// An Action names what is done, as in "serviceaccounts:write".
type Action string

// A Scope names what it is done to, as in "serviceaccounts:id:7". A "*" may
// stand only at its end, after ":" or "/", or as the whole, and stands for any
// rest. The empty scope is that of an action which has none.
type Scope string

// The actions that exist here. The vocabulary is Grafana's, "audit:read" ours.
const (
	ServiceAccountsCreate           Action = "serviceaccounts:create"
	ServiceAccountsRead             Action = "serviceaccounts:read"
	ServiceAccountsWrite            Action = "serviceaccounts:write"
	ServiceAccountsDelete           Action = "serviceaccounts:delete"
	ServiceAccountsPermissionsRead  Action = "serviceaccounts.permissions:read"
	ServiceAccountsPermissionsWrite Action = "serviceaccounts.permissions:write"

	OrgsRead       Action = "orgs:read"
	OrgsWrite      Action = "orgs:write"
	OrgUsersRead   Action = "org.users:read"
	OrgUsersAdd    Action = "org.users:add"
	OrgUsersWrite  Action = "org.users:write"
	OrgUsersRemove Action = "org.users:remove"

	UsersRead          Action = "users:read"
	UsersPasswordWrite Action = "users.password:write"

	AuditRead Action = "audit:read"
)

// A Permission is an action on a scope: held by a caller, or demanded of one.
type Permission struct {
	Action Action
	Scope  Scope
}

// String returns "action on scope", or the action alone.
func (p Permission) String() string {
	if p.Scope == "" {
		return string(p.Action)
	}
	return string(p.Action) + " on " + string(p.Scope)
}

// Covers reports whether holding p satisfies a demand for want. A demand
// without a scope is satisfied by the action alone. An invalid scope satisfies
// nothing.
func (p Permission) Covers(want Permission) bool {
	return p.Action == want.Action && p.Scope.Valid() && (want.Scope == "" || p.Scope.Covers(want.Scope))
}

// Valid reports whether a "*" in s stands only where it may.
func (s Scope) Valid() bool {
	i := strings.IndexByte(string(s), '*')
	return i < 0 || i == len(s)-1 && (i == 0 || s[i-1] == ':' || s[i-1] == '/')
}

// Covers reports whether everything in want is in s. An invalid scope covers
// nothing.
func (s Scope) Covers(want Scope) bool {
	if !s.Valid() {
		return false
	}
	if prefix, ok := strings.CutSuffix(string(s), "*"); ok {
		return strings.HasPrefix(string(want), prefix)
	}
	return s == want && s != ""
}

// Permissions is a set of permissions made ready for decisions. It never
// changes after NewPermissions and is safe for concurrent use. The nil set
// holds nothing.
type Permissions struct {
	actions map[Action]scopes
}

// scopes are those held on one action.
type scopes struct {
	exact    map[Scope]struct{}
	prefixes []string // of scopes that end in "*", without it
	list     []Scope  // all of them, sorted, for showing
}

// NewPermissions returns the set of the given permissions. Permissions with an
// invalid scope are left out: they could cover nothing.
func NewPermissions(held ...Permission) *Permissions {
	p := &Permissions{actions: make(map[Action]scopes)}
	for _, h := range held {
		if h.Scope.Valid() {
			s := p.actions[h.Action]
			s.list = append(s.list, h.Scope)
			p.actions[h.Action] = s
		}
	}
	for action, s := range p.actions {
		slices.Sort(s.list)
		p.actions[action] = newScopes(slices.Compact(s.list))
	}
	return p
}

func newScopes(list []Scope) scopes {
	s := scopes{exact: make(map[Scope]struct{}), list: list}
	for _, scope := range list {
		if prefix, ok := strings.CutSuffix(string(scope), "*"); ok {
			s.prefixes = append(s.prefixes, prefix)
		} else if scope != "" {
			s.exact[scope] = struct{}{}
		}
	}
	return s
}

// Has reports whether the set satisfies a demand for want. It allocates
// nothing, and its cost does not grow with the number of exact scopes.
func (p *Permissions) Has(want Permission) bool {
	if p == nil {
		return false
	}
	s, ok := p.actions[want.Action]
	if !ok || want.Scope == "" {
		return ok
	}
	if _, ok := s.exact[want.Scope]; ok {
		return true
	}
	for _, prefix := range s.prefixes {
		if strings.HasPrefix(string(want.Scope), prefix) {
			return true
		}
	}
	return false
}

// HasAll reports whether every permission of other is satisfied by p: whoever
// holds p may hand out other.
func (p *Permissions) HasAll(other *Permissions) bool {
	for _, want := range other.List() {
		if !p.Has(want) {
			return false
		}
	}
	return true
}

// List returns the permissions of the set, sorted by action and scope.
func (p *Permissions) List() []Permission {
	if p == nil {
		return nil
	}
	var all []Permission
	for action, s := range p.actions {
		for _, scope := range s.list {
			all = append(all, Permission{action, scope})
		}
	}
	slices.SortFunc(all, func(a, b Permission) int {
		if c := strings.Compare(string(a.Action), string(b.Action)); c != 0 {
			return c
		}
		return strings.Compare(string(a.Scope), string(b.Scope))
	})
	return all
}

// Scopes returns the scopes held on the action, sorted; nil when it is not
// held. The slice is shared and must not be changed.
func (p *Permissions) Scopes(a Action) []Scope {
	if p == nil {
		return nil
	}
	return p.actions[a].list
}

// With returns the set of p's permissions and more; p itself if there are none.
func (p *Permissions) With(more ...Permission) *Permissions {
	if len(more) == 0 {
		return p
	}
	return NewPermissions(append(p.List(), more...)...)
}
