package admin_test

import (
	"fmt"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// TestNamesInAudit deletes things that the audit tells of: who reads the audit learns that
// they were deleted, with the last name, and of nothing that never was. Others learn nothing.
func TestNamesInAudit(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ci, kept := w.machine("ci", hallpass.RoleViewer), w.machine("kept", hallpass.RoleViewer)
	own, err := w.CreateToken(ctx, boss, ci.ServiceAccount(), admin.NewToken{Name: "own"})
	must(err)
	must(w.DeleteToken(ctx, boss, ci.ServiceAccount(), own.Token.ID))
	team, err := w.CreateTeam(ctx, boss, "shop", "")
	must(err)
	role, err := w.CreateRole(ctx, boss, hallpass.NamedRole{Name: "reader", Permissions: []hallpass.Permission{{Action: "shop:read"}}}, false)
	must(err)
	user, err := w.CreateUser(ctx, boss, admin.NewUser{Login: "vera", Password: secret.NewText("violet lamps hum at noon"), Org: hallpass.FirstOrg})
	must(err)
	_, err = w.CreateGuard(ctx, boss, prom())
	must(err)

	for _, target := range []string{fmt.Sprint("serviceaccount:", ci.Principal.ID), fmt.Sprint("team:", team.ID), "role:" + role.UID, fmt.Sprint("user:", user.ID), "guard:prom"} {
		ref, _ := admin.ParseRef(hallpass.FirstOrg, target)
		if n, err := w.NamesInAudit(ctx, boss, []admin.Ref{ref}); err != nil || n[ref].Text == "" || n[ref].Deleted {
			t.Errorf("%s, while it is there: %+v, %v", target, n[ref], err)
		}
	}
	must(w.DeleteServiceAccount(ctx, boss, ci.ServiceAccount()))
	must(w.DeleteTeam(ctx, boss, team.ID))
	must(w.DeleteRole(ctx, boss, role.UID, false))
	must(w.DeleteUser(ctx, boss, user.ID))
	must(w.DeleteGuard(ctx, boss, "prom"))

	far := boss
	far.Org, far.ServerAdmin = 99, false
	for _, tt := range []struct {
		target  string
		deleted bool
		text    string
	}{
		{fmt.Sprint("serviceaccount:", ci.Principal.ID), true, "sa-1-ci"},
		{fmt.Sprint("token:", own.Token.ID), true, "own"},
		{fmt.Sprint("token:", ci.Token), true, ""}, // it went with its account
		{fmt.Sprint("team:", team.ID), true, "shop"},
		{"role:" + role.UID, true, "reader"},
		{fmt.Sprint("user:", user.ID), true, "vera"},
		{"guard:prom", true, "prom"},
		{"team:999", false, ""}, {"guard:nosuch", false, ""}, {"user:999", false, ""}, {"folder:nosuch", false, ""},
	} {
		ref, _ := admin.ParseRef(hallpass.FirstOrg, tt.target)
		n, err := w.NamesInAudit(ctx, boss, []admin.Ref{ref})
		got, known := n[ref]
		if err != nil || known != tt.deleted || got.Deleted != tt.deleted || got.Text != tt.text {
			t.Errorf("%s: %+v, %v; want %+v", tt.target, got, err, tt)
		}
		if n, err := w.Names(ctx, boss, []admin.Ref{ref}); err != nil || len(n) > 0 {
			t.Errorf("%s outside of the audit: %+v, %v", tt.target, n, err)
		}
		if n, err := w.NamesInAudit(ctx, kept, []admin.Ref{ref}); err != nil || len(n) > 0 {
			t.Errorf("%s for a Viewer: %+v, %v", tt.target, n, err)
		}
		ref.Org = far.Org
		if n, err := w.NamesInAudit(ctx, far, []admin.Ref{ref}); err != nil || len(n) > 0 {
			t.Errorf("%s in another org: %+v, %v", tt.target, n, err)
		}
	}
}
