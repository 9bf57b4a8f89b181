package console_test

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// storedGuard returns the guard as the API tells it.
func storedGuard(t *testing.T, s *hallpasstest.Server, name string) (g wire.Guard) {
	t.Helper()
	r := s.Do(hallpasstest.Admin, "GET", "/api/guards/"+name, "")
	if err := json.Unmarshal([]byte(r.Text), &g); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("guard %s: %d %s", name, r.StatusCode, r.Text)
	}
	return g
}

// tenantRule are the fields of the rule with that number, which lets who may read a
// tenant's logs query them.
func tenantRule(n string) []string {
	return []string{
		"methods-" + n, "GET, POST", "path-" + n, "/loki/api/v1/query", "need-" + n, "permission", "role-" + n, "Viewer", "action-" + n, "loki:read", "scope-" + n, "loki:tenants:{tenant}",
		"captures-" + n, "tenant = header:X-Scope-OrgID\r\n", "split-" + n, "|", "set-" + n, "X-Scope-OrgID = {tenant}",
	}
}

// blankFields are the fields of the rule with that number that nobody has written.
func blankFields(n string) []string {
	return []string{"methods-" + n, "", "path-" + n, "", "need-" + n, "permission", "role-" + n, "Viewer", "action-" + n, "", "scope-" + n, "", "captures-" + n, "", "split-" + n, "", "set-" + n, ""}
}

// TestGuardIsAdded makes a guard by the form, without script: the question says what it
// will decide and what is probably not meant, and afterwards it decides so.
func TestGuardIsAdded(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the list", b.get("/guards"), 200, `href="/create/guard"`)
	b.want("the form", b.get("/create/guard"), 200, `id="path-1"`, "Main Org.")
	form := slices.Concat([]string{"name", "loki", "upstream", "http://127.0.0.1:3100", "preset", "", "timeout", "90s", "jwt", "yes", "version", "0"}, blankFields("1"), tenantRule("2"),
		[]string{"path-3", "/ready", "need-3", "public", "path-4", "/admin", "need-4", "role", "role-4", "Admin"})
	question := b.post("/create/guard", form...)
	b.want("the question", question, 200, "Guard loki", "does not exist", "GET, POST /loki/api/v1/query", "needs the permission loki:read on loki:tenants:{tenant}; {tenant} is the header X-Scope-OrgID",
		"sets X-Scope-OrgID to {tenant}", "passes without a token", "needs the role Admin", "The built-in proxy sends requests to", "http://127.0.0.1:3100", "headers and jwt", "Rule 1: Only Admins hold loki:read")
	if r := s.Do(hallpasstest.Admin, "GET", "/api/guards/loki", ""); r.StatusCode != 404 {
		t.Errorf("the question has made the guard: %d", r.StatusCode)
	}
	if p := b.yes(question); p.status != http.StatusSeeOther || p.to != "/guards/loki" {
		t.Fatalf("the answer: %d to %q\n%s", p.status, p.to, p.text)
	}
	b.want("the guard", b.get("/guards/loki"), 200, "The guard loki is there, on every node.", "GET, POST", "/loki/api/v1/query", "loki:read on loki:tenants:{tenant}", `href="/guards/loki/edit"`)
	g := storedGuard(t, s, "loki")
	if len(g.Rules) != 3 || g.Rules[0].Captures["tenant"] != "header:X-Scope-OrgID" || g.Rules[0].Split != "|" || !slices.Equal(g.Rules[0].Methods, []string{"GET", "POST"}) || g.Timeout != "1m30s" || len(g.Identity) != 2 {
		t.Errorf("stored: %+v", g)
	}
	b.want("the same name again", b.post("/create/guard", form...), 409, `id="error-name"`, "exists already", `value="/ready"`)
}

