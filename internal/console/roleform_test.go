package console_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestBasicRoleIsEdited sends the form of the basic role Admin with a line less.
func TestBasicRoleIsEdited(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const path = "/admin/roles/basic_admin"
	var lines []string
	for _, p := range hallpass.RoleAdmin.Permissions().List() {
		if p.Action != hallpass.ForeignActions && p.Action != hallpass.AuditRead {
			lines = append(lines, strings.TrimSpace(string(p.Action)+" "+string(p.Scope)))
		}
	}
	form := []string{"basic", "yes", "name", "basic:admin", "permissions", strings.Join(lines, "\n")}
	question := b.post(path+"/edit", form...)
	b.want("the question", question, http.StatusOK, "audit:read")
	if n := strings.Count(question.text, `class="what"`); n != 1 {
		t.Errorf("the question names %d changes, want one\n%s", n, question.text)
	}
	b.want("the answer", b.yes(question), http.StatusSeeOther)
	b.want("the role", b.get(path), http.StatusOK, "any action outside Hallpass", "The role Admin is changed.")
}

// TestAnyPermissionAsksToo changes a role on a server that takes permissions of any
// form.
func TestAnyPermissionAsksToo(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.RBAC.PermissionValidationEnabled = false })
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	custom(t, s, `{"uid":"odd","name":"odd","permissions":[]}`)
	question := b.post("/admin/roles/odd/edit", "name", "odd", "permissions", "Teams!Read")
	b.want("the question", question, http.StatusOK, `id="confirm-yes"`, "Teams!Read")
	b.want("the answer", b.yes(question), http.StatusSeeOther)
	b.want("the role", b.get("/admin/roles/odd"), http.StatusOK, "Teams!Read")
}

// arrangement is the form of a role after a button: what its lines of permissions are.
func arrangement(t *testing.T, p page) string {
	t.Helper()
	_, rest, found := strings.Cut(p.text, `name="permissions"`)
	_, rest, _ = strings.Cut(rest, ">")
	lines, _, ended := strings.Cut(rest, "</textarea>")
	if p.status != http.StatusOK || !found || !ended {
		t.Fatalf("no form: %d\n%s", p.status, p.text)
	}
	return html.UnescapeString(lines)
}

// TestRoleIsEditedWithoutScript finds actions by what they do, adds one with a folder that is
// found by its name, takes one away, and saves what the buttons made.
func TestRoleIsEditedWithoutScript(t *testing.T) {
	const hostile = `"><script>alert(1)</script>`
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for _, body := range []string{`{"uid":"shop","title":"Shop"}`, `{"uid":"evil","title":"\"><script>alert(1)</script>"}`} {
		if r := s.Do(hallpasstest.Admin, "POST", "/api/folders", body); r.StatusCode != http.StatusOK {
			t.Fatal(r.Text)
		}
	}
	b.create("robot", "Viewer")
	const path = "/admin/create/role"
	b.want("by meaning", b.post(path, "arrange", "seek", "seek", "edit folders"), 200, `value="add folders:write"`, `value="add folders.permissions:write"`, "Gives power")
	b.want("nothing", b.post(path, "arrange", "seek", "seek", "zebra"), 200, "Nothing that Hallpass knows does “zebra”.")
	b.want("of another API", b.post(path, "arrange", "seek", "seek", "zebra:feed"), 200, `value="add zebra:feed"`)
	p := b.post(path, "arrange", "add folders:read", "name", "mine")
	b.want("an action", p, 200, `value="mine"`, `value="give folders:read folders:uid:shop"`, "All folders and what is in them", hostile)
	if got := arrangement(t, p); got != "folders:read" {
		t.Errorf("added: %q", got)
	}
	p = b.post(path, "arrange", "find", "open", "folders:read", "find", "sho", "permissions", "folders:read")
	b.want("a folder by its name", p, 200, `value="give folders:read folders:uid:shop"`)
	if strings.Contains(p.text, "folders:uid:evil") {
		t.Error("the search finds what has another name")
	}
	p = b.post(path, "arrange", "give folders:read folders:uid:evil", "permissions", "folders:read\nteams:read teams:*\norg.users:add")
	b.want("given", p, 200, `value="drop folders:read folders:uid:evil"`, hostile, "Read folders (only the folder "+hostile+" and what is in it)", "Not: ", "All teams")
	if got := arrangement(t, p); got != "teams:read teams:*\norg.users:add\nfolders:read folders:uid:evil" {
		t.Errorf("given: %q", got)
	}
	b.want("an account by its name", b.post(path, "arrange", "open serviceaccounts:read", "permissions", "serviceaccounts:read"), 200, "robot", "sa-1-robot", `value="give serviceaccounts:read serviceaccounts:id:`)
	for button, want := range map[string]string{
		"drop teams:read": "audit:read", "drop teams:read teams:id:7": "teams:read teams:id:8\naudit:read", "add orgs:read": "teams:read teams:id:7\nteams:read teams:id:8\naudit:read\norgs:read",
		"give teams:read teams:id:*": "audit:read\nteams:read teams:id:*", "add roles:delete": "teams:read teams:id:7\nteams:read teams:id:8\naudit:read\nroles:delete permissions:type:delegate",
		"drop nothing:here": "teams:read teams:id:7\nteams:read teams:id:8\naudit:read", "look": "teams:read teams:id:7\nteams:read teams:id:8\naudit:read", "nonsense": "teams:read teams:id:7\nteams:read teams:id:8\naudit:read",
	} {
		p := b.post(path, "arrange", button, "permissions", "teams:read teams:id:7\nteams:read teams:id:8\naudit:read")
		if got := arrangement(t, p); got != want {
			t.Errorf("%s: %q, want %q", button, got, want)
		}
	}
	p = b.post(path, "arrange", "write loki:read", "open", "loki:read", "scope", "loki:tenants:a", "permissions", "loki:read")
	if got := arrangement(t, p); got != "loki:read loki:tenants:a" {
		t.Errorf("written: %q", got)
	}
	if r := b.get("/admin/roles?query=mine"); strings.Contains(r.text, ">mine<") {
		t.Error("a button saved the role")
	}
}

