package guard_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// envoyed starts a server that answers Envoy on both ports, and trusts the test as a
// proxy.
func envoyed(t testing.TB, configure ...func(*server.Config)) *hallpasstest.Server {
	t.Helper()
	return hallpasstest.New(t, append([]func(*server.Config){func(c *server.Config) {
		c.Server.TrustedProxies, c.Guard.GRPCListen = []string{"127.0.0.1", "10.0.0.0/8"}, "127.0.0.1:0"
	}}, configure...)...)
}

// dial returns a connection of gRPC without TLS, as Envoy makes it.
func dial(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // a test may have closed it
	return conn
}

// onBothPorts runs the test on the main port and on that of gRPC alone.
func onBothPorts(t *testing.T, s *hallpasstest.Server, test func(*testing.T, authv3.AuthorizationClient)) {
	t.Helper()
	for name, address := range map[string]string{"main port": strings.TrimPrefix(s.URL, "http://"), "grpc_listen": s.GRPCAddress()} {
		t.Run(name, func(t *testing.T) { test(t, authv3.NewAuthorizationClient(dial(t, address))) })
	}
}

// asked is what Envoy tells of a request: the headers in a map, by small letters, with
// those of the first line among them.
func asked(guard, method, path string, headers ...string) *authv3.CheckRequest {
	h := map[string]string{":method": method, ":path": path, ":authority": "app.example.com", ":scheme": "http", "user-agent": "curl/8", "x-request-id": "0b1c"}
	for _, s := range headers {
		name, value, _ := strings.Cut(s, ": ")
		name = strings.ToLower(name)
		if before, repeated := h[name]; repeated {
			value = before + "," + value
		}
		h[name] = value
	}
	q := &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "192.0.2.7", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 41414},
		}}}},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Id: "1", Method: method, Path: path, Host: "app.example.com", Scheme: "http", Protocol: "HTTP/1.1", Headers: h,
		}},
	}}
	if guard != "" {
		q.Attributes.ContextExtensions = map[string]string{"guard": guard}
	}
	return q
}

// listed is asked as Envoy tells it with encode_raw_headers.
func listed(q *authv3.CheckRequest, headers ...string) *authv3.CheckRequest {
	r := q.Attributes.Request.Http
	r.HeaderMap = &corev3.HeaderMap{}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		headers = append(headers, name+": "+r.Headers[name])
	}
	for _, s := range headers {
		name, value, _ := strings.Cut(s, ": ")
		r.HeaderMap.Headers = append(r.HeaderMap.Headers, &corev3.HeaderValue{Key: name, RawValue: []byte(value)})
	}
	r.Headers = nil
	return q
}

// check asks, and holds the answer to what Envoy needs.
func check(t testing.TB, client authv3.AuthorizationClient, q *authv3.CheckRequest) reply {
	t.Helper()
	r, err := client.Check(t.Context(), q)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return read(t, r)
}

// reply is an answer in terms of HTTP.
type reply struct {
	status  int
	headers map[string]string
	removed []string
	body    string
}

