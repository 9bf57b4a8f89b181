package console_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// browser is a browser without script.
type browser struct {
	t      *testing.T
	server *hallpasstest.Server
	client *http.Client

	strange bool // a stranger writes the texts of its pages
}

// page is an answer to a browser.
type page struct {
	status int
	to     string // where it sends the browser
	header http.Header
	text   string
}

func newBrowser(t *testing.T, s *hallpasstest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, server: s, client: &http.Client{
		Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signedIn returns a browser in which login has signed in.
func signedIn(t *testing.T, s *hallpasstest.Server, login, password string) *browser {
	t.Helper()
	b := newBrowser(t, s)
	if p := b.post("/login", "user", login, "password", password); p.status != http.StatusSeeOther {
		t.Fatalf("sign in as %s: %d", login, p.status)
	}
	return b
}

func (b *browser) get(path string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(r)
}

// read sends the request, and reads the times of the page that comes, unless a stranger
// wrote what stands on it.
func (b *browser) read(r *http.Request) page {
	b.t.Helper()
	p := b.do(r)
	if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") && !b.strange {
		for _, fault := range timeFaults(p.text) {
			b.t.Errorf("%s %s: %s", r.Method, r.URL.Path, fault)
		}
	}
	return p
}

// post sends a form, as names and values in turn.
func (b *browser) post(path string, form ...string) page {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Add(form[i], form[i+1])
	}
	return b.send(path, "application/x-www-form-urlencoded", values.Encode())
}

func (b *browser) send(path, contentType, body string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return b.read(r)
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	for _, form := range rowChoice.FindAllString(string(text), -1) {
		if n := strings.Count(form, " selected"); n != 1 { // the button to save is hidden as long as that one is chosen
			b.t.Errorf("%s %s: %d options of a choice are marked as what is there: %s", r.Method, r.URL.Path, n, form)
		}
	}
	return page{res.StatusCode, res.Header.Get("Location"), res.Header, string(text)}
}

// rowChoice is a choice in a row of a table.
var rowChoice = regexp.MustCompile(`(?s)<form[^>]* data-ask="row"[^>]*>.*?</form>`)

// want fails the test unless the page has the status and all of the texts.
func (b *browser) want(what string, p page, status int, texts ...string) {
	b.t.Helper()
	if p.status != status {
		b.t.Errorf("%s: status %d, want %d\n%s", what, p.status, status, p.text)
	}
	plain := html.UnescapeString(p.text)
	for _, text := range texts {
		if !strings.Contains(plain, text) {
			b.t.Errorf("%s: the page does not say %q\n%s", what, text, p.text)
		}
	}
}

// create makes an account and returns the path of its page.
func (b *browser) create(name, role string) string {
	b.t.Helper()
	p := b.post("/org/serviceaccounts/create", "name", name, "role", role)
	path := p.to
	if p.status != http.StatusSeeOther || !strings.HasPrefix(path, "/org/serviceaccounts/") {
		b.t.Fatalf("create %s: %d to %q\n%s", name, p.status, p.to, p.text)
	}
	return path
}

// save sends a form and answers yes to what it asks, if it asks.
func (b *browser) save(path string, form ...string) page {
	b.t.Helper()
	p := b.post(path, form...)
	if p.status != http.StatusOK || !strings.Contains(p.text, `id="confirm-yes"`) {
		return p
	}
	return b.yes(p)
}

