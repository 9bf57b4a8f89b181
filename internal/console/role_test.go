package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// custom makes a custom role by the API.
func custom(t *testing.T, s *hallpasstest.Server, body string) {
	t.Helper()
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", body); r.StatusCode != http.StatusCreated {
		t.Fatalf("create role: %d %s", r.StatusCode, r.Text)
	}
}

// TestMatrixOfForeignActions shows roles in the matrix: actions of other APIs have no level.
func TestMatrixOfForeignActions(t *testing.T) {
	s := hallpasstest.New(t)
	const cell, others = `<td data-label="Other">`, `<span class="cell muted">other APIs</span>`
	tests := map[string]struct{ permissions, shows string }{
		"foreign alone": {`{"action":"loki:read","scope":"loki:tenants:a"}`, cell + others + `</td>`},
		"foreign too":   {`{"action":"loki:delete"},{"action":"audit:read"}`, cell + `<span class="cell read">read</span>` + others + `</td>`},
		"known alone":   {`{"action":"audit:read"}`, cell + `<span class="cell read">read</span></td>`},
		"elsewhere":     {`{"action":"teams:read","scope":"teams:*"}`, `<td data-label="Other" class="none"><span class="muted" aria-hidden="true">·</span><span class="sr">nothing</span></td>`},
	}
	for name, tt := range tests {
		custom(t, s, `{"name":"`+name+`","permissions":[`+tt.permissions+`]}`)
	}
	page := signedIn(t, s, "admin", hallpasstest.AdminPassword).get("/admin/roles?view=matrix").text
	for name, tt := range tests {
		_, row, found := strings.Cut(page, ">"+name+"</a></th>")
		if row, _, _ = strings.Cut(row, "</tr>"); !found || !strings.Contains(row, tt.shows) {
			t.Errorf("%s: the row is %s", name, row)
		}
	}
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

// TestRolesAreOneTable lists roles of all kinds with who has them, narrows the list to a kind,
// and keeps from somebody who may not know it who has a role.
func TestRolesAreOneTable(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	custom(t, s, `{"uid":"crew","name":"<b>Crew</b>","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	b.save(b.create("ci", "None")+"/roles", "role", "crew")
	row := func(page, title string) string {
		_, rest, _ := strings.Cut(page, ">"+title+"</a></th>")
		row, _, _ := strings.Cut(rest, "</tr>")
		return row
	}
	all := b.get("/admin/roles").text
	for title, want := range map[string]string{"&lt;b&gt;Crew&lt;/b&gt;": ">1 service account<", "Admin": ">1 user<", "Teams: Reader": ">Nobody<", "Server admin": ">Server admins<", "None": ">1 service account<"} {
		if got := row(all, title); !strings.Contains(got, want) {
			t.Errorf("%s: the row is %s, want %s", title, got, want)
		}
	}
	own := b.get("/admin/roles?kind=own")
	b.want("own roles", own, 200, "<b>Crew</b>", "Own role")
	if strings.Contains(own.text, "Teams: Reader") {
		t.Error("the own roles have a fixed one")
	}
	b.want("in words", b.get("/admin/roles?kind=own&view=list"), 200, "Read teams.")
	b.want("no such kind", b.get("/admin/roles?kind=zebra"), 200, "Teams: Reader", "<b>Crew</b>")
	b.want("nothing of a kind", b.get("/admin/roles?kind=basic&query=crew"), 200, "No roles found")
	custom(t, s, `{"uid":"looks","name":"looks","permissions":[{"action":"roles:read","scope":"roles:*"}]}`)
	s.User("vera", hallpass.RoleViewer)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/vera/roles", `{"roleUid":"looks"}`); r.StatusCode != http.StatusOK {
		if r = s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/3/roles", `{"roleUid":"looks"}`); r.StatusCode != http.StatusOK {
			t.Fatal(r.Text)
		}
	}
	p := signedIn(t, s, "vera", hallpasstest.UserPassword).get("/admin/roles")
	if p.status != http.StatusOK || strings.Contains(p.text, "1 service account") || strings.Contains(p.text, "Nobody") {
		t.Errorf("%d: who may not know it reads who has a role", p.status)
	}
}