// read holds the answer to what every answer must be.
func read(t testing.TB, r *authv3.CheckResponse) (a reply) {
	t.Helper()
	var headers []*corev3.HeaderValueOption
	switch r := r.HttpResponse.(type) {
	case *authv3.CheckResponse_OkResponse:
		a.status, a.removed, headers = 200, r.OkResponse.HeadersToRemove, r.OkResponse.Headers
	case *authv3.CheckResponse_DeniedResponse:
		a.status, a.body, headers = int(r.DeniedResponse.GetStatus().GetCode()), r.DeniedResponse.Body, r.DeniedResponse.Headers
	}
	if ok := r.GetStatus().GetCode() == int32(codes.OK); ok != (a.status == 200) || !slices.Contains([]int{200, 401, 403, 503}, a.status) {
		t.Errorf("status %d with the code %d", a.status, r.GetStatus().GetCode())
	}
	a.headers = make(map[string]string)
	for _, h := range headers {
		key := h.GetHeader().GetKey()
		//lint:ignore SA1019 Envoy still reads Append
		if _, twice := a.headers[key]; twice || key != strings.ToLower(key) || h.Header.Value == "" || h.AppendAction != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD || h.Append != nil {
			t.Errorf("header %v: it must overwrite, once, and hold something", h)
		}
		if slices.Contains(a.removed, key) {
			t.Errorf("%s is set and then removed", key)
		}
		a.headers[key] = h.Header.Value
	}
	if a.status != 200 {
		if !strings.HasPrefix(a.body, `{"message":`) || a.headers["content-type"] != "application/json; charset=UTF-8" || a.headers["cache-control"] != "no-store" {
			t.Errorf("%d: %v %s", a.status, a.headers, a.body)
		}
		for status, name := range map[int]string{401: "www-authenticate", 403: "x-hallpass-reason", 503: "retry-after"} {
			if (a.headers[name] != "") != (a.status == status) {
				t.Errorf("%d with %s %q", a.status, name, a.headers[name])
			}
		}
		return a
	}
	for _, name := range identity {
		if a.headers[strings.ToLower(name)] == "" {
			t.Errorf("%s is left to the client", name)
		}
	}
	if !slices.Contains(a.removed, "authorization") {
		t.Errorf("the API gets the token: removed are %v", a.removed)
	}
	return a
}

// reason is why a request was refused.
func (a reply) reason() string {
	if a.status != 403 {
		return a.headers["www-authenticate"]
	}
	return a.headers["x-hallpass-reason"]
}

