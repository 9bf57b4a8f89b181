package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// guarded returns a server with the guard prom, and the token of an account that may
// nothing.
func guarded(t *testing.T) (*hallpasstest.Server, string) {
	t.Helper()
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleViewer)
	key := ""
	for _, call := range [][2]string{
		{"/api/guards", `{"name":"prom","upstream":"http://127.0.0.1:9","preset":"prometheus","rules":[{"path":"/-/healthy","public":true},{"methods":["POST"],"path":"/tenants/{t}","action":"loki:write","scope":"loki:tenants:{t}","set":{"X-Scope-OrgID":"{t}"}}]}`},
		{"/api/access-control/roles", `{"uid":"metrics","name":"metrics:reader","permissions":[{"action":"prometheus:query"}]}`},
		{"/api/serviceaccounts", `{"name":"dash","role":"None"}`},
		{"/api/serviceaccounts/3/tokens", `{"name":"t"}`},
	} {
		r := s.Do(hallpasstest.Admin, "POST", call[0], call[1])
		if r.StatusCode > 201 {
			t.Fatalf("POST %s: %d %s", call[0], r.StatusCode, r.Text)
		}
		if _, after, ok := strings.Cut(r.Text, `"key":"`); ok {
			key, _, _ = strings.Cut(after, `"`)
		}
	}
	return s, key
}

// TestGuardPages reads the list and the page of a guard, and of a refusal there.
func TestGuardPages(t *testing.T) {
	s, key := guarded(t)
	s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom/api/v1/query?query=secret-text", "")
	s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom/api/v1/query?query=another", "")
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/guards"), 200, `href="/guards/prom"`, "http://127.0.0.1:9", "with those of Prometheus", "console and API")
	b.want("none found", b.get("/guards?query=nothing"), 200, "No guards found")
	p := b.get("/guards/prom")
	b.want("the guard", p, 200, "Guarding", "Nothing: public", "/tenants/{t}", "loki:write", "sets X-Scope-OrgID to {t}", "Query prometheus", "from the preset", "Last refusals", ">dash</a>", "GET /api/v1/query<", " · 2 times", "guard.permission",
		"nobody", "See what would let it pass", "/admin/audit?outcome=refused&target=guard%3Aprom", `role="img" aria-label="Decisions in the last hour: 2, of these 2 refused"`)
	if strings.Contains(p.text, "secret-text") {
		t.Error("the page shows a query")
	}
	b.want("no guard", b.get("/guards/loki"), 404)
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	for _, path := range []string{"/guards", "/guards/prom"} {
		vera.want(path+" of a Viewer", vera.get(path), 403, "guards:read")
	}
	vera.want("a request of a Viewer", vera.post("/guards/prom", "request", "GET /", "who", ""), 403, "guards:test")
}

// TestFailingAPIIsTold has the API behind a guard fail: its page and home say how and since
// when. A paused token that was refused there is named, with the way to it.
func TestFailingAPIIsTold(t *testing.T) {
	s, key := guarded(t)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/3/roles", `{"roleUid":"metrics"}`); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	s.Clock.Wind(time.Minute)
	since := s.Clock.Now().UTC().Format("15:04")
	for range 3 {
		s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom/api/v1/query?query=up", "")
	}
	if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/3/tokens/1", `{"paused":true}`); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom/api/v1/query?query=up", "")
	if err := s.FlushGuards(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the guard", b.get("/guards/prom"), 200, "The API answered 3 of 3 requests with an error since", `href="/guards/prom/edit">Change the upstream`, ">dash</a>", "The token is paused", "/tokens/1\">See the token")
	b.want("home", b.get("/"), 200, "APIs that fail", "The API answered 3 of 3 requests with an error since "+since+" UTC.", `href="/guards/prom">See the guard`, "API fails")
}

