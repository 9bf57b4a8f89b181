package httpd_test

import (
	"bufio"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestBaseServe sends targets as clients write them: what is below the base loses it, byte
// for byte, and nothing else does.
func TestBaseServe(t *testing.T) {
	const base = httpd.Base("/h/p")
	tell := func(who string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Said", who+" "+r.RequestURI+" "+r.URL.Path+" "+r.URL.EscapedPath())
		})
	}
	h := base.Serve(tell("door"), tell("elsewhere"), func(r *http.Request) bool { return r.URL.Path == "/healthz" })
	for target, want := range map[string]string{
		"/h/p/": "door / / /", "/h/p/org?a=/h/p/": "door /org?a=/h/p/ /org /org", "/h/p/a%2Fb": "door /a%2Fb /a/b /a%2Fb", "/h/p//x": "door //x //x //x",
		"/h/p/h/p/x": "door /h/p/x /h/p/x /h/p/x", "http://h/h/p/x?y": "door http://h/x?y /x /x", "http://h/x": "elsewhere http://h/x /x /x", "/healthz": "door /healthz /healthz /healthz",
		"/h/p": "elsewhere /h/p /h/p /h/p", "/h/p?x": "elsewhere /h/p?x /h/p /h/p", "/h/px/": "elsewhere /h/px/ /h/px/ /h/px/", "/H/p/": "elsewhere /H/p/ /H/p/ /H/p/", "/%68/p/x": "elsewhere /%68/p/x /h/p/x /%68/p/x",
		"/x/../h/p/": "elsewhere /x/../h/p/ /x/../h/p/ /x/../h/p/", "//h/p/": "elsewhere //h/p/ //h/p/ //h/p/", "/": "elsewhere / / /",
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")))
		if err != nil {
			t.Fatal(target, err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Said"); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}

// TestBaseLinks puts the base before addresses, and before nothing that only looks like one.
func TestBaseLinks(t *testing.T) {
	const base = httpd.Base("/hp")
	page := `<a href="/">x</a><a class="c" href="/org/users?next=/x">href=&#34;/y&#34;</a><a href="//other/">x</a><a href="?page=2">x</a><a href="https://other/">x</a>` +
		`<form method="post" action="/login"><input value="/org" name="back"><button formaction="/x"></form><img
	src="/a.svg"><div data-open="/o" data-live="/l" data-url="/u" data-copy="/c" aria-keyshortcuts="/"></div>="/`
	want := `<a href="/hp/">x</a><a class="c" href="/hp/org/users?next=/x">href=&#34;/y&#34;</a><a href="//other/">x</a><a href="?page=2">x</a><a href="https://other/">x</a>` +
		`<form method="post" action="/hp/login"><input value="/org" name="back"><button formaction="/hp/x"></form><img
	src="/hp/a.svg"><div data-open="/hp/o" data-live="/hp/l" data-url="/hp/u" data-copy="/c" aria-keyshortcuts="/"></div>="/`
	if got := string(base.Links([]byte(page))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(httpd.Base("").Links([]byte(page))); got != page {
		t.Errorf("without a base the page is changed: %s", got)
	}
	for to, want := range map[string]string{"/": "/hp/", "/x?y": "/hp/x?y", "//x": "//x", "https://x/": "https://x/", "?a": "?a", "": ""} {
		if got := base.Link(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}

// TestCookiesBelowABase sets and reads cookies over https: of a path that others share the
// host of, they have that path, and a prefix that allows one.
func TestCookiesBelowABase(t *testing.T) {
	for base, want := range map[httpd.Base]string{"": "__Host-grafana_session=id; Path=/;", "/hp": "__Secure-grafana_session=id; Path=/hp/;"} {
		c := httpd.Cookies{Base: base}
		w := httptest.NewRecorder()
		httpd.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.Set(w, r, "id", time.Time{})
			c.SetAttempt(w, r, "a")
			r.Header.Set("Cookie", strings.Join([]string{cookiePair(w.Header()["Set-Cookie"][0]), cookiePair(w.Header()["Set-Cookie"][1])}, "; "))
			if id, ok := c.Session(r); !ok || id != "id" || c.Attempt(r) != "a" || c.Device(r) != "" {
				t.Errorf("below %q the cookies are not read: %q, %q", base, id, c.Attempt(r))
			}
		}), httpd.Options{Log: slog.New(slog.DiscardHandler), HTTPS: true}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if got := w.Header()["Set-Cookie"]; len(got) != 2 || !strings.HasPrefix(got[0], want) || !strings.Contains(got[0], "; Secure") {
			t.Errorf("below %q: %q, want %s", base, got, want)
		}
	}
	for name, want := range map[string]string{"__Host-a": "a", "__Secure-a": "a", "a": "a"} {
		if got := httpd.PlainCookie(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func cookiePair(line string) string {
	pair, _, _ := strings.Cut(line, ";")
	return pair
}
