package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// A lockedRoute is a route that changes things, called for a thing that a provisioning file
// declares.
type lockedRoute struct {
	body   string
	status int // 409: the file's; another: it changes nothing that the file says
}

// elsewhere is the status of a route that answers 409 for a reason of its own.
const elsewhere = -409

// lockedRoutes has every route that may change a thing of the nouns that files declare, but
// those that take power away: a file does not keep anybody from those.
var lockedRoutes = map[string]lockedRoute{
	"PATCH /api/serviceaccounts/{id}":                               {`{"name":"other"}`, 409},
	"DELETE /api/serviceaccounts/{id}":                              {"", 409},
	"POST /api/serviceaccounts/{id}/tokens":                         {`{"name":"by hand"}`, 200},
	"PATCH /api/serviceaccounts/{id}/tokens/{token}":                {`{"name":"other"}`, 409},
	"POST /api/serviceaccounts/{id}/tokens/{token}/rotate":          {`{}`, 409},
	"POST /api/serviceaccounts/{id}/tokens/{token}/retire":          {`{}`, elsewhere},
	"POST /api/serviceaccounts/{id}/tokens/{token}/rotation/extend": {`{"closesInSeconds":3600}`, 400},
	"POST /api/serviceaccounts/{id}/tokens/{token}/rotation/undo":   {`{}`, elsewhere},
	"PUT /api/teams/{team}":                                         {`{"name":"other"}`, 409},
	"DELETE /api/teams/{team}":                                      {"", 409},
	"POST /api/teams/{team}/groups":                                 {`{"groupId":"cn=all"}`, 409},
	"DELETE /api/teams/{team}/groups":                               {"?groupId=cn%3Dops", 409},
	"DELETE /api/teams/{team}/groups/{group}":                       {"", 409},
	"POST /api/teams/{team}/members":                                {`{"userId":{id}}`, 409},
	"PUT /api/teams/{team}/members":                                 {`{"members":[],"admins":[]}`, 200},
	"PUT /api/teams/{team}/members/{user}":                          {`{"permission":4}`, 409},
	"DELETE /api/teams/{team}/members/{user}":                       {"", 409},
	"PUT /api/teams/{team}/preferences":                             {`{}`, 200},
	"PUT /api/access-control/roles/{role}":                          {`{"name":"other","version":9,"permissions":[]}`, 409},
	"DELETE /api/access-control/roles/{role}":                       {"?force=true", 409},
	"POST /api/access-control/roles/hard-reset":                     {`{"BasicRoles":true}`, 200},
	"POST /api/access-control/builtin-roles":                        {`{"roleUid":"deployer","builtInRole":"Viewer"}`, 200},
	"POST /api/tokens/self/rotate":                                  {`{}`, 403},
	"PUT /api/access-control/roles/{role}/assignments":              {`{"users":[],"teams":[],"service_accounts":[]}`, 409},
	"POST /api/access-control/teams/{team}/roles":                   {`{"roleUid":"deployer"}`, 409},
	"PUT /api/access-control/teams/{team}/roles":                    {`{"roleUids":["deployer"]}`, 409},
	"DELETE /api/access-control/teams/{team}/roles/{role}":          {"", 409},
	"POST /api/access-control/users/{user}/roles":                   {`{"roleUid":"deployer"}`, 409},
	"PUT /api/access-control/users/{user}/roles":                    {`{"roleUids":[]}`, 409},
	"DELETE /api/access-control/users/{user}/roles/{role}":          {"", 409},
	"POST /api/access-control/teams/{ref}":                          {`{"permissions":[{"userId":{id},"permission":"Admin"}]}`, 409},
	"POST /api/access-control/teams/{ref}/users/{to}":               {`{"permission":"Admin"}`, 409},
	"POST /api/access-control/serviceaccounts/{ref}":                {`{"permissions":[]}`, 200},
	"POST /api/access-control/serviceaccounts/{ref}/teams/{to}":     {`{"permission":"Edit"}`, 200},
	"POST /api/access-control/serviceaccounts/{ref}/users/{to}":     {`{"permission":"Edit"}`, 200},
	"PUT /api/guards/{guard}":                                       {`{"version":1,"preset":"loki"}`, 409},
	"DELETE /api/guards/{guard}":                                    {"", 409},
	"POST /api/guards/{guard}/test":                                 {`{"method":"GET","uri":"/"}`, 200},
	"PUT /api/orgs/{org}":                                           {`{"name":"other"}`, 409},
	"DELETE /api/orgs/{org}":                                        {"", 400},
	"PUT /api/orgs/{org}/address":                                   {`{"city":"Bern"}`, 409},
	"PUT /api/org":                                                  {`{"name":"other"}`, 409},
	"PUT /api/org/address":                                          {`{"city":"Bern"}`, 409},
}

// free are routes of these nouns that a file does not lock: what they change no file
// declares, or they take power away.
var free = []string{
	"DELETE /api/serviceaccounts/{id}/tokens", "DELETE /api/serviceaccounts/{id}/tokens/{token}",
	"DELETE /api/access-control/builtin-roles/{builtin}/roles/{role}",
	"POST /api/orgs/{org}/users", "PATCH /api/orgs/{org}/users/{user}", "DELETE /api/orgs/{org}/users/{user}",
}

