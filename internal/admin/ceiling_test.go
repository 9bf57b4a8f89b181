package admin_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// limits makes up the limits of a token.
func (d draw) limits() (l hallpass.TokenLimits) {
	l.ReadOnly = d.IntN(4) == 0
	if d.IntN(2) == 0 {
		role := one(d, hallpass.Roles()[:3])
		l.MaxRole = &role
	}
	if d.IntN(2) == 0 {
		l.Permissions = []hallpass.Permission{}
		for range d.IntN(8) {
			a, _ := d.action()
			l.Permissions = append(l.Permissions, hallpass.Permission{Action: a, Scope: one(d, one(d, [][]hallpass.Scope{wholeScopes, wideScopes}))})
		}
	}
	return l
}

// allows reports whether the limits of a token of the account allow to use p, reckoned from
// lists.
func (w *plainWorld) allows(l hallpass.TokenLimits, account int64, p hallpass.Permission, foreign bool) bool {
	_, verb, _ := strings.Cut(string(p.Action), ":")
	if l.ReadOnly && !slices.Contains(strings.Fields("read query list get view search explore test"), verb) {
		return false
	}
	own := hallpass.Permission{Action: hallpass.ServiceAccountsWrite, Scope: hallpass.Scope("serviceaccounts:id:" + strconv.FormatInt(account, 10))}
	if l.Ceiling() && l.Permissions == nil && p.Action == own.Action && plainly(p, own, false) {
		return false
	}
	if l.MaxRole != nil {
		list, changed := w.changed[*l.MaxRole]
		if !changed {
			list = l.MaxRole.Permissions().List()
		}
		for _, as := range w.assigned {
			if as.To.Kind == hallpass.ToBasicRole && as.To.ID <= int64(*l.MaxRole) && as.Org != 2 {
				list = slices.Concat(list, w.permissionsOf(as))
			}
		}
		may := map[hallpass.Role]string{hallpass.RoleViewer: "teams:read " + levels["folders"]["View"], hallpass.RoleEditor: "teams:read " + levels["folders"]["Edit"]}[*l.MaxRole]
		if !anyPlainly(list, p, foreign) && !slices.Contains(strings.Fields(may), string(p.Action)) {
			return false
		}
	}
	return l.Permissions == nil || slices.ContainsFunc(l.Permissions, func(q hallpass.Permission) bool {
		return q.Action == p.Action && (q.Scope == "" || plainly(q, p, false))
	})
}

