package client_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/client"
)

// yes answers as a guard that lets everything pass.
func yes(h http.Header) {
	for name, value := range map[string]string{
		"X-Hallpass-Account-Id": "7", "X-Hallpass-Account": "sa-1-caf%C3%A9", "X-Hallpass-Org-Id": "1", "X-Hallpass-Role": "Viewer",
		"X-Hallpass-Token-Id": "9", "X-Hallpass-Subject": "-",
	} {
		h.Set(name, value)
	}
}

// guarded starts a server that answers as guard does, and a server behind it that the
// middleware guards. It returns the URL of the latter.
func guarded(t testing.TB, o client.GuardOptions, guard http.HandlerFunc, handler http.HandlerFunc) string {
	t.Helper()
	asked := httptest.NewServer(guard)
	t.Cleanup(asked.Close)
	app := httptest.NewServer(client.Guard(asked.URL+"/", o)(handler))
	t.Cleanup(app.Close)
	return app.URL
}

// send sends a request with the headers, and returns the answer with its body.
func send(t testing.TB, method, url string, headers http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range headers {
		r.Header[name] = values // as it is spelled
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it is read whole
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// TestGuardAsks looks at the question: it has what the guard judges, as the client sent
// it, and no header in which the client could answer itself.
func TestGuardAsks(t *testing.T) {
	var got *http.Request
	url := guarded(t, client.GuardOptions{Guard: "app", Headers: []string{"x-scope-orgid"}}, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(t.Context())
		yes(w.Header())
	}, func(http.ResponseWriter, *http.Request) {})
	res, _ := send(t, "PURGE", url+"/a/%2e%2E//b?q=1&q=2", http.Header{
		"Authorization": {"Bearer a", "Bearer b"}, "X-Scope-Orgid": {"x", "y"}, "X-Original-Uri": {"/open"}, "X-Original-Method": {"GET"},
		"X-Hallpass-Role": {"Admin"}, "Cookie": {"a=b"}, "X-Forwarded-For": {"192.0.2.1"}, "X-Secret": {"s"},
	})
	if res.StatusCode != 200 {
		t.Fatal(res.Status)
	}
	if got.Method != "GET" || got.URL.Path != "/guard/nginx/app" {
		t.Errorf("the question is %s %s", got.Method, got.URL)
	}
	want := http.Header{
		"X-Original-Method": {"PURGE"}, "X-Original-Uri": {"/a/%2e%2E//b?q=1&q=2"}, "X-Original-Host": {strings.TrimPrefix(url, "http://")},
		"X-Original-Proto": {"http"}, "X-Real-Ip": {"127.0.0.1"}, "X-Forwarded-For": {"127.0.0.1"}, "Authorization": {"Bearer a", "Bearer b"},
		"X-Scope-Orgid": {"x", "y"}, "User-Agent": {"Go-http-client/1.1"},
	}
	if d := cmp.Diff(want, got.Header); d != "" {
		t.Errorf("the headers of the question (-want +got):\n%s", d)
	}
}

// TestGuardHandsOn looks at what the handler gets: who calls, and nothing in which the
// client could say that itself.
func TestGuardHandsOn(t *testing.T) {
	url := guarded(t, client.GuardOptions{Set: []string{"X-Scope-OrgID", "X-Other"}}, func(w http.ResponseWriter, _ *http.Request) {
		yes(w.Header())
		w.Header().Set("X-Scope-OrgID", "tenant-a")
		w.Header().Set("X-Else", "e")
	}, func(w http.ResponseWriter, r *http.Request) {
		caller, ok := client.CallerOf(r.Context())
		want := client.Caller{AccountID: 7, Account: "sa-1-café", OrgID: 1, Role: "Viewer", TokenID: 9}
		if d := cmp.Diff(want, caller); d != "" || !ok {
			t.Errorf("the caller (-want +got), known: %v:\n%s", ok, d)
		}
		if err := json.NewEncoder(w).Encode(r.Header); err != nil {
			t.Error(err)
		}
	})
	_, body := send(t, "GET", url, http.Header{
		"Authorization": {"Bearer a"}, "X-Hallpass-Role": {"Admin"}, "x_hallpass_role": {"Admin"}, "X.Hallpass-ROLE": {"Admin"}, "X-Hallpass-New": {"Admin"},
		"X-Scope-Orgid": {"b", "c"}, "X_scope.ORGID": {"b"}, "X-Other": {"o"}, "X-Kept": {"k", "k2"}, "User-Agent": {"u"}, "Accept-Encoding": {"identity"},
	})
	var got http.Header
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := http.Header{"X-Scope-Orgid": {"tenant-a"}, "X-Kept": {"k", "k2"}, "User-Agent": {"u"}, "Accept-Encoding": {"identity"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the headers (-want +got):\n%s", d)
	}
}

// TestGuardNobody has the guard let a request pass without a token: there is no caller.
func TestGuardNobody(t *testing.T) {
	url := guarded(t, client.GuardOptions{}, func(w http.ResponseWriter, _ *http.Request) {
		yes(w.Header())
		for name := range w.Header() {
			w.Header().Set(name, "-")
		}
	}, func(w http.ResponseWriter, r *http.Request) {
		if c, ok := client.CallerOf(r.Context()); ok || c != (client.Caller{}) {
			t.Errorf("nobody is %+v", c)
		}
		w.WriteHeader(http.StatusTeapot)
	})
	if res, _ := send(t, "GET", url, nil); res.StatusCode != http.StatusTeapot {
		t.Error(res.Status)
	}
}

// TestGuardRefuses has the guard give every answer that it may give, and others: nothing
// but a whole yes reaches the handler.
func TestGuardRefuses(t *testing.T) {
	without := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			yes(w.Header())
			w.Header().Del(name)
		}
	}
	with := func(name string, values ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			yes(w.Header())
			w.Header()[name] = values
		}
	}
	says := func(status int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // the test sees what arrived
		}
	}
	const failed = `{"message":"Authorization service unavailable","messageId":"guard.failed"}`
	for _, tt := range []struct {
		name          string
		guard         http.HandlerFunc
		status        int
		header, value string
		body          string
		reported      bool // as an error of the guard
	}{
		{"401", says(401, "WWW-Authenticate", `Bearer realm="hallpass"`, `{"message":"no"}`), 401, "WWW-Authenticate", `Bearer realm="hallpass"`, `{"message":"no"}`, false},
		{"403", says(403, "X-Hallpass-Reason", "guard.no-rule", `{"message":"no"}`), 403, "X-Hallpass-Reason", "guard.no-rule", `{"message":"no"}`, false},
		{"a token that is used too often", says(403, "X-Hallpass-Reason", "api-key.rate-limited", `{"message":"no"}`), 429, "X-Hallpass-Reason", "api-key.rate-limited", `{"message":"no"}`, false},
		{"503", says(503, "Retry-After", "3", `{"message":"no"}`), 503, "Retry-After", "3", `{"message":"no"}`, false},
		{"431", says(431, "X", "y", `{"message":"no"}`), 431, "X", "", `{"message":"no"}`, false},
		{"a page", says(403, "Set-Cookie", "a=b", "<h1>no</h1>"), 403, "Set-Cookie", "", `{"message":"Forbidden"}`, false},
		{"204", says(204, "X", "y", ""), 503, "Retry-After", "1", failed, true},
		{"302", says(302, "Location", "/", ""), 503, "Retry-After", "1", failed, true},
		{"404", says(404, "X", "y", "no such guard"), 503, "Retry-After", "1", failed, true},
		{"500", says(500, "X", "y", ""), 503, "Retry-After", "1", failed, true},
		{"another server", says(200, "X", "y", "welcome"), 503, "Retry-After", "1", failed, true},
		{"no account", without("X-Hallpass-Account-Id"), 503, "Retry-After", "1", failed, true},
		{"no subject", without("X-Hallpass-Subject"), 503, "Retry-After", "1", failed, true},
		{"an empty role", with("X-Hallpass-Role", ""), 503, "Retry-After", "1", failed, true},
		{"two roles", with("X-Hallpass-Role", "Viewer", "Admin"), 503, "Retry-After", "1", failed, true},
		{"a number that is none", with("X-Hallpass-Token-Id", "x"), 503, "Retry-After", "1", failed, true},
		{"a login that does not decode", with("X-Hallpass-Account", "%zz"), 503, "Retry-After", "1", failed, true},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			yes(w.Header())
			w.Header().Set("Content-Length", "10")
			panic(http.ErrAbortHandler)
		}, 503, "Retry-After", "1", failed, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var reported atomic.Int32
			o := client.GuardOptions{OnError: func(*http.Request, error) { reported.Add(1) }}
			url := guarded(t, o, tt.guard, func(http.ResponseWriter, *http.Request) { t.Error("the request passed") })
			res, body := send(t, "GET", url, nil)
			if res.StatusCode != tt.status || res.Header.Get(tt.header) != tt.value || body != tt.body {
				t.Errorf("%d, %s: %q, %s; want %d, %q, %s", res.StatusCode, tt.header, res.Header.Get(tt.header), body, tt.status, tt.value, tt.body)
			}
			if res.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
				t.Errorf("the headers are %v", res.Header)
			}
			if (reported.Load() == 1) != tt.reported {
				t.Errorf("%d errors were reported", reported.Load())
			}
		})
	}
}

