package hallpass

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Scope names what it is done to, as in "serviceaccounts:id:7". A "*" may
// stand only at its end, after ":" or "/", or as the whole, and stands for any
// rest. The empty scope is that of an action which has none.
type Scope string

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
	if p.Action == ForeignActions {
		return p.Scope.Valid() && want.Action.Foreign()
	}
	return p.Action == want.Action && p.Scope.Valid() && (want.Scope == "" || p.Scope.Covers(want.Scope))
}

// Valid reports whether a "*" in s stands only where it may.
func (s Scope) Valid() bool {
	i := strings.IndexByte(string(s), '*')
	return i < 0 || i == len(s)-1 && (i == 0 || s[i-1] == ':' || s[i-1] == '/')
}

// maxScope is the longest scope, in characters.
const maxScope = 255

// WellFormed reports whether s may stand in a role: empty, "*", or parts with
// ":" between, none empty, without spaces or control characters, and a "*" only
// at the end.
func (s Scope) WellFormed() bool {
	if s == "" || s == "*" {
		return true
	}
	if len(s) > maxScope || !s.Valid() || strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }) {
		return false
	}
	parts := strings.Split(string(s), ":")
	return len(parts) > 1 && !slices.Contains(parts, "")
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
	foreign bool     // holds ForeignActions
	ceiling *Ceiling // of a token; nil: none
	own     Scope    // of the token's account
}

// scopes are those held on one action.
type scopes struct {
	exact    map[Scope]struct{}
	prefixes map[Scope]struct{} // of scopes that end in "*", without it
	list     []Scope            // all of them, sorted, for showing
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
			p.foreign = p.foreign || h.Action == ForeignActions
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
			if s.prefixes == nil {
				s.prefixes = make(map[Scope]struct{})
			}
			s.prefixes[Scope(prefix)] = struct{}{}
		} else if scope != "" {
			s.exact[scope] = struct{}{}
		}
	}
	return s
}

// Has reports whether the set satisfies a demand for want. It allocates
// nothing, and its cost grows neither with the number of scopes held nor with
// that of the roles they come from.
func (p *Permissions) Has(want Permission) bool {
	if p == nil {
		return false
	}
	if p.ceiling != nil {
		return p.hasUnder(want)
	}
	return p.holds(want)
}

// holds is Has without the ceiling.
func (p *Permissions) holds(want Permission) bool {
	if s, ok := p.actions[want.Action]; ok && s.cover(want.Scope) {
		return true
	}
	return p.foreign && want.Action.Foreign()
}

// cover reports whether want is in s. A scope with a "*" covers what begins
// with the rest of it, and that ends where the whole does, after ":" or after
// "/": so only the beginnings of want that end there need be looked up.
func (s scopes) cover(want Scope) bool {
	if want == "" {
		return true
	}
	if _, ok := s.exact[want]; ok {
		return true
	}
	if s.prefixes == nil {
		return false
	}
	if _, ok := s.prefixes[""]; ok {
		return true
	}
	for i := range len(want) {
		if want[i] == ':' || want[i] == '/' {
			if _, ok := s.prefixes[want[:i+1]]; ok {
				return true
			}
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
	if p.ceiling != nil {
		all = p.listUnder()
	} else {
		for action, s := range p.actions {
			for _, scope := range s.list {
				all = append(all, Permission{action, scope})
			}
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
	if p.ceiling != nil {
		return p.scopesUnder(a)
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
