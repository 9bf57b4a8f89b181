package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestChannelSends makes a webhook, tries it, and is told what became of the test.
func TestChannelSends(t *testing.T) {
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- r.Header.Get("Webhook-Id") + " " + string(body)
	}))
	defer receiver.Close()
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.OutboundAllow = []string{"127.0.0.1"} })
	admin := hallpasstest.Admin
	var set wire.Notifications
	into(t, s.Do(admin, "GET", "/api/org/notifications", ""), &set)
	if !strings.HasPrefix(set.PublicKey, "whpk_") || len(set.Events) != len(hallpass.NoticeKinds()) || len(set.Channels) != 0 || len(set.Days) != 4 {
		t.Errorf("what is set up: %+v", set)
	}
	var c wire.Channel
	into(t, s.Do(admin, "POST", "/api/org/notifications", `{"name":"hook","type":"webhook","url":"`+receiver.URL+`/x"}`), &c)
	path := "/api/org/notifications/" + strconv.FormatInt(c.ID, 10)
	var d wire.Delivery
	into(t, s.Do(admin, "POST", path+"/test", ""), &d)
	if err := s.SendNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := <-got; !strings.HasPrefix(text, d.MessageID+` {"type":"channel.test"`) || !strings.Contains(text, "by admin") {
		t.Errorf("%q, want the message %s", text, d.MessageID)
	}
	var list wire.Deliveries
	into(t, s.Do(admin, "GET", path+"/messages?state=sent", ""), &list)
	if len(list.Messages) != 1 || list.Messages[0].ID != d.ID || list.Messages[0].SentAt == nil || list.Messages[0].Attempts != 1 {
		t.Errorf("messages: %+v", list)
	}
	expect(t, "nothing is dead", s.Do(admin, "POST", path+"/retry", ""), 200, `"retried":0`)
	expect(t, "that one is not dead", s.Do(admin, "POST", path+"/messages/"+strconv.FormatInt(d.ID, 10)+"/retry", ""), 404)
	for _, action := range []string{"channel.create", "channel.test"} {
		expect(t, action, s.Do(admin, "GET", "/api/audit?action="+action, ""), 200, `"target":"channel:`+strconv.FormatInt(c.ID, 10)+`"`)
	}
	if r := s.Do(admin, "GET", "/api/audit", ""); strings.Contains(r.Text, receiver.URL+"/x") {
		t.Error("the audit has the URL")
	}
	for range 3 {
		s.Clock.Wind(time.Second)
		into(t, s.Do(admin, "POST", path+"/test", ""), &d)
	}
	for i := range 7 { // 4 there were
		if r := s.Do(admin, "POST", path+"/test", ""); i < 6 && r.StatusCode != 200 || i == 6 && (r.StatusCode != 429 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.Text, "10 times an hour")) {
			t.Errorf("test %d: %d, %s", i, r.StatusCode, r.Text)
		}
		s.Clock.Wind(time.Second)
	}
	s.Clock.Wind(time.Hour)
	for i := range 41 { // 10 there were, of channels that need not be there any more
		if i%8 == 0 {
			into(t, s.Do(admin, "POST", "/api/org/notifications", `{"name":"hook`+strconv.Itoa(i)+`","type":"webhook","url":"`+receiver.URL+`/x"}`), &c)
		}
		r := s.Do(admin, "POST", "/api/org/notifications/"+strconv.FormatInt(c.ID, 10)+"/test", "")
		if i < 40 && r.StatusCode != 200 || i == 40 && (r.StatusCode != 429 || !strings.Contains(r.Text, "50 times a day")) {
			t.Errorf("test %d of the org: %d, %s", i, r.StatusCode, r.Text)
		}
		s.Clock.Wind(time.Second)
		if i%8 == 7 {
			expect(t, "delete", s.Do(admin, "DELETE", "/api/org/notifications/"+strconv.FormatInt(c.ID, 10), ""), 200)
		}
	}
	var first, second wire.Deliveries
	into(t, s.Do(admin, "GET", path+"/messages?limit=2", ""), &first)
	into(t, s.Do(admin, "GET", path+"/messages?limit=2&after="+strconv.FormatInt(first.Next, 10), ""), &second)
	if len(first.Messages) != 2 || len(second.Messages) != 2 || first.Messages[1].ID <= second.Messages[0].ID {
		t.Errorf("pages: %+v, %+v", first, second)
	}
}

