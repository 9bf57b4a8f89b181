package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// A step is one call of a client and what the client demands of the answer. A word in
// angle brackets, as <sa>, stands for a value that an earlier step kept.
type step struct {
	method, path, body string
	status             int    // the only status that the client accepts
	want               string // "field value; field value", see session.holds
	keep               string // "name=field": a value for later steps
}

// A session is a client that calls as one caller, in one org.
type session struct {
	t       *testing.T
	s       *hallpasstest.Server
	as      hallpasstest.Credential
	org     string // the org in the header of calls that belong to an org; empty: no header
	headers []string
	vars    map[string]string
}

// newSession is a client with the admin's password, working in org 1.
func newSession(t *testing.T, configure ...func(*server.Config)) *session {
	t.Helper()
	return &session{t: t, s: hallpasstest.New(t, configure...), as: hallpasstest.Admin, org: "1", vars: make(map[string]string)}
}

// in is the same client with a header for another org.
func (x session) in(org string) *session {
	x.org = x.fill(org)
	return &x
}

// by is the same client with another credential.
func (x session) by(as hallpasstest.Credential) *session {
	x.as = as
	return &x
}

func (x *session) fill(s string) string {
	for name, v := range x.vars {
		s = strings.ReplaceAll(s, "<"+name+">", v)
	}
	return s
}

// global reports whether the call is about the server, not about an org.
func global(path string) bool {
	for _, p := range []string{"/api/orgs", "/api/users", "/api/admin", "/api/health"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// send makes one call and checks what every answer must have: JSON, and in an error a
// message.
func (x *session) send(method, path, body string) hallpasstest.Response {
	x.t.Helper()
	path, body = x.fill(path), x.fill(body)
	headers := append([]string{"Accept: application/json"}, x.headers...)
	if x.org != "" && !global(path) {
		headers = append(headers, "X-Grafana-Org-Id: "+x.org)
	}
	r := x.s.Do(x.as, method, path, body, headers...)
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		x.t.Errorf("%s %s: answered as %q, want JSON", method, path, ct)
	}
	if r.StatusCode >= http.StatusBadRequest {
		x.holds(method+" "+path, r.Text, "message string")
	}
	return r
}

// run does the steps, one after another.
func (x *session) run(steps ...step) {
	x.t.Helper()
	for _, s := range steps {
		x.do(s)
	}
}

// do does one step and returns the answer's body.
func (x *session) do(s step) string {
	x.t.Helper()
	what := s.method + " " + x.fill(s.path) + " " + x.fill(s.body)
	r := x.send(s.method, s.path, s.body)
	if r.StatusCode != s.status {
		x.t.Errorf("%s: %d %s, want %d", what, r.StatusCode, r.Text, s.status)
		return r.Text
	}
	x.holds(what, r.Text, s.want)
	if name, field, ok := strings.Cut(s.keep, "="); ok {
		v, found := at(x.t, r.Text, x.fill(field))
		if !found {
			x.t.Fatalf("%s: %s has no %s", what, r.Text, field)
		}
		x.vars[name] = fmt.Sprint(v)
	}
	return r.Text
}

// holds checks fields of a JSON text. A field is a path as teams[0].name or
// [userId=3].permission; # is the length of a list, @ the whole text. Its value is JSON, or
// the kind of value that is demanded: number, string, bool, list, object, absent.
func (x *session) holds(what, text, want string) {
	x.t.Helper()
	if want == "" {
		return
	}
	for _, w := range strings.Split(x.fill(want), "; ") {
		field, value, _ := strings.Cut(w, " ")
		got, found := at(x.t, text, field)
		if value == "absent" {
			if found {
				x.t.Errorf("%s: %s is there: %v", what, field, got)
			}
			continue
		}
		if !found {
			x.t.Errorf("%s: no %s in %s", what, field, text)
			continue
		}
		if kind := kindOf(got); kind == value {
			continue
		}
		b, err := json.Marshal(got)
		if err != nil {
			x.t.Fatal(err)
		}
		if string(b) != value {
			x.t.Errorf("%s: %s is %s, want %s", what, field, b, value)
		}
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case json.Number:
		return "number"
	case string:
		return "string"
	case bool:
		return "bool"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return ""
}

func parse(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

var fieldParts = regexp.MustCompile(`\[[^\]]*\]|[^.\[]+`)

// at finds a field of a JSON text.
func at(t *testing.T, text, field string) (any, bool) {
	t.Helper()
	v := parse(t, text)
	found := true
	for _, part := range fieldParts.FindAllString(strings.TrimPrefix(field, "@"), -1) {
		if v, found = below(v, part); !found {
			return nil, false
		}
	}
	return v, true
}

// below returns the value that one part of a path names.
func below(v any, part string) (any, bool) {
	list, isList := v.([]any)
	switch {
	case part == "#" && isList:
		return json.Number(strconv.Itoa(len(list))), true
	case strings.HasPrefix(part, "[") && isList:
		name, value, byField := strings.Cut(strings.Trim(part, "[]"), "=")
		if i, err := strconv.Atoi(name); err == nil && !byField {
			if i >= len(list) {
				return nil, false
			}
			return list[i], true
		}
		for _, e := range list {
			if m, ok := e.(map[string]any); ok && m[name] != nil && fmt.Sprint(m[name]) == value {
				return e, true
			}
		}
		return nil, false
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	v, ok = m[part]
	return v, ok
}

// secondOrg creates an org, <other>, in which steps work by in("<other>").
var secondOrg = step{"POST", "/api/orgs", `{"name":"Other"}`, 200, "orgId number; message string", "other=orgId"}

// people creates a user <u> and a team <team>.
var people = []step{
	{"POST", "/api/admin/users", `{"email":"u@example.com","login":"u","name":"U","password":"violet lamps hum at noon"}`, 200, "id number", "u=id"},
	{"POST", "/api/teams", `{"name":"crew"}`, 200, "teamId number", "team=teamId"},
}

func TestClientServiceAccounts(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Editor"}`, 201, `id number; orgId 1; name "ci"; role "Editor"; isDisabled false`, "sa=id"},
		step{"GET", "/api/serviceaccounts/search?page=0", "", 200, `totalCount 1; serviceAccounts.# 1; serviceAccounts[0].id <sa>; page 1`, ""},
		step{"GET", "/api/serviceaccounts/search?page=1", "", 200, `totalCount 1; serviceAccounts.# 1`, ""},
		step{"GET", "/api/serviceaccounts/search?page=2", "", 200, `totalCount 1; serviceAccounts []`, ""},
		step{"GET", "/api/serviceaccounts/<sa>", "", 200, `id <sa>; orgId 1; name "ci"; role "Editor"; isDisabled false`, ""},
		step{"PATCH", "/api/serviceaccounts/<sa>", `{"name":"ci two","role":"None","isDisabled":true}`, 200, "", ""},
		step{"GET", "/api/serviceaccounts/<sa>", "", 200, `id <sa>; name "ci two"; role "None"; isDisabled true`, ""},
		step{"PATCH", "/api/serviceaccounts/<sa>", `{"name":"ci two","role":"Viewer","isDisabled":false}`, 200, "", ""},
		step{"GET", "/api/serviceaccounts/<sa>", "", 200, `role "Viewer"; isDisabled false`, ""},
		step{"GET", "/api/serviceaccounts/987654", "", 404, "", ""},
		step{"POST", "/api/serviceaccounts", `{"name":"asleep","role":"Viewer","isDisabled":true}`, 201, `isDisabled true`, "asleep=id"},
		step{"GET", "/api/serviceaccounts/<asleep>", "", 200, `isDisabled true`, ""},
	)
	x.in("<other>").run(
		step{"GET", "/api/serviceaccounts/<sa>", "", 404, "", ""},
		step{"GET", "/api/access-control/serviceaccounts/<sa>", "", 404, "", ""},
		step{"GET", "/api/serviceaccounts/search?page=1", "", 200, `totalCount 0; serviceAccounts []`, ""},
	)
	x.run(
		step{"DELETE", "/api/serviceaccounts/<sa>", "", 200, "message string", ""},
		step{"DELETE", "/api/serviceaccounts/<sa>", "", 404, "", ""},
		step{"GET", "/api/serviceaccounts/<sa>", "", 404, "", ""},
		step{"GET", "/api/access-control/serviceaccounts/<sa>", "", 404, "", ""},
		step{"GET", "/api/serviceaccounts/<sa>/tokens", "", 200, "# 0", ""},
	)
}

func TestClientTokens(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "", "sa=id"},
		step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"forever"}`, 200, `id number; name "forever"; key string`, "forever=id"},
		step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"hour","secondsToLive":3600}`, 200, `id number; key string`, "hour=id"},
		step{"GET", "/api/serviceaccounts/<sa>/tokens", "", 200, `# 2; [id=<forever>].name "forever"; [id=<forever>].hasExpired false; [id=<forever>].expiration null; ` +
			`[id=<forever>].key absent; [id=<hour>].hasExpired false; [id=<hour>].expiration string`, "expires=[id=<hour>].expiration"},
	)
	end, err := time.Parse(time.RFC3339, x.vars["expires"])
	if err != nil || end.Sub(x.s.Clock.Now()).Abs() > time.Hour+time.Second {
		t.Errorf("the token of an hour expires at %s (%v)", x.vars["expires"], err)
	}
	x.s.Clock.Wind(2 * time.Hour)
	x.run(
		step{"GET", "/api/serviceaccounts/<sa>/tokens", "", 200, `[id=<hour>].hasExpired true; [id=<forever>].hasExpired false`, ""},
		step{"DELETE", "/api/serviceaccounts/<sa>/tokens/<hour>", "", 200, "message string", ""},
		step{"DELETE", "/api/serviceaccounts/<sa>/tokens/<hour>", "", 404, "", ""},
		step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"hour","secondsToLive":3600}`, 200, "", "again=id"},
		step{"GET", "/api/serviceaccounts/<sa>/tokens", "", 200, `# 2; [id=<again>].name "hour"`, ""},
	)
	if x.vars["again"] == x.vars["hour"] {
		t.Errorf("token id %s was used again", x.vars["hour"])
	}
}

