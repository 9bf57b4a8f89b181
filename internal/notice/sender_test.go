package notice_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/notice"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A clock stands still unless it is wound.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Wind moves the clock by d.
func (c *clock) Wind(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A world is a database with an org, and what sends its notices.
type world struct {
	t     *testing.T
	db    *store.DB
	org   hallpass.Org
	clock *clock
	o     notice.Options
	*notice.Sender
}

// eachDB runs f on both databases.
func eachDB(t *testing.T, f func(w *world)) {
	t.Run("sqlite", func(t *testing.T) { f(newWorld(t, hallpasstest.OpenSQLite(t, filepath.Join(t.TempDir(), "test.db")))) })
	t.Run("postgres", func(t *testing.T) { f(newWorld(t, hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t)))) })
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, clock: &clock{now: noon}}
	w.write(func(tx *store.Tx) (err error) {
		if err := tx.Begin("test"); err != nil {
			return err
		}
		w.org, err = tx.CreateOrg(hallpass.Org{Name: "Main <Org>", CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	allow, err := httpd.ParseOutbound([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "webhook-key")
	if err := notice.MakeKey(key); err != nil {
		t.Fatal(err)
	}
	w.o = notice.Options{
		DB: db, Now: w.clock.Now, Outbound: httpd.NewOutbound(httpd.OutboundOptions{Allow: allow}), Root: "https://hallpass.example.com", Keys: notice.Keys{Private: key}, Log: slog.New(slog.DiscardHandler),
	}
	w.Sender = notice.New(w.o)
	return w
}

func (w *world) write(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), func(tx *store.Tx) error { return fn(tx) }); err != nil {
		w.t.Fatal(err)
	}
}

// channel makes a channel.
func (w *world) channel(c hallpass.Channel) hallpass.Channel {
	w.t.Helper()
	c.Org, c.CreatedAt, c.UpdatedAt, c.Kinds = w.org.ID, noon, noon, hallpass.DefaultNoticeKinds()
	if c.Name == "" {
		c.Name = string(c.Kind)
	}
	w.write(func(tx *store.Tx) (err error) {
		c, err = tx.CreateChannel(c)
		return err
	})
	return c
}

// about returns a notice about a token.
func (w *world) about(token int, owner string) hallpass.Notice {
	at := w.clock.Now()
	return hallpass.Notice{
		Kind: hallpass.NoticeExpiring, Org: w.org.ID, At: at, Mark: "7", Token: hallpass.TokenID(token), Name: fmt.Sprintf("t&%d", token), LastFour: "a1b2", Generation: 1, State: hallpass.TokenLive,
		ExpiresAt: at.Add(6 * 24 * time.Hour), Account: 2, AccountName: "ci", AccountLogin: "sa-1-ci", Owner: owner, Days: 7,
		LastUse: hallpass.Use{At: at.Add(-4 * time.Minute), Address: "10.0.0.9", UserAgent: "curl/8 <x>"},
	}
}

func (w *world) notify(list ...hallpass.Notice) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error { return tx.Notify(list...) })
}

func (w *world) send() {
	w.t.Helper()
	if err := w.Send(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// look returns the channel, and what was written to it, the newest first.
func (w *world) look(c hallpass.Channel) (now hallpass.Channel, list []hallpass.Delivery) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		if now, err = tx.Channel(c.Org, c.ID); err == nil {
			list, err = tx.Deliveries(c.ID, "", 0, 100)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return now, list
}

// A message is what a receiver got.
type message struct {
	header http.Header
	body   string
}

// A receiver takes webhooks and answers as it is told to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []message
	answer func(http.ResponseWriter) // nil: 200
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.got = append(r.got, message{req.Header, string(body)})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) set(answer func(http.ResponseWriter)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message{}, r.got...)
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

// signed is what the signature of a webhook is about (Standard Webhooks 1.0.0).
func (m message) signed() string {
	return m.header.Get("Webhook-Id") + "." + m.header.Get("Webhook-Timestamp") + "." + m.body
}

// TestWebhook sends a notice: it tells all there is and is signed by the key whose
// public half is shown; one changed byte is noticed.
func TestWebhook(t *testing.T) {
	eachDB(t, func(w *world) {
		r := newReceiver(w.t)
		c := w.channel(hallpass.Channel{Kind: hallpass.WebhookChannel, URL: r.URL, Signature: hallpass.SignatureV1a})
		w.notify(w.about(7, "ada@example.com"))
		w.send()
		w.send()
		got := r.messages()
		if len(got) != 1 {
			w.t.Fatalf("%d messages", len(got))
		}
		public, err := w.o.Keys.Public()
		if err != nil {
			w.t.Fatal(err)
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(public, "whpk_"))
		if err != nil {
			w.t.Fatal(err)
		}
		signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(got[0].header.Get("Webhook-Signature"), "v1a,"))
		if err != nil || !ed25519.Verify(key, []byte(got[0].signed()), signature) || ed25519.Verify(key, []byte(strings.Replace(got[0].signed(), "ci", "cj", 1)), signature) {
			w.t.Errorf("the signature %q does not hold: %v", got[0].header.Get("Webhook-Signature"), err)
		}
		var event wire.NoticeEvent
		if err := json.Unmarshal([]byte(got[0].body), &event); err != nil {
			w.t.Fatal(err)
		}
		if event.Type != "token.expiring" || event.Data.Token.ID != 7 || event.Data.Owner != "ada@example.com" || !event.Data.InUse || event.Data.Days != 7 ||
			event.Data.ServiceAccount.URL != "https://hallpass.example.com/org/serviceaccounts/2" || !strings.Contains(event.Data.Text, "in use: last 4 minutes before") {
			w.t.Errorf("it tells %s", got[0].body)
		}
		now, list := w.look(c)
		if list[0].State != hallpass.NoticeSent || now.SentAt.IsZero() || !now.FailingSince.IsZero() {
			w.t.Errorf("%+v, %+v", now, list)
		}
		if n := w.Counts()[0]; n.N != 1 || n.Outcome != "sent" {
			w.t.Errorf("counted %+v", w.Counts())
		}
	})
}

