package console_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestUserPage shows what somebody has, and through what: to a server admin, to an Admin of
// the org, who sees a member and nothing else of them, and to others not at all.
func TestUserPage(t *testing.T) {
	const hostile = `<script>alert(1)</script>`
	s, i := withProvider(t)
	i.Claims = map[string]any{"name": hostile}
	newBrowser(t, s).outside("/login/generic_oauth") // ada, with the ID 2
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	s.User("orga", hallpass.RoleAdmin)
	s.User("vera", hallpass.RoleViewer)
	s.UserIn("other", hallpass.RoleViewer, 1)
	do := func(method, path, body string) {
		t.Helper()
		if r := s.Do(hallpasstest.Admin, method, path, body); r.StatusCode > 201 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
	}
	do("POST", "/api/teams", `{"name":"Crew"}`)
	do("POST", "/api/teams/1/members", `{"userId":2}`)
	custom(t, s, `{"uid":"own","name":"Own role","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	custom(t, s, `{"uid":"crewed","name":"Crew role","permissions":[{"action":"org.users:read","scope":"users:*"}]}`)
	do("POST", "/api/access-control/users/2/roles", `{"roleUid":"own"}`)
	do("POST", "/api/access-control/teams/1/roles", `{"roleUid":"crewed"}`)

	p := b.get("/admin/users/2")
	b.want("to a server admin", p, 200, hostile, "Main Org.", "Viewer", ">Crew</a>", "Own role</a>", "given to the user", "Crew role</a>", "through the team Crew",
		"can look at members, teams", `href="/admin/users/2/access"`, "Example", i.URL, "Last used", "127.0.0.1", "by Example", "connected a company account to the user",
		`href="/admin/audit?actor=ada"`, "Signs in with", "Disable user", "Change roles")
	if strings.Contains(p.text, "<script>alert") {
		t.Error("a name is markup")
	}
	b.want("every permission", b.get("/admin/users/2/access"), 200, "What "+hostile+" may do", "role Crew role, through team Crew", "role Own role", "teams:read")
	b.want("a question", b.get("/admin/users/2/access?action=teams:read&scope=teams:id:1"), 200, "Yes.", "role Own role")
	b.want("another", b.get("/admin/users/2/access?action=teams:write&scope=teams:id:1"), 200, "No.", "These roles would allow it")
	b.want("nobody", b.get("/admin/users/99"), 404)

	orga := signedIn(t, s, "orga", hallpasstest.UserPassword)
	b.want("the list to an Admin of the org", orga.get("/org/users"), 200, `href="/admin/users/2"`)
	member := orga.get("/admin/users/2")
	b.want("a member to an Admin of the org", member, 200, ">Crew</a>", "Own role</a>", "through the team Crew", "can look at members, teams", "All in the audit log")
	for _, hidden := range []string{`class="dense identities"`, "Sessions", "Disable user", "Delete user", "Set password", "On this server", "Server admin"} {
		if strings.Contains(member.text, hidden) {
			t.Errorf("an Admin of the org sees %q", hidden)
		}
	}
	b.want("a user of another org to an Admin of the org", orga.get("/admin/users/99"), 404)
	for path, status := range map[string]int{"/admin/users/2": 403, "/admin/users/2/access": 403, "/admin/users/99": 403} {
		if p := signedIn(t, s, "vera", hallpasstest.UserPassword).get(path); p.status != status {
			t.Errorf("GET %s of a Viewer: %d, want %d", path, p.status, status)
		}
	}
}
