package guard_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// trusting has a server trust whoever asks from this machine.
func trusting(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} }

// role is a rule that lets a basic role do something.
func role(r hallpass.Role, path string, methods ...string) hallpass.GuardRule {
	return hallpass.GuardRule{Methods: methods, Path: path, Need: hallpass.Need{Kind: hallpass.NeedRole, Role: r}}
}

// app is a guard whose API viewers read below /api/, and admins use below /admin/.
var app = hallpass.Guard{Name: "app", Org: 1, Rules: []hallpass.GuardRule{role(hallpass.RoleViewer, "/api/", "GET"), role(hallpass.RoleAdmin, "/admin/{rest...}")}}

// answer is what a door answered.
type answer struct {
	*http.Response
	text string
}

// reason returns the value of X-Hallpass-Reason, which is there once or not at all.
func (a answer) reason(t *testing.T) string {
	t.Helper()
	list := a.Header.Values("X-Hallpass-Reason")
	if len(list) > 1 || (len(list) == 1) != (a.StatusCode == http.StatusForbidden) {
		t.Errorf("%d with the reasons %q", a.StatusCode, list)
	}
	return strings.Join(list, "")
}

// raw sends a request byte for byte: its first line, and its headers, each a line.
func raw(t *testing.T, s *hallpasstest.Server, first string, headers ...string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // the answer was read
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	lines := append([]string{first + " HTTP/1.1", "Host: hallpass", "Connection: close"}, headers...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(first, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", first, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", first, err)
	}
	return answer{res, string(body)}
}

// dialect is how a proxy asks about an original request.
type dialect struct {
	name           string
	method, target string // headers; "": the request itself is the original
	before         string // what stands before the target in its header
}

var dialects = []dialect{
	{"nginx", "X-Original-Method", "X-Original-Uri", ""},
	{"haproxy", "X-Original-Method", "X-Original-Uri", ""},
	{"apache", "X-Original-Method", "X-Original-Uri", ""},
	{"ingress-nginx", "X-Original-Method", "X-Original-URL", "https://app.example"},
	{"caddy", "X-Forwarded-Method", "X-Forwarded-Uri", ""},
	{"traefik", "X-Forwarded-Method", "X-Forwarded-Uri", ""},
	{"envoy", "", "", ""},
}

// ask asks the door of the dialect about a request to the guard's API.
func (d dialect) ask(t *testing.T, s *hallpasstest.Server, guard, method, target string, headers ...string) answer {
	t.Helper()
	if d.method == "" {
		return raw(t, s, method+" /guard/"+d.name+"/"+guard+target, headers...)
	}
	return raw(t, s, "GET /guard/"+d.name+"/"+guard, append(headers, d.method+": "+method, d.target+": "+d.before+target)...)
}

// TestVectors asks every door about the paths of docs/guard/protocol.md.
func TestVectors(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	for _, tt := range []struct {
		allow   bool
		targets []string
	}{
		{true, []string{"/api/x", "/api/", "/api/x%20y", "/api/caf%C3%A9", "/api/a:b@c~d", "/%61pi/x", "/api/x?u=/../y", "/api/x?", "/api/x??%zz=%00"}},
		{false, []string{
			"/api//x", "//api/x", "/api/./x", "/api/../admin/x", "/admin/../api/x", "/api/%2e%2e/admin/x", "/api/..%2fadmin", "/api/%2E./admin", "/api/.%2e", "/api/..",
			"/api/a%2Fb", "/api/a%5cb", `/api\..\admin`, `/api/..\admin`, "/api/x;v=1", "/api/..;/admin", "/api/x%3b", "/api/x%00", "/api/x%0a", "/api/x%7f", "/api/x%zz", "/api/x%", "/api/x%2",
			"/api/x%3fq", "/api/x%23", "/api/a%252e%252e/b", "/api/%252e%252e/admin", "http://evil.test/api/x", "*", "/api/x#f", "/api/x\x80", "/api/x\"y", "/api/x<y", "/api/x^", "/api/x`", "/api/{x}", "/api/x|y",
			"/api", "/API/x", "/admin/x", "/", "api/x", "?/api/x", "/%2fapi/x", "/api%2fx", "/api/%ff", "/api/%c0%ae%c0%ae/admin", "/api/%2e%2e%2fadmin/x",
		}},
	} {
		for _, target := range tt.targets {
			for _, d := range dialects {
				r := d.ask(t, s, "app", "GET", target, "Authorization: Bearer "+key)
				switch unread := d.method == "" && r.StatusCode == http.StatusBadRequest; { // net/http refuses it before we see it
				case tt.allow && r.StatusCode != http.StatusOK, !tt.allow && r.StatusCode != http.StatusForbidden && !unread:
					t.Errorf("%s: GET %q: %d %s, want it allowed: %v", d.name, target, r.StatusCode, r.text, tt.allow)
				case !tt.allow && !unread && r.reason(t) == "":
					t.Errorf("%s: GET %q is refused without a reason", d.name, target)
				}
			}
		}
	}
}