// TestWebhookSecrets signs by the secret of a file, by two for a day after it was
// changed, and by nothing when the file is gone.
func TestWebhookSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "whsec")
	old, young := strings.Repeat("o", 32), strings.Repeat("y", 32)
	line := func(key string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(key)) + "\n" }
	if err := os.WriteFile(path, []byte(line(young)+line(old)), 0o600); err != nil {
		t.Fatal(err)
	}
	k := notice.Keys{Secret: path}
	by := func(key string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte("x"))
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	for after, want := range map[time.Duration]string{time.Hour: by(young) + " " + by(old), 25 * time.Hour: by(young)} {
		if got, err := k.Sign(hallpass.SignatureV1, "x", time.Now().Add(after)); err != nil || got != want {
			t.Errorf("after %s: %q, %v", after, got, err)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_!!\n", line("short"), line(young) + line(old) + line(old), "whsk_" + base64.StdEncoding.EncodeToString([]byte(young))} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := k.Validate(); err == nil || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte(young))) {
			t.Errorf("the file %q: %v", bad, err)
		}
	}
	if _, err := k.Sign(hallpass.SignatureV1a, "x", time.Now()); err == nil {
		t.Error("signed without a key")
	}
	key := filepath.Join(t.TempDir(), "webhook-key")
	for range 2 {
		if err := notice.MakeKey(key); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(key); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestWebhookFails tries receivers that are broken, limited, moved and gone, one after
// the other: the schedule holds, the ID stays, and the end is told.
func TestWebhookFails(t *testing.T) {
	eachDB(t, func(w *world) {
		r := newReceiver(w.t)
		c := w.channel(hallpass.Channel{Kind: hallpass.WebhookChannel, URL: r.URL, Signature: hallpass.SignatureV1a})
		w.notify(w.about(7, ""), w.about(8, ""))
		r.set(status(500))
		w.send()
		now, list := w.look(c)
		if len(r.messages()) != 1 || list[1].Attempts != 1 || list[0].Attempts != 0 || now.FailingSince.IsZero() || !strings.Contains(now.LastError, "answered 500") {
			w.t.Errorf("after the first failure: %+v, %+v", now, list)
		}
		w.clock.Wind(6 * time.Second)
		r.set(func(rw http.ResponseWriter) {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusServiceUnavailable)
		})
		w.send()
		w.clock.Wind(50 * time.Minute)
		w.send()
		if n := len(r.messages()); n != 2 {
			w.t.Errorf("%d messages, though the receiver wants none for an hour", n)
		}
		w.clock.Wind(11 * time.Minute)
		r.set(func(rw http.ResponseWriter) {
			rw.Header().Set("Location", r.URL+"/elsewhere")
			rw.WriteHeader(http.StatusFound)
		})
		w.send()
		if now, _ := w.look(c); len(r.messages()) != 3 || !strings.Contains(now.LastError, "redirects are not followed") {
			w.t.Errorf("a redirect: %d messages, %s", len(r.messages()), now.LastError)
		}
		w.clock.Wind(time.Hour)
		r.set(nil)
		w.send()
		now, list = w.look(c)
		if list[0].State != hallpass.NoticeSent || list[1].State != hallpass.NoticeSent || !now.FailingSince.IsZero() || now.LastError != "" {
			w.t.Errorf("after it works: %+v, %+v", now, list)
		}
		seen := make(map[string]int)
		for _, m := range r.messages() {
			seen[m.header.Get("Webhook-Id")]++
		}
		if len(seen) != 2 {
			w.t.Errorf("the IDs changed: %v", seen)
		}
		w.notify(w.about(9, ""))
		r.set(status(http.StatusGone))
		w.send()
		now, list = w.look(c)
		if !now.Disabled || now.OffReason == "" || list[0].State != hallpass.NoticeDead {
			w.t.Errorf("after 410: %+v, %+v", now, list[0])
		}
		before := len(r.messages())
		w.notify(w.about(10, ""))
		w.send()
		if len(r.messages()) != before {
			w.t.Error("a disabled channel got something")
		}
	})
}

