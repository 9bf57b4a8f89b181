package console_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestOneHeader shows every tab of an account with the same header, and each tab to those
// alone who may see it.
func TestOneHeader(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path := b.create("ci", "Editor")
	custom(t, s, `{"uid":"metrics","name":"Metrics reader","permissions":[{"action":"prometheus:query","scope":"*"}]}`)
	s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/"+idOf(t, s, "ci")+"/roles", `{"roleUid":"metrics"}`)
	key := tokenOf(t, s, "ci")
	s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	hallpasstest.Eventually(t, "the use to be stored", func() bool {
		return strings.Contains(b.get(path+"/access").text, "by curl/8.5.0 from 127.0.0.1")
	})
	for _, tab := range []string{"", "/access", "/permissions", "/activity"} {
		b.want("the tab "+tab, b.get(path+tab), 200, `<h1>ci <span class="badge good">Enabled</span></h1>`, "Metrics reader", "No owner", "by curl/8.5.0 from 127.0.0.1",
			`href="`+path+tab+`" aria-current="page"`, `href="`+path+`/access"`, `href="`+path+`/permissions"`, `href="`+path+`/activity"`, path+"/disable", path+"/delete")
	}
	b.want("ids to copy", b.get(path), 200, `data-copy="sa-1-ci"`, `data-copy="`+path[strings.LastIndexByte(path, '/')+1:]+`"`, `data-copy="`+idOf(t, s, "ci")+`"`)

	custom(t, s, `{"uid":"looker","name":"Looker","permissions":[{"action":"serviceaccounts:read","scope":"serviceaccounts:*"}]}`)
	s.User("vera", hallpass.RoleViewer)
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/3/roles", `{"roleUid":"looker"}`)
	p := vera.get(path)
	vera.want("the account to a reader", p, 200, "You need the permission serviceaccounts:write", "You need the permission serviceaccounts:delete")
	for _, not := range []string{"/activity", "/permissions", "/access", "/tokens/1/delete"} {
		if strings.Contains(p.text, path+not) {
			t.Errorf("a reader is led to %s", not)
		}
	}
	vera.want("the activity to a reader", vera.get(path+"/activity"), 403, "audit:read")
	one := vera.get(path + "/tokens/1")
	vera.want("the token to a reader", one, 200, "Used just now by curl/8.5.0")
	if strings.Contains(one.text, "History") || strings.Contains(one.text, "/delete") {
		t.Error("a reader sees the history of the token, or is led to revoke it")
	}
}

var sayings = regexp.MustCompile(`(?s)<p class="say">(.*?)</p>`)

// TestActivity does things to an account and its token, and is refused: the pages of both
// tell it in sentences, and nothing of another account.
func TestActivity(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path, other := b.create("ci", "Viewer"), b.create("other", "Viewer")
	key, foreign := tokenOf(t, s, "ci"), tokenOf(t, s, "other")
	for _, k := range []string{key, key, foreign} {
		s.Do(hallpasstest.Bearer(k), "POST", "/api/folders", `{"title":"x"}`, "User-Agent: curl/8.5.0")
	}
	b.save(path+"/role", "role", "None")
	b.save(path + "/disable")
	s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: wget/1.21")
	read := func(at string) string {
		p := b.get(at)
		b.want(at, p, 200)
		var lines []string
		for _, m := range sayings.FindAllStringSubmatch(p.text, -1) {
			lines = append(lines, plain(m[1]))
		}
		return strings.Join(lines, "\n")
	}
	const want = `of ci was refused: the service account is disabled Refused identity.disabled Enable the service account if it should go on.
admin disabled it
admin changed it: role Viewer to None
of ci lacks the permission folders:create Refused, 2 times
admin made the token of ci
admin created it: role Viewer`
	if got := read(path + "/activity"); got != want {
		t.Errorf("the activity of the account reads\n%s\nwant\n%s", got, want)
	}
	if got, want := read(path+"/tokens/1"), "It was refused: the service account is disabled Refused identity.disabled Enable the service account if it should go on.\nIt lacks the permission folders:create Refused, 2 times\nadmin made it"; got != want {
		t.Errorf("the page of the token reads\n%s\nwant\n%s", got, want)
	}
	b.want("links", b.get(path+"/activity"), 200, `href="`+path+`/tokens/1"`, "127.0.0.1 · wget/1.21")
	if got := read(other + "/activity"); strings.Count(got, "\n") != 2 || strings.Contains(got, "disabled") {
		t.Errorf("the activity of the other account reads\n%s", got)
	}
	b.want("a cursor that is none", b.get(path+"/activity?before=nonsense"), 200, "admin")
	b.want("the token by the path of another account", b.get(other+"/tokens/1"), 404)
}