// TestGuardRulesAreEdited opens the form of a guard, sends it as it is, and with one rule
// changed.
func TestGuardRulesAreEdited(t *testing.T) {
	s, key := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the guard", b.get("/guards/prom"), 200, `href="/guards/prom/edit"`)
	p := b.get("/guards/prom/edit")
	b.want("the form", p, 200, `value="/tenants/{t}"`, "X-Scope-OrgID = {t}", "Rules of Prometheus, after yours", "POST /api/v1/write", "Only Admins hold loki:write")
	form := fieldsOf(p)
	same := b.post("/guards/prom/edit", form...)
	b.want("the same", b.get(same.to), 200, "Nothing changed: the guard prom is as it was.")
	if g := storedGuard(t, s, "prom"); g.Version != 1 {
		t.Errorf("sent as it was, it has the version %d", g.Version)
	}
	b.want("the timeout alone", b.get(b.post("/guards/prom/edit", with(form, "timeout", "2m")...).to), 200, "The guard prom is changed, on every node.")
	form = fieldsOf(b.get("/guards/prom/edit"))

	if r := s.Do(hallpasstest.Nobody, "GET", "/guard/proxy/prom/-/healthy", ""); r.StatusCode != 502 {
		t.Fatalf("a public path: %d %s", r.StatusCode, r.Text)
	}
	question := b.post("/guards/prom/edit", with(form, "need-1", "role", "role-1", "Admin", "preset", "")...)
	b.want("the question", question, 200, "any /-/healthy", "passes without a token", "needs the role Admin", "GET /{rest...}", "needs the permission prometheus:query", "refused", "Lets less pass.", "The guard prom decided about ")
	if strings.Contains(question.text, `<ins class="warn"`) || strings.Contains(question.text, "Lets more pass") {
		t.Error("a stricter guard is shown as one that opens something")
	}
	b.want("the answer", b.yes(question), http.StatusSeeOther)
	for path, want := range map[string]int{"/-/healthy": 403, "/api/v1/query": 403} {
		if r := s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/prom"+path, ""); r.StatusCode != want {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.Text)
		}
	}
	if r := s.Do(hallpasstest.Nobody, "GET", "/guard/proxy/prom/-/healthy", ""); r.StatusCode != 401 {
		t.Errorf("what was public is answered %d after the rule was made stricter", r.StatusCode)
	}
}

// TestGuardQuestionWarnsOfWhatOpens makes rules laxer and stricter: the question marks what
// lets more pass, in words too, and says how many accounts have what is needed.
func TestGuardQuestionWarnsOfWhatOpens(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	custom(t, s, `{"uid":"logs","name":"Logs","permissions":[{"action":"loki:read","scope":"loki:id:7"}]}`)
	for _, name := range []string{"one", "two"} {
		account := b.create(name, "None")
		if r := s.Do(hallpasstest.Admin, "PUT", "/api/access-control/users/"+account[strings.LastIndexByte(account, '/')+1:]+"/roles", `{"roleUids":["logs"]}`); r.StatusCode > 201 {
			t.Fatal(r.Text)
		}
	}
	if r := s.Do(hallpasstest.Admin, "POST", "/api/guards", `{"name":"logs","rules":[{"path":"/a","action":"loki:read","scope":"loki:id:8"},{"path":"/b","role":"Admin"}]}`); r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	const path = "/guards/logs/edit"
	form := fieldsOf(b.get(path))
	for _, tt := range []struct {
		name   string
		fields []string
		tone   string // of what is then
		says   []string
	}{
		{"public", []string{"need-1", "public"}, ` class="warn"`, []string{"Opens to everybody, without a token. Now no account holds it, then everybody passes."}},
		{"another rule", []string{"methods-3", "GET", "path-3", "/c", "need-3", "role", "role-3", "Admin"}, ` class="warn"`, []string{"Lets more pass. Now nobody passes, then no account holds it."}},
		{"any scope", []string{"scope-1", ""}, ` class="warn"`, []string{"Lets more pass. Now no account holds it, then 2 accounts hold it."}},
		{"another scope", []string{"scope-1", "loki:id:7"}, ` class="warn"`, []string{"Lets others pass than before. Now no account holds it, then 2 accounts hold it."}},
		{"a lower role", []string{"role-2", "None"}, ` class="warn"`, []string{"Lets more pass. Now no account holds it, then 2 accounts hold it."}},
		{"preflight", []string{"preflight", "allow"}, ` class="warn"`, []string{"Lets more pass."}},
		{"a header for the API", []string{"set-1", "X-A = a"}, "", []string{"Now no account holds it, then no account holds it."}},
	} {
		p := b.post(path, with(form, tt.fields...)...)
		b.want(tt.name, p, 200, tt.says...)
		if n := strings.Count(p.text, `<ins`+tt.tone+`>`); n != 1 || strings.Contains(p.text, "destructive") {
			t.Errorf("%s: %d steps with the tone %q\n%s", tt.name, n, tt.tone, p.text)
		}
	}
	p := b.post(path, with(form, "role-2", "Admin", "path-1", "/x", "methods-1", "GET")...)
	b.want("one way and the other", p, 200, `<ins class="quiet">`, "Lets less pass. Now no account holds it, then nobody passes.", `<ins class="warn">`)
	p = b.post("/create/guard", "name", "new", "version", "0", "path-1", "/a", "need-1", "role", "role-1", "Admin", "path-2", "/b", "need-2", "public")
	b.want("a new guard", p, 200, `<ins class="warn"><span class="sr">then: </span>passes without a token</ins></span><span class="sub">Opens to everybody, without a token.`)
	if strings.Count(p.text, "Opens") != 1 || strings.Contains(p.text, "Lets more") {
		t.Errorf("a new guard: all rules are marked\n%s", p.text)
	}
}