// TestClientPermissions makes the same bulk and single grants on each kind of resource.
func TestClientPermissions(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(people...)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "", "sa=id"},
		step{"POST", "/api/serviceaccounts", `{"name":"robot","role":"Viewer"}`, 201, "", "robot=id"},
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", "folder=uid"},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"}}`, 200, "", "dashboard=uid"},
	)
	for _, res := range []struct{ kind, ref, gone, low string }{
		{"serviceaccounts", "<sa>", "987654", "Edit"}, // an account has no View
		{"folders", "<folder>", "nosuchfolder", "View"},
		{"dashboards", "<dashboard>", "nosuchdashboard", "View"},
	} {
		t.Run(res.kind, func(t *testing.T) {
			x := *x
			x.t = t
			x.vars = maps.Clone(x.vars)
			x.vars["low"] = res.low
			grants(&x, "/api/access-control/"+res.kind+"/"+res.ref)
			if res.kind != "serviceaccounts" {
				roleGrants(&x, "/api/access-control/"+res.kind+"/"+res.ref)
			}
			gone := "/api/access-control/" + res.kind + "/" + res.gone
			x.run(
				step{"GET", gone, "", 404, "", ""},
				step{"POST", gone, `{"permissions":[]}`, 404, "", ""},
				step{"POST", gone + "/users/<u>", `{}`, 404, "", ""},
				step{"POST", gone + "/teams/<team>", `{}`, 404, "", ""},
			)
		})
	}
}

// grants changes who has access to the resource, in bulk and one by one; <low>
// is the level that gives least.
func grants(x *session, path string) {
	x.t.Helper()
	x.setPermissions(path, `"userId":<u> Edit`, `"teamId":<team> <low>`)
	x.managed(path, "userId=<u> Edit", "teamId=<team> <low>")
	x.run(
		step{"GET", path, "", 200, `[userId=<u>].isManaged true; [userId=<u>].isInherited false; [userId=<u>].permission "Edit"; [teamId=<team>].permission "<low>"`, ""},
		step{"POST", path, `{"permissions":[]}`, 200, "", ""},
	)
	x.managed(path, "userId=<u> Edit", "teamId=<team> <low>")
	x.run(step{"POST", path, `{"permissions":[{"userId":<u>},{"teamId":<team>,"permission":"Admin"}]}`, 200, "message string", ""})
	x.managed(path, "teamId=<team> Admin")
	x.run(step{"POST", path, `{"permissions":[{"teamId":<team>}]}`, 200, "", ""})
	x.managed(path)
	x.run(
		step{"POST", path + "/users/<u>", `{"permission":"<low>"}`, 200, "message string", ""},
		step{"POST", path + "/users/<u>", `{"permission":"Admin"}`, 200, "", ""},
		step{"POST", path + "/users/<robot>", `{"permission":"<low>"}`, 200, "", ""},
		step{"POST", path + "/teams/<team>", `{"permission":"Edit"}`, 200, "message string", ""},
	)
	x.managed(path, "userId=<u> Admin", "userId=<robot> <low>", "teamId=<team> Edit")
	x.run(
		step{"POST", path + "/users/<u>", `{}`, 200, "message string", ""},
		step{"POST", path + "/users/<robot>", `{}`, 200, "", ""},
		step{"POST", path + "/teams/<team>", `{}`, 200, "", ""},
	)
	x.managed(path)
	x.in("<other>").run(step{"GET", path, "", 404, "", ""}, step{"POST", path, `{"permissions":[]}`, 404, "", ""})
}

func roleGrants(x *session, path string) {
	x.t.Helper()
	x.run(
		step{"POST", path, `{"permissions":[{"builtInRole":"Viewer","permission":"Edit"}]}`, 200, "", ""},
		step{"POST", path + "/builtInRoles/Viewer", `{"permission":"View"}`, 200, "message string", ""},
	)
	x.managed(path, "builtInRole=Viewer View")
	x.run(step{"POST", path + "/builtInRoles/Viewer", `{}`, 200, "", ""})
	x.managed(path)
	x.run(
		step{"POST", path + "/builtInRoles/Editor", `{"permission":"Edit"}`, 200, "", ""},
		step{"POST", path, `{"permissions":[{"builtInRole":"Editor"}]}`, 200, "", ""},
	)
	x.managed(path)
}

// A grant has the fields that clients read in a row of a permission list.
type grant struct {
	UserID, TeamID         int64
	BuiltInRole            string
	Permission             string
	IsManaged, IsInherited bool
}

func (g grant) target() string {
	switch {
	case g.UserID != 0:
		return fmt.Sprintf("userId=%d", g.UserID)
	case g.TeamID != 0:
		return fmt.Sprintf("teamId=%d", g.TeamID)
	}
	return "builtInRole=" + g.BuiltInRole
}

// own returns the rows that clients consider their own: managed, not inherited.
func (x *session) own(path string) []grant {
	x.t.Helper()
	var rows, own []grant
	if err := json.Unmarshal([]byte(x.do(step{"GET", path, "", 200, "", ""})), &rows); err != nil {
		x.t.Fatal(err)
	}
	first := make(map[string]bool)
	for _, g := range rows {
		if ours := g.IsManaged && !g.IsInherited; !ours && !first[g.target()] {
			for _, later := range rows {
				if later.target() == g.target() && later.IsManaged && !later.IsInherited {
					x.t.Errorf("GET %s: a row of %s that is not managed, or is inherited, stands before the one that counts", path, g.target())
				}
			}
		}
		first[g.target()] = true
		if g.IsManaged && !g.IsInherited {
			own = append(own, g)
		}
	}
	return own
}

// managed fails the test unless exactly these grants, as "userId=3 Edit", are there.
func (x *session) managed(path string, want ...string) {
	x.t.Helper()
	got := []string{}
	for _, g := range x.own(path) {
		got = append(got, g.target()+" "+g.Permission)
	}
	expected := []string{}
	for _, w := range want {
		expected = append(expected, x.fill(w))
	}
	slices.Sort(got)
	slices.Sort(expected)
	if d := cmp.Diff(expected, got); d != "" {
		x.t.Errorf("GET %s: wanted, given:\n%s", x.fill(path), d)
	}
}

// setPermissions does what Terraform does for a list of permissions. It sends the grants
// that it wants, and with an empty permission the grants that it found and does not want.
func (x *session) setPermissions(path string, want ...string) {
	x.t.Helper()
	var items []string
	wanted := make(map[string]bool)
	for _, w := range want {
		target, level, _ := strings.Cut(x.fill(w), " ")
		wanted[strings.NewReplacer(`"`, "", ":", "=").Replace(target)] = true
		items = append(items, fmt.Sprintf(`{%s,"permission":%q}`, target, level))
	}
	for _, g := range x.own(path) {
		if name, value, _ := strings.Cut(g.target(), "="); !wanted[g.target()] {
			if name == "builtInRole" {
				value = strconv.Quote(value)
			}
			items = append(items, fmt.Sprintf(`{%q:%s}`, name, value))
		}
	}
	x.do(step{"POST", path, `{"permissions":[` + strings.Join(items, ",") + `]}`, 200, "", ""})
}

