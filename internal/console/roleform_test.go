package console_test

import (
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
