package hallpass

import (
	"iter"
	"maps"
	"slices"
)

// A Ceiling is what a token may do at most, whatever its account may do. It is made of
// the token's limits, and stays as it is when the account gets more
// (docs/decisions/0028-ceilings.md). The nil Ceiling allows everything. It never changes
// and is safe for concurrent use.
type Ceiling struct {
	readOnly bool
	maxRole  *Role
	listed   *Permissions   // nil: the limits list no permissions
	sets     []*Permissions // each of them must hold what is allowed
}

// NewCeiling returns the ceiling of the limits, nil if they take no permission away.
// role is what MaxRole permits in the token's org, with the roles that are given to
// everybody who has it; without a MaxRole it is not looked at.
func NewCeiling(l TokenLimits, role *Permissions) *Ceiling {
	if !l.Ceiling() {
		return nil
	}
	c := &Ceiling{readOnly: l.ReadOnly, maxRole: l.MaxRole}
	if l.MaxRole != nil {
		c.sets = append(c.sets, role.With(accessUpTo[min(*l.MaxRole, RoleAdmin)]...))
	}
	if l.Permissions != nil {
		c.listed = ListedPermissions(l.Permissions)
		c.sets = append(c.sets, c.listed)
	}
	return c
}

// ListedPermissions returns the set of what a token's list of permissions allows: one
// without a scope allows every scope.
func ListedPermissions(list []Permission) *Permissions {
	allowed := make([]Permission, len(list))
	for i, p := range list {
		if p.Scope == "" {
			p.Scope = "*"
		}
		allowed[i] = p
	}
	return NewPermissions(allowed...)
}

// WithListed returns c with the set of its listed permissions in place of its own, which
// must hold the same: tokens that list the same then share one set. A Ceiling that lists
// none is returned as it is.
func (c *Ceiling) WithListed(set *Permissions) *Ceiling {
	if c == nil || c.listed == nil {
		return c
	}
	out := *c
	out.listed = set
	out.sets = append(slices.Clone(c.sets[:len(c.sets)-1]), set)
	return &out
}

// Listed returns the set of the listed permissions; nil if the limits list none.
func (c *Ceiling) Listed() *Permissions {
	if c == nil {
		return nil
	}
	return c.listed
}

// accessUpTo is what access to single things may permit to whoever has a basic role at
// most: a Viewer may be let into a folder to look, an Editor to change what is in it, and
// both may be members of a team.
var accessUpTo = [...][]Permission{
	RoleViewer: join(on("*", folderView...), on("*", teamMember...)),
	RoleEditor: join(on("*", folderEdit...), on("*", teamMember...)),
	RoleAdmin:  join(on("*", folderAdmin...), on("*", teamAdmin...), on("*", accountAdmin...)),
}

// allows reports whether an account that holds p may use it through the token.
func (c *Ceiling) allows(p Permission) bool {
	if c.readOnly && !p.Action.Reads() {
		return false
	}
	for _, s := range c.sets {
		if !s.Has(p) {
			return false
		}
	}
	return true
}

// Role returns the basic role that the token of an account with the given one has. A
// token whose permissions are listed has None: no list says what a role permits where
// only the role is asked for.
func (c *Ceiling) Role(account Role) Role {
	switch {
	case c == nil:
		return account
	case c.listed != nil:
		return RoleNone
	case c.readOnly:
		account = min(account, RoleViewer)
	}
	return c.basicRole(account)
}

// basicRole returns the basic role whose access the token has.
func (c *Ceiling) basicRole(account Role) Role {
	if c != nil && c.maxRole != nil {
		return min(account, *c.maxRole)
	}
	return account
}

// Under returns the permissions of p that the ceiling allows; p itself if the ceiling is
// nil. own is the scope of the account whose permissions p are: serviceaccounts:write on
// it is not allowed unless the limits name it, else the token could make another token
// without limits.
func (p *Permissions) Under(c *Ceiling, own Scope) *Permissions {
	if c == nil || p == nil {
		return p
	}
	return &Permissions{actions: p.actions, foreign: p.foreign, ceiling: c, own: own}
}

// Whole returns the permissions without the ceiling.
func (p *Permissions) Whole() *Permissions {
	if p == nil || p.ceiling == nil {
		return p
	}
	return &Permissions{actions: p.actions, foreign: p.foreign}
}

// hasUnder is Has for a set under a ceiling. A demand without a scope is satisfied only
// if there is a scope that the set holds and the ceiling allows.
func (p *Permissions) hasUnder(want Permission) bool {
	if want.Scope == "" {
		return !p.eachScope(want.Action, func(Scope) bool { return false })
	}
	return p.holds(want) && p.Allows(want)
}

// Allows reports whether the ceiling of the set allows to use want, wherever it is held
// from. It allocates nothing.
func (p *Permissions) Allows(want Permission) bool {
	return p == nil || p.ceiling == nil || p.ceiling.allows(want) && !p.mintsBrother(want)
}