func TestClientOrgs(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/orgs", `{"name":"Ours"}`, 200, "orgId number; message string", "org=orgId"},
		step{"POST", "/api/orgs", `{"name":"Ours"}`, 409, "", ""},
		step{"GET", "/api/orgs/<org>", "", 200, `id <org>; name "Ours"`, ""},
		step{"GET", "/api/orgs/name/Ours", "", 200, `id <org>; name "Ours"`, ""},
		step{"GET", "/api/orgs/name/Main%20Org.", "", 200, `id 1; name "Main Org."`, ""},
		step{"GET", "/api/orgs/name/Nobody", "", 404, "", ""},
		step{"GET", "/api/orgs?page=0", "", 200, "# 2; [id=<org>].name \"Ours\"", ""},
		step{"GET", "/api/orgs?page=1", "", 200, "# 0", ""},
		step{"PUT", "/api/orgs/<org>", `{"name":"Ours Too"}`, 200, "message string", ""},
		step{"GET", "/api/orgs/<org>", "", 200, `id <org>; name "Ours Too"`, ""},
		step{"GET", "/api/orgs/<org>/users", "", 200, `# 1; [login=admin].userId number; [login=admin].email "admin@localhost"; [login=admin].role "Admin"`, ""},
		step{"POST", "/api/orgs/<org>/users", `{"loginOrEmail":"u@example.com","role":"None"}`, 200, "message string; userId <u>", ""},
		step{"POST", "/api/orgs/<org>/users", `{"loginOrEmail":"u","role":"Viewer"}`, 409, "", ""},
		step{"POST", "/api/orgs/<org>/users", `{"loginOrEmail":"nobody@example.com","role":"Viewer"}`, 404, "", ""},
		step{"GET", "/api/orgs/<org>/users", "", 200, `# 2; [userId=<u>].email "u@example.com"; [userId=<u>].login "u"; [userId=<u>].role "None"`, ""},
		step{"PATCH", "/api/orgs/<org>/users/<u>", `{"role":"Editor"}`, 200, "message string", ""},
		step{"GET", "/api/orgs/<org>/users", "", 200, `[userId=<u>].role "Editor"`, ""},
		step{"DELETE", "/api/orgs/<org>/users/<u>", "", 200, "message string", ""},
		step{"GET", "/api/orgs/<org>/users", "", 200, `# 1; [userId=<u>] absent`, ""},
		step{"GET", "/api/org/users?query=U@EXAMPLE", "", 200, `# 1; [0].userId <u>`, ""},
		step{"GET", "/api/org/users?query=xample.c", "", 200, `[userId=<u>].login "u"`, ""},
		step{"GET", "/api/org/users", "", 200, `# 2; [userId=<u>].role "Viewer"; [userId=<u>].email "u@example.com"`, ""},
	)
	x.run(
		step{"GET", "/api/org/preferences", "", 200, "", ""},
		step{"PUT", "/api/org/preferences", `{"theme":"dark","timezone":"utc","weekStart":"monday"}`, 200, "message string", ""},
		step{"GET", "/api/org/preferences", "", 200, `theme "dark"; timezone "utc"; weekStart "monday"`, ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Home","uid":"home"}}`, 200, "", ""},
		step{"PUT", "/api/org/preferences", `{"homeDashboardUID":"home"}`, 200, "", ""},
		step{"GET", "/api/org/preferences", "", 200, `homeDashboardUID "home"`, ""},
	)
	x.cleared("/api/org/preferences", "theme", "timezone", "weekStart")
	x.run(step{"PUT", "/api/org/preferences", `{}`, 200, "", ""})
	x.cleared("/api/org/preferences", "theme", "timezone", "weekStart", "homeDashboardUID")
}

// cleared fails the test if one of the fields is there and not empty.
func (x *session) cleared(path string, fields ...string) {
	x.t.Helper()
	text := x.do(step{"GET", path, "", 200, "", ""})
	for _, f := range fields {
		if v, ok := at(x.t, text, f); ok && v != "" {
			x.t.Errorf("GET %s: %s is %v, want it empty or left out", x.fill(path), f, v)
		}
	}
}