// yes answers a question with yes: it sends the form that the page holds, and types the
// name that it asks for.
func (b *browser) yes(p page) page {
	b.t.Helper()
	form := confirmForm.FindStringSubmatch(p.text)
	if form == nil {
		b.t.Fatalf("the page asks nothing:\n%s", p.text)
	}
	var fields []string
	for _, f := range confirmField.FindAllStringSubmatch(form[2], -1) {
		fields = append(fields, html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	if name := confirmName.FindStringSubmatch(p.text); name != nil { // of what is in use
		fields = append(fields, "typed", html.UnescapeString(name[1]))
	}
	return b.post(html.UnescapeString(form[1]), fields...)
}

var (
	confirmForm  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)" class="dialog-foot" data-once id="confirm-form">(.*?)</form>`)
	confirmName  = regexp.MustCompile(`data-type="([^"]*)"`)
	confirmField = regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`)
)

var secretField = regexp.MustCompile(`id="token-secret"[^>]* value="(glsa_[0-9A-Za-z]{32}_[0-9a-f]{8})"`)

// TestWithoutScript walks through everything that the console does, in a
// browser that runs no script.
func TestWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s)

	if p := b.get("/org/serviceaccounts?filter=disabled"); p.status != http.StatusSeeOther || p.to != "/login?next=%2Forg%2Fserviceaccounts%3Ffilter%3Ddisabled" {
		t.Errorf("a stranger: %d to %q", p.status, p.to)
	}
	b.want("the form to sign in", b.get("/login?next=/profile"), 200, "Welcome to Hallpass", `name="next" value="/profile"`)
	if p := b.save("/login", "user", "admin", "password", hallpasstest.AdminPassword, "next", "//evil.example"); p.status != 303 || p.to != "/" {
		t.Errorf("sign in with a hostile next: %d to %q, want 303 to /", p.status, p.to)
	}
	b.want("home", b.get("/"), 200, "Welcome, admin", "Main Org.")
	b.want("administration", b.get("/admin"), 200, `href="/admin/access"`, `href="/admin/audit"`, `href="/admin/nodes"`)
	b.want("nodes", b.get("/admin/nodes"), 200, "this one", ">live<", "Background work", "dead sessions", "last uses", "at most 5 s late")
	b.want("access", b.get("/admin/access"), 200, `href="/org/serviceaccounts"`)
	b.want("the first run", b.get("/org/serviceaccounts"), 200, "You haven't created any service accounts yet", "Add service account")

	b.want("create without a name", b.save("/org/serviceaccounts/create", "name", " ", "role", "Viewer"), 400, "Display name is required")
	path := b.create("dashboard-sync", "Viewer")
	b.want("create it again", b.save("/org/serviceaccounts/create", "name", "dashboard-sync", "role", "Viewer"), 400, "sa-1-dashboard-sync already exists")
	b.want("the list", b.get("/org/serviceaccounts"), 200, "dashboard-sync", "sa-1-dashboard-sync", "No tokens", "1 service account")
	b.want("found nothing", b.get("/org/serviceaccounts?query=zzz"), 200, "No service accounts found")
	b.want("the account", b.get(path), 200, "sa-1-dashboard-sync", "Add service account token", "No tokens yet")
	b.want("the account by number", b.get("/org/serviceaccounts/2"), 200, "sa-1-dashboard-sync")

	b.want("a form for a token", b.get(path+"/tokens/new?name=ci&expires=30d"), 200, `value="ci"`, `value="2592000" checked`, "It cannot change anything")
	made := b.save(path+"/tokens/new", "name", "ci", "expires", "2592000")
	b.want("a token", made, 200, "Service account token created", "46 characters")
	found := secretField.FindStringSubmatch(made.text)
	if found == nil {
		t.Fatalf("no secret on the page:\n%s", made.text)
	}
	if r := s.Do(hallpasstest.Bearer(found[1]), "GET", "/api/org", "", "User-Agent: curl/8.5.0"); r.StatusCode != 200 {
		t.Errorf("the token: %d %s", r.StatusCode, r.Text)
	}
	after := b.get(path)
	b.want("the account after a use", after, 200, "glsa_…"+found[1][len(found[1])-4:], "127.0.0.1 · curl/8.5.0", "by curl/8.5.0 from 127.0.0.1")
	b.want("the token", b.get(path+"/tokens/1"), 200, "glsa_…"+found[1][len(found[1])-4:], "by admin", "Used just now by curl/8.5.0 from 127.0.0.1.", `href="`+path+`"`)
	b.want("no such token", b.get(path+"/tokens/99"), 404)
	if strings.Contains(after.text, found[1]) {
		t.Error("the secret is shown a second time")
	}
	b.want("the rows alone", b.get(path+"/tokens"), 200, `data-token-id="1"`)
	b.want("a name in use", b.save(path+"/tokens/new", "name", "CI", "expires", "0"), 400, "of dashboard-sync has this name. Choose another name, or rotate that token.")
	b.want("no lifetime", b.save(path+"/tokens/new", "name", "x", "expires", ""), 400, "Choose when the token expires")
	b.want("no date", b.save(path+"/tokens/new", "name", "x", "expires", "custom"), 400, "Choose the day")
	b.want("a day that is over", b.save(path+"/tokens/new", "name", "x", "expires", "custom", "date", "2001-01-01"), 400, "This day is over")

	b.want("a question before deleting", b.get(path+"/tokens/1/delete"), 200, "curl/8.5.0", "127.0.0.1", "just now")
	b.want("a question before disabling", b.get(path+"/disable"), 200, "1 token, 1 of them usable now", "curl/8.5.0")
	b.want("a form for the name", b.get(path+"?edit=name"), 200, `id="edit-name"`)
	b.want("an empty name", b.save(path+"/name", "name", ""), 400, "Name is required")
	for _, step := range []struct{ action, name, value string }{{"name", "name", "Nightly"}, {"role", "role", "None"}, {"disable", "", ""}} {
		if p := b.save(path+"/"+step.action, step.name, step.value); p.status != 303 || p.to != path {
			t.Errorf("%s: %d to %q", step.action, p.status, p.to)
		}
	}
	b.want("the disabled account", b.get(path), 200, "Nightly", "Enable service account", "The service account is disabled", "Nightly is disabled now: its tokens are refused.")
	if r := s.Do(hallpasstest.Bearer(found[1]), "GET", "/api/org", ""); r.StatusCode != 401 {
		t.Errorf("the disabled account's token: %d, want 401", r.StatusCode)
	}
	if p := b.save(path+"/enable", "back", "/org/serviceaccounts?filter=disabled"); p.to != "/org/serviceaccounts?filter=disabled" {
		t.Errorf("enable from the list leads to %q", p.to)
	}
	if p := b.save(path + "/tokens/1/delete"); p.to != path {
		t.Errorf("delete the token: %d to %q", p.status, p.to)
	}
	if p := b.save(path+"/delete", "back", "https://evil.example/"); p.to != "/org/serviceaccounts" {
		t.Errorf("delete the account: %d to %q", p.status, p.to)
	}
	b.want("the account that is gone", b.get(path), 404, "There is no such service account")
	b.want("a page that never was", b.get("/no/such/page"), 404, "There is no page at this address")

	b.want("the audit", b.get("/admin/audit"), 200, "deleted <b title=\"service account serviceaccount:2, deleted\">sa-1-dashboard-sync</b>", "made the token", "Go-http-client/1.1")
	b.want("the audit, filtered", b.get("/admin/audit?outcome=refused"), 200, "the service account is disabled")
	b.want("the audit of no day", b.get("/admin/audit?from=x"), 200, "From is not a date")
	b.want("profile", b.get("/profile"), 200, "Server admin")
	b.want("before signing out", b.get("/logout"), 200, "Sign out of Hallpass")
	if p := b.save("/logout"); p.status != 303 || p.to != "/login" {
		t.Errorf("sign out: %d to %q", p.status, p.to)
	}
	if p := b.get("/profile"); p.to != "/login?next=%2Fprofile" {
		t.Errorf("after signing out: %d to %q", p.status, p.to)
	}
}

// TestFailedLoginHasOneFace compares whole answers: an unknown user, a wrong
// password and a disabled user cannot be told apart.
func TestFailedLoginHasOneFace(t *testing.T) {
	s := hallpasstest.New(t)
	face := func(contentType, body string) page {
		p := newBrowser(t, s).send("/login", contentType, body)
		p.header.Del("Date")
		p.text = regexp.MustCompile(`"traceID":"[^"]*"| value="(dora|admin|nobody)"`).ReplaceAllString(p.text, "") // the name that was typed stays
		return p
	}
	s.User("dora", hallpass.RoleViewer)
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		u, err := tx.UserByLogin("dora")
		if err != nil {
			return err
		}
		u.Disabled = true
		return tx.UpdateUser(u)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct{ contentType, wrong, unknown, disabled string }{
		{"application/x-www-form-urlencoded", "user=admin&password=wrong", "user=nobody&password=wrong", "user=dora&password=the+password+of+dora"},
		{"application/json", `{"user":"admin","password":"wrong"}`, `{"user":"nobody","password":"wrong"}`, `{"user":"dora","password":"` + hallpasstest.UserPassword + `"}`},
	} {
		wrong, unknown, disabled := face(form.contentType, form.wrong), face(form.contentType, form.unknown), face(form.contentType, form.disabled)
		if diff := cmp.Diff(disabled, wrong, cmp.AllowUnexported(page{})); diff != "" {
			t.Errorf("%s: a disabled user looks different (-disabled +wrong):\n%s", form.contentType, diff)
		}
		if wrong.status != http.StatusUnauthorized {
			t.Errorf("%s: a wrong password is %d, want 401", form.contentType, wrong.status)
		}
		if diff := cmp.Diff(unknown, wrong, cmp.AllowUnexported(page{})); diff != "" {
			t.Errorf("%s: an unknown user looks different (-unknown +wrong):\n%s", form.contentType, diff)
		}
		if len(wrong.header.Values("Set-Cookie")) != 0 {
			t.Errorf("%s: a failed login sets a cookie", form.contentType)
		}
	}
}

