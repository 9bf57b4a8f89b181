package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// openPatterns are the addresses that take no session.
var openPatterns = []string{"GET /assets/{name}", "GET /avatar/{hash}", "GET /login", "POST /login", "POST /theme", "GET /no/such/page", "POST /no/such/page"}

// queries are the names that pages read from their addresses.
var queries = map[string][]string{
	"GET /{$}":                                  {"section", "after"},
	"GET /snooze":                               {"section", "subject", "reason"},
	"GET /find":                                 {"q", "hash", "secret"},
	"GET /guards":                               {"query", "page"},
	"GET /guards/{guard}":                       {"proxy", "request", "who"},
	"GET /guards/{guard}/rules/{rule}":          {"page"},
	"GET /admin/create/role":                    {"permissions"},
	"GET /admin/users/{user}/roles":             {"give"},
	"GET /org/teams/{team}/roles":               {"give"},
	"GET /org/serviceaccounts/{ref}/roles":      {"give"},
	"GET /guards/{guard}/edit":                  {},
	"GET /create/guard":                         {},
	"GET /create/channel":                       {"type"},
	"GET /org/notices/{channel}/delete":         {"back"},
	"GET /guards/{guard}/delete":                {"back"},
	"GET /login":                                {"next"},
	"GET /admin/audit":                          {"action", "actor", "target", "outcome", "range", "from", "to", "before", "entry"},
	"GET /admin/orgs":                           {"query", "page"},
	"GET /admin/roles":                          {"query", "view"},
	"GET /admin/users":                          {"query", "page"},
	"GET /org/serviceaccounts":                  {"query", "filter", "ends", "owner", "sort", "page"},
	"GET /org/serviceaccounts.csv":              {"query", "filter", "ends", "owner", "sort", "page"},
	"GET /org/tokens":                           {"query", "filter", "ends", "owner", "todo", "sort", "after"},
	"GET /org/tokens.csv":                       {"query", "filter", "ends", "owner", "todo", "sort", "after"},
	"GET /org/serviceaccounts/{ref}":            {"edit", "newToken", "name", "expires", "role"},
	"GET /org/serviceaccounts/{ref}/access":     {"action", "scope"},
	"GET /org/serviceaccounts/{ref}/activity":   {"before"},
	"GET /org/serviceaccounts/{ref}/disable":    {"back"},
	"GET /org/serviceaccounts/{ref}/enable":     {"back"},
	"GET /org/serviceaccounts/{ref}/delete":     {"back"},
	"GET /org/serviceaccounts/{ref}/tokens/new": {"name", "expires"},
	"GET /org/teams":                            {"query", "page"},
	"GET /org/users":                            {"query", "page"},
}