// TestClientDeletedOrg deletes an org. Everything in it is gone, and a request whose
// header names the org is answered with 404, never with 401.
func TestClientDeletedOrg(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	inside := x.in("<other>")
	inside.run(
		step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "orgId <other>", "sa=id"},
		step{"POST", "/api/teams", `{"name":"crew"}`, 200, "", "team=teamId"},
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"},"folderUid":"f"}`, 200, "", ""},
		step{"POST", "/api/access-control/roles", `{"uid":"r","name":"r","permissions":[]}`, 201, "", ""},
	)
	for _, path := range []string{
		"/api/serviceaccounts/<sa>", "/api/teams/<team>", "/api/folders/f", "/api/dashboards/uid/d", "/api/access-control/roles/r",
		"/api/access-control/folders/f", "/api/access-control/dashboards/d", "/api/access-control/serviceaccounts/<sa>", "/api/teams/<team>/members",
		"/api/teams/<team>/preferences", "/api/access-control/roles/r/assignments",
	} {
		inside.run(step{"GET", path, "", 200, "", ""})
		x.run(step{"GET", path, "", 404, "", ""})
	}
	x.run(
		step{"DELETE", "/api/orgs/<other>", "", 200, "message string", ""},
		step{"GET", "/api/orgs/<other>", "", 404, "", ""},
		step{"DELETE", "/api/orgs/<other>", "", 404, "", ""},
	)
	for _, path := range []string{"/api/folders/f", "/api/dashboards/uid/d", "/api/serviceaccounts/<sa>", "/api/teams/<team>", "/api/access-control/roles/r"} {
		inside.run(step{"GET", path, "", 404, "", ""})
		x.run(step{"GET", path, "", 404, "", ""})
	}
	for _, path := range []string{"/api/folders/f", "/api/dashboards/uid/d"} {
		inside.run(step{"DELETE", path, "", 404, "", ""})
	}
	r := x.s.Do(hallpasstest.Admin, "GET", x.fill("/api/orgs/<other>"), "", x.fill("X-Grafana-Org-Id: <other>"))
	if r.StatusCode != 404 && r.StatusCode != 403 {
		t.Errorf("the deleted org, with its own header: %d %s, want 404 or 403", r.StatusCode, r.Text)
	}
}

func TestClientUsers(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"POST", "/api/admin/users", `{"email":"Ann@Example.com","login":"Ann","name":"Ann A","password":"violet lamps hum at noon"}`, 200, "id number; message string", "ann=id"},
		step{"POST", "/api/admin/users", `{"email":"other@example.com","login":"ANN","password":"violet lamps hum at noon"}`, 412, "", ""},
		step{"POST", "/api/admin/users", `{"email":"ann@example.COM","login":"other","password":"violet lamps hum at noon"}`, 412, "", ""},
		step{"GET", "/api/users/<ann>", "", 200, `id <ann>; email "Ann@Example.com"; login "Ann"; name "Ann A"; isGrafanaAdmin false`, ""},
		step{"GET", "/api/users/lookup?loginOrEmail=ANN", "", 200, `id <ann>; login "Ann"`, ""},
		step{"GET", "/api/users/lookup?loginOrEmail=ann@example.com", "", 200, `id <ann>; email "Ann@Example.com"`, ""},
		step{"GET", "/api/users/lookup?loginOrEmail=nobody", "", 404, "", ""},
		step{"GET", "/api/users?perpage=1000&page=1", "", 200, `# 2; [id=<ann>].login "Ann"; [id=<ann>].email "Ann@Example.com"`, ""},
		step{"GET", "/api/users?perpage=1000&page=2", "", 200, `# 0`, ""},
		step{"GET", "/api/org/users", "", 200, `[userId=<ann>].role "Viewer"`, ""},
		step{"PUT", "/api/users/<ann>", `{"email":"ann2@example.com","login":"ann2","name":"Ann B"}`, 200, "message string", ""},
		step{"GET", "/api/users/<ann>", "", 200, `id <ann>; email "ann2@example.com"; login "ann2"; name "Ann B"`, ""},
		step{"PUT", "/api/admin/users/<ann>/permissions", `{"isGrafanaAdmin":true}`, 200, "message string", ""},
		step{"GET", "/api/users/<ann>", "", 200, `isGrafanaAdmin true`, ""},
		step{"PUT", "/api/admin/users/<ann>/permissions", `{}`, 200, "", ""},
		step{"GET", "/api/users/<ann>", "", 200, `isGrafanaAdmin false`, ""},
		step{"PUT", "/api/admin/users/<ann>/password", `{"password":"another lamp hums at dusk"}`, 200, "message string", ""},
	)
	x.by(hallpasstest.Basic("ann2", "another lamp hums at dusk")).run(step{"GET", "/api/user", "", 200, "id <ann>", ""})
	x.run(
		step{"POST", "/api/teams", `{"name":"crew"}`, 200, "", "team=teamId"},
		step{"POST", "/api/teams/<team>/members", `{"userId":<ann>}`, 200, "message string", ""},
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""},
		step{"POST", "/api/access-control/folders/f/users/<ann>", `{"permission":"Edit"}`, 200, "", ""},
		step{"DELETE", "/api/admin/users/<ann>", "", 200, "message string", ""},
		step{"DELETE", "/api/admin/users/<ann>", "", 404, "", ""},
		step{"GET", "/api/users/<ann>", "", 404, "", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, "[userId=<ann>] absent", ""},
		step{"GET", "/api/access-control/folders/f", "", 200, "[userId=<ann>] absent", ""},
		step{"GET", "/api/org/users", "", 200, "[userId=<ann>] absent", ""},
	)
}

// lax has the password policy of clients that set short passwords.
func lax(c *server.Config) { c.Auth.Basic.PasswordPolicy = false }

// TestClientPasswords sets long passwords with odd characters, and short ones while the
// policy is off.
func TestClientPasswords(t *testing.T) {
	x := newSession(t, lax)
	odd := strings.Repeat("\uFFFD\u0001\u001f\u00e9", 18) // 144 bytes
	for i, password := range []string{odd, odd[:87], "12345", "abc123", "x"} {
		password = strings.ToValidUTF8(password, "\uFFFD")
		quoted, err := json.Marshal(password)
		if err != nil {
			t.Fatal(err)
		}
		login := fmt.Sprintf("user%d", i)
		x.run(step{"POST", "/api/admin/users", fmt.Sprintf(`{"email":"%s@example.com","login":%q,"password":%s}`, login, login, quoted), 200, "id number", ""})
		x.by(hallpasstest.Basic(login, password)).run(step{"GET", "/api/user", "", 200, fmt.Sprintf("login %q", login), ""})
	}
	x.by(hallpasstest.Basic("user0", odd[:len(odd)-1]+"x")).run(step{"GET", "/api/user", "", 401, "", ""})
	x.run(step{"POST", "/api/admin/users", `{"email":"e@example.com","login":"e","password":""}`, 400, "", ""})
}

// TestClientEmails sets e-mail addresses. They may have any form, and a search for one
// does not find another that begins with the same letters.
func TestClientEmails(t *testing.T) {
	x := newSession(t)
	for i, email := range []string{"terraform-test@localhost", "test@example.com~", "test@example.com"} {
		x.run(step{"POST", "/api/admin/users", fmt.Sprintf(`{"email":%q,"login":"l%d","password":"violet lamps hum at noon"}`, email, i), 200, "", fmt.Sprintf("u%d=id", i)})
	}
	x.run(
		step{"GET", "/api/users/lookup?loginOrEmail=test@example.com", "", 200, `id <u2>; email "test@example.com"`, ""},
		step{"GET", "/api/users/lookup?loginOrEmail=test@example.com~", "", 200, `id <u1>; email "test@example.com~"`, ""},
		step{"GET", "/api/users/lookup?loginOrEmail=terraform-test@localhost", "", 200, `id <u0>`, ""},
		step{"GET", "/api/users/lookup?loginOrEmail=test@example", "", 404, "", ""},
		step{"GET", "/api/users/<u1>", "", 200, `email "test@example.com~"`, ""},
	)
}