// TestCeilingOverRolesAndAccess makes up accounts with roles, teams and access to a tree, and
// tokens with limits. A token may do what its account may and its limits allow, each asked on
// the thing and on the folders it is in; Explain says which of the two does not. The access
// of basic roles counts up to the highest one of the token.
func TestCeilingOverRolesAndAccess(t *testing.T) {
	allowed, cut, lacking := 0, 0, 0
	for seed := range uint64(plainWorlds) {
		w := newPlainWorld(t, 1000+seed)
		a := admin.New(w.db, admin.Options{})
		for range 24 {
			p := w.people[5+w.IntN(2)] // an account of org 1
			l := w.limits()
			var c hallpass.Caller
			err := w.db.Read(t.Context(), func(tx *store.Tx) error {
				whole, err := tx.ServiceAccountCaller(p.machine)
				if err != nil {
					return err
				}
				ceiling, err := tx.Ceiling(1, l)
				c = whole.Under(ceiling)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			list, _, whole := w.holds(p, 1)
			tree := whole
			if l.MaxRole != nil {
				low := p
				low.role = map[hallpass.OrgID]hallpass.Role{1: min(p.role[1], *l.MaxRole)}
				_, _, tree = w.holds(low, 1)
			}
			for range 16 {
				want, foreign := w.demand()
				if want.Scope == "" || want.Action == hallpass.AuditRead || want.Action == hallpass.UsersRead {
					continue // asked for in ways of their own
				}
				if want.Action == hallpass.RolesWrite {
					want.Scope = "permissions:type:delegate"
				}
				any := func(may func(hallpass.Permission) bool) bool {
					return slices.ContainsFunc(w.chain(want.Scope), func(s hallpass.Scope) bool { return may(hallpass.Permission{Action: want.Action, Scope: s}) })
				}
				limited := any(func(q hallpass.Permission) bool { return w.allows(l, p.id, q, foreign) })
				plain := limited && any(func(q hallpass.Permission) bool { return anyPlainly(slices.Concat(list, tree), q, foreign) })
				held := any(func(q hallpass.Permission) bool { return anyPlainly(slices.Concat(list, whole), q, foreign) })
				e, err := a.Explain(t.Context(), c, "", want.Action, want.Scope)
				if err != nil || e.Allowed != plain || e.Cut != (held && !plain) {
					t.Errorf("seed %d: account %d with %+v may %v: %v, cut %v, %v; want %v, cut %v, limited %v", seed, p.id, l, want, e.Allowed, e.Cut, err, plain, held && !plain, limited)
				}
				switch {
				case plain:
					allowed++
				case held:
					cut++
				default:
					lacking++
				}
			}
		}
	}
	if least := plainWorlds * 3; allowed < least || cut < least || lacking < least {
		t.Errorf("%d were allowed, %d cut and %d lacking: the test sees too little of one", allowed, cut, lacking)
	}
}

// drawnActions are few, so that what is demanded is often held.
var drawnActions = []hallpass.Action{
	hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite, hallpass.TeamsRead, hallpass.FoldersRead, hallpass.FoldersWrite, hallpass.DashboardsRead, hallpass.DashboardsWrite, "prometheus:query",
}

// permissionFrom draws a permission on one of the scopes.
func permissionFrom(scopes ...[]hallpass.Scope) *rapid.Generator[hallpass.Permission] {
	return rapid.Custom(func(t *rapid.T) hallpass.Permission {
		return hallpass.Permission{
			Action: rapid.SampledFrom(drawnActions).Draw(t, "action"),
			Scope:  rapid.SampledFrom(slices.Concat(scopes...)).Draw(t, "scope"),
		}
	})
}

// limitsOf draws the limits of a token.
func limitsOf(t *rapid.T) (l hallpass.TokenLimits) {
	l.ReadOnly = rapid.IntRange(0, 3).Draw(t, "readOnly") == 0
	if rapid.Bool().Draw(t, "has a maxRole") {
		role := rapid.SampledFrom(hallpass.Roles()[:3]).Draw(t, "maxRole")
		l.MaxRole = &role
	}
	if rapid.Bool().Draw(t, "lists permissions") {
		l.Permissions = append([]hallpass.Permission{}, rapid.SliceOfN(permissionFrom(wholeScopes, wideScopes), 0, 8).Draw(t, "permissions")...)
	}
	return l
}

// addAccount adds an account with what is drawn: the permissions of a role of its own, and
// access to what is in the tree.
func (w *plainWorld) addAccount(t *rapid.T, name string) (p plainPerson, err error) {
	p = plainPerson{account: true, role: map[hallpass.OrgID]hallpass.Role{1: rapid.SampledFrom(hallpass.Roles()).Draw(t, "role")}}
	role := hallpass.NamedRole{Org: 1, UID: name, Name: name, Permissions: rapid.SliceOfN(permissionFrom(wholeScopes, wideScopes, brokenScopes), 0, 8).Draw(t, "held")}
	grants := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) hallpass.Grant {
		g := hallpass.Grant{Org: 1, Resource: "folders", ResourceID: rapid.SampledFrom([]string{"f1", "f2", "f3", "f4"}).Draw(t, "folder")}
		if rapid.IntRange(0, 2).Draw(t, "on") == 0 {
			g.Resource, g.ResourceID = "dashboards", rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "dashboard")
		}
		g.Level = rapid.SampledFrom([]hallpass.Level{"View", "Edit", "Admin"}).Draw(t, "level")
		return g
	}), 0, 4, func(g hallpass.Grant) string { return g.ResourceID }).Draw(t, "access")
	err = w.db.Write(t.Context(), func(tx *store.Tx) error {
		if p.machine, err = tx.CreateServiceAccount(hallpass.ServiceAccount{UID: name, Org: 1, Name: name, Login: name, Role: p.role[1]}); err != nil {
			return err
		}
		p.id = int64(p.machine.ID)
		to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: p.id}
		as := store.Assignment{Org: 1, RoleOrg: 1, RoleUID: name, To: to}
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		if _, err := tx.Assign(as, time.Time{}); err != nil {
			return err
		}
		w.roles, w.assigned = append(w.roles, role), append(w.assigned, as)
		for _, g := range grants {
			g.To = to
			if err := tx.SetGrant(g); err != nil {
				return err
			}
			w.grants = append(w.grants, g)
		}
		return nil
	})
	return p, err
}

