package console_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// fixedReader is a fixed role: service accounts, reader.
const fixedReader = "fixed_QFjJAZ88iawMLInYOxPA1DB1w6I"

// custom makes a custom role by the API.
func custom(t *testing.T, s *hallpasstest.Server, body string) {
	t.Helper()
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", body); r.StatusCode != http.StatusCreated {
		t.Fatalf("create role: %d %s", r.StatusCode, r.Text)
	}
}

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

// TestOrgUsersWithoutScript walks through the members of an org.
func TestOrgUsersWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("ed", hallpass.RoleEditor)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/org/users"), 200, "ed@example.com", "2 members", "Add to organization")
	b.want("nobody", b.save("/org/users", "user", "nobody", "role", "Viewer"), 404, `value="nobody"`)
	b.want("twice", b.save("/org/users", "user", "ed", "role", "Viewer"), 409, "already")
	last := b.save("/org/users/1/role", "role", "Viewer")
	b.want("the last admin", last, 400, "field-error")
	if row := html.UnescapeString(last.text[:strings.Index(last.text, "field-error")]); strings.Count(row, `aria-label="Role of `) != 1 {
		t.Error("the refusal does not stand in the row of who it is about")
	}
	b.want("no such role", b.save("/org/users/2/role", "role", "King"), 400)
	b.want("a role", b.save("/org/users/2/role", "role", "Viewer"), 303)
	b.want("the question", b.get("/org/users/2/remove"), 200, "remove “ed”")
	b.want("remove", b.save("/org/users/2/remove"), 303)
	b.want("removed", b.get("/org/users"), 200, "1 member", "ed is no longer a member of the organization.")
	b.want("add", b.save("/org/users", "user", "ed@example.com", "role", "Editor"), 303)

	ed := signedIn(t, s, "ed", hallpasstest.UserPassword)
	home := ed.get("/")
	for _, place := range []string{"/admin/users", "/org/users", "/admin/orgs", "/admin/roles", "/org/serviceaccounts"} {
		if strings.Contains(home.text, `href="`+place+`"`) {
			t.Errorf("an Editor is shown the way to %s", place)
		}
	}
	for _, path := range []string{"/admin/users", "/admin/users/1", "/admin/orgs", "/admin/roles", "/org/users", "/admin/users/create", "/admin/create/role"} {
		if p := ed.get(path); p.status != http.StatusForbidden {
			t.Errorf("%s answers an Editor with %d", path, p.status)
		}
	}
}

// TestTeamsWithoutScript walks through the pages about teams.
func TestTeamsWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("ed", hallpass.RoleEditor)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("none", b.get("/org/teams"), 200, "There are no teams yet")
	b.want("without a name", b.save("/org/teams", "name", " "), 400, `aria-invalid="true"`)
	made := b.save("/org/teams", "name", "Platform", "email", "p@example.com")
	path := made.to
	b.want("create", made, 303)
	b.want("the same name", b.save("/org/teams", "name", "platform"), 409, `value="platform"`)
	account := b.create("sync", "None")
	for _, who := range []string{"ed", "sync"} {
		b.want("add "+who, b.save(path+"/members", "member", who), 303)
	}
	b.want("the page", b.get(path), 200, "Service account", "sa-1-sync", "ed")
	b.want("again", b.save(path+"/members", "member", "ed"), 400, "already")
	b.want("nobody", b.save(path+"/members", "member", "zebra"), 404, `value="zebra"`)
	b.want("an admin", b.save(path+"/members/2", "level", "Admin"), 303)
	b.want("the roles", b.get(path+"/roles"), 200, "the team Platform", "Fixed roles")
	b.want("a role", b.save(path+"/roles", "role", fixedReader), 303)
	b.want("rename", b.save(path+"/edit", "name", "Runtime", "email", ""), 303)
	b.want("the list", b.get("/org/teams?query=run"), 200, "Runtime", "3 members")
	b.want("the question", b.get(path+"/delete"), 200, "It has 3 members. They lose the roles and access of the team at once.", "The team has 1 role: Service accounts: Reader.")
	b.want("the account's question", b.get(account+"/delete"), 200, "It is in the team “Runtime”.")
	b.want("remove", b.save(path+"/members/2/remove"), 303)
	b.want("delete", b.save(path+"/delete"), 303)
	b.want("gone", b.get(path), 404, "There is no such team in this organization.")
}