// mesh guards an API that readers may read below /api/, nobody below /admin/ but admins,
// and everybody at /open.
var mesh = hallpass.Guard{Org: 1, Name: "app", AllowPreflight: true, Rules: []hallpass.GuardRule{
	{Methods: []string{"GET", "POST"}, Path: "/api/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}},
	{Path: "/admin/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleAdmin}},
	{Methods: []string{"GET"}, Path: "/open", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
	{Methods: []string{"GET"}, Path: "/logs", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer},
		Captures: map[string]string{"tenant": "header:X-Scope-OrgID"}, Set: map[string]string{"X-Scope-OrgID": "{tenant}", "X-Who": "{caller.account}"}},
}}

const plain, invalid = `Bearer realm="hallpass"`, `Bearer realm="hallpass", error="invalid_token"`

// TestExtAuthz asks over gRPC what Envoy asks.
func TestExtAuthz(t *testing.T) {
	s := envoyed(t)
	account, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	good := "Authorization: Bearer " + key
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		for _, tt := range []struct {
			name   string
			ask    *authv3.CheckRequest
			status int
			why    string
		}{
			{"allowed", asked("app", "GET", "/api/x?q=1", good), 200, ""},
			{"HEAD is GET", asked("app", "HEAD", "/api/x", good), 200, ""},
			{"raw headers", listed(asked("app", "GET", "/api/x", good)), 200, ""},
			{"public, without a token", asked("app", "GET", "/open"), 200, ""},
			{"public, with a token", asked("app", "GET", "/open", good), 200, ""},
			{"public, with a bad token", asked("app", "GET", "/open", good+"x"), 401, invalid},
			{"a preflight", asked("app", "OPTIONS", "/api/x", "Origin: https://a.example", "Access-Control-Request-Method: PUT"), 200, ""},
			{"a preflight of no browser", asked("app", "OPTIONS", "/api/x", "Origin: https://a.example"), 401, plain},
			{"no token", asked("app", "GET", "/api/x"), 401, plain},
			{"an unknown token", asked("app", "GET", "/api/x", "Authorization: Bearer "+secret.NewToken().Reveal()), 401, invalid},
			{"a password", asked("app", "GET", "/api/x", "Authorization: Basic YWRtaW46eA=="), 401, invalid},
			{"two tokens, joined", asked("app", "GET", "/api/x", good, good), 401, invalid},
			{"two tokens, the first empty", asked("app", "GET", "/api/x", "Authorization: ", good), 401, invalid},
			{"two tokens, raw", listed(asked("app", "GET", "/api/x", good), "authorization: Bearer "+key), 401, invalid},
			{"two tokens, raw, in two spellings", listed(asked("app", "GET", "/api/x", good), "Authorization: Bearer "+key), 401, invalid},
			{"a token in other headers", asked("app", "GET", "/api/x", "X-Api-Key: "+key, "Proxy-Authorization: Bearer "+key, "Cookie: grafana_session="+key), 401, plain},
			{"a token in the query", asked("app", "GET", "/api/x?access_token="+key), 401, plain},
			{"the role is too low", asked("app", "GET", "/admin/x", good), 403, "guard.role"},
			{"another method", asked("app", "DELETE", "/api/x", good), 403, "guard.no-rule"},
			{"a method in small letters", asked("app", "get", "/api/x", good), 403, "guard.no-rule"},
			{"a method override", asked("app", "DELETE", "/api/x", good, "X-HTTP-Method-Override: GET", "X-Original-Method: GET", "X-Forwarded-Method: GET"), 403, "guard.no-rule"},
			{"the path of another profile", asked("app", "GET", "/admin/x", good, "X-Original-Uri: /api/x", "X-Forwarded-Uri: /api/x", "X-Envoy-Original-Path: /api/x"), 403, "guard.role"},
			{"the path in the pseudo header alone", withPath(asked("app", "GET", "/api/x", good), ""), 403, "original-request-unknown"},
			{"no method", asked("app", "", "/api/x", good), 403, "original-request-unknown"},
			{"no guard", asked("", "GET", "/api/x", good), 403, "guard.unknown"},
			{"no guard and no token", asked("", "GET", "/api/x"), 401, plain},
			{"an unknown guard", asked("nosuch", "GET", "/api/x", good), 403, "guard.unknown"},
			{"a guard in a header of the client", asked("", "GET", "/api/x", good, "guard: app", "X-Hallpass-Guard: app"), 403, "guard.unknown"},
			{"nothing at all", &authv3.CheckRequest{}, 401, plain},
			{"a body", withBody(asked("app", "POST", "/api/x", good)), 200, ""},
			{"a capture", asked("app", "GET", "/logs", good, "X-Scope-OrgID: a"), 200, ""},
			{"a capture, raw", listed(asked("app", "GET", "/logs", good, "X-Scope-OrgID: a")), 200, ""},
			{"a capture, repeated", asked("app", "GET", "/logs", good, "X-Scope-OrgID: a", "X-Scope-OrgID: b"), 403, "guard.capture"},
			{"a capture, repeated, raw", listed(asked("app", "GET", "/logs", good, "X-Scope-OrgID: a"), "x-scope-orgid: b"), 403, "guard.capture"},
			{"no capture", asked("app", "GET", "/logs", good), 403, "guard.capture"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a := check(t, client, tt.ask)
				if a.status != tt.status || a.reason() != tt.why {
					t.Errorf("%d %s %s, want %d %s", a.status, a.reason(), a.body, tt.status, tt.why)
				}
				if strings.Contains(fmt.Sprint(a), key) {
					t.Error("the answer holds the token")
				}
			})
		}
		a := check(t, client, asked("app", "GET", "/logs", good, "X-Scope-OrgID: a", "X-Who: me"))
		want := map[string]string{
			"x-hallpass-account-id": account, "x-hallpass-account": "sa-1-ci", "x-hallpass-org-id": "1", "x-hallpass-role": "Viewer", "x-hallpass-token-id": "1", "x-hallpass-subject": "-",
			"x-scope-orgid": "a", "x-who": "sa-1-ci",
		}
		if !maps.Equal(a.headers, want) {
			t.Errorf("the API gets %v, want %v", a.headers, want)
		}
		if a := check(t, client, asked("app", "GET", "/open")); a.headers["x-hallpass-account"] != "-" || a.headers["x-hallpass-role"] != "-" {
			t.Errorf("of nobody the API is told %v", a.headers)
		}
	})
}

