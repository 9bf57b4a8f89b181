package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

const lokiRules = `[
	{"methods":["GET"],"path":"/ready","public":true},
	{"path":"/status","role":"Viewer"},
	{"methods":["GET","POST"],"path":"/loki/api/v1/{rest...}","action":"loki:read","scope":"loki:tenants:{tenant}","captures":{"tenant":"header:X-Scope-OrgID"},
	 "split":"|","set":{"X-Scope-OrgID":"{tenant}"}}
]`

// newGuard creates the guard "loki".
func newGuard(t *testing.T, s *hallpasstest.Server) wire.Guard {
	t.Helper()
	var g wire.Guard
	into(t, s.Do(hallpasstest.Admin, "POST", "/api/guards", `{"name":"loki","upstream":"http://127.0.0.1:3100","rules":`+lokiRules+`}`), &g)
	return g
}

// TestGuardCalls makes, reads, changes and deletes a guard: what was sent is what comes
// back.
func TestGuardCalls(t *testing.T) {
	s := hallpasstest.New(t)
	admin := hallpasstest.Admin
	made := newGuard(t, s)
	var rules []wire.GuardRule
	if err := json.Unmarshal([]byte(lokiRules), &rules); err != nil {
		t.Fatal(err)
	}
	want := wire.Guard{
		ID: made.ID, OrgID: 1, Name: "loki", Upstream: "http://127.0.0.1:3100", PathAllow: []string{}, Preflight: "refuse", Identity: []string{"headers"}, Timeout: "1m0s", Rules: rules, PresetRules: []wire.GuardRule{},
		ManagedBy: "api", Version: 1, Created: made.Created, Updated: made.Updated,
		Warnings: []wire.GuardWarning{{Rule: 3, Message: "Only Admins hold loki:read: nobody else has a role that gives it"}},
	}
	if d := cmp.Diff(want, made); d != "" || made.ID == 0 || made.Created.IsZero() {
		t.Errorf("the new guard (-want +got):\n%s", d)
	}
	var read wire.Guard
	into(t, s.Do(admin, "GET", "/api/guards/loki", ""), &read)
	if d := cmp.Diff(made, read); d != "" {
		t.Errorf("as it is read (-want +got):\n%s", d)
	}
	changed := s.Do(admin, "PUT", "/api/guards/loki", `{"version":1,"preset":"loki","pathAllow":["%2f"],"preflight":"allow","identity":["headers","jwt"],"timeout":"90s","rules":[{"path":"/{rest...}","public":true}]}`)
	expect(t, "change", changed, 200, `"version":2`, `"preset":"loki"`, `"pathAllow":["%2f"]`, `"preflight":"allow"`, `"identity":["headers","jwt"]`, `"upstream":""`, `"timeout":"1m30s"`,
		`{"rule":1,"message":"Everybody may do everything without a token`)
	var preset wire.Guard
	into(t, s.Do(admin, "GET", "/api/guards/loki", ""), &preset)
	if of, _ := hallpass.GuardPresetByName("loki"); len(preset.Rules) != 1 || len(preset.PresetRules) != len(of.Rules) || preset.PresetRules[0].Path != of.Rules[0].Path || preset.PresetRules[len(of.Rules)-1].Action != "loki:metrics" {
		t.Errorf("the rules of the preset are %+v", preset.PresetRules)
	}
	expect(t, "an old version", s.Do(admin, "PUT", "/api/guards/loki", `{"version":1}`), 412, "guard.version-mismatch")
	expect(t, "no version", s.Do(admin, "PUT", "/api/guards/loki", `{}`), 400, "version is missing")
	expect(t, "another name", s.Do(admin, "PUT", "/api/guards/loki", `{"version":2,"name":"other"}`), 400, "cannot change")
	expect(t, "the name again", s.Do(admin, "POST", "/api/guards", `{"name":"loki"}`), 409)
	expect(t, "list", s.Do(admin, "GET", "/api/guards?query=lok&perpage=1", ""), 200, `"totalCount":1`, `"name":"loki"`, `"perPage":1`)
	for query, says := range map[string]string{
		"page=-1": "page is not between 1 and 2147483647", "page=0": "page is not between", "page=x": "page is not a whole number", "perpage=0": "perpage is not between 1 and 1000", "perpage=1001": "perpage is not between 1 and 1000", "page=1&page=2": "page is there twice",
	} {
		expect(t, query, s.Do(admin, "GET", "/api/guards?"+query, ""), 400, says)
	}
	expect(t, "nothing on the page", s.Do(admin, "GET", "/api/guards?page=9", ""), 200, `"totalCount":1`, `"guards":[]`)
	expect(t, "rules of a preset are no input", s.Do(admin, "PUT", "/api/guards/loki", `{"version":2,"presetRules":[{"path":"/{rest...}","public":true}]}`), 200, `"rules":[]`, `"presetRules":[]`)
	expect(t, "an unknown one", s.Do(admin, "GET", "/api/guards/nosuch", ""), 404)
	expect(t, "delete", s.Do(admin, "DELETE", "/api/guards/loki", ""), 200, "Guard deleted")
	for _, call := range []string{"GET ", "PUT ", "DELETE ", "POST /test", "GET /usage"} {
		method, rest, _ := strings.Cut(call, " ")
		body := map[string]string{"PUT": `{"version":1}`, "POST": `{"method":"GET","uri":"/"}`}[method]
		expect(t, call+" after it", s.Do(admin, method, "/api/guards/loki"+rest, body), 404)
	}
}