// TestOrgsWithoutScript walks through the orgs, and from one to another.
func TestOrgsWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("create", b.save("/admin/orgs", "name", "Shop"), 303)
	b.want("twice", b.save("/admin/orgs", "name", "Shop"), 400, `value="Shop"`, "name taken")
	b.want("the list", b.get("/admin/orgs"), 200, "Main Org.", "Shop", "You work here")
	b.want("rename", b.save("/admin/orgs/2/name", "name", "Store"), 303)
	b.want("the switch", b.get("/"), 200, `<option value="1" selected>Main Org.</option>`, `<option value="2">Store</option>`)
	b.want("switch", b.save("/profile/org", "org", "2"), 303)
	b.want("switched", b.get("/"), 200, "You work in Store", `<option value="2" selected>Store</option>`)
	b.want("no such org", b.save("/profile/org", "org", "99"), 404)
	b.want("back", b.save("/profile/org", "org", "1"), 303)
	b.want("the question", b.get("/admin/orgs/2/delete"), 200, "Service accounts, teams, roles and folders of this organization are deleted too.", "1 member")
	b.want("delete", b.save("/admin/orgs/2/delete"), 303)
	b.want("gone", b.get("/admin/orgs?query=Store"), 200, "No organizations found")
}

// TestRolesWithoutScript makes a custom role, changes it, gives it and deletes it
// while it is in use.
func TestRolesWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/admin/roles"), 200, "Basic roles", "Fixed roles", "basic:viewer", "fixed:teams:read")
	b.want("by what it allows", b.get("/admin/roles?query=serviceaccounts:delete"), 200, "fixed:serviceaccounts:writer")
	if p := b.get("/admin/roles?query=serviceaccounts:delete"); strings.Contains(p.text, "fixed:teams:read") {
		t.Error("the search finds a role that does not allow it")
	}
	b.want("nothing", b.get("/admin/roles?query=zebra"), 200, "No roles found")
	b.want("the matrix", b.get("/admin/roles?view=matrix"), 200, `data-label="Service accounts"`, `class="cell admin"`, `class="cell write"`, `class="cell read"`)
	for _, tt := range []struct{ field, name, permissions, says string }{
		{"role-permissions", "reader", "dashboards", "The line is “dashboards”."},
		{"role-permissions", "reader", "teams:read teams:*\ndashboards:read no scope at all", "The line is “dashboards:read no scope at all”."},
		{"role-name", "fixed:mine", "teams:read teams:*", "reserved"},
	} {
		p := b.save("/admin/create/role", "name", tt.name, "permissions", tt.permissions)
		b.want("refuse "+tt.permissions, p, 400, tt.says, strings.Split(tt.permissions, "\n")[0])
		if field, text := strings.Index(p.text, `id="`+tt.field+`"`), strings.Index(p.text, "field-error"); field < 0 || text < field {
			t.Errorf("the refusal of %q does not stand at %s", tt.permissions, tt.field)
		}
	}
	made := b.save("/admin/create/role", "name", "metrics", "display", "Metrics reader", "permissions", "prometheus:query tenants:name:shop\n\nteams:read teams:*\n")
	path := made.to
	b.want("create", made, 303)
	b.want("the page", b.get(path), 200, "Metrics reader", "prometheus:query", "tenants:name:shop", "Nobody in this organization")
	b.want("the same name", b.save("/admin/create/role", "name", "metrics", "permissions", ""), 409, "field-error")
	b.want("the form", b.get(path+"/edit"), 200, "prometheus:query tenants:name:shop\nteams:read teams:*", `name="version" value="2"`)
	b.want("change", b.save(path+"/edit", "name", "metrics", "display", "Metrics", "permissions", "prometheus:query *", "version", "2"), 303)
	b.want("an old form", b.save(path+"/edit", "name", "metrics", "display", "Old", "permissions", "", "version", "2"), 409, "changed by someone else")
	account := b.create("sync", "None")
	uid := path[strings.LastIndexByte(path, '/')+1:]
	b.want("give", b.save(account+"/roles", "role", uid), 303)
	b.want("who has it", b.get(path), 200, "service account sync")
	b.want("the question", b.get(path+"/delete"), 200, "It is removed at once from service account sync.")
	b.want("the account's question", b.get(account+"/delete"), 200, "It has 1 role in addition to None: Metrics.")
	b.want("delete", b.save(path+"/delete"), 303)
	b.want("gone", b.get(account), 200, "No roles assigned")
	b.want("a fixed role", b.save("/admin/roles/"+fixedReader+"/delete"), 400, "Fixed roles cannot be changed")
}