// TestGuardOfTheFile tries to delete a guard of the configuration file: the console
// offers no such thing, and says where the guard is written down.
func TestGuardOfTheFile(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) {
		c.ConfigFile, c.Guards = "/etc/hallpass.toml", []hallpass.Guard{{Name: "prom", Org: hallpass.FirstOrg, Preset: "prometheus"}}
	})
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/guards"), 200, "file /etc/hallpass.toml")
	p := b.get("/guards/prom")
	b.want("the guard", p, 200, "file /etc/hallpass.toml, under [guard.prom]", `<button class="button" disabled aria-describedby="edit-by">`)
	if strings.Contains(p.text, "/guards/prom/delete") {
		t.Error("the page offers to delete a guard of the file")
	}
	b.want("delete", b.post("/guards/prom/delete"), 409, "change it there", "/etc/hallpass.toml")
	b.want("the question of it", b.get("/guards/prom/delete"), 409, "change it there")
	b.want("afterwards", b.get("/guards/prom"), 200, "Guarding")
}

// TestGuardSetup reads the configuration of every proxy, with the guard's name and the
// API's address.
func TestGuardSetup(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	host := strings.TrimPrefix(s.URL, "http://")
	for proxy, want := range map[string][]string{
		"nginx": {"/guard/nginx/prom;", host, "127.0.0.1:9;", "  proxy_set_header X-Scope-OrgID $hp_set_x_scope_orgid;", "# location = /healthz", "[server]\ntrusted_proxies = [\"127.0.0.1/32\"]", "restart Hallpass"}, "caddy": {"/guard/caddy/prom", host}, "haproxy": {"/guard/haproxy/prom", "hallpass-prom.lua", "guards/prom.cfg", "backend guard_prom.example.com"}, "traefik": {host + "/guard/traefik/prom", "X-Hallpass-Subject, X-Scope-OrgID]"},
		"envoy": {"guard: prom"}, "apache": {"/guard/apache/prom", "hallpass-prom.lua"}, "ingress-nginx": {"/guard/ingress-nginx/prom"}, "built-in": {s.URL + "/guard/proxy/prom/"}, "nonsense": {"/guard/nginx/prom;"},
	} {
		p := b.get("/guards/prom?proxy=" + proxy)
		p.text = regexp.MustCompile(`</?span[^>]*>`).ReplaceAllString(p.text, "")
		b.want(proxy, p, 200, want...)
	}
}

// TestGuardTrial tries requests from the page: it says which rule decides, what is
// missing and who has it, shows no token, and counts nothing.
func TestGuardTrial(t *testing.T) {
	s, key := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for _, tt := range []struct {
		request, who string
		status       int
		want         []string
	}{
		{"GET /-/healthy", "", 200, []string{"<strong>Passes</strong>", "Rule 1 decides.", `class="hit"`}},
		{"GET /api/v1/query?query=up", "", 200, []string{"Refused, 401", "the permission prometheus:query"}},
		{"GET /api/v1/query?query=up HTTP/1.1", "dash", 200, []string{"Refused, 403", "the permission prometheus:query", `href="/admin/roles/metrics"`, "<code>sa-1-dash</code>", "does not hold", `href="/admin/roles?query=prometheus%3Aquery"`, `href="/org/serviceaccounts/3/roles?give=metrics#given"`}},
		{"GET /api/v1/query", key, 200, []string{"Refused, 403", "<code>sa-1-dash</code>"}},
		{"GET /api/v1/query", key + "x", 200, []string{"Refused, 401"}},
		{"POST /tenants/a", "dash", 200, []string{"Rule 2 decides", "loki:write on loki:tenants:a", `href="/admin/create/role?permissions=loki%3Awrite+loki%3Atenants%3Aa"`}},
		{"PATCH /nowhere", "dash", 200, []string{"Refused, 403", "No rule matches it.", "Add a rule for this request"}},
		{"PATCH /nowhere", "", 200, []string{"Refused, 401", "With a token it is refused too: no rule matches it. Add a rule"}},
		{"GET http://loki:3100/api/v1/query", "dash", 200, []string{"Refused, 403", "Write the path alone"}},
		{"GET http://loki:3100/api/v1/query", "", 200, []string{"Refused, 401", "Write the path alone"}},
		{"GET //api", "dash", 200, []string{"Write the path plainly"}},
		{"GET", "dash", 400, []string{"A request is a method and a path", `value="dash"`}},
		{"GET /", "nobody", 404, []string{`id="error-who"`, `value="nobody"`, "There is no service account with this ID, uid, login or name."}},
	} {
		p := b.post("/guards/prom", "request", tt.request, "who", tt.who)
		b.want(fmt.Sprintf("%s as %.10s", tt.request, tt.who), p, tt.status, tt.want...)
		if strings.Contains(p.text, key) {
			t.Errorf("%s: the page shows the token", tt.request)
		}
	}
	b.want("afterwards", b.get("/guards/prom"), 200, "None since this node started.")
	if p := b.post("/guards/prom", "request", "PATCH /nowhere", "who", "dash"); strings.Contains(p.text, "<p>No rule of the guard matches this request.") {
		t.Error("it is said twice that no rule matches")
	}
}