// TestGuardInput sends guards that are wrong: each answer says what is.
func TestGuardInput(t *testing.T) {
	s := hallpasstest.New(t)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	rule := func(r string) string { return `"rules":[{"path":"/a","public":true},` + r + `]` }
	for name, tt := range map[string]struct{ guard, says string }{
		"a name":                {`"name":"Loki"`, "small letters"},
		"no name":               {``, "small letters"},
		"a preset":              {`"preset":"prom"`, `There is no preset \"prom\". The presets are`},
		"an upstream":           {`"upstream":"127.0.0.1:9090"`, "such as http://"},
		"a password":            {`"upstream":"http://a:b@127.0.0.1"`, "user name or password"},
		"a preflight":           {`"preflight":"maybe"`, "neither refuse nor allow"},
		"an identity":           {`"identity":["saml"]`, "neither headers nor jwt"},
		"a timeout":             {`"timeout":"long"`, "not a duration like 90s"},
		"a timeout too long":    {`"timeout":"9h"`, "from 1ms to 1h0m0s"},
		"a spelling":            {`"pathAllow":["%5c"]`, "cannot be allowed"},
		"no need":               {rule(`{"path":"/b"}`), "Rule 2: the rule says exactly one of public, role and action"},
		"two needs":             {rule(`{"path":"/b","role":"Viewer","action":"a:b"}`), "Rule 2: the rule says exactly one of"},
		"a role":                {rule(`{"path":"/b","role":"Boss"}`), `Rule 2: \"Boss\" is no basic role`},
		"an action":             {rule(`{"path":"/b","action":"query"}`), `Rule 2: \"query\" is no action`},
		"a capture":             {rule(`{"path":"/b","action":"a:b","scope":"a:b:{c}"}`), "Rule 2: the capture {c} has no source"},
		"a rule that is hidden": {rule(`{"path":"/a","role":"Viewer"}`), "Rule 2 (any /a) can never match: rule 1 (any /a) stands before it"},
		"a method":              {rule(`{"path":"/b","public":true,"methods":["HEAD"]}`), "Rule 2: write GET instead of HEAD"},
		"a pattern":             {rule(`{"path":"/b/../c","public":true}`), "Rule 2: "},
		"a token in a path":     {rule(`{"path":"/` + key + `","public":true}`), "token"},
		"a token in a header":   {rule(`{"path":"/b","public":true,"set":{"X-Key":"` + key + `"}}`), "token"},
		"a token in a capture":  {rule(`{"path":"/{` + key[:37] + `}","public":true}`), "token"},
		"a token in a source":   {rule(`{"path":"/b","public":true,"captures":{"a":"header:` + key + `"}}`), "token"},
		"rules of another type": {`"rules":{}`, "rules"},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{` + tt.guard + `}`
			if !strings.Contains(tt.guard, `"name"`) && name != "no name" {
				body = `{"name":"g",` + tt.guard + `}`
			}
			expect(t, name, s.Do(hallpasstest.Admin, "POST", "/api/guards", body), 400, tt.says)
		})
	}
	expect(t, "none was made", s.Do(hallpasstest.Admin, "GET", "/api/guards", ""), 200, `"totalCount":0`)
}

// TestGuardTest asks a guard about requests, as nobody, with tokens and as accounts: the
// answer says which rule decides, and why.
func TestGuardTest(t *testing.T) {
	s := hallpasstest.New(t)
	admin := hallpasstest.Admin
	newGuard(t, s)
	expect(t, "a role", s.Do(admin, "POST", "/api/access-control/roles", `{"uid":"tenant-a","name":"tenant a","permissions":[{"action":"loki:read","scope":"loki:tenants:a"}]}`), 201)
	path := account(t, s, "reader", "Viewer")
	id := path[strings.LastIndexByte(path, '/')+1:]
	key := token(t, s, path, "t")
	expect(t, "give it", s.Do(admin, "POST", "/api/access-control/users/"+id+"/roles", `{"roleUid":"tenant-a"}`), 200)
	off := account(t, s, "off", "Viewer")
	offKey := token(t, s, off, "off")
	expect(t, "disable", s.Do(admin, "PATCH", off, `{"isDisabled":true}`), 200)
	weak := token(t, s, account(t, s, "weak", "None"), "weak")

	read := &wire.GuardNeed{Action: "loki:read", Scope: "loki:tenants:a"}
	readB := &wire.GuardNeed{Action: "loki:read", Scope: "loki:tenants:b"}
	for _, tt := range []struct {
		name, method, uri, tenant, as string
		want                          wire.GuardTest // without its texts
	}{
		{"allowed", "GET", "/loki/api/v1/query?x=1", "a", `"token":"` + key + `"`,
			wire.GuardTest{Status: 200, Rule: 3, Needs: read, Grants: []string{"tenant a", "basic:admin"}, CanonicalPath: "/loki/api/v1/query", Account: "sa-1-reader"}},
		{"as an account", "HEAD", "/loki/api/v1/%71uery", "a", `"serviceAccount":"reader"`,
			wire.GuardTest{Status: 200, Rule: 3, Needs: read, Grants: []string{"tenant a", "basic:admin"}, CanonicalPath: "/loki/api/v1/query", Account: "sa-1-reader"}},
		{"one of two", "GET", "/loki/api/v1/query", "a|b", `"serviceAccount":"` + id + `"`,
			wire.GuardTest{Status: 403, Reason: "guard.permission", Rule: 3, Needs: readB, AllNeeds: []wire.GuardNeed{*read, *readB}, Grants: []string{"basic:admin"}, CanonicalPath: "/loki/api/v1/query", Account: "sa-1-reader"}},
		{"no header", "GET", "/loki/api/v1/query", "", `"token":"` + key + `"`,
			wire.GuardTest{Status: 403, Reason: "guard.capture", Rule: 3, Needs: &wire.GuardNeed{Action: "loki:read", Scope: "loki:tenants:{tenant}"}, Grants: []string{"basic:admin"}, CanonicalPath: "/loki/api/v1/query", Account: "sa-1-reader"}},
		{"no rule", "GET", "/admin", "", `"token":"` + key + `"`, wire.GuardTest{Status: 403, Reason: "guard.no-rule", CanonicalPath: "/admin", Account: "sa-1-reader"}},
		{"another method", "DELETE", "/ready", "", `"token":"` + key + `"`, wire.GuardTest{Status: 403, Reason: "guard.no-rule", CanonicalPath: "/ready", Account: "sa-1-reader"}},
		{"not canonical", "GET", "/loki/../ready", "", `"token":"` + key + `"`, wire.GuardTest{Status: 403, Reason: "path-not-canonical", Account: "sa-1-reader"}},
		{"public", "GET", "/ready", "", ``, wire.GuardTest{Status: 200, Rule: 1, CanonicalPath: "/ready"}},
		{"nobody", "GET", "/status", "", ``,
			wire.GuardTest{Status: 401, Reason: "auth.unauthorized", Rule: 2, Needs: &wire.GuardNeed{Role: "Viewer"}, Grants: []string{"basic:viewer", "basic:editor", "basic:admin"}, CanonicalPath: "/status"}},
		{"a role too low", "GET", "/status", "", `"token":"` + weak + `"`,
			wire.GuardTest{Status: 403, Reason: "guard.role", Rule: 2, Needs: &wire.GuardNeed{Role: "Viewer"}, Grants: []string{"basic:viewer", "basic:editor", "basic:admin"}, CanonicalPath: "/status", Account: "sa-1-weak"}},
		{"a disabled account's token", "GET", "/status", "", `"token":"` + offKey + `"`,
			wire.GuardTest{Status: 401, Reason: "identity.disabled", Rule: 2, Needs: &wire.GuardNeed{Role: "Viewer"}, Grants: []string{"basic:viewer", "basic:editor", "basic:admin"}, CanonicalPath: "/status"}},
		{"a disabled account", "GET", "/status", "", `"serviceAccount":"off"`,
			wire.GuardTest{Status: 401, Reason: "identity.disabled", Rule: 2, Needs: &wire.GuardNeed{Role: "Viewer"}, Grants: []string{"basic:viewer", "basic:editor", "basic:admin"}, CanonicalPath: "/status", Account: "sa-1-off"}},
		{"an unknown token", "GET", "/ready", "", `"token":"` + secret.NewToken().Reveal() + `"`, wire.GuardTest{Status: 401, Reason: "api-key.invalid", Rule: 1, CanonicalPath: "/ready"}},
		{"another org's token", "GET", "/ready", "", `"token":"` + keyElsewhere(t, s) + `"`, wire.GuardTest{Status: 403, Reason: "guard.other-org", Rule: 1, CanonicalPath: "/ready", Account: "sa-2-there"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"method":%q,"uri":%q`, tt.method, tt.uri)
			if tt.tenant != "" {
				body += `,"headers":{"x-scope-orgid":"` + tt.tenant + `"}`
			}
			if tt.as != "" {
				body += "," + tt.as
			}
			var got wire.GuardTest
			into(t, s.Do(admin, "POST", "/api/guards/loki/test", body+"}"), &got)
			if got.Message == "" || (got.Rule != 0) != (got.Matches != "") {
				t.Errorf("%+v has no words", got)
			}
			got.Message, got.Matches = "", ""
			tt.want.Allowed = tt.want.Status == 200
			if tt.want.Grants == nil {
				tt.want.Grants = []string{}
			}
			if tt.want.AllNeeds == nil {
				tt.want.AllNeeds = []wire.GuardNeed{}
				if tt.want.Needs != nil {
					tt.want.AllNeeds = append(tt.want.AllNeeds, *tt.want.Needs)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("the answer (-want +got):\n%s", d)
			}
		})
	}
	expect(t, "the token was not used", s.Do(admin, "GET", path+"/tokens", ""), 200, `"lastUsedAt":null`)
	expect(t, "nor refused", s.Do(admin, "GET", "/api/audit?action=token.verify", ""), 200, `"entries":[]`)
	expect(t, "nor counted", s.Do(admin, "GET", "/api/guards/loki/usage", ""), 200, `"rules":[]`, `"refusals":[]`)
	if strings.Contains(s.Log(), key) {
		t.Error("the log holds the token")
	}
	for name, body := range map[string]string{
		"no method": `{"uri":"/"}`, "no uri": `{"method":"GET"}`, "both": `{"method":"GET","uri":"/","token":"x","serviceAccount":"reader"}`,
	} {
		expect(t, name, s.Do(admin, "POST", "/api/guards/loki/test", body), 400)
	}
	expect(t, "an unknown account", s.Do(admin, "POST", "/api/guards/loki/test", `{"method":"GET","uri":"/","serviceAccount":"nosuch"}`), 404)
}

