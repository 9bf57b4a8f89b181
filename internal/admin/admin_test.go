package admin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// world is the change side on a database with the first admin.
type world struct {
	*admin.Admin
	t  *testing.T
	db *store.DB
}

func newWorld(t *testing.T, o admin.Options) *world {
	t.Helper()
	return newWorldOn(t, hallpasstest.OpenStore(t), o)
}

func newWorldOn(t *testing.T, db *store.DB, o admin.Options) *world {
	t.Helper()
	w := &world{admin.New(db, o), t, db}
	if err := w.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: secret.NewText("violet lamps hum at noon")}); err != nil {
		t.Fatal(err)
	}
	return w
}

// human returns the caller that the user is in the first org.
func (w *world) human(login string) (c hallpass.Caller) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *store.Tx) error {
		u, err := tx.UserByLogin(login)
		if err != nil {
			return err
		}
		c, err = tx.UserCaller(u, hallpass.FirstOrg)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// machine makes an account with the role and a token, and returns its caller.
func (w *world) machine(name string, role hallpass.Role) hallpass.Caller {
	w.t.Helper()
	a, err := w.CreateServiceAccount(w.t.Context(), w.human("admin"), admin.NewServiceAccount{Name: name, Role: &role})
	if err != nil {
		w.t.Fatal(err)
	}
	made, err := w.CreateToken(w.t.Context(), w.human("admin"), a.ID, admin.NewToken{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	c := hallpass.ServiceAccountCaller(a, hallpass.PrincipalAccess{Member: true, Role: a.Role, Basic: a.Role.Permissions()})
	c.Token = made.Token.ID
	return c
}

// audit returns how many entries there are of the action with the outcome.
func (w *world) audit(action string, outcome hallpass.AuditOutcome) int {
	w.t.Helper()
	page, err := w.Audit(w.t.Context(), w.human("admin"), hallpass.AuditFilter{Action: action, Outcome: outcome, Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(page.Entries)
}

// TestRefusalsLeaveARecord refuses each change to a Viewer: nothing is changed,
// and the audit names who lacked what.
func TestRefusalsLeaveARecord(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, viewer := t.Context(), w.machine("viewer", hallpass.RoleViewer)
	target := w.machine("target", hallpass.RoleViewer)
	id, name := target.ServiceAccount(), "other"
	for action, try := range map[hallpass.Action]func() error{
		hallpass.ServiceAccountsCreate: func() error {
			_, err := w.CreateServiceAccount(ctx, viewer, admin.NewServiceAccount{Name: name})
			return err
		},
		hallpass.ServiceAccountsWrite: func() error {
			_, err := w.UpdateServiceAccount(ctx, viewer, id, hallpass.ServiceAccountPatch{Name: &name})
			return err
		},
		hallpass.ServiceAccountsDelete: func() error { return w.DeleteServiceAccount(ctx, viewer, id) },
		hallpass.ServiceAccountsRead:   func() error { _, err := w.ServiceAccount(ctx, viewer, id); return err },
		hallpass.OrgsWrite:             func() error { return w.RenameOrg(ctx, viewer, name) },
		hallpass.OrgUsersRead:          func() error { _, err := w.OrgUsers(ctx, viewer, "", 0); return err },
		hallpass.AuditRead:             func() error { _, err := w.Audit(ctx, viewer, hallpass.AuditFilter{Limit: 1}); return err },
	} {
		var e *hallpass.Error
		if err := try(); !errors.As(err, &e) || e.Kind != hallpass.Denied || e.Needs != string(action) {
			t.Errorf("%s: %v, want it denied by name", action, err)
		}
		if n := w.audit(string(action), hallpass.Refused); n != 1 {
			t.Errorf("%s: %d entries, want 1", action, n)
		}
	}
	got, err := w.ServiceAccount(ctx, w.human("admin"), id)
	if err != nil || got.Name != "target" || got.Tokens != 1 {
		t.Errorf("the target is %+v, %v", got, err)
	}
}

// TestCallersAreReadAnew makes changes as callers that were good a moment ago.
func TestCallersAreReadAnew(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	try := func(c hallpass.Caller) error {
		_, err := w.CreateServiceAccount(ctx, c, admin.NewServiceAccount{Name: "made by " + c.Principal.Login})
		return err
	}
	lowered, disabled, gone, loose := w.machine("lowered", hallpass.RoleAdmin), w.machine("disabled", hallpass.RoleAdmin), w.machine("gone", hallpass.RoleAdmin), w.machine("loose", hallpass.RoleAdmin)
	viewer, yes := hallpass.RoleViewer, true
	if _, err := w.UpdateServiceAccount(ctx, boss, lowered.ServiceAccount(), hallpass.ServiceAccountPatch{Role: &viewer}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateServiceAccount(ctx, boss, disabled.ServiceAccount(), hallpass.ServiceAccountPatch{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteServiceAccount(ctx, boss, gone.ServiceAccount()); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteToken(ctx, boss, loose.ServiceAccount(), loose.Token); err != nil {
		t.Fatal(err)
	}
	session, _, err := w.StartSession(ctx, boss)
	if err != nil {
		t.Fatal(err)
	}
	signedOut := boss
	signedOut.Session = session.ID
	if _, err := w.EndSession(ctx, signedOut); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		c    hallpass.Caller
		want hallpass.Kind
	}{
		{"lowered", lowered, hallpass.Denied},
		{"disabled", disabled, hallpass.Unauthenticated},
		{"deleted", gone, hallpass.Unauthenticated},
		{"token deleted", loose, hallpass.Unauthenticated},
		{"signed out", signedOut, hallpass.Unauthenticated},
		{"nobody", hallpass.Caller{Org: hallpass.FirstOrg, Permissions: hallpass.RoleAdmin.Permissions()}, hallpass.Unauthenticated},
	} {
		if err := try(tt.c); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if err := try(boss); err != nil {
		t.Errorf("the admin: %v", err)
	}
}

// TestNothingIsInherited deletes an account and makes one of the same name.
func TestNothingIsInherited(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	first := w.machine("ci", hallpass.RoleAdmin)
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: first.Principal.ID}
		return tx.SetGrant(hallpass.Grant{Org: hallpass.FirstOrg, Resource: hallpass.FolderResource, ResourceID: "f", To: to, Level: hallpass.LevelAdmin})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteServiceAccount(ctx, boss, first.ServiceAccount()); err != nil {
		t.Fatal(err)
	}
	second := w.machine("ci", hallpass.RoleViewer)
	if second.Principal.ID == first.Principal.ID {
		t.Fatalf("the number %d was given again", first.Principal.ID)
	}
	err = w.db.Read(ctx, func(tx *store.Tx) error {
		for _, id := range []int64{first.Principal.ID, second.Principal.ID} {
			if held, err := tx.AllGrants(hallpass.FirstOrg, id, hallpass.RoleNone); err != nil || len(held) != 0 {
				t.Errorf("principal %d holds %v, %v", id, held, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, p := range w.human("admin").Permissions.List() {
		if p.Scope == first.ServiceAccount().Scope() {
			t.Errorf("the admin still holds %v", p)
		}
	}
}

// TestFirstAdmin holds the configured first password to the policy (SEC-24).
func TestFirstAdmin(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	first := admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: secret.NewText("admin")}
	strict := admin.New(db, admin.Options{Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }})
	if err := strict.Begin(t.Context(), first); !errors.Is(err, hallpass.Invalid) {
		t.Errorf("a short first password: %v, want invalid", err)
	}
	if begun, err := strict.Begun(t.Context()); begun || err != nil {
		t.Errorf("begun after that: %v, %v", begun, err)
	}
	if err := admin.New(db, admin.Options{WeakPasswords: true}).Begin(t.Context(), first); err != nil {
		t.Errorf("with the policy off: %v", err)
	}
	if begun, err := strict.Begun(t.Context()); !begun || err != nil {
		t.Errorf("begun at last: %v, %v", begun, err)
	}
}

// TestOldPassword acts on the word of a password that was right when it was
// verified and has been changed since.
func TestOldPassword(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx := t.Context()
	old := w.human("admin")
	err := w.db.Read(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByLogin("admin")
		old.Password = u.PasswordFingerprint()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.StartSession(ctx, old); err != nil {
		t.Fatalf("before: %v", err)
	}
	if err := w.ResetPassword(ctx, "admin", secret.NewText("amber lamps hum at noon")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.StartSession(ctx, old); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("a session: %v", err)
	}
	if _, err := w.CreateServiceAccount(ctx, old, admin.NewServiceAccount{Name: "late"}); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("a change: %v", err)
	}
}