// TestSayings writes a sentence of each action of the audit: every action has its words.
// Times and numbers of tokens read as on other pages.
func TestSayings(t *testing.T) {
	for _, action := range hallpass.AuditActions() {
		if said := console.Said(action, "ci", ""); strings.Contains(said, action) {
			t.Errorf("%s has no words: %s", action, said)
		}
	}
	for _, tt := range [][4]string{
		{"role.assign", "prom-reader", "", "gave the role prom-reader"},
		{"token.rotate", "nightly", "by token 27, ends by 2027-09-25T05:53:46Z: quarterly", "rotated the token nightly: by “next”, ends by 2027-09-25 05:53:46 UTC: quarterly"},
	} {
		if got := console.Said(tt[0], tt[1], tt[2]); got != tt[3] {
			t.Errorf("%s reads %q, want %q", tt[0], got, tt[3])
		}
	}
}

// TestOwner names who answers for an account, from its head and for several in the list.
func TestOwner(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	ci, other := b.create("ci", "Viewer"), b.create("nightly", "Viewer")
	b.want("without one", b.get(ci+"/activity"), 200, `<a href="`+ci+`/owner" data-dialog title="Name an owner">No owner</a>`)
	b.want("the form", b.get(ci+"/owner"), 200, "data-dialog-page", "Owner of ci")
	b.want("an address that is none", b.post(ci+"/owner", "owner", "ops@", "purpose", "the build"), 400, `id="error-owner"`, `value="ops@"`, `value="the build"`)
	if p := b.post(ci+"/owner", "owner", " ops@example.com ", "purpose", "the build"); p.to != ci {
		t.Errorf("%d to %q", p.status, p.to)
	}
	b.want("with one", b.get(ci), 200, "ops@example.com answers for ci now.", "Change owner and purpose", "the build")
	chosen := []string{"do", "owner", "owner", "platform", "account", idOf(t, s, "ci"), "account", idOf(t, s, "nightly"), "back", "/org/serviceaccounts?filter=unowned"}
	b.want("the form for several", b.post("/org/serviceaccounts", append([]string{"do", "owner"}, chosen[4:]...)...), 200, "Of 2 service accounts", `name="owner"`)
	question := b.post("/org/serviceaccounts", chosen...)
	b.want("several", question, 200, "ops@example.com", "nobody", "platform", "Set the owner of 2 service accounts")
	mark := regexp.MustCompile(`name="asked" value="([^"]*)"`).FindStringSubmatch(question.text)
	if p := b.post("/org/serviceaccounts", append(chosen, "asked", mark[1])...); p.to != "/org/serviceaccounts?filter=unowned" {
		t.Errorf("%d to %q", p.status, p.to)
	}
	b.want("the list", b.get("/org/serviceaccounts?owner=platform"), 200, "2 service accounts changed. Who answers for them: platform.", "ci", "nightly")
	b.want("no address", b.post("/org/serviceaccounts", "do", "owner", "owner", "x@", "account", idOf(t, s, "ci")), 400, `id="error-owner"`, `value="x@"`, "mail address")

	s.User("vera", hallpass.RoleViewer)
	v := signedIn(t, s, "vera", hallpasstest.UserPassword)
	for _, path := range []string{ci + "/owner", other + "/owner"} {
		if p := v.get(path); p.status != 403 {
			t.Errorf("GET %s of a Viewer is answered %d", path, p.status)
		}
		if p := v.post(path, "owner", "vera"); p.status != 403 {
			t.Errorf("POST %s of a Viewer is answered %d", path, p.status)
		}
	}
}

// TestLowerRoleUndo lowers the role of an account: its page offers the role back in this
// browser, to nobody who may not give it, and not when it has it again.
func TestLowerRoleUndo(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	path, other := b.create("ci", "Editor"), b.create("other", "Viewer")
	const offer = "Undo: back to Editor"
	if strings.Contains(b.get(path).text, offer) {
		t.Error("the role is offered before it was lowered")
	}
	b.save(path+"/role", "role", "Viewer")
	b.want("lowered", b.get(path), 200, "For ten minutes its page offers Editor back.", offer, `<input type="hidden" name="role" value="Editor">`)
	if strings.Contains(b.get(other).text, offer) {
		t.Error("another account offers the role")
	}
	b.save(path+"/role", "role", "Editor")
	p := b.get(path)
	b.want("undone", p, 200, "ci has the role Editor now.")
	if strings.Contains(p.text, offer) {
		t.Error("the role is offered though the account has it")
	}
}