// TestDecisionIsAnIntersection draws what an account holds (P), what it was given of a tree
// (G) and the limits of a token (C): the token may do exactly what P or G allows and C
// allows, on the thing itself or on a folder that it is in.
func TestDecisionIsAnIntersection(t *testing.T) {
	w := newPlainWorld(t, 4711)
	a := admin.New(w.db, admin.Options{})
	accounts, allowed, cut, lacking := 0, 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		accounts++
		p, err := w.addAccount(rt, fmt.Sprint("drawn-", accounts))
		if err != nil {
			rt.Fatal(err)
		}
		l := limitsOf(rt)
		var c hallpass.Caller
		if err := w.db.Read(rt.Context(), func(tx *store.Tx) error {
			whole, err := tx.ServiceAccountCaller(p.machine)
			if err != nil {
				return err
			}
			ceiling, err := tx.Ceiling(1, l)
			c = whole.Under(ceiling)
			return err
		}); err != nil {
			rt.Fatal(err)
		}
		list, _, whole := w.holds(p, 1)
		tree := whole
		if l.MaxRole != nil {
			low := p
			low.role = map[hallpass.OrgID]hallpass.Role{1: min(p.role[1], *l.MaxRole)}
			_, _, tree = w.holds(low, 1)
		}
		demand := permissionFrom(wholeScopes, wholeScopes, wideScopes[1:], []hallpass.Scope{p.machine.ID.Scope()})
		if holds := slices.DeleteFunc(slices.Concat(list, whole), func(q hallpass.Permission) bool {
			return !slices.Contains(drawnActions, q.Action) || q.Scope == "" || slices.Contains(brokenScopes, q.Scope)
		}); len(holds) > 0 {
			demand = rapid.OneOf(demand, rapid.SampledFrom(holds))
		}
		for _, want := range rapid.SliceOfN(demand, 8, 8).Draw(rt, "demands") {
			foreign := slices.Contains(foreignActions, want.Action)
			on := func(may func(hallpass.Permission) bool) bool {
				return slices.ContainsFunc(w.chain(want.Scope), func(s hallpass.Scope) bool { return may(hallpass.Permission{Action: want.Action, Scope: s}) })
			}
			held := on(func(q hallpass.Permission) bool { return anyPlainly(slices.Concat(list, whole), q, foreign) })
			plain := on(func(q hallpass.Permission) bool { return anyPlainly(slices.Concat(list, tree), q, foreign) }) && on(func(q hallpass.Permission) bool { return w.allows(l, p.id, q, foreign) })
			e, err := a.Explain(rt.Context(), c, "", want.Action, want.Scope)
			if err != nil || e.Allowed != plain {
				rt.Errorf("account %d with %+v may %v: %v, %v; want %v", p.id, l, want, e.Allowed, err, plain)
			}
			if got, may := c.Can(want.Action, want.Scope), anyPlainly(list, want, foreign) && w.allows(l, p.id, want, foreign); got != may {
				rt.Errorf("account %d with %+v can %v: %v, want %v", p.id, l, want, got, may)
			}
			switch {
			case plain:
				allowed++
			case held:
				cut++
			default:
				lacking++
			}
		}
	})
	if allowed < 20 || cut < 20 || lacking < 20 {
		t.Errorf("%d were allowed, %d cut and %d lacking: the test sees too little of one", allowed, cut, lacking)
	}
	t.Logf("%d were allowed, %d cut and %d lacking", allowed, cut, lacking)
}
