package hallpass_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// aToken has the form of a token.
const aToken = "glsa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_00000000"

// TestJudge asks a guard for callers with some permissions. No refusal tells a token.
func TestJudge(t *testing.T) {
	g := hallpass.Guard{Org: 1, Name: "logs", AllowPreflight: true, Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/ready", Need: public},
		{Methods: []string{"GET"}, Path: "/config", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleEditor}},
		{Path: "/tenants/{tenant}/{rest...}", Need: needs("loki:read", "loki:tenants:{tenant}")},
		{Methods: []string{"POST"}, Path: "/push", Need: needs("loki:write", "loki:tenants:{tenant}"), Captures: map[string]string{"tenant": "header:x-scope-orgid"}},
		{Path: "/query", Need: needs("loki:read", "loki:tenants:{tenant}"), Captures: map[string]string{"tenant": "header:X-Scope-OrgID"}, Split: "|"},
		{Path: "/tail", Need: needs("loki:read", "")},
	}}
	s, err := hallpass.NewRuleset(g)
	if err != nil {
		t.Fatal(err)
	}
	holder := func(org hallpass.OrgID, role hallpass.Role, permissions ...hallpass.Permission) hallpass.Caller {
		return hallpass.Caller{Org: org, Role: role, Permissions: hallpass.NewPermissions(permissions...)}
	}
	read := func(scopes ...hallpass.Scope) (all []hallpass.Permission) {
		for _, scope := range scopes {
			all = append(all, hallpass.Permission{Action: "loki:read", Scope: scope})
		}
		return all
	}
	nobody, a := holder(1, hallpass.RoleNone), holder(1, hallpass.RoleNone, read("loki:tenants:a")...)
	tenant := func(values ...string) http.Header { return http.Header{"X-Scope-Orgid": values} }
	for _, tt := range []struct {
		caller         hallpass.Caller
		method, target string
		header         http.Header
		rule           int
		reason, needs  string // "": it passes
	}{
		{nobody, "GET", "/ready", nil, 1, "", ""},
		{nobody, "HEAD", "/ready?x", nil, 1, "", ""},
		{nobody, "POST", "/ready", nil, 0, "guard.no-rule", ""},
		{nobody, "GET", "/else", nil, 0, "guard.no-rule", ""},
		{nobody, "GET", "/a//b", nil, 0, "path-not-canonical", ""},
		{nobody, "", "/ready", nil, 0, "original-request-unknown", ""},
		{nobody, "GET", "", nil, 0, "original-request-unknown", ""},
		{holder(2, hallpass.RoleAdmin), "GET", "/ready", nil, 1, "guard.other-org", ""},
		{nobody, "GET", "/config", nil, 2, "guard.role", ""},
		{holder(1, hallpass.RoleViewer), "GET", "/config", nil, 2, "guard.role", ""},
		{holder(1, hallpass.RoleEditor), "GET", "/config", nil, 2, "", ""},
		{holder(1, hallpass.RoleAdmin), "GET", "/config", nil, 2, "", ""},
		{a, "GET", "/tenants/a/x/y", nil, 3, "", ""},
		{a, "DELETE", "/tenants/a/", nil, 3, "", ""},
		{a, "GET", "/tenants/b/x", nil, 3, "guard.permission", "loki:read on loki:tenants:b"},
		{a, "GET", "/tenants/A/x", nil, 3, "guard.permission", "loki:read on loki:tenants:A"},
		{a, "GET", "/tenants/%61/x", nil, 3, "", ""},
		{a, "GET", "/tenants/*/x", nil, 3, "guard.capture", ""},
		{a, "GET", "/tenants/a:b/x", nil, 3, "guard.capture", ""},
		{a, "GET", "/tenants/a,b/x", nil, 3, "guard.capture", ""},
		{a, "GET", "/tenants/a%7Cb/x", nil, 3, "guard.capture", ""},
		{a, "GET", "/tenants/" + strings.Repeat("a", 201) + "/x", nil, 3, "guard.capture", ""},
		{a, "GET", "/tenants/" + aToken + "/x", nil, 3, "guard.capture", ""},
		{a, "POST", "/push", tenant("Bearer " + aToken), 4, "guard.capture", ""},
		{a, "POST", "/push", tenant("a"), 4, "guard.permission", "loki:write on loki:tenants:a"},
		{a, "POST", "/push", tenant("a|b"), 4, "guard.capture", ""},
		{a, "GET", "/query", tenant("a"), 5, "", ""},
		{a, "GET", "/query", nil, 5, "guard.capture", ""},
		{a, "GET", "/query", tenant(""), 5, "guard.capture", ""},
		{a, "GET", "/query", tenant("a", "a"), 5, "guard.capture", ""},
		{a, "GET", "/query", tenant("a|"), 5, "guard.capture", ""},
		{a, "GET", "/query", tenant("|a"), 5, "guard.capture", ""},
		{a, "GET", "/query", tenant("a|*"), 5, "guard.capture", ""},
		{a, "GET", "/query", tenant("a\t"), 5, "guard.capture", ""},
		{a, "GET", "/query", tenant("a|b"), 5, "guard.permission", "loki:read on loki:tenants:b"},
		{a, "GET", "/query", tenant("b|a"), 5, "guard.permission", "loki:read on loki:tenants:b"},
		{holder(1, hallpass.RoleNone, read("loki:tenants:a", "loki:tenants:b")...), "GET", "/query", tenant("a|b"), 5, "", ""},
		{holder(1, hallpass.RoleNone, read("loki:tenants:*")...), "GET", "/query", tenant("a|b|c"), 5, "", ""},
		{holder(1, hallpass.RoleNone, read("")...), "GET", "/query", tenant("a"), 5, "guard.permission", "loki:read on loki:tenants:a"},
		{a, "GET", "/tail", nil, 6, "", ""},
		{nobody, "GET", "/tail", nil, 6, "guard.permission", "loki:read"},
		{nobody, "OPTIONS", "/tail", http.Header{"Origin": {"https://a"}, "Access-Control-Request-Method": {"GET"}}, 0, "", ""},
		{nobody, "OPTIONS", "/tail", http.Header{"Origin": {"https://a"}}, 6, "guard.permission", "loki:read"},
		{nobody, "GET", "/tail", http.Header{"Origin": {"https://a"}, "Access-Control-Request-Method": {"GET"}}, 6, "guard.permission", "loki:read"},
		{nobody, "OPTIONS", "/a/../b", http.Header{"Origin": {"https://a"}, "Access-Control-Request-Method": {"GET"}}, 0, "path-not-canonical", ""},
	} {
		j := s.Judge(hallpass.GuardRequest{Method: tt.method, Target: tt.target, Header: tt.header})
		rule, reason, message := 0, "", ""
		if j.Rule != nil {
			rule = j.Rule.Number
		}
		if err := s.Permit(&j, tt.caller); err != nil {
			reason, message = err.ID, err.Message
			if err.Kind != hallpass.Denied {
				t.Errorf("%s %s: %v", tt.method, tt.target, err.Kind)
			}
		}
		if strings.Contains(message, aToken) {
			t.Errorf("%s %s: the refusal tells a token: %q", tt.method, tt.target, message)
		}
		if rule != tt.rule || reason != tt.reason || !strings.Contains(message, tt.needs) {
			t.Errorf("%s %s %v: rule %d, %q, %q; want rule %d, %q, %q", tt.method, tt.target, tt.header, rule, reason, message, tt.rule, tt.reason, tt.needs)
		}
		if reason == "guard.permission" && !strings.Contains(message, "logs") {
			t.Errorf("%q does not name the guard", message)
		}
	}
}