// forms are the fields of the forms, each with a value that is taken; # stands
// for a number that is new each time.
var forms = map[string][]string{
	"POST /snooze":                                          {"section", "never-ends", "subject", "token:1", "days", "30", "reason", "later"},
	"POST /login":                                           {"user", "nobody", "password", "a wrong password", "next", "/profile"},
	"POST /theme":                                           {"theme", "dark", "next", "/profile"},
	"POST /admin/audit/prove":                               {},
	"POST /logout":                                          {},
	"POST /no/such/page":                                    {"a", "b"},
	"POST /profile/password":                                {"old", hallpasstest.UserPassword, "new", "short", "confirm", "short"},
	"POST /profile/edit":                                    {"name", "Somebody", "email", "somebody-#@example.com"},
	"POST /profile/session":                                 {"session", "987654"},
	"POST /profile/sessions":                                {},
	"POST /profile/connect":                                 {"password", hallpasstest.UserPassword},
	"POST /profile/disconnect":                              {"issuer", "https://accounts.example.com", "subject", "0f3a"},
	"POST /profile/org":                                     {"org", "1"},
	"POST /org/serviceaccounts":                             {"do", "disable", "account", "2", "back", "/org/serviceaccounts?sort=name"},
	"POST /org/serviceaccounts/create":                      {"name", "made-#", "role", "Viewer", "role_uid", "metrics"},
	"POST /org/serviceaccounts/{ref}/name":                  {"name", "named-#"},
	"POST /org/serviceaccounts/{ref}/owner":                 {"owner", "ops@example.com", "purpose", "the nightly build"},
	"POST /org/serviceaccounts/{ref}/role":                  {"role", "Editor"},
	"POST /org/serviceaccounts/{ref}/enable":                {"back", "/org/serviceaccounts"},
	"POST /org/serviceaccounts/{ref}/disable":               {"back", "/org/serviceaccounts?page=2"},
	"POST /org/serviceaccounts/{ref}/delete":                {"back", "/org/serviceaccounts"},
	"POST /org/serviceaccounts/{ref}/tokens/new":            {"name", "token-#", "default_name", "default-#", "expires", "custom", "date", "2099-01-01", "read_only", "yes", "max_role", "None", "networks", "10.0.0.0/8, ::1", "calls", "60", "owner", "ops@example.com", "purpose", "CI", "key", "key-#"},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/rotate": {"expires", "604800", "date", "", "grace", "3600", "quiet", "600", "reason", "quarterly", "key", "key-#"},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/retire": {},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/extend": {},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/undo":   {},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/pause":  {"for", "900", "reason", "to see who breaks"},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/resume": {},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/narrow": {"read_only", "yes", "only", "yes", "permissions", "teams:read", "max_role", "None", "networks", "10.0.0.0/8", "calls", "60 in 30 s"},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/rename": {"name", "nightly-#", "owner", "ops@example.com", "purpose", "CI"},
	"POST /org/serviceaccounts/{ref}/tokens/{token}/delete": {},
	"POST /org/serviceaccounts/{ref}/roles":                 {"role", "metrics", "clear", "no"},
	"POST /org/serviceaccounts/{ref}/permissions":           {"kind", "principal", "who", "target", "level", "Edit", "row", "yes"},
	"POST /create/channel":                                  {"type", "webhook", "name", "channel-#", "url", "https://example.com/#", "addresses", "ops@example.com", "signature", "v1a", "event", "token.expiring"},
	"POST /org/notices/{channel}":                           {"name", "channel-#", "url", "https://example.com/#", "addresses", "", "signature", "v1a", "event", "token.expired"},
	"POST /org/notices/{channel}/test":                      {},
	"POST /org/notices/{channel}/retry":                     {},
	"POST /org/notices/{channel}/turn":                      {"to", "off"},
	"POST /org/notices/{channel}/delete":                    {},
	"POST /admin/users/create":                              {"name", "N #", "login", "login-#", "email", "e#@example.com", "password", hallpasstest.UserPassword, "org", "1"},
	"POST /admin/users/{user}/edit":                         {"name", "N #", "login", "target", "email", "e#@example.com"},
	"POST /admin/users/{user}/password":                     {"password", "short"},
	"POST /admin/users/{user}/admin":                        {"admin", "yes"},
	"POST /admin/users/{user}/disable":                      {"disabled", "yes"},
	"POST /admin/users/{user}/logout":                       {},
	"POST /admin/users/{user}/session":                      {"session", "1"},
	"POST /admin/users/{user}/disconnect":                   {"issuer", "https://accounts.example.com", "subject", "0f3a"},
	"POST /admin/users/{user}/delete":                       {},
	"POST /admin/users/{user}/roles":                        {"role", "metrics", "clear", "no"},
	"POST /org/users":                                       {"user", "target", "role", "Viewer"},
	"POST /org/users/{user}/role":                           {"role", "Editor"},
	"POST /org/users/{user}/remove":                         {},
	"POST /org/teams":                                       {"name", "team-#", "email", "t#@example.com"},
	"POST /org/teams/{team}/edit":                           {"name", "Platform", "email", "t#@example.com"},
	"POST /org/teams/{team}/members":                        {"member", "target"},
	"POST /org/teams/{team}/members/{member}":               {"level", "Admin"},
	"POST /org/teams/{team}/members/{member}/remove":        {},
	"POST /org/teams/{team}/delete":                         {},
	"POST /org/teams/{team}/roles":                          {"role", "metrics", "clear", "no"},
	"POST /admin/orgs":                                      {"name", "org-#"},
	"POST /admin/orgs/{org}/name":                           {"name", "org-#"},
	"POST /admin/orgs/{org}/delete":                         {},
	"POST /admin/create/role":                               {"name", "role-#", "display", "Role", "description", "it is", "group", "G", "permissions", "teams:read teams:*", "global", "no"},
	"POST /admin/roles/{role}/edit":                         {"name", "metrics", "display", "Metrics", "description", "it is", "group", "G", "permissions", "teams:read teams:*", "basic", "no", "version", "0"},
	"POST /admin/roles/{role}/delete":                       {},
	"POST /guards/{guard}":                                  {"request", "GET /api/v1/query", "who", "ci", "headers", "X-Scope-OrgID: a"},
	"POST /guards/{guard}/delete":                           {},
	"POST /guards/{guard}/edit":                             append([]string{"version", "1"}, guardForm...),
	"POST /create/guard":                                    append([]string{"version", "0"}, guardForm...),
	"POST /dashboards/permissions/{folder}":                 {"kind", "team", "who", "Platform", "level", "Admin", "row", "yes"},
}

