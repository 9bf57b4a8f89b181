package console_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var (
	todoPart   = regexp.MustCompile(`(?s)<section class="todo[^"]*" id="([a-z-]+)".*?</section>`)
	todoButton = regexp.MustCompile(`<a class="button small" href="([^"]*)"[^>]*>([^<]*)<span class="sr">`)
	todoMenu   = regexp.MustCompile(`(?s)popover>(.*?)</div>`)
	hrefs      = regexp.MustCompile(`href="([^"]*)"`)
)

// TestHomeSaysWhatNeedsDoing lets tokens come into states that need somebody. Home shows
// each in its section with the right button, and every button leads to a page. When all is
// done, home says that nothing needs anybody.
func TestHomeSaysWhatNeedsDoing(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("an empty server", b.get("/"), 200, "Welcome, admin", "Service accounts", `<a class="button primary" href="/org/serviceaccounts/create">`)
	b.create("ci", "Viewer")
	api := "/api/serviceaccounts/" + idOf(t, s, "ci")
	s.Do(hallpasstest.Admin, "PATCH", api, `{"owner":"ops@example.com"}`)
	nodes := "This server answers"
	if hallpasstest.OnPostgres() {
		nodes = "1 node live"
	}
	b.want("all is well", b.get("/"), 200, "Nothing needs you", "All is well", "No token ends by itself.", "1 service account", nodes)

	make := func(name string, days int) (key string, id int64) {
		t.Helper()
		var made struct {
			ID  int64
			Key string
		}
		r := s.Do(hallpasstest.Admin, "POST", api+"/tokens", fmt.Sprintf(`{"name":%q,"secondsToLive":%d}`, name, days*86400))
		if err := json.Unmarshal([]byte(r.Text), &made); err != nil || made.Key == "" {
			t.Fatalf("%d %s", r.StatusCode, r.Text)
		}
		return made.Key, made.ID
	}
	use := func(key string) { s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: curl/8.5.0") }
	over, _ := make("over", 2)
	soon, _ := make("soon", 13)
	endless, _ := make("endless", 0)
	waits, waiting := make("waits", 60)
	make("idle", 60)
	for _, key := range []string{over, soon, endless, waits} {
		use(key)
	}
	s.Clock.Wind(8 * 24 * time.Hour)
	b = signedIn(t, s, "admin", hallpasstest.AdminPassword) // the session is over too
	s.Do(hallpasstest.Admin, "PATCH", fmt.Sprintf("%s/tokens/%d", api, waiting), `{"paused":true}`)
	use(soon)
	use(endless)
	use(over)
	use(waits)
	var home page
	hallpasstest.Eventually(t, "home to show what fails", func() bool {
		home = b.get("/")
		return strings.Contains(home.text, "2 jobs are failing now")
	})
	want := map[string][]string{ // of each section: who is in it, and what its buttons say
		"failing":    {"over", "Issue a new one", "waits", "Resume", "Once, just now, from 127.0.0.1 by curl/8.5.0"},
		"expiring":   {"soon", "Rotate", "Ends in 5 days", "Used just now from 127.0.0.1"},
		"never-ends": {"endless", "Set an end", "Viewer, made 8 days ago by admin"},
		"never-used": {"idle", "Revoke", "Made 8 days ago by admin"},
	}
	for _, m := range todoPart.FindAllStringSubmatch(home.text, -1) {
		says, words := plain(m[0]), want[m[1]]
		if words == nil {
			t.Errorf("home has a section %s: %s", m[1], says)
		}
		for _, w := range words {
			if !strings.Contains(says, w) {
				t.Errorf("the section %s does not say %q: %s", m[1], w, says)
			}
		}
		delete(want, m[1])
		links := todoButton.FindAllStringSubmatch(m[0], -1)
		for _, menu := range todoMenu.FindAllStringSubmatch(m[0], -1) {
			links = append(links, hrefs.FindAllStringSubmatch(menu[1], -1)...)
		}
		if len(links) < 3 {
			t.Errorf("the section %s has only %d ways on", m[1], len(links))
		}
		for _, l := range links {
			b.want("a way on from "+m[1], b.get(html.UnescapeString(l[1])), 200, `<form method="post"`)
		}
	}
	for section := range want {
		t.Errorf("home has no section %s:\n%s", section, plain(home.text))
	}
	b.want("one section", b.get("/?section=never-ends"), 200, "endless", "Show everything")
	b.want("one section, empty", b.get("/?section=idle"), 200, "Nothing any more.")

	const row = "section=never-ends&subject=token:3"
	b.want("a form to put it off", b.get("/snooze?"+row), 200, "Never ends", "Why it can wait")
	b.want("no reason", b.post("/snooze", "section", "never-ends", "subject", "token:3", "days", "30"), 400, "say why this can wait")
	if p := b.post("/snooze", "section", "never-ends", "subject", "token:3", "days", "30", "reason", "moves in March"); p.status != 303 || p.to != "/" {
		t.Errorf("put off: %d to %q", p.status, p.to)
	}
	if after := b.get("/"); strings.Contains(after.text, `id="never-ends"`) {
		t.Error("what is put off is still there")
	}
	b.want("no row", b.get("/snooze?section=x&subject=y"), 404, "There is no page at this address")
}

// TestHomeCreatesWhatWasRevoked tries a token that a policy revoked, which cannot be
// replaced: home leads to the form of a new one, with its name, and then has no row of it.
func TestHomeCreatesWhatWasRevoked(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	account := b.create("ci", "Viewer")
	b.save(account+"/tokens/new", "name", "stale one", "expires", "2592000")
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		x, err := tx.OrgToken(hallpass.FirstOrg, 1)
		if err != nil {
			return err
		}
		_, err = tx.Audit(hallpass.AuditEntry{
			At: s.Clock.Now(), Org: x.Org, Token: x.ID, Action: "token.verify", Target: "token:1", Outcome: hallpass.Refused, Reason: "api-key.revoked", From: hallpass.From{Address: "10.0.0.9"}, Count: 1,
		})
		x.RevokedAt, x.Ended = s.Clock.Now(), hallpass.EndedAsStale
		return errors.Join(err, tx.UpdateToken(x))
	})
	if err != nil {
		t.Fatal(err)
	}
	home := b.get("/")
	button := todoButton.FindStringSubmatch(home.text)
	if button != nil {
		button[1] = html.UnescapeString(button[1])
	}
	if button == nil || !strings.HasSuffix(button[1], "/tokens/new?name=stale+one") || strings.TrimSpace(button[2]) != "Issue a new one" {
		t.Fatalf("the first button is %q of\n%s", button, home.text)
	}
	b.want("the form", b.get(button[1]), 200, `value="stale one"`)
	b.save(button[1], "name", "stale one", "expires", "2592000")
	if home := b.get("/"); strings.Contains(home.text, "is failing now") {
		t.Errorf("it is there again, and home says\n%s", home.text)
	}
}