// mintsBrother reports whether want lets the token make tokens for its own account, and
// its limits do not name it.
func (p *Permissions) mintsBrother(want Permission) bool {
	return want.Action == ServiceAccountsWrite && p.own != "" && want.Scope.Covers(p.own) && p.ceiling.listed == nil
}

// eachScope calls yield with the scopes on which the set holds the action and the ceiling
// allows it, some perhaps twice, until yield returns false; it returns false then.
func (p *Permissions) eachScope(a Action, yield func(Scope) bool) bool {
	if p.ceiling.readOnly && !a.Reads() {
		return true
	}
	return p.actions[a].each(p.foreign && a.Foreign(), "*", a, p.ceiling.sets, yield)
}

// each goes on with what s and scope have in common, as eachScope.
func (s scopes) each(all bool, scope Scope, a Action, sets []*Permissions, yield func(Scope) bool) bool {
	if all && !meets(scope, a, sets, yield) {
		return false
	}
	for _, held := range s.list {
		if common, ok := scope.meet(held); ok && !meets(common, a, sets, yield) {
			return false
		}
	}
	return true
}

// meets calls yield with what the scope and all of the sets have in common.
func meets(scope Scope, a Action, sets []*Permissions, yield func(Scope) bool) bool {
	if len(sets) == 0 {
		return yield(scope)
	}
	first := sets[0]
	return first.actions[a].each(first.foreign && a.Foreign(), scope, a, sets[1:], yield)
}

// meet returns the scope of what both cover; false if that is nothing. An action that is
// held without a scope covers the demand without one, as every scope does.
func (s Scope) meet(t Scope) (common Scope, ok bool) {
	switch {
	case s == "*":
		return t, true
	case t == "*":
		return s, true
	case s == "" || t == "":
		return "", true
	case t.Covers(s):
		return s, true
	case s.Covers(t):
		return t, true
	}
	return "", false
}

// Cut returns what the ceiling allows of p.
func (c *Ceiling) Cut(p Permission) []Permission {
	if c == nil {
		return []Permission{p}
	}
	return NewPermissions(p).Under(c, "").List()
}

// scopesUnder is Scopes for a set under a ceiling.
func (p *Permissions) scopesUnder(a Action) (list []Scope) {
	p.eachScope(a, func(s Scope) bool {
		list = append(list, s)
		return true
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// listUnder is List for a set under a ceiling, in no order.
func (p *Permissions) listUnder() (all []Permission) {
	actions := maps.Clone(p.actions)
	for _, s := range p.ceiling.sets {
		if p.foreign { // the ceiling may name what is held without a name
			maps.Copy(actions, s.actions)
		}
	}
	for a := range actions {
		for _, s := range p.scopesUnder(a) {
			all = append(all, Permission{a, s})
		}
	}
	return all
}

// held yields the actions that the set holds, in no order.
func (p *Permissions) held() iter.Seq[Action] {
	if p.ceiling == nil {
		return maps.Keys(p.actions)
	}
	held := make(map[Action]struct{})
	for _, all := range p.listUnder() {
		held[all.Action] = struct{}{}
	}
	return maps.Keys(held)
}

// foreignReads reports whether the set holds, of the actions outside the vocabulary,
// all that only look.
func (p *Permissions) foreignReads() bool {
	return p.foreign && p.ceiling != nil && p.ceiling.readOnly && !slices.ContainsFunc(p.ceiling.sets, func(s *Permissions) bool { return !s.foreign })
}

// Under returns the caller with less: only what the ceiling allows, and a lower basic
// role where it says so.
func (c Caller) Under(ceiling *Ceiling) Caller {
	c.Narrow(c.Permissions.Under(ceiling, c.ServiceAccount().Scope()))
	return c
}

// Narrow leaves to the caller only p, which Permissions.Under has returned for its
// permissions, as Under does. It allocates nothing.
func (c *Caller) Narrow(p *Permissions) {
	c.AccountRole = c.Role
	c.Permissions = p
	c.Role = p.Ceiling().Role(c.Role)
}

// Ceiling returns what the set is under; nil: nothing.
func (p *Permissions) Ceiling() *Ceiling {
	if p == nil {
		return nil
	}
	return p.ceiling
}

// Ceiling returns what the caller's token allows at most; nil: whatever its account may do.
func (c Caller) Ceiling() *Ceiling { return c.Permissions.Ceiling() }

// Whole returns the caller without the limits of its token: the account itself.
func (c Caller) Whole() Caller {
	if c.Ceiling() != nil {
		c.Permissions, c.Role = c.Permissions.Whole(), c.AccountRole
	}
	return c
}

// BasicRole returns the basic role through which access to folders and dashboards
// reaches the caller: Role, unless a token is narrower in another way.
func (c Caller) BasicRole() Role {
	if ceiling := c.Ceiling(); ceiling != nil {
		return ceiling.basicRole(c.AccountRole)
	}
	return c.Role
}
