package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

func TestBodies(t *testing.T) {
	s := hallpasstest.New(t)
	long := strings.Repeat("n", 191)
	for _, tt := range []struct{ name, body, says string }{
		{"empty", ``, "the body"},
		{"no object", `[]`, "the body has the wrong type"},
		{"broken", `{"name":`, "not valid JSON"},
		{"two values", `{"name":"a"}{"name":"b"}`, "not valid JSON"},
		{"no name", `{}`, "name is required"},
		{"null name", `{"name":null}`, "name is required"},
		{"blank name", `{"name":"  "}`, "name is required"},
		{"number", `{"name":5}`, "name has the wrong type"},
		{"twice", `{"name":"a","name":"b"}`, "name is there twice"},
		{"twice in another case", `{"name":"a","NAME":"b"}`, "NAME is there twice"},
		{"nested", strings.Repeat(`{"a":`, 20_000), "the body is not valid JSON"},
		{"a token for a name", `{"glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a":1,"glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a":2}`, "the body has a name twice"},
		{"long", `{"name":"` + long + `"}`, "name is longer than 190 characters"},
		{"NUL", `{"name":"a\u0000b"}`, "name holds a control character"},
		{"newline", `{"name":"a\nb"}`, "name holds a control character"},
		{"bidi", `{"name":"a\u202eb"}`, "name holds a control character"},
		{"no UTF-8", "{\"name\":\"a\xffb\"}", "name is not valid JSON"},
		{"unknown role", `{"name":"a","role":"Owner"}`, "role must be one of None, Viewer, Editor, Admin"},
		{"role a number", `{"name":"a","role":1}`, "role has the wrong type"},
		{"disabled a word", `{"name":"a","isDisabled":"yes"}`, "isDisabled has the wrong type"},
	} {
		r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", tt.body)
		expect(t, tt.name, r, 400, `"message":"Bad request data"`, tt.says)
	}
	expect(t, "nothing stayed", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search", ""), 200, `"totalCount":0`)
	read := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"Name":"a","id":99,"orgId":7,"login":"root","uid":"x","tokens":5,"isExternal":true}`)
	expect(t, "read-only fields", read, 201, `"login":"sa-1-a"`, `"orgId":1`, `"tokens":0`)
	if strings.Contains(read.Text, `"id":99`) {
		t.Errorf("an id was taken from the body: %s", read.Text)
	}
}

// TestAbsentBodies sends each call of ours, but those of PATCH, without a body and with
// {}: both have the same answer. The contract tells which calls need no body.
func TestAbsentBodies(t *testing.T) {
	s := hallpasstest.New(t)
	optional := make(map[string]bool)
	for _, r := range api.Rules() {
		optional[r.Pattern] = r.NoBody
	}
	tried := 0
	for i, c := range contractCalls(t, s) {
		pattern := c.method + " " + c.path
		if c.needsBody == optional[pattern] && len(c.fields) > 0 {
			t.Errorf("%s: the contract says that a body is required: %v; the rule, that it is not: %v", pattern, c.needsBody, optional[pattern])
		}
		ours := strings.HasPrefix(c.path, "/api/serviceaccounts/{id}/tokens/{token}") || slices.ContainsFunc(ourPaths, func(p string) bool { return strings.HasPrefix(c.path, p) })
		if !ours || len(c.fields) == 0 || c.method == "PATCH" {
			continue
		}
		tried++
		absent := s.Do(hallpasstest.Admin, c.method, newTargets(t, s, 2*i, c.path).fill(c.path), "")
		empty := s.Do(hallpasstest.Admin, c.method, newTargets(t, s, 2*i+1, c.path).fill(c.path), "{}")
		if absent.StatusCode != empty.StatusCode || optional[pattern] && absent.StatusCode == 400 {
			t.Errorf("%s without a body: %d %s; with {}: %d %s", pattern, absent.StatusCode, absent.Text, empty.StatusCode, empty.Text)
		}
	}
	if tried < 8 {
		t.Errorf("%d calls were tried", tried)
	}
}

// TestRotateWithoutBody replaces tokens as a script with curl -X POST does. What is no body
// and no JSON stays refused.
func TestRotateWithoutBody(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	self := made(t, s.Do(hallpasstest.Admin, "POST", path+"/tokens", `{"name":"self"}`))
	rotate := fmt.Sprintf("%s/tokens/%d/rotate", path, self.ID)
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded"} {
		expect(t, media, s.Do(hallpasstest.Admin, "POST", rotate, "", "Content-Type: "+media), 415)
		expect(t, media, s.Do(hallpasstest.Admin, "POST", rotate, "{}", "Content-Type: "+media), 415)
	}
	expect(t, "a space", s.Do(hallpasstest.Admin, "POST", rotate, " "), 400, "the body is not valid JSON")
	expect(t, "a change whose body is lost", s.Do(hallpasstest.Admin, "PATCH", strings.TrimSuffix(rotate, "/rotate"), ""), 400, "the body")
	for name, body := range map[string]string{"a string": `""`, "a list": `[]`} {
		expect(t, name, s.Do(hallpasstest.Admin, "POST", rotate, body), 400, "the body has the wrong type")
	}
	expect(t, "let it replace itself", s.Do(hallpasstest.Admin, "PATCH", strings.TrimSuffix(rotate, "/rotate"), `{"selfRotate":true,"renewUntil":"`+s.Clock.Now().Add(24*time.Hour).Format(time.RFC3339)+`"}`), 200)
	r := s.Do(hallpasstest.Bearer(self.Key), "POST", "/api/tokens/self/rotate", "", "Idempotency-Key: k1")
	expect(t, "by itself", r, 200, `"generation":2`, `"quietSeconds":600`)
	s.Clock.Wind(3 * time.Second)
	expect(t, "again, as {}", s.Do(hallpasstest.Bearer(self.Key), "POST", "/api/tokens/self/rotate", "{}", "Idempotency-Key: k1"), 200, `"replayed":true`)
}

func TestRequests(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	admin := hallpasstest.Admin
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", ";"} {
		expect(t, media, s.Do(admin, "POST", "/api/serviceaccounts", `{"name":"a"}`, "Content-Type: "+media), 415)
	}
	expect(t, "with parameters", s.Do(admin, "POST", "/api/serviceaccounts", `{"name":"a"}`, "Content-Type: application/json; charset=utf-8"), 201)
	expect(t, "large body", s.Do(admin, "POST", "/api/serviceaccounts", `{"name":"`+strings.Repeat("a", 1<<20)+`"}`), 413)
	expect(t, "large body, no credential", s.Do(hallpasstest.Nobody, "POST", "/api/serviceaccounts", `{"name":"`+strings.Repeat("a", 1<<20)+`"}`), 401)
	r := s.Do(admin, "PUT", path, `{"name":"a"}`)
	expect(t, "method", r, 405)
	if got := r.Header.Get("Allow"); got != "GET, PATCH, DELETE, HEAD" {
		t.Errorf("Allow is %q", got)
	}
	expect(t, "method override", s.Do(admin, "GET", path, "", "X-HTTP-Method-Override: DELETE"), 200)
	expect(t, "unknown path", s.Do(admin, "GET", "/api/nope", ""), 404)
	expect(t, "double slash", s.Do(admin, "GET", "/api//org", ""), 404)
	expect(t, "old keys", s.Do(admin, "GET", "/api/auth/keys", ""), 200, "[]")
	for method, path := range map[string]string{"POST": "/api/auth/keys", "PUT": "/api/auth/keys", "DELETE": "/api/auth/keys/1", "GET": "/api/auth/keys/1"} {
		expect(t, "old keys, "+method, s.Do(admin, method, path, ""), 410, "POST /api/serviceaccounts")
	}
	if r := s.Do(admin, "HEAD", "/api/org", ""); r.StatusCode != 200 || r.Text != "" {
		t.Errorf("HEAD: %d %q", r.StatusCode, r.Text)
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("X-H-%d: v", i)
	}
	expect(t, "many headers", s.Do(admin, "GET", "/api/org", "", many...), 431)
	expect(t, "large headers", s.Do(admin, "GET", "/api/org", "", "X-Large: "+strings.Repeat("a", 33_000)), 431)
}

// TestBodiesThatAreSomethingElse sends every route that takes a body one whose header says
// that it is not JSON in UTF-8.
func TestBodiesThatAreSomethingElse(t *testing.T) {
	s := hallpasstest.New(t)
	fill := newTargets(t, s, 1, "").fill
	bodies := 0
	for _, call := range contractCalls(t, s) {
		if len(call.fields) == 0 {
			continue
		}
		bodies++
		for _, header := range []string{
			"Content-Encoding: gzip", "Content-Encoding: identity, gzip", "Content-Encoding: x", "Content-Type: application/json; charset=utf-16",
			"Content-Type: application/json; charset=iso-8859-1", "Content-Type: text/plain", "Content-Type: application/xml",
		} {
			if r := s.Do(hallpasstest.Admin, call.method, fill(call.path), `{"x":1}`, header); r.StatusCode != 415 {
				t.Errorf("%s %s with %s: %d %s, want 415", call.method, call.path, header, r.StatusCode, r.Text)
			}
		}
		for _, header := range []string{"Content-Encoding: Identity", "Content-Type: application/json; charset=UTF-8", `Content-Type: application/json;charset="utf-8"`} {
			if r := s.Do(hallpasstest.Nobody, call.method, fill(call.path), `{"x":1}`, header); r.StatusCode == 415 {
				t.Errorf("%s %s with %s: %d %s", call.method, call.path, header, r.StatusCode, r.Text)
			}
		}
	}
	if bodies < 40 {
		t.Errorf("only %d calls take a body: this test does not look where it should", bodies)
	}
	for _, header := range []string{"Content-Encoding: gzip", "Content-Type: application/x-www-form-urlencoded; charset=utf-16", "Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=x"} {
		headers := []string{"Sec-Fetch-Site: same-origin", header}
		if !strings.HasPrefix(header, "Content-Type") {
			headers = append(headers, "Content-Type: application/x-www-form-urlencoded")
		}
		for _, path := range []string{"/theme", "/login"} {
			if r := s.Do(hallpasstest.Nobody, "POST", path, "theme=dark&user=a&password=b", headers...); r.StatusCode != 415 {
				t.Errorf("the form of %s with %s: %d, want 415", path, header, r.StatusCode)
			}
		}
	}
}

// TestCrossOriginIsAudited has a page of another site send changes with a user's cookie, to
// the API and to the console. They are refused and audited (SEC-18).
func TestCrossOriginIsAudited(t *testing.T) {
	s := hallpasstest.New(t)
	w := newWalker(t, s)
	for _, path := range []string{"/api/serviceaccounts", "/org/teams", "/logout", "/nope"} {
		expect(t, path, s.Do(w.as, "POST", path, "", "Sec-Fetch-Site: cross-site"), 403, "request.cross-origin")
		expect(t, "the entry", s.Do(hallpasstest.Admin, "GET", "/api/audit?outcome=refused", ""), 200, `"actor":"admin"`, `"action":"request.cross-origin"`, `"target":"path:`+path+`"`)
	}
	expect(t, "nobody's", s.Do(hallpasstest.Nobody, "POST", "/api/teams", "", "Sec-Fetch-Site: cross-site"), 403)
	if r := s.Do(hallpasstest.Admin, "GET", "/api/audit?outcome=refused", ""); strings.Contains(r.Text, "path:/api/teams") {
		t.Errorf("a stranger's is recorded: %s", r.Text)
	}
}

// TestNoNUL sends a NUL in every name that clients choose. PostgreSQL cannot store a NUL in
// a text.
func TestNoNUL(t *testing.T) {
	s := hallpasstest.New(t)
	admin := hallpasstest.Admin
	for path, body := range map[string]string{
		"/api/folders":                         `{"title":"a","uid":"a\u0000"}`,
		"/api/dashboards/db":                   `{"dashboard":{"title":"a"},"folderUid":"a\u0000"}`,
		"/api/access-control/users/1/roles":    `{"roleUid":"a\u0000"}`,
		"/api/org/users":                       `{"loginOrEmail":"a\u0000","role":"Viewer"}`,
		"/api/access-control/builtin-roles":    `{"roleUid":"a\u0000","builtinRole":"Viewer"}`,
		"/api/access-control/roles":            `{"name":"a","uid":"a\u0000"}`,
		"/api/admin/users":                     `{"login":"a\u0000","password":"violet lamps hum at noon"}`,
		"/api/folders/general/move":            `{"parentUid":"\u0000"}`,
		"/api/access-control/teams/1/users/1":  `{"permission":"\u0000"}`,
		"/api/access-control/teams/1":          `{"permissions":[{"userId":1,"permission":"\u0000"}]}`,
		"/api/dashboards/import":               `{"dashboard":{"title":"a"},"inputs":[{"name":"a","value":"\u0000"}]}`,
		"/api/dashboards/uid/x/permissions":    `{"items":[{"role":"\u0000","permission":1}]}`,
		"/api/access-control/users/1/roles?x=": `{"roleUid":"\u0000"}`,
	} {
		if r := s.Do(admin, "POST", path, body); r.StatusCode != 400 || !strings.Contains(r.Text, "holds a control character") {
			t.Errorf("%s: %d %s, want 400", path, r.StatusCode, r.Text)
		}
	}
	password := `violet lamps\u0000 hum at noon \u0007\u001b`
	expect(t, "a password may hold what it likes", s.Do(admin, "POST", "/api/admin/users", `{"login":"pat","password":"`+password+`"}`), 200)
	var real string
	if err := json.Unmarshal([]byte(`"`+password+`"`), &real); err != nil {
		t.Fatal(err)
	}
	expect(t, "and is the one that was set", s.Do(hallpasstest.Basic("pat", real), "GET", "/api/user", ""), 200, `"login":"pat"`)
	for _, login := range []string{"a\x00", "\x00", "admin\x00", "a\xff", "\xc3", strings.Repeat("a", 10_000)} {
		expect(t, "sign in as "+login, s.Do(hallpasstest.Basic(login, "x"), "GET", "/api/org", ""), 401, "Invalid username or password")
		form := url.Values{"user": {login}, "password": {"x"}}.Encode()
		expect(t, "the form as "+login, s.Do(hallpasstest.Nobody, "POST", "/login", form, "Content-Type: application/x-www-form-urlencoded"), 401)
		s.Clock.Wind(2 * time.Minute)
	}
	board := `{"dashboard":{"uid":"odd","title":"odd","panels":[{"text":"a\u0000b"}]}}`
	expect(t, "a dashboard's own JSON is kept", s.Do(admin, "POST", "/api/dashboards/db", board), 200)
	expect(t, "as it was", s.Do(admin, "GET", "/api/dashboards/uid/odd", ""), 200, `"text":"a\u0000b"`)
}

func TestPathIDs(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	for ref, status := range map[string]int{
		"0": 404, "-1": 400, "+1": 400, "007": 400, "1.5": 400, "99999999999999999999": 400, "2%00": 400, "%20": 400, "a%2Fb": 400, "é": 400,
		"99": 404, "9223372036854775807": 404, "nosuchaccount1": 404, "fe1xejlha91xce": 404,
	} {
		expect(t, "account "+ref, s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/"+ref, ""), status)
		if status == 400 {
			says := "Token ID is invalid"
			if strings.Contains(ref, "%00") {
				says = "the path holds a control character"
			}
			expect(t, "token "+ref, s.Do(hallpasstest.Admin, "DELETE", path+"/tokens/"+ref, ""), 400, says)
		}
	}
	zeros := 0
	fill := newTargets(t, s, 9, "").fill
	for _, pattern := range api.Patterns() {
		for _, name := range []string{"{id}", "{token}", "{user}", "{team}", "{org}"} {
			if method, route, _ := strings.Cut(pattern, " "); strings.Contains(route, name) {
				zeros++
				path := fill(strings.Replace(route, name, "0", 1))
				if r := s.Do(hallpasstest.Admin, method, path, "{}"); r.StatusCode != 404 {
					t.Errorf("%s %s: %d %s, want 404", method, path, r.StatusCode, r.Text)
				}
			}
		}
	}
	if zeros < 50 {
		t.Errorf("only %d routes have a number", zeros)
	}
	expect(t, "token uid", s.Do(hallpasstest.Admin, "DELETE", path+"/tokens/abc", ""), 400)
	expect(t, "token of none", s.Do(hallpasstest.Admin, "DELETE", path+"/tokens/99", ""), 404, "serviceaccounts.ErrTokenNotFound")
	other := account(t, s, "other", "Viewer")
	token(t, s, path, "t")
	expect(t, "token of another account", s.Do(hallpasstest.Admin, "DELETE", other+"/tokens/1", ""), 404, "serviceaccounts.ErrTokenNotFound")
}

func TestSearch(t *testing.T) {
	s := hallpasstest.New(t)
	for _, name := range []string{"100% sure", "100 sure", "a_b", "axb", `back\slash`, "Zoë"} {
		account(t, s, name, "Viewer")
	}
	expect(t, "disable", s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/2", `{"isDisabled":true}`), 200)
	for query, want := range map[string]int{
		"": 6, "query=100%25": 1, "query=a_b": 1, `query=%5C`: 1, "query=ZO%C3%8B": 1, "query='%20OR%201=1": 0, "disabled=true": 1, "Disabled=true": 1,
		"disabled=true&expiredTokens=true": 1, "expiredTokens=true": 0, "page=0": 6, "perpage=2&page=3": 6, "perPage=1000000": 6, "page=-5": 6, "page=2147483647": 6,
	} {
		expect(t, query, s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?"+query, ""), 200, fmt.Sprintf(`"totalCount":%d`, want))
	}
	expect(t, "NUL", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?query=%00x", ""), 400, "query holds a control character")
	expect(t, "an order there is", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?sort=login-asc", ""), 200)
	for _, list := range []string{"/api/serviceaccounts/search", "/api/search", "/api/teams/search", "/api/users/search", "/api/org/users/search"} {
		expect(t, "an order there is not", s.Do(hallpasstest.Admin, "GET", list+"?sort=nosuch-asc", ""), 400, "sort must be ")
	}
	expect(t, "no number", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?page=x", ""), 400, "page is not a whole number")
	expect(t, "perPage in the answer", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search?perPage=2&page=3", ""), 200, `"page":3,"perPage":2`)
}

func TestLifetimes(t *testing.T) {
	for _, tt := range []struct {
		name      string
		configure func(*server.Config)
		cases     map[string]int
	}{
		{"no limit", func(*server.Config) {}, map[string]int{
			`{"name":"%s"}`: 200, `{"name":"%s","secondsToLive":0}`: 200, `{"name":"%s","secondsToLive":null}`: 200, `{"name":"%s","secondsToLive":60}`: 200,
			`{"name":"%s","secondsToLive":9223372036}`: 200, `{"name":"%s","secondsToLive":9223372037}`: 400, `{"name":"%s","secondsToLive":-1}`: 400,
			`{"name":"%s","secondsToLive":1.5}`: 400, `{"name":"%s","secondsToLive":"60"}`: 400, `{"name":"%s","secondsToLive":99999999999999999999}`: 400,
		}},
		{"days", func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 30 }, map[string]int{
			`{"name":"%s"}`: 400, `{"name":"%s","secondsToLive":0}`: 400, `{"name":"%s","secondsToLive":null}`: 400,
			`{"name":"%s","secondsToLive":2592000}`: 200, `{"name":"%s","secondsToLive":2678400}`: 400,
		}},
		{"seconds", func(c *server.Config) { c.Auth.APIKeyMaxSecondsToLive = 3600 }, map[string]int{
			`{"name":"%s"}`: 400, `{"name":"%s","secondsToLive":3600}`: 200, `{"name":"%s","secondsToLive":3601}`: 400,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := hallpasstest.New(t, tt.configure)
			path := account(t, s, "ci", "Viewer")
			n := 0
			for body, status := range tt.cases {
				n++
				expect(t, body, s.Do(hallpasstest.Admin, "POST", path+"/tokens", fmt.Sprintf(body, fmt.Sprint("t", n))), status)
			}
		})
	}
}

// FuzzCreateToken sends any body. Nothing may panic or answer 500, and only JSON creates a
// token.
func FuzzCreateToken(f *testing.F) {
	s := hallpasstest.New(f)
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"ci"}`)
	if r.StatusCode != 201 {
		f.Fatal(r.Text)
	}
	for _, seed := range []string{`{"name":"a"}`, `{"name":"a","secondsToLive":1}`, `{"name":"\u202e"}`, `[[[`, "\xff", `{"NAME":"x","name":"y"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		req := httptest.NewRequest("POST", "/api/serviceaccounts/2/tokens", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		hallpasstest.Admin(req)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