// TestHomeAsksWhoTriesARevokedToken tries a token that somebody revoked: home and the audit
// ask first whether the address is known, and home leads to who tries it.
func TestHomeAsksWhoTriesARevokedToken(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	account := b.create("ci", "Viewer")
	key := tokenOf(t, s, "ci")
	if err := s.Store().Write(t.Context(), func(tx *store.Tx) error { return tx.RevokeToken(hallpass.FirstOrg, 1, s.Clock.Now()) }); err != nil {
		t.Fatal(err)
	}
	s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: curl/8.5.0")
	const asks = "Do you know this address? If not, it may be somebody who stole the secret. If it is your own job, give it a new token."
	hallpasstest.Eventually(t, "home to show the try", func() bool { return strings.Contains(b.get("/").text, asks) })
	button := todoButton.FindStringSubmatch(b.get("/").text)
	if button == nil || button[1] != account+"/tokens/1#refusals" || strings.TrimSpace(button[2]) != "See who tries it" {
		t.Fatalf("the first button is %q", button)
	}
	b.want("home", b.get("/"), 200, "Issue a new one", "/tokens/new?name=of+ci")
	for _, path := range []string{account + "/tokens/1", account + "/activity", "/admin/audit?outcome=refused"} {
		b.want(path, b.get(path), 200, asks)
	}
}

// TestHomeTellsOfFailingWork has a job of the server fail: home does not say that all is
// well, and tells what fails, to whom the nodes are told.
func TestHomeTellsOfFailingWork(t *testing.T) {
	s := hallpasstest.New(t)
	s.User("vera", hallpass.RoleAdmin)
	admin, vera := signedIn(t, s, "admin", hallpasstest.AdminPassword), signedIn(t, s, "vera", hallpasstest.UserPassword)
	admin.create("ci", "Viewer")
	s.Do(hallpasstest.Admin, "PATCH", "/api/serviceaccounts/"+idOf(t, s, "ci"), `{"owner":"ops@example.com"}`)
	if err := s.ApplyFiles(t.Context(), server.ProvisioningConfig{Path: filepath.Join(t.TempDir(), "missing")}); err == nil {
		t.Fatal("a folder that is missing was read")
	}
	hallpasstest.Eventually(t, "the job to fail", func() bool { return strings.Contains(admin.get("/").text, "provisioning files: ") })
	p := admin.get("/")
	admin.want("home", p, 200, "The server needs you", "Background work of this server fails.", `href="/admin/nodes"`)
	if strings.Contains(p.text, "All is well") {
		t.Error("home says that all is well")
	}
	vera.want("home of somebody else", vera.get("/"), 200, "All is well")
}
