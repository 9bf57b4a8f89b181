package api_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestOneSlashAtTheEnd calls every route without a credential: with an additional slash at
// the end, which is answered as without it, and in other odd spellings, which are 404.
func TestOneSlashAtTheEnd(t *testing.T) {
	s := hallpasstest.New(t)
	fill := newTargets(t, s, 1, "").fill
	for _, pattern := range api.Patterns() {
		method, route, ok := strings.Cut(pattern, " ")
		if !ok {
			method, route = "GET", pattern
		}
		path := fill(route)
		plain := s.Do(hallpasstest.Nobody, method, path, "")
		with := s.Do(hallpasstest.Nobody, method, path+"/", "")
		if plain.StatusCode == 404 || with.StatusCode != plain.StatusCode {
			t.Errorf("%s: %d, with a slash at the end %d", pattern, plain.StatusCode, with.StatusCode)
		}
		for _, odd := range []string{path + "//", "/" + path, path + "/.", path + "/..", "/x/.." + path, path[:1] + "/" + path[1:]} {
			if r := s.Do(hallpasstest.Nobody, method, odd, ""); r.StatusCode != 404 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
				t.Errorf("%s %s: %d %s, want a 404 in JSON", method, odd, r.StatusCode, r.Text)
			}
		}
	}
	admin := hallpasstest.Admin
	expect(t, "the proof", s.Do(admin, "GET", "/api/org/", ""), 200, "Main Org.")
	expect(t, "with a query", s.Do(admin, "GET", "/api/serviceaccounts/search/?query=x", ""), 200, `"totalCount":0`)
	expect(t, "a write", s.Do(admin, "POST", "/api/serviceaccounts/", `{"name":"a"}`), 201)
	expect(t, "a name", s.Do(admin, "GET", "/api/orgs/name/Main%20Org./", ""), 200)
	expect(t, "another method", s.Do(admin, "DELETE", "/api/org/", ""), 405)
	for path, status := range map[string]int{
		"/guard/verify/": 401, "/healthz/": 200, "/readyz/": 200, "/metrics/": 200, "/openapi.json/": 200, "/docs/": 200, "/api/health/": 200,
		"/login/": 200, "/org/serviceaccounts/": 303, "/api/": 404, "/api": 404, "/guard/": 404, "/guard/verify//": 404, "/guard/./verify": 404,
	} {
		expect(t, path, s.Do(hallpasstest.Nobody, "GET", path, ""), status)
	}
}

// TestNamesInPaths asks for orgs by names that must be percent-encoded.
func TestNamesInPaths(t *testing.T) {
	s := hallpasstest.New(t)
	for name, encoded := range map[string]string{
		"a/b": "a%2Fb", "a//b": "a%2F%2Fb", "a/": "a%2F", "/a": "%2Fa", "a/../b": "a%2F..%2Fb", "x/.": "x%2F.", "...": "%2E%2E%2E", "a?b#c": "a%3Fb%23c", "é%41": "%C3%A9%2541", "users": "users",
	} {
		expect(t, "make "+name, s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"`+name+`"}`), 200)
		for _, end := range []string{"", "/"} {
			expect(t, encoded+end, s.Do(hallpasstest.Admin, "GET", "/api/orgs/name/"+encoded+end, ""), 200, `"name":"`+name+`"`)
		}
	}
}

// TestProgramsGetJSON asks for paths that other servers have.
func TestProgramsGetJSON(t *testing.T) {
	s := hallpasstest.New(t)
	viewer := tokenOf(t, s, "Viewer")
	for _, path := range []string{"/apis", "/apis/folder.grafana.app/v1", "/oauth2/token", "/.well-known/openid-configuration", "/nope", "/favicon.ico"} {
		for what, headers := range map[string][]string{"a program": {"Accept: application/json"}, "curl": {"Accept: */*"}, "a client that says nothing": nil} {
			for who, as := range map[string]hallpasstest.Credential{"nobody": hallpasstest.Nobody, "a token": viewer} {
				r := s.Do(as, "GET", path, "", headers...)
				if r.StatusCode != 404 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || !strings.Contains(r.Text, `"messageId":"not-found"`) {
					t.Errorf("%s as %s, %s: %d %s", path, who, what, r.StatusCode, r.Text)
				}
			}
		}
		r := s.Do(hallpasstest.Nobody, "GET", path, "", "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
		if r.StatusCode != 404 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s in a browser: %d %s", path, r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
}
