package console_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

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