// TestGuardTrialOfSeveralValues tries a header with several values at a rule that takes one.
func TestGuardTrialOfSeveralValues(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.create("dash", "None")
	if r := s.Do(hallpasstest.Admin, "POST", "/api/guards", `{"name":"loki","rules":[{"path":"/logs","action":"loki:read","scope":"loki:tenants:{t}","captures":{"t":"header:X-Scope-OrgID"}}]}`); r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	for headers, want := range map[string]string{
		"X-Scope-OrgID: a|b": "write | under “Between several values” of rule 1", "X-Scope-OrgID: a*": "Send one plain value there", "": "comes from the header X-Scope-OrgID: it is not in the request",
	} {
		b.want(headers, b.post("/guards/loki", "request", "GET /logs", "who", "dash", "headers", headers), 200, "guard.capture", want)
	}
}

// TestGuardTrialHeaders tries requests with headers that a rule reads.
func TestGuardTrialHeaders(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.create("dash", "None")
	guard := `{"name":"loki","rules":[{"path":"/logs","action":"loki:read","scope":"loki:tenants:{t}","captures":{"t":"header:X-Scope-OrgID"},"split":"|"}]}`
	if r := s.Do(hallpasstest.Admin, "POST", "/api/guards", guard); r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	b.want("the form", b.get("/guards/loki"), 200, `<details class="known" open>`, `placeholder="X-Scope-OrgID: a"`)
	for _, tt := range []struct {
		headers string
		status  int
		want    []string
	}{
		{"x-scope-orgid: a", 200, []string{"needs the permission loki:read on loki:tenants:a", "x-scope-orgid: a</textarea>"}},
		{"Accept: text/plain\r\n\r\nX-Scope-OrgID:a|b\r\n", 200, []string{"loki:read on loki:tenants:a and the permission loki:read on loki:tenants:b"}},
		{"", 200, []string{"guard.capture", "Send one plain value there", "the proxy does not pass it on to Hallpass"}},
		{"X-Scope-OrgID: a\nX-Scope-OrgID: b", 200, []string{"it stands in the request 2 times"}},
		{"X-Scope-OrgID", 400, []string{`id="error-headers"`, "Each line is a header", "X-Scope-OrgID</textarea>"}},
		{"X Scope: a", 400, []string{`id="error-headers"`}},
		{": a", 400, []string{`id="error-headers"`}},
		{"Authorization: Bearer x", 400, []string{"The token belongs into the field"}},
		{"X-A: " + strings.Repeat("a", 4000), 400, []string{"longer than 4000"}},
	} {
		b.want(fmt.Sprintf("%.40q", tt.headers), b.post("/guards/loki", "request", "GET /logs", "who", "dash", "headers", tt.headers), tt.status, tt.want...)
	}
}