func withPath(q *authv3.CheckRequest, path string) *authv3.CheckRequest {
	q.Attributes.Request.Http.Path = path
	return q
}

func withBody(q *authv3.CheckRequest) *authv3.CheckRequest {
	q.Attributes.Request.Http.Body, q.Attributes.Request.Http.Size = strings.Repeat("x", 8192), 8192
	return q
}

// TestExtAuthzPaths has the vectors of canonical paths, as Envoy passes them on when it
// normalizes nothing.
func TestExtAuthzPaths(t *testing.T) {
	s := envoyed(t)
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		for path, why := range map[string]string{
			"/api/x": "", "/api/": "", "/api/x%20y": "", "/api/caf%C3%A9": "", "/api/a:b@c~d": "", "/%61pi/x": "", "/api/x?u=/../y": "", "/api/x?": "",
			"/api//x": "path-not-canonical", "//api/x": "path-not-canonical", "/api/./x": "path-not-canonical", "/api/../admin/x": "path-not-canonical", "/admin/../api/x": "path-not-canonical",
			"/api/%2e%2e/admin/x": "path-not-canonical", "/api/..%2fadmin": "path-not-canonical", "/api/a%2Fb": "path-not-canonical", "/api/a%5cb": "path-not-canonical", `/api\..\admin`: "path-not-canonical",
			"/api/x;v=1": "path-not-canonical", "/api/..;/admin": "path-not-canonical", "/api/x%00": "path-not-canonical", "/api/x%zz": "path-not-canonical", "/api/x%": "path-not-canonical",
			"/api/x%3fq": "path-not-canonical", "/api/x%23": "path-not-canonical", "/api/a%252e%252e/b": "path-not-canonical", "http://evil.test/api/x": "path-not-canonical", "*": "path-not-canonical",
			"/api/x#f": "path-not-canonical", "/api/é": "path-not-canonical", "/api/" + strings.Repeat("x", 9000): "",
			"/API/x": "guard.no-rule", "/apix": "guard.no-rule", "/": "guard.no-rule", "/%61dmin/x": "guard.role",
		} {
			a := check(t, client, asked("app", "GET", path, "Authorization: Bearer "+key))
			if (a.status == 200) != (why == "") || a.reason() != why {
				t.Errorf("%.60s: %d %s, want %q", path, a.status, a.reason(), why)
			}
		}
	})
}

// TestExtAuthzSpoofed has the client send identity headers in every spelling that some
// server reads as one of ours: none reaches the API.
func TestExtAuthzSpoofed(t *testing.T) {
	s := envoyed(t)
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	spoofed := []string{"X-Hallpass-Role: Admin", "X_Hallpass_Role: Admin", "X.Hallpass.Role: Admin", "x-hallpass_account-id: 1", "X-Hallpass-Jwt: e30", "X-Hallpass-Anything: 1", "X-Hallpass-Subject: me"}
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		for _, q := range []*authv3.CheckRequest{
			asked("app", "GET", "/api/x", append(spoofed, "Authorization: Bearer "+key)...),
			listed(asked("app", "GET", "/api/x", append(spoofed, "Authorization: Bearer "+key)...), "X-HALLPASS-ROLE: Admin", "X_HALLPASS_ROLE: Admin"),
			asked("app", "GET", "/open", spoofed...),
		} {
			a := check(t, client, q)
			gone := []string{"authorization", "x-hallpass-anything", "x-hallpass-jwt", "x-hallpass_account-id", "x.hallpass.role", "x_hallpass_role"}
			if got := slices.Sorted(slices.Values(a.removed)); a.status != 200 || !slices.Equal(slices.Compact(got), gone) {
				t.Errorf("%d, removed %v, want %v", a.status, a.removed, gone)
			}
			if a.headers["x-hallpass-role"] == "Admin" || a.headers["x-hallpass-subject"] != "-" {
				t.Errorf("the API is told %v", a.headers)
			}
		}
	})
}

