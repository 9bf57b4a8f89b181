package test_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// api calls the server and reads the answer into out.
func api(t *testing.T, s *hallpasstest.Server, as hallpasstest.Credential, method, path, body string, out any) {
	t.Helper()
	r := s.Do(as, method, path, body)
	if r.StatusCode > 201 {
		t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(r.Text), out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// TestRolesByKeyboard finds a role by what it allows, and gives it to an account, with the
// keyboard alone. The account's page shows what the account may do now, and a real call
// with its token confirms it.
func TestRolesByKeyboard(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	var made struct{ Key string }
	api(t, s, hallpasstest.Admin, "POST", "/api/serviceaccounts/"+account[strings.LastIndexByte(account, '/')+1:]+"/tokens", `{"name":"t"}`, &made)
	if r := s.Do(hallpasstest.Bearer(made.Key), "GET", "/api/teams/search", ""); r.StatusCode != 403 {
		t.Fatalf("before: %d", r.StatusCode)
	}
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.shows("No roles assigned")
	b.tabTo("#change-roles")
	b.keys(kb.Enter)
	b.until(`location.pathname.endsWith("/roles")`)
	b.tabTo("#picker-search")
	b.keys("teams:read reader")
	b.until(`document.querySelector("#picker-count").textContent.includes("role")`)
	const teamsRead = `[value="fixed_Z8pB0GQlrqRt8IZBCJQxPWvJPgQ"]`
	b.until(`document.querySelector('` + teamsRead + `').checkVisibility()`)
	if eval[bool](b, `document.querySelector('[value="fixed_VERj5nayasjgf_Yh0sWqqCkxWlw"]').checkVisibility()`) {
		t.Error("the filter leaves a role that does not match")
	}
	b.tabTo(teamsRead)
	b.keys(" ")
	b.tabTo("#picker-update")
	b.keys(kb.Enter)
	b.yes("Role Teams: Reader", "not given", "given")
	b.shows("Roles of the service account ci changed: Teams: Reader given.", "Teams: Reader")
	if r := s.Do(hallpasstest.Bearer(made.Key), "GET", "/api/teams/search", ""); r.StatusCode != 200 {
		t.Errorf("after: %d %s", r.StatusCode, r.Text)
	}

	b.press("a", "Access")
	b.shows("Read teams", "role teams:read", "Effective permissions")
	b.fill("#action", "teams:write")
	b.fill("#scope", "teams:id:1")
	b.keys(kb.Enter)
	b.shows("No.", "These roles would allow it")
	b.fill("#action", "teams:read")
	b.keys(kb.Enter)
	b.shows("Yes.", "Through role teams:read")
}

// TestTeamMembership creates a team, adds a service account to it and removes it again.
// The account has the permissions of the team only while it is a member.
func TestTeamMembership(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	var made struct{ Key string }
	api(t, s, hallpasstest.Admin, "POST", "/api/serviceaccounts/"+account[strings.LastIndexByte(account, '/')+1:]+"/tokens", `{"name":"t"}`, &made)
	may := func() bool { return s.Do(hallpasstest.Bearer(made.Key), "GET", "/api/org/users", "").StatusCode == 200 }

	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/org/teams")
	b.fill("#team-name", "platform")
	b.keys(kb.Enter)
	b.shows("Team platform created.", "No roles assigned")
	b.press("a", "Change roles")
	b.until(`location.pathname.endsWith("/roles")`)
	b.fill("#picker-search", "org.users:read users reader")
	const reader = `[value="fixed_oCqNwlVHLOpw7-jAlwp4HzYqwGY"]`
	b.click(reader)
	b.click("#picker-update")
	b.yes("Organization: Users reader")
	b.shows("Roles of the team platform changed", "Organization: Users reader")
	if may() {
		t.Error("the account has the team's role before it is a member")
	}
	b.fill("#member", "ci")
	b.keys(kb.Enter)
	b.yes("not in the team platform", "member of the team platform", "Organization: Users reader")
	b.shows("ci is in the team platform now.", "sa-1-ci", "Service account")
	if !may() {
		t.Error("the account lacks the team's role")
	}
	b.fill("#member", "nobody-of-that-name")
	b.keys(kb.Enter)
	b.shows("ser not found")
	b.tabTo(`[aria-label="Remove ci from the team"]`)
	b.keys(kb.Enter)
	b.yes("member of the team platform", "not in the team platform")
	b.until(`!document.body.innerText.includes("sa-1-ci")`)
	if may() {
		t.Error("the account has the team's role after it left")
	}
	b.press("a", "Delete team")
	b.shows("They lose the roles and access of the team")
	b.press("button", "Delete team")
	b.shows("The team platform is deleted.", "There are no teams yet")
}

// TestFolderPermission takes the access to a folder from the viewers and gives it to one
// account.
func TestFolderPermission(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "sync")
	id := account[strings.LastIndexByte(account, '/')+1:]
	var made struct{ Key string }
	api(t, s, hallpasstest.Admin, "POST", "/api/serviceaccounts/"+id+"/tokens", `{"name":"t"}`, &made)
	api(t, s, hallpasstest.Admin, "POST", "/api/folders", `{"uid":"shop","title":"Shop"}`, nil)
	vera := s.User("vera", hallpass.RoleViewer)
	reads := func(as hallpasstest.Credential) bool {
		return s.Do(as, "GET", "/api/folders/shop", "").StatusCode == 200
	}
	if !reads(vera) || !reads(hallpasstest.Bearer(made.Key)) {
		t.Fatal("a new folder at the root is not shared with viewers")
	}

	b.signIn("admin", hallpasstest.AdminPassword)
	b.open("/dashboards")
	b.press("a", "Permissions")
	b.shows("Basic roles", "Viewer", "Editor")
	b.tabTo(`[aria-label="Remove permission for Viewer"]`)
	b.keys(kb.Enter)
	b.yes("View on Shop", "no permission of its own on Shop")
	b.shows("no longer has a permission of its own on Shop")
	if reads(vera) || reads(hallpasstest.Bearer(made.Key)) {
		t.Error("viewers still read the folder")
	}
	b.fill("#who", "sync")
	b.press("button", "Add permission")
	b.yes("sync", "View on Shop")
	b.shows("sync has the permission View on Shop now.", "Service accounts", "sa-1-sync")
	if reads(vera) || !reads(hallpasstest.Bearer(made.Key)) {
		t.Error("the access did not go to the account alone")
	}
}

// TestAccountPermission lets another user manage one account.
func TestAccountPermission(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s.URL)
	account := newAccount(t, s, "ci")
	id := account[strings.LastIndexByte(account, '/')+1:]
	ed := s.User("ed", hallpass.RoleEditor)
	b.signIn("admin", hallpasstest.AdminPassword)
	b.open(account)
	b.press("a", "Permissions")
	b.shows("admin", "Add permission")
	b.fill("#who", "ed")
	b.press("button", "Add permission")
	b.yes("ed", "Edit on ci")
	b.shows("ed has the permission Edit on ci now.")
	if r := s.Do(ed, "PATCH", "/api/serviceaccounts/"+id, `{"name":"ci of ed"}`); r.StatusCode != 200 {
		t.Errorf("rename: %d %s", r.StatusCode, r.Text)
	}
	if r := s.Do(ed, "DELETE", "/api/serviceaccounts/"+id, ""); r.StatusCode != 403 {
		t.Errorf("delete with Edit: %d", r.StatusCode)
	}
	eval[bool](b, `document.querySelector('[aria-label="Permission of ed"]').focus(), true`)
	b.keys(kb.ArrowDown)
	b.until(`document.querySelector('[aria-label="Save the permission of ed"]').checkVisibility()`)
	b.keys(kb.Tab + kb.Enter)
	b.yes("Edit on ci", "Admin on ci")
	b.until(`[...document.querySelectorAll("td")].filter((c) => c.title.includes("serviceaccounts:delete")).length === 2`) // the page was loaded again
	if r := s.Do(ed, "DELETE", "/api/serviceaccounts/"+id, ""); r.StatusCode != 200 {
		t.Errorf("delete with Admin: %d %s", r.StatusCode, r.Text)
	}
}
