package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestUsersWithoutScript walks through the pages about users.
func TestUsersWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/admin/users"), 200, "All users", "Organization users", "admin@localhost", "1 user")
	b.want("the form", b.get("/admin/users/create"), 200, "Create user")
	b.want("a weak password", b.save("/admin/users/create", "login", "ana", "password", "short"), 400, `value="ana"`, `aria-invalid="true"`)
	made := b.save("/admin/users/create", "login", "ana", "email", "ana@example.com", "name", "Ana", "password", hallpasstest.UserPassword)
	path := made.to
	if made.status != http.StatusSeeOther || path != "/admin/users/2" {
		t.Fatalf("create: %d to %q\n%s", made.status, made.to, made.text)
	}
	b.want("the page", b.get(made.to), 200, "User ana created.", "ana@example.com", "Main Org.", "Viewer", "The user is not signed in.", "No roles assigned")
	b.want("a login that is taken", b.save(path+"/edit", "login", "admin", "email", "ana@example.com", "name", "Ana"), 409, "field-error")
	b.want("edit", b.save(path+"/edit", "login", "ana", "email", "ana@example.org", "name", "Ana B."), 303)
	b.want("search", b.get("/admin/users?query=example.org"), 200, "Ana B.", "1 user")
	b.want("search for nobody", b.get("/admin/users?query=zebra"), 200, "No users found", "zebra")
	b.want("past the end", b.get("/admin/users?page=9"), 200, "There is nobody on this page.")

	ana := signedIn(t, s, "ana", hallpasstest.UserPassword)
	b.want("the session", b.get(path), 200, "End all sessions", "127.0.0.1")
	b.want("end all", b.save(path+"/logout"), 303)
	if p := ana.get("/profile"); p.status != http.StatusSeeOther {
		t.Errorf("after its sessions were ended a browser gets %d", p.status)
	}
	ana = signedIn(t, s, "ana", hallpasstest.UserPassword)
	b.want("disable", b.save(path+"/disable", "disabled", "yes"), 303)
	b.want("disabled", b.get(path), 200, "Disabled", "Enable user")
	if p := ana.get("/profile"); p.status != http.StatusSeeOther {
		t.Errorf("after it was disabled a browser gets %d", p.status)
	}
	b.want("enable", b.save(path+"/disable", "disabled", "no"), 303)
	b.want("a weak new password", b.save(path+"/password", "password", "x"), 400, "field-error")
	b.want("a new password", b.save(path+"/password", "password", "seven quiet rivers run"), 303)
	signedIn(t, s, "ana", "seven quiet rivers run")

	self := b.save("/admin/users/1/admin", "admin", "no")
	b.want("the last server admin", self, 400, "the last server admin. Make somebody else one first.")
	if at, text := strings.Index(self.text, "Remove server admin"), strings.Index(self.text, "field-error"); text < at {
		t.Error("the refusal does not stand beside the control")
	}
	b.want("promote", b.save(path+"/admin", "admin", "yes"), 303)
	b.want("promoted", b.get(path), 200, "Server admin", "Remove server admin")
	b.want("the question", b.get(path+"/delete"), 200, "member of Main Org.", "Roles, team memberships and access are removed for good.")
	b.want("delete", b.save(path+"/delete"), 303)
	b.want("gone", b.get(path), 404, "User not found.")
}

// TestButtonsFollowTheirPermissions shows pages to somebody who may enable users and
// not disable them, and may delete roles and not change them.
func TestButtonsFollowTheirPermissions(t *testing.T) {
	s := hallpasstest.New(t)
	custom(t, s, `{"uid":"partly","name":"partly","permissions":[{"action":"users:read","scope":"global.users:*"},{"action":"users:enable","scope":"global.users:*"},
		{"action":"roles:read","scope":"roles:*"},{"action":"roles:delete","scope":"permissions:type:delegate"}],"global":true}`)
	custom(t, s, `{"uid":"target","name":"target","permissions":[]}`)
	s.User("ed", hallpass.RoleViewer) // has the ID 2
	s.User("off", hallpass.RoleViewer)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/2/roles", `{"roleUid":"partly","global":true}`); r.StatusCode != http.StatusOK {
		t.Fatalf("give the role: %d %s", r.StatusCode, r.Text)
	}
	admin, b := signedIn(t, s, "admin", hallpasstest.AdminPassword), signedIn(t, s, "ed", hallpasstest.UserPassword)
	const path = "/admin/users/3"
	admin.want("disable", admin.save(path+"/disable", "disabled", "yes"), http.StatusSeeOther)
	b.want("the page of one who is disabled", b.get(path), http.StatusOK, `<button class="button">Enable user</button>`)
	b.want("enable", b.save(path+"/disable", "disabled", "no"), http.StatusSeeOther)
	b.want("the page of one who is enabled", b.get(path), http.StatusOK, `disabled title="You need the permission users:disable">Disable user`)
	b.want("disable", b.save(path+"/disable", "disabled", "yes"), http.StatusForbidden)
	role := b.get("/admin/roles/target")
	b.want("the page of a role", role, http.StatusOK, `/admin/roles/target/delete"`, `<button class="button" disabled title="You need the permission roles:write">Change role`)
	b.want("delete", b.save("/admin/roles/target/delete"), http.StatusSeeOther)
}