func TestClientTeams(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(people[0])
	const all = `id <team>; uid string; orgId 1; name "crew"; email "crew@example.com"; memberCount number`
	x.run(
		step{"POST", "/api/teams", `{"name":"crew","email":"crew@example.com"}`, 200, "teamId number; message string", "team=teamId"},
		step{"POST", "/api/teams", `{"name":"crew"}`, 409, "", ""},
		step{"POST", "/api/teams", `{"name":"bare"}`, 200, "", "bare=teamId"},
		step{"GET", "/api/teams/<bare>", "", 200, `id <bare>; uid string; orgId 1; name "bare"; email ""; memberCount number`, ""},
		step{"GET", "/api/teams/<team>", "", 200, all, ""},
		step{"GET", "/api/teams/search?name=crew", "", 200, `totalCount 1; teams.# 1; teams[0].id <team>; teams[0].uid string; teams[0].orgId 1; teams[0].name "crew"; teams[0].email "crew@example.com"; teams[0].memberCount number`, ""},
		step{"GET", "/api/teams/search?query=RE", "", 200, `totalCount 2; teams.# 2`, ""},
		step{"GET", "/api/teams/search?page=1", "", 200, `totalCount 2; teams.# 2`, ""},
		step{"GET", "/api/teams/search?page=2", "", 200, `totalCount 2; teams []`, ""},
		step{"GET", "/api/teams/search?name=cre", "", 200, `totalCount 0; teams []`, ""},
		step{"PUT", "/api/teams/<team>", `{"name":"crew two"}`, 200, "message string", ""},
		step{"GET", "/api/teams/<team>", "", 200, `id <team>; name "crew two"; email ""`, ""},
		step{"POST", "/api/teams/<team>/members", `{"userId":<u>}`, 200, "message string", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, `[userId=<u>].email "u@example.com"; [userId=<u>].labels []; [userId=<u>].permission 0`, ""},
		step{"PUT", "/api/teams/<team>/members/<u>", `{"permission":4}`, 200, "message string", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, `[userId=<u>].permission 4`, ""},
		step{"PUT", "/api/teams/<team>/members/<u>", `{}`, 200, "", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, `[userId=<u>].permission 0; [userId=<u>].labels []`, ""},
		step{"DELETE", "/api/teams/<team>/members/<u>", "", 200, "message string", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, `[userId=<u>] absent`, ""},
	)
	x.cleared("/api/teams/<team>/preferences", "theme", "timezone", "weekStart", "homeDashboardUID")
	x.run(
		step{"PUT", "/api/teams/<team>/preferences", `{"theme":"light","timezone":"browser","weekStart":"sunday"}`, 200, "message string", ""},
		step{"GET", "/api/teams/<team>/preferences", "", 200, `theme "light"; timezone "browser"; weekStart "sunday"`, ""},
		step{"PUT", "/api/teams/<team>/preferences", `{"theme":"dark"}`, 200, "", ""},
		step{"GET", "/api/teams/<team>/preferences", "", 200, `theme "dark"`, ""},
	)
	x.cleared("/api/teams/<team>/preferences", "timezone", "weekStart")
	x.run(step{"PUT", "/api/teams/<team>/preferences", `{}`, 200, "", ""})
	x.cleared("/api/teams/<team>/preferences", "theme", "timezone", "weekStart", "homeDashboardUID")
	x.run(
		step{"GET", "/api/teams/<team>/groups", "", 200, "# 0", ""},
		step{"POST", "/api/teams/<team>/groups", `{"groupId":"cn=ops,ou=groups,dc=example"}`, 200, "message string", ""},
		step{"POST", "/api/teams/<team>/groups", `{"groupId":"other"}`, 200, "", ""},
		step{"GET", "/api/teams/<team>/groups", "", 200, `# 2; [groupId=other].groupId "other"`, ""},
		step{"DELETE", "/api/teams/<team>/groups?groupId=cn%3Dops%2Cou%3Dgroups%2Cdc%3Dexample", "", 200, "message string", ""},
		step{"GET", "/api/teams/<team>/groups", "", 200, `# 1; [0].groupId "other"`, ""},
	)
	for _, path := range []string{"", "/members", "/preferences", "/groups"} {
		x.in("<other>").run(step{"GET", "/api/teams/<team>" + path, "", 404, "", ""})
		x.run(step{"GET", "/api/teams/987654" + path, "", 404, "", ""})
	}
	x.run(
		step{"DELETE", "/api/teams/<team>", "", 200, "message string", ""},
		step{"DELETE", "/api/teams/<team>", "", 404, "", ""},
		step{"GET", "/api/teams/<team>", "", 404, "", ""},
	)
}

func TestClientFolders(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(
		step{"POST", "/api/folders", `{"title":"Top One","uid":"top"}`, 200, `id number; uid "top"; title "Top One"; url "/dashboards/f/top/top-one"`, "created=created"},
		step{"POST", "/api/folders", `{"title":"Top One"}`, 200, `uid string`, "twin=uid"},
		step{"POST", "/api/folders", `{"title":"Below","uid":"below","parentUid":"top"}`, 200, `parentUid "top"`, ""},
		step{"POST", "/api/folders", `{"title":"Below","parentUid":"top"}`, 200, `parentUid "top"`, "twin2=uid"},
		step{"GET", "/api/folders?page=1&limit=1000", "", 200, `# 2; [uid=top].id number; [uid=top].title "Top One"`, ""},
		step{"GET", "/api/folders?page=2&limit=1000", "", 200, `# 0`, ""},
		step{"GET", "/api/folders/top", "", 200, `uid "top"; title "Top One"; url "/dashboards/f/top/top-one"`, ""},
		step{"GET", "/api/folders/below", "", 200, `uid "below"; parentUid "top"; url "/dashboards/f/below/below"`, ""},
		step{"GET", "/api/folders/nosuchfolder", "", 404, "", ""},
	)
	if v, ok := at(t, x.do(step{"GET", "/api/folders/top", "", 200, "", ""}), "parentUid"); ok && v != "" {
		t.Errorf("parentUid at the root is %v, want it empty or left out", v)
	}
	x.s.Clock.Wind(time.Minute)
	x.run(
		step{"PUT", "/api/folders/top", `{"title":"Renamed","overwrite":true}`, 200, `uid "top"; title "Renamed"`, ""},
		step{"GET", "/api/folders/top", "", 200, `title "Renamed"; url "/dashboards/f/top/renamed"; created "<created>"`, ""},
		step{"POST", "/api/folders/below/move", `{"parentUid":"<twin>"}`, 200, `uid "below"; parentUid "<twin>"`, ""},
		step{"GET", "/api/folders/below", "", 200, `parentUid "<twin>"`, ""},
		step{"POST", "/api/folders/below/move", `{}`, 200, `uid "below"`, ""},
	)
	if v, ok := at(t, x.do(step{"GET", "/api/folders/below", "", 200, "", ""}), "parentUid"); ok && v != "" {
		t.Errorf("parentUid after the move to the root is %v", v)
	}
	x.in("<other>").run(
		step{"GET", "/api/folders/top", "", 404, "", ""},
		step{"GET", "/api/folders?page=1&limit=1000", "", 200, "# 0", ""},
		step{"PUT", "/api/folders/top", `{"title":"x","overwrite":true}`, 404, "", ""},
		step{"DELETE", "/api/folders/top?forceDeleteRules=false", "", 404, "", ""},
	)
	x.run(
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"},"folderUid":"<twin2>"}`, 200, "", ""},
		step{"GET", "/api/folders/top/permissions", "", 200, "@ list", ""},
		step{"DELETE", "/api/folders/top?forceDeleteRules=false", "", 200, "message string", ""},
		step{"GET", "/api/folders/top", "", 404, "", ""},
		step{"GET", "/api/folders/<twin2>", "", 404, "", ""},
		step{"GET", "/api/dashboards/uid/d", "", 404, "", ""},
		step{"DELETE", "/api/folders/top?forceDeleteRules=false", "", 404, "", ""},
		step{"GET", "/api/folders/<twin>", "", 200, "", ""},
	)
	viewer := account(t, x.s, "viewer", "Viewer")
	r := x.by(hallpasstest.Bearer(token(t, x.s, viewer, "t"))).in("").send("POST", "/api/folders", `{"title":"No"}`)
	expect(t, "a Viewer makes a folder", r, 403, "Access denied")
}