// TestExtAuthzLarge has a request of 64 KB of headers, and messages larger than any
// that is taken: those fail, so that Envoy refuses.
func TestExtAuthzLarge(t *testing.T) {
	s := envoyed(t)
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	headers := []string{"Authorization: Bearer " + key}
	for i := range 128 {
		headers = append(headers, fmt.Sprintf("X-Large-%d: %s", i, strings.Repeat("x", 512)))
	}
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		if a := check(t, client, asked("app", "GET", "/api/x", headers...)); a.status != 200 {
			t.Errorf("64 KB of headers: %d %s", a.status, a.body)
		}
		large := asked("app", "GET", "/api/x", headers...)
		large.Attributes.Request.Http.Body = strings.Repeat("x", 2<<20)
		if r, err := client.Check(t.Context(), large); grpcstatus.Code(err) != codes.ResourceExhausted {
			t.Errorf("2 MB: %v, %v", r, err)
		}
		if a := check(t, client, asked("app", "GET", "/api/x", headers[0])); a.status != 200 {
			t.Errorf("after it: %d %s", a.status, a.body)
		}
	})
}

// TestExtAuthzRevoked revokes a token between two checks on one connection, and asks
// about another that no node has in memory.
func TestExtAuthzRevoked(t *testing.T) {
	s := envoyed(t)
	newGuard(t, s.Store(), mesh)
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		account, key := token(t, s, fmt.Sprintf("ci-%d", len(t.Name())), "Viewer")
		q := asked("app", "GET", "/api/x", "Authorization: Bearer "+key)
		for range 2 {
			if a := check(t, client, q); a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+account, `{"isDisabled":true}`); r.StatusCode != 200 {
			t.Fatal(r.Text)
		}
		if a := check(t, client, q); a.status != 401 || a.reason() != invalid {
			t.Errorf("after it was disabled: %d %s", a.status, a.reason())
		}
	})
	_, key := token(t, s, "cold", "Viewer")
	s.Restart(func(c *server.Config) {
		c.Server.TrustedProxies, c.Guard.GRPCListen = []string{"127.0.0.1"}, "127.0.0.1:0"
	})
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		if a := check(t, client, asked("app", "GET", "/api/x", "Authorization: Bearer "+key)); a.status != 200 {
			t.Errorf("cold: %d %s", a.status, a.body)
		}
	})
}

// TestExtAuthzConcurrent asks on many connections while tokens end: no check that
// begins after the answer lets the token pass.
func TestExtAuthzConcurrent(t *testing.T) {
	s := envoyed(t)
	newGuard(t, s.Store(), mesh)
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		const tokens = 8
		var ended [tokens]atomic.Bool
		var askers sync.WaitGroup
		var questions [tokens]*authv3.CheckRequest
		var accounts [tokens]string
		for i := range tokens {
			var key string
			accounts[i], key = token(t, s, fmt.Sprintf("ci-%d-%d", len(t.Name()), i), "Viewer")
			questions[i] = asked("app", "GET", "/api/x", "Authorization: Bearer "+key)
		}
		ctx, stop := context.WithCancel(t.Context())
		for i := range 2 * tokens {
			askers.Go(func() {
				for ctx.Err() == nil {
					over := ended[i%tokens].Load()
					r, err := client.Check(t.Context(), questions[i%tokens])
					if err != nil {
						t.Error(err)
						return
					}
					if a := read(t, r); over && a.status != 401 || !over && a.status != 200 && !ended[i%tokens].Load() && a.status != 401 {
						t.Errorf("%d, ended before: %v", a.status, over)
					}
				}
			})
		}
		for i := range tokens {
			if r := s.Do(hallpasstest.Admin, "DELETE", "/api/serviceaccounts/"+accounts[i], ""); r.StatusCode != 200 {
				t.Error(r.Text)
			}
			ended[i].Store(true)
		}
		for _, q := range questions {
			if a := check(t, client, q); a.status != 401 {
				t.Errorf("at the end: %d", a.status)
			}
		}
		stop()
		askers.Wait()
	})
}