// TestPickerWithoutScript gives roles on the account's pages: what the viewer may
// not give is locked, and a refusal gives nothing.
func TestPickerWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	custom(t, s, `{"uid":"server-users","name":"server users","permissions":[{"action":"users:create"}]}`)
	custom(t, s, `{"uid":"metrics","name":"metrics","permissions":[{"action":"prometheus:query","scope":"*"}]}`)
	s.User("boss", hallpass.RoleAdmin)
	b := signedIn(t, s, "boss", hallpasstest.UserPassword)
	form := b.get("/org/serviceaccounts/create")
	b.want("the form", form, 200, "More roles", `name="role_uid" value="metrics"`, "You do not have permissions to assign this role.")
	refused := b.save("/org/serviceaccounts/create", "name", "ci", "role", "None", "role_uid", "metrics", "role_uid", "server-users")
	b.want("a role that is not theirs", refused, 403, "Permissions needed: users:create.", `value="metrics" checked`, `value="ci"`)
	if p := b.get("/org/serviceaccounts?query=ci"); strings.Contains(p.text, "sa-1-ci") {
		t.Error("the account was made all the same")
	}
	made := b.save("/org/serviceaccounts/create", "name", "ci", "role", "None", "role_uid", "metrics", "role_uid", fixedReader)
	path := made.to
	if made.status != http.StatusSeeOther {
		t.Fatalf("create: %d to %q\n%s", made.status, made.to, made.text)
	}
	b.want("the account", b.get(path), 200, "metrics", "Service accounts: Reader")
	b.want("a role that is gone", b.save("/org/serviceaccounts/create", "name", "ci2", "role", "None", "role_uid", "metrics", "role_uid", "zebra"), 400, "There is no role with the uid zebra.", `value="ci2"`)
	if p := b.get("/org/serviceaccounts?query=ci2"); strings.Contains(p.text, "sa-1-ci2") {
		t.Error("the account was made without its roles")
	}
	b.want("the picker", b.get(path+"/roles"), 200, `value="metrics" checked`, `value="server-users" disabled`, "2 chosen")
	b.want("not theirs", b.save(path+"/roles", "role", "metrics", "role", "server-users"), 403, `value="metrics" checked`)
	b.want("no such role", b.save(path+"/roles", "role", "zebra"), 404)
	b.want("as before", b.get(path), 200, "Service accounts: Reader")
	b.want("what it can do", b.get(path+"/access"), 200, "prometheus:query", "role metrics", "Effective permissions")
	b.want("may it", b.get(path+"/access?action=teams:create"), 200, "No.", "Teams: Creator")
	b.want("no action", b.get(path+"/access?action=teams"), 200, `aria-invalid="true"`)
	b.want("clear", b.save(path+"/roles", "role", "metrics", "clear", "yes"), 303)
	b.want("cleared", b.get(path), 200, "No roles assigned")
}

