package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestRoleWaits gives roles to a user who is not a member of the org, by every route that
// gives roles. Only a server admin may do so. The roles permit nothing until the user is a
// member, and are gone when the user leaves.
func TestRoleWaits(t *testing.T) {
	const user = "/api/access-control/users/<u>/roles"
	for name, give := range map[string]step{
		"assignments":      {"PUT", "/api/access-control/roles/r/assignments", `{"users":[<u>]}`, 200, "users [<u>]", ""},
		"a role of a user": {"POST", user, `{"roleUid":"r"}`, 200, "", ""},
		"roles of a user":  {"PUT", user, `{"roleUids":["r"]}`, 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSession(t)
			x.run(secondOrg)
			x.run(people...)
			other := x.in("<other>")
			other.run(step{"POST", "/api/access-control/roles", `{"uid":"r","name":"r","permissions":[{"action":"audit:read"}]}`, 201, "", ""})
			boss := other.by(x.s.UserIn("boss", hallpass.RoleAdmin, 2))
			missing := give
			missing.status, missing.want = 404, `message "User not found: not a member of this organization. Only a server admin can give a role to a user before the user is a member."; messageId "user.not-found"`
			boss.run(missing)
			nobody := missing
			nobody.path, nobody.body = strings.ReplaceAll(give.path, "<u>", "999"), strings.ReplaceAll(give.body, "<u>", "999")
			boss.run(nobody) // the same answer as for a user who does not exist
			nobody.want = `message "user not found"`
			other.run(nobody)
			x.in("77").run(step{"POST", user, `{"roleUid":"fixed_Z8pB0GQlrqRt8IZBCJQxPWvJPgQ"}`, 404, "", ""}) // no such org

			other.run(give,
				step{"GET", "/api/access-control/roles/r/assignments", "", 200, "users [<u>]", ""},
				step{"GET", user, "", 200, `# 1; [0].uid "r"`, ""},
				step{"POST", "/api/access-control/users/roles/search", `{"userIds":[<u>]}`, 200, `<u>[0].uid "r"`, ""},
			)
			boss.run(step{"GET", user, "", 404, "", ""})
			u := x.by(hallpasstest.Basic("u", hallpasstest.AdminPassword))
			read := step{"GET", "/api/audit", "", 200, "", ""}
			none := step{"GET", "/api/audit", "", 403, "", ""}
			u.in("1").run(none)
			u.in("2").run(none)
			add := step{"POST", "/api/org/users", `{"loginOrEmail":"u","role":"None"}`, 200, "", ""}
			boss.run(add)
			u.in("2").run(read)
			u.in("1").run(none)
			other.run(step{"DELETE", "/api/org/users/<u>", "", 200, "", ""}, step{"GET", "/api/access-control/roles/r/assignments", "", 200, "users []", ""}, add)
			u.in("2").run(none)
		})
	}
}

// TestWaitingRolesCount adds a user to an org in which a role waits for the user. A caller
// who does not hold the permissions of the role may not add the user.
func TestWaitingRolesCount(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(people...)
	other := x.in("<other>")
	adder := other.by(x.s.UserIn("adder", hallpass.RoleViewer, 2))
	other.run(
		step{"GET", "/api/users/lookup?loginOrEmail=adder", "", 200, "", "adder=id"},
		step{"POST", "/api/access-control/roles", `{"uid":"adds","name":"adds","permissions":[{"action":"org.users:add","scope":"users:*"}]}`, 201, "", ""},
		step{"POST", "/api/access-control/roles", `{"uid":"strong","name":"strong","permissions":[{"action":"loki:query","scope":"*"}]}`, 201, "", ""},
		step{"POST", "/api/access-control/users/<adder>/roles", `{"roleUid":"adds"}`, 200, "", ""},
		step{"POST", "/api/access-control/users/<u>/roles", `{"roleUid":"strong"}`, 200, "", ""},
	)
	add := step{"POST", "/api/org/users", `{"loginOrEmail":"u","role":"None"}`, 403, `messageId "accesscontrol.delegation"`, ""}
	adder.run(add)
	other.run(step{"POST", "/api/access-control/users/<adder>/roles", `{"roleUid":"strong"}`, 200, "", ""})
	add.status, add.want = 200, ""
	adder.run(add)
}

