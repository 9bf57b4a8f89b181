package httpd_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
		says string
	}{
		{errors.New("pq: password is hunter2"), 500, `"message":"Internal server error"`},
		{fmt.Errorf("wrapped: %w", &hallpass.Error{Kind: hallpass.NotFound, Message: "no such thing"}), 404, `"message":"no such thing"`},
		{hallpass.Invalidf("name", "name is required"), 400, `"error":"name is required","message":"Bad request data"`},
		{&hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.expired", Message: "Expired API key"}, 401, `{"extra":null,"message":"Expired API key","messageId":"api-key.expired","statusCode":401,"traceID":""}`},
		{&hallpass.Error{Kind: hallpass.Denied, Needs: "orgs:write", Message: "m"}, 403, `"title":"Access denied"`},
		{&hallpass.Error{Kind: hallpass.Conflict, ID: "serviceaccounts.ErrAlreadyExists"}, 400, "serviceaccounts.ErrAlreadyExists"},
		{&hallpass.Error{Kind: hallpass.Conflict, ID: "team.name-taken"}, 409, "team.name-taken"},
		{&hallpass.Error{Kind: hallpass.Conflict, ID: "user.exists"}, 412, "user.exists"},
		{&hallpass.Error{Kind: hallpass.Conflict, ID: "dashboard.version-mismatch"}, 412, `"status":"version-mismatch"`},
		{&hallpass.Error{Kind: hallpass.Conflict, ID: "guard.version-mismatch"}, 412, "guard.version-mismatch"},
		{&hallpass.Error{Kind: hallpass.Conflict, ID: "guard.managed"}, 409, "guard.managed"},
		{&hallpass.Error{Kind: hallpass.Limited, RetryAfter: 1500 * time.Millisecond}, 429, ""},
		{&hallpass.Error{Kind: hallpass.Limited, ID: "request.too-large"}, 413, ""},
		{&hallpass.Error{Kind: hallpass.Unavailable, Err: errors.New("hunter2")}, 503, ""},
	} {
		w := httptest.NewRecorder()
		httpd.WriteError(w, httptest.NewRequest("GET", "/", nil), tt.err)
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.says) || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%v: %d %s, want %d and %s", tt.err, w.Code, w.Body, tt.want, tt.says)
		}
		retry := map[int]string{429: "2", 503: "1"}[tt.want]
		if got := w.Header().Get("Retry-After"); got != retry {
			t.Errorf("%v: Retry-After %q, want %q", tt.err, got, retry)
		}
	}
}