func TestLoginByProgram(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s)
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		says                    string
	}{
		{"no type", "", `{}`, 415, "request.unsupported-media-type"},
		{"another type", "text/plain", `{}`, 415, "request.unsupported-media-type"},
		{"no JSON", "application/json", `{`, 400, "not valid JSON"},
		{"wrong types", "application/json", `{"user":1}`, 400, "request.malformed"},
		{"nothing in it", "application/json", `{}`, 401, "Invalid username or password"},
		{"too large", "application/json", `{"user":"` + strings.Repeat("a", 1<<20) + `"}`, 413, "request.too-large"},
		{"too large a form", "application/x-www-form-urlencoded", "user=" + strings.Repeat("a", 1<<20), 413, "larger than 1 MiB"},
		{"an empty form", "application/x-www-form-urlencoded", "", 400, "Password is required"},
	} {
		b.want(tt.name, b.send("/login", tt.contentType, tt.body), tt.status, tt.says)
	}
	p := b.send("/login", "application/json; charset=utf-8", `{"user":"admin","password":"`+hallpasstest.AdminPassword+`"}`)
	if p.status != 200 || p.text != `{"message":"Logged in","redirectUrl":"/"}` {
		t.Errorf("sign in: %d %s", p.status, p.text)
	}
	b.want("home", b.get("/"), 200, "Welcome, admin")
	for range 12 {
		p = newBrowser(t, s).send("/login", "application/json", `{"user":"guess","password":"x"}`)
	}
	if p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") == "" {
		t.Errorf("after many guesses: %d, Retry-After %q; want 429 and a time", p.status, p.header.Get("Retry-After"))
	}
}

