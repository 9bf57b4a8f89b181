package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// MaxHolders is the number up to which GuardHolders counts: it stands for more, too.
const MaxHolders = 1000

// Bounds on what one statement counts.
const (
	maxHoldings     = 100
	maxHoldingRoles = 5000 // over all of them
)

// NotCounted stands for a number of holders that nobody counted.
const NotCounted = -1

// GuardHolders returns for each rule of the guard how many service accounts have what
// it needs, by their basic role or by roles that they were given. With a scope that
// holds captures, an account counts that holds the action on any scope. It is
// NotCounted of a rule that needs nothing, of one that needs an action of Hallpass
// itself, which access to single things gives too, and of those that are too many.
// It takes what Caller.MayReadHolders says.
func (a *Admin) GuardHolders(ctx context.Context, c hallpass.Caller, name string) (counts []int, err error) {
	err = a.readHolders(ctx, c, name, func(tx *store.Tx, g hallpass.Guard, of func(hallpass.Need) store.Holding) error {
		var needs []hallpass.Need
		for _, r := range g.AllRules() {
			needs = append(needs, r.Need)
		}
		counts, err = countHolders(tx, c.Org, needs, of)
		return err
	})
	return counts, err
}

// NeedHolders is GuardHolders for needs that rules of the guard have or may get. Of the
// zero Need it is NotCounted.
func (a *Admin) NeedHolders(ctx context.Context, c hallpass.Caller, name string, needs []hallpass.Need) (counts []int, err error) {
	err = a.readHolders(ctx, c, name, func(tx *store.Tx, _ hallpass.Guard, of func(hallpass.Need) store.Holding) error {
		counts, err = countHolders(tx, c.Org, needs, of)
		return err
	})
	return counts, err
}

// countHolders counts for each need the accounts that of finds; NotCounted as GuardHolders
// says.
func countHolders(tx *store.Tx, org hallpass.OrgID, needs []hallpass.Need, of func(hallpass.Need) store.Holding) (counts []int, err error) {
	var list []store.Holding
	index, roles := make(map[hallpass.Need]int), 0
	for _, n := range needs {
		counted := n.Kind == hallpass.NeedRole || n.Kind == hallpass.NeedPermission && n.Action.Foreign()
		if _, known := index[n]; known || !counted {
			continue
		}
		h := of(n)
		if roles += len(h.Roles); len(list) == maxHoldings || roles > maxHoldingRoles {
			break
		}
		index[n] = len(list)
		list = append(list, h)
	}
	held, err := tx.CountHoldings(org, list, MaxHolders)
	for _, need := range needs {
		n := NotCounted
		if i, ok := index[need]; ok && err == nil {
			n = held[i]
		}
		counts = append(counts, n)
	}
	return counts, err
}

// GuardRuleHolders returns a page of the service accounts that have what the guard's
// rule of that number needs, by login, and how many there are on all pages: those that
// GuardHolders counts. NotFound when the guard has no such rule.
func (a *Admin) GuardRuleHolders(ctx context.Context, c hallpass.Caller, name string, rule int, p Page) (r hallpass.GuardRule, page []hallpass.ServiceAccountSummary, total int, err error) {
	err = a.readHolders(ctx, c, name, func(tx *store.Tx, g hallpass.Guard, of func(hallpass.Need) store.Holding) error {
		rules := g.AllRules()
		if rule < 1 || rule > len(rules) {
			return &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.rule-not-found", Message: "The guard " + g.Name + " has no such rule"}
		}
		r = rules[rule-1]
		h := of(r.Need)
		limit, offset := p.limits()
		page, total, err = accountPage(tx, store.ServiceAccountQuery{Org: c.Org, Now: a.now(), Holding: &h, Limit: limit, Offset: offset})
		return err
	})
	return r, page, total, err
}

// readHolders reads the guard for a caller who may know who holds what, and hands fn
// what tells which accounts have what is needed.
func (a *Admin) readHolders(ctx context.Context, c hallpass.Caller, name string, fn func(*store.Tx, hallpass.Guard, func(hallpass.Need) store.Holding) error) error {
	for _, n := range []need{{action: hallpass.ServiceAccountsRead, scope: "serviceaccounts:id:*"}, {action: hallpass.UsersPermissionsRead, scope: "users:id:*"}} {
		if err := a.authorize(ctx, c, n); err != nil {
			return err
		}
	}
	return a.read(ctx, c, guardNeed(hallpass.GuardsRead, name), func(tx *store.Tx) error {
		g, err := tx.Guard(c.Org, name)
		if err != nil {
			return err
		}
		roles, err := a.allRoles(tx, c.Org)
		if err != nil {
			return err
		}
		basic, err := tx.BasicAssignments(c.Org)
		if err != nil {
			return err
		}
		return fn(tx, g, func(n hallpass.Need) store.Holding { return holdingOf(n, roles, basic) })
	})
}

// holdingOf says which accounts have what is needed, in an org with these roles, of
// which some are given to basic roles.
func holdingOf(need hallpass.Need, roles []hallpass.NamedRole, basic []store.Assignment) (h store.Holding) {
	switch need.Kind {
	case hallpass.NeedRole:
		h.Basic = rolesFrom(need.Role)
	case hallpass.NeedPermission:
		want := hallpass.Permission{Action: need.Action, Scope: hallpass.Scope(need.Scope)}
		if need.HasCaptures() {
			want.Scope = "" // any will do: who holds it on which, only a request tells
		}
		for _, r := range roles {
			if r.UID == hallpass.ServerAdminUID || !slices.ContainsFunc(r.Permissions, func(p hallpass.Permission) bool { return p.Covers(want) }) {
				continue
			}
			if role, ok := hallpass.ParseRole(strings.TrimPrefix(r.UID, "basic_")); ok && r.Basic() {
				h.Basic = append(h.Basic, role)
				continue
			}
			h.Roles = append(h.Roles, r)
			for _, b := range basic {
				if b.RoleOrg == r.Org && b.RoleUID == r.UID {
					h.Basic = append(h.Basic, rolesFrom(hallpass.Role(b.To.ID))...) // #nosec G115 -- the rank of a basic role
				}
			}
		}
	}
	return h
}

// rolesFrom lists the basic roles that are at least r.
func rolesFrom(r hallpass.Role) []hallpass.Role {
	return hallpass.Roles()[min(int(r), len(hallpass.Roles())):]
}
