package httpd_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// paths answers with the path that the doors behind Handler see.
func paths() http.Handler {
	return httpd.Handler(httpd.Readable(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.URL.EscapedPath())
	})), httpd.Options{Log: slog.New(slog.DiscardHandler)})
}

func ask(h http.Handler, target string) (int, string) {
	r := httptest.NewRequest("DELETE", "http://h/", nil)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return http.StatusBadRequest, ""
	}
	r.URL, r.RequestURI = u, target
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(b)
}

func TestOneSpellingOfAPath(t *testing.T) {
	for target, want := range map[string]string{
		"/": "/", "/?a=b": "/", "/api/org": "/api/org", "/api/org/": "/api/org", "/api/org/?x=/": "/api/org", "/login/": "/login",
		"/api/orgs/name/a%2F": "/api/orgs/name/a%2F", "/api/orgs/name/a%2F/": "/api/orgs/name/a%2F", "/api/orgs/name/a%2Fb/": "/api/orgs/name/a%2Fb",
		"/api/orgs/name/%2e%2e": "/api/orgs/name/%2e%2e", "/api/orgs/name/a%2F..%2Fb": "/api/orgs/name/a%2F..%2Fb", "/api/orgs/name/%C3%A9/": "/api/orgs/name/%C3%A9",
		"/.well-known/x": "/.well-known/x", "/a/..b": "/a/..b", "/a/...": "/a/...", "/a/b.": "/a/b.",
	} {
		if status, got := ask(paths(), target); status != 200 || got != want {
			t.Errorf("%s: %d %s, want 200 %s", target, status, got, want)
		}
	}
	for _, target := range []string{
		"//", "//api/org", "/api//org", "/api/org//", "/x/../api/org", "/./api/org", "/api/.", "/api/..", "/api/org/.", "/api/org/../", "/..", "/.", "/api/orgs/name/../",
		"/api/%6Frg//", "http://h", "http://h//",
	} {
		if status, got := ask(paths(), target); status != 404 || !strings.Contains(got, `"messageId":"not-found"`) {
			t.Errorf("%s: %d %s, want a 404 in JSON", target, status, got)
		}
	}
}

func TestReadable(t *testing.T) {
	for _, piece := range []string{"%00", "%0a", "%7f", "%C2%85", "%ff", "%c3", "%ed%a0%80", "\xff"} {
		for _, target := range []string{"/x/" + piece, "/x" + piece + "/y", "/x?a=" + piece, "/x?a=b&" + piece + "=c", "/x?a=" + piece + "#", "/x/?a=b&c=d" + piece} {
			if status, got := ask(paths(), target); status != 400 || !strings.Contains(got, "request.malformed") {
				t.Errorf("%q: %d %s, want a 400 in JSON", target, status, got)
			}
		}
	}
	for _, query := range []string{"a=%zz", "a=%", "a=b;c=d"} {
		if status, got := ask(paths(), "/x?"+query); status != 400 || strings.Contains(got, "zz") {
			t.Errorf("%q: %d %s, want 400", query, status, got)
		}
	}
	for _, query := range []string{"", "a", "a=b", "a=%20+%F0%9F%94%91", "a=%E2%80%8B", "&&", "=", "a=%2525"} {
		if status, got := ask(paths(), "/x?"+query); status != 200 {
			t.Errorf("%q: %d %s, want 200", query, status, got)
		}
	}
}

// FuzzPath sends arbitrary targets: the doors see a clean path, and cleaning it again
// changes nothing.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/", "/api/org/", "//", "/a/../b", "/%2e%2e/", "/a%2F/", "/\xff", "*"} {
		f.Add(seed)
	}
	h := paths()
	f.Fuzz(func(t *testing.T, target string) {
		status, got := ask(h, target)
		if status != 200 {
			return
		}
		if again, same := ask(h, got); again != 200 || same != got || got != "/" && strings.HasSuffix(got, "/") || strings.Contains(got, "//") || !strings.HasPrefix(got, "/") {
			t.Errorf("%q: the doors see %q, and then %d %q", target, got, again, same)
		}
	})
}
