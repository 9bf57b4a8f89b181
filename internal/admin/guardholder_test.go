package admin_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// holdersGuard has a rule of every kind.
func holdersGuard() hallpass.Guard {
	permission := func(path, action, scope string) hallpass.GuardRule {
		return hallpass.GuardRule{Path: path, Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: hallpass.Action(action), Scope: scope}}
	}
	return hallpass.Guard{Name: "loki", Rules: []hallpass.GuardRule{
		{Path: "/ready", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
		{Path: "/status", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleEditor}},
		permission("/a", "loki:read", "loki:tenants:a"),
		permission("/of/{t}", "loki:read", "loki:tenants:{t}"),
		permission("/again", "loki:read", "loki:tenants:a"),
		permission("/push", "loki:write", ""),
		permission("/teams", "teams:read", ""),
		permission("/nobody", "loki:nobody", ""),
	}}
}

// TestGuardHolders gives roles in every way there is, to accounts, teams and basic roles,
// here and in every org: for each rule those accounts are counted, and listed, whom the
// guard would let pass.
func TestGuardHolders(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	g, err := w.CreateGuard(ctx, boss, holdersGuard())
	if err != nil {
		t.Fatal(err)
	}
	role := func(name string, global bool, list ...hallpass.Permission) string {
		r, err := w.CreateRole(ctx, boss, hallpass.NamedRole{Name: name, Permissions: list}, global)
		if err != nil {
			t.Fatal(err)
		}
		return r.UID
	}
	read := role("read a", false, hallpass.Permission{Action: "loki:read", Scope: "loki:tenants:a"})
	readB := role("read b", true, hallpass.Permission{Action: "loki:read", Scope: "loki:tenants:b"}, hallpass.Permission{Action: "loki:write"})
	all := role("read all", false, hallpass.Permission{Action: "loki:read", Scope: "loki:*"})
	give := func(uid string, kind hallpass.GranteeKind, id int64, global bool) {
		if err := w.AssignRole(ctx, boss, uid, hallpass.Grantee{Kind: kind, ID: id}, global); err != nil {
			t.Fatal(err)
		}
	}
	accounts := map[string]hallpass.Caller{}
	for _, name := range []string{"plain", "direct", "both", "team", "global"} {
		accounts[name] = w.machine(name, hallpass.RoleNone)
	}
	for _, r := range hallpass.Roles() {
		accounts[r.String()] = w.machine("basic "+r.String(), r)
	}
	id := func(name string) int64 { return accounts[name].Principal.ID }
	team, err := w.CreateTeam(ctx, boss, "readers", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"team", "both"} {
		if err := w.AddTeamMember(ctx, boss, team.ID, id(name), hallpass.LevelMember); err != nil {
			t.Fatal(err)
		}
	}
	give(read, hallpass.ToPrincipal, id("direct"), false)
	give(read, hallpass.ToPrincipal, id("both"), false)
	give(all, hallpass.ToTeam, int64(team.ID), false)
	give(readB, hallpass.ToPrincipal, id("global"), false)
	give(readB, hallpass.ToBasicRole, int64(hallpass.RoleEditor), true)
	other, err := w.CreateOrg(ctx, boss, "second")
	if err != nil {
		t.Fatal(err)
	}
	there, err := w.In(ctx, boss, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateServiceAccount(ctx, there, admin.NewServiceAccount{Name: "elsewhere"}); err != nil {
		t.Fatal(err)
	}
	counts, err := w.GuardHolders(ctx, boss, "loki")
	if err != nil || len(counts) != len(g.Rules) {
		t.Fatalf("%v, %v", counts, err)
	}
	for i, r := range g.Rules {
		want := w.whoMay(accounts, r.Need)
		if r.Need.Kind == hallpass.NeedNothing || r.Need.Action == hallpass.TeamsRead {
			if counts[i] != admin.NotCounted {
				t.Errorf("%s: %d", r.Path, counts[i])
			}
			continue
		}
		if counts[i] != len(want) {
			t.Errorf("%s: %d accounts, want %v", r.Path, counts[i], want)
		}
		for page := 1; page <= 2; page++ {
			rule, list, total, err := w.GuardRuleHolders(ctx, boss, "loki", i+1, admin.Page{Number: page, Size: 3})
			if err != nil || total != len(want) || rule.Path != r.Path || len(list) != min(max(len(want)-3*(page-1), 0), 3) {
				t.Errorf("%s, page %d: %d of %d, %v; want of %d", r.Path, page, len(list), total, err, len(want))
			}
			for _, a := range list {
				if !want[a.ID] {
					t.Errorf("%s: %s is listed", r.Path, a.Name)
				}
			}
		}
	}
	if _, _, _, err := w.GuardRuleHolders(ctx, boss, "loki", 99, admin.Page{Number: 1, Size: 3}); !errors.Is(err, hallpass.NotFound) {
		t.Errorf("no such rule: %v", err)
	}
	for _, c := range []hallpass.Caller{accounts["Viewer"], accounts["Editor"]} {
		if _, err := w.GuardHolders(ctx, c, "loki"); !errors.Is(err, hallpass.Denied) || c.MayReadHolders() {
			t.Errorf("as %s: %v", c.Name, err)
		}
	}
}

// whoMay asks each account for what is needed; where the scope has captures, on the
// values that roles hold.
func (w *world) whoMay(accounts map[string]hallpass.Caller, n hallpass.Need) map[hallpass.ServiceAccountID]bool {
	w.t.Helper()
	who := make(map[hallpass.ServiceAccountID]bool)
	err := w.db.Read(w.t.Context(), func(tx *store.Tx) error {
		for _, c := range accounts {
			a, err := tx.ServiceAccount(c.Org, c.ServiceAccount())
			if err != nil {
				return err
			}
			now, err := tx.ServiceAccountCaller(a)
			if err != nil {
				return err
			}
			scopes := []string{n.Scope}
			if n.HasCaptures() {
				scopes = []string{"loki:tenants:a", "loki:tenants:b", "loki:tenants:c"}
			}
			for _, s := range scopes {
				if n.Kind == hallpass.NeedRole && now.Role >= n.Role || n.Kind == hallpass.NeedPermission && now.Can(n.Action, hallpass.Scope(s)) {
					who[a.ID] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return who
}

// TestManyHolders counts up to a bound, and of more rules than are counted the first.
func TestManyHolders(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	g := hallpass.Guard{Name: "many"}
	for i := range 150 {
		g.Rules = append(g.Rules, hallpass.GuardRule{Path: fmt.Sprintf("/%d", i), Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: hallpass.Action(fmt.Sprintf("many:n%d", i))}})
	}
	if _, err := w.CreateGuard(ctx, boss, g); err != nil {
		t.Fatal(err)
	}
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		for i := range admin.MaxHolders + 5 {
			name := fmt.Sprintf("a%d", i)
			if _, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: name, Org: hallpass.FirstOrg, Name: name, Login: name, Role: hallpass.RoleAdmin}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := w.GuardHolders(ctx, boss, "many")
	if err != nil || counts[0] != admin.MaxHolders || counts[99] != admin.MaxHolders || counts[100] != admin.NotCounted || counts[149] != admin.NotCounted {
		t.Errorf("%v, %v", counts, err)
	}
	_, list, total, err := w.GuardRuleHolders(ctx, boss, "many", 150, admin.Page{Number: 1, Size: 2})
	if err != nil || len(list) != 2 || total != admin.MaxHolders+5 {
		t.Errorf("%d of %d, %v", len(list), total, err)
	}
}
