package admin_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestRoleImpact cuts a role that accounts have themselves and through a team: those are told
// that used what it loses, not those that hold it otherwise, and none that the caller may not
// read.
func TestRoleImpact(t *testing.T) {
	w := newWorld(t, admin.Options{})
	boss := w.human("admin")
	role, err := w.CreateRole(t.Context(), boss, hallpass.NamedRole{UID: "app", Name: "app", Permissions: []hallpass.Permission{{Action: "app:read", Scope: "app:*"}, {Action: "app:write", Scope: "app:*"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	team, err := w.CreateTeam(t.Context(), boss, "crew", "")
	if err != nil {
		t.Fatal(err)
	}
	uses := func(name string, action hallpass.Action, given hallpass.GranteeKind) hallpass.ServiceAccountID {
		t.Helper()
		c := w.machine(name, hallpass.RoleNone)
		id := c.ServiceAccount()
		switch given {
		case hallpass.ToTeam:
			err = w.AddTeamMember(t.Context(), boss, team.ID, int64(id), hallpass.LevelMember)
		case hallpass.ToPrincipal:
			err = w.AssignRole(t.Context(), boss, role.UID, hallpass.Grantee{Kind: given, ID: int64(id)}, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		u := hallpass.TokenUsage{Actions: []hallpass.TokenAction{{Action: action, Scope: "app:of:x", Last: w.Now().Add(-time.Hour), Count: 3}}}
		if err := w.db.AddTokenUsage(t.Context(), []store.TokenUsed{{Token: c.Token, TokenUsage: u}}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	if err := w.AssignRole(t.Context(), boss, role.UID, hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(team.ID)}, false); err != nil {
		t.Fatal(err)
	}
	direct := uses("direct", "app:write", hallpass.ToPrincipal)
	uses("member", "app:write", hallpass.ToTeam)
	uses("reader", "app:read", hallpass.ToPrincipal)
	uses("stranger", "app:write", "")
	refused := func(c hallpass.Caller, next ...hallpass.Permission) (names []string) {
		t.Helper()
		i, err := w.RoleImpact(t.Context(), c, role.UID, next, 30)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range i.Accounts {
			names = append(names, a.Account.Name)
			if len(a.Lost) != 1 || a.Lost[0].Count != 3 {
				t.Errorf("%s loses %+v", a.Account.Name, a.Lost)
			}
		}
		slices.Sort(names)
		return names
	}
	read, write := role.Permissions[0], role.Permissions[1]
	if diff := cmp.Diff(refused(boss, read), []string{"direct", "member"}); diff != "" {
		t.Errorf("without writing: %s", diff)
	}
	if diff := cmp.Diff(refused(boss), []string{"direct", "member", "reader"}); diff != "" {
		t.Errorf("without anything: %s", diff)
	}
	for what, next := range map[string][]hallpass.Permission{"as it is": {read, write}, "with more": {read, write, {Action: "app:use"}}, "wider": {{Action: "app:read", Scope: "*"}, {Action: "app:write", Scope: "*"}}} {
		if got := refused(boss, next...); got != nil {
			t.Errorf("%s: %v would be refused", what, got)
		}
	}
	if diff := cmp.Diff(refused(boss, read, hallpass.Permission{Action: "app:write", Scope: "app:of:y"}), []string{"direct", "member"}); diff != "" {
		t.Errorf("elsewhere: %s", diff)
	}
	few := boss
	few.ServerAdmin, few.Permissions = false, hallpass.NewPermissions(hallpass.Permission{Action: hallpass.RolesRead, Scope: "roles:*"}, hallpass.Permission{Action: hallpass.ServiceAccountsRead, Scope: direct.Scope()})
	if diff := cmp.Diff(refused(few, read), []string{"direct"}); diff != "" {
		t.Errorf("for who may read one account: %s", diff)
	}
	counts, err := w.RoleHolders(t.Context(), boss)
	if want := (admin.RoleCount{ServiceAccounts: 2, Teams: 1}); err != nil || counts[role.UID] != want {
		t.Errorf("the role is held by %+v, %v, want %+v", counts[role.UID], err, want)
	}
	if got := counts["basic_none"]; got.ServiceAccounts != 4 {
		t.Errorf("None is held by %+v", got)
	}
}

// TestWhomToAsk names who can give what is missing, by name, and nobody of another org.
func TestWhomToAsk(t *testing.T) {
	w := newWorld(t, admin.Options{})
	boss := w.human("admin")
	join := func(login, email, name string, role hallpass.Role) hallpass.UserID {
		t.Helper()
		u, err := w.CreateUser(t.Context(), boss, admin.NewUser{Login: login, Email: email, Name: name, Password: secret.NewText("seven quiet rivers run"), Org: hallpass.FirstOrg})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.SetOrgUserRole(t.Context(), boss, u.ID, role); err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	join("ana@example.com", "ana@example.com", "", hallpass.RoleAdmin)
	join("kelly.secret", "kelly@example.com", "Ana Keller@example.com", hallpass.RoleAdmin)
	join("lars", "lars@example.com", "Lars", hallpass.RoleAdmin)
	off := join("gone", "gone@example.com", "Gone Away", hallpass.RoleAdmin)
	join("ed", "ed@example.com", "Ed Itor", hallpass.RoleEditor)
	if err := w.SetUserDisabled(t.Context(), boss, off, true); err != nil {
		t.Fatal(err)
	}
	viewer := w.human("ed")
	h, err := w.WhomToAsk(t.Context(), viewer, hallpass.ServiceAccountsRead)
	if err != nil || h.Server {
		t.Fatalf("%+v, %v", h, err)
	}
	if diff := cmp.Diff(h.Names(), []string{"an Admin", "Ana Keller"}); diff != "" {
		t.Error(diff)
	}
	for _, p := range h.People {
		if p.Email != "" {
			t.Errorf("a viewer reads the mail address of %s", p.Name)
		}
	}
	if len(h.Roles) == 0 || h.Roles[0].Name != "fixed:serviceaccounts:reader" {
		t.Errorf("the roles are %+v", h.Roles)
	}
	if h, err = w.WhomToAsk(t.Context(), viewer, hallpass.UsersCreate); err != nil || !h.Server || len(h.Names()) != 1 {
		t.Errorf("on the server: %+v, %v", h, err)
	}
	outside := viewer
	outside.OrgMissing = true
	if h, err = w.WhomToAsk(t.Context(), outside, hallpass.ServiceAccountsRead); err != nil || len(h.People) != 0 {
		t.Errorf("somebody of no org is told %v, %v", h.Names(), err)
	}
}