// TestExtAuthzPeer asks from a peer that is no trusted proxy: nothing that it tells of
// the request counts, and a bad token is told first.
func TestExtAuthzPeer(t *testing.T) {
	s := envoyed(t, func(c *server.Config) { c.Server.TrustedProxies = []string{"10.0.0.0/8"} })
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
		for _, path := range []string{"/api/x", "/open"} {
			a := check(t, client, asked("app", "GET", path, "Authorization: Bearer "+key))
			if a.status != 403 || a.reason() != "original-request-unknown" {
				t.Errorf("%s: %d %s", path, a.status, a.reason())
			}
			if a := check(t, client, asked("app", "GET", path)); a.status != 401 {
				t.Errorf("%s without a token: %d", path, a.status)
			}
			if a := check(t, client, asked("app", "GET", path, "Authorization: Bearer "+key+"x")); a.status != 401 {
				t.Errorf("%s with a bad token: %d", path, a.status)
			}
		}
		if !strings.Contains(s.Log(), `"address":"127.0.0.1"`) || strings.Contains(s.Log(), "192.0.2.7") {
			t.Error("the log believes what a stranger tells")
		}
	})
}

// TestExtAuthzAddress looks at whose address the log has: that of the client, behind
// Envoy and what stands before it.
func TestExtAuthzAddress(t *testing.T) {
	s := envoyed(t)
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	for _, tt := range []struct {
		name, source, forwarded, want string
	}{
		{"the client at Envoy", "192.0.2.1", "", "192.0.2.1"},
		{"a client that tells another", "192.0.2.2", "198.51.100.1", "192.0.2.2"},
		{"the same, and Envoy adds it", "192.0.2.3", "198.51.100.1,192.0.2.3", "192.0.2.3"},
		{"a trusted proxy before Envoy", "10.1.2.3", "198.51.100.1, 192.0.2.4", "192.0.2.4"},
		{"the same, and Envoy adds it", "10.1.2.3", "192.0.2.5,10.1.2.3", "192.0.2.5"},
		{"no address", "", "192.0.2.6", "192.0.2.6"},
		{"IPv6", "2001:db8::7", "", "2001:db8::7"},
		{"what is no address", "@/run/envoy.sock", "192.0.2.8", "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onBothPorts(t, s, func(t *testing.T, client authv3.AuthorizationClient) {
				q := asked("app", "GET", "/none", "Authorization: Bearer "+key)
				q.Attributes.Source.Address.GetSocketAddress().Address = tt.source
				if tt.forwarded != "" {
					q.Attributes.Request.Http.Headers["x-forwarded-for"] = tt.forwarded
				}
				before := len(s.Log())
				check(t, client, q)
				hallpasstest.Eventually(t, "the line of the check", func() bool { return strings.Contains(s.Log()[before:], `"status":403`) })
				if !strings.Contains(s.Log()[before:], `"address":"`+tt.want+`"`) {
					t.Errorf("the log says %s, want %s", s.Log()[before:], tt.want)
				}
			})
		})
	}
}

