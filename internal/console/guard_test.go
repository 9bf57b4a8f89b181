package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
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
	b.want("the guard", p, 200, "Guarding", "Nothing: public", "/tenants/{t}", "loki:write", "sets X-Scope-OrgID to {t}", "Query prometheus", "from the preset", "Last refusals", ">dash</a>", "GET /api/v1/query<", " · 2 times", "guard.permission")
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

// TestGuardOfTheFile tries to delete a guard of the configuration file: the console
// offers no such thing, and says where the guard is written down.
func TestGuardOfTheFile(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) {
		c.ConfigFile, c.Guards = "/etc/hallpass.toml", []hallpass.Guard{{Name: "prom", Org: hallpass.FirstOrg, Preset: "prometheus"}}
	})
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/guards"), 200, "file /etc/hallpass.toml")
	p := b.get("/guards/prom")
	b.want("the guard", p, 200, "file /etc/hallpass.toml")
	if strings.Contains(p.text, "/guards/prom/delete") {
		t.Error("the page offers to delete a guard of the file")
	}
	b.want("delete", b.post("/guards/prom/delete"), 409, "change it there", "/etc/hallpass.toml")
	b.want("afterwards", b.get("/guards/prom"), 200, "Guarding")
}

// TestGuardSetup reads the configuration of every proxy, with the guard's name and the
// API's address.
func TestGuardSetup(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	host := strings.TrimPrefix(s.URL, "http://")
	for proxy, want := range map[string][]string{
		"nginx": {"/guard/nginx/prom;", host, "127.0.0.1:9;"}, "caddy": {"/guard/caddy/prom", host}, "haproxy": {"/guard/haproxy/prom", "hallpass.lua"}, "traefik": {host + "/guard/traefik/prom"},
		"envoy": {"guard: prom"}, "apache": {"/guard/apache/prom", "hallpass.lua"}, "ingress-nginx": {"/guard/ingress-nginx/prom"}, "built-in": {s.URL + "/guard/proxy/prom/"}, "nonsense": {"/guard/nginx/prom;"},
	} {
		b.want(proxy, b.get("/guards/prom?proxy="+proxy), 200, want...)
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
		{"GET /api/v1/query?query=up HTTP/1.1", "dash", 200, []string{"Refused, 403", "the permission prometheus:query", `href="/admin/roles/metrics"`, "<code>sa-1-dash</code>"}},
		{"GET /api/v1/query", key, 200, []string{"Refused, 403", "<code>sa-1-dash</code>"}},
		{"GET /api/v1/query", key + "x", 200, []string{"Refused, 401"}},
		{"POST /tenants/a", "dash", 200, []string{"Rule 2 decides", "loki:write on loki:tenants:a"}},
		{"PATCH /nowhere", "dash", 200, []string{"Refused, 403", "No rule matches it."}},
		{"GET", "dash", 400, []string{"A request is a method and a path", `value="dash"`}},
		{"GET /", "nobody", 404, []string{`id="error-who"`, `value="nobody"`}},
	} {
		p := b.post("/guards/prom", "request", tt.request, "who", tt.who)
		b.want(fmt.Sprintf("%s as %.10s", tt.request, tt.who), p, tt.status, tt.want...)
		if strings.Contains(p.text, key) {
			t.Errorf("%s: the page shows the token", tt.request)
		}
	}
	b.want("afterwards", b.get("/guards/prom"), 200, "None since this node started.")
}