// TestClientACL reads the legacy permission lists. They have the grants that were made, and
// nothing else.
func TestClientACL(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"}}`, 200, "", ""},
	)
	for _, path := range []string{"/api/folders/f/permissions", "/api/dashboards/uid/d/permissions"} {
		x.run(
			step{"POST", path, `{"items":[{"role":"Editor","permission":1},{"userId":<u>,"permission":4},{"teamId":<team>,"permission":2}]}`, 200, "message string", ""},
			step{"GET", path, "", 200, `# 3; [role=Editor].permissionName "View"; [userId=<u>].permission 4; [userId=<u>].permissionName "Admin"; [teamId=<team>].permissionName "Edit"`, ""},
			step{"POST", path, `{"items":[]}`, 200, "", ""},
			step{"GET", path, "", 200, `# 0`, ""},
		)
	}
	x.run(
		step{"GET", "/api/folders/nosuchfolder/permissions", "", 404, "", ""},
		step{"GET", "/api/dashboards/uid/nosuchdashboard/permissions", "", 404, "", ""},
	)
}

// TestClientDashboards posts dashboards. They come back as they were posted, with a numeric
// id and version.
func TestClientDashboards(t *testing.T) {
	for name, posted := range map[string]string{
		"bare":            `{"title":"Bare"}`,
		"with nulls":      `{"title":"Nulls","id":null,"uid":"","panels":null,"annotations":{"list":[]}}`,
		"numbers":         `{"title":"Numbers","a":1.0,"b":1e3,"c":12345678901234567890,"d":-0.1,"e":0.10}`,
		"texts":           `{"title":"Texts","a":"\u003cb\u003e & \u2028","b":"\u0000","ü":"ü","":""}`,
		"nested":          `{"title":"Nested","panels":[{"id":7,"uid":"x","version":3,"targets":[{"expr":"up{a=\"b\"}"}]}],"tags":["z","a"]}`,
		"version 34":      `{"title":"V","version":34,"uid":"vnum"}`,
		"version text":    `{"title":"V","version":"43","uid":"vtext"}`,
		"of kubernetes":   `{"apiVersion":"dashboard.grafana.app/v1beta1","kind":"Dashboard","metadata":{"name":"k8s"},"spec":{"title":"K","elements":{}}}`,
		"of k8s, with id": `{"kind":"Dashboard","spec":{"id":9,"uid":5,"version":"x","title":"K","tags":[1,"a"],"spec":{},"metadata":{}},"metadata":{"name":"k8s","labels":{}},"apiVersion":"dashboard.grafana.app/v2"}`,
		"almost k8s":      `{"apiVersion":"v1","kind":"Dashboard","spec":{"title":"no"},"title":"Almost"}`,
		"schema and time": `{"title":"S","schemaVersion":39,"time":{"from":"now-6h","to":"now"},"refresh":"","editable":false}`,
	} {
		t.Run(name, func(t *testing.T) {
			x := newSession(t)
			x.run(
				step{"POST", "/api/dashboards/db", `{"dashboard":` + posted + `,"overwrite":true,"UpdatedAt":"0001-01-01T00:00:00.000Z"}`, 200,
					`id number; uid string; url string; status "success"; version 1; title string`, "uid=uid"},
				step{"GET", "/api/dashboards/uid/<uid>", "", 200, `dashboard.id number; dashboard.version 1; meta.folderUid ""; meta.slug string; meta.url string`, "url=meta.url"},
			)
			if !strings.HasPrefix(x.vars["url"], "/d/"+x.vars["uid"]+"/") {
				t.Errorf("meta.url is %s", x.vars["url"])
			}
			x.same("<uid>", posted)
		})
	}
}

// same fails the test unless the dashboard reads as it was posted, apart from id, uid and
// version. A dashboard that was posted in the form of Kubernetes reads as its spec.
func (x *session) same(uid, posted string) {
	x.t.Helper()
	text := x.do(step{"GET", "/api/dashboards/uid/" + uid, "", 200, "dashboard.id number; dashboard.version number; dashboard.uid string", ""})
	read, _ := at(x.t, text, "dashboard")
	got, isObject := read.(map[string]any)
	if !isObject {
		x.t.Fatalf("no dashboard in %s", text)
	}
	want := parse(x.t, x.fill(posted)).(map[string]any)
	if want["apiVersion"] != nil && want["metadata"] != nil {
		want = want["spec"].(map[string]any)
	}
	for _, own := range []string{"id", "uid", "version"} {
		delete(got, own)
		delete(want, own)
	}
	if d := cmp.Diff(want, got); d != "" {
		x.t.Errorf("dashboard %s: posted, read:\n%s", x.fill(uid), d)
	}
}

func TestClientDashboardUpdates(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"No Uid"},"folderUid":"f","message":"first"}`, 200, `id number; version 1; title "No Uid"`, "uid=uid"},
		step{"GET", "/api/dashboards/uid/<uid>", "", 200, `meta.folderUid "f"; meta.slug "no-uid"; meta.url "/d/<uid>/no-uid"`, "id=dashboard.id"},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Renamed","id":<id>},"folderUid":"f","overwrite":true}`, 200, `id <id>; uid "<uid>"; version 2`, ""},
		step{"GET", "/api/dashboards/uid/<uid>", "", 200, `dashboard.title "Renamed"; dashboard.id <id>; dashboard.uid "<uid>"; dashboard.version 2`, ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Stale","id":<id>,"uid":"<uid>","version":1},"folderUid":"f"}`, 412, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"To The Root","id":<id>,"uid":"<uid>"},"overwrite":true}`, 200, "", ""},
		step{"GET", "/api/dashboards/uid/<uid>?apiVersion=v1beta1", "", 200, `dashboard.title "To The Root"; meta.folderUid ""`, ""},
		step{"GET", "/api/dashboards/uid/nosuchdashboard", "", 404, "", ""},
	)
	x.in("<other>").run(
		step{"GET", "/api/dashboards/uid/<uid>", "", 404, "", ""},
		step{"DELETE", "/api/dashboards/uid/<uid>", "", 404, "", ""},
	)
	x.run(
		step{"DELETE", "/api/dashboards/uid/<uid>", "", 200, "message string", ""},
		step{"DELETE", "/api/dashboards/uid/<uid>", "", 404, "", ""},
		step{"GET", "/api/dashboards/uid/<uid>", "", 404, "", ""},
		step{"GET", "/api/access-control/dashboards/<uid>", "", 404, "", ""},
	)
}

