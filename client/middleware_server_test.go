package client_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestGuardOfAServer puts a service behind the middleware and a whole Hallpass: its
// rules decide, and a token that was deleted is refused on the next request.
func TestGuardOfAServer(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
	ctx := t.Context()
	admin := client.NewWith(s.URL, client.Options{Credential: client.Basic("admin", hallpasstest.AdminPassword)})
	rules := []wire.GuardRule{
		{Methods: []string{"GET"}, Path: "/open", Public: true},
		{Methods: []string{"GET"}, Path: "/of/{rest...}", Role: "Viewer", Captures: map[string]string{"tenant": "header:X-Tenant"}, Set: map[string]string{"X-Tenant": "t-{tenant}"}},
	}
	if _, err := admin.CreateGuard(ctx, wire.WriteGuard{Name: "app", Rules: rules}); err != nil {
		t.Fatal(err)
	}
	account, err := admin.CreateServiceAccount(ctx, wire.CreateServiceAccount{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := admin.CreateToken(ctx, account.ID, wire.CreateToken{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	middleware := client.Guard(s.URL, client.GuardOptions{Guard: "app", Headers: []string{"X-Tenant"}, Set: []string{"X-Tenant"}})
	app := httptest.NewServer(middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := client.CallerOf(r.Context())
		_, _ = io.WriteString(w, fmt.Sprint(c.Account+" ", ok, r.Header["X-Tenant"], r.Header["Authorization"])) // the test sees what arrived
	})))
	defer app.Close()
	bearer := http.Header{"Authorization": {"Bearer " + token.Key}, "X-Tenant": {"a"}}
	hold := func(method, path string, headers http.Header, status int, body, reason string) {
		t.Helper()
		res, got := send(t, method, app.URL+path, headers)
		if res.StatusCode != status || body != "" && got != body || res.Header.Get("X-Hallpass-Reason") != reason {
			t.Errorf("%s %s: %d %s, %v; want %d %s, %s", method, path, res.StatusCode, got, res.Header, status, body, reason)
		}
	}
	hold("GET", "/open", nil, 200, " false [] []", "")
	hold("GET", "/of/x", bearer, 200, "sa-1-ci true [t-a] []", "")
	hold("GET", "/of/x", nil, 401, "", "")
	hold("DELETE", "/of/x", bearer, 403, "", "guard.no-rule")
	hold("GET", "/of/../open", bearer, 403, "", "path-not-canonical")
	hold("GET", "/of/x", http.Header{"Authorization": bearer["Authorization"], "X-Tenant": {"a", "b"}}, 403, "", "guard.capture")
	limited(t, admin, account.ID, app.URL+"/of/x")
	if _, err := admin.DeleteToken(ctx, account.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	hold("GET", "/of/x", bearer, 401, "", "")
	if _, err := admin.DeleteGuard(ctx, "app"); err != nil {
		t.Fatal(err)
	}
	hold("GET", "/open", nil, 401, "", "") // the guard is gone: nothing is public
}

// limited calls the service with a token that has a rate and ends tomorrow: the client is
// told both, and is refused with 429 when it calls too often.
func limited(t *testing.T, admin *client.Client, account int64, url string) {
	t.Helper()
	slow, err := admin.CreateToken(t.Context(), account, wire.CreateToken{Name: "slow", SecondsToLive: 86400, RateLimit: &wire.RateLimit{Requests: 1, Seconds: 3600}})
	if err != nil {
		t.Fatal(err)
	}
	bearer := http.Header{"Authorization": {"Bearer " + slow.Key}, "X-Tenant": {"a"}}
	res, _ := send(t, "GET", url, bearer)
	if _, err := time.Parse(time.RFC3339, res.Header.Get("Hallpass-Token-Expires")); err != nil || res.StatusCode != 200 || res.Header.Get("RateLimit") != `"token";r=0;t=3600` {
		t.Errorf("the first request: %d %v", res.StatusCode, res.Header)
	}
	res, body := send(t, "GET", url, bearer)
	if h := res.Header; res.StatusCode != 429 || h.Get("RateLimit-Policy") != `"token";q=1;w=3600` || h.Get("Retry-After") == "" || h.Get("X-Hallpass-Reason") != "api-key.rate-limited" {
		t.Errorf("the second request: %d %v %s", res.StatusCode, h, body)
	}
}
