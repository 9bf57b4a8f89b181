package admin_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

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