// TestGuardFormErrors sends forms with one mistake each: it is told at its field, and
// the rest stays as it was typed.
func TestGuardFormErrors(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	good := slices.Concat([]string{"name", "loki", "upstream", "http://127.0.0.1:3100", "preset", "", "timeout", "", "version", "0"}, []string{"path-1", "/ready", "need-1", "public"}, tenantRule("2"))
	for _, tt := range []struct{ field, value, says string }{
		{"name", "Loki!", "small letters"},
		{"upstream", "ftp://x", "The upstream is a URL"},
		{"preset", "nonsense", "There is no preset"},
		{"timeout", "soon", "not a duration"},
		{"path-2", "loki", "does not begin with a slash"},
		{"path-2", "/ready", "can never match"}, // after the one that is public
		{"methods-2", "GET POST HEAD", "write GET instead of HEAD"},
		{"need-2", "nonsense", "choose what its requests need"},
		{"action-2", "", "write the action"},
		{"action-2", "Loki Read", "is no action"},
		{"scope-2", "loki:tenants:{other}", "has no source"},
		{"captures-2", "tenant", "each line reads like tenant = header:X-Scope-OrgID"},
		{"captures-2", "tenant = header:A\ntenant = header:B", "stands in two lines"},
		{"captures-2", "tenant = X-Scope-OrgID", "a source reads like"},
		{"split-2", "too long a text", "one to eight visible"},
		{"set-2", "Authorization = x", "cannot be set"},
		{"set-2", "glsa_00000000000000000000000000000000_00000000 = x", "it holds a token"},
	} {
		p := b.post("/create/guard", with(good, tt.field, tt.value)...)
		b.want(tt.field+" = "+tt.value, p, 400, `id="error-`+tt.field+`"`, tt.says, "autofocus", `value="loki:tenants:`)
		if n := strings.Count(p.text, `aria-invalid="true"`); n != 1 {
			t.Errorf("%s = %s: %d fields are marked", tt.field, tt.value, n)
		}
	}
	for _, field := range []string{"role-2", "role-1"} {
		p := b.post("/create/guard", with(good, "need"+field[4:], "role", field, "Boss")...)
		b.want(field, p, 400, `id="error-`+field+`"`, "is no basic role")
	}
}