// TestClientCreator creates a dashboard and a folder. Their creator gets a grant on them,
// and a repeated grant replaces the one before.
func TestClientCreator(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"GET", "/api/user", "", 200, "", "me=id"},
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"}}`, 200, "", ""},
		step{"GET", "/api/access-control/dashboards/d", "", 200, `[userId=<me>].isManaged true; [userId=<me>].isInherited false; [userId=<me>].permission "Admin"`, ""},
		step{"GET", "/api/dashboards/uid/d/permissions", "", 200, `[userId=<me>].permissionName "Admin"`, ""},
		step{"POST", "/api/access-control/dashboards/d/builtInRoles/Viewer", `{"permission":"Edit"}`, 200, "", ""},
		step{"POST", "/api/access-control/dashboards/d/builtInRoles/Viewer", `{"permission":"Edit"}`, 200, "", ""},
	)
	n := 0
	for _, g := range x.own("/api/access-control/dashboards/d") {
		if g.BuiltInRole == "Viewer" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("Viewer has %d entries after two grants, want 1", n)
	}
	x.setPermissions("/api/access-control/dashboards/d", `"builtInRole":"Viewer" Edit`)
	x.managed("/api/access-control/dashboards/d", "builtInRole=Viewer Edit")
}

// TestClientInheritedPermissions makes a grant on a folder. The things in the folder list it
// as inherited, after their own grants.
func TestClientInheritedPermissions(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""},
		step{"POST", "/api/folders", `{"title":"G","uid":"g","parentUid":"f"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"D","uid":"d"},"folderUid":"f"}`, 200, "", ""},
		step{"POST", "/api/access-control/folders/f/users/<u>", `{"permission":"Admin"}`, 200, "", ""},
	)
	for _, path := range []string{"/api/access-control/folders/g", "/api/access-control/dashboards/d"} {
		x.run(
			step{"GET", path, "", 200, `[userId=<u>].isInherited true; [userId=<u>].permission "Admin"`, ""},
			step{"POST", path + "/users/<u>", `{"permission":"View"}`, 200, "", ""},
			step{"GET", path, "", 200, `[userId=<u>].isInherited false; [userId=<u>].isManaged true; [userId=<u>].permission "View"`, ""},
		)
		x.own(path)
	}
}

func TestClientSearch(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(
		step{"POST", "/api/folders", `{"title":"Folder A","uid":"fa"}`, 200, "", ""},
		step{"POST", "/api/folders", `{"title":"Folder B","uid":"fb","parentUid":"fa"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Zed","uid":"zed","tags":["x","y"]},"folderUid":"fa"}`, 200, "", "zed=id"},
		step{"GET", "/api/search?type=dash-db", "", 200, `# 1; [0].uid "zed"`, ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Abe","uid":"abe","tags":["x"]}}`, 200, "", "abe=id"},
		step{"GET", "/api/search?type=dash-db&sort=alpha-asc&limit=1000&page=1", "", 200, `# 2; [0].uid "abe"; [0].url "/d/abe/abe"; [0].title "Abe"; [1].uid "zed"; [1].folderUid "fa"; [1].folderTitle "Folder A"`, ""},
		step{"GET", "/api/search?type=dash-db&page=2", "", 200, "# 0", ""},
		step{"GET", "/api/search?type=dash-db&limit=1&page=2&sort=alpha-asc", "", 200, `# 1; [0].uid "zed"`, ""},
		step{"GET", "/api/search?type=dash-folder&sort=alpha-asc", "", 200, `# 2; [0].uid "fa"; [0].title "Folder A"; [0].url "/dashboards/f/fa/folder-a"; [1].uid "fb"; [1].folderUid "fa"`, ""},
		step{"GET", "/api/search?tag=x", "", 200, "# 2", ""},
		step{"GET", "/api/search?tag=x&tag=y", "", 200, `# 1; [0].uid "zed"; [0].tags ["x","y"]`, ""},
		step{"GET", "/api/search?folderUIDs=fa", "", 200, `# 2; [uid=fb].type "dash-folder"; [uid=zed].type "dash-db"`, ""},
		step{"GET", "/api/search?folderUIDs=fb", "", 200, "# 0", ""},
		step{"GET", "/api/search?folderUIDs=general&type=dash-db", "", 200, `# 1; [0].uid "abe"`, ""},
		step{"GET", "/api/search?dashboardIds=<abe>", "", 200, `# 1; [0].uid "abe"`, ""},
		step{"GET", "/api/search?query=zE", "", 200, `# 1; [0].uid "zed"`, ""},
		step{"GET", "/api/search?type=dash-folder&query=folder%20b", "", 200, `# 1; [0].uid "fb"`, ""},
		step{"DELETE", "/api/dashboards/uid/abe", "", 200, "", ""},
		step{"GET", "/api/search?type=dash-db", "", 200, `# 1; [0].uid "zed"`, ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"title":"Renamed","uid":"zed"},"folderUid":"fb","overwrite":true}`, 200, "", ""},
		step{"GET", "/api/search?folderUIDs=fb", "", 200, `# 1; [0].title "Renamed"; [0].folderTitle "Folder B"`, ""},
		step{"DELETE", "/api/folders/fa", "", 200, "", ""},
		step{"GET", "/api/search", "", 200, "# 0", ""},
	)
	x.in("<other>").run(step{"GET", "/api/search", "", 200, "# 0", ""})
}