// TestExtAuthzDrained stops a server while Envoy is connected: health says so at once,
// checks are answered as long as requests are, and then the connection ends.
func TestExtAuthzDrained(t *testing.T) {
	c := server.DefaultConfig()
	c.DataDir, c.Server.HTTPPort, c.Server.ShutdownDelay, c.Guard.GRPCListen = t.TempDir(), 0, "1s", "127.0.0.1:0"
	c.Security.AdminPassword = secret.NewText(hallpasstest.AdminPassword)
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	address, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	conns := []*grpc.ClientConn{dial(t, address), dial(t, s.GRPCAddress())}
	serving := func(conn *grpc.ClientConn) healthv1.HealthCheckResponse_ServingStatus {
		r, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "envoy.service.auth.v3.Authorization"})
		if err != nil {
			t.Fatal(err)
		}
		return r.Status
	}
	for _, conn := range conns {
		if got := serving(conn); got != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health says %v", got)
		}
		_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "nosuch"})
		if grpcstatus.Code(err) != codes.NotFound {
			t.Errorf("the health of what is not here: %v", err)
		}
	}
	stop()
	hallpasstest.Eventually(t, "health to say that it stops", func() bool { return serving(conns[1]) == healthv1.HealthCheckResponse_NOT_SERVING })
	for _, conn := range conns {
		if got := serving(conn); got != healthv1.HealthCheckResponse_NOT_SERVING {
			t.Errorf("health says %v while the server stops", got)
		}
		if a := check(t, authv3.NewAuthorizationClient(conn), asked("app", "GET", "/api/x")); a.status != 401 {
			t.Errorf("a check while the server stops: %d", a.status)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, conn := range conns {
		if _, err := authv3.NewAuthorizationClient(conn).Check(t.Context(), asked("app", "GET", "/api/x")); grpcstatus.Code(err) != codes.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestExtAuthzUnknowable has no database: what cannot be known is 503, never 401.
func TestExtAuthzUnknowable(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "hallpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	v := verify.New(db, hallpasstest.NewNode(t, db, node.Options{}), verify.Options{})
	x := guard.NewExtAuthz(guard.New(v, nil), guard.ExtAuthzOptions{HTTP: httpd.Options{Log: slog.New(slog.DiscardHandler)}})
	for _, path := range []string{"/api/x", "/open"} {
		r, err := x.Check(asProxy(t.Context(), "127.0.0.1:4711"), asked("app", "GET", path, "Authorization: Bearer "+secret.NewToken().Reveal()))
		if err != nil {
			t.Fatal(err)
		}
		if a := read(t, r); a.status != 503 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// TestExtAuthzPanic has a fault of ours: the request is refused, one line tells why,
// and the process lives on.
func TestExtAuthzPanic(t *testing.T) {
	var log strings.Builder
	told := 0
	x := guard.NewExtAuthz(nil, guard.ExtAuthzOptions{HTTP: httpd.Options{
		Log: slog.New(slog.NewTextHandler(&log, nil)), Answered: func(r *http.Request, _ *httpd.Event, status int) { told += status },
	}})
	r, err := x.Check(t.Context(), asked("app", "GET", "/api/x", "Authorization: Bearer "+secret.NewToken().Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, r); a.status != 503 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if told != 500 || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "panic: ") || !strings.Contains(log.String(), "path=/envoy.service.auth.v3.Authorization/Check") {
		t.Errorf("told %d, the log says:\n%s", told, log.String())
	}
}

// TestHTTP2 speaks HTTP/2 without TLS to doors that are not for proxies, and HTTP/1 to
// that of gRPC.
func TestHTTP2(t *testing.T) {
	s := envoyed(t)
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), mesh)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	for _, tt := range []struct {
		second            bool
		method, path, typ string
		status            int
	}{
		{true, "GET", "/guard/verify", "", 200},
		{true, "GET", "/guard/envoy/app/api/x", "", 200},
		{true, "GET", "/guard/envoy/app/admin/x", "", 403},
		{true, "GET", "/api/org", "", 400},
		{true, "GET", "/", "", 400},
		{true, "GET", "/login", "", 400},
		{true, "GET", "/envoy.service.auth.v3.Authorization/Check", "application/grpc", 400},
		{true, "POST", "/envoy.service.auth.v3.Authorization/Check", "application/json", 400},
		{true, "POST", "/envoy.service.auth.v3.Authorization/Other", "application/grpc", 400},
		{true, "POST", "/grpc.health.v1.Health/Watch", "application/grpc", 400},
		{false, "POST", "/envoy.service.auth.v3.Authorization/Check", "application/grpc", 404},
		{false, "GET", "/guard/verify", "", 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		if tt.typ != "" {
			r.Header.Set("Content-Type", tt.typ)
		}
		client := http.DefaultClient
		if tt.second {
			client = &http.Client{Transport: transport}
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", tt.method, tt.path, err)
		}
		_ = res.Body.Close() // it is not read
		if res.StatusCode != tt.status || res.ProtoMajor == 2 != tt.second {
			t.Errorf("%s %s %s: %s %d, want %d", tt.method, tt.path, tt.typ, res.Proto, res.StatusCode, tt.status)
		}
	}
	if strings.Contains(s.Log(), "panic") {
		t.Error("something panicked")
	}
}

// FuzzCheck sends what no proxy would. Whatever it is, the answer is one that Envoy
// understands, and only a good token or a public rule lets pass.
func FuzzCheck(f *testing.F) {
	d, db, key := decider(f)
	newGuard(f, db, mesh)
	x := guard.NewExtAuthz(d, guard.ExtAuthzOptions{HTTP: httpd.Options{
		Log: slog.New(slog.DiscardHandler), Proxies: httpd.Proxies{Trusted: httpd.TrustedProxies{netip.MustParsePrefix("127.0.0.1/32")}},
		Answered: func(_ *http.Request, e *httpd.Event, status int) {
			if status == 500 {
				f.Error(e.Err)
			}
		},
	}})
	good := "Authorization: Bearer " + key
	for _, q := range []*authv3.CheckRequest{
		asked("app", "GET", "/api/x", good), listed(asked("app", "GET", "/api/x", good), "X_Hallpass_Role: x"), asked("app", "GET", "/open"), asked("", "", ""), {},
		asked("app", "GET", "/logs", good, "X-Scope-OrgID: a"), withBody(asked("app", "POST", "/api/../x", good, good, "X-Forwarded-For: 1, 2")),
	} {
		b, err := proto.Marshal(q)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q := &authv3.CheckRequest{}
		if proto.Unmarshal(b, q) != nil {
			return // gRPC refuses that
		}
		r, err := x.Check(asProxy(t.Context(), "127.0.0.1:4711"), q)
		if err != nil {
			t.Fatal(err)
		}
		asks := q.GetAttributes().GetRequest().GetHttp()
		path, canonical := hallpass.CanonicalPath(asks.GetPath(), 0)
		public := canonical && (path == "/open" || asks.GetMethod() == "OPTIONS")
		if a := read(t, r); a.status == 200 && !public && !strings.Contains(string(b), key) {
			t.Errorf("%v passes without a token", q)
		}
	})
}

// asProxy is the context of a call from the address.
func asProxy(ctx context.Context, address string) context.Context {
	return peer.NewContext(ctx, &peer.Peer{Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))})
}

// BenchmarkCheck answers a check without the connection that it came by.
func BenchmarkCheck(b *testing.B) {
	d, db, key := decider(b)
	newGuard(b, db, mesh)
	x := guard.NewExtAuthz(d, guard.ExtAuthzOptions{HTTP: httpd.Options{
		Log: slog.New(slog.DiscardHandler), Proxies: httpd.Proxies{Trusted: httpd.TrustedProxies{netip.MustParsePrefix("127.0.0.1/32")}},
	}})
	q, ctx := asked("app", "GET", "/api/x", "Authorization: Bearer "+key), asProxy(b.Context(), "127.0.0.1:4711")
	b.ReportAllocs()
	for b.Loop() {
		r, err := x.Check(ctx, q)
		if err != nil || r.GetOkResponse() == nil {
			b.Fatal(r, err)
		}
	}
}
