package console_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestChannels sets up a channel in the console, sends tests to a receiver that fails and
// then works, and turns it off and on again. The pages say what became of each; home leads
// to the channel that fails.
func TestChannels(t *testing.T) {
	var broken atomic.Bool
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			http.Error(w, "no", http.StatusInternalServerError)
		}
	}))
	defer receiver.Close()
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.OutboundAllow = []string{"127.0.0.1"} })
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("no channel", b.get("/org/notices"), 200, "Nobody is told yet", "Add channel")
	b.want("a form for one", b.get("/create/channel"), 200, "A token ends soon", "no mail server yet")
	form := []string{"type", "webhook", "name", "alerts", "url", receiver.URL + "/x", "event", "token.expiring", "event", "token.expired"}
	wrong := append([]string{}, form...)
	wrong[5] = "http://10.0.0.1/"
	b.want("an address inside", b.post("/create/channel", wrong...), 400, `value="alerts"`, `value="http://10.0.0.1/"`, `id="error-url"`)
	b.want("mail without a mail server", b.post("/create/channel", "type", "mail", "name", "owners", "event", "token.expired"), 400, `id="error-type"`, "section [smtp]")
	made := b.post("/create/channel", form...)
	const at = "/org/notices/1"
	if made.status != http.StatusSeeOther || made.to != at {
		t.Fatalf("%d to %q\n%s", made.status, made.to, made.text)
	}
	b.want("the channel", b.get(at), 200, "Send a test to see whether it arrives", "Nothing sent yet", "whpk_", receiver.URL+"/x")
	b.want("the name again", b.post("/create/channel", form...), 409, `id="error-name"`)

	send := func(what, badge string, texts ...string) {
		t.Helper()
		s.Clock.Wind(time.Second)
		if p := b.post(at + "/test"); p.to != at {
			t.Fatalf("%s: %d to %q", what, p.status, p.to)
		}
		if err := s.SendNotices(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.want(what, b.get(at), 200, append(texts, "A test.", badge)...)
	}
	send("a test that arrives", `<span class="badge good">Works</span>`, "Sent", "Last sent")
	broken.Store(true)
	send("a test that fails", "Failing for", "The last attempt failed", "500", "Tried again soon")
	b.want("the list", b.get("/org/notices"), 200, "alerts", "Webhook", "Failing for", "Public key of webhooks")
	s.Clock.Wind(25 * time.Hour)
	b = signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for range 12 { // until it is given up
		if err := s.SendNotices(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Clock.Wind(30 * time.Hour)
	}
	b = signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("what was given up", b.get(at), 200, "Given up", "Send those again that were given up")
	if home := b.get("/"); !strings.Contains(home.text, `href="`+at+`"`) {
		t.Errorf("home does not lead to the channel that fails:\n%s", plain(home.text))
	}
	broken.Store(false)
	b.post(at + "/retry")
	b.want("on the way again", b.get(at), 200, "1 notice on the way again")
	if err := s.SendNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want("all sent", b.get(at), 200, `<span class="badge good">Works</span>`)

	b.post(at+"/turn", "to", "off")
	b.want("off", b.get(at), 200, `<span class="badge">Off</span>`, "Turn on")
	b.want("a test of one that is off", b.post(at+"/test"), 409, "enable it first")
	b.post(at+"/turn", "to", "on")
	b.post(at, "name", "pages", "url", receiver.URL+"/y", "event", "token.stale")
	if r := s.Do(hallpasstest.Admin, "GET", "/api/org/notifications/1", ""); !strings.Contains(r.Text, `"name":"pages"`) || !strings.Contains(r.Text, `/y"`) || !strings.Contains(r.Text, `"events":["token.stale"]`) || !strings.Contains(r.Text, `"disabled":false`) {
		t.Errorf("the channel is %s", r.Text)
	}
	b.want("the last one", b.get(at+"/delete"), 200, "It is the last channel that is on")

	s.User("vera", hallpass.RoleViewer)
	v := signedIn(t, s, "vera", hallpasstest.UserPassword)
	for _, path := range []string{"/org/notices", "/create/channel", at, at + "/delete"} {
		v.want("for a Viewer", v.get(path), http.StatusForbidden, "orgs:write")
	}
	v.want("for a Viewer", v.post(at+"/test"), http.StatusForbidden)
}

// TestChatURLStaysHidden looks for the address of a room, with which anybody can write
// there, on the pages of its channel.
func TestChatURLStaysHidden(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	const hidden, shown = "https://hooks.example.com/T/B/verysecret", "https://hooks.example.com/…"
	b.post("/create/channel", "type", "slack", "name", "room", "url", hidden, "event", "token.expired")
	for _, path := range []string{"/org/notices", "/org/notices/1", "/org/notices/1/delete"} {
		p := b.get(path)
		b.want(path, p, 200, "room", shown)
		if strings.Contains(html.UnescapeString(p.text), "verysecret") {
			t.Errorf("%s shows the address of the room", path)
		}
	}
	b.post("/org/notices/1", "name", "room 2", "url", shown, "event", "token.expired")
	b.post("/org/notices/1/test")
	b.want("after a change", b.get("/org/notices/1"), 200, "room 2", shown)
}
