package console_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// withProvider starts a server where people sign in by an issuer.
func withProvider(t *testing.T, configure ...func(*server.Config)) (*hallpasstest.Server, *hallpasstest.Issuer) {
	t.Helper()
	i := hallpasstest.NewIssuer(t)
	s := hallpasstest.New(t, append([]func(*server.Config){func(c *server.Config) {
		o := &c.Auth.GenericOAuth
		o.Enabled, o.Name, o.Issuer, o.ClientID, o.ClientSecret = true, "Example", i.URL, "hallpass", secret.NewText("shared with the provider")
		o.AllowedDomains, o.RoleAttributePath = []string{"example.com"}, "role"
	}}, configure...)...)
	i.Now = s.Clock.Now
	return s, i
}

// follow goes to the address, and on to wherever the answers lead, and returns all of
// them.
func (b *browser) follow(to string) (pages []page) {
	b.t.Helper()
	for range 10 {
		if strings.HasPrefix(to, "/") {
			to = b.server.URL + to
		}
		r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, to, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		p := b.do(r)
		pages = append(pages, p)
		if to = p.to; to == "" {
			return pages
		}
	}
	b.t.Fatalf("the answers lead on and on: %v", pages[len(pages)-1].to)
	return nil
}

// outside signs in at the provider and returns the last page.
func (b *browser) outside(path string) page {
	b.t.Helper()
	pages := b.follow(path)
	return pages[len(pages)-1]
}

// cookie returns the browser's cookie of the name; "" if it has none.
func (b *browser) cookie(name string) string {
	b.t.Helper()
	u, err := url.Parse(b.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// comeBack begins a sign-in, lets the provider answer, and returns the address to which
// it sends the browser.
func (b *browser) comeBack() string {
	b.t.Helper()
	begin := b.get("/login/generic_oauth")
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, begin.to, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimPrefix(b.do(r).to, b.server.URL)
}

func TestSignInOutside(t *testing.T) {
	s, i := withProvider(t)
	i.Claims = map[string]any{"role": "Editor"}
	b := newBrowser(t, s)
	b.want("the sign-in page", b.get("/login?next=/profile"), 200, `href="/login/generic_oauth?next=%2Fprofile"`, "Sign in with Example", `name="password"`)
	b.want("the page that was asked for", b.outside("/login/generic_oauth?next=/profile"), 200, "Ada Lovelace", "Editor", "ada@example.com")
	if b.cookie("hallpass_signin") != "" {
		t.Error("the browser keeps the attempt")
	}
	if p := b.get("/login/generic_oauth?code=c0de&state=x"); p.status != 303 || p.to != "/" {
		t.Errorf("who is signed in and comes back once more: %d to %q", p.status, p.to)
	}
	id := b.cookie("grafana_session")
	out := b.post("/logout")
	end := i.URL + "/end?client_id=hallpass&post_logout_redirect_uri=" + url.QueryEscape(s.URL+"/login") + "&ui=1"
	b.want("sign out", out, 200, "You are signed out of Hallpass", `href="`+end+`"`)
	if b.cookie("grafana_session") != "" || strings.Contains(out.text, "Ada") {
		t.Error("the browser is not signed out")
	}
	b.client.Jar.SetCookies(mustURL(t, s.URL), []*http.Cookie{{Name: "grafana_session", Value: id}})
	if p := b.get("/profile"); p.to != "/login?next=%2Fprofile" {
		t.Errorf("the session goes on: %d to %q", p.status, p.to)
	}
	if p := signedIn(t, s, "admin", hallpasstest.AdminPassword).post("/logout"); p.status != 303 || p.to != "/login" {
		t.Errorf("sign out of a session by password: %d to %q", p.status, p.to)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestSignInOutsideOfAnother leads a browser to the answer for somebody else (login
// CSRF): it is not signed in, whether it has begun to sign in itself or not.
func TestSignInOutsideOfAnother(t *testing.T) {
	s, _ := withProvider(t)
	evil, victim := newBrowser(t, s), newBrowser(t, s)
	trap := evil.comeBack()
	victim.want("without an attempt", victim.get(trap), 400, "not begun in this browser", "Sign in with Example")
	victim.get("/login/generic_oauth")
	victim.want("with one of its own", victim.get(trap), 400, "not begun in this browser")
	if victim.cookie("grafana_session") != "" {
		t.Fatal("the victim is signed in as somebody else")
	}
	evil.want("where it was begun", evil.outside(trap), 200, "Ada Lovelace")
	evil.post("/logout")
	evil.want("a second time", evil.get(trap), 400, "not begun in this browser")
}

// TestSignInOutsideLeadsNowhereElse asks to be led to other sites.
func TestSignInOutsideLeadsNowhereElse(t *testing.T) {
	s, _ := withProvider(t)
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "/login/generic_oauth?next=//evil.example", "javascript:alert(1)"} {
		b := newBrowser(t, s)
		pages := b.follow("/login/generic_oauth?next=" + url.QueryEscape(next))
		if last := pages[len(pages)-1]; last.status != 200 {
			t.Errorf("%s: %d", next, last.status)
		}
		for _, p := range pages {
			if strings.Contains(p.to, "evil.example") && !strings.HasPrefix(p.to, "/") || strings.HasPrefix(p.to, "//") {
				t.Errorf("%s: the browser is led to %q", next, p.to)
			}
		}
	}
	b := newBrowser(t, s)
	back := b.comeBack()
	attempt, _, _ := strings.Cut(b.cookie("hallpass_signin"), ".")
	b.client.Jar.SetCookies(mustURL(t, s.URL), []*http.Cookie{{Name: "hallpass_signin", Value: attempt + "." + base64.RawURLEncoding.EncodeToString([]byte("//evil.example/"))}})
	if p := b.get(back); p.status != 303 || p.to != "/" {
		t.Errorf("a cookie that somebody planted: %d to %q", p.status, p.to)
	}
}

func TestSignInOutsideRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		issuer func(i *hallpasstest.Issuer)
		status int
		says   string
	}{
		{"down", func(i *hallpasstest.Issuer) {
			i.Answer["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }
		}, 503, "Example cannot be reached at the moment"},
		{"a lie", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"aud": "grafana"} }, 401, "could not be verified"},
		{"of another company", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"email": "ada@example.net"} }, 403, "Only people with an address of the company"},
		{"an address that is not proven", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"email_verified": false} }, 403, "does not say that the address ada@example.com is yours"},
		{"the login of somebody", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"preferred_username": "admin"} }, 403, "Somebody has the login or address admin here already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, i := withProvider(t, func(c *server.Config) { c.Auth.GenericOAuth.AutoLogin = true })
			tt.issuer(i)
			b := newBrowser(t, s)
			p := b.outside("/login/generic_oauth?next=/profile")
			b.want("the page", p, tt.status, "Login failed", tt.says, "Sign in with Example")
			if b.cookie("grafana_session") != "" || p.header.Get("Refresh") != "" {
				t.Error("the browser is led on, or signed in")
			}
			if retry := p.header.Get("Retry-After"); (retry != "") != (tt.status == 503) {
				t.Errorf("Retry-After: %q", retry)
			}
			if p := b.post("/login", "user", "admin", "password", hallpasstest.AdminPassword); p.status != 303 {
				t.Errorf("a password works no more: %d", p.status)
			}
		})
	}
}

