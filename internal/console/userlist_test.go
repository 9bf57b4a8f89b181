package console_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

var listedUser = regexp.MustCompile(`<code class="sub">([^<]*)</code>`)

// listed returns the logins of a list of users, in their order.
func listed(p page) string {
	var logins []string
	for _, m := range listedUser.FindAllStringSubmatch(p.text, -1) {
		logins = append(logins, m[1])
	}
	return strings.Join(logins, " ")
}

// TestUserList filters and sorts the users of the server, and the members of the org.
func TestUserList(t *testing.T) {
	s, _ := withProvider(t)
	newBrowser(t, s).outside("/login/generic_oauth") // ada, an Editor by nobody's word: a Viewer
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	s.User("bob", hallpass.RoleEditor)
	s.User("cleo", hallpass.RoleViewer)
	s.Clock.Wind(time.Minute)
	signedIn(t, s, "cleo", hallpasstest.UserPassword)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/teams", `{"name":"Crew"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/teams/1/members", `{"userId":3}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Shop"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	s.UserIn("dave", hallpass.RoleAdmin, 2)

	for _, tt := range []struct{ path, want string }{
		{"/admin/users", "ada admin bob cleo dave"},
		{"/admin/users?sort=-name", "dave cleo bob admin ada"},
		{"/admin/users?sort=role", "admin bob ada cleo dave"},
		{"/admin/users?sort=-role", "dave ada cleo bob admin"},
		{"/admin/users?sort=seen", "cleo ada admin bob dave"},
		{"/admin/users?sort=nonsense", "ada admin bob cleo dave"},
		{"/admin/users?filter=admins", "admin"},
		{"/admin/users?filter=server-admins", "admin"},
		{"/admin/users?filter=company", "ada"},
		{"/admin/users?filter=never", "bob dave"},
		{"/admin/users?filter=disabled", ""},
		{"/admin/users?filter=nonsense", "ada admin bob cleo dave"},
		{"/admin/users?query=OB", "bob"},
		{"/admin/users?query=%25", ""},
		{"/org/users", "ada admin bob cleo"},
		{"/org/users?filter=never&sort=role", "bob"},
	} {
		if got := listed(b.get(tt.path)); got != tt.want {
			t.Errorf("%s lists %q, want %q", tt.path, got, tt.want)
		}
	}
	all := b.get("/admin/users")
	b.want("the list", all, 200, "5 users", "Not a member", `href="/org/teams/`, ">Crew</a>", "Example", "password", "Roles and teams: those of the organization Main Org.",
		`Never signed in <span class="n">2</span>`, `Company account <span class="n">1</span>`, `aria-sort="ascending"`)
	b.want("an empty view", b.get("/admin/users?filter=disabled"), 200, "No user matches this filter.")

	// Who may read members and no teams sees whose roles are which, and no teams; who may
	// read neither sees nothing.
	custom(t, s, `{"uid":"members","name":"members","permissions":[{"action":"org.users:read","scope":"users:id:3"}]}`)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/4/roles", `{"roleUid":"members"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	c := signedIn(t, s, "cleo", hallpasstest.UserPassword)
	own := c.get("/org/users")
	if got := listed(own); got != "bob" || strings.Contains(own.text, "Crew") {
		t.Errorf("who may read one member reads %q\n%s", got, own.text)
	}
	if p := signedIn(t, s, "bob", hallpasstest.UserPassword).get("/org/users"); p.status != 403 {
		t.Errorf("who may read no member: %d", p.status)
	}
}
