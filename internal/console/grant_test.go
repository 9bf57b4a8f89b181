package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

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
	b.want("the tree", b.get("/dashboards"), 200, "Shop", `<details><summary>1 folder<span class="sr"> in Shop<`, "/dashboards/permissions/checkout")
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
