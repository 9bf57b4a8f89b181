package admin_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// TestUsersOfOtherOrgsAreToldThere has a server admin do all that can be done to a user of
// another org: the audit of that org tells it, and that of the caller's nothing. What is
// done to a user of both stays in the caller's.
func TestUsersOfOtherOrgsAreToldThere(t *testing.T) {
	w := newWorld(t, admin.Options{})
	ctx, boss := t.Context(), w.human("admin")
	second, err := w.CreateOrg(ctx, boss, "second")
	if err != nil {
		t.Fatal(err)
	}
	there := boss
	there.Org = second.ID
	told := func(c hallpass.Caller) (actions []string) {
		t.Helper()
		list, err := w.Audit(ctx, c, hallpass.AuditFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Entries {
			if e.Org == c.Org { // a server admin reads those of all orgs
				actions = append([]string{e.Action}, actions...)
			}
		}
		return actions
	}
	here, other := len(told(boss)), len(told(there))
	u, err := w.CreateUser(ctx, boss, admin.NewUser{Login: "lone", Password: secret.NewText("seven quiet rivers run"), Org: second.ID})
	if err != nil {
		t.Fatal(err)
	}
	lone := w.human("lone")
	lone.Org = second.ID
	s, _, err := w.StartSession(ctx, lone)
	if err != nil {
		t.Fatal(err)
	}
	for what, fn := range map[string]func() error{"session": func() error { return w.EndUserSession(ctx, boss, u.ID, s.ID) }, "update": func() error { return w.UpdateUser(ctx, boss, u.ID, "lone", "", "Lone") }} {
		if err := fn(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, err := range []error{
		w.SetUserPassword(ctx, boss, u.ID, secret.NewText("eight quiet rivers run")), w.SetServerAdmin(ctx, boss, u.ID, true), w.SetServerAdmin(ctx, boss, u.ID, false),
		w.SetUserDisabled(ctx, boss, u.ID, true), w.SetUserDisabled(ctx, boss, u.ID, false), w.SetUserOrg(ctx, boss, u.ID, second.ID), w.DeleteUser(ctx, boss, u.ID),
	} {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if got := told(boss)[here:]; len(got) != 0 {
		t.Errorf("the org of the caller is told %v", got)
	}
	got := strings.Join(told(there)[other:], " ")
	for _, action := range []string{"user.create", "session.end", "user.update", "password.set", "user.promote", "user.demote", "user.disable", "user.enable", "user.org", "user.delete"} {
		if !strings.Contains(got, action) {
			t.Errorf("the user's org is not told %s: %s", action, got)
		}
	}
	both, err := w.CreateUser(ctx, boss, admin.NewUser{Login: "both", Password: secret.NewText("seven quiet rivers run")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddOrgUser(ctx, there, "both", hallpass.RoleViewer); err != nil {
		t.Fatal(err)
	}
	if err := w.SetUserOrg(ctx, boss, both.ID, second.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteUser(ctx, boss, both.ID); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told(boss)[here:], " "); got != "user.create user.org user.delete" {
		t.Errorf("of a user of both: %s", got)
	}
}