// TestEverywhereWithoutMembership gives a role in every org to a user who is a member of
// none.
func TestEverywhereWithoutMembership(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"DELETE", "/api/org/users/<u>", "", 200, "", ""},
		step{"POST", "/api/access-control/users/<u>/roles", `{"roleUid":"fixed_buZastUG3reWyQpPemcWjGqPAd0","global":true}`, 200, "", ""},
		step{"GET", "/api/access-control/users/<u>/roles", "", 200, `# 1`, ""},
	)
	x.by(hallpasstest.Basic("u", hallpasstest.AdminPassword)).run(step{"GET", "/api/users", "", 200, "", ""})
}

// TestAbsentStays sends updates that leave fields out. Some updates keep such a field,
// others clear it.
func TestAbsentStays(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Editor"}`, 201, "", "sa=id"})
	team, user, account := "/api/teams/<team>", "/api/users/<u>", "/api/serviceaccounts/<sa>"
	for _, tt := range []struct{ method, path, body, want string }{
		{"PUT", team, `{"email":"crew@example.com"}`, `name "crew"; email "crew@example.com"`},
		{"PUT", team, `{"name":"","email":"other@example.com"}`, `name "crew"; email "other@example.com"`},
		{"PUT", team, `{"name":"hands"}`, `name "hands"; email ""`},
		{"PUT", team, `{}`, `name "hands"`},
		{"PUT", user, `{"email":"v@example.com","name":"U"}`, `login "u"; email "v@example.com"; name "U"`},
		{"PUT", user, `{"login":"w","name":"U"}`, `login "w"; email "v@example.com"; name "U"`},
		{"PATCH", account, `{"role":"Viewer"}`, `name "ci"; role "Viewer"; isDisabled false`},
		{"PATCH", account, `{"isDisabled":true}`, `name "ci"; role "Viewer"; isDisabled true`},
		{"PATCH", account, `{"name":"cd"}`, `name "cd"; role "Viewer"; isDisabled true`},
		{"PATCH", account, `{}`, `name "cd"; role "Viewer"; isDisabled true`},
		{"PUT", "/api/org/preferences", `{"theme":"dark","weekStart":"monday"}`, `theme "dark"; weekStart "monday"`},
		{"PATCH", "/api/org/preferences", `{"timezone":"utc"}`, `theme "dark"; weekStart "monday"; timezone "utc"`},
		{"PUT", "/api/org/preferences", `{"timezone":"utc"}`, `theme absent; timezone "utc"`},
	} {
		x.run(step{tt.method, tt.path, tt.body, 200, "", ""}, step{"GET", tt.path, "", 200, tt.want, ""})
	}
	x.run(step{"PUT", team, `{"name":"  "}`, 400, "", ""}, step{"GET", team, "", 200, `name "hands"`, ""})
}

