package console_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// below is the path of the servers of these tests, and rootBelow the URL that they are told.
const (
	below     = "/hallpass"
	rootBelow = "https://h.example" + below
)

// TestSubPath opens every page and sends every form below a path: on a server that serves
// there itself, and on one behind a proxy that takes the path off. No link, form, picture,
// stylesheet, script, cookie or redirect leaves the path, and every link leads to a page.
func TestSubPath(t *testing.T) {
	for _, serves := range []bool{true, false} {
		t.Run("serve_from_sub_path="+strconv.FormatBool(serves), func(t *testing.T) {
			t.Parallel()
			s := hallpasstest.New(t, func(c *server.Config) { c.Server.RootURL, c.Server.ServeFromSubPath = rootBelow+"/", serves })
			if !serves {
				s = behindProxy(t, s)
			}
			if !strings.HasSuffix(s.URL, below) {
				t.Fatalf("the server is at %s", s.URL)
			}
			w := &subPath{newStranger(t, s, "root"), make(map[string]string)}
			w.pages()
			w.links()
			w.forms()
		})
	}
}

// behindProxy returns the server as a proxy shows it that takes the path off, and that has
// nothing else.
func behindProxy(t *testing.T, s *hallpasstest.Server) *hallpasstest.Server {
	t.Helper()
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := http.StripPrefix(below, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, below+"/") {
			t.Errorf("%s %s is not below the path", r.Method, r.URL.Path)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	shown := *s
	shown.URL = front.URL + below
	return &shown
}

// subPath looks at what a server below a path answers.
type subPath struct {
	*stranger
	found map[string]string // links of pages without the path of the server, by what they have before a query
}

// pages opens every page, and what is no page of the console.
func (w *subPath) pages() {
	for _, pattern := range append(console.Patterns(), openPatterns...) {
		method, path, _ := strings.Cut(pattern, " ")
		if method == "GET" {
			w.look(pattern, w.get(w.parts.Replace(strings.Replace(path, "{rule}", "1", 1))))
		}
	}
	for _, path := range []string{"/guards/prom?proxy=built-in", "/guards/prom?proxy=nginx", "/org/serviceaccounts/5?newToken=1", "/docs", "/openapi.json", "/docs.css"} {
		w.look("GET "+path, w.get(path))
	}
	for _, path := range []string{"/api/org/users", "/api/serviceaccounts/search", "/api/serviceaccounts/5", "/api/teams/search", "/api/folders/shop", "/api/search", "/api/users/2", "/api/folders/shop/permissions"} {
		p := w.get(path)
		if w.look("GET "+path, p); !jsonAddress.MatchString(p.text) {
			w.t.Errorf("GET %s has no address: %s", path, p.text)
		}
	}
	if p := w.get("/guards/prom?proxy=built-in"); !strings.Contains(p.text, rootBelow+"/guard/proxy/prom/") {
		w.t.Errorf("the guard does not tell the address of the built-in proxy:\n%s", p.text)
	}
	var contract struct{ Servers []struct{ URL string } }
	if err := json.Unmarshal([]byte(w.get("/openapi.json").text), &contract); err != nil || len(contract.Servers) != 1 || contract.Servers[0].URL != below {
		w.t.Errorf("the contract is of the servers %v, %v", contract.Servers, err)
	}
}

// links opens all that pages link to.
func (w *subPath) links() {
	if len(w.found) < 60 {
		w.t.Errorf("the pages link to %d paths alone", len(w.found))
	}
	for path, link := range w.found {
		if p := w.get(link); p.status >= 400 || p.status >= 300 && strings.HasPrefix(p.to, below+"/login") {
			w.t.Errorf("a page links to %s, which answers %d %s", link, p.status, p.to)
		} else if strings.HasSuffix(path, ".css") {
			w.look("GET "+path, p)
		} else if strings.HasSuffix(path, ".js") {
			for _, m := range scriptAddress.FindAllString(p.text, -1) {
				w.t.Errorf("the script has the address %s: it must begin with base", m)
			}
		}
	}
}

// forms sends every form, and answers yes to what it asks.
func (w *subPath) forms() {
	moved := 0
	for _, pattern := range slices.SortedStableFunc(slices.Values(append(console.Patterns(), openPatterns...)), lastThingsLast) {
		method, path, _ := strings.Cut(pattern, " ")
		if method != "POST" {
			continue
		}
		fields := slices.Clone(forms[pattern])
		for i := 1; i < len(fields); i += 2 {
			w.made++
			fields[i] = strings.ReplaceAll(fields[i], "#", strconv.Itoa(w.made))
		}
		p := w.post(w.parts.Replace(path), fields...)
		w.look(pattern, p)
		if form := confirmForm.FindStringSubmatch(p.text); form != nil {
			fields = nil
			for _, f := range confirmField.FindAllStringSubmatch(form[2], -1) {
				fields = append(fields, html.UnescapeString(f[1]), html.UnescapeString(f[2]))
			}
			p = w.post(strings.TrimPrefix(html.UnescapeString(form[1]), below), fields...)
			w.look(pattern+", yes", p)
		}
		if p.to != "" {
			moved++
		}
	}
	if moved < 30 {
		w.t.Errorf("%d forms led on alone", moved)
	}
	p := w.post("/login", "user", "admin", "password", hallpasstest.AdminPassword, "next", "/org/teams?query=x")
	if w.look("sign in", p); p.to != below+"/org/teams?query=x" {
		w.t.Errorf("signed in, the browser is led to %q", p.to)
	}
}

var (
	attribute     = regexp.MustCompile(`\s([a-zA-Z-]+)="((?:/|https://h\.example)[^"]*)"`)
	cssAddress    = regexp.MustCompile(`url\("?([^")]*)"?\)`)
	jsonAddress   = regexp.MustCompile(`"(?:\w*[uU]rl|\w*URI)": ?"(/[^"]*)"`)
	scriptAddress = regexp.MustCompile("[\"'`]/[a-z][^\"'`]*")
)

// notAddresses are attributes whose values the server reads, or a person.
var notAddresses = map[string]bool{"value": true, "placeholder": true, "data-copy": true, "aria-label": true, "aria-keyshortcuts": true}

// look fails the test for each address in an answer that is not below the path, and keeps
// those that are.
func (w *subPath) look(what string, p page) {
	w.t.Helper()
	within := func(kind, address string) bool {
		inside := strings.TrimPrefix(address, "https://h.example")
		if ok := inside == below+"/" || strings.HasPrefix(inside, below+"/") && !strings.HasPrefix(inside, below+below); !ok {
			w.t.Errorf("%s: %s %q leaves the path", what, kind, address)
			return false
		}
		return true
	}
	if p.to != "" {
		within("it leads to", p.to)
	}
	for _, cookie := range p.header["Set-Cookie"] {
		if !strings.Contains(cookie, "; Path="+below+"/;") || strings.HasPrefix(cookie, "__Host-") {
			w.t.Errorf("%s: the cookie %s is not of the path", what, cookie)
		}
	}
	switch kind, _, _ := strings.Cut(p.header.Get("Content-Type"), ";"); kind {
	case "text/html":
		for _, m := range attribute.FindAllStringSubmatch(p.text, -1) {
			if address := html.UnescapeString(m[2]); !notAddresses[m[1]] && within(m[1], address) && (m[1] == "href" || m[1] == "src") && strings.HasPrefix(address, "/") {
				link, _, _ := strings.Cut(strings.TrimPrefix(address, below), "#")
				to, _, _ := strings.Cut(link, "?")
				w.found[to] = link
			}
		}
	case "text/css":
		for _, m := range cssAddress.FindAllStringSubmatch(p.text, -1) {
			if to := m[1]; strings.HasPrefix(to, "/") || strings.Contains(to, ":") {
				w.t.Errorf("%s: url(%s) leaves the path", what, to)
			} else if at := path.Join(path.Dir(strings.TrimPrefix(what, "GET ")), to); w.get(at).status != http.StatusOK {
				w.t.Errorf("%s: there is no %s", what, at)
			}
		}
	case "application/json":
		if what == "GET /openapi.json" {
			return // its servers have no slash at the end
		}
		for _, m := range jsonAddress.FindAllStringSubmatch(p.text, -1) {
			within("JSON", m[1])
		}
	}
}

// TestOutsideOfTheSubPath asks a server below a path for what is not there.
func TestOutsideOfTheSubPath(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.RootURL, c.Server.ServeFromSubPath = rootBelow+"/", true })
	s.URL = strings.TrimSuffix(s.URL, below)
	b := newBrowser(t, s)
	for _, tt := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/", 302, below + "/"}, {"GET", below, 302, below + "/"}, {"HEAD", "/", 302, below + "/"}, {"POST", "/", 404, ""},
		{"GET", "/org/users", 404, "This server answers below /hallpass/"}, {"GET", "/api/org", 404, "This server answers below /hallpass/"}, {"POST", "/login", 404, "below /hallpass/"},
		{"GET", below + "x/login", 404, "below /hallpass/"}, {"GET", "/%68allpass/login", 404, "below /hallpass/"}, {"GET", "/x/.." + below + "/login", 404, ""}, {"GET", "//" + below + "/login", 404, ""},
		{"GET", below + below + "/login", 404, ""}, {"GET", below + "//login", 404, ""}, {"GET", below + "/login", 200, "Log in"}, {"GET", below + "/api/health", 200, `"database"`},
		{"GET", "/healthz", 200, ""}, {"GET", below + "/healthz", 200, ""}, {"GET", "/readyz", 200, ""}, {"GET", "/metrics", 200, "hallpass_"}, {"GET", below + "/metrics", 200, "hallpass_"},
		{"GET", "/guard/jwks.json", 200, `"keys"`}, {"GET", below + "/guard/jwks.json", 200, `"keys"`}, {"GET", "/guard/nginx/none", 401, ""}, {"GET", below + "/guard/nginx/none", 401, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p := b.do(r); p.status != tt.status || !strings.Contains(p.text+p.to, tt.says) {
			t.Errorf("%s %s: %d %s %s, want %d %s", tt.method, tt.path, p.status, p.to, p.text, tt.status, tt.says)
		}
	}
}