// TestProvisionedIsLocked sends every changing request for things that a provisioning file
// declares: those that would change what the file says are answered 409 and name the file,
// and each thing is as before. What lists things tells the file.
func TestProvisionedIsLocked(t *testing.T) {
	for _, route := range changingRoutes(t) {
		if _, known := lockedRoutes[route]; !known && !slices.Contains(free, route) {
			t.Errorf("%s is in no table: say whether it changes what files declare", route)
		}
	}
	dir, token := t.TempDir(), secret.NewToken()
	text := fmt.Sprintf(`
[org.main]
name = "Main Org."
[role.deployer]
org = "main"
permissions = ["dashboards:read@folders:*"]
[team.ops]
org = "main"
roles = ["fixed:teams:read"]
groups = ["cn=ops"]
[service_account.ci]
org = "main"
role = "Viewer"
roles = ["deployer"]
teams = ["ops"]
[service_account.ci.token.t]
sha256 = "%x"
[guard.prom]
org = "main"
preset = "prometheus"
`, token.Hash())
	if err := os.WriteFile(filepath.Join(dir, "ci.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := hallpasstest.New(t, func(c *server.Config) { c.Provisioning.Path = dir })
	get := func(path string) string {
		t.Helper()
		res := s.Do(hallpasstest.Admin, "GET", path, "")
		if res.StatusCode != 200 {
			t.Fatalf("GET %s: %d %s", path, res.StatusCode, res.Text)
		}
		return res.Text
	}
	var account struct{ ID int64 }
	var tokens, teams []struct{ ID int64 }
	decode := func(text string, out any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Fatal(err)
		}
	}
	decode(get("/api/serviceaccounts/ci"), &account)
	decode(get(fmt.Sprintf("/api/serviceaccounts/%d/tokens", account.ID)), &tokens)
	var found struct{ Teams []struct{ ID int64 } }
	decode(get("/api/teams/search?name=ops"), &found)
	teams = append(teams, found.Teams...)
	fill := strings.NewReplacer(
		"{id}", fmt.Sprint(account.ID), "{user}", fmt.Sprint(account.ID), "{to}", fmt.Sprint(account.ID), "{token}", fmt.Sprint(tokens[0].ID), "{team}", fmt.Sprint(teams[0].ID),
		"{role}", "deployer", "{guard}", "prom", "{org}", "1", "{group}", "cn%3Dops",
	)
	things := []string{
		"/api/serviceaccounts/{id}", "/api/serviceaccounts/{id}/tokens", "/api/teams/{team}", "/api/teams/{team}/members", "/api/teams/{team}/groups", "/api/access-control/roles/deployer",
		"/api/access-control/teams/{team}/roles", "/api/access-control/users/{id}/roles", "/api/guards/prom", "/api/orgs/1",
	}
	for _, path := range []string{things[0], things[1], things[2], things[5], things[8], things[9]} {
		if body := get(fill.Replace(path)); !strings.Contains(body, `"provisionedBy":"ci.toml"`) && !strings.Contains(body, `"managedBy":"file"`) {
			t.Errorf("GET %s does not tell the file: %s", path, body)
		}
	}
	before := make(map[string]string)
	for _, path := range things {
		before[path] = get(fill.Replace(path))
	}
	for _, route := range slices.Sorted(maps.Keys(lockedRoutes)) {
		want := lockedRoutes[route]
		method, path, _ := strings.Cut(route, " ")
		if strings.HasPrefix(path, "/api/access-control/teams/{ref}") {
			path = strings.Replace(path, "{ref}", "{team}", 1)
		}
		path = fill.Replace(strings.Replace(path, "{ref}", "{id}", 1))
		if strings.Contains(path, "/serviceaccounts/") && strings.Contains(path, "/teams/") {
			path = path[:strings.LastIndex(path, "/")+1] + fmt.Sprint(teams[0].ID)
		}
		body := fill.Replace(want.body)
		if strings.HasPrefix(body, "?") {
			path, body = path+body, ""
		}
		as := hallpasstest.Admin
		if strings.Contains(path, "/self/") {
			as = hallpasstest.Bearer(token.Reveal())
		}
		res := s.Do(as, method, path, body)
		if res.StatusCode != max(want.status, -want.status) {
			t.Errorf("%s: %d %s, want %d", route, res.StatusCode, res.Text, want.status)
		}
		if want.status == 409 && (!strings.Contains(res.Text, `"provisioning.locked"`) || !strings.Contains(res.Text, "ci.toml")) {
			t.Errorf("%s: %s", route, res.Text)
		}
	}
	for _, path := range things {
		if path == things[0] || path == things[1] {
			continue // a token by hand was made
		}
		if now := get(fill.Replace(path)); now != before[path] {
			t.Errorf("GET %s was\n%s\nand is\n%s", path, before[path], now)
		}
	}
	if now := get(fill.Replace(things[1])); !strings.Contains(now, `"name":"ci-t"`) || !strings.Contains(now, `"state":"live"`) {
		t.Errorf("the token: %s", now)
	}
}

// changingRoutes lists the routes of the contract that change a thing of the nouns that
// files declare.
func changingRoutes(t *testing.T) (routes []string) {
	t.Helper()
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	for path, methods := range contract.Paths {
		for _, about := range []string{
			"/api/serviceaccounts/{id}", "/api/teams/{team}", "/api/access-control/roles/{role}", "/api/access-control/teams/{", "/api/access-control/users/{", "/api/access-control/serviceaccounts/{",
			"/api/guards/{guard}", "/api/orgs/{org}", "/api/org/address", "/api/org$", "/api/tokens/self/", "/api/access-control/builtin-roles", "/api/access-control/roles/hard-reset",
		} {
			for method := range methods {
				if strings.HasPrefix(path+"$", about) && slices.Contains([]string{"post", "put", "patch", "delete"}, method) {
					routes = append(routes, strings.ToUpper(method)+" "+path)
				}
			}
		}
	}
	if len(routes) < 30 {
		t.Errorf("only %d routes", len(routes))
	}
	return routes
}
