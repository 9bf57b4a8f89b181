package console_test

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// power is a form that gives or takes power: what is sent, and what must be
// named, before it is done and after.
type power struct {
	route               string // as the route table has it
	path                string
	form                []string
	what, before, after string
	done                string
}

// TestPowerAsks sends every form of the route table that gives or takes power.
// The first time it changes nothing and asks, naming what is and what will be;
// with the answer to another question it asks again; with the answer to this one
// it is done, and the page after it names what was done.
func TestPowerAsks(t *testing.T) {
	s, issuer := withProvider(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.get(b.connect(hallpasstest.AdminPassword))
	do := func(method, path, body string) string {
		t.Helper()
		r := s.Do(hallpasstest.Admin, method, path, body)
		if r.StatusCode > 201 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
		return r.Text
	}
	for _, login := range []string{"vera", "ed", "mia", "gone", "left", "outsider"} {
		s.User(login, hallpass.RoleViewer) // 2 to 7
	}
	do("DELETE", "/api/org/users/7", "")
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	issuer.Claims = map[string]any{"sub": "vera-there"}
	vera.get(vera.connect(hallpasstest.UserPassword))
	custom(t, s, `{"uid":"metrics","name":"Metrics","permissions":[{"action":"prometheus:query","scope":"*"}]}`)
	custom(t, s, `{"uid":"spare","name":"Spare","permissions":[{"action":"prometheus:query","scope":"*"}]}`)
	do("POST", "/api/teams", `{"name":"Platform"}`)
	do("POST", "/api/teams", `{"name":"Old team"}`)
	do("POST", "/api/teams/1/members", `{"userId":3}`)
	do("POST", "/api/guards", `{"name":"prom","rules":[{"path":"/a","public":true}]}`)
	do("POST", "/api/orgs", `{"name":"Shop org"}`)
	do("POST", "/api/org/notifications", `{"name":"alerts","type":"webhook","url":"https://example.com/hallpass"}`)
	do("POST", "/api/folders", `{"uid":"shop","title":"Shop"}`)
	ci, old, off := b.create("ci", "Viewer"), b.create("old", "Editor"), b.create("off", "None")
	b.create("bulk", "Viewer")
	do("POST", "/api/serviceaccounts/"+ci[strings.LastIndexByte(ci, '/')+1:]+"/tokens", `{"name":"nightly"}`)
	tokens := "/api/serviceaccounts/" + ci[strings.LastIndexByte(ci, '/')+1:] + "/tokens"
	for _, name := range []string{"paused", "moved", "back"} { // 2, 3 and 4
		do("POST", tokens, `{"name":"`+name+`"}`)
	}
	do("PATCH", tokens+"/2", `{"paused":true,"pauseReason":"a look"}`)
	do("POST", tokens+"/3/rotate", `{"graceSeconds":3600}`) // by 5
	do("POST", tokens+"/4/rotate", `{"graceSeconds":3600}`) // by 6
	do("PATCH", "/api/serviceaccounts/"+off[strings.LastIndexByte(off, '/')+1:], `{"isDisabled":true}`)
	session := sessionOf(t, b, "/admin/users/2")

	const account, user, team = "POST /org/serviceaccounts/{ref}", "POST /admin/users/{user}", "POST /org/teams/{team}"
	asked := make(map[string]bool)
	for _, p := range []power{
		{route: account + "/role", path: ci + "/role", form: []string{"role", "Editor"}, what: "ci", before: "Viewer", after: "Editor", done: "ci has the role Editor now."},
		{route: "POST /org/serviceaccounts", path: "/org/serviceaccounts", form: []string{"do", "disable", "account", idOf(t, s, "bulk")}, what: "bulk", before: "enabled, no tokens", after: "disabled", done: "1 service account disabled: the tokens are refused."},
		{route: account + "/enable", path: off + "/enable", what: "off", before: "disabled", after: "enabled", done: "off is enabled now."},
		{route: account + "/disable", path: off + "/disable", what: "off", before: "enabled", after: "disabled", done: "off is disabled now"},
		{route: account + "/roles", path: ci + "/roles", form: []string{"role", "metrics"}, what: "Metrics", before: "not given", after: "given", done: "the service account ci changed: Metrics given"},
		{route: account + "/permissions", path: ci + "/permissions", form: []string{"kind", "principal", "who", "ed", "level", "Edit"}, what: "ed", before: "no permission of its own on ci", after: "Edit on ci", done: "ed has the permission Edit on ci now."},
		{route: account + "/tokens/{token}/narrow", path: ci + "/tokens/1/narrow", form: []string{"read_only", "yes", "networks", "10.0.0.0/8"}, what: "Read only", before: "it may change things too", after: "it may only look", done: "The limits of the token nightly are changed."},
		{route: account + "/tokens/{token}/resume", path: ci + "/tokens/2/resume", what: "paused", before: "paused (a look)", after: "works as ci, with the role Editor", done: "The token paused works again."},
		{route: account + "/tokens/{token}/extend", path: ci + "/tokens/3/extend", what: "moved (old secret", before: "ends on", after: "ends on", done: "The old secret of moved goes on for 24 hours more."},
		{route: account + "/tokens/{token}/retire", path: ci + "/tokens/3/retire", what: "moved (old secret", before: "works until", after: "ended", done: "The old secret of moved has ended."},
		{route: account + "/tokens/{token}/undo", path: ci + "/tokens/6/undo", what: "back (new secret", before: "works", after: "ended", done: "The rotation of back is undone"},
		{route: account + "/tokens/{token}/delete", path: ci + "/tokens/1/delete", what: "nightly", before: "a token that works as ci", after: "revoked", done: "The token nightly of ci is revoked."},
		{route: account + "/delete", path: old + "/delete", what: "old", before: "service account with the role Editor", after: "deleted", done: "old is deleted"},
		{route: user + "/admin", path: "/admin/users/2/admin", form: []string{"admin", "yes"}, what: "vera", before: "an ordinary user", after: "server admin", done: "vera is a server admin now."},
		{route: user + "/session", path: "/admin/users/2/session", form: []string{"session", session}, what: "vera", before: "signed in", after: "signed out", done: "The session of vera from"},
		{route: user + "/logout", path: "/admin/users/2/logout", what: "vera", before: "signed in", after: "signed out everywhere", done: "All sessions of vera have ended."},
		{route: user + "/roles", path: "/admin/users/2/roles", form: []string{"role", "metrics"}, what: "Metrics", before: "not given", after: "given", done: "the user vera changed: Metrics given"},
		{route: user + "/disable", path: "/admin/users/4/disable", form: []string{"disabled", "yes"}, what: "mia", before: "enabled", after: "disabled", done: "mia is disabled now"},
		{route: user + "/disconnect", path: "/admin/users/2/disconnect", form: []string{"issuer", issuer.URL, "subject", "vera-there"}, what: "vera-there at " + issuer.URL, before: "signs in as vera", after: "does not sign in as vera", done: "The account is disconnected from vera."},
		{route: user + "/delete", path: "/admin/users/5/delete", what: "gone", before: "can sign in as gone", after: "deleted", done: "The user gone is deleted."},
		{route: "POST /org/users", path: "/org/users", form: []string{"user", "outsider", "role", "Editor"}, what: "outsider", before: "not a member", after: "Editor", done: "outsider is a member of the organization now, with the role Editor."},
		{route: "POST /org/users/{user}/role", path: "/org/users/3/role", form: []string{"role", "Admin"}, what: "ed", before: "Viewer", after: "Admin", done: "ed has the role Admin now."},
		{route: "POST /org/users/{user}/remove", path: "/org/users/6/remove", what: "left", before: "member with the role Viewer", after: "not a member", done: "left is no longer a member"},
		{route: team + "/members", path: "/org/teams/1/members", form: []string{"member", "vera"}, what: "vera", before: "not in the team Platform", after: "member of the team Platform", done: "vera is in the team Platform now."},
		{route: team + "/members/{member}", path: "/org/teams/1/members/3", form: []string{"level", "Admin"}, what: "ed", before: "member of the team Platform", after: "admin of the team Platform", done: "ed is admin of the team Platform now."},
		{route: team + "/members/{member}/remove", path: "/org/teams/1/members/3/remove", what: "ed", before: "admin of the team Platform", after: "not in the team Platform", done: "ed is no longer in the team Platform."},
		{route: team + "/roles", path: "/org/teams/1/roles", form: []string{"role", "metrics"}, what: "Metrics", before: "not given", after: "given", done: "the team Platform changed: Metrics given"},
		{route: team + "/delete", path: "/org/teams/2/delete", what: "Old team", before: "team with 1 member", after: "deleted", done: "The team Old team is deleted."},
		{route: "POST /admin/orgs/{org}/delete", path: "/admin/orgs/2/delete", what: "Shop org", before: "organization with", after: "deleted", done: "The organization Shop org is deleted."},
		{route: "POST /admin/roles/{role}/edit", path: "/admin/roles/metrics/edit", form: []string{"name", "Metrics", "permissions", "prometheus:query *\nteams:read teams:*", "version", "2"}, what: "teams:read teams:*", before: "not permitted", after: "permitted", done: "The role Metrics is changed."},
		{route: "POST /admin/roles/{role}/delete", path: "/admin/roles/spare/delete", what: "Spare", before: "1 permission", after: "deleted", done: "The role Spare is deleted."},
		{route: "POST /create/guard", path: "/create/guard", form: []string{"name", "loki", "methods-1", "GET", "path-1", "/ready", "need-1", "public"}, what: "Guard loki", before: "does not exist", after: "decides by its rules", done: "The guard loki is there, on every node."},
		{route: "POST /guards/{guard}/edit", path: "/guards/prom/edit", form: []string{"version", "1", "path-1", "/a", "need-1", "role", "role-1", "Editor"}, what: "any /a", before: "passes without a token", after: "needs the role Editor or a higher one", done: "The guard prom is changed, on every node."},
		{route: "POST /guards/{guard}/delete", path: "/guards/prom/delete", what: "Guard prom", before: "1 rule", after: "deleted", done: "The guard prom is deleted."},
		{route: "POST /org/notices/{channel}/delete", path: "/org/notices/1/delete", what: "alerts", before: "webhook to https://example.com/hallpass", after: "deleted", done: "The channel alerts is deleted."},
		{route: "POST /profile/disconnect", path: "/profile/disconnect", form: []string{"issuer", issuer.URL, "subject", "248289761001"}, what: issuer.URL, before: "signs in as you", after: "does not sign in as you", done: "The account is disconnected."},
		{route: "POST /dashboards/permissions/{folder}", path: "/dashboards/permissions/shop", form: []string{"kind", "team", "who", "Platform", "level", "Admin"}, what: "team Platform", before: "no permission of its own on Shop", after: "Admin on Shop", done: "team Platform has the permission Admin on Shop now."},
	} {
		asked[p.route] = true
		t.Run(p.path, func(t *testing.T) {
			b := &browser{t: t, server: s, client: b.client}
			p.check(b)
		})
	}
	for _, r := range console.Routes() {
		switch get := strings.HasPrefix(r.Pattern, "GET "); {
		case get != (r.Effect == "reads"):
			t.Errorf("%s is said to be %q: say what it does to the power of somebody", r.Pattern, r.Effect)
		case r.Effect == "asks" && !asked[r.Pattern]:
			t.Errorf("%s asks, and no example here shows that it does", r.Pattern)
		case r.Effect != "asks" && asked[r.Pattern]:
			t.Errorf("%s asks here, and the route table says %q", r.Pattern, r.Effect)
		}
		delete(asked, r.Pattern)
	}
	for pattern := range asked {
		t.Errorf("%s is no route", pattern)
	}
}

var steps = regexp.MustCompile(`(?s)<li><span class="what">(.*?)</span><span class="change"><del><span class="sr">now: </span>(.*?)</del>.*?<ins(?: class="[a-z]+")?><span class="sr">then: </span>(.*?)</ins></span>(?:<span class="sub">[^<]*</span>)?</li>`)

func (p power) check(b *browser) {
	t := b.t
	t.Helper()
	before := lastEntry(t, b.server)
	question := b.post(p.path, p.form...)
	b.want("the question", question, http.StatusOK, `id="confirm-yes"`)
	found := steps.FindStringSubmatch(question.text)
	if found == nil {
		t.Fatalf("it does not say what changes:\n%s", question.text)
	}
	for i, want := range []string{p.what, p.before, p.after} {
		if got := html.UnescapeString(found[i+1]); !strings.Contains(got, want) {
			t.Errorf("the question says %q, want %q in it", got, want)
		}
	}
	b.want("the answer to another question", b.post(p.path, append(p.form, "asked", "0123456789abcdef")...), http.StatusOK, `id="confirm-yes"`, "It has changed since you were asked.")
	if now := lastEntry(t, b.server); now != before {
		t.Errorf("asking has done something: %s", now)
	}
	answer := b.yes(question)
	if answer.status != http.StatusSeeOther {
		t.Fatalf("the answer: %d\n%s", answer.status, answer.text)
	}
	if now := lastEntry(t, b.server); now == before {
		t.Error("nothing was done")
	}
	b.want("the page after it", b.get(answer.to), http.StatusOK, `role="status"`, p.done)
	if again := b.get(answer.to); strings.Contains(html.UnescapeString(again.text), p.done) {
		t.Error("the page says it a second time")
	}
}

// lastEntry returns the newest change in the audit log.
func lastEntry(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	var page struct{ Entries []json.RawMessage }
	r := s.Do(hallpasstest.Admin, "GET", "/api/audit?outcome=ok&limit=1", "")
	if err := json.Unmarshal([]byte(r.Text), &page); err != nil || len(page.Entries) != 1 {
		t.Fatalf("audit: %d %s", r.StatusCode, r.Text)
	}
	return string(page.Entries[0])
}

// sessionOf returns the id of a session on the page of a user.
func sessionOf(t *testing.T, b *browser, path string) string {
	t.Helper()
	found := regexp.MustCompile(`name="session" value="([0-9]+)"`).FindStringSubmatch(b.get(path).text)
	if found == nil {
		t.Fatal("the page of the user shows no session")
	}
	return found[1]
}

// TestAnswerIsToTheQuestion changes what was asked about before the answer comes:
// the answer to what no longer holds does nothing.
func TestAnswerIsToTheQuestion(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	ci := b.create("ci", "Viewer")
	question := b.post(ci+"/role", "role", "Editor")
	if r := s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+ci[strings.LastIndexByte(ci, '/')+1:], `{"role":"Admin"}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	again := b.yes(question) // asked: Viewer → Editor; it would be Admin → Editor now
	b.want("the question, again", again, 200, "It has changed since you were asked.", "Admin", "Editor")
	if p := b.yes(again); p.status != http.StatusSeeOther {
		t.Errorf("the second answer: %d", p.status)
	}
	b.want("the account", b.get(ci), 200, "ci has the role Editor now.")
	b.want("the same role", b.get(b.post(ci+"/role", "role", "Editor").to), 200, "Nothing changed: ci has the role Editor already.")
}

// TestAnswerIsOfTheSameOrg has somebody who is asked go to work in another org
// before they answer, where the same user has the same role, and another admin
// answer in their place.
func TestAnswerIsOfTheSameOrg(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	vera := s.User("vera", hallpass.RoleViewer) // 2
	s.User("otto", hallpass.RoleAdmin)          // 3
	for _, call := range [][2]string{{"/api/orgs", `{"name":"Shop"}`}, {"/api/orgs/2/users", `{"loginOrEmail":"vera","role":"Viewer"}`}} {
		if r := s.Do(hallpasstest.Admin, "POST", call[0], call[1]); r.StatusCode != 200 {
			t.Fatal(r.Text)
		}
	}
	question := b.post("/org/users/2/role", "role", "Editor")
	b.want("the question", question, 200, `id="confirm-yes"`)
	if p := b.post("/profile/org", "org", "2"); p.status != http.StatusSeeOther {
		t.Fatalf("switch: %d %s", p.status, p.text)
	}
	b.want("the answer in the other org", b.yes(question), 200, `id="confirm-yes"`)
	otto := signedIn(t, s, "otto", hallpasstest.UserPassword)
	otto.want("the answer of another", otto.yes(question), 200, `id="confirm-yes"`)
	if r := s.Do(vera, "GET", "/api/user/orgs", ""); strings.Contains(r.Text, "Editor") || strings.Count(r.Text, "Viewer") != 2 {
		t.Errorf("vera's orgs: %s", r.Text)
	}
	b.post("/profile/org", "org", "1")
	if p := b.yes(question); p.status != http.StatusSeeOther {
		t.Errorf("the answer where it was asked: %d", p.status)
	}
}

// TestLinkSaysNothing tries to have a page say what somebody else wrote into an
// address, as pages once took what was done from theirs.
func TestLinkSaysNothing(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for _, path := range []string{"/?done=account-created", "/profile?done=password", "/?done=Anna+is+a+server+admin+now"} {
		if p := b.get(path); strings.Contains(p.text, `class="toast"`) {
			t.Errorf("%s makes the page say something:\n%s", path, p.text)
		}
	}
}
