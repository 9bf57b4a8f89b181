package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestRoutes calls every route as every kind of caller, on a thing of org 1 that exists, and
// compares the statuses with a golden file that was reviewed (SEC-10).
func TestRoutes(t *testing.T) {
	s := hallpasstest.New(t)
	outsider := s.UserIn("outsider", hallpass.RoleAdmin, otherOrg(t, s))
	holdGolden(t, "routes.golden", "the table of routes and callers", routesTable(t, s, []namedCaller{
		{"nobody", hallpasstest.Nobody},
		{"none", tokenOf(t, s, "None")}, {"viewer", tokenOf(t, s, "Viewer")}, {"editor", tokenOf(t, s, "Editor")}, {"admin", tokenOf(t, s, "Admin")},
		{"disabled", disabledToken(t, s)}, {"other-org", otherOrgToken(t, s)},
		{"u-viewer", s.User("vera", hallpass.RoleViewer)}, {"u-editor", s.User("ed", hallpass.RoleEditor)}, {"u-admin", s.User("ada", hallpass.RoleAdmin)},
		{"u-other-org", outsider}, {"server-admin", hallpasstest.Admin},
	}))
}

// A namedCaller is a caller with a name in a golden file.
type namedCaller struct {
	name string
	as   hallpasstest.Credential
}