// TestDead fails every attempt until there is none any more, in at least three days;
// then somebody asks for another try.
func TestDead(t *testing.T) {
	eachDB(t, func(w *world) {
		r := newReceiver(w.t)
		c := w.channel(hallpass.Channel{Kind: hallpass.WebhookChannel, URL: r.URL, Signature: hallpass.SignatureV1a})
		r.set(status(404))
		w.notify(w.about(7, ""))
		began := w.clock.Now()
		var d hallpass.Delivery
		for range 10 {
			w.send()
			_, list := w.look(c)
			if d = list[0]; d.State == hallpass.NoticeDue {
				w.clock.Wind(max(d.NextAt.Sub(w.clock.Now()), 5*time.Minute) + time.Second)
			}
		}
		if took := w.clock.Now().Sub(began); d.State != hallpass.NoticeDead || d.Attempts != 10 || took < 3*24*time.Hour-8*time.Hour || took > 4*24*time.Hour {
			w.t.Errorf("after %s: %+v", took, d)
		}
		r.set(nil)
		w.write(func(tx *store.Tx) error {
			n, err := tx.RetryDead(c.ID, 0, w.clock.Now())
			if n != 1 {
				w.t.Errorf("%d are tried again", n)
			}
			return err
		})
		w.send()
		if _, list := w.look(c); list[0].State != hallpass.NoticeSent {
			w.t.Errorf("tried again: %+v", list[0])
		}
		// What nobody took for days is given up; what was told is forgotten after a year.
		w.notify(w.about(8, ""))
		w.clock.Wind(5 * 24 * time.Hour)
		if err := w.Tidy(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if _, list := w.look(c); list[0].State != hallpass.NoticeDead || list[0].LastError == "" {
			w.t.Errorf("given up: %+v", list[0])
		}
		w.clock.Wind(400 * 24 * time.Hour)
		if err := w.Tidy(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if _, list := w.look(c); len(list) != 0 {
			w.t.Errorf("not forgotten: %+v", list)
		}
	})
}

// TestSlowChannel has one receiver that does not answer: the others get theirs.
func TestSlowChannel(t *testing.T) {
	eachDB(t, func(w *world) {
		stop := make(chan struct{})
		silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
		defer silent.Close()
		defer close(stop)
		r := newReceiver(w.t)
		slow := w.channel(hallpass.Channel{Name: "slow", Kind: hallpass.WebhookChannel, URL: silent.URL, Signature: hallpass.SignatureV1a})
		refused := w.channel(hallpass.Channel{Name: "inside", Kind: hallpass.WebhookChannel, URL: "http://169.254.169.254/", Signature: hallpass.SignatureV1a})
		quick := w.channel(hallpass.Channel{Name: "quick", Kind: hallpass.WebhookChannel, URL: r.URL, Signature: hallpass.SignatureV1a})
		allow, err := httpd.ParseOutbound([]string{"127.0.0.1"})
		if err != nil {
			w.t.Fatal(err)
		}
		w.o.Outbound = httpd.NewOutbound(httpd.OutboundOptions{Allow: allow, Timeout: 200 * time.Millisecond})
		w.Sender = notice.New(w.o)
		w.notify(w.about(1, ""), w.about(2, ""))
		w.send()
		if now, _ := w.look(slow); now.FailingSince.IsZero() {
			w.t.Error("the silent one does not fail")
		}
		if now, _ := w.look(refused); !strings.Contains(now.LastError, "outbound_allow") {
			w.t.Errorf("an address inside: %q", now.LastError)
		}
		if _, list := w.look(quick); list[0].State != hallpass.NoticeSent || list[1].State != hallpass.NoticeSent {
			w.t.Errorf("the quick one: %+v", list)
		}
	})
}

// TestSlack posts notices as a text in which nothing is a mark of the chat's.
func TestSlack(t *testing.T) {
	eachDB(t, func(w *world) {
		r := newReceiver(w.t)
		c := w.channel(hallpass.Channel{Kind: hallpass.SlackChannel, URL: r.URL})
		var list []hallpass.Notice
		for i := range 25 {
			list = append(list, w.about(i+1, ""))
		}
		w.notify(list...)
		w.send()
		got := r.messages()
		if len(got) != 2 {
			w.t.Fatalf("%d messages", len(got))
		}
		var body struct{ Text string }
		if err := json.Unmarshal([]byte(got[0].body), &body); err != nil {
			w.t.Fatal(err)
		}
		first, _, _ := strings.Cut(body.Text, "\n• ")
		if first != "Hallpass, Main &lt;Org&gt;:" || !strings.Contains(body.Text, `"t&amp;1"`) || !strings.Contains(body.Text, "curl/8 &lt;x&gt;") ||
			!strings.Contains(body.Text, " <https://hallpass.example.com/org/serviceaccounts/2|Open>") {
			w.t.Errorf("it says %q", body.Text)
		}
		if _, list := w.look(c); list[0].State != hallpass.NoticeSent {
			w.t.Errorf("%+v", list[0])
		}
	})
}
