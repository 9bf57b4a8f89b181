package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

var leadsTo = regexp.MustCompile(`href="([^"]*/auth\?[^"]*)"`)

// connect asks to connect an account with the password, lets the provider answer, and returns
// the address to which it sends the browser.
func (b *browser) connect(password string) (back string) {
	b.t.Helper()
	p := b.post("/profile/connect", "password", password)
	to := leadsTo.FindStringSubmatch(p.text)
	if p.status != 200 || to == nil {
		b.t.Fatalf("%d: the page leads nowhere\n%s", p.status, p.text)
	}
	address := html.UnescapeString(to[1])
	if got := p.header.Get("Refresh"); got != "0; url="+address {
		b.t.Errorf("Refresh: %q", got)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimPrefix(b.do(r).to, b.server.URL)
}

// connected reports whether the user of the browser has a company account.
func (b *browser) connected() bool {
	b.t.Helper()
	return strings.Contains(b.get("/profile").text, "Disconnect Example")
}

// TestConnectAccount connects an account of the provider from the profile, signs in with it,
// and disconnects it again.
func TestConnectAccount(t *testing.T) {
	s, i := withProvider(t)
	s.User("vera", hallpass.RoleViewer)
	s.User("bob", hallpass.RoleViewer)
	b := signedIn(t, s, "vera", hallpasstest.UserPassword)
	before := b.cookie("grafana_session")
	b.want("the profile", b.get("/profile"), 200, "No account of Example is connected", "Connect Example", "Whoever signs in with that account is you here.")
	b.want("a wrong password", b.post("/profile/connect", "password", "none of these words"), 400, `id="error-connect"`, "This is not your current password.")
	b.want("no password", b.post("/profile/connect"), 400, `id="error-connect"`)
	if b.cookie("hallpass_signin") != "" || i.Asked("/auth") != 0 {
		t.Error("a wrong password leads on")
	}
	back := b.connect(hallpasstest.UserPassword)
	if b.cookie("grafana_session") == before {
		t.Error("the session is not begun anew")
	}
	if p := b.get(back); p.status != 303 || p.to != "/profile" {
		t.Fatalf("%d to %q\n%s", p.status, p.to, p.text)
	}
	b.want("connected", b.get("/profile"), 200, "Your account at Example is connected", "Disconnect Example", i.URL, "248289761001")
	b.want("a second one", b.post("/profile/connect", "password", hallpasstest.UserPassword), 200)
	if p := b.get(back); p.status != 303 || p.to != "/" {
		t.Errorf("the same answer once more: %d to %q", p.status, p.to)
	}

	outside := newBrowser(t, s)
	outside.want("a sign-in with it", outside.outside("/login/generic_oauth?next=/profile"), 200, "vera", "Disconnect Example")
	admin := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	admin.want("for a server admin", admin.get("/admin/users/2"), 200, "connected a company account to the user", "password or Example")

	bob := signedIn(t, s, "bob", hallpasstest.UserPassword)
	bob.want("the account of another", bob.get(bob.connect(hallpasstest.UserPassword)), 409, "belongs to another user here")
	bob.want("an account that is not theirs", bob.save("/profile/disconnect", "issuer", i.URL, "subject", "248289761001"), 303)
	if !b.connected() || bob.connected() {
		t.Error("somebody else disconnects or gets the account")
	}
	b.want("the question", b.post("/profile/disconnect", "issuer", i.URL, "subject", "248289761001"), 200, "signs in as you", "does not sign in as you")
	b.want("disconnect", b.save("/profile/disconnect", "issuer", i.URL, "subject", "248289761001"), 303)
	if p := outside.get("/profile"); p.status != 303 || b.connected() {
		t.Errorf("after the account was disconnected its session answers %d", p.status)
	}
}

// TestConnectAccountOfAnother leads a browser that is signed in to answers that it did not ask
// for: none of them connects an account.
func TestConnectAccountOfAnother(t *testing.T) {
	s, i := withProvider(t)
	s.User("vera", hallpass.RoleViewer)
	s.User("evil", hallpass.RoleViewer)
	vera, evil := signedIn(t, s, "vera", hallpasstest.UserPassword), signedIn(t, s, "evil", hallpasstest.UserPassword)
	trap := evil.connect(hallpasstest.UserPassword)
	vera.get(trap)
	planted := []*http.Cookie{{Name: "hallpass_signin", Value: evil.cookie("hallpass_signin"), Path: "/"}}
	vera.client.Jar.SetCookies(mustURL(t, s.URL), planted)
	vera.want("with the cookie planted too", vera.get(trap), 400, "not begun in this browser")
	if vera.connected() {
		t.Fatal("the account of somebody else is connected to the victim")
	}
	// An attempt to connect signs nobody in, and one to sign in connects nothing.
	nobody := newBrowser(t, s)
	nobody.client.Jar.SetCookies(mustURL(t, s.URL), planted)
	nobody.want("who is not signed in", nobody.get(trap), 400, "not begun in this browser")
	if nobody.cookie("grafana_session") != "" {
		t.Error("an attempt to connect signs in")
	}
	vera.post("/logout")
	vera = signedIn(t, s, "vera", hallpasstest.UserPassword)
	back := vera.connect(hallpasstest.UserPassword)
	vera.post("/logout")
	vera = signedInAgain(vera)
	vera.want("in another session of the same user", vera.get(back), 400, "not begun in this browser")

	back = vera.connect(hallpasstest.UserPassword)
	s.Clock.Wind(11 * time.Minute)
	i.Now = s.Clock.Now
	vera.want("eleven minutes later", vera.get(back), 403, "You signed in too long ago")
	if vera.connected() {
		t.Error("an old session connects an account")
	}
}

// signedInAgain signs vera in, in the browser that she had.
func signedInAgain(b *browser) *browser {
	b.t.Helper()
	if p := b.post("/login", "user", "vera", "password", hallpasstest.UserPassword); p.status != 303 {
		b.t.Fatalf("sign in again: %d", p.status)
	}
	return b
}

// TestConnectAccountRefuses answers in ways in which nothing is connected, and tells why.
func TestConnectAccountRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		issuer func(i *hallpasstest.Issuer)
		status int
		says   string
	}{
		{"a lie about the audience", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"aud": "grafana"} }, 401, "could not be verified"},
		{"a lie about the nonce", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"nonce": "another"} }, 401, "could not be verified"},
		{"of another company", func(i *hallpasstest.Issuer) { i.Claims = map[string]any{"email": "ada@example.net"} }, 403, "Only people with an address of the company"},
		{"down", func(i *hallpasstest.Issuer) {
			i.Answer["/token"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }
		}, 503, "Example cannot be reached at the moment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, i := withProvider(t)
			tt.issuer(i)
			b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
			b.want("the profile", b.get(b.connect(hallpasstest.AdminPassword)), tt.status, `id="error-connect"`, tt.says)
			if b.connected() {
				t.Error("the account is connected")
			}
		})
	}
	s, _ := withProvider(t, func(c *server.Config) { c.Auth.DisableLoginForm, c.Auth.BreakGlassUser = true, "admin" })
	ada := newBrowser(t, s)
	ada.outside("/login/generic_oauth?next=/profile")
	ada.want("without a password", ada.post("/profile/connect", "password", "none of these words"), 400, `id="error-connect"`)
	ada.want("the only way in", ada.save("/profile/disconnect", "issuer", issuerOf(ada), "subject", "248289761001"), 409, "could not sign in any more")
	plain := hallpasstest.New(t)
	if p := signedIn(t, plain, "admin", hallpasstest.AdminPassword).post("/profile/connect", "password", hallpasstest.AdminPassword); p.status != 404 {
		t.Errorf("without a provider: %d", p.status)
	}
}

