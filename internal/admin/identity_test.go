package admin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

const issuer = "https://accounts.example.com"

// anybody is a policy that admits and takes over everything.
var anybody = hallpass.SignInPolicy{Issuer: issuer, Domains: []string{hallpass.AnyDomain}, SignUp: true, Role: true, ServerAdmins: true, Teams: true}

// ada is a person as the issuer proves her.
var ada = hallpass.OutsideUser{
	Issuer: issuer, Subject: "1", Login: "ada", Email: "ada@example.com", EmailProven: true, Name: "Ada Lovelace", Role: hallpass.RoleEditor, HasRole: true,
}

// write changes the database beside the Admin.
func (w *world) write(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// version returns how many changes of authority there were.
func (w *world) version() hallpass.Version {
	w.t.Helper()
	state, err := w.db.State(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return state.Version
}

// outside returns the user who has the identity.
func (w *world) outside(subject string) (u hallpass.User) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *store.Tx) error {
		i, err := tx.Identity(issuer, subject)
		if err != nil {
			return err
		}
		u, err = tx.User(i.User)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// signIn signs the person in, who is admitted.
func (w *world) signIn(u hallpass.OutsideUser) admin.SignedIn {
	w.t.Helper()
	in, err := w.SignInOutside(w.t.Context(), u, hallpass.From{Address: "192.0.2.7", UserAgent: "browser"})
	if err != nil {
		w.t.Fatalf("sign in %s: %v", u.Subject, err)
	}
	return in
}

// refused signs the person in, who is refused, and returns the ID of the refusal.
func (w *world) refused(u hallpass.OutsideUser) string {
	w.t.Helper()
	in, err := w.SignInOutside(w.t.Context(), u, hallpass.From{Address: "192.0.2.7"})
	var refusal *hallpass.Error
	if !errors.As(err, &refusal) || refusal.Kind != hallpass.Denied {
		w.t.Fatalf("%+v, %v; want Denied", in.Session, err)
	}
	return refusal.ID
}

func TestSignInOutside(t *testing.T) {
	policy := anybody
	policy.SessionLifetime = time.Hour
	w := newWorld(t, admin.Options{SignIn: policy})
	first := w.signIn(ada)
	u := w.outside("1")
	if u.Login != "ada" || u.Email != "ada@example.com" || u.Name != "Ada Lovelace" || u.PasswordHash != "" || u.SeenAt.IsZero() {
		t.Errorf("the user is %+v", u)
	}
	if c := w.human("ada"); c.Role != hallpass.RoleEditor || c.ServerAdmin {
		t.Errorf("role %v, server admin: %v; want Editor", c.Role, c.ServerAdmin)
	}
	if s := first.Session; s.User != u.ID || s.Issuer != issuer || s.ExpiresAt.Sub(s.CreatedAt) != time.Hour || s.Address != "192.0.2.7" || s.Hash != first.ID.Hash() {
		t.Errorf("the session is %+v", s)
	}
	second := w.signIn(ada)
	if second.Session.User != u.ID || second.Session.ID == first.Session.ID {
		t.Errorf("the second sign-in is %+v", second.Session)
	}
	if who, err := w.EndSession(t.Context(), second.Caller); err != nil || who != issuer {
		t.Errorf("a session of %q, %v; want %s", who, err, issuer)
	}
	for action, n := range map[string]int{"user.create": 1, "identity.create": 1, "session.create": 2, "user.sync": 0} {
		if got := w.audit(action, hallpass.Done); got != n {
			t.Errorf("%d entries of %s, want %d", got, action, n)
		}
	}
}

// TestSignInOutsideTakesOver changes what the issuer says between two sign-ins.
func TestSignInOutsideTakesOver(t *testing.T) {
	w := newWorld(t, admin.Options{SignIn: anybody})
	w.signIn(ada)
	changed := ada
	changed.Login, changed.Email, changed.Name, changed.Role, changed.ServerAdmin = "countess", "lovelace@example.com", "Ada King", hallpass.RoleAdmin, true
	before := w.version()
	w.signIn(changed)
	u := w.outside("1")
	if u.Login != "ada" || u.Email != "lovelace@example.com" || u.Name != "Ada King" || !u.ServerAdmin || w.human("ada").Role != hallpass.RoleAdmin {
		t.Errorf("the user is %+v", u)
	}
	if w.version() != before+1 {
		t.Errorf("the nodes heard of %d changes, want one", w.version()-before)
	}
	w.signIn(changed)
	if w.version() != before+1 {
		t.Error("the nodes hear of a sign-in that changes nothing")
	}
	changed.HasRole, changed.ServerAdmin, changed.EmailProven, changed.Email = false, false, false, "boss@example.com"
	w.signIn(changed)
	if u := w.outside("1"); u.ServerAdmin || u.Email != "lovelace@example.com" || w.human("ada").Role != hallpass.RoleViewer {
		t.Errorf("the user is %+v, with the role %v", u, w.human("ada").Role)
	}
	changed.EmailProven, changed.Email = true, "admin@localhost"
	w.signIn(changed)
	if u := w.outside("1"); u.Email != "lovelace@example.com" {
		t.Errorf("the user has the address of somebody else: %+v", u)
	}
	if n := w.audit("user.sync", hallpass.Done); n != 2 {
		t.Errorf("%d entries of user.sync, want 2", n)
	}
}

// TestSignInOutsideLeaves looks at what is not taken over: nothing that the policy does
// not name, and not the last admins.
func TestSignInOutsideLeaves(t *testing.T) {
	policy := anybody
	policy.Role, policy.ServerAdmins, policy.Teams = false, false, false
	w := newWorld(t, admin.Options{SignIn: policy})
	mighty := ada
	mighty.Role, mighty.ServerAdmin = hallpass.RoleAdmin, true
	w.signIn(mighty)
	w.signIn(mighty)
	if c := w.human("ada"); c.Role != hallpass.RoleViewer || c.ServerAdmin {
		t.Errorf("role %v, server admin: %v; want a Viewer", c.Role, c.ServerAdmin)
	}

	w = newWorld(t, admin.Options{SignIn: anybody})
	w.write(func(tx *store.Tx) error {
		return tx.CreateIdentity(hallpass.Identity{Issuer: issuer, Subject: "0", User: w.human("admin").User()})
	})
	weak := hallpass.OutsideUser{Issuer: issuer, Subject: "0", Role: hallpass.RoleViewer, HasRole: true}
	w.signIn(weak)
	if c := w.human("admin"); !c.ServerAdmin || c.Role != hallpass.RoleAdmin {
		t.Errorf("the last admin is %v, server admin: %v", c.Role, c.ServerAdmin)
	}
	w.signIn(mighty)
	w.signIn(weak)
	if c := w.human("admin"); c.ServerAdmin || c.Role != hallpass.RoleViewer {
		t.Errorf("one of two admins is %v, server admin: %v; want a Viewer", c.Role, c.ServerAdmin)
	}
}

// TestSignInOutsideStaysOut removes the user from the org: the issuer does not put them
// back.
func TestSignInOutsideStaysOut(t *testing.T) {
	w := newWorld(t, admin.Options{SignIn: anybody})
	in := w.signIn(ada)
	if err := w.RemoveOrgUser(t.Context(), w.human("admin"), in.Session.User); err != nil {
		t.Fatal(err)
	}
	if in := w.signIn(ada); !in.Caller.OrgMissing {
		t.Errorf("the user is back as %v", in.Caller.Role)
	}
}

// TestSignInOutsideRefuses looks at everybody who is not let in, and that nothing is
// left of it but an entry of the audit.
func TestSignInOutsideRefuses(t *testing.T) {
	closed, company := anybody, anybody
	closed.SignUp = false
	company.Domains = []string{"example.com"}
	with := func(change func(*hallpass.OutsideUser)) hallpass.OutsideUser {
		u := ada
		change(&u)
		return u
	}
	for _, tt := range []struct {
		name   string
		policy hallpass.SignInPolicy
		user   hallpass.OutsideUser
		id     string
	}{
		{"the zero policy", hallpass.SignInPolicy{}, ada, "federation.domain"},
		{"nobody signs up", closed, ada, "federation.no-user"},
		{"not of the company", company, with(func(u *hallpass.OutsideUser) { u.Email = "ada@example.net" }), "federation.domain"},
		{"the login of somebody", anybody, with(func(u *hallpass.OutsideUser) { u.Login = "Admin" }), "federation.login-taken"},
		{"the address of somebody", anybody, with(func(u *hallpass.OutsideUser) { u.Email = "ADMIN@localhost" }), "federation.login-taken"},
		{"the login of an account", anybody, with(func(u *hallpass.OutsideUser) { u.Login = "sa-1-ci" }), "federation.no-login"},
		{"a login with a colon", anybody, with(func(u *hallpass.OutsideUser) { u.Login = "a:b" }), "federation.no-login"},
		{"nameless", anybody, hallpass.OutsideUser{Issuer: issuer, Subject: "1"}, "federation.no-login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, admin.Options{SignIn: tt.policy})
			if id := w.refused(tt.user); id != tt.id {
				t.Errorf("%s, want %s", id, tt.id)
			}
			if _, n, err := w.Users(t.Context(), w.human("admin"), "", admin.Page{}); err != nil || n != 1 {
				t.Errorf("%d users, %v; want the admin alone", n, err)
			}
			if err := w.db.FlushAudit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := w.audit("session.create", hallpass.Refused); n != 1 {
				t.Errorf("%d refusals in the audit, want one", n)
			}
		})
	}
}

func TestSignInOutsideDisabled(t *testing.T) {
	w := newWorld(t, admin.Options{SignIn: anybody})
	in := w.signIn(ada)
	if err := w.SetUserDisabled(t.Context(), w.human("admin"), in.Session.User, true); err != nil {
		t.Fatal(err)
	}
	if id := w.refused(ada); id != "federation.disabled" {
		t.Errorf("%s, want federation.disabled", id)
	}
	if u := w.outside("1"); !u.Disabled {
		t.Error("the sign-in enabled the user")
	}
	if err := w.DeleteUser(t.Context(), w.human("admin"), in.Session.User); err != nil {
		t.Fatal(err)
	}
	if again := w.signIn(ada); again.Session.User == in.Session.User {
		t.Error("a user who was deleted is back under the same number")
	}
}

// TestSignInOutsideByEmail matches by address where the policy says so, and only by one
// that is proven, and no server admin.
func TestSignInOutsideByEmail(t *testing.T) {
	policy := anybody
	policy.SignUp, policy.ByEmail = false, true
	w := newWorld(t, admin.Options{SignIn: policy})
	u, err := w.CreateUser(t.Context(), w.human("admin"), admin.NewUser{Login: "ada", Email: "Ada@Example.com", Password: secret.NewText("violet lamps hum at noon")})
	if err != nil {
		t.Fatal(err)
	}
	unproven := ada
	unproven.EmailProven = false
	if id := w.refused(unproven); id != "federation.no-user" {
		t.Errorf("an address that is not proven: %s", id)
	}
	if in := w.signIn(ada); in.Session.User != u.ID {
		t.Errorf("user %d, want %d", in.Session.User, u.ID)
	}
	if again := w.signIn(ada); again.Session.User != u.ID {
		t.Errorf("a second time: user %d, want %d", again.Session.User, u.ID)
	}
	boss := hallpass.OutsideUser{Issuer: issuer, Subject: "2", Email: "admin@localhost", EmailProven: true}
	if id := w.refused(boss); id != "federation.no-user" {
		t.Errorf("the address of a server admin: %s", id)
	}
}

// TestSignInOutsideByEmailEndsOtherWays has somebody take the address of a person who has
// not signed in yet. They do not get what the person has: with a password their way in
// ends, and with an identity of the issuer they are not found.
func TestSignInOutsideByEmailEndsOtherWays(t *testing.T) {
	policy := anybody
	policy.ByEmail = true
	w := newWorld(t, admin.Options{SignIn: policy})
	u, err := w.CreateUser(t.Context(), w.human("admin"), admin.NewUser{Login: "eve", Password: secret.NewText("violet lamps hum at noon")})
	if err != nil {
		t.Fatal(err)
	}
	eve := w.human("eve")
	old, _, err := w.StartSession(t.Context(), eve)
	if err == nil {
		err = w.UpdateUser(t.Context(), eve, u.ID, "", ada.Email, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	in := w.signIn(ada)
	if in.Session.User != u.ID {
		t.Fatalf("user %d, want %d", in.Session.User, u.ID)
	}
	now, err := w.User(t.Context(), w.human("admin"), u.ID)
	if err != nil || now.HasPassword() {
		t.Errorf("a password of before works: %v", err)
	}
	list, err := w.UserSessions(t.Context(), w.human("admin"), u.ID)
	if err != nil || len(list) != 1 || list[0].ID == old.ID {
		t.Errorf("sessions %v, %v", list, err)
	}
	if e := w.reason("user.sync"); !strings.Contains(e.Reason, "found by the address "+ada.Email) {
		t.Errorf("audited as %+v", e)
	}

	mallory := hallpass.OutsideUser{Issuer: issuer, Subject: "m", Login: "mallory", Email: "mallory@example.com", EmailProven: true}
	m := w.signIn(mallory)
	if err := w.UpdateUser(t.Context(), m.Caller, m.Session.User, "", "grace@example.com", ""); err != nil {
		t.Fatal(err)
	}
	grace := hallpass.OutsideUser{Issuer: issuer, Subject: "g", Login: "grace", Email: "grace@example.com", EmailProven: true}
	if id := w.refused(grace); id != "federation.login-taken" {
		t.Errorf("the address of who has an identity: %s", id)
	}
}

// TestSignInOutsideTeams changes the groups between sign-ins. Membership that a group
// brought ends with the group; membership that somebody gave stays.
func TestSignInOutsideTeams(t *testing.T) {
	w := newWorld(t, admin.Options{SignIn: anybody})
	var teams [3]hallpass.Team
	for i, groups := range [][]string{{"dev", "dev/platform"}, {"ops"}, {"dev"}} {
		team, err := w.CreateTeam(t.Context(), w.human("admin"), fmt.Sprintf("team %d", i), "")
		if err != nil {
			t.Fatal(err)
		}
		teams[i] = team
		for _, g := range groups {
			if err := w.AddTeamGroup(t.Context(), w.human("admin"), team.ID, g); err != nil {
				t.Fatal(err)
			}
		}
	}
	person := ada
	for _, tt := range []struct {
		groups []string
		want   []int
	}{
		{[]string{"dev/platform"}, []int{0}},
		{[]string{"dev/platform", "dev"}, []int{0, 2}},
		{[]string{"DEV", "ops "}, nil},
		{[]string{"ops"}, []int{1}},
	} {
		person.Groups = tt.groups
		in := w.signIn(person)
		if got := w.teamsOf(in.Session.User, teams[:]); !slices.Equal(got, tt.want) {
			t.Errorf("%q: in the teams %v, want %v", tt.groups, got, tt.want)
		}
	}
	id := w.outside("1").ID
	if err := w.AddTeamMember(t.Context(), w.human("admin"), teams[0].ID, int64(id), hallpass.LevelMember); err != nil {
		t.Fatal(err)
	}
	for _, groups := range [][]string{{"dev"}, nil} {
		person.Groups = groups
		w.signIn(person)
	}
	if got := w.teamsOf(id, teams[:]); !slices.Equal(got, []int{0}) {
		t.Errorf("in the teams %v, want the one that somebody put her in", got)
	}
	for i := range 5000 {
		person.Groups = append(person.Groups, fmt.Sprintf("group-%d", i))
	}
	person.Groups = append(person.Groups, "ops")
	w.signIn(person)
	if got := w.teamsOf(id, teams[:]); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("with 5,001 groups in the teams %v", got)
	}
}

// teamsOf returns the places in the list of the teams that the user is in.
func (w *world) teamsOf(id hallpass.UserID, teams []hallpass.Team) (in []int) {
	w.t.Helper()
	list, err := w.TeamsOf(w.t.Context(), w.human("admin"), int64(id))
	if err != nil {
		w.t.Fatal(err)
	}
	for i, team := range teams {
		if slices.ContainsFunc(list, func(t hallpass.Team) bool { return t.ID == team.ID }) {
			in = append(in, i)
		}
	}
	return in
}

// TestSignInOutsideAtOnce has one person sign in for the first time in many tabs: there
// is one user.
func TestSignInOutsideAtOnce(t *testing.T) {
	w := newWorld(t, admin.Options{SignIn: anybody})
	failed := make(chan error, 10)
	for range cap(failed) {
		go func() {
			_, err := w.SignInOutside(context.WithoutCancel(t.Context()), ada, hallpass.From{})
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if _, n, err := w.Users(t.Context(), w.human("admin"), "ada", admin.Page{}); err != nil || n != 1 {
		t.Errorf("%d users, %v; want one", n, err)
	}
}

// TestDisconnectUserIdentity has a server admin disconnect identities: the sessions that began
// with one end, the others stay, and the audit names the user, in the org of the user.
func TestDisconnectUserIdentity(t *testing.T) {
	policy := anybody
	policy.ServerAdmins = false
	w := newWorld(t, admin.Options{SignIn: policy, SessionLifetime: time.Hour, SessionIdle: time.Hour})
	in, root := w.signIn(ada), w.human("admin")
	id := in.Session.User
	const old = "https://old.example.com"
	w.write(func(tx *store.Tx) error {
		return tx.CreateIdentity(hallpass.Identity{Issuer: old, Subject: "1", User: id})
	})
	if err := w.SetUserPassword(t.Context(), root, id, secret.NewText("violet lamps hum at noon")); err != nil {
		t.Fatal(err)
	}
	byPassword, _, err := w.StartSession(t.Context(), w.human("ada"))
	if err != nil {
		t.Fatal(err)
	}
	w.signIn(ada)
	for _, tt := range []struct {
		name            string
		caller          hallpass.Caller
		issuer, subject string
		kind            hallpass.Kind
	}{
		{"nobody", hallpass.Caller{}, issuer, "1", hallpass.Unauthenticated},
		{"the user, as an admin would", w.human("ada"), issuer, "1", hallpass.Denied},
		{"another subject", root, issuer, "2", hallpass.NotFound},
		{"another issuer", root, issuer + "/", "1", hallpass.NotFound},
		{"no identity", root, "", "", hallpass.NotFound},
	} {
		if err := w.DisconnectUserIdentity(t.Context(), tt.caller, id, tt.issuer, tt.subject); hallpass.KindOf(err) != tt.kind {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.kind)
		}
	}
	if err := w.DisconnectUserIdentity(t.Context(), root, 987654, issuer, "1"); hallpass.KindOf(err) != hallpass.NotFound {
		t.Errorf("no such user: %v", err)
	}
	d, err := w.UserDisconnection(t.Context(), root, id, issuer, "1")
	if err != nil || d.Sessions != 1 || d.OnlyWay || d.Found || d.Identity.Subject != "1" {
		t.Errorf("%+v, %v; want one session, and another way", d, err)
	}
	before := w.version()
	if err := w.DisconnectUserIdentity(t.Context(), root, id, issuer, "1"); err != nil {
		t.Fatal(err)
	}
	if w.version() == before {
		t.Error("the nodes do not hear of the sessions that ended")
	}
	left, err := w.UserSessions(t.Context(), root, id)
	if err != nil || len(left) != 1 || left[0].ID != byPassword.ID {
		t.Errorf("sessions %+v, %v; want the one by password", left, err)
	}
	list, err := w.UserIdentities(t.Context(), root, id)
	if err != nil || len(list) != 1 || list[0].Issuer != old {
		t.Errorf("identities %+v, %v; want the one of the old issuer", list, err)
	}
	if e := w.reason("identity.delete"); e.Reason != "by "+issuer+", subject 1" || e.Target != fmt.Sprintf("user:%d", id) {
		t.Errorf("audited as %+v", e)
	}
	if id := w.refused(ada); id != "federation.login-taken" {
		t.Errorf("a sign-in with the account: %s", id)
	}
}

// TestSignInOutsideHostile has an issuer with strange names for a person.
func TestSignInOutsideHostile(t *testing.T) {
	w := newWorld(t, admin.Options{SignIn: anybody})
	person := ada
	person.Subject, person.Name = "x'; DROP TABLE users; --", "\u202eevil"
	w.signIn(person)
	if u := w.outside(person.Subject); u.Name != "" || u.Login != "ada" {
		t.Errorf("the user is %+v", u)
	}
	person.Name = strings.Repeat("a", 1000)
	w.signIn(person)
	if u := w.outside(person.Subject); u.Name != "" {
		t.Errorf("the name has %d characters", len(u.Name))
	}
}
