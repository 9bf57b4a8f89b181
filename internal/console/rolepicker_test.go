package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// fixedReader is a fixed role: service accounts, reader.
const fixedReader = "fixed_QFjJAZ88iawMLInYOxPA1DB1w6I"

// TestPickerWithoutScript gives roles on the account's pages: what the viewer may
// not give is locked, and a refusal gives nothing.
func TestPickerWithoutScript(t *testing.T) {
	s := hallpasstest.New(t)
	custom(t, s, `{"uid":"server-users","name":"server users","permissions":[{"action":"users:create"}]}`)
	custom(t, s, `{"uid":"metrics","name":"metrics","permissions":[{"action":"prometheus:query","scope":"*"}]}`)
	s.User("boss", hallpass.RoleAdmin)
	b := signedIn(t, s, "boss", hallpasstest.UserPassword)
	form := b.get("/org/serviceaccounts/create")
	b.want("the form", form, 200, "More roles", `name="role_uid" value="metrics"`, "You do not have permissions to assign this role.")
	refused := b.save("/org/serviceaccounts/create", "name", "ci", "role", "None", "role_uid", "metrics", "role_uid", "server-users")
	b.want("a role that is not theirs", refused, 403, "Permissions needed: users:create.", `value="metrics" checked`, `value="ci"`)
	if p := b.get("/org/serviceaccounts?query=ci"); strings.Contains(p.text, "sa-1-ci") {
		t.Error("the account was made all the same")
	}
	made := b.save("/org/serviceaccounts/create", "name", "ci", "role", "None", "role_uid", "metrics", "role_uid", fixedReader)
	path := made.to
	if made.status != http.StatusSeeOther {
		t.Fatalf("create: %d to %q\n%s", made.status, made.to, made.text)
	}
	b.want("the account", b.get(path), 200, "metrics", "Service accounts: Reader")
	b.want("a role that is gone", b.save("/org/serviceaccounts/create", "name", "ci2", "role", "None", "role_uid", "metrics", "role_uid", "zebra"), 400, "There is no role with the uid zebra.", `value="ci2"`)
	if p := b.get("/org/serviceaccounts?query=ci2"); strings.Contains(p.text, "sa-1-ci2") {
		t.Error("the account was made without its roles")
	}
	b.want("the picker", b.get(path+"/roles"), 200, `value="metrics" checked`, `value="server-users" disabled`, "2 chosen")
	b.want("not theirs", b.save(path+"/roles", "role", "metrics", "role", "server-users"), 403, `value="metrics" checked`)
	b.want("no such role", b.save(path+"/roles", "role", "zebra"), 404)
	b.want("as before", b.get(path), 200, "Service accounts: Reader")
	b.want("what it can do", b.get(path+"/access"), 200, "prometheus:query", "role metrics", "Effective permissions")
	b.want("may it", b.get(path+"/access?action=teams:create"), 200, "No.", "Teams: Creator")
	b.want("no action", b.get(path+"/access?action=teams"), 200, `aria-invalid="true"`)
	b.want("clear", b.save(path+"/roles", "role", "metrics", "clear", "yes"), 303)
	b.want("cleared", b.get(path), 200, "No roles assigned")
}

// TestPickerTellsWhatBreaks takes roles away from an account that used one of them: the
// question names what it used and would be refused, and asks for the name of what is in use;
// not when another role permits the same, and not of a role that it did not use.
func TestPickerTellsWhatBreaks(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	custom(t, s, `{"uid":"teams","name":"Team reader","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	custom(t, s, `{"uid":"same","name":"Team reader too","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	custom(t, s, `{"uid":"metrics","name":"Metrics","permissions":[{"action":"prometheus:query","scope":"*"}]}`)
	path := b.create("ci", "None")
	b.save(path+"/roles", "role", "teams", "role", "metrics")
	key := tokenOf(t, s, "ci")
	if r := s.Do(hallpasstest.Bearer(key), "GET", "/api/teams/search", "", "User-Agent: curl/8.5.0"); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	const loses, name, nothing = "It loses teams:read, which it used 1 time, last just now.", `id="confirm-name"`, "Nothing that was recorded of its tokens in the last 30 days needs what it loses."
	hallpasstest.Eventually(t, "the use to be stored", func() bool {
		return strings.Contains(b.post(path+"/roles", "role", "metrics").text, loses)
	})
	b.want("what it used", b.post(path+"/roles", "role", "metrics"), 200, loses, "by curl/8.5.0 from 127.0.0.1", name)
	b.want("all", b.post(path+"/roles", "clear", "yes"), 200, loses, name)
	for what, form := range map[string][]string{
		"what it did not use":      {"role", "teams"},
		"another permits the same": {"role", "same"},
		"others, too":              {"role", "same", "role", "metrics"},
	} {
		p := b.post(path+"/roles", form...)
		b.want(what, p, 200, nothing)
		if strings.Contains(p.text, name) || strings.Contains(p.text, "It loses") {
			t.Errorf("%s: the question says that something breaks", what)
		}
	}
	if p := b.post(path+"/roles", "role", "teams", "role", "metrics", "role", "same"); strings.Contains(p.text, nothing) {
		t.Error("a role that is only added is said to take something away")
	}
	s.Clock.Wind(25 * time.Hour)
	b = signedIn(t, s, "admin", hallpasstest.AdminPassword)
	p := b.post(path+"/roles", "role", "metrics")
	b.want("a day later", p, 200, "It loses teams:read, which it used 1 time, last 1 day ago.")
	if strings.Contains(p.text, name) {
		t.Error("of what was used more than a day ago the name is asked for")
	}
}

// TestRoleGivenEverywhere shows a role that holds in every org as one that is
// not to be taken away here, and leaves it where it is.
func TestRoleGivenEverywhere(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleViewer)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/access-control/users/2/roles", `{"roleUid":"fixed_buZastUG3reWyQpPemcWjGqPAd0","global":true}`); r.StatusCode != 200 {
		t.Fatalf("give everywhere: %d %s", r.StatusCode, r.Text)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the picker", b.get("/admin/users/2/roles"), 200, "Given in every organization")
	b.want("save", b.save("/admin/users/2/roles"), 303)
	if r := s.Do(hallpasstest.Admin, "GET", "/api/access-control/users/2/roles", ""); strings.Count(r.Text, "fixed:users:reader") != 1 {
		t.Errorf("after saving: %s", r.Text)
	}
}

// TestNewAccountHasOwner names who answers for an account where it is made: without, it
// would be a finding at once.
func TestNewAccountHasOwner(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("create with an owner that is none", b.save("/org/serviceaccounts/create", "name", "owned", "owner", "a\u202eb", "role", "Viewer"), 400, `id="owner" name="owner" value="a`, "field-error")
	made := b.post("/org/serviceaccounts/create", "name", "owned", "owner", "team@example.com", "purpose", "nightly sync", "role", "Viewer")
	b.want("create with an owner", b.get(made.to), 200, "team@example.com", "nightly sync")
}

// TestRoleIsForSomething makes a role of an action whose scope nobody chose: the form says
// so, for such a role would do nothing.
func TestRoleIsForSomething(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("without a scope", b.save("/admin/create/role", "name", "writer", "permissions", "dashboards:write"), 400, "is for nothing yet", `value="writer"`)
	if p := b.save("/admin/create/role", "name", "writer", "permissions", "dashboards:write folders:*\nteams:create"); p.status != 303 {
		t.Errorf("with one: %d", p.status)
	}
}
