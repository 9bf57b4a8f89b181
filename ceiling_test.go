package hallpass_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

func role(r hallpass.Role) *hallpass.Role { return &r }

// TestCeilingCuts asks what an Admin and a plain account may do through tokens with
// limits.
func TestCeilingCuts(t *testing.T) {
	account := hallpass.ServiceAccountID(7)
	admin := hallpass.Caller{Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: 7}, Role: hallpass.RoleAdmin, Permissions: hallpass.RoleAdmin.Permissions()}
	for _, tt := range []struct {
		name   string
		limits hallpass.TokenLimits
		role   hallpass.Role
		can    []hallpass.Permission
		cannot []hallpass.Permission
	}{
		{
			"none", hallpass.TokenLimits{}, hallpass.RoleAdmin,
			[]hallpass.Permission{{hallpass.ServiceAccountsWrite, account.Scope()}, {"prometheus:query", "x"}}, nil,
		},
		{
			"read only", hallpass.TokenLimits{ReadOnly: true}, hallpass.RoleViewer,
			[]hallpass.Permission{{hallpass.TeamsRead, "teams:id:1"}, {"prometheus:query", "x"}, {hallpass.GuardsTest, "guards:uid:a"}, {hallpass.TeamsRead, ""}},
			[]hallpass.Permission{{hallpass.TeamsWrite, "teams:id:1"}, {hallpass.TeamsCreate, ""}, {"prometheus:write", "x"}, {hallpass.ForeignActions, "*"}, {hallpass.TokensIntrospect, ""}},
		},
		{
			"Viewer at most", hallpass.TokenLimits{MaxRole: role(hallpass.RoleViewer)}, hallpass.RoleViewer,
			[]hallpass.Permission{{hallpass.OrgsRead, ""}, {hallpass.DashboardsRead, "folders:uid:a"}, {hallpass.TeamsRead, "teams:id:1"}},
			[]hallpass.Permission{{hallpass.DashboardsWrite, "folders:uid:a"}, {hallpass.ServiceAccountsRead, account.Scope()}, {"prometheus:query", "x"}, {hallpass.ServiceAccountsWrite, account.Scope()}},
		},
		{
			"None at most", hallpass.TokenLimits{MaxRole: role(hallpass.RoleNone)}, hallpass.RoleNone, nil,
			[]hallpass.Permission{{hallpass.OrgsRead, ""}, {hallpass.DashboardsRead, "folders:uid:a"}},
		},
		{
			"two permissions", hallpass.TokenLimits{Permissions: []hallpass.Permission{{hallpass.TeamsRead, "teams:id:1"}, {hallpass.OrgsRead, ""}, {"prometheus:query", ""}}}, hallpass.RoleNone,
			[]hallpass.Permission{{hallpass.TeamsRead, "teams:id:1"}, {hallpass.TeamsRead, ""}, {hallpass.OrgsRead, ""}, {"prometheus:query", "a:b"}, {"prometheus:query", ""}},
			[]hallpass.Permission{{hallpass.TeamsRead, "teams:id:2"}, {hallpass.TeamsRead, "teams:*"}, {hallpass.OrgsWrite, ""}, {"prometheus:write", ""}, {hallpass.ServiceAccountsWrite, account.Scope()}},
		},
		{"nothing", hallpass.TokenLimits{Permissions: []hallpass.Permission{}}, hallpass.RoleNone, nil, []hallpass.Permission{{hallpass.OrgsRead, ""}, {"prometheus:query", ""}}},
		{
			"all together", hallpass.TokenLimits{ReadOnly: true, MaxRole: role(hallpass.RoleEditor), Permissions: []hallpass.Permission{{hallpass.DashboardsRead, ""}, {hallpass.DashboardsWrite, ""}, {hallpass.TeamsWrite, ""}}}, hallpass.RoleNone,
			[]hallpass.Permission{{hallpass.DashboardsRead, "folders:uid:a"}},
			[]hallpass.Permission{{hallpass.DashboardsWrite, "folders:uid:a"}, {hallpass.TeamsWrite, "teams:id:1"}, {hallpass.OrgsRead, ""}},
		},
		{
			"its own account named", hallpass.TokenLimits{Permissions: []hallpass.Permission{{hallpass.ServiceAccountsWrite, account.Scope()}}}, hallpass.RoleNone,
			[]hallpass.Permission{{hallpass.ServiceAccountsWrite, account.Scope()}}, []hallpass.Permission{{hallpass.ServiceAccountsWrite, "serviceaccounts:id:8"}},
		},
	} {
		var power *hallpass.Permissions
		if tt.limits.MaxRole != nil {
			power = tt.limits.MaxRole.Permissions()
		}
		c := admin.Under(hallpass.NewCeiling(tt.limits, power))
		if c.Role != tt.role {
			t.Errorf("%s: the role is %s, want %s", tt.name, c.Role, tt.role)
		}
		if w := c.Whole(); w.Role != hallpass.RoleAdmin || !w.Permissions.HasAll(admin.Permissions) {
			t.Errorf("%s: the account is not whole", tt.name)
		}
		for _, p := range tt.can {
			if !c.Can(p.Action, p.Scope) {
				t.Errorf("%s: cannot %s", tt.name, p)
			}
		}
		for _, p := range tt.cannot {
			if c.Can(p.Action, p.Scope) {
				t.Errorf("%s: can %s", tt.name, p)
			}
		}
	}
}