// TestWithoutPermission signs in as a Viewer, who may read the org and nothing
// here.
func TestWithoutPermission(t *testing.T) {
	s := hallpasstest.New(t)
	admin := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := admin.create("theirs", "Admin")
	s.User("vera", hallpass.RoleViewer)
	b := signedIn(t, s, "vera", hallpasstest.UserPassword)
	for _, get := range []string{"/org/serviceaccounts", path, path + "/tokens", path + "/tokens/new"} {
		b.want("GET "+get, b.get(get), 403, "Access denied", "serviceaccounts:read")
	}
	b.want("the question", b.get(path+"/delete"), 403, "serviceaccounts:delete")
	b.want("create", b.get("/org/serviceaccounts/create"), 403, "serviceaccounts:create")
	b.want("audit", b.get("/admin/audit"), 403, "audit:read")
	b.want("nodes", b.get("/admin/nodes"), 403, "server.stats:read")
	b.want("rename", b.save(path+"/name", "name", "mine"), 403, "serviceaccounts:write")
	b.want("delete", b.save(path+"/delete"), 403, "serviceaccounts:delete")
	if home := b.get("/"); strings.Contains(home.text, "/org/serviceaccounts") || strings.Contains(home.text, "/admin/audit") {
		t.Errorf("the home of a Viewer leads to what is not theirs:\n%s", home.text)
	}
	admin.want("the account is untouched", admin.get(path), 200, "theirs")
}

// TestLifetimeLimit sets a limit of 30 days: the form offers no more, and a
// date on the last day is taken, one after it is not.
func TestLifetimeLimit(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 30 })
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Viewer")
	last := s.Clock.Now().AddDate(0, 0, 30).Format(time.DateOnly)
	form := b.get(path + "/tokens/new")
	b.want("the form", form, 200, "Longest lifetime allowed: 30 days", `value="604800"`, `value="2592000" checked`, `max="`+last+`"`)
	for _, not := range []string{"No expiration", `value="5184000"`, `value="0"`} {
		if strings.Contains(form.text, not) {
			t.Errorf("the form offers %s in spite of the limit", not)
		}
	}
	b.want("no expiration", b.save(path+"/tokens/new", "name", "a", "expires", "0"), 400, "Number of seconds before expiration should be set")
	b.want("past the last day", b.save(path+"/tokens/new", "name", "a", "expires", "custom", "date", s.Clock.Now().AddDate(0, 0, 31).Format(time.DateOnly)), 400, "exceeds the limit")
	b.want("on the last day", b.save(path+"/tokens/new", "name", "a", "expires", "custom", "date", last), 200, "Service account token created", "23:59 UTC")
}