// TestSignInOutsideAtOnce sends people to the provider who are not signed in, and leaves
// those here who have signed out.
func TestSignInOutsideAtOnce(t *testing.T) {
	s, i := withProvider(t, func(c *server.Config) {
		c.Auth.GenericOAuth.AutoLogin, c.Auth.GenericOAuth.SignoutRedirectURL, c.Auth.GenericOAuth.SessionLifetime = true, "https://accounts.example.com/bye?x=1", "1h"
	})
	b := newBrowser(t, s)
	b.want("a page", b.outside("/profile"), 200, "Ada Lovelace")
	s.Clock.Wind(time.Hour)
	if p := b.get("/profile"); p.status != 303 || !strings.HasPrefix(p.to, "/login") {
		t.Errorf("the session outlives its hour: %d to %q", p.status, p.to)
	}
	b.want("a page an hour later", b.outside("/profile"), 200, "Ada Lovelace")
	if n := i.Asked("/auth"); n != 2 {
		t.Errorf("the browser was at the provider %d times, want twice", n)
	}
	p := b.post("/logout")
	b.want("sign out", p, 200, "You are signed out of Hallpass", `href="/login?disableAutoLogin=true"`, `href="https://accounts.example.com/bye?x=1"`)
	if got := p.header.Get("Refresh"); got != "0; url=https://accounts.example.com/bye?x=1" {
		t.Errorf("Refresh: %q", got)
	}
	b.want("the sign-in page", b.get("/login?disableAutoLogin=true"), 200, "Sign in with Example")
}

// TestSignInOutsideStrict has a session cookie that browsers do not send where a page of
// the provider redirects them.
func TestSignInOutsideStrict(t *testing.T) {
	s, _ := withProvider(t, func(c *server.Config) { c.Security.CookieSameSite = "strict" })
	b := newBrowser(t, s)
	p := b.get(b.comeBack())
	b.want("the page between", p, 200, "Example has signed you in", `href="/"`)
	if got := p.header.Get("Refresh"); got != "0; url=/" {
		t.Errorf("Refresh: %q", got)
	}
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		if c.Name == "grafana_session" && c.SameSite != http.SameSiteStrictMode {
			t.Errorf("the session's cookie is %v", c.SameSite)
		}
	}
	begin := b.get("/login/generic_oauth")
	if c := (&http.Response{Header: begin.header}).Cookies(); len(c) != 1 || c[0].SameSite != http.SameSiteLaxMode || !c[0].HttpOnly || c[0].MaxAge != 600 {
		t.Errorf("the attempt's cookie is %v", c)
	}
}