// TestDisconnectUser has a server admin disconnect company accounts from the pages of users:
// of one with a password, of one for whom it is the only way in, and of none.
func TestDisconnectUser(t *testing.T) {
	const form = `action="/admin/users/2/disconnect"`
	for _, tt := range []struct {
		name      string
		configure func(*server.Config)
		password  bool // the user gets one beside the account
		says      []string
		not       string
	}{
		{"with a password", func(*server.Config) {}, true, []string{"1 session that began with it ends at once."}, "no way to sign in"},
		{"without one", func(*server.Config) {}, false, []string{`class="note warn"`, "has no way to sign in then, until somebody sets a password.", "1 session that began with it ends at once."}, "insecure"},
		{"passwords are off", func(c *server.Config) { c.Auth.DisableLoginForm, c.Auth.BreakGlassUser = true, "admin" }, true, []string{`class="note warn"`, "no way to sign in then: passwords are turned off on this server."}, "until somebody"},
		{"found by the address", func(c *server.Config) { c.Auth.OAuthAllowInsecureEmailLookup = true }, false, []string{"with the address ada@example.com gets this user again"}, "passwords are"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, i := withProvider(t, tt.configure)
			ada := newBrowser(t, s)
			ada.outside("/login/generic_oauth")
			b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
			if tt.password {
				b.want("a password", b.post("/admin/users/2/password", "password", hallpasstest.UserPassword), 303)
				ada.outside("/login/generic_oauth")
			}
			const path, subject = "/admin/users/2/disconnect", "248289761001"
			b.want("the page", b.get("/admin/users/2"), 200, form, `aria-label="Disconnect Example"`)
			question := b.post(path, "issuer", i.URL, "subject", subject)
			b.want("the question", question, 200, append(tt.says, "does not sign in as Ada Lovelace")...)
			if strings.Contains(question.text, tt.not) {
				t.Errorf("the question says %q", tt.not)
			}
			if p := ada.get("/profile"); p.status != 200 {
				t.Errorf("the question alone ends the session: %d", p.status)
			}
			b.want("the answer", b.yes(question), 303)
			if p := ada.get("/profile"); p.status != 303 {
				t.Errorf("the session that began with the account answers %d", p.status)
			}
			after := b.get("/admin/users/2")
			b.want("the page after it", after, 200, "The account is disconnected from Ada Lovelace.", "disconnected a company account from the user", "subject "+subject)
			if strings.Contains(after.text, form) {
				t.Error("the account is still there")
			}
			b.want("once more", b.get(b.post(path, "issuer", i.URL, "subject", subject).to), 200, "Nothing changed: that account is not connected to Ada Lovelace.")
		})
	}
}