// TestSetHeaders gives the API headers from captures and from the caller.
func TestSetHeaders(t *testing.T) {
	s := ruleset(t, hallpass.GuardRule{Path: "/t/{tenant}/{rest...}", Need: public, Set: map[string]string{
		"x-scope-orgid": "{tenant}", "X-Who": "{caller.account}@{caller.org_id}", "X-Fixed": "yes, sir", "X-Both": "{tenant}/{rest}",
	}})
	j := s.Judge(hallpass.GuardRequest{Method: "GET", Target: "/t/a/b/c"})
	if j.Err != nil || !j.Rule.Sets() {
		t.Fatal(j.Err)
	}
	got := map[string]string{}
	j.Rule.Headers(&j.Captured, func(field string) string { return "<" + field + ">" }, func(name, value string) { got[name] = value })
	want := map[string]string{"X-Scope-Orgid": "a", "X-Who": "<caller.account>@<caller.org_id>", "X-Fixed": "yes, sir", "X-Both": "a/b/c"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestGuardValidate(t *testing.T) {
	rule := func(change func(r *hallpass.GuardRule)) hallpass.Guard {
		r := hallpass.GuardRule{Path: "/a/{x}", Need: needs("a:b", "")}
		change(&r)
		return hallpass.Guard{Name: "g", Rules: []hallpass.GuardRule{r}}
	}
	for name, tt := range map[string]struct {
		guard hallpass.Guard
		field string // "": it is valid
	}{
		"all":                 {hallpass.Guard{Name: "a-1", Upstream: "https://[::1]:9090/base", Preset: "loki", PathAllow: []string{"%2f", ";"}}, ""},
		"no name":             {hallpass.Guard{}, "name"},
		"capitals":            {hallpass.Guard{Name: "Prom"}, "name"},
		"a dash first":        {hallpass.Guard{Name: "-a"}, "name"},
		"long":                {hallpass.Guard{Name: strings.Repeat("a", 41)}, "name"},
		"a slash":             {hallpass.Guard{Name: "a/b"}, "name"},
		"no scheme":           {hallpass.Guard{Name: "g", Upstream: "127.0.0.1:9090"}, "upstream"},
		"a file":              {hallpass.Guard{Name: "g", Upstream: "file:///etc/passwd"}, "upstream"},
		"no host":             {hallpass.Guard{Name: "g", Upstream: "http://:9090"}, "upstream"},
		"a password":          {hallpass.Guard{Name: "g", Upstream: "http://a:b@c"}, "upstream"},
		"a query":             {hallpass.Guard{Name: "g", Upstream: "http://c/?x"}, "upstream"},
		"the port 0":          {hallpass.Guard{Name: "g", Upstream: "http://c:0/x"}, "upstream"},
		"a high port":         {hallpass.Guard{Name: "g", Upstream: "http://c:65536"}, "upstream"},
		"the last port":       {hallpass.Guard{Name: "g", Upstream: "http://c:65535", Listen: "127.0.0.1:65535"}, ""},
		"any port":            {hallpass.Guard{Name: "g", Upstream: "http://c", Listen: "127.0.0.1:0"}, ""},
		"listens too high":    {hallpass.Guard{Name: "g", Upstream: "http://c", Listen: "127.0.0.1:65536"}, "listen"},
		"listens nowhere":     {hallpass.Guard{Name: "g", Upstream: "http://c", Listen: "127.0.0.1:"}, "listen"},
		"listens by name":     {hallpass.Guard{Name: "g", Upstream: "http://c", Listen: "127.0.0.1:http"}, "listen"},
		"a preset":            {hallpass.Guard{Name: "g", Preset: "graphite"}, "preset"},
		"a spelling":          {hallpass.Guard{Name: "g", PathAllow: []string{"%2e"}}, "pathAllow"},
		"no need":             {rule(func(r *hallpass.GuardRule) { r.Need = hallpass.Need{} }), "rules[0].action"},
		"no action":           {rule(func(r *hallpass.GuardRule) { r.Need.Action = "query" }), "rules[0].action"},
		"every action":        {rule(func(r *hallpass.GuardRule) { r.Need.Action = "*" }), "rules[0].action"},
		"a scope of a role":   {rule(func(r *hallpass.GuardRule) { r.Need.Kind = hallpass.NeedRole; r.Need.Scope = "a:b" }), "rules[0].scope"},
		"a wide scope":        {rule(func(r *hallpass.GuardRule) { r.Need.Scope = "a:*" }), "rules[0].scope"},
		"a scope, no parts":   {rule(func(r *hallpass.GuardRule) { r.Need.Scope = "a" }), "rules[0].scope"},
		"an unknown capture":  {rule(func(r *hallpass.GuardRule) { r.Need.Scope = "a:{y}" }), "rules[0].scope"},
		"an open capture":     {rule(func(r *hallpass.GuardRule) { r.Need.Scope = "a:{x" }), "rules[0].scope"},
		"the caller in scope": {rule(func(r *hallpass.GuardRule) { r.Need.Scope = "a:{caller.account}" }), "rules[0].scope"},
		"a capture":           {rule(func(r *hallpass.GuardRule) { r.Need.Scope = "a:{x}:b" }), ""},
		"a source":            {rule(func(r *hallpass.GuardRule) { r.Captures = map[string]string{"y": "query:y"} }), "rules[0].captures"},
		"two sources":         {rule(func(r *hallpass.GuardRule) { r.Captures = map[string]string{"x": "header:X"} }), "rules[0].captures"},
		"no header":           {rule(func(r *hallpass.GuardRule) { r.Captures = map[string]string{"y": "header:a b"} }), "rules[0].captures"},
		"a name":              {rule(func(r *hallpass.GuardRule) { r.Captures = map[string]string{"a.b": "header:X"} }), "rules[0].captures"},
		"not used":            {rule(func(r *hallpass.GuardRule) { r.Captures = map[string]string{"y": "header:Y"} }), "rules[0].captures"},
		"HEAD":                {rule(func(r *hallpass.GuardRule) { r.Methods = []string{"HEAD"} }), "rules[0].methods"},
		"twice":               {rule(func(r *hallpass.GuardRule) { r.Methods = []string{"GET", "GET"} }), "rules[0].methods"},
		"a method":            {rule(func(r *hallpass.GuardRule) { r.Methods = []string{"G T"} }), "rules[0].methods"},
		"a path":              {rule(func(r *hallpass.GuardRule) { r.Path = "a" }), "rules[0].path"},
		"an identity":         {rule(func(r *hallpass.GuardRule) { r.Set = map[string]string{"X_Hallpass.Role": "Admin"} }), "rules[0].set"},
		"Authorization":       {rule(func(r *hallpass.GuardRule) { r.Set = map[string]string{"authorization": "x"} }), "rules[0].set"},
		"a header's line":     {rule(func(r *hallpass.GuardRule) { r.Set = map[string]string{"X-A": "a\r\nb"} }), "rules[0].set"},
		"split":               {rule(func(r *hallpass.GuardRule) { r.Split = " " }), "rules[0].split"},
		"any method":          {rule(func(r *hallpass.GuardRule) { r.Methods = []string{"*"} }), "rules[0].methods"},
		"a letter separates":  {rule(func(r *hallpass.GuardRule) { r.Split = "|a" }), "rules[0].split"},
		"a digit separates":   {rule(func(r *hallpass.GuardRule) { r.Split = "0" }), "rules[0].split"},
		"a comma separates":   {rule(func(r *hallpass.GuardRule) { r.Split = "," }), ""},
		"a header twice":      {rule(func(r *hallpass.GuardRule) { r.Set = map[string]string{"X-A": "a", "x-a": "b"} }), "rules[0].set"},
		"two headers":         {rule(func(r *hallpass.GuardRule) { r.Set = map[string]string{"X-A": "a", "X-B": "b"} }), ""},
		"two of several": {rule(func(r *hallpass.GuardRule) {
			r.Captures, r.Split, r.Need.Scope = map[string]string{"y": "header:Y", "z": "header:Z"}, "|", "a:{y}:{z}"
		}), "rules[0].split"},
		"too many": {hallpass.Guard{Name: "g", Rules: make([]hallpass.GuardRule, hallpass.MaxGuardRules+1)}, "rules"},
	} {
		err := tt.guard.Validate()
		if (err == nil) != (tt.field == "") || err != nil && err.(*hallpass.Error).Field != tt.field {
			t.Errorf("%s: %v, want an error of %q", name, err, tt.field)
		}
	}
}

// TestReadableHeaders writes rules that take a value from every header that holds a
// credential, belongs to the connection, or that no API gets from clients, in every
// spelling that some server reads as it: none is valid. What the guard hands on or
// tells in a refusal could else be anybody's.
func TestReadableHeaders(t *testing.T) {
	names := []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Connection", "Host", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Content-Length", "Keep-Alive",
		"X-Hallpass-Role", "X-Hallpass-Jwt", "Proxy", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Real-Ip", "True-Client-Ip",
		"X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Rewrite-Url", "X-Http-Method-Override", "X-Method-Override",
	}
	for _, name := range names {
		for _, spelled := range []string{name, strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "-", ".")} {
			for _, r := range []hallpass.GuardRule{
				{Path: "/a", Need: needs("a:b", "a:{x}"), Captures: map[string]string{"x": "header:" + spelled}},
				{Path: "/a", Need: public, Captures: map[string]string{"x": "header:" + spelled}, Set: map[string]string{"X-A": "{x}"}},
			} {
				err := hallpass.Guard{Name: "g", Rules: []hallpass.GuardRule{r}}.Validate()
				if e := (*hallpass.Error)(nil); !errors.As(err, &e) || e.Field != "rules[0].captures" {
					t.Errorf("a value from %s: %v", spelled, err)
				}
			}
		}
	}
	for _, name := range []string{"X-Scope-OrgID", "X-Tenant", "Origin", "Content-Type"} {
		r := hallpass.GuardRule{Path: "/a", Need: needs("a:b", "a:{x}"), Captures: map[string]string{"x": "header:" + name}}
		if err := (hallpass.Guard{Name: "g", Rules: []hallpass.GuardRule{r}}).Validate(); err != nil {
			t.Errorf("a value from %s: %v", name, err)
		}
	}
}