// TestGuardTrialJSON compares what the page shows as JSON with the answer of the API.
func TestGuardTrialJSON(t *testing.T) {
	s, key := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	shown := regexp.MustCompile(`(?s)<span id="try-json">(.*?)</span>`)
	for _, request := range []string{"GET /-/healthy", "GET /api/v1/query?query=up", "POST /tenants/a", "PATCH /nowhere", "GET /a/../b"} {
		method, uri, _ := strings.Cut(request, " ")
		want := s.Do(hallpasstest.Admin, "POST", "/api/guards/prom/test", fmt.Sprintf(`{"method":%q,"uri":%q,"token":%q}`, method, uri, key))
		found := shown.FindStringSubmatch(b.post("/guards/prom", "request", request, "who", key).text)
		if found == nil {
			t.Fatalf("%s: the page shows no JSON", request)
		}
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(html.UnescapeString(found[1]))); err != nil {
			t.Fatal(err)
		}
		if got.String() != strings.TrimSpace(want.Text) {
			t.Errorf("%s: the page shows\n%s\nand the API says\n%s", request, got.String(), want.Text)
		}
	}
}

// TestGuardTrialOfAddress tries the request that an address names: a link from a refusal
// leads there. A token in an address is not looked at.
func TestGuardTrialOfAddress(t *testing.T) {
	s, key := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom/api/v1/query?query=up", "")
	link := regexp.MustCompile(`href="(/guards/prom\?[^"]*)#try"`).FindStringSubmatch(b.get("/guards/prom").text)
	if link == nil {
		t.Fatal("the refusal has no link")
	}
	b.want("the link", b.get(html.UnescapeString(link[1])), 200, "Refused, 403", "Rule 22 decides", "?give=metrics#given")
	p := b.get("/guards/prom?request=GET+/api/v1/query&who=" + key)
	if p.status != 303 || p.to != "/guards/prom" {
		t.Errorf("a token in the address: %d to %q", p.status, p.to)
	}
	b.want("nothing like a request", b.get("/guards/prom?request=x&who=dash"), 400, "A request is a method and a path")
}

// TestRefusalOfTenantIsTried follows the link of a refusal whose rule reads a header: the
// tester gets the headers that the rule read, and says which permission on which scope is
// missing. So do the audit and the API. A token in the headers of an address is not looked at.
func TestRefusalOfTenantIsTried(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	key := ""
	for _, call := range [][2]string{
		{"/api/guards", `{"name":"loki","upstream":"http://127.0.0.1:9","rules":[{"path":"/logs","action":"loki:read","scope":"loki:tenants:{t}","captures":{"t":"header:X-Scope-OrgID"},"split":"|"}]}`},
		{"/api/access-control/roles", `{"uid":"logs-b","name":"logs:b","permissions":[{"action":"loki:read","scope":"loki:tenants:b"}]}`},
		{"/api/serviceaccounts", `{"name":"dash","role":"None"}`},
		{"/api/serviceaccounts/2/tokens", `{"name":"t"}`},
	} {
		r := s.Do(hallpasstest.Admin, "POST", call[0], call[1])
		if r.StatusCode > 201 {
			t.Fatal(r.Text)
		}
		if _, after, ok := strings.Cut(r.Text, `"key":"`); ok {
			key, _, _ = strings.Cut(after, `"`)
		}
	}
	if r := s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/loki/logs", "", "X-Scope-Orgid: b|c"); r.StatusCode != 403 {
		t.Fatal(r.Text)
	}
	p := b.get("/guards/loki")
	b.want("the refusal", p, 200, "The guard loki needs the permission loki:read on loki:tenants:b for this request")
	link := regexp.MustCompile(`href="(/guards/loki\?[^"]*)#try"`).FindStringSubmatch(p.text)
	if link == nil {
		t.Fatal("the refusal has no link")
	}
	b.want("the link", b.get(html.UnescapeString(link[1])), 200, "Refused, 403", "Rule 1 decides", "X-Scope-OrgID: b|c</textarea>", "the permission loki:read on loki:tenants:b", "?give=logs-b#given")
	if r := s.Do(hallpasstest.Admin, "GET", "/api/guards/loki/usage", ""); !strings.Contains(r.Text, `"needs":{"action":"loki:read","scope":"loki:tenants:b"}`) {
		t.Errorf("the API does not say what was missing: %s", r.Text)
	}
	hallpasstest.Eventually(t, "the audit to say on which scope the permission was missing", func() bool {
		return strings.Contains(b.get("/admin/audit?target=guard%3Aloki").text, "lacks the permission loki:read on loki:tenants:b")
	})
	if p := b.get("/guards/loki?request=GET+/logs&headers=X-Scope-OrgID:" + key); p.status != 303 || p.to != "/guards/loki" {
		t.Errorf("a token in the headers of an address: %d to %q", p.status, p.to)
	}
}