// TestDisconnectUserRefuses has others than a server admin try, and a server admin take their
// own only way in.
func TestDisconnectUserRefuses(t *testing.T) {
	s, i := withProvider(t, func(c *server.Config) {
		c.Auth.GenericOAuth.AllowAssignGrafanaAdmin = true
	})
	i.Claims = map[string]any{"role": "GrafanaAdmin"}
	ada := newBrowser(t, s)
	ada.outside("/login/generic_oauth") // 2, a server admin without a password
	form := []string{"issuer", i.URL, "subject", "248289761001"}
	ada.want("the own only way", ada.post("/admin/users/2/disconnect", form...), 409, "could not sign in any more")
	ada.want("still signed in", ada.get("/admin/users/2"), 200, "Disconnect Example")

	s.User("orga", hallpass.RoleAdmin)
	s.User("writer", hallpass.RoleViewer)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/4/roles", `{"roleUid":"fixed_wjzgHHo_Ux25DJuELn_oiAdB_yM","global":true}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	for _, login := range []string{"orga", "writer"} {
		b := signedIn(t, s, login, hallpasstest.UserPassword)
		b.want(login, b.post("/admin/users/2/disconnect", form...), 403)
		if p := b.get("/admin/users/2"); strings.Contains(p.text, "/disconnect") {
			t.Errorf("%s is offered to disconnect", login)
		}
	}
	ada.want("still there", ada.get("/admin/users/2"), 200, "Disconnect Example")
}

var issuerShown = regexp.MustCompile(`<code class="sub">(http[^<]*)</code>`)

// issuerOf returns the issuer that the profile shows.
func issuerOf(b *browser) string {
	b.t.Helper()
	m := issuerShown.FindStringSubmatch(b.get("/profile").text)
	if m == nil {
		b.t.Fatal("the profile shows no issuer")
	}
	if _, err := url.Parse(m[1]); err != nil {
		b.t.Fatal(err)
	}
	return m[1]
}

// TestConnectAccountStrict connects an account where the session's cookie does not come with
// what the provider leads to.
func TestConnectAccountStrict(t *testing.T) {
	s, _ := withProvider(t, func(c *server.Config) { c.Security.CookieSameSite = "strict" })
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	back := b.connect(hallpasstest.AdminPassword)
	jar := b.client.Jar
	held := jar.Cookies(mustURL(t, s.URL))
	without := newBrowser(t, s) // as the browser is when another site leads it: with the attempt alone
	for _, c := range held {
		if c.Name == "hallpass_signin" {
			without.client.Jar.SetCookies(mustURL(t, s.URL), []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
		}
	}
	p := without.get(back)
	next, ok := strings.CutPrefix(p.header.Get("Refresh"), "0; url=")
	if p.status != 200 || !ok || !strings.HasPrefix(next, "/login/generic_oauth?") {
		t.Fatalf("%d, Refresh %q", p.status, p.header.Get("Refresh"))
	}
	if p := b.get(next); p.status != 303 || p.to != "/profile" {
		t.Errorf("%d to %q\n%s", p.status, p.to, p.text)
	}
}
