package admin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// prom is a guard with two rules of its own.
func prom() hallpass.Guard {
	return hallpass.Guard{
		Name: "prom", Upstream: "http://127.0.0.1:9090", Preset: "prometheus",
		Rules: []hallpass.GuardRule{
			{Methods: []string{"GET"}, Path: "/metrics", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}},
			{Path: "/own", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "own:read"}},
		},
	}
}

// reason returns the entry of the newest change with that action.
func (w *world) reason(action string) hallpass.AuditEntry {
	w.t.Helper()
	page, err := w.Audit(w.t.Context(), w.human("admin"), hallpass.AuditFilter{Action: action, Outcome: hallpass.Done, Limit: 1})
	if err != nil || len(page.Entries) != 1 {
		w.t.Fatalf("%s: %d entries, %v", action, len(page.Entries), err)
	}
	return page.Entries[0]
}

// TestGuardLife makes a guard, changes it and deletes it: the audit tells in what it
// changed, and an old version is a Conflict.
func TestGuardLife(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	g, err := w.CreateGuard(ctx, boss, prom())
	if err != nil || g.Version != 1 || g.Org != hallpass.FirstOrg || g.ManagedBy != hallpass.ManagedByAPI {
		t.Fatalf("%+v, %v", g, err)
	}
	if e := w.reason("guard.create"); e.Target != "guard:prom" || !strings.Contains(e.Reason, "+ GET /metrics needs the role Viewer") {
		t.Errorf("made: %+v", e)
	}
	if _, err := w.CreateGuard(ctx, boss, prom()); !errors.Is(err, hallpass.Conflict) {
		t.Errorf("made twice: %v", err)
	}
	edit := g
	edit.Rules = edit.Rules[:1]
	after, err := w.UpdateGuard(ctx, boss, "prom", edit)
	if err != nil || after.Version != 2 || after.ID != g.ID {
		t.Fatalf("%+v, %v", after, err)
	}
	if e := w.reason("guard.update"); e.Reason != "- any /own needs the permission own:read" {
		t.Errorf("changed: %+v", e)
	}
	var e *hallpass.Error
	if _, err := w.UpdateGuard(ctx, boss, "prom", edit); !errors.As(err, &e) || e.ID != "guard.version-mismatch" {
		t.Errorf("changed from an old version: %v", err)
	}
	after.Name = "other"
	if _, err := w.UpdateGuard(ctx, boss, "prom", after); !errors.Is(err, hallpass.Invalid) {
		t.Errorf("renamed: %v", err)
	}
	if err := w.DeleteGuard(ctx, boss, "prom"); err != nil {
		t.Fatal(err)
	}
	if e := w.reason("guard.delete"); e.Target != "guard:prom" {
		t.Errorf("deleted: %+v", e)
	}
	for name, err := range map[string]error{
		"read":    second(w.Guard(ctx, boss, "prom")),
		"changed": second(w.UpdateGuard(ctx, boss, "prom", edit)),
		"deleted": w.DeleteGuard(ctx, boss, "prom"),
	} {
		if !errors.Is(err, hallpass.NotFound) {
			t.Errorf("%s when it is gone: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestGuardInput refuses guards that are not well formed, or that protect this server.
func TestGuardInput(t *testing.T) {
	w := newWorld(t, admin.Options{Itself: []string{"http://0.0.0.0:3080", "https://hallpass.example.com", ""}})
	for upstream, refused := range map[string]bool{
		"http://localhost:3080": true, "http://127.0.0.1:3080": true, "http://127.9.9.9:3080/x": true, "http://[::1]:3080": true, "http://0.0.0.0:3080": true,
		"https://hallpass.example.com": true, "https://HALLPASS.example.com:443/": true, "ftp://x": true,
		"http://hallpass.example.com": false, "http://127.0.0.1:3081": false, "": false,
	} {
		g := prom()
		g.Upstream = upstream
		_, err := w.CreateGuard(t.Context(), w.human("admin"), g)
		if got := errors.Is(err, hallpass.Invalid); got != refused || !refused && err != nil {
			t.Errorf("%q: %v", upstream, err)
		}
		if err == nil {
			if err := w.DeleteGuard(t.Context(), w.human("admin"), "prom"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestGuardsByScope lets an account manage one guard alone: it sees that one, changes
// it, and is refused the others by name.
func TestGuardsByScope(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss, own := t.Context(), w.human("admin"), w.machine("own", hallpass.RoleNone)
	for _, name := range []string{"a", "b", "own-a"} {
		g := prom()
		g.Name = name
		if _, err := w.CreateGuard(ctx, boss, g); err != nil {
			t.Fatal(err)
		}
	}
	var list []hallpass.Permission
	for _, a := range []hallpass.Action{hallpass.GuardsRead, hallpass.GuardsWrite, hallpass.GuardsDelete} {
		list = append(list, hallpass.Permission{Action: a, Scope: "guards:uid:a"})
	}
	r, err := w.CreateRole(ctx, boss, hallpass.NamedRole{Name: "one guard", Permissions: list}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AssignRole(ctx, boss, r.UID, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: own.Principal.ID}, false); err != nil {
		t.Fatal(err)
	}
	err = w.db.Read(ctx, func(tx *store.Tx) error {
		account, err := tx.ServiceAccount(own.Org, own.ServiceAccount())
		if err != nil {
			return err
		}
		token := own.Token
		own, err = tx.ServiceAccountCaller(account)
		own.Token = token
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, total, err := w.Guards(ctx, own, admin.GuardFilter{Page: admin.Page{Number: 1, Size: 10}})
	if err != nil || total != 1 || len(page) != 1 || page[0].Name != "a" {
		t.Errorf("it sees %v of %d, %v", page, total, err)
	}
	b := prom()
	b.Name, b.Version = "b", 1
	for name, err := range map[string]error{
		"read": second(w.Guard(ctx, own, "b")), "write": second(w.UpdateGuard(ctx, own, "b", b)), "delete": w.DeleteGuard(ctx, own, "b"),
		"create": second(w.CreateGuard(ctx, own, hallpass.Guard{Name: "c"})),
	} {
		if !errors.Is(err, hallpass.Denied) || !strings.Contains(err.Error(), "guards:") {
			t.Errorf("%s another: %v", name, err)
		}
	}
	if err := w.DeleteGuard(ctx, own, "a"); err != nil {
		t.Errorf("delete its own: %v", err)
	}
	if g, err := w.Guard(ctx, boss, "b"); err != nil || g.Version != 1 {
		t.Errorf("the other is %+v, %v", g, err)
	}
	list2, total, err := w.Guards(ctx, boss, admin.GuardFilter{Query: "OWN", Page: admin.Page{Number: 1, Size: 10}})
	if err != nil || total != 1 || list2[0].Name != "own-a" {
		t.Errorf("by name: %v, %v", list2, err)
	}
}

// TestGuardOfAnotherOrg keeps an org's guards from the others, who learn only that the
// name is taken.
func TestGuardOfAnotherOrg(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	if _, err := w.CreateGuard(ctx, boss, prom()); err != nil {
		t.Fatal(err)
	}
	org, err := w.CreateOrg(ctx, boss, "second")
	if err != nil {
		t.Fatal(err)
	}
	there, err := w.In(ctx, boss, org.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Guard(ctx, there, "prom"); !errors.Is(err, hallpass.NotFound) {
		t.Errorf("read: %v", err)
	}
	if err := w.DeleteGuard(ctx, there, "prom"); !errors.Is(err, hallpass.NotFound) {
		t.Errorf("deleted: %v", err)
	}
	if _, err := w.CreateGuard(ctx, there, prom()); !errors.Is(err, hallpass.Conflict) {
		t.Errorf("made: %v", err)
	}
	if list, total, err := w.Guards(ctx, there, admin.GuardFilter{Page: admin.Page{Size: 10}}); err != nil || total != 0 {
		t.Errorf("listed: %v, %v", list, err)
	}
}

// TestGuardWarnings warns of an action that only Admins hold, until somebody has a role
// with it.
func TestGuardWarnings(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	warnings := func() int {
		list, err := w.GuardWarnings(ctx, boss, prom())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := warnings(); n != 1 {
		t.Errorf("%d warnings before", n)
	}
	r, err := w.CreateRole(ctx, boss, hallpass.NamedRole{Name: "own", Permissions: []hallpass.Permission{{Action: "own:read"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := w.GuardWarnings(ctx, boss, prom()); err != nil || len(list) != 1 || list[0].Message != "Only Admins hold own:read: nobody else has a role that gives it" {
		t.Errorf("with a role that nobody has: %v, %v", list, err)
	}
	if err := w.AssignRole(ctx, boss, r.UID, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: w.machine("ci", hallpass.RoleNone).Principal.ID}, false); err != nil {
		t.Fatal(err)
	}
	if n := warnings(); n != 0 {
		t.Errorf("%d warnings afterwards", n)
	}
}

// TestConfigGuards applies files one after the other: what a file says is true
// afterwards, what it says again changes nothing, and of a bad one nothing is taken.
func TestConfigGuards(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	guard := func(name, preset string) hallpass.Guard {
		return hallpass.Guard{Org: hallpass.FirstOrg, Name: name, Preset: preset}
	}
	apply := func(want string, list ...hallpass.Guard) {
		t.Helper()
		for _, want := range []string{want, ""} { // a second time there is nothing to do
			did, err := w.ApplyConfigGuards(ctx, list, "hallpass.toml")
			if got := strings.Join(did, ", "); err != nil || got != want {
				t.Errorf("it did %q, %v; want %q", got, err, want)
			}
		}
	}
	if _, err := w.CreateGuard(ctx, boss, prom()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateGuard(ctx, boss, guard("mine", "loki")); err != nil {
		t.Fatal(err)
	}
	apply("guard.create a, guard.create b", guard("a", "loki"), guard("b", "loki"))
	if e := w.reason("guard.create"); e.Target != "guard:b" || !strings.HasPrefix(e.Reason, `hallpass.toml: `) || e.Org != hallpass.FirstOrg {
		t.Errorf("audited as %+v", e)
	}
	apply("guard.update prom, guard.update a, guard.delete b", guard("prom", "mimir"), guard("a", "prometheus"))
	a, err := w.Guard(ctx, boss, "a")
	if err != nil || a.Preset != "prometheus" || a.ManagedBy != hallpass.ManagedByConfig || a.Source != "hallpass.toml" || a.Version != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	if g, err := w.Guard(ctx, boss, "prom"); err != nil || g.ManagedBy != hallpass.ManagedByConfig || len(g.Rules) != 0 {
		t.Errorf("taken over: %+v, %v", g, err)
	}
	var e *hallpass.Error
	for _, err := range []error{second(w.UpdateGuard(ctx, boss, "a", a)), w.DeleteGuard(ctx, boss, "a")} {
		if !errors.As(err, &e) || e.ID != "guard.managed" || !strings.Contains(e.Message, "hallpass.toml") {
			t.Errorf("changed elsewhere: %v", err)
		}
	}
	elsewhere, bad := guard("c", "loki"), guard("c", "nosuch")
	elsewhere.Org = 77
	for _, g := range []hallpass.Guard{elsewhere, bad} {
		if did, err := w.ApplyConfigGuards(ctx, []hallpass.Guard{guard("d", "loki"), g}, "hallpass.toml"); err == nil || len(did) > 0 || !strings.Contains(err.Error(), "guard.c") {
			t.Errorf("a bad file: %v, %v", did, err)
		}
	}
	err = w.db.Write(ctx, func(tx *store.Tx) error { a.Suspended = hallpass.SuspendedOlder; return tx.UpdateGuard(a) })
	if err != nil {
		t.Fatal(err)
	}
	apply("guard.update a", guard("prom", "mimir"), guard("a", "prometheus"))
	apply("guard.delete a, guard.delete prom")
	if list, _, err := w.Guards(ctx, boss, admin.GuardFilter{Page: admin.Page{Size: 9}}); err != nil || len(list) != 1 || list[0].Name != "mine" {
		t.Errorf("left: %+v, %v", list, err)
	}
}

// TestGuardUsageOfDays asks for the uses of the last days, which begin at midnight UTC.
func TestGuardUsageOfDays(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, admin.Options{Now: func() time.Time { return now }})
	ctx, boss := t.Context(), w.human("admin")
	g, err := w.CreateGuard(ctx, boss, prom())
	if err != nil {
		t.Fatal(err)
	}
	var uses []hallpass.GuardUse
	for back := range 100 {
		uses = append(uses, hallpass.GuardUse{Guard: g.ID, Day: now.Truncate(24*time.Hour).AddDate(0, 0, -back), Rule: 1, Outcome: "allowed", Count: 1})
	}
	if err := w.db.AddGuardUsage(ctx, uses, hallpass.MaxGuardUses); err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int]int{-1: 1, 0: 1, 1: 1, 7: 7, 90: 90, 1 << 40: 90} {
		if got, err := w.GuardUsage(ctx, boss, "prom", days); err != nil || len(got) != want {
			t.Errorf("of %d days: %d, %v; want %d", days, len(got), err, want)
		}
	}
	if _, err := w.GuardUsage(ctx, boss, "nosuch", 1); !errors.Is(err, hallpass.NotFound) {
		t.Errorf("of no guard: %v", err)
	}
	if _, err := w.GuardUsage(ctx, w.machine("ci", hallpass.RoleViewer), "prom", 1); !errors.Is(err, hallpass.Denied) {
		t.Errorf("by a Viewer: %v", err)
	}
}

// TestNameOfGuard finds the guard that an audit entry and a scope point to; nobody who
// may not read it is told that it exists.
func TestNameOfGuard(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	if _, err := w.CreateGuard(ctx, boss, prom()); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"guard:prom": true, "guards:uid:prom": true, "guard:gone": false, "guards:uid:*": false} {
		ref, _ := admin.ParseRef(hallpass.FirstOrg, text)
		names, err := w.Names(ctx, boss, []admin.Ref{ref})
		if err != nil || (names[ref].Text == "prom") != want {
			t.Errorf("%s: %+v, %v", text, names, err)
		}
		if names, err := w.Names(ctx, w.machine(text, hallpass.RoleViewer), []admin.Ref{ref}); err != nil || len(names) > 0 {
			t.Errorf("%s for a Viewer: %+v, %v", text, names, err)
		}
	}
}

// TestOrgWithGuards deletes an org with a guard: one of the configuration file stands in
// the way, one of the API goes with the org.
func TestOrgWithGuards(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	org, err := w.CreateOrg(ctx, boss, "second")
	if err != nil {
		t.Fatal(err)
	}
	there, err := w.In(ctx, boss, org.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateGuard(ctx, there, prom()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ApplyConfigGuards(ctx, []hallpass.Guard{{Name: "file", Org: org.ID, Preset: "loki"}}, "hallpass.toml"); err != nil {
		t.Fatal(err)
	}
	var e *hallpass.Error
	if err := w.DeleteOrg(ctx, there); !errors.As(err, &e) || e.ID != "guard.managed" {
		t.Errorf("with a guard of the file: %v", err)
	}
	if _, err := w.ApplyConfigGuards(ctx, nil, "hallpass.toml"); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteOrg(ctx, there); err != nil {
		t.Errorf("with a guard of the API: %v", err)
	}
	if _, err := w.CreateGuard(ctx, boss, prom()); err != nil {
		t.Errorf("the name is free again: %v", err)
	}
}