// keyElsewhere makes an org with an account, and returns a token of it.
func keyElsewhere(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	org := fmt.Sprint("X-Grafana-Org-Id: ", otherOrg(t, s))
	there := made(t, s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"there","role":"Admin"}`, org))
	return made(t, s.Do(hallpasstest.Admin, "POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", there.ID), `{"name":"t"}`, org)).Key
}

// TestGuardPower has accounts with one permission each call everything: each may do what
// the permission says, on the guard that it names.
func TestGuardPower(t *testing.T) {
	s := hallpasstest.New(t)
	newGuard(t, s)
	expect(t, "another guard", s.Do(hallpasstest.Admin, "POST", "/api/guards", `{"name":"prom","preset":"prometheus"}`), 201)
	ask := `{"method":"GET","uri":"/ready"}`
	calls := []struct{ name, method, path, body, needs string }{
		{"list", "GET", "/api/guards", "", "guards:read"}, {"read", "GET", "/api/guards/loki", "", "guards:read"}, {"usage", "GET", "/api/guards/loki/usage", "", "guards:read"},
		{"test", "POST", "/api/guards/loki/test", ask, "guards:test"}, {"change", "PUT", "/api/guards/loki", `{"version":99}`, "guards:write"},
		{"delete", "DELETE", "/api/guards/loki", "", "guards:delete"},
	}
	for _, action := range []string{"guards:read", "guards:test", "guards:write", "guards:delete"} {
		as := holder(t, s, strings.TrimPrefix(action, "guards:"), action, "guards:uid:loki")
		for _, c := range calls {
			for _, guard := range []string{"loki", "prom"} {
				r := s.Do(as, c.method, strings.Replace(c.path, "loki", guard, 1), c.body)
				may := c.needs == action && (guard == "loki" || c.name == "list")
				if may == (r.StatusCode == 403) || !may && !strings.Contains(r.Text, c.needs) {
					t.Errorf("%s on %s with %s: %d %s", c.name, guard, action, r.StatusCode, r.Text)
				}
				if c.name == "list" && may && (strings.Contains(r.Text, `"prom"`) || !strings.Contains(r.Text, `"loki"`)) {
					t.Errorf("the list shows what the caller may not read: %s", r.Text)
				}
			}
		}
		expect(t, "to ask about an account", s.Do(as, "POST", "/api/guards/loki/test", `{"method":"GET","uri":"/ready","serviceAccount":"h-read"}`), 403,
			map[bool]string{true: "users.permissions:read", false: "guards:test"}[action == "guards:test"])
	}
}

// holder makes an account that holds the action on the scope and nothing else.
func holder(t *testing.T, s *hallpasstest.Server, name, action, scope string) hallpasstest.Credential {
	t.Helper()
	path := account(t, s, "h-"+name, "None")
	key := token(t, s, path, name)
	expect(t, "role", s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", fmt.Sprintf(`{"uid":"r-%s","name":"r %s","permissions":[{"action":%q,"scope":%q}]}`, name, name, action, scope)), 201)
	expect(t, "assign", s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/"+path[strings.LastIndexByte(path, '/')+1:]+"/roles", `{"roleUid":"r-`+name+`"}`), 200)
	return hallpasstest.Bearer(key)
}

// TestGuardOfTheFile reads a guard of the configuration file, which cannot be changed
// here.
func TestGuardOfTheFile(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) {
		c.ConfigFile, c.Guards = "/etc/hallpass.toml", []hallpass.Guard{{Name: "prom", Org: hallpass.FirstOrg, Preset: "prometheus"}}
	})
	expect(t, "read", s.Do(hallpasstest.Admin, "GET", "/api/guards/prom", ""), 200, `"managedBy":"config"`, `"source":"/etc/hallpass.toml"`)
	expect(t, "test", s.Do(hallpasstest.Admin, "POST", "/api/guards/prom/test", `{"method":"GET","uri":"/-/ready"}`), 200, `"allowed":true`)
	expect(t, "change", s.Do(hallpasstest.Admin, "PUT", "/api/guards/prom", `{"version":1}`), 409, "guard.managed", "/etc/hallpass.toml")
	expect(t, "delete", s.Do(hallpasstest.Admin, "DELETE", "/api/guards/prom", ""), 409, "guard.managed")
	expect(t, "still there", s.Do(hallpasstest.Admin, "GET", "/api/guards/prom", ""), 200, `"version":1`)
}

// TestGuardUsage sends requests through a door of the guard: they are counted, and the
// refused one is shown with its reason.
func TestGuardUsage(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
	newGuard(t, s)
	as := hallpasstest.Bearer(token(t, s, account(t, s, "ci", "Viewer"), "t"))
	for path, status := range map[string]int{"/status": 200, "/admin/x?key=secret": 403} {
		expect(t, path, s.Do(as, "GET", "/guard/nginx/loki", "", "X-Original-Method: GET", "X-Original-Uri: "+path), status)
	}
	var usage wire.GuardUsage
	hallpasstest.Eventually(t, "the decisions are counted", func() bool {
		into(t, s.Do(hallpasstest.Admin, "GET", "/api/guards/loki/usage", ""), &usage)
		return len(usage.Rules) == 2
	})
	day := s.Clock.Now().UTC().Format("2006-01-02")
	if d := cmp.Diff([]wire.GuardDay{{Day: day, Allowed: 1, Refused: 1}}, usage.Days); d != "" {
		t.Errorf("the days (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]wire.GuardCount{{Rule: 0, Outcome: "guard.no-rule", Count: 1}, {Rule: 2, Outcome: "allowed", Count: 1}}, usage.Rules); d != "" {
		t.Errorf("the rules (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]wire.GuardToken{{TokenID: 1, Outcome: "allowed", Count: 1}, {TokenID: 1, Outcome: "guard.no-rule", Count: 1}}, usage.Tokens); d != "" {
		t.Errorf("the tokens (-want +got):\n%s", d)
	}
	if len(usage.Refusals) != 1 || usage.Refusals[0].Reason != "guard.no-rule" || usage.Refusals[0].Path != "/admin/x" || usage.Refusals[0].Account != "sa-1-ci" || usage.Refusals[0].Status != 403 {
		t.Errorf("the refusals are %+v", usage.Refusals)
	}
	for _, days := range []string{"0", "91", "-1", "x"} {
		expect(t, "days "+days, s.Do(hallpasstest.Admin, "GET", "/api/guards/loki/usage?days="+days, ""), 400, "days")
	}
}