// guardForm are the fields of the form of a guard, with two rules.
var guardForm = []string{
	"name", "guard-#", "upstream", "http://127.0.0.1:9090", "preset", "loki", "timeout", "90s", "jwt", "yes", "preflight", "allow", "spelling-1", "yes", "spelling-2", "yes", "arrange", "",
	"methods-1", "GET, POST", "path-1", "/loki/{x}", "need-1", "permission", "role-1", "Viewer", "action-1", "loki:read", "scope-1", "loki:tenants:{tenant}",
	"captures-1", "tenant = header:X-Scope-OrgID", "split-1", "|", "set-1", "X-Scope-OrgID = {tenant}",
	"methods-2", "", "path-2", "/role", "need-2", "role", "role-2", "Editor",
}

// mediaTypes are those of what is no form.
var mediaTypes = []string{
	"", "application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=\xff",
	"application/x-www-form-urlencoded; charset=utf-16", ";", "\xff",
}

// TestStrangePages sends strange texts in every path part, query, form field,
// cookie and header of every address of the console, as a server admin and as a
// Viewer, and forms that are none: nothing is our fault, no page tells of our
// insides or leads elsewhere, and both databases answer alike.
func TestStrangePages(t *testing.T) {
	people := []string{"root", "vera"}
	sent := hallpasstest.OnBoth(t, len(people), func(t *testing.T, s *hallpasstest.Server, part int) []hallpasstest.Answer {
		w := newStranger(t, s, people[part])
		for _, pattern := range slices.SortedStableFunc(slices.Values(append(console.Patterns(), openPatterns...)), lastThingsLast) {
			w.probe(pattern)
		}
		return w.answers
	})
	t.Log(sent, "sent")
	if sent < 2_500 {
		t.Errorf("only %d requests: this test does not look where it should", sent)
	}
}

// lastThingsLast puts the addresses where things end behind the others, and what
// is part of something before the whole.
func lastThingsLast(a, b string) int {
	last := func(pattern string) int {
		switch {
		case pattern == "POST /logout":
			return 100
		case strings.HasSuffix(pattern, "/delete"), strings.HasSuffix(pattern, "/remove"):
			return 50 - strings.Count(pattern, "/")
		}
		return 0
	}
	return last(a) - last(b)
}

