package console_test

import (
	"encoding/json"
	"html"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

const teamsReader = "fixed_Z8pB0GQlrqRt8IZBCJQxPWvJPgQ" // fixed:teams:read

// TestSentenceOfPower compares what the form for a token and the account's page
// say that it will be able to do with what the account holds by everything that
// it was given: its basic role, roles of its own, of its teams and of everybody
// with its basic role, and access to single things. That the words are true of
// what routes answer is tested with the API.
func TestSentenceOfPower(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	do := func(method, path, body string) hallpasstest.Response {
		t.Helper()
		r := s.Do(hallpasstest.Admin, method, path, body)
		if r.StatusCode > 201 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
		return r
	}
	do("POST", "/api/access-control/roles", `{"uid":"sweeper","name":"sweeper","description":"Looks at things","permissions":[{"action":"folders:delete","scope":"folders:*"},{"action":"dashboards:delete","scope":"dashboards:*"},{"action":"folders.permissions:write","scope":"folders:*"},{"action":"serviceaccounts.permissions:write","scope":"serviceaccounts:*"}]}`)
	do("POST", "/api/access-control/roles", `{"uid":"asker","name":"asker","permissions":[{"action":"prometheus:query","scope":"*"},{"action":"users:write","scope":"global.users:*"}]}`)
	do("POST", "/api/folders", `{"uid":"shop","title":"Shop"}`)
	do("POST", "/api/teams", `{"name":"auditors"}`)
	for _, tt := range []struct {
		name, role, extra string
		give              func(id string)
		says              []string
	}{
		{name: "nothing", role: "None", says: []string{"authenticate, and nothing more."}},
		{name: "viewer", role: "Viewer", says: []string{"read the organization", "the folder Shop", "cannot change anything"}},
		{name: "admin", role: "Admin", says: []string{"do everything with service accounts and their tokens", "every action that Hallpass does not know"}},
		{name: "sweeper", role: "None", extra: "sweeper", says: []string{"delete folders and dashboards", "change who may manage service accounts and who may use folders"}},
		{name: "asker", role: "None", extra: "asker", says: []string{"do nothing in Hallpass itself", "users:write, without effect", "prometheus:query"}},
		{name: "team", role: "None", says: []string{"read teams (only the team auditors)", "the audit log"}, give: func(id string) {
			do("POST", "/api/teams/1/members", `{"userId":`+id+`}`)
			do("POST", "/api/access-control/roles", `{"uid":"auditor","name":"auditor","permissions":[{"action":"audit:read"}]}`)
			do("POST", "/api/access-control/teams/1/roles", `{"roleUid":"auditor"}`)
		}},
		{name: "granted", role: "None", says: []string{"create, read, change and delete folders and dashboards (only the folder Shop and what is in it)"}, give: func(id string) {
			do("POST", "/api/access-control/folders/shop/users/"+id, `{"permission":"Edit"}`)
		}},
		{name: "everybody", role: "None", says: []string{"read teams."}, give: func(string) {
			do("POST", "/api/access-control/builtin-roles", `{"roleUid":"`+teamsReader+`","builtinRole":"None"}`)
		}},
	} {
		path := b.create(tt.name, tt.role)
		if tt.extra != "" {
			b.want(tt.name+" roles", b.save(path+"/roles", "role", tt.extra), 303)
		}
		id := idOf(t, s, tt.name)
		if tt.give != nil {
			tt.give(id)
		}
		var held []struct{ Action, Scope string }
		if err := json.Unmarshal([]byte(do("GET", "/api/access-control/users/"+id+"/permissions", "").Text), &held); err != nil {
			t.Fatal(err)
		}
		var list []hallpass.Permission
		for _, h := range held {
			list = append(list, hallpass.Permission{Action: hallpass.Action(h.Action), Scope: hallpass.Scope(h.Scope)})
		}
		if tt.role == "Admin" {
			list = append(list, hallpass.Permission{Action: hallpass.ForeignActions, Scope: "*"})
		}
		power := hallpass.NewPermissions(list...).Power(hallpass.ServiceAccountPrincipal, func(s hallpass.Scope) string {
			return map[hallpass.Scope]string{"folders:uid:shop": "Shop", "teams:id:1": "auditors"}[s]
		})
		form, page := html.UnescapeString(b.get(path+"/tokens/new").text), html.UnescapeString(b.get(path+"/access").text)
		if want := power.Sentences("This token"); !strings.Contains(form, want) {
			t.Errorf("%s: the form for a token does not say %q:\n%s", tt.name, want, form)
		}
		pageSays := []string{power.Overview("A token of this account")}
		for _, area := range power.Areas {
			told := strings.Join(area.Can, "; ")
			pageSays = append(pageSays, "<strong>"+string(area.Area)+`</strong><span> <span class="cell `+area.Level.String()+`">`+area.Level.String()+"</span></span><span>"+strings.ToUpper(told[:1])+told[1:]+".")
		}
		for _, want := range pageSays {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page of the account does not say %q", tt.name, want)
			}
		}
		for _, want := range tt.says {
			if !strings.Contains(form, want) {
				t.Errorf("%s: the form does not say %q, but: %s", tt.name, want, power.Sentences("This token"))
			}
		}
	}
	// A basic role is told as it is now, with what everybody who has it was given.
	form := html.UnescapeString(b.get("/org/serviceaccounts/create").text)
	for _, want := range []string{"<span>Read teams.</span>", "the folder Shop and what is in it"} {
		if !strings.Contains(form, want) {
			t.Errorf("the form for an account does not say %q", want)
		}
	}
	do("PUT", "/api/access-control/roles/basic_viewer", `{"version":2,"permissions":[{"action":"audit:read"}]}`)
	form = html.UnescapeString(b.get("/org/serviceaccounts/create").text)
	if viewer := form[strings.Index(form, "<strong>Viewer</strong>"):]; !strings.Contains(viewer[:strings.Index(viewer, "</label>")], "the audit log") {
		t.Error("the form for an account tells a basic role as it was before it was changed")
	}
	// What its author wrote about a role stands beside what it permits, never in its place.
	for _, at := range []string{"/org/serviceaccounts/create", "/admin/roles?view=list"} {
		b.want("the role at "+at, b.get(at), 200, "Looks at things", "Change who may manage service accounts and who may use folders; delete folders and dashboards.")
	}
	b.want("the role", b.get("/admin/roles/sweeper"), 200, "Looks at things", "<span>Change who may manage service accounts.</span>", "who may use folders", "elete folders", "<span>Delete dashboards.</span>", `<details class="power" open>`)
}