func TestClientRoles(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(people...)
	const permissions = `[{"action":"org.users:add","scope":"users:*","created":"0001-01-01T00:00:00.000Z","updated":"0001-01-01T00:00:00.000Z"}]`
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "", "sa=id"},
		step{"POST", "/api/access-control/roles", `{"uid":"local","name":"local","displayName":"Local","description":"d","group":"g","hidden":true,"permissions":` + permissions + `}`, 201,
			`uid "local"; name "local"; displayName "Local"; description "d"; group "g"; hidden true; global false; version 1`, ""},
		step{"POST", "/api/access-control/roles", `{"name":"unnamed"}`, 201, `uid string; version 1`, "made=uid"},
		step{"GET", "/api/access-control/roles/local", "", 200, `uid "local"; version 1; permissions.# 1; permissions[0].action "org.users:add"; permissions[0].scope "users:*"; hidden true; global false`, ""},
		step{"GET", "/api/access-control/roles?includeHidden=true", "", 200, `[uid=local].name "local"; [uid=basic_viewer].name "basic:viewer"; [uid=<made>].name "unnamed"; [uid=fixed_QFjJAZ88iawMLInYOxPA1DB1w6I].global true`, ""},
		step{"GET", "/api/access-control/roles", "", 200, `[uid=local] absent; [uid=<made>].name "unnamed"`, ""},
		step{"PUT", "/api/access-control/roles/local", `{"name":"local","displayName":"Local 2","permissions":null}`, 200, `version 2`, ""},
		step{"GET", "/api/access-control/roles/local", "", 200, `version 2; displayName "Local 2"; description ""; group ""`, ""},
		step{"GET", "/api/access-control/roles/local/assignments", "", 200, `role_uid "local"; users []; teams []; service_accounts []`, ""},
		step{"PUT", "/api/access-control/roles/local/assignments", `{"users":[<u>],"teams":[<team>],"service_accounts":[<sa>]}`, 200, "", ""},
		step{"GET", "/api/access-control/roles/local/assignments", "", 200, `users [<u>]; teams [<team>]; service_accounts [<sa>]`, ""},
		step{"PUT", "/api/access-control/roles/local/assignments", `{"users":[<u>],"teams":[],"service_accounts":null}`, 200, "", ""},
		step{"GET", "/api/access-control/roles/local/assignments", "", 200, `users [<u>]; teams []; service_accounts []`, ""},
		step{"PUT", "/api/access-control/roles/local/assignments", `{}`, 200, "", ""},
		step{"GET", "/api/access-control/roles/local/assignments", "", 200, `users []; teams []; service_accounts []`, ""},
	)
	if v, ok := at(t, x.do(step{"GET", "/api/access-control/roles/local", "", 200, "", ""}), "permissions"); ok && v != nil && len(v.([]any)) > 0 {
		t.Errorf("permissions: null left %v", v)
	}
	x.in("").run(step{"POST", "/api/access-control/roles", `{"uid":"everywhere","name":"everywhere","global":true,"permissions":` + permissions + `}`, 201, `global true; version 1`, ""})
	x.in("<other>").run(
		step{"GET", "/api/access-control/roles/everywhere", "", 200, `uid "everywhere"; global true; permissions.# 1`, ""},
		step{"GET", "/api/access-control/roles?includeHidden=true", "", 200, `[uid=everywhere].global true; [uid=local] absent`, ""},
		step{"GET", "/api/access-control/roles/local", "", 404, "", ""},
		step{"GET", "/api/access-control/roles/local/assignments", "", 404, "", ""},
		step{"PUT", "/api/access-control/roles/local", `{"name":"x"}`, 404, "", ""},
		step{"DELETE", "/api/access-control/roles/local", "", 404, "", ""},
	)
	x.run(
		step{"DELETE", "/api/access-control/roles/local?global=false", "", 200, "message string", ""},
		step{"DELETE", "/api/access-control/roles/local", "", 404, "", ""},
		step{"GET", "/api/access-control/roles/local", "", 404, "", ""},
		step{"GET", "/api/access-control/roles/nosuchrole", "", 404, "", ""},
	)
	x.in("").run(
		step{"PUT", "/api/access-control/roles/everywhere", `{"name":"everywhere","global":true,"permissions":[]}`, 200, `version 2`, ""},
		step{"DELETE", "/api/access-control/roles/everywhere?global=true", "", 200, "", ""},
	)
	x.in("<other>").run(step{"GET", "/api/access-control/roles/everywhere", "", 404, "", ""})
}

// TestClientOneSequence creates users and accounts. No user has the number of an account.
func TestClientOneSequence(t *testing.T) {
	x := newSession(t)
	seen := make(map[string]string)
	for i := range 4 {
		user, sa := fmt.Sprintf("u%d", i), fmt.Sprintf("sa%d", i)
		x.run(
			step{"POST", "/api/admin/users", fmt.Sprintf(`{"login":%q,"email":"%s@example.com","password":"violet lamps hum at noon"}`, user, user), 200, "", user + "=id"},
			step{"POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":"Viewer"}`, sa), 201, "", sa + "=id"},
		)
		for _, name := range []string{user, sa} {
			if other, taken := seen[x.vars[name]]; taken {
				t.Errorf("%s and %s have the same number, %s", name, other, x.vars[name])
			}
			seen[x.vars[name]] = name
		}
	}
	x.run(step{"POST", "/api/folders", `{"title":"F","uid":"f"}`, 200, "", ""})
	x.setPermissions("/api/access-control/folders/f", `"userId":<u0> View`, `"userId":<sa0> Edit`, `"userId":<u1> Admin`, `"userId":<sa1> View`, `"builtInRole":"Editor" View`)
	x.managed("/api/access-control/folders/f", "userId=<u0> View", "userId=<sa0> Edit", "userId=<u1> Admin", "userId=<sa1> View", "builtInRole=Editor View")
}

// TestClientPagesEnd reads each list as its clients do, page by page until one is empty.
// Everything must come exactly once.
func TestClientPagesEnd(t *testing.T) {
	x := newSession(t)
	for i := range 5 {
		x.run(
			step{"POST", "/api/orgs", fmt.Sprintf(`{"name":"org %d"}`, i), 200, "", ""},
			step{"POST", "/api/teams", fmt.Sprintf(`{"name":"team %d"}`, i), 200, "", ""},
			step{"POST", "/api/folders", fmt.Sprintf(`{"title":"folder %d"}`, i), 200, "", ""},
			step{"POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"sa %d","role":"Viewer"}`, i), 201, "", ""},
			step{"POST", "/api/dashboards/db", fmt.Sprintf(`{"dashboard":{"title":"d %d"}}`, i), 200, "", ""},
		)
		x.s.User(fmt.Sprintf("user%d", i), hallpass.RoleViewer)
	}
	for _, list := range []struct {
		path, field string
		first, want int
	}{
		{"/api/orgs?perpage=2", "", 0, 6},
		{"/api/users?perpage=2", "", 1, 6},
		{"/api/folders?limit=2", "", 1, 5},
		{"/api/search?limit=2&type=dash-db", "", 1, 5},
		{"/api/search?limit=2&type=dash-folder", "", 1, 5},
		{"/api/search?limit=3", "", 1, 10},
		{"/api/teams/search?perpage=2", "teams", 1, 5},
		{"/api/serviceaccounts/search?perpage=2", "serviceAccounts", 1, 5},
	} {
		t.Run(list.path, func(t *testing.T) {
			seen := make(map[string]bool)
			for page := list.first; ; page++ {
				if page > 20 {
					t.Fatal("the pages do not end")
				}
				rows, _ := at(t, x.do(step{"GET", fmt.Sprintf("%s&page=%d", list.path, page), "", 200, "", ""}), list.field)
				if len(rows.([]any)) == 0 {
					break
				}
				for _, r := range rows.([]any) {
					m := r.(map[string]any)
					key := fmt.Sprint(m["type"], m["id"])
					if seen[key] {
						t.Errorf("%s came twice", key)
					}
					seen[key] = true
				}
			}
			if len(seen) != list.want {
				t.Errorf("%d came, want %d: %v", len(seen), list.want, slices.Sorted(maps.Keys(seen)))
			}
		})
	}
}

// TestClientOthers makes the other calls that gdg and grizzly need.
func TestClientOthers(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"GET", "/api/user/orgs", "", 200, `# 1; [0].orgId 1; [0].name "Main Org."; [0].role "Admin"`, ""},
		step{"GET", "/api/user", "", 200, `id number; login "admin"; email "admin@localhost"; isGrafanaAdmin true; orgId 1`, ""},
		step{"GET", "/api/org", "", 200, `id 1; name "Main Org."`, ""},
		step{"GET", "/api/licensing/check", "", 200, "@ bool", ""},
		step{"GET", "/api/dashboards/home", "", 200, "@ object", ""},
		step{"POST", "/api/dashboards/import", `{"dashboard":{"title":"I","uid":"i","panels":[]},"overwrite":true,"folderUid":"","inputs":[]}`, 200, `uid "i"; imported true; dashboardId number`, ""},
		step{"GET", "/api/dashboards/uid/i", "", 200, `dashboard.title "I"`, ""},
		step{"GET", "/api/health", "", 200, `version string; database "ok"`, "version=version"},
	)
	if major, _, _ := strings.Cut(x.vars["version"], "."); major != "13" {
		t.Errorf("the version is %s: clients refuse Kubernetes-shaped dashboards below 13", x.vars["version"])
	}
}