// TestStrangePagesKnowEveryField looks in the code for the fields that are read.
func TestStrangePagesKnowEveryField(t *testing.T) {
	known := map[string]bool{"asked": true, "typed": true}
	for _, names := range queries {
		for _, name := range names {
			known[name] = true
		}
	}
	for _, fields := range forms {
		for i := 0; i < len(fields); i += 2 {
			known[fields[i]] = true
		}
	}
	for _, pattern := range console.Patterns() {
		if _, ok := forms[pattern]; strings.HasPrefix(pattern, "POST ") && !ok {
			t.Errorf("%s has no form here", pattern)
		}
	}
	read := regexp.MustCompile(`(?:\bf|\bform|\bq|PostForm|Query\(\))\.(?:Get|Has)\("(\w+)"\)|FormValue\("(\w+)"\)|PostForm\["(\w+)"\]`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range read.FindAllStringSubmatch(string(code), -1) {
			found++
			if name := m[1] + m[2] + m[3]; !known[name] {
				t.Errorf("%s reads the field %q, which no probe fills", file, name)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d fields are read: this test does not look where it should", found)
	}
}

// stranger is somebody who means no good, in a browser.
type stranger struct {
	*browser
	login   string
	draw    hallpasstest.Draw
	parts   *strings.Replacer // of paths: what is there
	made    int
	answers []hallpasstest.Answer
}

func newStranger(t *testing.T, s *hallpasstest.Server, login string) *stranger {
	t.Helper()
	do := func(method, path, body string) {
		t.Helper()
		if r := s.Do(hallpasstest.Admin, method, path, body); r.StatusCode > 201 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
	}
	for _, user := range []string{"root", "vera", "target"} { // 2, 3 and 4
		s.User(user, hallpass.RoleViewer)
	}
	do("PUT", "/api/admin/users/2/permissions", `{"isGrafanaAdmin":true}`)
	do("PATCH", "/api/org/users/2", `{"role":"Admin"}`)
	do("POST", "/api/teams", `{"name":"Platform"}`)
	do("POST", "/api/teams/1/members", `{"userId":4}`)
	do("POST", "/api/orgs", `{"name":"Shop org"}`)
	do("POST", "/api/folders", `{"uid":"shop","title":"Shop"}`)
	do("POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`) // 5
	do("POST", "/api/serviceaccounts/5/tokens", `{"name":"nightly"}`)
	do("POST", "/api/guards", `{"name":"prom","upstream":"http://127.0.0.1:9090","preset":"prometheus"}`)
	do("POST", "/api/org/notifications", `{"name":"alerts","type":"webhook","url":"https://example.com/hallpass"}`)
	custom(t, s, `{"uid":"metrics","name":"metrics","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	b := signedIn(t, s, login, hallpasstest.UserPassword)
	b.strange = true
	return &stranger{
		browser: b, login: login, draw: hallpasstest.NewDraw(), parts: strings.NewReplacer(
			"{$}", "", "{ref}", "5", "{token}", "1", "{user}", "4", "{team}", "1", "{member}", "4", "{org}", "2", "{role}", "metrics", "{folder}", "shop", "{guard}", "prom", "{channel}", "1",
			"{slug}", "shop", "{name}", "app.css", "{hash}", "0123456789abcdef0123456789abcdef",
		),
	}
}

func (w *stranger) texts() []string { return hallpasstest.Of(w.draw, 3, hallpasstest.StrangeTexts()) }

// probe sends what is strange to one address.
func (w *stranger) probe(pattern string) {
	w.t.Helper()
	method, route, _ := strings.Cut(pattern, " ")
	path, form := w.parts.Replace(route), ""
	if method == http.MethodPost {
		form = w.form(pattern, "", "")
	}
	parts := strings.Split(route, "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") || part == "{$}" {
			continue
		}
		for _, v := range w.texts() {
			strange := slices.Clone(parts)
			strange[i] = hallpasstest.Escape(v)
			w.send(pattern, fmt.Sprintf("%s = %.30q", part, v), method, w.parts.Replace(strings.Join(strange, "/")), form)
		}
	}
	for _, name := range append(queries[pattern], "unknown") {
		for _, v := range w.texts() {
			w.send(pattern, fmt.Sprintf("?%s = %.30q", name, v), method, path+"?"+name+"="+hallpasstest.Escape(v), form)
		}
	}
	for _, name := range []string{"User-Agent", "Referer", "Accept-Language", "X-Forwarded-Host", "hallpass_done", "hallpass_theme"} {
		for _, v := range hallpasstest.Of(w.draw, 1, hallpasstest.StrangeTexts()) {
			if name == "hallpass_done" || name == "hallpass_theme" {
				v = name + "=" + v
			}
			if !strings.ContainsAny(v, "\x00\x1b\r\n\x7f") { // net/http refuses these before us
				w.send(pattern, fmt.Sprintf("%s = %.30q", name, v), method, path, form, strings.Replace(name, "hallpass_", "Cookie hallpass_", 1)+": "+v)
			}
		}
	}
	if method == http.MethodPost {
		w.probeForm(pattern, path, form)
	}
}

// probeForm sends forms with strange fields, and what is no form.
func (w *stranger) probeForm(pattern, path, form string) {
	w.t.Helper()
	fields := append(slices.Clone(forms[pattern]), "asked", "0123456789abcdef", "back", "/org/serviceaccounts", "unknown", "")
	for i := 0; i < len(fields); i += 2 {
		name := fields[i]
		for _, v := range w.texts() {
			w.send(pattern, fmt.Sprintf("%s = %.30q", name, v), http.MethodPost, path, w.form(pattern, name, v))
		}
		w.send(pattern, name+" twice", http.MethodPost, path, w.form(pattern, name, fields[i+1])+"&"+name+"=x&"+name+"=y")
		w.send(pattern, name+" absent", http.MethodPost, path, w.form(pattern, name, "\x00absent"))
	}
	for _, v := range w.texts() {
		w.send(pattern, fmt.Sprintf("a field called %.30q", v), http.MethodPost, path, form+"&"+hallpasstest.Escape(v)+"=1")
		w.send(pattern, fmt.Sprintf("the body %.30q", v), http.MethodPost, path, v)
	}
	for _, body := range hallpasstest.Of(w.draw, 2, []string{"", "%zz", "a=%0", ";", "&&==&", strings.Repeat("a=b&", 20_000), strings.Repeat("x", 2<<20)}) {
		w.send(pattern, fmt.Sprintf("the body %.10q…, %d long", body, len(body)), http.MethodPost, path, body)
	}
	for _, media := range hallpasstest.Of(w.draw, 2, mediaTypes) {
		w.send(pattern, fmt.Sprintf("the type %q", media), http.MethodPost, path, form, "Content-Type: "+media)
	}
}

// form is the form of the address with another value in one field.
func (w *stranger) form(pattern, name, value string) string {
	w.made++
	var b []string
	fields, there := forms[pattern], false
	for i := 0; i < len(fields); i += 2 {
		v := strings.ReplaceAll(fields[i+1], "#", fmt.Sprint(w.made))
		if fields[i] == name {
			v, there = value, true
		}
		if v != "\x00absent" {
			b = append(b, fields[i]+"="+url.QueryEscape(v))
		}
	}
	if name != "" && !there && value != "\x00absent" {
		b = append(b, name+"="+url.QueryEscape(value))
	}
	return strings.Join(b, "&")
}

// insides are what no page shows. None is so short that the random letters of a uid
// can spell it.
var insides = []string{"goroutine ", "runtime error", "panic:", ".go:", "SQLSTATE", "sqlite", "pgx:", "jackc", "pgconn", "hallpass/internal", "template: "}

// send sends a request and says yes to what its answer asks.
func (w *stranger) send(pattern, what, method, path, body string, headers ...string) {
	w.t.Helper()
	if strings.Contains(pattern, "/login") || strings.Contains(pattern, "/password") {
		w.server.Clock.Wind(2 * time.Minute) // wrong passwords are counted
	}
	p := w.request(method, path, body, headers)
	if p.status == http.StatusSeeOther && strings.HasPrefix(p.to, "/login") && !strings.HasSuffix(pattern, "/logout") {
		w.browser = signedIn(w.t, w.server, w.login, hallpasstest.UserPassword)
		p = w.request(method, path, body, headers)
	}
	w.take(p, pattern+" with "+what)
	if p.status == http.StatusOK && method == http.MethodPost && confirmForm.MatchString(p.text) {
		w.take(w.yes(p), pattern+" with "+what+", confirmed")
	}
}

func (w *stranger) take(p page, to string) {
	w.t.Helper()
	w.answers = append(w.answers, hallpasstest.Answer{To: to, Status: p.status})
	for _, inside := range insides {
		if strings.Contains(p.text, inside) {
			w.t.Errorf("%s as %s: the page holds %q", to, w.login, inside)
		}
	}
	if p.to != "" && (!strings.HasPrefix(p.to, "/") || strings.HasPrefix(p.to, "//") || strings.HasPrefix(p.to, `/\`)) {
		w.t.Errorf("%s as %s leads to %q", to, w.login, p.to)
	}
}

// request sends a request.
func (w *stranger) request(method, path, body string, headers []string) page {
	w.t.Helper()
	return hallpasstest.Patiently(w.t, w.server, method+" "+path, func() (page, int, string) {
		p := w.requestOnce(method, path, body, headers)
		return p, p.status, p.text
	})
}

func (w *stranger) requestOnce(method, path, body string, headers []string) page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch {
		case strings.HasPrefix(name, "Cookie "):
			r.Header.Add("Cookie", value)
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	return w.do(r)
}