func TestChangePassword(t *testing.T) {
	s := hallpasstest.New(t)
	b, other := signedIn(t, s, "admin", hallpasstest.AdminPassword), signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const next = "quiet rivers under oak"
	b.want("the form", b.get("/profile/password"), 200, "Change password")
	b.want("a wrong old one", b.save("/profile/password", "old", "wrong", "new", next, "confirm", next), 400, "not your current password")
	b.want("two new ones", b.save("/profile/password", "old", hallpasstest.AdminPassword, "new", next, "confirm", next+"s"), 400, "Passwords must match!")
	b.want("a short one", b.save("/profile/password", "old", hallpasstest.AdminPassword, "new", "short", "confirm", "short"), 400, "15 characters")
	if p := b.save("/profile/password", "old", hallpasstest.AdminPassword, "new", next, "confirm", next); p.to != "/profile" {
		t.Errorf("change: %d to %q\n%s", p.status, p.to, p.text)
	}
	b.want("the session after it", b.get("/profile"), 200, "Password changed")
	if p := other.get("/profile"); p.status != 303 {
		t.Errorf("another session after it: %d, want 303 to the login", p.status)
	}
	signedIn(t, s, "admin", next)
}

// TestPagesOfTheList makes more accounts than fit a page.
func TestPagesOfTheList(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for i := range 51 {
		b.create("job "+string(rune('a'+i/26))+string(rune('a'+i%26)), "Viewer")
	}
	first := b.get("/org/serviceaccounts?query=job")
	b.want("page 1", first, 200, "Page 1 of 2", `href="/org/serviceaccounts?page=2&query=job"`, "51 service accounts", `href="/org/serviceaccounts?filter=disabled&query=job"`)
	if n := strings.Count(first.text, "<tr"); n != 51 { // with the head
		t.Errorf("page 1 has %d rows, want 50 and the head", n)
	}
	b.want("page 2", b.get("/org/serviceaccounts?query=job&page=2"), 200, "Page 2 of 2", `href="/org/serviceaccounts?query=job"`)
	b.want("past the end", b.get("/org/serviceaccounts?query=job&page=9"), 200, "The list ends before page 9")
}

// TestPagesOfTokens makes more tokens than fit the page of an account.
func TestPagesOfTokens(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	at := b.create("many", "Viewer")
	for i := range 51 {
		r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/2/tokens", fmt.Sprintf(`{"name":"t%02d"}`, i))
		if r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.Text)
		}
	}
	first := b.get(at)
	b.want("page 1", first, 200, "51 tokens", "Page 1 of 2", `href="`+at+`?page=2"`, `data-url="`+at+`/tokens"`, ">t49<")
	if strings.Contains(first.text, ">t50<") {
		t.Error("page 1 has the last token")
	}
	b.want("page 2", b.get(at+"?page=2"), 200, "Page 2 of 2", `data-url="`+at+`/tokens?page=2"`, ">t50<")
	if rows := b.get(at + "/tokens?page=2"); rows.status != 200 || !strings.Contains(rows.text, ">t50<") || strings.Contains(rows.text, ">t49<") {
		t.Errorf("the table of page 2: %d %s", rows.status, rows.text)
	}
}

func TestAssets(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s)
	login := b.get("/login").text
	hashed := regexp.MustCompile(`/assets/[a-z]+\.[0-9a-f]{12}\.(css|js|svg|woff2)`)
	links := hashed.FindAllString(login, -1)
	if len(links) < 4 {
		t.Fatalf("the page links to %v", links)
	}
	for _, link := range links {
		p := b.get(link)
		if kind := p.header.Get("Content-Type"); !strings.HasPrefix(kind, map[string]string{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}[filepath.Ext(link)]) {
			t.Errorf("%s is %s", link, kind)
		}
		if filepath.Ext(link) == ".css" {
			font := ""
			if asks := regexp.MustCompile(`url\("([^"/]+)"\)`).FindStringSubmatch(p.text); asks != nil {
				font = "/assets/" + asks[1] // it is beside the stylesheet
			}
			if !slices.Contains(links, font) { // the page loads it early, and the stylesheet must ask for the same one
				t.Errorf("the stylesheet asks for the font %q, the page for %v", font, links)
			}
			if n := len(b.get(font).text); n == 0 || n > 150_000 {
				t.Errorf("the font has %d bytes", n)
			}
		}
		if p := b.get(link); p.status != 200 || p.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d, Cache-Control %q", link, p.status, p.header.Get("Cache-Control"))
		}
	}
	b.want("an asset that is not there", b.get("/assets/console.css"), 404)
	if p := b.get("/login"); p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page has Cache-Control %q, want no-store", p.header.Get("Cache-Control"))
	}
}

