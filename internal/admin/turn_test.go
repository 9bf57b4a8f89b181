package admin_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestAuthorizedOnce makes changes, revocations above all, for a caller that holds
// nothing as far as memory goes and is an Admin in the database, and the other way
// round: the database alone counts, it is asked once, and a refusal leaves one
// entry and does not tell what exists.
func TestAuthorizedOnce(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	raised, lowered, target := w.machine("raised", hallpass.RoleAdmin), w.machine("lowered", hallpass.RoleAdmin), w.machine("target", hallpass.RoleViewer)
	raised.Role, raised.Permissions = hallpass.RoleNone, nil
	viewer := hallpass.RoleViewer
	if _, err := w.UpdateServiceAccount(ctx, boss, lowered.ServiceAccount(), hallpass.ServiceAccountPatch{Role: &viewer}); err != nil {
		t.Fatal(err)
	}
	role, err := w.CreateRole(ctx, boss, hallpass.NamedRole{UID: "readers", Name: "readers"}, false)
	if err != nil {
		t.Fatal(err)
	}
	team, err := w.CreateTeam(ctx, boss, "ops", "")
	if err != nil {
		t.Fatal(err)
	}
	account := target.ServiceAccount()
	for _, tt := range []struct {
		action hallpass.Action
		try    func(c hallpass.Caller, missing int64) error
	}{
		{hallpass.RolesWrite, func(c hallpass.Caller, missing int64) error {
			edit := role
			edit.UID, edit.Version = role.UID+strings.Repeat("x", int(missing)), 0
			_, err := w.UpdateRole(ctx, c, edit, false)
			return err
		}},
		{hallpass.RolesDelete, func(c hallpass.Caller, missing int64) error {
			return w.DeleteRole(ctx, c, role.UID+strings.Repeat("x", int(missing)), true)
		}},
		{hallpass.TeamsPermissionsWrite, func(c hallpass.Caller, missing int64) error {
			return w.AddTeamMember(ctx, c, team.ID, target.Principal.ID+100*missing, hallpass.LevelMember)
		}},
		{hallpass.TeamsPermissionsWrite, func(c hallpass.Caller, missing int64) error {
			return w.RemoveTeamMember(ctx, c, team.ID, target.Principal.ID+100*missing)
		}},
		{hallpass.ServiceAccountsPermissionsWrite, func(c hallpass.Caller, missing int64) error {
			return w.SetAccess(ctx, c, hallpass.ServiceAccountResource, strconv.FormatInt(int64(account)+100*missing, 10), []admin.NewAccess{{Kind: hallpass.ToTeam, Ref: team.UID, Level: hallpass.LevelEdit}}, false)
		}},
		{hallpass.ServiceAccountsWrite, func(c hallpass.Caller, missing int64) error {
			return w.DeleteToken(ctx, c, account, target.Token+hallpass.TokenID(100*missing))
		}},
		{hallpass.ServiceAccountsDelete, func(c hallpass.Caller, missing int64) error {
			return w.DeleteServiceAccount(ctx, c, account+hallpass.ServiceAccountID(100*missing))
		}},
	} {
		before := w.refusals()
		for missing := range int64(2) {
			var e *hallpass.Error
			if err := tt.try(lowered, missing); !errors.As(err, &e) || e.Kind != hallpass.Denied || !strings.HasPrefix(e.Needs, string(tt.action)) {
				t.Errorf("%s by one lowered: %v, want it denied by name", tt.action, err)
			}
		}
		if n := w.refusals() - before; n != 2 {
			t.Errorf("%s: two refusals count %d", tt.action, n)
		}
		if err := tt.try(raised, 0); err != nil {
			t.Errorf("%s by one raised: %v", tt.action, err)
		}
	}
}

// refusals counts the refusals in the audit.
func (w *world) refusals() (n int64) {
	w.t.Helper()
	page, err := w.Audit(w.t.Context(), w.human("admin"), hallpass.AuditFilter{Outcome: hallpass.Refused, Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range page.Entries {
		n += e.Count
	}
	return n
}

// TestDroppedAccessIsAnnounced replaces the access to an account: those who lose
// theirs are among the changes, so that nobody remembers what they held.
func TestDroppedAccessIsAnnounced(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	loser, account := w.machine("loser", hallpass.RoleViewer), w.machine("target", hallpass.RoleViewer).ServiceAccount()
	set := func(replace bool, list ...admin.NewAccess) {
		t.Helper()
		if err := w.SetAccess(ctx, boss, hallpass.ServiceAccountResource, strconv.FormatInt(int64(account), 10), list, replace); err != nil {
			t.Fatal(err)
		}
	}
	set(false, admin.NewAccess{Kind: hallpass.ToPrincipal, Ref: strconv.FormatInt(loser.Principal.ID, 10), Level: hallpass.LevelEdit})
	var heard []hallpass.Change
	w.db.Subscribe(func(n store.ChangeEvent) {
		if n.Phase == store.Coming {
			heard = append(heard, n.Changes...)
		}
	})
	set(true)
	for _, c := range heard {
		if c.Kind == hallpass.ServiceAccountChanged && c.ID == loser.Principal.ID {
			return
		}
	}
	t.Errorf("heard of %v, want of account %d", heard, loser.Principal.ID)
}

// TestChangesUseTheirOwnCaller looks for a change that uses the caller that it was
// asked by, whose permissions may be old, instead of the one in its turn.
func TestChangesUseTheirOwnCaller(t *testing.T) {
	names, err := filepath.Glob("*.go")
	others, err2 := filepath.Glob("../library/*.go")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	files, changes := token.NewFileSet(), 0
	for _, name := range append(names, others...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			fn, ok := n.(*ast.FuncLit)
			if !ok || !takesTurn(fn) {
				return true
			}
			changes++
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == "c" {
					t.Errorf("%s: a change uses another caller than its own", files.Position(id.Pos()))
				}
				return true
			})
			return true
		})
	}
	if changes < 30 {
		t.Errorf("%d changes were looked at", changes)
	}
}

func takesTurn(fn *ast.FuncLit) bool {
	for _, p := range fn.Type.Params.List {
		if star, ok := p.Type.(*ast.StarExpr); ok {
			of := star.X
			if other, ok := of.(*ast.SelectorExpr); ok {
				of = other.Sel
			}
			if id, ok := of.(*ast.Ident); ok && id.Name == "Turn" {
				return true
			}
		}
	}
	return false
}
