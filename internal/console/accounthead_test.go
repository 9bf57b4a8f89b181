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

// TestSayings writes a sentence of each action of the audit, from an entry as the program
// writes it: nothing is said twice, and nothing stays as only programs read it.
func TestSayings(t *testing.T) {
	told := make(map[string]bool)
	for _, tt := range []struct{ action, target, name, reason, want string }{
		{"attention.snooze", "token:7", "nightly of ci", "never-ends until 2027-09-25T05:53:46Z: quarterly", "put off what needs doing about nightly of ci: “Never ends” until Sat 25 Sep 2027, 05:53 UTC: quarterly"},
		{"attention.wake", "token:7", "nightly of ci", "never-ends", "no longer puts off what needs doing about nightly of ci: “Never ends”"},
		{"audit.prune", "audit", "", "deleted 12 entries, of the days 2026-01-01 to 2026-01-03, SHA-256 0a1b", "deleted old entries of the audit log: 12 entries, of the days 2026-01-01 to 2026-01-03, SHA-256 0a1b"},
		{"channel.create", "channel:3", "", "name alerts, slack to hooks.example.com", "created the channel alerts: slack to hooks.example.com"},
		{"channel.delete", "channel:3", "", "name alerts, slack to hooks.example.com", "deleted the channel alerts: slack to hooks.example.com"},
		{"channel.disable", "channel:3", "", "name alerts: the receiver answered 410: it wants no more notices", "turned off the channel alerts: the receiver answered 410: it wants no more notices"},
		{"channel.retry", "channel:3", "", "name alerts, slack to hooks.example.com, 4 notices", "sent again what had failed on the channel alerts: slack to hooks.example.com, 4 notices"},
		{"channel.test", "channel:3", "", "name alerts, slack to hooks.example.com", "sent a test to the channel alerts: slack to hooks.example.com"},
		{"channel.update", "channel:3", "", "name alerts, slack to hooks.example.com, disabled", "changed the channel alerts: slack to hooks.example.com, disabled"},
		{"dashboard.create", "dashboard:orders", "Orders", "title Orders", "created the dashboard Orders"},
		{"dashboard.delete", "dashboard:orders", "Orders", "title Orders", "deleted the dashboard Orders"},
		{"dashboard.update", "dashboard:orders", "Orders", "title Orders", "changed the dashboard Orders"},
		{"database.write", "", "", "", "wrote to the database"},
		{"folder.create", "folder:shop", "Shop", "title Shop", "created the folder Shop"},
		{"folder.delete", "folder:shop", "Shop", "title Shop", "deleted the folder Shop"},
		{"folder.move", "folder:shop", "Shop", "title Shop", "moved the folder Shop"},
		{"folder.update", "folder:shop", "Shop", "title Shop", "changed the folder Shop"},
		{"guard.create", "guard:loki", "loki", `org "1", timeout "1m0s", managed by "api", rules +1`, `created the guard loki: org "1", timeout "1m0s", managed by "api", rules +1`},
		{"guard.delete", "guard:loki", "loki", "no longer in the configuration file /etc/hallpass.toml", "deleted the guard loki: no longer in the configuration file /etc/hallpass.toml"},
		{"guard.request", "guard:loki", "loki", "", "sent a request to the guard loki"},
		{"guard.update", "guard:loki", "loki", `upstream "http://127.0.0.1:9090"`, `changed the guard loki: upstream "http://127.0.0.1:9090"`},
		{"history.reapply", "token:7", "nightly of ci", "the database came back older than change 91", "made up for what the database had lost about nightly of ci: the database came back older than change 91"},
		{"identity.create", "user:2", "vera", "by https://accounts.example.com, subject 0f3a", "connected a company account to the user vera: https://accounts.example.com, subject 0f3a"},
		{"identity.delete", "user:2", "vera", "by https://accounts.example.com, subject 0f3a", "disconnected a company account from the user vera: https://accounts.example.com, subject 0f3a"},
		{"installation.begin", "user:1", "admin", "", "set up Hallpass with the user admin"},
		{"member.add", "user:2", "vera", "role Viewer", "gave a membership of the organization to vera: role Viewer"},
		{"member.remove", "user:2", "vera", "", "ended the membership of vera"},
		{"member.update", "user:2", "vera", "role Viewer to Editor", "changed the membership of vera: role Viewer to Editor"},
		{"org.create", "org:2", "Shop", "name Shop", "created the organization Shop"},
		{"org.current", "org:2", "Shop", "", "changed to the organization Shop"},
		{"org.delete", "org:2", "Shop", "name Shop", "deleted the organization Shop"},
		{"org.preferences", "org:2", "Shop", "", "changed the preferences of the organization Shop"},
		{"org.token-policy", "org:2", "Shop", "tokens that nobody used for 90 days: warnings 14 and 7 days before, then paused", "changed the token policy of the organization Shop: tokens that nobody used for 90 days: warnings 14 and 7 days before, then paused"},
		{"org.update", "org:2", "Shop", "address", "changed the organization Shop: address"},
		{"password.change", "user:2", "vera", "", "changed the password of vera"},
		{"password.reset", "user:2", "vera", "", "reset the password of vera"},
		{"password.set", "user:2", "vera", "", "set the password of vera"},
		{"password.verify", "user:2", "vera", "", "signed in with a password as vera"},
		{"permission.set", "folder:shop", "Shop", "", "gave or took access to Shop"},
		{"refusals.more", "", "", "beyond the first 20 within the minute; from this address the first of them", "was refused more often: beyond the first 20 within the minute; from this address the first of them"},
		{"request.cross-origin", "path:/api/org", "", "", "sent a form from another site to /api/org"},
		{"role.assign", "role:prom", "prom-reader", "to team:3", "gave the role prom-reader to team:3"},
		{"role.assignments.set", "role:prom", "prom-reader", "", "set the assignments of prom-reader"},
		{"role.create", "role:prom", "prom-reader", "name prom-reader", "created the role prom-reader"},
		{"role.delete", "role:prom", "prom-reader", "name prom-reader", "deleted the role prom-reader"},
		{"role.reset", "role:basic", "", "", "reset the basic roles"},
		{"role.unassign", "role:prom", "prom-reader", "from basic role Viewer", "took the role prom-reader from the basic role Viewer"},
		{"role.update", "role:prom", "prom-reader", "name prom-reader", "changed the role prom-reader"},
		{"roles.set", "user:2", "vera", "", "set the roles of vera"},
		{"serviceaccount.create", "serviceaccount:9", "ci", "role Editor, metrics", "created ci: role Editor, metrics"},
		{"serviceaccount.delete", "serviceaccount:9", "ci", "login sa-1-ci", "deleted ci: the login is sa-1-ci"},
		{"serviceaccount.disable", "serviceaccount:9", "ci", "", "disabled ci"},
		{"serviceaccount.enable", "serviceaccount:9", "ci", "", "enabled ci"},
		{"serviceaccount.update", "serviceaccount:9", "ci", "name ci, role Viewer to Editor", "changed ci: role Viewer to Editor"},
		{"session.create", "session:4", "", "", "signed in"},
		{"session.end", "session:4", "", "", "ended a session"},
		{"team.create", "team:3", "Crew", "name Crew", "created the team Crew"},
		{"team.delete", "team:3", "Crew", "name Crew", "deleted the team Crew"},
		{"team.group.add", "team:3", "Crew", "cn=crew", "connected a group to the team Crew: cn=crew"},
		{"team.group.remove", "team:3", "Crew", "cn=crew", "disconnected a group from the team Crew: cn=crew"},
		{"team.member.remove", "team:3", "Crew", "vera", "removed a member of the team Crew: vera"},
		{"team.member.set", "team:3", "Crew", "Member vera", "changed the members of the team Crew: Member vera"},
		{"team.members.set", "team:3", "Crew", "", "set the members of the team Crew"},
		{"team.preferences", "team:3", "Crew", "", "changed the preferences of the team Crew"},
		{"team.update", "team:3", "Crew", "name Crew", "changed the team Crew"},
		{"token.create", "token:7", "nightly of ci", "for sa-1-ci", "made the token nightly of ci"},
		{"token.delete", "token:7", "nightly of ci", "name nightly", "revoked the token nightly of ci"},
		{"token.extend", "token:7", "nightly of ci", "ends by 2027-09-25T05:53:46Z", "changed the end of the token nightly of ci: ends by Sat 25 Sep 2027, 05:53 UTC"},
		{"token.pause", "token:7", "nightly of ci", "until 2027-09-25T05:53:46Z, to see who breaks", "paused the token nightly of ci: until Sat 25 Sep 2027, 05:53 UTC, to see who breaks"},
		{"token.reissue", "token:7", "nightly of ci", "the request was repeated, and the token has another secret", "gave a new secret to the token nightly of ci: the request was repeated"},
		{"token.resume", "token:7", "nightly of ci", "", "resumed the token nightly of ci"},
		{"token.retire", "token:7", "nightly of ci", "token 27 replaces it", "ended the token nightly of ci: next replaces it"},
		{"token.rotate", "token:7", "nightly of ci", "by token 27, ends by 2027-09-25T05:53:46Z: quarterly", "rotated the token nightly of ci: next replaces it, and it ends by Sat 25 Sep 2027, 05:53 UTC: quarterly"},
		{"token.undo", "token:7", "nightly of ci", "token 27, which replaced it, is ended", "took back the rotation of the token nightly of ci: next, which replaced it, is ended"},
		{"token.update", "token:7", "nightly of ci", "name old to nightly, owner ops@example.com, limits", "changed the token nightly of ci: the name from old to nightly, owner ops@example.com, limits"},
		{"token.revoke", "token:7", "nightly of ci", "token 27, which it replaced, was tried from 10.1.2.3", "revoked the token nightly of ci: next, which it replaced, was tried from 10.1.2.3"},
		{"token.stale", "token:7", "nightly of ci", "not used for 83 days", "warned of the unused token nightly of ci: not used for 83 days"},
		{"token.prune", "serviceaccount:9", "ci", "deleted 3 tokens that had ended", "deleted tokens of ci: 3 tokens that had ended"},
		{"token.verify", "token:7", "nightly of ci", "", "used the token nightly of ci"},
		{"user.create", "user:2", "vera", "login vera", "created the user vera"},
		{"user.create", "user:2", "Vera Bell", "login vera, by https://accounts.example.com", "created the user Vera Bell: the login is vera, by https://accounts.example.com"},
		{"user.delete", "user:2", "vera", "login vera", "deleted the user vera"},
		{"user.demote", "user:2", "vera", "", "took the rights of a server admin from vera"},
		{"user.disable", "user:2", "vera", "", "disabled the user vera"},
		{"user.enable", "user:2", "vera", "", "enabled the user vera"},
		{"user.logout", "user:2", "vera", "", "signed out the user vera"},
		{"user.org", "user:2", "vera", "org:2", "switched the organization of vera to org:2"},
		{"user.preferences", "user:2", "vera", "", "changed the preferences of vera"},
		{"user.promote", "user:2", "vera", "", "gave the rights of a server admin to vera"},
		{"user.self", "user:2", "vera", "", "changed the own profile of vera"},
		{"user.sync", "user:2", "vera", "role Viewer to Editor, joins team 3, by https://accounts.example.com", "took over from the provider what it says about vera: role Viewer to Editor, joins team 3, by https://accounts.example.com"},
		{"user.update", "user:2", "vera", "", "changed the user vera"},
	} {
		told[tt.action] = true
		e := hallpass.AuditEntry{Org: 1, Action: tt.action, Target: tt.target, Outcome: hallpass.Done, Reason: tt.reason}
		if got := console.Said(e, tt.name); got != tt.want {
			t.Errorf("%s reads %q, want %q", tt.action, got, tt.want)
		}
	}
	for _, action := range hallpass.AuditActions() {
		if !told[action] {
			t.Errorf("no sentence of %s is told", action)
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