// TestWayOutOfRefusal follows the button of a refused trial: the role is chosen there, and
// the question tells what changes. Afterwards the request passes.
func TestWayOutOfRefusal(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const at = "/org/serviceaccounts/3/roles"
	p := b.get(at + "?give=metrics")
	b.want("the roles", p, 200, "is chosen below", `value="metrics" checked`, `id="given"`, `<b class="badge accent">New</b>`)
	b.want("no such role", b.get(at+"?give=nosuch"), 200, "0 chosen")
	question := b.post(at, "role", "metrics")
	b.want("the question", question, 200, "not given", "given")
	if answer := b.yes(question); answer.status != 303 {
		t.Fatalf("%d %s", answer.status, answer.text)
	}
	b.want("afterwards", b.post("/guards/prom", "request", "GET /api/v1/query", "who", "dash"), 200, "<strong>Passes</strong>")
	if p := b.get(at + "?give=metrics"); strings.Contains(p.text, "is chosen below") {
		t.Error("a role that is given is said to be new")
	}
	b.want("the form of a role", b.get("/admin/create/role?permissions=loki%3Awrite+loki%3Atenants%3Aa"), 200, "loki:write loki:tenants:a</textarea>")
	p = b.get("/org/serviceaccounts/3?role=Editor")
	b.want("the basic role", p, 200, `<option value="Editor"`)
	if !regexp.MustCompile(`<option value="Editor"[^>]* selected`).MatchString(p.text) {
		t.Error("the role of the address is not chosen")
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/guards", `{"name":"app","rules":[{"path":"/{rest...}","role":"Editor"}]}`); r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	b.want("a rule that needs a role", b.post("/guards/app", "request", "GET /", "who", "dash"), 200, "does not hold the role Editor", `href="/org/serviceaccounts/3?role=Editor#role"`)
}

// TestAskedWhom tries a request as somebody who may test guards and give nothing: the
// answer says whom to ask, and who holds what stays hidden.
func TestAskedWhom(t *testing.T) {
	s, _ := guarded(t)
	for _, call := range [][2]string{
		{"/api/access-control/roles", `{"uid":"tester","name":"tester","permissions":[{"action":"guards:read","scope":"guards:uid:*"},{"action":"guards:test","scope":"guards:uid:*"},{"action":"users.permissions:read","scope":"users:*"}]}`},
		{"/api/access-control/users/2/roles", `{"roleUid":"tester"}`},
	} {
		if r := s.Do(hallpasstest.Admin, "POST", call[0], call[1]); r.StatusCode > 201 {
			t.Fatal(r.Text)
		}
	}
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	p := vera.post("/guards/prom", "request", "GET /api/v1/query", "who", "sa-1-dash")
	vera.want("the answer", p, 200, "Refused, 403", "Ask somebody who may give roles")
	for _, hidden := range []string{"?give=", "/admin/audit?", "Held by", "/rules/", "<datalist"} {
		if strings.Contains(p.text, hidden) {
			t.Errorf("it shows %s", hidden)
		}
	}
	vera.want("who holds it", vera.get("/guards/prom/rules/5"), 403, "serviceaccounts:read")
}

// TestGuardHoldersPage lists who has what a rule needs.
func TestGuardHoldersPage(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("before", b.get("/guards/prom/rules/5"), 200, "Nobody holds it", "prometheus:admin")
	for _, call := range [][2]string{
		{"/api/access-control/users/3/roles", `{"roleUid":"metrics"}`},
		{"/api/serviceaccounts", `{"name":"boss","role":"Admin"}`},
	} {
		if r := s.Do(hallpasstest.Admin, "POST", call[0], call[1]); r.StatusCode > 201 {
			t.Fatal(r.Text)
		}
	}
	rule := regexp.MustCompile(`href="(/guards/prom/rules/\d+)">2 accounts<`).FindStringSubmatch(b.get("/guards/prom").text)
	if rule == nil {
		t.Fatal("the page of the guard does not say that two hold it")
	}
	b.want("who", b.get(rule[1]), 200, ">dash<", ">boss<", "2 service accounts", "/access?action=prometheus%3Aquery&scope=")
	b.want("a scope with captures", b.get("/guards/prom/rules/2"), 200, ">boss<", "on a few values only")
	b.want("a public rule", b.get("/guards/prom/rules/1"), 200, "Everybody may")
	b.want("beyond the end", b.get(rule[1]+"?page=9"), 200, "The list ends before this page.")
	for _, none := range []string{"0", "99", "x", "-1"} {
		b.want("rule "+none, b.get("/guards/prom/rules/"+none), 404)
	}
}

// TestGuardLately shows what the node decided in the last hour, and which proxy asked.
func TestGuardLately(t *testing.T) {
	s, key := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("at first", b.get("/guards/prom?proxy=built-in"), 200, "Built in has not asked this node since it started", "No requests in the last minute", "of these 0 refused")
	for range 3 {
		s.Do(hallpasstest.Nobody, "GET", "/guard/proxy/prom/-/healthy", "")
	}
	s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom/api/v1/query", "")
	written := regexp.MustCompile(`Calls today </span>4<`)
	hallpasstest.Eventually(t, "the counts are written", func() bool { return written.MatchString(b.get("/guards").text) })
	b.want("right after", b.get("/guards/prom"), 200, "4 requests in the last minute, 1 refused")
	s.Clock.Wind(time.Minute)
	asked := `Built in asked <time`
	if hallpasstest.OnPostgres() {
		asked = `Built in asked this node <time`
	}
	p := b.get("/guards/prom?proxy=built-in")
	b.want("a minute later", p, 200, "No requests in the last minute", "Decisions in the last hour: 4, of these 1 refused", `<path class="zero" d="M0 23h3v1h-3z`, asked)
	b.want("another proxy", b.get("/guards/prom"), 200, "nginx has not asked")
	s.Clock.Wind(2 * time.Hour)
	p = b.get("/guards/prom?proxy=built-in")
	b.want("later", p, 200, "No requests in the last minute", "Decisions in the last hour: 0", "2 hours ago")
	if strings.Contains(p.text, "<dt>Counted</dt>") {
		t.Error("it counts for longer than an hour, and says since when")
	}
}

// TestRefusalsSayWhatToDo looks up each reason for which the manual says that a guard
// refuses: the console says what to do about it.
func TestRefusalsSayWhatToDo(t *testing.T) {
	text, err := os.ReadFile("../../docs/guard/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| reason | what to do |")
	table, _, _ = strings.Cut(table, "\n\n")
	reasons := regexp.MustCompile("(?m)^\\| `([a-z.-]+)` \\|").FindAllStringSubmatch(table, -1)
	if len(reasons) < 12 {
		t.Fatalf("the manual has only %d reasons", len(reasons))
	}
	for _, r := range append(reasons, []string{"", "api-key.paused"}, []string{"", "api-key.rotated"}, []string{"", "guard.no-upstream"}) {
		if console.GuardAdvice(r[1]) == "" {
			t.Errorf("the console does not say what to do about %s", r[1])
		}
	}
}