// TestNoBrotherWithoutLimits gives an Editor what lets it change service accounts: also
// a token of an Editor at most may not change its own account, which would give it a
// token without limits.
func TestNoBrotherWithoutLimits(t *testing.T) {
	changed := hallpass.RoleEditor.Permissions().With(hallpass.Permission{Action: hallpass.ServiceAccountsWrite, Scope: "serviceaccounts:*"})
	account := hallpass.Caller{Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: 7}, Role: hallpass.RoleEditor, Permissions: changed}
	c := account.Under(hallpass.NewCeiling(hallpass.TokenLimits{MaxRole: role(hallpass.RoleEditor)}, changed))
	for scope, want := range map[hallpass.Scope]bool{"serviceaccounts:id:8": true, "serviceaccounts:id:7": false, "serviceaccounts:*": false} {
		if got := c.Can(hallpass.ServiceAccountsWrite, scope); got != want {
			t.Errorf("serviceaccounts:write on %s: %v, want %v", scope, got, want)
		}
	}
}

// A limit as plain as can be: from lists, without sets.
func plainlyAllowed(l hallpass.TokenLimits, p hallpass.Permission) bool {
	verb := string(p.Action)[strings.LastIndex(string(p.Action), ":")+1:]
	if l.ReadOnly && !slices.Contains([]string{"read", "query", "list", "get", "view", "search", "explore", "test"}, verb) {
		return false
	}
	return l.Permissions == nil || slices.ContainsFunc(l.Permissions, func(q hallpass.Permission) bool {
		return q.Action == p.Action && (q.Scope == "" || q.Covers(p))
	})
}

