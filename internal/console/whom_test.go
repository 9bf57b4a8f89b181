package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestDeniedSaysWhomToAsk refuses pages to a Viewer: each says what is missing in words, which
// roles have it, who can give it, and what to ask for. It tells no mail address, no role that
// the viewer may not read, and nobody who cannot give it.
func TestDeniedSaysWhomToAsk(t *testing.T) {
	s := hallpasstest.New(t)
	do := func(method, path, body string) {
		t.Helper()
		if r := s.Do(hallpasstest.Admin, method, path, body); r.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
	}
	const hostile = `Ana "><script>alert(1)</script>`
	do("POST", "/api/admin/users", `{"login":"ana@secret.example","email":"ana@secret.example","name":"Ana \"><script>alert(1)</script>","password":"seven quiet rivers run"}`)
	do("PATCH", "/api/org/users/2", `{"role":"Admin"}`)
	do("POST", "/api/admin/users", `{"login":"ito@secret.example","email":"ito@secret.example","password":"seven quiet rivers run"}`)
	do("PATCH", "/api/org/users/3", `{"role":"Admin"}`)
	s.User("eddie", hallpass.RoleEditor)
	s.User("vera", hallpass.RoleViewer)
	custom(t, s, `{"uid":"hush","name":"hush-hush","permissions":[{"action":"audit:read"},{"action":"serviceaccounts:read","scope":"serviceaccounts:*"}]}`)
	b := signedIn(t, s, "vera", hallpasstest.UserPassword)
	p := b.get("/org/serviceaccounts")
	b.want("the accounts", p, 403, "You cannot read service accounts and their tokens", "vera, with the role Viewer in Main Org</strong>. Ask", "serviceaccounts:read", "Service accounts: Reader",
		hostile, "What to ask an Admin for", "as vera, with the role Viewer in Main Org. I need the permission serviceaccounts:read (read service accounts and their tokens) for /org/serviceaccounts. These roles have it: ", "Could you give it to me?")
	for _, secret := range []string{"secret.example", "hush", "eddie", "<script>alert", "ito@", ">ito<", "Ask admin", "ask admin"} {
		if strings.Contains(p.text, secret) {
			t.Errorf("the page says %q", secret)
		}
	}
	p = b.get("/admin/nodes")
	b.want("of the server", p, 403, "server admins", "admin", "server.stats:read")
	if strings.Contains(p.text, "ito") {
		t.Error("somebody who cannot give what is held on the server is named")
	}
	do("POST", "/api/orgs", `{"name":"Elsewhere"}`)
	do("POST", "/api/admin/users", `{"login":"lone","password":"seven quiet rivers run","OrgId":2}`)
	lone := signedIn(t, s, "lone", "seven quiet rivers run")
	p = lone.get("/admin/audit")
	lone.want("in another org", p, http.StatusForbidden, "audit:read")
	for _, other := range []string{"Ana", "ito", "Main Org."} {
		if strings.Contains(p.text, other) {
			t.Errorf("somebody of another org is told of %s", other)
		}
	}
}