// TestGuardRulesAreArranged presses the buttons of the form that add, move and remove
// rules, and that copy those of a preset. Nothing is saved.
func TestGuardRulesAreArranged(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const path = "/guards/prom/edit"
	form := fieldsOf(b.get(path))
	press := func(what, button, focus string, paths ...string) {
		t.Helper()
		p := b.post(path, with(form, "arrange", button)...)
		b.want(what, p, 200, ` id="`+focus+`"`)
		form = fieldsOf(p)
		var got []string
		for i := 0; i < len(form); i += 2 {
			if strings.HasPrefix(form[i], "path-") {
				got = append(got, form[i+1])
			}
		}
		if !slices.Equal(got, paths) {
			t.Errorf("%s: the rules are %q, want %q", what, got, paths)
		}
		if found := focused.FindStringSubmatch(p.text); found == nil || found[1] != focus {
			t.Errorf("%s: %q has the focus, want %s", what, found, focus)
		}
	}
	press("add", "add", "methods-3", "/-/healthy", "/tenants/{t}", "")
	form = with(form, "path-3", "/c")
	press("up", "up 3", "up-2", "/-/healthy", "/c", "/tenants/{t}")
	press("up to the top", "up 2", "remove-1", "/c", "/-/healthy", "/tenants/{t}")
	press("down", "down 1", "down-2", "/-/healthy", "/c", "/tenants/{t}")
	press("copy a rule", "twin 3", "path-4", "/-/healthy", "/c", "/tenants/{t}", "/tenants/{t}")
	if a, b := form[slices.Index(form, "set-3")+1], form[slices.Index(form, "set-4")+1]; a != b || a != "X-Scope-OrgID = {t}" {
		t.Errorf("the copy of a rule sets %q, not %q", b, a)
	}
	press("remove the copy", "remove 4", "remove-3", "/-/healthy", "/c", "/tenants/{t}")
	press("copy no rule", "twin 9", "show-preset", "/-/healthy", "/c", "/tenants/{t}")
	press("remove", "remove 1", "remove-1", "/c", "/tenants/{t}")
	press("remove the last", "remove 2", "remove-1", "/c")
	press("no such rule", "up 1", "show-preset", "/c")
	press("nonsense", "remove -5", "show-preset", "/c")
	press("remove all", "remove 1", "add-rule")
	form = with(form, "preset", "pushgateway")
	press("show the preset", "preset", "show-preset")
	press("copy the preset", "copy", "methods-1", "/-/healthy", "/-/ready", "/metrics/{rest...}", "/metrics/{rest...}", "/metrics", "/api/v1/metrics", "/api/v1/status", "/api/v1/admin/{rest...}", "/-/{rest...}")
	if g := storedGuard(t, s, "prom"); g.Version != 1 {
		t.Errorf("the buttons have saved version %d", g.Version)
	}
	question := b.post(path, form...)
	b.want("the question", question, 200, `id="confirm-yes"`)
	b.want("the answer", b.yes(question), http.StatusSeeOther)
	if g := storedGuard(t, s, "prom"); len(g.Rules) != 9 || g.Preset != "" {
		t.Errorf("saved: %+v", g)
	}
}

// TestGuardWasChangedMeanwhile saves a form that was filled in before somebody else
// changed the guard: it is told so, keeps what was typed, and is asked about what would
// change now.
func TestGuardWasChangedMeanwhile(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const path = "/guards/prom/edit"
	form := with(fieldsOf(b.get(path)), "path-1", "/mine")
	question := b.post(path, form...)
	b.want("the question", question, 200, `id="confirm-yes"`)
	if r := s.Do(hallpasstest.Admin, "PUT", "/api/guards/prom", `{"version":1,"rules":[{"path":"/theirs","public":true}]}`); r.StatusCode != 200 {
		t.Fatal(r.Text)
	}
	late := b.yes(question)
	b.want("the answer", late, 412, "You changed the guard meanwhile, just now: upstream ", "any /theirs needs nothing", `value="/mine"`)
	if g := storedGuard(t, s, "prom"); g.Version != 2 {
		t.Fatalf("it was saved over the other's: %+v", g)
	}
	again := b.post(path, fieldsOf(late)...)
	b.want("the question now", again, 200, "any but GET /theirs", "passes without a token", "any /mine")
	b.want("its answer", b.yes(again), http.StatusSeeOther)
	if g := storedGuard(t, s, "prom"); g.Version != 3 || g.Rules[0].Path != "/mine" {
		t.Errorf("saved: %+v", g)
	}
}

// TestGuardWasDeletedMeanwhile saves a form of a guard that somebody else deleted: what was
// typed stands in a form that adds the guard, and it is said who deleted it. Whoever may not
// see the audit is not told who; whoever may not add guards gets no form.
func TestGuardWasDeletedMeanwhile(t *testing.T) {
	s, _ := guarded(t)
	s.User("olga", hallpass.RoleAdmin)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const path = "/guards/prom/edit"
	form := with(fieldsOf(b.get(path)), "path-1", "/mine")
	olga := signedIn(t, s, "olga", hallpasstest.UserPassword)
	b.want("the deletion", olga.yes(olga.get("/guards/prom/delete")), http.StatusSeeOther)
	late := b.post(path, form...)
	b.want("the answer", late, 412, "olga deleted the guard meanwhile, just now.", "adds the guard again", `value="/mine"`, `action="/create/guard"`, `name="name" value="prom"`)
	question := b.post("/create/guard", fieldsOf(late)...)
	b.want("the question", question, 200, "any /mine", "does not exist")
	b.want("its answer", b.yes(question), http.StatusSeeOther)
	if g := storedGuard(t, s, "prom"); g.Version != 1 || g.Rules[0].Path != "/mine" {
		t.Errorf("saved: %+v", g)
	}
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	vera.want("somebody who may not add guards", vera.post("/guards/nosuch/edit", form...), 403, "guards:read")
}

