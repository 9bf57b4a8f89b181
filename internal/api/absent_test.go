package api_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestAbsent reads the lists of things that Hallpass does not have. They are empty for
// callers that may read them, and nobody can write to them.
func TestAbsent(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"sync","role":"Viewer"}`, 201, "", "sa=id"},
		step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"t"}`, 200, "", "key=key"},
	)
	viewer := x.by(hallpasstest.Bearer(x.vars["key"])).in("")
	for _, pattern := range api.AbsentPatterns() {
		_, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{ref}", "My%2FSource", "{folder}", "ops").Replace(path)
		single := strings.Contains(path, "My%2FSource")
		r := x.send("GET", path, "")
		if empty := strings.NewReplacer(`"totalCount":0`, "", `"page":1`, "", "[]", "").Replace(r.Text); single && (r.StatusCode != 404 || !strings.Contains(r.Text, "Data source not found")) ||
			!single && (r.StatusCode != 200 || strings.Contains(empty, "[")) {
			t.Errorf("GET %s: %d %s", path, r.StatusCode, r.Text)
		}
		if path != "/api/org/invites" && path != "/api/user/stars" {
			if by := viewer.send("GET", path, ""); by.StatusCode != r.StatusCode {
				t.Errorf("GET %s by a Viewer's token: %d %s", path, by.StatusCode, by.Text)
			}
		}
		expect(t, "GET "+path+" by nobody", x.s.Do(hallpasstest.Nobody, "GET", path, ""), 401)
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			expect(t, method+" "+path, x.s.Do(hallpasstest.Admin, method, path, `{"name":"a"}`), 404, "Not found")
		}
	}
	none := x.s.User("nora", hallpass.RoleNone)
	expect(t, "data sources without the permission", x.s.Do(none, "GET", "/api/datasources", ""), 403, "datasources:read")
	x.run(
		step{"POST", "/api/access-control/roles", `{"uid":"sources","name":"sources","permissions":[{"action":"datasources:read","scope":"datasources:*"}]}`, 201, "", ""},
		step{"GET", "/api/users/lookup?loginOrEmail=nora", "", 200, "", "nora=id"},
		step{"POST", "/api/access-control/users/<nora>/roles", `{"roleUid":"sources"}`, 200, "", ""},
	)
	expect(t, "data sources with it", x.s.Do(none, "GET", "/api/datasources", ""), 200, "[]")
}

// TestWhoAmI asks with a token for what users ask about themselves. GET /api/user returns
// the account of the token; every other route refuses a token.
func TestWhoAmI(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	for _, in := range []*session{x, x.in("<other>")} {
		for _, role := range []string{"None", "Viewer", "Editor", "Admin"} {
			in.run(
				step{"POST", "/api/serviceaccounts", `{"name":"Who Am I ` + role + `","role":"` + role + `"}`, 201, "", "sa=id"},
				step{"GET", "/api/serviceaccounts/<sa>", "", 200, "", "uid=uid"}, step{"GET", "/api/serviceaccounts/<sa>", "", 200, "", "created=createdAt"},
				step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"` + role + `"}`, 200, "", "key=key"},
			)
			org := x.fill(in.org)
			for _, as := range []hallpasstest.Credential{hallpasstest.Bearer(x.vars["key"]), hallpasstest.Basic("api_key", x.vars["key"])} {
				token := in.by(as).in("")
				token.run(step{"GET", "/api/user", "", 200, `id <sa>; uid "<uid>"; login "sa-` + org + `-who-am-i-` + strings.ToLower(role) + `"; name "Who Am I ` + role + `"; orgId ` + org +
					`; isGrafanaAdmin false; isDisabled false; createdAt "<created>"; avatarUrl string; authLabels []`, ""})
				for _, path := range []string{"/api/user/orgs", "/api/user/teams", "/api/user/preferences", "/api/user/auth-tokens", "/api/user/stars"} {
					token.run(step{"GET", path, "", 403, `message "Endpoint only available for users"`, ""})
				}
				token.run(step{"PUT", "/api/user", `{"login":"x"}`, 403, `message "Endpoint only available for users"`, ""})
			}
			in.run(step{"GET", "/api/serviceaccounts/<uid>", "", 200, "id <sa>", ""})
		}
	}
	x.run(
		step{"PATCH", "/api/serviceaccounts/<sa>", `{"name":"x"}`, 404, "", ""},
		step{"GET", "/api/user", "", 200, `login "admin"; isGrafanaAdmin true`, ""},
	)
}