// TestAccountWithRoles creates accounts together with roles. Everything is created, or
// nothing.
func TestAccountWithRoles(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"POST", "/api/access-control/roles", `{"uid":"metrics","name":"metrics","permissions":[{"action":"prometheus:query","scope":"*"}]}`, 201, "", ""},
		step{"POST", "/api/access-control/roles", `{"uid":"users","name":"users","permissions":[{"action":"users:create"}]}`, 201, "", ""},
		step{"POST", "/api/serviceaccounts", `{"name":"a","role":"None","roleUids":["metrics"]}`, 201, `role "None"`, "a=id"},
		step{"GET", "/api/access-control/users/<a>/roles", "", 200, `# 1; [0].uid "metrics"`, ""},
		step{"POST", "/api/serviceaccounts", `{"name":"b","roleUids":null}`, 201, `role "Viewer"`, "b=id"},
		step{"GET", "/api/access-control/users/<b>/roles", "", 200, `# 0`, ""},
	)
	boss := x.by(x.s.User("boss", hallpass.RoleAdmin))
	creator := x.by(x.s.User("creator", hallpass.RoleViewer))
	x.run(
		step{"GET", "/api/users/lookup?loginOrEmail=creator", "", 200, "", "creator=id"},
		step{"POST", "/api/access-control/roles", `{"uid":"makes","name":"makes","permissions":[{"action":"serviceaccounts:create"},{"action":"prometheus:query","scope":"*"}]}`, 201, "", ""},
		step{"POST", "/api/access-control/users/<creator>/roles", `{"roleUid":"makes"}`, 200, "", ""},
	)
	for i, tt := range []struct {
		as     *session
		roles  string
		status int
	}{
		{boss, `"metrics","users"`, 403},   // holds the one, not the other
		{boss, `"metrics","nowhere"`, 400}, // the one is there, the other is not
		{boss, `"metrics","basic_viewer"`, 400},
		{creator, `"metrics"`, 403}, // may make accounts and holds it, but may not give roles
		{boss, `"metrics","metrics"`, 201},
	} {
		name := fmt.Sprintf("n%d", i)
		tt.as.run(step{"POST", "/api/serviceaccounts", `{"name":"` + name + `","role":"None","roleUids":[` + tt.roles + `]}`, tt.status, "", ""})
		want := "totalCount 0"
		if tt.status == 201 {
			want = "totalCount 1"
		}
		x.run(step{"GET", "/api/serviceaccounts/search?query=" + name, "", 200, want, ""})
	}
}

// TestTokenGivesNoServerPower gives users and accounts a basic role that has another role
// in every org. For a user that role counts on the server too, so a caller without
// permissions on the server cannot give it, and a token never can.
func TestTokenGivesNoServerPower(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/access-control/roles", `{"uid":"stats","name":"stats","global":true,"permissions":[{"action":"server.stats:read"}]}`, 201, "", ""},
		step{"POST", "/api/access-control/builtin-roles", `{"roleUid":"stats","builtinRole":"Editor","global":true}`, 200, "", ""},
	)
	machine := x.by(hallpasstest.Bearer(token(t, x.s, account(t, x.s, "ci", "Admin"), "ci")))
	boss := x.by(x.s.User("boss", hallpass.RoleAdmin))
	for _, tt := range []struct {
		as     *session
		role   string
		status int
	}{{machine, "Editor", 403}, {machine, "None", 200}, {boss, "Editor", 200}, {machine, "Viewer", 200}} {
		tt.as.run(step{"PATCH", "/api/org/users/<u>", `{"role":"` + tt.role + `"}`, tt.status, "", ""})
	}
	machine.run(
		step{"POST", "/api/serviceaccounts", `{"name":"editor","role":"Editor"}`, 201, "", ""}, // an account holds nothing on the server
		step{"DELETE", "/api/org/users/<u>", "", 200, "", ""},
		step{"POST", "/api/org/users", `{"loginOrEmail":"u","role":"Admin"}`, 403, `messageId "org.role-forbidden"`, ""},
		step{"POST", "/api/org/users", `{"loginOrEmail":"u","role":"Viewer"}`, 200, "", ""},
	)
}

// TestTeamAdminAtOnce adds somebody to a team as its admin, in one call. When the call
// fails, nothing was changed.
func TestTeamAdminAtOnce(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/teams/<team>/members", `{"userId":<u>,"permission":2}`, 400, "", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, "[userId=<u>] absent", ""},
		step{"POST", "/api/teams/<team>/members", `{"userId":<u>,"permission":4}`, 200, "", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, "[userId=<u>].permission 4", ""},
	)
}