// TestOriginalRequest leaves out, repeats and empties each header of the original
// request, and adds those of other dialects, which say something else.
func TestOriginalRequest(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	auth := "Authorization: Bearer " + key
	others := []string{
		"X-Original-Method: GET", "X-Original-Uri: /api/x", "X-Original-URL: https://app.example/api/x", "X-Forwarded-Method: GET", "X-Forwarded-Uri: /api/x",
		"X-Rewrite-Url: /api/x", "X-Original-Url: /api/x", "X-Http-Method-Override: GET", "X-Http-Method: GET", "X-Method-Override: GET", "X-Forwarded-Prefix: /api", "Forwarded: for=1.2.3.4",
	}
	for _, d := range dialects {
		door := "GET /guard/" + d.name + "/app"
		foreign := slices.DeleteFunc(slices.Clone(others), func(line string) bool {
			name, _, _ := strings.Cut(strings.ToLower(line), ":")
			return name == strings.ToLower(d.method) || name == strings.ToLower(d.target)
		})
		if r := d.ask(t, s, "app", "GET", "/api/x", append(foreign, auth)...); r.StatusCode != 200 {
			t.Errorf("%s, with what others send: %d %s", d.name, r.StatusCode, r.text)
		}
		if r := d.ask(t, s, "app", "DELETE", "/admin/x", append(foreign, auth)...); r.StatusCode != 403 || r.reason(t) != "guard.role" {
			t.Errorf("%s, with what others send: %d %s", d.name, r.StatusCode, r.text)
		}
		if d.method == "" {
			continue
		}
		method, target := d.method+": GET", d.target+": "+d.before+"/api/x"
		for name, headers := range map[string][]string{
			"nothing": {}, "others' alone": foreign, "no method": {target}, "no target": {method}, "an empty method": {d.method + ":", target}, "an empty target": {method, d.target + ":"},
			"two methods": {method, method, target}, "two targets": {method, target, target}, "a target in another case": {method, target, strings.ToLower(target)},
			"another method first": {d.method + ": DELETE", method, target}, "an empty target more": {method, target, d.target + ":"},
		} {
			if r := raw(t, s, door, append(headers, auth)...); r.StatusCode != 403 || r.reason(t) != "original-request-unknown" {
				t.Errorf("%s, %s: %d %s", d.name, name, r.StatusCode, r.text)
			}
			if r := raw(t, s, door, headers...); r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != `Bearer realm="hallpass"` {
				t.Errorf("%s, %s, without a token: %d %s", d.name, name, r.StatusCode, r.text)
			}
		}
	}
}

// TestUntrustedPeer asks as a peer that is no trusted proxy: what it writes about an
// original request is not read. A request that is itself the original is.
func TestUntrustedPeer(t *testing.T) {
	for name, configure := range map[string]func(*server.Config){
		"no proxy is trusted": func(*server.Config) {},
		"another one is":      func(c *server.Config) { c.Server.TrustedProxies = []string{"192.0.2.1"} },
	} {
		s := hallpasstest.New(t, configure)
		_, key := token(t, s, "reader", "Viewer")
		newGuard(t, s.Store(), app)
		for _, d := range dialects {
			r := d.ask(t, s, "app", "GET", "/api/x", "Authorization: Bearer "+key, "X-Real-Ip: 198.51.100.7")
			if d.method == "" {
				if r.StatusCode != 200 {
					t.Errorf("%s, %s: %d %s", name, d.name, r.StatusCode, r.text)
				}
			} else if r.StatusCode != 403 || r.reason(t) != "original-request-unknown" {
				t.Errorf("%s, %s: %d %s", name, d.name, r.StatusCode, r.text)
			}
		}
	}
}