// TestCeilingIsAnIntersection makes up accounts and limits: a token may do exactly what
// its account may do and its limits allow. Asked without a scope, that is whether there
// is any scope on which both hold. Lists show what can be done and nothing else.
func TestCeilingIsAnIntersection(t *testing.T) {
	actions := []hallpass.Action{"teams:read", "teams:write", "orgs:read", "prometheus:query", "prometheus:write", "loki:read"}
	scopes := []hallpass.Scope{"", "*", "a:*", "a:b:*", "a:b:1", "a:b:2", "a:c:1", "a:c:*", "b:1"}
	demands := []hallpass.Scope{"*", "a:*", "a:b:*", "a:b:1", "a:b:2", "a:b:3", "a:c:1", "b:1", "c"}
	d := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- a test must be the same each time
	list := func(n int) []hallpass.Permission {
		all := make([]hallpass.Permission, d.IntN(n+1))
		for i := range all {
			all[i] = hallpass.Permission{Action: actions[d.IntN(len(actions))], Scope: scopes[d.IntN(len(scopes))]}
		}
		return all
	}
	allowed, denied := 0, 0
	for range 4000 {
		held, limits := list(6), hallpass.TokenLimits{ReadOnly: d.IntN(3) == 0}
		if d.IntN(4) > 0 {
			limits.Permissions = list(6)
		}
		if d.IntN(5) == 0 {
			held = append(held, hallpass.Permission{Action: hallpass.ForeignActions, Scope: "*"})
		}
		whole := hallpass.NewPermissions(held...)
		cut := whole.Under(hallpass.NewCeiling(limits, nil), "serviceaccounts:id:1")
		shown := hallpass.NewPermissions(cut.List()...)
		for _, a := range actions {
			any := false
			for _, s := range demands {
				p := hallpass.Permission{Action: a, Scope: s}
				want := whole.Has(p) && plainlyAllowed(limits, p)
				any = any || want
				if got := cut.Has(p); got != want {
					t.Fatalf("account %v, limits %v: %s: %v, want %v", held, limits, p, got, want)
				}
				if want {
					allowed++
				} else {
					denied++
				}
				foreignReads := a.Foreign() && whole.Has(hallpass.Permission{Action: "x:y"}) && limits.Permissions == nil && limits.ReadOnly
				if shown.Has(p) != want && !foreignReads {
					t.Fatalf("account %v, limits %v: %s: shown %v, want %v", held, limits, p, shown.Has(p), want)
				}
			}
			if without := cut.Has(hallpass.Permission{Action: a}); any && !without {
				t.Fatalf("account %v, limits %v: %s is allowed on a scope and not without one", held, limits, a)
			} else if got := len(cut.Scopes(a)) > 0; got != without && !a.Foreign() {
				t.Fatalf("account %v, limits %v: %s without a scope: %v, and on any: %v", held, limits, a, without, got)
			}
		}
	}
	if allowed < 1000 || denied < 1000 {
		t.Errorf("%d were allowed and %d denied: the draw is of no use", allowed, denied)
	}
}

// TestCeilingAllocatesNothing asks under a ceiling, as every verdict does.
func TestCeilingAllocatesNothing(t *testing.T) {
	limits := hallpass.TokenLimits{ReadOnly: true, Permissions: []hallpass.Permission{{hallpass.TeamsRead, ""}, {"prometheus:query", "a:*"}}}
	c := hallpass.Caller{Permissions: hallpass.RoleAdmin.Permissions()}
	under := c.Permissions.Under(hallpass.NewCeiling(limits, nil), "serviceaccounts:id:7")
	n := testing.AllocsPerRun(100, func() {
		narrowed := c
		narrowed.Narrow(under)
		if !narrowed.Can(hallpass.TeamsRead, "teams:id:1") || !narrowed.Can("prometheus:query", "") || narrowed.Can(hallpass.TeamsWrite, "teams:id:1") {
			t.Error("the decision is wrong")
		}
	})
	if n != 0 {
		t.Errorf("a decision allocates %v times", n)
	}
}

// TestReadsByVerb compares the verbs that only look with the levels of actions.
func TestReadsByVerb(t *testing.T) {
	for _, row := range hallpass.Actions() {
		if row.Action.Reads() && row.Level != hallpass.Reads {
			t.Errorf("%s reads by its verb, and its level is %s", row.Action, row.Level)
		}
	}
	for action, want := range map[hallpass.Action]bool{"alert.rules:list": true, "a:b:view": true, "loki:push": false, "reader:x": false, "read": true, "": false, "*": false} {
		if got := action.Reads(); got != want {
			t.Errorf("%q.Reads() = %v, want %v", action, got, want)
		}
	}
}
