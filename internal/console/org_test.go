package console_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestOrgsWithoutScript walks through the orgs, and from one to another.
func TestOrgsWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("create", b.save("/admin/orgs", "name", "Shop"), 303)
	b.want("twice", b.save("/admin/orgs", "name", "Shop"), 400, `value="Shop"`, "name taken")
	b.want("the list", b.get("/admin/orgs"), 200, "Main Org.", "Shop", "You work here")
	b.want("rename", b.save("/admin/orgs/2/name", "name", "Store"), 303)
	b.want("the switch", b.get("/"), 200, `<button name="org" value="1" aria-current="true"><span>Main Org.</span>`, `<button name="org" value="2"><span>Store</span>`)
	b.want("switch", b.save("/profile/org", "org", "2"), 303)
	b.want("switched", b.get("/"), 200, "You work in Store", `<button name="org" value="2" aria-current="true"><span>Store</span>`)
	b.want("no such org", b.save("/profile/org", "org", "99"), 404)
	b.want("back", b.save("/profile/org", "org", "1"), 303)
	b.want("the question", b.get("/admin/orgs/2/delete"), 200, "Service accounts, teams, roles and folders of this organization are deleted too.", "1 member")
	b.want("delete", b.save("/admin/orgs/2/delete"), 303)
	b.want("gone", b.get("/admin/orgs?query=Store"), 200, "No organizations found")
}

// TestOrgPage counts what is in each org, and opens one.
func TestOrgPage(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const hostile = `"><script>alert(1)</script>`
	b.want("create", b.save("/admin/orgs", "name", hostile), 303)
	b.create("ci", "Viewer")
	b.create("nightly", "Viewer")
	for _, call := range [][2]string{
		{"/api/serviceaccounts/2/tokens", `{"name":"live"}`}, {"/api/serviceaccounts/2/tokens", `{"name":"gone"}`}, {"/api/serviceaccounts/3/tokens", `{"name":"short","secondsToLive":60}`},
		{"/api/teams", `{"name":"Crew"}`}, {"/api/folders", `{"title":"Shop"}`}, {"/api/folders", `{"title":"Yard"}`}, {"/api/folders", `{"title":"Attic"}`},
	} {
		if r := s.Do(hallpasstest.Admin, "POST", call[0], call[1]); r.StatusCode > 201 {
			t.Fatalf("%s: %d %s", call[0], r.StatusCode, r.Text)
		}
	}
	s.Do(hallpasstest.Admin, "DELETE", "/api/serviceaccounts/2/tokens/2", "")
	s.Clock.Wind(time.Minute)
	row := regexp.MustCompile(`class="num">(\d+)<`)
	list := b.get("/admin/orgs")
	b.want("the list", list, 200, hostile, "Live tokens")
	var numbers []string
	for _, m := range row.FindAllStringSubmatch(list.text, -1) {
		numbers = append(numbers, m[1])
	}
	if got := strings.Join(numbers, " "); got != "1 2 1 1 0 3 1 0 0 0 0 0" {
		t.Errorf("the orgs have %s", got)
	}
	b.want("its page", b.get("/admin/orgs/1"), 200, "You work here", `<a href="/org/serviceaccounts"><b>2</b><span>service accounts</span></a>`, `<b>1</b><span>live token</span>`, `<b>3</b><span>folders</span>`, "Work in another organization to delete this one")
	b.want("another", b.get("/admin/orgs/2"), 200, hostile, "Work here", `<div class="tally"><b>1</b><span>user</span></div>`, "Delete organization")
	b.want("a name that is taken", b.save("/admin/orgs/2/name", "name", "Main Org."), 400, `id="error-name"`, "name taken")
	b.want("rename", b.save("/admin/orgs/2/name", "name", "Store"), 303)
	b.want("renamed", b.get("/admin/orgs/2"), 200, "The organization is now called Store.")
	for path, status := range map[string]int{"/admin/orgs/99": 404, "/admin/orgs/0": 404, "/admin/orgs/x": 404} {
		if p := b.get(path); p.status != status {
			t.Errorf("GET %s: %d, want %d", path, p.status, status)
		}
	}
	s.User("orga", hallpass.RoleAdmin)
	if p := signedIn(t, s, "orga", hallpasstest.UserPassword).get("/admin/orgs/1"); p.status != 403 {
		t.Errorf("the page of an org to its Admin: %d", p.status)
	}
}

// TestErrorPagesKeepTheHead asks for pages that are not shown: who is signed in can still go
// to another org from there, and who is not learns of no org.
func TestErrorPagesKeepTheHead(t *testing.T) {
	t.Parallel()
	s := hallpasstest.New(t)
	admin := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	admin.want("create", admin.save("/admin/orgs", "name", "Shop"), 303)
	s.User("vera", hallpass.RoleViewer)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/orgs/2/users", `{"loginOrEmail":"vera","role":"Editor"}`); r.StatusCode != 200 {
		t.Fatal(r.Status, r.Text)
	}
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	s.User("lone", hallpass.RoleViewer)
	lone := signedIn(t, s, "lone", hallpasstest.UserPassword)
	const here, there = `<button name="org" value="1" aria-current="true"><span>Main Org.</span>`, `<button name="org" value="2"><span>Shop</span>`
	for _, tt := range []struct {
		name   string
		by     *browser
		path   string
		status int
		head   []string
	}{
		{"no such address", vera, "/no/such/page", 404, []string{here, there}},
		{"no such thing", admin, "/org/serviceaccounts/99", 404, []string{here, there}},
		{"not allowed", vera, "/org/serviceaccounts", 403, []string{here, there, "You cannot read service accounts"}},
		{"one org", lone, "/no/such/page", 404, []string{`<p class="org"><span title="Main Org.">Main Org.</span></p>`}},
	} {
		p := tt.by.get(tt.path)
		tt.by.want(tt.name, p, tt.status, tt.head...)
	}
	vera.want("a form", vera.post("/org/serviceaccounts/create", "name", "ci", "role", "Viewer", "key", "k1"), 403, here, there)
	out := newBrowser(t, s)
	if p := out.get("/no/such/page"); p.status != 404 || strings.Contains(p.text, "Main Org.") || strings.Contains(p.text, "/profile/org") {
		t.Errorf("signed out: %d\n%s", p.status, p.text)
	}
}