// routesTable calls every route as each of the callers, on a thing of org 1 that exists, and
// returns the statuses.
func routesTable(t *testing.T, s *hallpasstest.Server, callers []namedCaller) string {
	t.Helper()
	made := 0
	fresh := func(route string) targets {
		made++
		return newTargets(t, s, made, route)
	}
	shared := fresh("")
	var b strings.Builder
	for _, pattern := range api.Patterns() {
		method, route, ok := strings.Cut(pattern, " ")
		if !ok {
			method, route = "GET", pattern
		}
		things := shared
		if method != "GET" && strings.Contains(route, "{") {
			things = fresh(route)
		}
		fmt.Fprintf(&b, "%s\n   ", pattern)
		for _, c := range callers {
			body := ""
			if method == "POST" || method == "PUT" || method == "PATCH" {
				body = `{"unknown":1}` // the rule applies before the body is read
			}
			var headers []string
			if strings.HasPrefix(c.name, "u-other") {
				headers = []string{"X-Grafana-Org-Id: 1"}
			}
			path := things.fill(route)
			if strings.HasSuffix(path, "/events") {
				path = strings.Replace(path, "/"+things.token+"/", "/999999/", 1) // the stream of a token that exists would not end
			}
			status := s.Do(c.as, method, path, body, headers...).StatusCode
			fmt.Fprintf(&b, " %s=%d", c.name, status)
			if method == "DELETE" && status < 300 {
				things = fresh(route)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// holdGolden compares what was found with the golden file of that name. With -update it
// writes the file.
func holdGolden(t *testing.T, file, what, got string) {
	t.Helper()
	golden := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, string(want)); d != "" {
		t.Errorf("%s is another (got, want; -update writes it):\n%s", what, d)
	}
}

// targets has one of everything that a path can name.
type targets struct {
	account, token, user, team, role, folder, dashboard, org, folderID, dashboardID, guard, channel, message string
}

// newTargets creates one of everything that the route names, in org 1, with unique names;
// for an empty route, one of every kind.
func newTargets(t *testing.T, s *hallpasstest.Server, n int, route string) targets {
	t.Helper()
	name := "target-" + strconv.Itoa(n)
	out := targets{role: "role-" + name, folder: "folder-" + name, dashboard: "dashboard-" + name, guard: "guard-" + name}
	names := func(parts ...string) bool {
		for _, p := range parts {
			if !strings.Contains(route, p) && route != "" {
				return false
			}
		}
		return true
	}
	post := func(path, body string) hallpasstest.Response {
		t.Helper()
		r := s.Do(hallpasstest.Admin, "POST", path, body)
		if r.StatusCode >= 300 {
			t.Fatalf("POST %s: %d %s", path, r.StatusCode, r.Text)
		}
		return r
	}
	if names("serviceaccounts") || names("{subject}") {
		path := account(t, s, name, "Viewer")
		out.account = path[strings.LastIndexByte(path, '/')+1:]
		token(t, s, path, name)
		var list []struct{ ID int64 }
		into(t, s.Do(hallpasstest.Admin, "GET", path+"/tokens", ""), &list)
		out.token = strconv.FormatInt(list[0].ID, 10)
	}
	if names("{user}") || names("{to}") {
		s.UserIn(name, hallpass.RoleViewer, hallpass.FirstOrg)
		var user struct{ ID int64 }
		into(t, s.Do(hallpasstest.Admin, "GET", "/api/users/lookup?loginOrEmail="+name, ""), &user)
		out.user = strconv.FormatInt(user.ID, 10)
	}
	if names("teams") {
		var team struct{ TeamID int64 }
		into(t, post("/api/teams", `{"name":"`+name+`"}`), &team)
		out.team = strconv.FormatInt(team.TeamID, 10)
	}
	if names("{org}") {
		var org struct{ OrgID int64 }
		into(t, post("/api/orgs", `{"name":"`+name+`"}`), &org)
		out.org = strconv.FormatInt(org.OrgID, 10)
	}
	if names("{role}") && (route == "" || !names("{builtin}")) {
		post("/api/access-control/roles", `{"uid":"`+out.role+`","name":"`+name+`","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	}
	if names("folders") {
		var folder struct{ ID int64 }
		into(t, post("/api/folders", `{"uid":"`+out.folder+`","title":"`+name+`"}`), &folder)
		out.folderID = strconv.FormatInt(folder.ID, 10)
	}
	if names("dashboards") {
		var dashboard struct{ ID int64 }
		into(t, post("/api/dashboards/db", `{"dashboard":{"uid":"`+out.dashboard+`","title":"`+name+`"}}`), &dashboard)
		out.dashboardID = strconv.FormatInt(dashboard.ID, 10)
	}
	if names("{guard}") {
		post("/api/guards", `{"name":"`+out.guard+`","preset":"prometheus"}`)
	}
	if names("{channel}") {
		var channel struct{ ID int64 }
		into(t, post("/api/org/notifications", `{"name":"`+name+`","type":"slack","url":"https://chat.invalid/x","disabled":true}`), &channel)
		out.channel, out.message = strconv.FormatInt(channel.ID, 10), "999999"
	}
	if names("{group}") {
		post("/api/teams/"+out.team+"/groups", `{"groupId":"g"}`)
	}
	if names("{team}", "{user}") {
		post("/api/teams/"+out.team+"/members", `{"userId":`+out.user+`}`)
	}
	if names("{org}", "{user}") {
		post("/api/orgs/"+out.org+"/users", `{"loginOrEmail":"`+name+`","role":"Viewer"}`)
	}
	if names("{builtin}") {
		post("/api/access-control/builtin-roles", `{"roleUid":"fixed_Z8pB0GQlrqRt8IZBCJQxPWvJPgQ","builtinRole":"Admin"}`)
	}
	if names("{user}", "{role}") {
		post("/api/access-control/users/"+out.user+"/roles", `{"roleUid":"`+out.role+`"}`)
	}
	if names("{team}", "{role}") {
		post("/api/access-control/teams/"+out.team+"/roles", `{"roleUid":"`+out.role+`"}`)
	}
	return out
}

// fill puts the targets into a route's path.
func (x targets) fill(route string) string {
	ref := x.account
	for prefix, name := range map[string]string{
		"/api/access-control/teams/": x.team, "/api/access-control/folders/": x.folder, "/api/access-control/dashboards/": x.dashboard,
		"/api/folders/": x.folder, "/api/dashboards/": x.dashboard,
	} {
		if strings.HasPrefix(route, prefix) {
			ref = name
		}
	}
	to := x.user
	switch {
	case strings.Contains(route, "/teams/{to}"):
		to = x.team
	case strings.Contains(route, "/builtInRoles/"):
		to = "Viewer"
	}
	number := x.folderID
	if strings.Contains(route, "dashboards") {
		number = x.dashboardID
	}
	role := x.role
	if strings.Contains(route, "{builtin}") {
		role = "fixed_Z8pB0GQlrqRt8IZBCJQxPWvJPgQ"
	}
	return strings.NewReplacer(
		"{id}", x.account, "{token}", x.token, "{rest...}", "1", "{user}", x.user, "{team}", x.team, "{role}", role, "{folder}", x.folder,
		"{dashboard}", x.dashboard, "{org}", x.org, "{target}", "1", "{name}", "Main%20Org.", "{ref}", ref, "{to}", to, "{builtin}", "Admin",
		"{section}", "idle", "{subject}", "token:"+x.token, "{number}", number, "{version}", "1", "{group}", "g", "{guard}", x.guard, "{channel}", x.channel, "{message}", x.message,
	).Replace(route)
}

// into reads the JSON of a successful answer.
func into(t *testing.T, r hallpasstest.Response, v any) {
	t.Helper()
	if r.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.Text)
	}
	if err := json.Unmarshal([]byte(r.Text), v); err != nil {
		t.Fatalf("%s: %v", r.Text, err)
	}
}

// otherOrg creates a second org.
func otherOrg(t *testing.T, s *hallpasstest.Server) hallpass.OrgID {
	t.Helper()
	var org struct{ OrgID hallpass.OrgID }
	into(t, s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Elsewhere"}`), &org)
	return org.OrgID
}