// TestDoorSpellings asks at URLs that a mux would clean, and with queries.
func TestDoorSpellings(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	newGuard(t, s.Store(), hallpass.Guard{Name: "open", Org: 1, Rules: []hallpass.GuardRule{{Path: "/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedNothing}}}})
	for _, tt := range []struct {
		path   string
		status int
	}{
		{"/guard/nginx/app", 200}, {"/guard/nginx/app/", 200}, {"/guard/nginx/app?", 200}, {"/guard/nginx/app?guard=other&uri=/admin/x", 200}, {"/guard/nginx/app?/../../verify", 200},
		{"http://elsewhere.example/guard/nginx/app", 200}, {"http://elsewhere.example?/guard/nginx/app", 404},
		{"/guard/nginx/app//", 403}, {"/guard/nginx//app", 403}, {"/guard/nginx/a//b", 403}, {"/guard/nginx/app/x", 403}, {"/guard/nginx/./app", 403}, {"/guard/nginx/x/../app", 403}, {"/guard/nginx/%61pp", 403},
		{"/guard/nginx/app%2e", 403}, {"/guard/nginx/app%2f", 403}, {"/guard/nginx/APP", 403}, {"/guard/nginx/app;x", 403}, {"/guard/nginx/app.", 403}, {"/guard/nginx/ap", 403}, {"/guard/nginx", 403}, {"/guard/nginx/", 403},
		{"/guard/nginx/*", 403}, {"/guard/nginx/app#", 403}, {"/guard/nginx/" + strings.Repeat("a", 9000), 403}, {"/guard/caddy/app", 403}, {"/guard/ingress-nginx/app", 403},
		{"/guard//nginx/app", 404}, {"/guard/../guard/nginx/app", 404}, {"/guard/./nginx/app", 404}, {"/guard/%6eginx/app", 404}, {"/guard/NGINX/app", 404}, {"/guard/nosuch/app", 404}, {"//guard/nginx/app", 404}, {"/guar%64/nginx/app", 404},
		{"/guard/verify", 200}, {"/guard/verify/", 200}, {"/guard/verify?x", 200}, {"/guard/verify//", 404}, {"/guard/verify/app", 404}, {"/guard/", 404},
		{"/guard/envoy/app/api/x", 200}, {"/guard/envoy/app/api/x?q", 200}, {"/guard/envoy/app/api/", 200}, {"/guard/envoy/app", 403}, {"/guard/envoy/app/", 403}, {"/guard/envoy/app?/api/x", 403}, {"/guard/envoy/app//api/x", 403},
		{"/guard/envoy/app/api//x", 403}, {"/guard/envoy/app/api/../x", 403}, {"/guard/envoy/app/%2e%2e/open/x", 403}, {"/guard/envoy/app/../open/x", 403}, {"/guard/envoy/./app/api/x", 403}, {"/guard/envoy//app/api/x", 403},
		{"/guard/envoy/%61pp/api/x", 403}, {"/guard/envoy", 403}, {"/guard/envoy/", 403}, {"/guard/envoy//", 403}, {"/guard/envoy?/app/api/x", 403},
	} {
		r := raw(t, s, "GET "+tt.path, "Authorization: Bearer "+key, "X-Original-Method: GET", "X-Original-Uri: /api/x")
		if r.StatusCode != tt.status || r.Header.Get("Location") != "" || r.Header.Get("Cache-Control") != "no-store" && strings.HasPrefix(tt.path, "/guard/") {
			t.Errorf("%.60s: %d %s %v, want %d", tt.path, r.StatusCode, r.text, r.Header, tt.status)
		}
	}
}

// TestRemovedByEnvoy has Envoy, and no other proxy, told over HTTP what the API must not
// get: the token, and what the client sent under names that read as ours. Nothing that the
// answer sets is among it: Envoy removes after it has set.
func TestRemovedByEnvoy(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	g := app
	g.Rules = append([]hallpass.GuardRule{{Path: "/open", Need: hallpass.Need{Kind: hallpass.NeedNothing}}}, app.Rules...)
	newGuard(t, s.Store(), g)
	g.Name, g.JWT = "signed", true
	newGuard(t, s.Store(), g)
	auth := "Authorization: Bearer " + key
	for _, tt := range []struct {
		name, guard, target string
		headers             []string
		want                string
	}{
		{"a token", "app", "/api/x", []string{auth}, "authorization"},
		{"nobody", "app", "/open", nil, "authorization"},
		{"our names", "app", "/api/x", []string{auth, "X-Hallpass-Role: Admin", "X-Hallpass-Account: admin"}, "authorization"},
		{"names that read as ours", "app", "/api/x", []string{auth, "X_Hallpass_Role: Admin", "x.hallpass-role: Admin", "X-Hallpass-Jwt: e30", "X-Hallpas: a", "X-Other: b"}, "authorization, x-hallpass-jwt, x.hallpass-role, x_hallpass_role"},
		{"a signed identity", "signed", "/api/x", []string{auth, "X-Hallpass-Jwt: e30", "X_Hallpass_Jwt: e30"}, "authorization, x_hallpass_jwt"},
		{"refused", "app", "/admin/x", []string{auth, "X_Hallpass_Role: Admin"}, ""},
		{"no token", "app", "/api/x", nil, ""},
	} {
		for _, d := range dialects {
			want := tt.want
			if d.name != "envoy" {
				want = ""
			}
			r := d.ask(t, s, tt.guard, "GET", tt.target, tt.headers...)
			if got := r.Header.Values("X-Envoy-Auth-Headers-To-Remove"); strings.Join(got, " and ") != want || (r.StatusCode == 200) != (tt.want != "") {
				t.Errorf("%s, %s: %d, removed is %q, want %q", d.name, tt.name, r.StatusCode, got, want)
			}
		}
	}
}

// TestMethods sends original requests with any method, and asks with any.
func TestMethods(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	auth := "Authorization: Bearer " + key
	for method, status := range map[string]int{"GET": 200, "HEAD": 200, "get": 403, "Get": 403, "POST": 403, "DELETE": 403, "OPTIONS": 403, "PURGE": 403, "GETT": 403, "GE": 403} {
		for _, d := range dialects {
			if r := d.ask(t, s, "app", method, "/api/x", auth, "X-Http-Method-Override: GET"); r.StatusCode != status || status == 403 && r.reason(t) != "guard.no-rule" {
				t.Errorf("%s: %s: %d %s", d.name, method, r.StatusCode, r.text)
			}
		}
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE", "get"} {
		if r := raw(t, s, method+" /guard/nginx/app", auth, "X-Original-Method: GET", "X-Original-Uri: /api/x", "Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"); r.StatusCode != 200 || r.text != "" {
			t.Errorf("asked with %s: %d %s", method, r.StatusCode, r.text)
		}
	}
}

// TestLongTargets asks about targets as long as proxies pass on.
func TestLongTargets(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	newGuard(t, s.Store(), app)
	for _, n := range []int{9_000, 16 << 10, 24 << 10} {
		for _, d := range dialects {
			for target, status := range map[string]int{"/api/" + strings.Repeat("x", n): 200, "/api/x?" + strings.Repeat("q", n): 200, "/admin/" + strings.Repeat("x", n): 403} {
				if r := d.ask(t, s, "app", "GET", target, "Authorization: Bearer "+key); r.StatusCode != status || len(r.text) > 1024 {
					t.Errorf("%s: a target of %d bytes, %.20s: %d %s", d.name, len(target), target, r.StatusCode, r.text)
				}
			}
		}
	}
	for _, d := range dialects {
		if r := d.ask(t, s, "app", "GET", "/api/"+strings.Repeat("x", 33<<10), "Authorization: Bearer "+key); r.StatusCode != 403 || r.reason(t) != "original-request-too-large" {
			t.Errorf("%s: a target beyond what is taken: %d %s", d.name, r.StatusCode, r.text)
		}
		if r := d.ask(t, s, "app", "GET", "/api/x", slices.Repeat([]string{"X-A: b"}, 120)...); r.StatusCode != 403 || r.reason(t) != "original-request-too-large" {
			t.Errorf("%s: many headers: %d %s", d.name, r.StatusCode, r.text)
		}
	}
	if r := raw(t, s, "GET /guard/verify", "Authorization: Bearer "+key, "X-A: "+strings.Repeat("x", 33<<10)); r.StatusCode != 431 {
		t.Errorf("verify, with a header beyond what is taken: %d %s", r.StatusCode, r.text)
	}
}

// TestCredentials presents tokens in every way, good ones and others.
func TestCredentials(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, key := token(t, s, "reader", "Viewer")
	_, second := token(t, s, "second", "Viewer")
	newGuard(t, s.Store(), app)
	const plain, invalid = `Bearer realm="hallpass"`, `Bearer realm="hallpass", error="invalid_token"`
	for _, tt := range []struct {
		name      string
		headers   []string
		status    int
		challenge string
	}{
		{"a token", []string{"Authorization: Bearer " + key}, 200, ""},
		{"nothing", nil, 401, plain},
		{"an empty field, as some proxies send", []string{"Authorization:"}, 401, plain},
		{"two fields", []string{"Authorization: Bearer " + key, "Authorization: Bearer " + second}, 401, invalid},
		{"the same twice", []string{"Authorization: Bearer " + key, "authorization: Bearer " + key}, 401, invalid},
		{"an empty field more", []string{"Authorization: Bearer " + key, "Authorization:"}, 401, invalid},
		{"joined, as Apache does", []string{"Authorization: Bearer " + key + ", Bearer " + second}, 401, invalid},
		{"joined with itself", []string{"Authorization: Bearer " + key + ", Bearer " + key}, 401, invalid},
		{"a password", []string{"Authorization: Basic YWRtaW46eA=="}, 401, invalid},
		{"a token nobody made", []string{"Authorization: Bearer glsa_x"}, 401, invalid},
		{"in the original request's query", []string{"X-Original-Uri: /api/x?auth_token=" + key}, 401, plain},
	} {
		for _, d := range dialects {
			r := d.ask(t, s, "app", "GET", "/api/x", tt.headers...)
			if got := r.Header.Values("WWW-Authenticate"); r.StatusCode != tt.status || strings.Join(got, "|") != tt.challenge || r.reason(t) != "" {
				t.Errorf("%s, %s: %d %q %s", d.name, tt.name, r.StatusCode, got, r.text)
			}
			for i, name := range identity {
				want := []string{account, "sa-1-reader", "1", "Viewer", "1", "-"}[i : i+1]
				if tt.status != 200 {
					want = nil
				}
				if got := r.Header.Values(name); !slices.Equal(got, want) {
					t.Errorf("%s, %s: %s is %q, want %q", d.name, tt.name, name, got, want)
				}
			}
			if strings.Contains(fmt.Sprint(r.Header, r.text), key) {
				t.Errorf("%s, %s: the answer holds the token", d.name, tt.name)
			}
		}
	}
}

// TestWithoutToken asks for what everybody may do.
func TestWithoutToken(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	g := app
	g.Name, g.AllowPreflight = "open", true
	g.Rules = append([]hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/-/healthy", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
		{Path: "/t/{id}", Need: hallpass.Need{Kind: hallpass.NeedNothing}, Set: map[string]string{"X-Id": "{id}", "X-By": "{caller.account}"}},
	}, app.Rules...)
	newGuard(t, s.Store(), g)
	newGuard(t, s.Store(), app)
	preflight := []string{"Origin: https://app.example", "Access-Control-Request-Method: DELETE"}
	for _, tt := range []struct {
		guard, method, target string
		headers               []string
		status                int
	}{
		{"open", "GET", "/-/healthy", nil, 200},
		{"open", "HEAD", "/-/healthy?x", nil, 200},
		{"open", "POST", "/-/healthy", nil, 401},
		{"open", "GET", "/-//healthy", nil, 401},
		{"open", "GET", "/t/7", nil, 200},
		{"open", "GET", "/t/a:b", nil, 401}, // captured, it could mean another scope
		{"open", "GET", "/api/x", nil, 401},
		{"open", "OPTIONS", "/api/x", preflight, 200},
		{"open", "OPTIONS", "/nothing", preflight, 200},
		{"open", "OPTIONS", "/api//x", preflight, 401},
		{"open", "GET", "/api/x", preflight, 401},
		{"open", "OPTIONS", "/api/x", preflight[:1], 401},
		{"open", "OPTIONS", "/api/x", append(preflight, preflight...), 401},
		{"app", "OPTIONS", "/api/x", preflight, 401},
		{"nosuch", "GET", "/-/healthy", nil, 401},
	} {
		for _, d := range dialects {
			r := d.ask(t, s, tt.guard, tt.method, tt.target, tt.headers...)
			if r.StatusCode != tt.status {
				t.Errorf("%s: %s %s of %s: %d %s, want %d", d.name, tt.method, tt.target, tt.guard, r.StatusCode, r.text, tt.status)
			}
			for _, name := range identity {
				if got := r.Header.Values(name); r.StatusCode == 200 && (len(got) != 1 || got[0] != "-") {
					t.Errorf("%s: nobody has the %s %q", d.name, name, got)
				}
			}
			if tt.target == "/t/7" && (r.Header.Get("X-Id") != "7" || r.Header.Get("X-By") != "-") {
				t.Errorf("%s: the rule sets %v", d.name, r.Header)
			}
		}
	}
	if r := dialects[0].ask(t, s, "open", "GET", "/-/healthy", "Authorization: Bearer "+key); r.StatusCode != 200 || r.Header.Get("X-Hallpass-Account") != "sa-1-reader" {
		t.Errorf("with a token: %d %v", r.StatusCode, r.Header)
	}
	if r := dialects[0].ask(t, s, "open", "GET", "/-/healthy", "Authorization: Bearer "+key+"x"); r.StatusCode != 401 {
		t.Errorf("with a bad token: %d", r.StatusCode)
	}
}

// TestCaptures asks for tenants, in the path and in a header.
func TestCaptures(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	account, key := token(t, s, "reader", "Viewer")
	permit(t, s, account, `{"action":"loki:read","scope":"loki:tenants:a"},{"action":"loki:read","scope":"loki:tenants:b"}`)
	need := func(scope string) hallpass.Need {
		return hallpass.Need{Kind: hallpass.NeedPermission, Action: "loki:read", Scope: scope}
	}
	newGuard(t, s.Store(), hallpass.Guard{Name: "loki", Org: 1, Rules: []hallpass.GuardRule{
		{Path: "/t/{tenant}/q", Need: need("loki:tenants:{tenant}"), Set: map[string]string{"X-Scope-OrgID": "{tenant}", "X-Who": "{caller.account}/{caller.account_id}/{caller.org_id}/{caller.role}/{caller.token_id}"}},
		{Path: "/one", Need: need("loki:tenants:{tenant}"), Captures: map[string]string{"tenant": "header:X-Scope-OrgID"}, Set: map[string]string{"X-Scope-OrgID": "{tenant}"}},
		{Path: "/many", Need: need("loki:tenants:{tenant}"), Captures: map[string]string{"tenant": "header:X-Scope-OrgID"}, Split: "|", Set: map[string]string{"X-Scope-OrgID": "{tenant}"}},
	}})
	tenant := func(values ...string) (headers []string) {
		for _, v := range values {
			headers = append(headers, "X-Scope-OrgID: "+v)
		}
		return headers
	}
	for _, tt := range []struct {
		target  string
		headers []string
		reason  string // "": allowed
		set     string
	}{
		{"/t/a/q", tenant("c"), "", "a"}, {"/t/%61/q", nil, "", "a"}, {"/t/c/q", tenant("a"), "guard.permission", ""}, {"/t/a%7cb/q", nil, "guard.capture", ""}, {"/t/*/q", nil, "guard.capture", ""},
		{"/one", tenant("a"), "", "a"}, {"/one", tenant("c"), "guard.permission", ""}, {"/one", nil, "guard.capture", ""}, {"/one", tenant("a", "a"), "guard.capture", ""}, {"/one", tenant("a|b"), "guard.capture", ""},
		{"/one", tenant("*"), "guard.capture", ""}, {"/one", tenant("a, b"), "guard.capture", ""}, {"/one", tenant("a:b"), "guard.capture", ""}, {"/one", tenant(""), "guard.capture", ""}, {"/one", tenant(strings.Repeat("a", 201)), "guard.capture", ""},
		{"/many", tenant("a|b"), "", "a|b"}, {"/many", tenant("b"), "", "b"}, {"/many", tenant("a|c"), "guard.permission", ""}, {"/many", tenant("a|"), "guard.capture", ""}, {"/many", tenant("|"), "guard.capture", ""}, {"/many", tenant("a", "b"), "guard.capture", ""},
	} {
		for _, d := range dialects {
			r := d.ask(t, s, "loki", "GET", tt.target, append(tt.headers, "Authorization: Bearer "+key)...)
			if r.reason(t) != tt.reason || r.StatusCode == 200 != (tt.reason == "") || strings.Join(r.Header.Values("X-Scope-OrgID"), "+") != tt.set {
				t.Errorf("%s: %s with %.60q: %d %s %v, want %q", d.name, tt.target, tt.headers, r.StatusCode, r.text, r.Header, tt.reason)
			}
			if want := account + "/1/Viewer/1"; strings.HasPrefix(tt.target, "/t/a/") && r.Header.Get("X-Who") != "sa-1-reader/"+want {
				t.Errorf("%s: who: %q", d.name, r.Header.Get("X-Who"))
			}
		}
	}
	r := dialects[0].ask(t, s, "loki", "GET", "/one", "X-Scope-OrgID: c", "Authorization: Bearer "+key)
	var body struct{ Message, MessageID string }
	if err := json.Unmarshal([]byte(r.text), &body); err != nil || !strings.Contains(body.Message, "loki:read") || !strings.Contains(body.Message, "loki:tenants:c") || !strings.Contains(body.Message, "guard loki") || body.MessageID != "guard.permission" {
		t.Errorf("the refusal does not name what is missing: %v %s", err, r.text)
	}
	if r := dialects[0].ask(t, s, "loki", "GET", "/one", "X-Scope-OrgID: "+strings.Repeat("<", 200), "Authorization: Bearer "+key); r.StatusCode != 403 || len(r.text) > 1024 || json.Unmarshal([]byte(r.text), &body) != nil {
		t.Errorf("%d, %d bytes: %s", r.StatusCode, len(r.text), r.text)
	}
}

// TestReasonsAreExplained finds every reason of a 403 in the manual.
func TestReasonsAreExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/guard/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{
		"original-request-unknown", "original-request-too-large", "path-not-canonical", "guard.unknown", "guard.suspended", "guard.other-org", "guard.no-rule", "guard.capture", "guard.role", "guard.permission",
	} {
		if !strings.Contains(string(page), "\n| `"+reason+"` | ") {
			t.Errorf("the manual does not say what to do about %s", reason)
		}
	}
}

// TestOtherOrgs asks with a token of another org, and about guards that are none.
func TestOtherOrgs(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "reader", "Viewer")
	if r := s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Other"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	g := app
	g.Name, g.Org, g.AllowPreflight = "theirs", 2, true
	g.Rules = append([]hallpass.GuardRule{{Path: "/open", Need: hallpass.Need{Kind: hallpass.NeedNothing}}}, app.Rules...)
	newGuard(t, s.Store(), g)
	auth := "Authorization: Bearer " + key
	for _, d := range dialects {
		for _, target := range []string{"/api/x", "/open", "/nothing", "/api//x"} {
			if r := d.ask(t, s, "theirs", "GET", target, auth); r.StatusCode != 403 || r.reason(t) != "guard.other-org" {
				t.Errorf("%s: %s: %d %s", d.name, target, r.StatusCode, r.text)
			}
		}
		if r := d.ask(t, s, "nosuch", "GET", "/api/x", auth); r.StatusCode != 403 || r.reason(t) != "guard.unknown" {
			t.Errorf("%s: no such guard: %d %s", d.name, r.StatusCode, r.text)
		}
	}
}