// TestPathIsNotTakenOff asks a server behind a proxy that should take the path off, and does
// not: the answer says what to do, where redirects would go in a circle.
func TestPathIsNotTakenOff(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.RootURL = rootBelow + "/" })
	for path, status := range map[string]int{below: 404, below + "/": 404, below + "/login": 404, below + "/api/org": 404, "/login": 200, "/api/health": 200} {
		r := s.Do(hallpasstest.Nobody, "GET", path, "")
		if told := strings.Contains(r.Text, "have it do so, or set server.serve_from_sub_path = true"); r.StatusCode != status || told != (status == 404) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.Text)
		}
	}
}

// TestOutsideBelowAPath signs in by a provider on a server below a path: the provider leads
// the browser back to the path, and the server from there to the page that was asked for.
func TestOutsideBelowAPath(t *testing.T) {
	for site, header := range map[string]string{"lax": "Location", "strict": "Refresh"} {
		s, i := withProvider(t, func(c *server.Config) {
			c.Server.RootURL, c.Server.ServeFromSubPath, c.Security.CookieSameSite = rootBelow+"/", true, site
		})
		b := newBrowser(t, s)
		b.want("the sign-in page", b.get("/login?next=/profile"), 200, `href="/hallpass/login/generic_oauth?next=%2Fprofile"`)
		begin := b.get("/login/generic_oauth?next=/profile")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, begin.to, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, within := strings.CutPrefix(b.do(r).to, rootBelow)
		if !within || !strings.HasPrefix(begin.to, i.URL) {
			t.Fatalf("%s: the browser is sent to %s, and from there not back to %s", site, begin.to, rootBelow)
		}
		p := b.get(back)
		if to := strings.TrimPrefix(p.header.Get(header), "0; url="); to != below+"/profile" {
			t.Errorf("%s: signed in, the browser is led to %q\n%s", site, to, p.text)
		}
		b.want("the page", b.get("/profile"), 200, "Ada Lovelace")
		b.want("signed out", b.post("/logout"), 200, `href="/hallpass/login"`, url.QueryEscape(rootBelow+"/login"))
	}
}