// TestPasswordsOff looks at what works where passwords do not: that of one user.
func TestPasswordsOff(t *testing.T) {
	const password = "orange kites over the bay"
	s, _ := withProvider(t)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/admin/users", `{"login":"zelda","password":"`+password+`"}`); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	if r := s.Do(hallpasstest.Basic("zelda", password), "GET", "/api/user", ""); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	s.Restart(func(c *server.Config) {
		c.Auth.DisableLoginForm = true
		o := &c.Auth.GenericOAuth
		o.Enabled, o.Name, o.Issuer, o.ClientID, o.AllowedDomains = true, "Example", "https://accounts.example.com", "hallpass", []string{"*"}
	})
	b := newBrowser(t, s)
	p := b.get("/login?next=/profile")
	b.want("the sign-in page", p, 200, "Sign in with Example", "Sign in with a password")
	if strings.Contains(p.text, `name="password"`) {
		t.Error("the page asks for a password")
	}
	b.want("the page for one", b.get("/login?disableAutoLogin=true&password=true&next=%2Fprofile"), 200, `name="password"`)
	refused := b.post("/login", "user", "zelda", "password", password)
	wrong := b.post("/login", "user", "nobody", "password", password)
	b.want("the password of another user", refused, 401, "Invalid username or password")
	if strings.ReplaceAll(refused.text, "zelda", "nobody") != wrong.text {
		t.Error("the page tells that the password was right")
	}
	if r := s.Do(hallpasstest.Basic("zelda", password), "GET", "/api/user", ""); r.StatusCode != 401 {
		t.Errorf("Basic: %d %s", r.StatusCode, r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "GET", "/api/user", ""); r.StatusCode != 200 {
		t.Errorf("Basic of the one user: %d %s", r.StatusCode, r.Text)
	}
	if p := b.post("/login", "user", "admin", "password", hallpasstest.AdminPassword, "next", "/profile"); p.status != 303 || p.to != "/profile" {
		t.Errorf("the password of the one user: %d to %q", p.status, p.to)
	}
}

// TestNoProvider looks at a server where nobody signs in elsewhere.
func TestNoProvider(t *testing.T) {
	b := newBrowser(t, hallpasstest.New(t))
	b.want("the way there", b.get("/login/generic_oauth"), 404, "Page not found")
	if strings.Contains(b.get("/login").text, "generic_oauth") {
		t.Error("the sign-in page leads there")
	}
}

// TestOutsideUserIsTold looks at what programs and the user are told of a user who signs
// in by a provider.
func TestOutsideUserIsTold(t *testing.T) {
	s, _ := withProvider(t)
	b := newBrowser(t, s)
	b.want("the page about passwords", b.outside("/login/generic_oauth?next=/profile/password"), 200, "You have no password here")
	for _, path := range []string{"/api/users/lookup?loginOrEmail=ada", "/api/users/search?query=ada", "/api/org/users?query=ada"} {
		if r := s.Do(hallpasstest.Admin, "GET", path, ""); r.StatusCode != 200 || !strings.Contains(r.Text, `"authLabels":["Generic OAuth"]`) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.Text)
		}
	}
	if r := s.Do(hallpasstest.Admin, "GET", "/api/users/lookup?loginOrEmail=ada", ""); !strings.Contains(r.Text, `"isExternal":true`) {
		t.Errorf("%s", r.Text)
	}
	if r := s.Do(hallpasstest.Admin, "GET", "/api/user", ""); !strings.Contains(r.Text, `"isExternal":false`) || !strings.Contains(r.Text, `"authLabels":[]`) {
		t.Errorf("%s", r.Text)
	}
}

// TestSessionsEndWithTheProvider turns the provider off: the sessions that began there
// are over, and no others.
func TestSessionsEndWithTheProvider(t *testing.T) {
	s, _ := withProvider(t)
	there, here := newBrowser(t, s), signedIn(t, s, "admin", hallpasstest.AdminPassword)
	there.want("a page", there.outside("/login/generic_oauth?next=/profile"), 200, "Ada Lovelace")
	s.Restart()
	if p := there.outside("/profile"); !strings.Contains(p.text, `name="password"`) {
		t.Errorf("the session goes on: %d\n%s", p.status, p.text)
	}
	here.want("the session of a password", here.outside("/profile"), 200, "admin")
}
