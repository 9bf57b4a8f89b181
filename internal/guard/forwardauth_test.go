package guard_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// token makes an account and a token of it, and returns both.
func token(t testing.TB, s *hallpasstest.Server, name, role string) (account, key string) {
	t.Helper()
	field := func(text, name string) string {
		_, rest, _ := strings.Cut(text, `"`+name+`":`)
		value, _, _ := strings.Cut(rest, ",")
		return strings.Trim(value, `"}`)
	}
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":%q}`, name, role))
	if r.StatusCode != 201 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	account = field(r.Text, "id")
	r = s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+account+"/tokens", fmt.Sprintf(`{"name":%q}`, name))
	if r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	return account, field(r.Text, "key")
}

var identity = []string{"X-Hallpass-Account-Id", "X-Hallpass-Account", "X-Hallpass-Org-Id", "X-Hallpass-Role", "X-Hallpass-Token-Id", "X-Hallpass-Subject"}

func TestVerify(t *testing.T) {
	s := hallpasstest.New(t)
	account, key := token(t, s, "ci", "Editor")
	disabled, ended := token(t, s, "off", "Viewer")
	if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+disabled, `{"isDisabled":true}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	basic := func(login, password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))
	}
	good := "Authorization: Bearer " + key
	const plain, invalid = `Bearer realm="hallpass"`, `Bearer realm="hallpass", error="invalid_token"`
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
		challenge          string
	}{
		{"a token", "GET", "/guard/verify", []string{good}, 200, ""},
		{"in other words", "GET", "/guard/verify", []string{"Authorization: bEARER   " + key}, 200, ""},
		{"as Basic", "GET", "/guard/verify", []string{basic("api_key", key)}, 200, ""},
		{"POST", "POST", "/guard/verify", []string{good}, 200, ""},
		{"HEAD", "HEAD", "/guard/verify", []string{good}, 200, ""},
		{"a method of its own", "PURGE", "/guard/verify", []string{good}, 200, ""},
		{"with a query", "GET", "/guard/verify?a=1&targetOrgId=7", []string{good}, 200, ""},
		{"from another origin", "POST", "/guard/verify", []string{good, "Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"}, 200, ""},
		{"another org's header", "GET", "/guard/verify", []string{good, "X-Grafana-Org-Id: 7"}, 200, ""},
		{"identity of the client's own", "GET", "/guard/verify", []string{good, "X-Hallpass-Account-Id: 1", "X-Hallpass-Role: Admin", "x_hallpass_role: Admin"}, 200, ""},
		{"nothing", "GET", "/guard/verify", nil, 401, plain},
		{"nothing, POST from another origin", "POST", "/guard/verify", []string{"Origin: https://elsewhere.example", "Sec-Fetch-Site: cross-site"}, 401, plain},
		{"two", "GET", "/guard/verify", []string{good, good}, 401, invalid},
		{"two in one", "GET", "/guard/verify", []string{good + ", Bearer " + key}, 401, invalid},
		{"a tab", "GET", "/guard/verify", []string{"Authorization: Bearer\t" + key}, 401, invalid},
		{"no space", "GET", "/guard/verify", []string{"Authorization: Bearer" + key}, 401, invalid},
		{"another scheme", "GET", "/guard/verify", []string{"Authorization: Digest " + key}, 401, invalid},
		{"a checksum that is wrong", "GET", "/guard/verify", []string{good[:len(good)-1] + "x"}, 401, invalid},
		{"a password", "GET", "/guard/verify", []string{basic("admin", hallpasstest.AdminPassword)}, 401, invalid},
		{"in the query", "GET", "/guard/verify?access_token=" + key, nil, 401, plain},
		{"in a cookie", "GET", "/guard/verify", []string{"Cookie: grafana_session=" + key + "; token=" + key}, 401, plain},
		{"in another header", "GET", "/guard/verify", []string{"X-Api-Key: " + key, "Proxy-Authorization: Bearer " + key}, 401, plain},
		{"disabled", "GET", "/guard/verify", []string{"Authorization: Bearer " + ended}, 401, invalid},
		{"no such door", "GET", "/guard/nosuch", []string{good}, 404, ""},
		{"a slash more", "GET", "/guard/verify/", []string{good}, 200, ""},
		{"two slashes more", "GET", "/guard/verify//", []string{good}, 404, ""},
		{"two slashes", "GET", "/guard//verify", []string{good}, 404, ""},
		{"dots", "GET", "/guard/../guard/verify", []string{good}, 404, ""},
		{"encoded", "GET", "/guard/%76erify", []string{good}, 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.Do(hallpasstest.Nobody, tt.method, tt.path, "", tt.headers...)
			if r.StatusCode != tt.status || len(r.Text) > 1024 || strings.HasSuffix(r.Text, "\n") || tt.status != 200 && !strings.Contains(r.Text, `"message":`) {
				t.Errorf("%d %q, want %d", r.StatusCode, r.Text, tt.status)
			}
			if tt.status == 200 && (r.Text != "" || r.Header.Get("Content-Type") != "") {
				t.Errorf("an answer that only proxies read has the body %q, of type %q", r.Text, r.Header.Get("Content-Type"))
			}
			if got := strings.Join(r.Header.Values("WWW-Authenticate"), "|"); got != tt.challenge {
				t.Errorf("WWW-Authenticate %s, want %s", got, tt.challenge)
			}
			if got := r.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" || r.Header.Get("Set-Cookie") != "" || r.Header.Get("Location") != "" {
				t.Errorf("headers %v", r.Header)
			}
			if strings.Contains(fmt.Sprint(r.Header, r.Text), key) {
				t.Error("the answer holds the token")
			}
			for i, name := range identity {
				want := []string{account, "sa-1-ci", "1", "Editor", "1", "-"}[i : i+1]
				if tt.status != 200 {
					want = nil
				}
				if got := r.Header.Values(name); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
			}
		})
	}
}

// TestForeignLogin has an account whose login is not ASCII.
func TestForeignLogin(t *testing.T) {
	s := hallpasstest.New(t)
	_, key := token(t, s, "prüfer 100%", "Viewer")
	r := s.Do(hallpasstest.Bearer(key), "GET", "/guard/verify", "")
	login := r.Header.Get("X-Hallpass-Account")
	for _, c := range []byte(login) {
		if c <= ' ' || c > '~' {
			t.Errorf("%q is not visible ASCII", login)
		}
	}
	if r.StatusCode != 200 || login == "" || login == "-" {
		t.Errorf("%d, %q", r.StatusCode, login)
	}
}

// TestNoBodyIsRead announces a body that never comes, as nginx does without
// proxy_pass_request_body off: the answer comes at once.
func TestNoBodyIsRead(t *testing.T) {
	s := hallpasstest.New(t, trusting)
	_, key := token(t, s, "ci", "Viewer")
	newGuard(t, s.Store(), app)
	for name, head := range map[string]string{
		"a short one":   "Content-Length: 100\r\n",
		"a long one":    "Content-Length: 1000000000\r\n",
		"of no length":  "Transfer-Encoding: chunked\r\n",
		"when asked to": "Content-Length: 100\r\nExpect: 100-continue\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			auth := "Authorization: Bearer " + key + "\r\n"
			for _, tt := range []struct{ first, headers, want string }{
				{"POST /guard/verify", auth, "200"}, {"POST /guard/verify", "", "401"},
				{"GET /guard/nginx/app", auth + "X-Original-Method: GET\r\nX-Original-Uri: /api/x\r\n", "200"}, {"GET /guard/nginx/app", auth + "X-Original-Method: POST\r\nX-Original-Uri: /api/x\r\n", "403"},
				{"POST /guard/envoy/app/admin/x", auth, "403"}, {"GET /guard/envoy/app/api/x", auth, "200"}, {"POST /guard/nginx/nosuch", "", "401"},
			} {
				conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }() // whatever is left on it is not wanted
				if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, tt.first+" HTTP/1.1\r\nHost: x\r\n"+tt.headers+head+"\r\n"); err != nil {
					t.Fatal(err)
				}
				line, err := bufio.NewReader(conn).ReadString('\n')
				if err != nil || !strings.Contains(line, tt.want) {
					t.Errorf("%s: %q, %v; want %s", tt.first, line, err, tt.want)
				}
			}
		})
	}
}

// TestOldProtocol speaks HTTP/1.0 and with a whole URL as the target.
func TestOldProtocol(t *testing.T) {
	s := hallpasstest.New(t)
	_, key := token(t, s, "ci", "Viewer")
	for _, first := range []string{"GET /guard/verify HTTP/1.0", "GET http://elsewhere.example/guard/verify HTTP/1.1"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // it was read
		if _, err := io.WriteString(conn, first+"\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+key+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 200 || res.Header.Get("X-Hallpass-Account") != "sa-1-ci" {
			t.Errorf("%s: %d %v", first, res.StatusCode, res.Header)
		}
	}
}

// TestUnknowable takes the database away: what cannot be checked is 503, never
// 401.
func TestUnknowable(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "hallpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r, w := httptest.NewRequest("GET", "/guard/verify", nil), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer "+secret.NewToken().Reveal())
	guard.NewForwardAuth(guard.New(verify.New(db, hallpasstest.NewNode(t, db, node.Options{}), verify.Options{}), nil)).ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("X-Hallpass-Account-Id") != "" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
}

type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// TestAllocations bounds what an answer costs: the exchange with its request and
// ID, the headers, and the values of the identity.
func TestAllocations(t *testing.T) {
	s := hallpasstest.New(t)
	_, key := token(t, s, "ci", "Viewer")
	r, err := http.NewRequest("GET", "/guard/verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI, r.RemoteAddr = "/guard/verify", "127.0.0.1:1234"
	r.Header.Set("Authorization", "Bearer "+key)
	h, w := s.Handler(), &sink{header: make(http.Header)}
	n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
	for range 4 { // what the server does meanwhile is counted too
		n = min(n, testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }))
	}
	if w.status != 200 {
		t.Fatalf("status %d", w.status)
	}
	if n > 6 && !raced {
		t.Errorf("an answer allocates %v times, want 6 at most", n)
	}
}

// TestIdentityFollows changes an account between two verifications of its token:
// the second tells what the account is now.
func TestIdentityFollows(t *testing.T) {
	s := hallpasstest.New(t)
	account, key := token(t, s, "ci", "Viewer")
	for _, role := range []string{"Viewer", "Editor", "Viewer"} {
		if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+account, fmt.Sprintf(`{"role":%q}`, role)); r.StatusCode != 200 {
			t.Fatal(r.Text)
		}
		for range 2 {
			if r := s.Do(hallpasstest.Bearer(key), "GET", "/guard/verify", ""); r.Header.Get("X-Hallpass-Role") != role {
				t.Errorf("%d with the role %q, want %q", r.StatusCode, r.Header.Get("X-Hallpass-Role"), role)
			}
		}
	}
}