// TestGuardPresetIsCopied copies presets behind rules that stand before some of theirs, and
// with tenants: what is copied can match, and what is left out is told.
func TestGuardPresetIsCopied(t *testing.T) {
	s, key := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	mine := []string{"name", "loki", "upstream", "http://127.0.0.1:9", "preset", "loki", "timeout", "", "version", "0", "path-1", "/loki/api/v1/rules/{rest...}", "need-1", "role", "role-1", "Admin"}
	p := b.post("/create/guard", append(mine, "arrange", "preset")...)
	b.want("the preset", p, 200, `value="copy-tenants"`, "<code>loki:read</code> on <code>loki:tenants:a</code>")
	p = b.post("/create/guard", append(mine, "arrange", "copy")...)
	b.want("copied", p, 200, "20 rules of Loki copied.", "Not copied, because it could never match: rule 1 stands before any /loki/api/v1/rules/{rest...}, which needs the permission loki:rules.", `id="methods-21"`)
	b.want("saved", b.post("/create/guard", fieldsOf(p)...), 200, `id="confirm-yes"`)
	p = b.post("/create/guard", append(mine, "arrange", "copy-tenants")...)
	b.want("copied with tenants", p, 200, "20 rules of Loki copied.", `value="loki:tenants:{tenant}"`, "tenant = header:X-Scope-OrgID", "X-Scope-OrgID = {tenant}")
	if strings.Contains(p.text, "passes there for all of them") {
		t.Error("rules with tenants are warned of")
	}
	question := b.post("/create/guard", fieldsOf(p)...)
	b.want("the answer", b.yes(question), http.StatusSeeOther)
	b.want("the guard", b.get("/guards/loki"), 200, "loki:read on loki:tenants:{tenant}", "sets X-Scope-OrgID to {tenant}")
	custom(t, s, `{"uid":"logs-a","name":"logs:a","permissions":[{"action":"loki:read","scope":"loki:tenants:a"}]}`)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/3/roles", `{"roleUid":"logs-a"}`); r.StatusCode > 201 {
		t.Fatal(r.Text)
	}
	for tenant, want := range map[string]int{"a": 502, "b": 403, "a|b": 403} { // 502: it passes, and there is no API
		if r := s.Do(hallpasstest.Bearer(key), "GET", "/guard/proxy/loki/loki/api/v1/query", "", "X-Scope-OrgID: "+tenant); r.StatusCode != want {
			t.Errorf("the tenant %s: %d %s", tenant, r.StatusCode, r.Text)
		}
	}
	other := []string{"name", "p", "preset", "prometheus", "version", "0", "path-1", "", "need-1", "permission", "arrange"}
	b.want("a preset without tenants", b.post("/create/guard", append(other, "copy-tenants")...), 200, `value="prometheus" selected`)
	if p := b.post("/create/guard", append(other, "preset")...); strings.Contains(p.text, "copy-tenants") {
		t.Error("a preset without tenants offers to ask for them")
	}
}