// TestRoleChangeTellsWhom changes a role that an account uses: the form and the question say
// what is added, what is taken away, who has it, and what was used and would be refused.
func TestRoleChangeTellsWhom(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	custom(t, s, `{"uid":"crew","name":"Crew","permissions":[{"action":"teams:read","scope":"teams:*"},{"action":"orgs:read"}]}`)
	account := b.create("ci", "None")
	b.save(account+"/roles", "role", "crew")
	if r := s.Do(hallpasstest.Bearer(tokenOf(t, s, "ci")), "GET", "/api/teams/search", ""); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	const path, kept = "/admin/roles/crew/edit", "orgs:read\naudit:read"
	hallpasstest.Eventually(t, "the use to be stored", func() bool {
		return strings.Contains(b.post(path, "arrange", "look", "name", "Crew", "permissions", kept).text, "Loses teams:read, used")
	})
	form := b.post(path, "arrange", "look", "name", "Crew", "permissions", kept)
	b.want("the form", form, 200, "1 added, 1 taken away", "Save for 1 holder…", "Read the audit log", "Read teams", "1 live token, used", "Taken away at once, on every node")
	question := b.post(path, "name", "Crew", "permissions", kept)
	b.want("the question", question, 200, "teams:read teams:*", "Read teams.", "The service account ci loses teams:read, which it used last", "It is held by service account ci.", `data-type="Crew"`)
	b.want("the answer", b.yes(question), 303)
	more := b.post(path, "name", "Crew", "permissions", kept+"\nfolders:read folders:*")
	b.want("more", more, 200, "Read folders.")
	if strings.Contains(more.text, "which it used last") || strings.Contains(more.text, "data-type") {
		t.Error("a change that only adds is said to break something")
	}
}

// TestRoleFieldSaysWhomToAsk edits as somebody who does not hold everything: what they may not
// give says so where it stands, and whom to ask.
func TestRoleFieldSaysWhomToAsk(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("boss", hallpass.RoleAdmin)
	b := signedIn(t, s, "boss", hallpasstest.UserPassword)
	const path, says = "/admin/create/role", "You do not hold this yourself. Ask admin."
	p := b.post(path, "arrange", "seek", "seek", "users:create")
	b.want("found", p, 200, says)
	if strings.Contains(p.text, `value="add users:create"`) {
		t.Error("what they may not give can be added")
	}
	b.want("in a row", b.post(path, "arrange", "look", "permissions", "users:create\nteams:read teams:*"), 200, says)
	refused := b.save(path, "name", "mine", "permissions", "users:create")
	b.want("refused", refused, 403, "Permissions needed: users:create.", "Ask admin.", `id="error-permissions"`, `aria-invalid="true"`)
	s.User("vera", hallpass.RoleViewer)
	b = signedIn(t, s, "vera", hallpasstest.UserPassword)
	for _, form := range [][]string{{"arrange", "look"}, {"name", "mine"}} {
		b.want("not for a viewer", b.post(path, form...), 403, "roles:write")
	}
}