func TestFrom(t *testing.T) {
	trusted, err := httpd.ParseTrustedProxies([]string{"10.0.0.0/8", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := httpd.ParseTrustedProxies([]string{"::ffff:10.0.0.1", "::ffff:10.1.0.0/112"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		trusted httpd.TrustedProxies
		peer    string
		forward []string
		want    string
	}{
		{"nobody is trusted", nil, "10.0.0.1:99", []string{"1.2.3.4"}, "10.0.0.1"},
		{"the peer is not a proxy", trusted, "192.0.2.1:99", []string{"1.2.3.4"}, "192.0.2.1"},
		{"behind a proxy", trusted, "10.0.0.1:99", []string{"1.2.3.4"}, "1.2.3.4"},
		{"what the client wrote before", trusted, "10.0.0.1:99", []string{"6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		{"in another field", trusted, "10.0.0.1:99", []string{"6.6.6.6", "1.2.3.4"}, "1.2.3.4"},
		{"two proxies", trusted, "10.0.0.1:99", []string{"1.2.3.4, 10.0.0.2"}, "1.2.3.4"},
		{"nonsense", trusted, "10.0.0.1:99", []string{"<script>"}, "10.0.0.1"},
		{"IPv6", trusted, "[::1]:99", []string{"2001:db8::1"}, "2001:db8::1"},
		{"a port", trusted, "10.0.0.1:99", []string{"203.0.113.9:51234"}, "203.0.113.9"},
		{"brackets", trusted, "10.0.0.1:99", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"brackets and a port", trusted, "10.0.0.1:99", []string{"6.6.6.6, [2001:db8::7]:443"}, "2001:db8::7"},
		{"a comma at the end", trusted, "10.0.0.1:99", []string{"203.0.113.9, "}, "203.0.113.9"},
		{"commas alone", trusted, "10.0.0.1:99", []string{" , ,", ""}, "10.0.0.1"},
		{"a mapped address", trusted, "10.0.0.1:99", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a proxy with a port", trusted, "10.0.0.1:99", []string{"203.0.113.9:1, 10.0.0.2:2"}, "203.0.113.9"},
		{"brackets that do not close", trusted, "10.0.0.1:99", []string{"1.2.3.4, [2001:db8::7"}, "10.0.0.1"},
		{"IPv4 in brackets", trusted, "10.0.0.1:99", []string{"[1.2.3.4]"}, "10.0.0.1"},
		{"no port", trusted, "10.0.0.1:99", []string{"1.2.3.4:"}, "10.0.0.1"},
		{"a name", trusted, "10.0.0.1:99", []string{"1.2.3.4, unknown"}, "10.0.0.1"},
		{"behind what cannot be read", trusted, "10.0.0.1:99", []string{"1.2.3.4, <script>, 10.0.0.2"}, "10.0.0.2"},
		{"a zone", trusted, "10.0.0.1:99", []string{"fe80::1%<b>"}, "fe80::1"},
		{"IPv6 alone", nil, "[2001:db8::2]:99", nil, "2001:db8::2"},
		{"a proxy of IPv4 that is named as IPv6", mapped, "10.0.0.1:99", []string{"1.2.3.4"}, "1.2.3.4"},
		{"another one", mapped, "10.1.0.1:99", []string{"1.2.3.4"}, "1.2.3.4"},
		{"one outside", mapped, "10.2.0.1:99", []string{"1.2.3.4"}, "10.2.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"] = tt.forward
		if got := (httpd.Proxies{Trusted: tt.trusted}).From(r).Address; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", "a\x01b\u202ec"+strings.Repeat("x", 500))
	if got := (httpd.Proxies{}).From(r).UserAgent; len(got) > 220 || strings.ContainsAny(got, "\x01\u202e") {
		t.Errorf("the user agent is %q", got)
	}
}

// TestTrustedProxies trusts a proxy by each spelling of its address, in the settings and on
// the wire, and takes no setting that trusts everybody.
func TestTrustedProxies(t *testing.T) {
	for _, tt := range []struct {
		setting, peer string
		trusted       bool
	}{
		{"10.0.0.1", "10.0.0.1:9", true}, {"10.0.0.1", "[::ffff:10.0.0.1]:9", true}, {"10.0.0.1", "10.0.0.2:9", false},
		{"10.9.9.9/8", "10.0.0.1:9", true}, {"10.0.0.0/8", "[::ffff:10.0.0.1]:9", true}, {"10.0.0.0/8", "11.0.0.1:9", false},
		{"::ffff:10.0.0.1", "10.0.0.1:9", true}, {"::ffff:10.0.0.1", "[::ffff:10.0.0.1]:9", true}, {"::ffff:10.0.0.1", "10.0.0.2:9", false},
		{"::ffff:10.0.0.0/104", "10.0.0.1:9", true}, {"::ffff:10.0.0.0/104", "11.0.0.1:9", false},
		{"::1", "[::1]:9", true}, {"fd00::/8", "[fd00::7]:9", true}, {"fd00::/8", "[fe80::7]:9", false},
		{"fe80::/10", "[fe80::1%eth0]:9", true}, {"fe80::1%eth0", "[fe80::1%eth0]:9", true}, {"fe80::1", "[fe80::1%eth1]:9", true}, {"fe80::1", "[fe80::2%eth0]:9", false},
	} {
		proxies, err := httpd.ParseTrustedProxies([]string{tt.setting})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
		if got := (httpd.Proxies{Trusted: proxies}).From(r).Address; (got == "192.0.2.7") != tt.trusted {
			t.Errorf("with %s trusted, of a request from %s the client is %s", tt.setting, tt.peer, got)
		}
	}
	for _, bad := range []string{
		"0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", "10.0.0.0/33", "proxy", "",
		"0.0.0.0/1 128.0.0.0/1", "128.0.0.0/1 ::1 0.0.0.0/2 64.0.0.0/2", "8000::/1 ::/1", "192.0.0.0/2 0.0.0.0/1 128.0.0.0/3 160.0.0.0/3",
	} {
		if _, err := httpd.ParseTrustedProxies(strings.Split(bad, " ")); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, good := range []string{"0.0.0.0/1", "0.0.0.0/1 128.0.0.0/2", "::/1 128.0.0.0/1", "10.0.0.0/8 192.168.0.0/16 fd00::/8 127.0.0.1 ::1"} {
		if _, err := httpd.ParseTrustedProxies(strings.Split(good, " ")); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// TestOneAddress reads the header in which a proxy tells one address.
func TestOneAddress(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string // "": it is not one address
	}{
		{[]string{"203.0.113.9"}, "203.0.113.9"}, {[]string{"2001:DB8::0:7"}, "2001:db8::7"}, {[]string{"::ffff:203.0.113.9"}, "203.0.113.9"}, {[]string{"fe80::1%<b>"}, "fe80::1"},
		{nil, ""}, {[]string{""}, ""}, {[]string{"203.0.113.9", "203.0.113.9"}, ""}, {[]string{"203.0.113.9, 203.0.113.9"}, ""}, {[]string{"203.0.113.9:1"}, ""}, {[]string{"unix:"}, ""}, {[]string{"1.2.3.04"}, ""},
	} {
		if got, ok := httpd.OneAddress(tt.values); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q: %q, %v", tt.values, got, ok)
		}
	}
}

// TestProxyDoors has a door that proxies ask: it gets every path as it was sent, and
// knows whether the peer is trusted.
func TestProxyDoors(t *testing.T) {
	trusted, err := httpd.ParseTrustedProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	h := httpd.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.RequestURI, " ", httpd.EventOf(r.Context()).Trusted, " ", httpd.TooManyHeaders(r))
	}), httpd.Options{Log: slog.New(slog.DiscardHandler), Reader: func(*http.Request) httpd.Reader { return httpd.Proxy }, Proxies: httpd.Proxies{Trusted: trusted}})
	for peer, trusted := range map[string]bool{"10.0.0.1:9": true, "[::ffff:10.0.0.1]:9": true, "192.0.2.1:9": false, "": false} {
		for _, path := range []string{"/a//b/../c/", "/" + strings.Repeat("x", 33_000)} {
			r := httptest.NewRequest("GET", path, nil)
			r.RemoteAddr = peer
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if want := fmt.Sprint(path, " ", trusted, " ", len(path) > 32<<10); w.Code != 200 || w.Body.String() != want {
				t.Errorf("%s from %s: %d %.80s, want %.80s", path[:4], peer, w.Code, w.Body, want)
			}
		}
	}
}

// TestForwarded reads Forwarded when the settings choose that header.
func TestForwarded(t *testing.T) {
	trusted, err := httpd.ParseTrustedProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		value, want string
		unread      int
	}{
		{"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", 0},
		{`For="[2001:db8:cafe::17]:4711"`, "2001:db8:cafe::17", 0},
		{`for="192.0.2.60:47011"`, "192.0.2.60", 0},
		{`for="192.0.2.60:_port"`, "192.0.2.60", 0},
		{"for=6.6.6.6, for=192.0.2.60", "192.0.2.60", 0},
		{"for=192.0.2.60, for=10.0.0.2;proto=https", "192.0.2.60", 0},
		{`for="192.0.2.60" , , `, "192.0.2.60", 0},
		{`host="a,for=6.6.6.6";for=192.0.2.60`, "192.0.2.60", 0},
		{`for=6.6.6.6, host="a\",for=1.1.1.1";for=192.0.2.60`, "192.0.2.60", 0},
		{"for=unknown", "10.0.0.1", 1},
		{"for=_hidden", "10.0.0.1", 1},
		{"for=1.1.1.1;for=2.2.2.2", "10.0.0.1", 1},
		{"proto=https", "10.0.0.1", 1},
		{`for="1.1.1.1`, "10.0.0.1", 1},
		{"", "10.0.0.1", 0},
	} {
		unread := 0
		p := httpd.Proxies{Trusted: trusted, Forwarded: true, Unread: func(proxy, _ string) {
			if unread++; proxy != "10.0.0.1" {
				t.Errorf("%s: it is said to come from %s", tt.value, proxy)
			}
		}}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:99"
		r.Header["Forwarded"] = []string{tt.value}
		r.Header.Set("X-Forwarded-For", "7.7.7.7")
		if got := p.From(r).Address; got != tt.want || unread != tt.unread {
			t.Errorf("%s: %s, and %d not read; want %s and %d", tt.value, got, unread, tt.want, tt.unread)
		}
		p.Forwarded = false
		if got := p.From(r).Address; got != "7.7.7.7" {
			t.Errorf("%s: where X-Forwarded-For is believed: %s", tt.value, got)
		}
		r.RemoteAddr, p.Forwarded = "192.0.2.1:1", true
		if got := p.From(r).Address; got != "192.0.2.1" {
			t.Errorf("%s: from a stranger: %s", tt.value, got)
		}
	}
}

// FuzzForwarded has a trusted proxy send arbitrary headers: the result is always an
// address.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"1.2.3.4", "[::1]:1", "a,", `for="[::1]:_x"`, `for=1;proto="`, "for=unknown, for=1.2.3.4", "%", "1.2.3.4:99999"} {
		f.Add(seed)
	}
	trusted, err := httpd.ParseTrustedProxies([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:99"
		r.Header["Forwarded"], r.Header["X-Forwarded-For"] = []string{value, value}, []string{value, value}
		for _, forwarded := range []bool{false, true} {
			got := httpd.Proxies{Trusted: trusted, Forwarded: forwarded}.From(r).Address
			if addr, err := netip.ParseAddr(got); err != nil || addr.Zone() != "" || addr.Is4In6() {
				t.Errorf("%q: %q", value, got)
			}
		}
	})
}

func TestHandler(t *testing.T) {
	var log strings.Builder
	handler := httpd.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("hunter2")
		case "/cookie":
			httpd.Cookies{}.Set(w, r, "id", time.Now().Add(time.Hour))
		}
	}), httpd.Options{Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	get := func(path string, change func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for path, change := range map[string]func(*http.Request){
		"/fine?secret=hunter3": nil,
		"/panic":               nil,
		"/many": func(r *http.Request) {
			for i := range 101 {
				r.Header.Set(fmt.Sprint("X-", i), "v")
			}
		},
		"/large": func(r *http.Request) { r.Header.Set("X-Large", strings.Repeat("a", 33_000)) },
	} {
		w := get(path, change)
		if want := map[string]int{"/panic": 500, "/many": 431, "/large": 431}[path]; want != 0 && w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := w.Header().Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy is %s", path, csp)
		}
		if strings.Contains(w.Body.String(), "hunter") {
			t.Errorf("%s tells %s", path, w.Body)
		}
	}
	if strings.Contains(log.String(), "hunter3") || !strings.Contains(log.String(), "panic: hunter2") {
		t.Errorf("the log is %s", &log)
	}
	plain := get("/cookie", nil).Result().Cookies()[0]
	secure := get("/cookie", func(r *http.Request) { *r = *httptest.NewRequest("GET", "https://x/cookie", nil) }).Result().Cookies()[0]
	for _, c := range []struct {
		got    *http.Cookie
		name   string
		secure bool
	}{{plain, "grafana_session", false}, {secure, "__Host-grafana_session", true}} {
		if c.got.Name != c.name || c.got.Secure != c.secure || !c.got.HttpOnly || c.got.Path != "/" || c.got.SameSite != http.SameSiteLaxMode || c.got.Domain != "" {
			t.Errorf("cookie %v, want %s", c.got, c.name)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	h, err := httpd.SameOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }), "https://hallpass.example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, name, value string
		want                int
	}{
		{"POST", "X-None", "", 204},
		{"POST", "Sec-Fetch-Site", "same-origin", 204},
		{"POST", "Sec-Fetch-Site", "cross-site", 403},
		{"POST", "Sec-Fetch-Site", "same-site", 403},
		{"DELETE", "Origin", "https://evil.example", 403},
		{"PATCH", "Origin", "null", 403},
		{"POST", "Origin", "http://example.com", 204},
		{"POST", "Origin", "https://hallpass.example.com", 204},
		{"GET", "Origin", "https://evil.example", 204},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Header.Set(tt.name, tt.value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s with %s %s: %d, want %d", tt.method, tt.name, tt.value, w.Code, tt.want)
		}
		for _, credential := range []string{"Bearer x", "bearer  x", "Basic eDp5", "basic eDp5", "Bearer", "Bearer ", "Digest x", ""} {
			want := tt.want // a browser adds these by itself, or nobody can
			if httpd.ReadAuthorization([]string{credential}).Form == httpd.BearerToken {
				want = 204
			}
			r.Header.Set("Authorization", credential)
			w = httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != want {
				t.Errorf("%s with %s %s and Authorization %q: %d, want %d", tt.method, tt.name, tt.value, credential, w.Code, want)
			}
		}
	}
}