// TestChannelInput sends channels that are wrong: each answer says what is.
func TestChannelInput(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) {
		c.Notices.SlackURL = secret.NewText("https://hooks.example.com/T/B/secret")
		c.SMTP.Enabled = true
	})
	admin := hallpasstest.Admin
	long := strings.Repeat("a", 2001)
	for body, says := range map[string]string{
		`{}`: "name", `{"name":"x"}`: "type", `{"name":"x","type":"pigeon"}`: "webhook, mail, slack", `{"name":"x","type":"webhook"}`: "url is missing",
		`{"name":"x","type":"webhook","url":"ftp://example.com"}`: "not a URL", `{"name":"x","type":"webhook","url":"https://"}`: "not a URL", `{"name":"x","type":"webhook","url":"https:example.com"}`: "not a URL",
		`{"name":"x","type":"webhook","url":"https://example.com:0/"}`: "the port 0", `{"name":"x","type":"webhook","url":"https://example.com:99999/"}`: "the port 99999", `{"name":"x","type":"slack","url":"https://example.com:65536/"}`: "from 1 to 65535",
		`{"name":"x","type":"webhook","url":"https://example.com:443x/"}`: "not a URL", `{"name":"x","type":"webhook","url":"https://example.com:-1/"}`: "not a URL",
		`{"name":"x","type":"webhook","url":"http://example.com/"}`: "allow_http", `{"name":"x","type":"webhook","url":"https://a:b@example.com/"}`: "signature", `{"name":"x","type":"webhook","url":"https://example.com/#a"}`: "fragment",
		`{"name":"x","type":"webhook","url":"https://example.com/` + long + `"}`: "longer", `{"name":"x","type":"webhook","url":"https://10.0.0.1/"}`: "outbound_allow", `{"name":"x","type":"webhook","url":"https://[::1]/"}`: "outbound_allow",
		`{"name":"x","type":"webhook","url":"https://[::ffff:169.254.169.254]/"}`: "outbound_allow", `{"name":"x","type":"webhook","url":"http://127.0.0.1:1/"}`: "outbound_allow",
		`{"name":"x","type":"webhook","url":"https://example.com/","signature":"v2"}`: "neither v1a nor v1", `{"name":"x","type":"webhook","url":"https://example.com/","signature":"v1"}`: "whsec_file",
		`{"name":"x","type":"webhook","url":"https://example.com/","addresses":["a@example.com"]}`: "mail alone", `{"name":"x","type":"webhook","url":"https://example.com/","events":["token.born"]}`: "token.born",
		`{"name":"x","type":"webhook","url":"https://example.com/glsa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`: "token",
		`{"name":"x","type":"mail","url":"https://example.com/"}`:                                                 "no url", `{"name":"x","type":"mail","addresses":["a"]}`: "addresses[0]", `{"name":"x","type":"mail","addresses":["\"a\"@example.com"]}`: "addresses[0]", `{"name":"x","type":"mail","addresses":["a@example.com","A <b@example.com>"]}`: "addresses[1]",
		`{"name":"x","type":"mail","addresses":["a@example.com\r\nBcc: b@example.com"]}`: "addresses[0]", `{"name":"x","type":"mail","signature":"v1"}`: "webhook alone",
	} {
		expect(t, body, s.Do(admin, "POST", "/api/org/notifications", body), 400, says)
	}
	expect(t, "none was made", s.Do(admin, "GET", "/api/org/notifications", ""), 200, `"channels":[]`, `"slack":true`, `"mail":true`)
	var c wire.Channel
	into(t, s.Do(admin, "POST", "/api/org/notifications", `{"name":"chat","type":"slack","url":"https://hooks.example.com/T/B/verysecret","disabled":true}`), &c)
	path := "/api/org/notifications/" + strconv.FormatInt(c.ID, 10)
	if c.URL != "https://hooks.example.com/…" {
		t.Errorf("the URL is shown: %s", c.URL)
	}
	expect(t, "sent back as shown", s.Do(admin, "PATCH", path, `{"url":"`+c.URL+`","name":"chat 2"}`), 200, `"name":"chat 2"`)
	err := s.Store().Read(t.Context(), func(tx *store.Tx) error {
		stored, err := tx.Channel(hallpass.FirstOrg, hallpass.ChannelID(c.ID))
		if stored.URL != "https://hooks.example.com/T/B/verysecret" {
			t.Errorf("the URL became %s", stored.URL)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	expect(t, "of the configuration", s.Do(admin, "PATCH", path, `{"url":""}`), 200, `"url":""`)
	expect(t, "another type", s.Do(admin, "PATCH", path, `{"type":"mail"}`), 400, "cannot change")
	expect(t, "the name again", s.Do(admin, "POST", "/api/org/notifications", `{"name":"CHAT 2","type":"mail"}`), 409, "exists")
	expect(t, "a test of a disabled one", s.Do(admin, "POST", path+"/test", ""), 409, "disabled")
	for query, says := range map[string]string{"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "state=gone": "state", "after=0": "after", "after=x": "after"} {
		expect(t, query, s.Do(admin, "GET", path+"/messages?"+query, ""), 400, says)
	}
	expect(t, "no number", s.Do(admin, "GET", "/api/org/notifications/chat", ""), 400, "not a number")
	expect(t, "an unknown one", s.Do(admin, "GET", "/api/org/notifications/99", ""), 404, "Channel not found")
	other := s.UserIn("outsider", hallpass.RoleAdmin, otherOrg(t, s))
	expect(t, "from another org", s.Do(other, "GET", path, "", "X-Grafana-Org-Id: 2"), 404)
	for i := range hallpass.MaxChannels - 1 {
		expect(t, "one more", s.Do(admin, "POST", "/api/org/notifications", `{"name":"m`+strconv.Itoa(i)+`","type":"mail"}`), 201)
	}
	expect(t, "too many", s.Do(admin, "POST", "/api/org/notifications", `{"name":"last","type":"mail"}`), 400, "at most 20")
}