// TestGuardFormSaysWhereCapturesGo leaves out where a part of a scope comes from: the error
// calls the field as the form does, and the field is open.
func TestGuardFormSaysWhereCapturesGo(t *testing.T) {
	s, _ := guarded(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	p := b.post("/create/guard", "name", "loki", "version", "0", "path-1", "/a", "need-1", "permission", "action-1", "loki:read", "scope-1", "loki:tenants:{tenant}")
	b.want("no source", p, 400, `id="error-scope-1"`, "nor under “Values from headers” below", `<details class="known" open><summary>Values from headers`)
	p = b.post("/create/guard", "name", strings.Repeat("a", 41), "version", "0", "path-1", "/a", "need-1", "public")
	b.want("a name that is too long", p, 400, `id="error-name"`, "at most 40 characters", strings.Repeat("a", 41))
}

// TestGuardFormNeedsPermission looks at a guard as somebody who may only read guards, and
// at one of the configuration file: neither can be changed, and the page says why.
func TestGuardFormNeedsPermission(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) {
		c.ConfigFile, c.Guards = "/etc/hallpass.toml", []hallpass.Guard{{Name: "file", Org: hallpass.FirstOrg, Preset: "prometheus"}}
	})
	s.User("vera", hallpass.RoleViewer) // 2
	custom(t, s, `{"uid":"reader","name":"reader","permissions":[{"action":"guards:read","scope":"guards:uid:*"}]}`)
	for path, body := range map[string]string{"/api/access-control/users/2/roles": `{"roleUid":"reader"}`, "/api/guards": `{"name":"prom","preset":"prometheus"}`} {
		if r := s.Do(hallpasstest.Admin, "POST", path, body); r.StatusCode > 201 {
			t.Fatal(r.Text)
		}
	}
	vera := signedIn(t, s, "vera", hallpasstest.UserPassword)
	vera.want("the guard", vera.get("/guards/prom"), 200, "You need the permission guards:write to change the guard. Ask an administrator of your organization.")
	if p := vera.get("/guards"); strings.Contains(p.text, "/create/guard") {
		t.Error("the list offers to add a guard")
	}
	for _, path := range []string{"/create/guard", "/guards/prom/edit"} {
		vera.want("GET "+path, vera.get(path), 403, "Ask an administrator of your organization", "guards:write")
		vera.want("POST "+path, vera.post(path, "name", "x", "version", "1"), 403, "guards:write")
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the guard of the file", b.get("/guards/file"), 200, "The guard is written down in the file /etc/hallpass.toml, under [guard.file]. Change it there: Hallpass reads it at its start and on SIGHUP.")
	b.want("its form", b.get("/guards/file/edit"), 409, "/etc/hallpass.toml", "change it there")
	b.want("its change", b.post("/guards/file/edit", "version", "1", "path-1", "/", "need-1", "public"), 409, "/etc/hallpass.toml", "change it there")
	b.want("no guard", b.get("/guards/none/edit"), 404)
}

var (
	focused   = regexp.MustCompile(`<(?:input|button|select)[^>]* id="([^"]*)"[^>]* autofocus`)
	formField = regexp.MustCompile(`(?s)<input ([^>]*)>|<textarea ([^>]*)>(.*?)</textarea>|<select ([^>]*)>(.*?)</select>`)
	nameOf    = regexp.MustCompile(`\bname="([^"]*)"`)
	valueOf   = regexp.MustCompile(`\bvalue="([^"]*)"`)
	selected  = regexp.MustCompile(`value="([^"]*)" selected`)
)

// with returns the form with other values in some fields.
func with(form []string, fields ...string) []string {
	form = slices.Clone(form)
	for i := 0; i < len(fields); i += 2 {
		there := false
		for j := 0; j < len(form); j += 2 {
			if form[j] == fields[i] {
				form[j+1], there = fields[i+1], true
			}
		}
		if !there {
			form = append(form, fields[i], fields[i+1])
		}
	}
	return form
}

// fieldsOf returns the names and values of the form of a guard on the page, as a browser
// sends them.
func fieldsOf(p page) (form []string) {
	_, text, _ := strings.Cut(p.text, `class="guard-form"`)
	for _, m := range formField.FindAllStringSubmatch(text, -1) {
		name := nameOf.FindStringSubmatch(m[1] + m[2] + m[4])
		value := m[3]
		switch {
		case name == nil, strings.Contains(m[1], `type="checkbox"`) && !strings.Contains(m[1], " checked"):
			continue
		case m[1] != "":
			value = first(valueOf.FindStringSubmatch(m[1]))
		case m[4] != "":
			value = first(selected.FindStringSubmatch(m[5]))
		}
		form = append(form, name[1], html.UnescapeString(value))
	}
	return form
}

func first(found []string) string {
	if found == nil {
		return ""
	}
	return found[1]
}

// TestSuspendedGuardIsSaved saves a suspended guard as it is: the question says that it
// decides again, and afterwards it does.
func TestSuspendedGuardIsSaved(t *testing.T) {
	s, _ := guarded(t)
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		g, err := tx.Guard(hallpass.FirstOrg, "prom")
		if err != nil {
			return err
		}
		if err := tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: int64(g.ID)}); err != nil {
			return err
		}
		g.Suspended = hallpass.SuspendedOlder
		return tx.UpdateGuard(g)
	})
	if err != nil {
		t.Fatal(err)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the guard", b.get("/guards/prom"), 200, "The guard refuses every request")
	question := b.post("/guards/prom/edit", fieldsOf(b.get("/guards/prom/edit"))...)
	b.want("the question", question, 200, "refuses every request", "decides by its rules", "any /-/healthy", "passes without a token")
	b.want("the answer", b.yes(question), http.StatusSeeOther)
	b.want("afterwards", b.get("/guards/prom"), 200, "Guarding")
}