// TestGuardGone asks a guard that is not there, one that does not answer, and one whose
// address is none: no request passes.
func TestGuardGone(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	stop := make(chan struct{})
	frozen := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer frozen.Close()
	defer close(stop)
	for name, at := range map[string]string{"gone": gone.URL, "frozen": frozen.URL, "no address": "::", "another scheme": "ftp://x"} {
		t.Run(name, func(t *testing.T) {
			var reported error
			o := client.GuardOptions{Timeout: 50 * time.Millisecond, OnError: func(_ *http.Request, err error) { reported = err }}
			w := httptest.NewRecorder()
			client.Guard(at, o)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request passed") })).
				ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if w.Code != 503 || reported == nil || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%d %s, reported: %v", w.Code, w.Body, reported)
			}
		})
	}
}

// TestGuardRemembersNothing has the guard say yes and then no: the second request is
// refused, over the same connection to the guard.
func TestGuardRemembersNothing(t *testing.T) {
	var asked atomic.Int32
	peers := make(map[string]bool) // written by one request after the other
	url := guarded(t, client.GuardOptions{}, func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		if asked.Add(1) > 1 {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"message":"revoked"}`) // the test sees what arrived
			return
		}
		yes(w.Header())
	}, func(http.ResponseWriter, *http.Request) {})
	for i, want := range []int{200, 401, 401} {
		if res, _ := send(t, "GET", url, http.Header{"Authorization": {"Bearer a"}}); res.StatusCode != want {
			t.Errorf("request %d: %s, want %d", i+1, res.Status, want)
		}
	}
	if len(peers) != 1 {
		t.Errorf("the guard saw %d connections", len(peers))
	}
}

// BenchmarkGuard sends requests to a handler alone, to one behind the middleware, and
// to one behind a proxy that asks nobody. The guard answers yes without looking: what is
// measured is the question.
func BenchmarkGuard(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }) // the client sees what arrived
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { yes(w.Header()) }))
	defer guard.Close()
	bare := httptest.NewServer(handler)
	defer bare.Close()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", strings.TrimPrefix(bare.URL, "http://")
	}}
	for _, part := range []struct {
		name    string
		handler http.Handler
	}{{"alone", handler}, {"guarded", client.Guard(guard.URL, client.GuardOptions{})(handler)}, {"proxied", proxy}} {
		b.Run(part.name, func(b *testing.B) {
			app := httptest.NewServer(part.handler)
			defer app.Close()
			app.Config.ErrorLog = nil
			b.ReportAllocs()
			for b.Loop() {
				if res, body := send(b, "GET", app.URL, http.Header{"Authorization": {"Bearer a"}}); res.StatusCode != 200 || body != "ok" {
					b.Fatal(fmt.Sprint(res.Status, body))
				}
			}
		})
	}
}