// TestAccessWithoutScript gives access to an account and a folder.
func TestAccessWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("ed", hallpass.RoleEditor)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("nothing yet", b.get("/dashboards"), 200, "There are no folders or dashboards yet")
	for path, body := range map[string]string{"/api/folders": `{"uid":"shop","title":"Shop"}`, "/api/teams": `{"name":"Platform"}`} {
		if r := s.Do(hallpasstest.Admin, "POST", path, body); r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", path, r.StatusCode, r.Text)
		}
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/folders", `{"uid":"checkout","title":"Checkout","parentUid":"shop"}`); r.StatusCode != 200 {
		t.Fatalf("nested folder: %d %s", r.StatusCode, r.Text)
	}
	b.want("the tree", b.get("/dashboards"), 200, "Shop", `class="lead depth-1"`, "/dashboards/permissions/checkout")
	const shop = "/dashboards/permissions/shop"
	b.want("the page", b.get(shop), 200, "Basic roles", "Viewer", "Editor")
	b.want("nobody", b.save(shop, "kind", "principal", "who", "zebra", "level", "View"), 400, `value="zebra"`, "no such user or service account")
	b.want("no such team", b.save(shop, "kind", "team", "who", "zebra", "level", "View"), 400, "no such team")
	b.want("no such level", b.save(shop, "kind", "principal", "who", "ed", "level", "King"), 400, `aria-invalid="true"`)
	b.want("a team", b.save(shop, "kind", "team", "who", "Platform", "level", "Edit"), 303)
	b.want("a user", b.save(shop, "kind", "principal", "who", "ed", "level", "Admin"), 303)
	b.want("inherited", b.get("/dashboards/permissions/checkout"), 200, `inherited from <a href="/dashboards/permissions/shop">Shop</a>`, "Platform")
	ed := signedIn(t, s, "ed", hallpasstest.UserPassword)
	ed.want("as its admin", ed.get(shop), 200, "Add permission")
	ed.want("the way to it, and to what is below", ed.get("/dashboards"), 200, shop, "/dashboards/permissions/checkout")
	b.want("take", b.save(shop, "kind", "principal", "who", "2", "level", ""), 303)
	if p := ed.get("/dashboards"); !strings.Contains(p.text, "Checkout") || strings.Contains(p.text, "/permissions") {
		t.Errorf("who may not see the permissions is shown the way to them, or not the folder: %d", p.status)
	}
	ed.want("the permissions", ed.get(shop), 403)

	account := b.create("ci", "Viewer")
	b.want("the creator", b.get(account+"/permissions"), 200, "Users", `<option value="Admin" title`)
	if p := ed.get(account); p.status != http.StatusForbidden {
		t.Errorf("an Editor sees the account: %d", p.status)
	}
	b.want("give", b.save(account+"/permissions", "kind", "principal", "who", "ed", "level", "Edit"), 303)
	ed.want("the account", ed.get(account), 200, "Add service account token")
	if p := ed.get(account + "/permissions"); p.status != http.StatusForbidden {
		t.Errorf("with Edit the permissions answer %d", p.status)
	}
}

// TestRoleGivenEverywhere shows a role that holds in every org as one that is
// not to be taken away here, and leaves it where it is.
func TestRoleGivenEverywhere(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleViewer)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/2/roles", `{"roleUid":"fixed_buZastUG3reWyQpPemcWjGqPAd0","global":true}`); r.StatusCode != 200 {
		t.Fatalf("give everywhere: %d %s", r.StatusCode, r.Text)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the picker", b.get("/admin/users/2/roles"), 200, "Given in every organization")
	b.want("save", b.save("/admin/users/2/roles"), 303)
	if r := s.Do(hallpasstest.Admin, "GET", "/api/access-control/users/2/roles", ""); strings.Count(r.Text, "fixed:users:reader") != 1 {
		t.Errorf("after saving: %s", r.Text)
	}
}

// TestAuditOfTheRoot reads of a refusal at the root of the folders: the root has
// no row in the database, and is there all the same.
func TestAuditOfTheRoot(t *testing.T) {
	s := hallpasstest.New(t)
	if r := s.Do(s.User("vi", hallpass.RoleViewer), "POST", "/api/folders", `{"title":"Shop"}`); r.StatusCode != 403 {
		t.Fatalf("create a folder: %d %s", r.StatusCode, r.Text)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	p := b.get("/admin/audit?outcome=refused")
	b.want("the audit", p, 200, "the root of the folders")
	if strings.Contains(p.text, "not available") {
		t.Error("the audit says of the root that it is not available")
	}
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
