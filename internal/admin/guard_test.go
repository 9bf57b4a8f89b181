package admin_test

import (
	"errors"
	"strings"
	"testing"

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
	w := newWorld(t, admin.Options{Itself: []string{"localhost:3080", "hallpass.example.com:443"}})
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

// TestGuardWarnings warns of an action that no role gives, until one does.
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
	if err := w.AssignRole(ctx, boss, r.UID, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: w.machine("ci", hallpass.RoleNone).Principal.ID}, false); err != nil {
		t.Fatal(err)
	}
	if n := warnings(); n != 0 {
		t.Errorf("%d warnings afterwards", n)
	}
}