// TestPresets compiles each preset alone, where none of its rules may be shadowed.
func TestPresets(t *testing.T) {
	for _, name := range hallpass.GuardPresetNames() {
		p, _ := hallpass.GuardPresetByName(name)
		if _, err := hallpass.NewRuleset(hallpass.Guard{Name: "g", Rules: p.Rules}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, tt := range []struct {
		preset, method, path string
		needs                string
	}{
		{"prometheus", "GET", "/-/healthy", "nothing"},
		{"prometheus", "POST", "/-/reload", "the permission prometheus:admin"},
		{"prometheus", "GET", "/api/v1/query", "the permission prometheus:query"},
		{"prometheus", "POST", "/api/v1/query_range", "the permission prometheus:query"},
		{"prometheus", "POST", "/api/v1/label/job/values", "the permission prometheus:query"},
		{"prometheus", "GET", "/graph", "the permission prometheus:query"},
		{"prometheus", "POST", "/api/v1/write", "the permission prometheus:write"},
		{"prometheus", "POST", "/api/v1/admin/tsdb/delete_series", "the permission prometheus:admin"},
		{"prometheus", "GET", "/api/v1/admin/tsdb/snapshot", "the permission prometheus:admin"},
		{"prometheus", "GET", "/api/v1/status/config", "the permission prometheus:admin"},
		{"prometheus", "DELETE", "/api/v1/series", ""},
		{"prometheus", "PUT", "/x", ""},
		{"loki", "POST", "/loki/api/v1/push", "the permission loki:write"},
		{"loki", "GET", "/loki/api/v1/tail", "the permission loki:read"},
		{"loki", "GET", "/config", ""},
		{"alertmanager", "DELETE", "/api/v2/silence/1", "the permission alertmanager:silence"},
		{"pushgateway", "PUT", "/metrics/job/a/instance/b", "the permission pushgateway:push"},
		{"pushgateway", "GET", "/metrics", "the permission pushgateway:read"},
		{"mimir", "POST", "/api/v1/push", "the permission mimir:write"},
		{"grafana", "GET", "/api/health", "nothing"},
		{"grafana", "POST", "/api/dashboards/db", "the role None"},
		{"grafana", "GET", "/", "the role None"},
	} {
		s, err := hallpass.NewRuleset(hallpass.Guard{Name: "g", Preset: tt.preset})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if r := s.Match(tt.method, tt.path); r != nil {
			got = r.Need.String()
		}
		if got != tt.needs {
			t.Errorf("%s, %s %s: needs %q, want %q", tt.preset, tt.method, tt.path, got, tt.needs)
		}
	}
}

func TestGuardWarnings(t *testing.T) {
	g := hallpass.Guard{Name: "g", Preset: "prometheus", Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/a", Need: needs("x:read", "")},
		{Methods: []string{"PUT"}, Path: "/{rest...}", Need: public},
		{Methods: []string{"GET"}, Path: "/b", Need: needs("y:read", "")},
	}}
	got := fmt.Sprint(g.Warnings(func(a hallpass.Action) bool { return a == "x:read" }))
	if !strings.HasPrefix(got, "[{2 ") || !strings.Contains(got, "{3 Only Admins hold y:read") || strings.Count(got, "{") != 2 {
		t.Error(got)
	}
	if got := (hallpass.Guard{}).Warnings(nil); len(got) != 1 || got[0].Rule != 0 {
		t.Error(got)
	}
}

// TestGuardWarnsOfOverruledPreset warns of a rule that decides, before the preset, what needs
// another action there.
func TestGuardWarnsOfOverruledPreset(t *testing.T) {
	read := needs("loki:read", "loki:tenants:{tenant}")
	rule := func(path string, need hallpass.Need, methods ...string) hallpass.GuardRule {
		r := hallpass.GuardRule{Methods: methods, Path: path, Need: need}
		if need.Scope != "" {
			r.Captures = map[string]string{"tenant": "header:X-Scope-OrgID"}
		}
		return r
	}
	loose := func(rules string, scoped int) string {
		return looseWarning(rules, "loki:read", scoped, "loki:tenants:{tenant}")
	}
	for name, tt := range map[string]struct {
		preset string
		rules  []hallpass.GuardRule
		want   string
	}{
		"reads all":        {"loki", []hallpass.GuardRule{rule("/loki/api/v1/{rest...}", read, "GET", "POST")}, "[{1 Rule 1 (GET, POST /loki/api/v1/{rest...}) stands before preset rules that need another action: loki:write, loki:rules and loki:delete}]"},
		"GET alone":        {"loki", []hallpass.GuardRule{rule("/loki/api/v1/{rest...}", read, "GET")}, "[{1 Rule 1 (GET /loki/api/v1/{rest...}) stands before preset rules that need another action: loki:rules and loki:delete} " + loose("3 (GET, POST /loki/api/v1/query) and 11 more rules take", 1) + "]"},
		"the second":       {"loki", []hallpass.GuardRule{rule("/a", read), rule("/loki/api/v1/{path}", read, "DELETE")}, "[{2 Rule 2 (DELETE /loki/api/v1/{path}) stands before preset rules that need another action: loki:rules and loki:delete} " + loose("4 (GET, POST /loki/api/v1/query) and 13 more rules take", 1) + "]"},
		"a role":           {"prometheus", []hallpass.GuardRule{rule("/api/{rest...}", hallpass.Need{Kind: hallpass.NeedRole}, "PUT")}, "[{1 Rule 1 (PUT /api/{rest...}) stands before preset rules that need another action: prometheus:admin}]"},
		"public":           {"pushgateway", []hallpass.GuardRule{rule("/-/{rest...}", public, "GET"), rule("/api/{rest...}", public, "POST")}, "[{2 Rule 2 (POST /api/{rest...}) stands before preset rules that need another action: pushgateway:admin}]"},
		"the same action":  {"loki", []hallpass.GuardRule{rule("/loki/api/v1/index/{rest...}", read)}, "[" + loose("3 (GET, POST /loki/api/v1/query) and 10 more rules take", 1) + "]"},
		"the same path":    {"loki", []hallpass.GuardRule{rule("/metrics", public, "GET")}, "[]"},
		"narrower":         {"prometheus", []hallpass.GuardRule{rule("/graph", needs("x:read", ""))}, "[]"},
		"no shared method": {"loki", []hallpass.GuardRule{rule("/otlp/{rest...}", read, "GET")}, "[" + loose("3 (GET, POST /loki/api/v1/query) and 13 more rules take", 1) + "]"},
		"said before it": {"loki", []hallpass.GuardRule{rule("/loki/api/v1/delete", needs("loki:delete", "")), rule("/loki/api/v1/rules/{rest...}", needs("loki:rules", "")), rule("/loki/api/v1/rules", needs("loki:rules", "")),
			rule("/loki/api/v1/{rest...}", read, "GET")}, "[" + loose("6 (GET, POST /loki/api/v1/query) and 11 more rules take", 4) + "]"},
		"no preset": {"", []hallpass.GuardRule{rule("/loki/api/v1/{rest...}", read)}, "[]"},
	} {
		g := hallpass.Guard{Name: "g", Preset: tt.preset, Rules: tt.rules}
		if got := fmt.Sprint(g.Warnings(nil)); got != tt.want || g.Validate() != nil {
			t.Errorf("%s: %s, %v\nwant %s", name, got, g.Validate(), tt.want)
		}
	}
}

// looseWarning is the warning of rules that take an action on any scope, as "3 (GET /a) takes",
// beside a rule of that number that asks for it on a scope.
func looseWarning(rules, action string, scoped int, scope string) string {
	number, _, _ := strings.Cut(rules, " ")
	return fmt.Sprintf("{%s Rule %s %s on any scope, and rule %d asks for it on %s: an account that holds it on one scope passes there for all of them}", number, rules, action, scoped, scope)
}

// TestGuardWarnsOfAnyScope warns of rules that open to one tenant's account what another rule
// keeps apart by tenants.
func TestGuardWarnsOfAnyScope(t *testing.T) {
	const scope = "loki:tenants:{tenant}"
	rule := func(methods, path, action, scope string) hallpass.GuardRule {
		r := hallpass.GuardRule{Path: path, Need: needs(hallpass.Action(action), scope)}
		if methods != "" {
			r.Methods = strings.Fields(methods)
		}
		if strings.Contains(scope, "{") {
			r.Captures = map[string]string{"tenant": "header:X-Scope-OrgID"}
		}
		return r
	}
	for name, tt := range map[string]struct {
		preset string
		rules  []hallpass.GuardRule
		want   string
	}{
		"a preset": {"loki", []hallpass.GuardRule{rule("GET", "/loki/api/v1/query_range", "loki:read", scope)},
			looseWarning("3 (GET, POST /loki/api/v1/query) and 13 more rules take", "loki:read", 1, scope)},
		"one path of a preset, whole": {"loki", []hallpass.GuardRule{rule("GET POST", "/loki/api/v1/query_range", "loki:read", scope)},
			looseWarning("3 (GET, POST /loki/api/v1/query) and 12 more rules take", "loki:read", 1, scope)},
		"an own rule":       {"", []hallpass.GuardRule{rule("", "/a", "x:read", "x:id:7"), rule("", "/b", "x:read", "")}, looseWarning("2 (any /b) takes", "x:read", 1, "x:id:7")},
		"it stands first":   {"", []hallpass.GuardRule{rule("", "/a", "x:read", ""), rule("", "/b", "x:read", "x:id:7")}, looseWarning("1 (any /a) takes", "x:read", 2, "x:id:7")},
		"another action":    {"", []hallpass.GuardRule{rule("", "/a", "x:read", "x:id:7"), rule("", "/b", "x:write", "")}, ""},
		"every rule scoped": {"", []hallpass.GuardRule{rule("", "/a", "x:read", "x:id:7"), rule("", "/b", "x:read", "x:id:8")}, ""},
		"never reached":     {"", []hallpass.GuardRule{rule("GET", "/a", "x:read", "x:id:7"), rule("POST", "/a", "x:read", "x:id:7"), rule("GET POST", "/a", "x:read", "")}, ""},
	} {
		g := hallpass.Guard{Name: "g", Preset: tt.preset, Rules: tt.rules}
		if got := strings.Trim(fmt.Sprint(g.Warnings(nil)), "[]"); got != tt.want || g.Validate() != nil {
			t.Errorf("%s: %s, %v\nwant %s", name, got, g.Validate(), tt.want)
		}
	}
}

// TestGuardWarnsOfOddRules warns of rules that are probably not meant, and of no others.
func TestGuardWarnsOfOddRules(t *testing.T) {
	good := hallpass.GuardRule{Methods: []string{"GET"}, Path: "/a/{id}", Need: needs("x:read", "x:id:{id}"), Split: "|", Set: map[string]string{"X-A": "{t}"}, Captures: map[string]string{"t": "header:X-T"}}
	for name, tt := range map[string]struct {
		change func(*hallpass.GuardRule)
		want   string
	}{
		"nothing odd":                 {func(*hallpass.GuardRule) {}, ""},
		"a small method":              {func(r *hallpass.GuardRule) { r.Methods = []string{"get", "POST"} }, "clients send GET"},
		"own method":                  {func(r *hallpass.GuardRule) { r.Methods = []string{"PROPFIND"} }, ""},
		"a star":                      {func(r *hallpass.GuardRule) { r.Path = "/a/{id}/*" }, "The * in the path"},
		"long separators":             {func(r *hallpass.GuardRule) { r.Split = "||" }, "2 characters ||"},
		"public, the client's header": {func(r *hallpass.GuardRule) { r.Need = public }, "header X-T"},
		"public, of the path":         {func(r *hallpass.GuardRule) { r.Need, r.Captures, r.Set = public, nil, map[string]string{"X-A": "{id}"} }, ""},
	} {
		r := good
		tt.change(&r)
		g := hallpass.Guard{Name: "g", Rules: []hallpass.GuardRule{r}}
		got := g.Warnings(nil)
		if g.Validate() != nil || (len(got) == 0) != (tt.want == "") || len(got) > 0 && (len(got) != 1 || got[0].Rule != 1 || !strings.Contains(got[0].Message, tt.want)) {
			t.Errorf("%s: %v, %v, want %q", name, got, g.Validate(), tt.want)
		}
	}
}

func TestIdentityHeader(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Hallpass-Role": true, "x_hallpass_role": true, "X.HALLPASS.Role": true, "x-Hallpass.": true,
		"X-Hallpass": false, "XHallpass-Role": false, "X-Hallpassed-Role": false, "Hallpass-Role": false, "": false,
	} {
		if got := hallpass.IdentityHeader(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