// idOf is the ID of the service account with that name.
func idOf(t *testing.T, s *hallpasstest.Server, name string) string {
	t.Helper()
	var found struct{ ServiceAccounts []struct{ ID int64 } }
	r := s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?query="+name, "")
	if err := json.Unmarshal([]byte(r.Text), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.ServiceAccounts) != 1 {
		t.Fatalf("%d accounts are called %s", len(found.ServiceAccounts), name)
	}
	return strconv.FormatInt(found.ServiceAccounts[0].ID, 10)
}

// TestAskingAboutUnknownActions asks the page of an account about a slip, about an
// action of another API, and about what no service account can do.
func TestAskingAboutUnknownActions(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "None") + "/access?action="
	slip := b.get(path + "dashbord:reed")
	b.want("a slip", slip, 200, "Unknown action.", "Hallpass does not know dashbord:reed: did you mean dashboards:read?")
	if strings.Contains(slip.text, "These roles would allow it") {
		t.Error("roles are named that would allow a slip")
	}
	b.want("another API's", b.get(path+"prometheus:query"), 200, "No.", "an action of another API", "These roles would allow it, the narrowest first: Admin.")
	b.want("a user's", b.get(path+"users:read"), 200, "No.", "Only users can use users:read")
	b.want("no action", b.get(path+"Dashboards:Read"), 200, "did you mean dashboards:read?")
	s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+idOf(t, s, "ci"), `{"isDisabled":true}`)
	b.want("of a disabled account", b.get(path+"orgs:read"), 200, "The service account is disabled: its tokens are refused", "until it is enabled, whatever it asks for is refused")
}