// TestPlainLogin asks for the page as machines on a network do, without
// encryption.
func TestPlainLogin(t *testing.T) {
	s := hallpasstest.New(t)
	const warning = "This connection is not encrypted"
	for _, tt := range []struct {
		host string
		want bool
	}{
		{"hallpass.lan", true},
		{"hallpass.lan:3080", true},
		{"10.0.0.7:3080", true},
		{"[2001:db8::1]:3080", true},
		{"localhost", false},
		{"LOCALHOST:3080", false},
		{"hallpass.localhost:3080", false},
		{"127.0.0.2:3080", false},
		{"[::1]:3080", false},
		{"[::1]", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/login", nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if got := strings.Contains(w.Body.String(), warning); got != tt.want {
			t.Errorf("at %s the page warns: %v, want %v", tt.host, got, tt.want)
		}
	}
	behind := hallpasstest.New(t, func(c *server.Config) { c.Server.RootURL = "https://hallpass.example/" })
	r := httptest.NewRequest(http.MethodGet, "/login", nil)
	r.Host = "hallpass.example"
	w := httptest.NewRecorder()
	behind.Handler().ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), warning) {
		t.Error("the page warns over https")
	}
}

// TestDev changes a page on disk between two requests.
func TestDev(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	db := hallpasstest.OpenStore(t)
	o := console.Options{Admin: admin.New(db, admin.Options{}), Verify: verify.New(db, hallpasstest.NewNode(t, db, node.Options{}), verify.Options{}), DevDir: dir}
	pages, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	show := func() (int, string) {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login", nil))
		return w.Code, w.Body.String()
	}
	page := filepath.Join(dir, "templates", "sessions", "login.html")
	for _, tt := range []struct {
		text   string
		status int
		says   string
	}{
		{`{{define "sessions/login"}}Hello from disk{{end}}`, 200, "Hello from disk"},
		{`{{define "sessions/login"}}{{.NoSuchField}}{{end}}`, 500, "Something went wrong"},
		{`{{define "sessions/login"}}{{icon "none"}}{{end}}`, 500, "Something went wrong"},
		{`{{define "sessions/login"}}Mended{{end}}`, 200, "Mended"},
	} {
		if err := os.WriteFile(page, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, text := show(); status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d %s; want %d and %q", tt.text, status, text, tt.status, tt.says)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "assets", "strange.xyz"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unlinked := t.TempDir()
	if err := os.CopyFS(unlinked, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(unlinked, "assets", "inter.woff2")); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{"an asset of an unknown kind": dir, "a stylesheet that links to nothing": unlinked, "nothing": t.TempDir()} {
		o.DevDir = dir
		if _, err := console.New(o); err == nil {
			t.Errorf("a directory with %s is taken", what)
		}
	}
}

func TestTheme(t *testing.T) {
	s := hallpasstest.New(t)
	b := newBrowser(t, s)
	if p := b.save("/theme", "theme", "dark", "next", "/login"); p.status != 303 || p.to != "/" {
		t.Errorf("set the theme: %d to %q", p.status, p.to)
	}
	b.want("the dark login", b.get("/login"), 200, `data-theme="dark"`)
	b.save("/theme", "theme", `"><script>`)
	if p := b.get("/login"); strings.Contains(p.text, "data-theme") {
		t.Error("a theme that there is not was kept")
	}
}

func TestAvatar(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	a, again, other := b.get("/avatar/00ff"), b.get("/avatar/00ff"), b.get("/avatar/00fe")
	if a.status != 200 || a.header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(a.text, "<svg") {
		t.Errorf("an avatar: %d %s %q", a.status, a.header.Get("Content-Type"), a.text)
	}
	if a.text != again.text || a.text == other.text {
		t.Error("avatars do not tell hashes apart")
	}
	b.want("no hash", b.get("/avatar/zz"), 404)
}
