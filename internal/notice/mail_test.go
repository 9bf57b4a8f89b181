package notice_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/notice"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// mailer returns what sends to the server.
func mailer(s *hallpasstest.MailServer) *notice.Mailer {
	return &notice.Mailer{
		Host: s.Address, From: mail.Address{Name: "Hallpass", Address: "hallpass@example.com"}, TLS: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12},
	}
}

func (w *world) mailBy(m *notice.Mailer) {
	w.o.Mail = m
	w.Sender = notice.New(w.o)
}

// read returns the headers and the body of a mail.
func read(t *testing.T, m hallpasstest.Mail) (mail.Header, string) {
	t.Helper()
	got, err := mail.ReadMessage(strings.NewReader(m.Text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, m.Text)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	return got.Header, string(body)
}

// TestMail sends each owner one mail with all that was told within ten minutes, and no
// second one within a day.
func TestMail(t *testing.T) {
	eachDB(t, func(w *world) {
		s := hallpasstest.NewMailServer(w.t, hallpasstest.MailOptions{Refuse: func(to string) bool { return to == "gone@example.com" }})
		w.mailBy(mailer(s))
		c := w.channel(hallpass.Channel{Kind: hallpass.MailChannel, Addresses: []string{"ops@example.com"}})
		quiet := w.about(3, "ada@example.com")
		quiet.LastUse = hallpass.Use{}
		w.notify(quiet, w.about(1, "Ada <ada@example.com>"), w.about(2, "the ops team"), w.about(4, "gone@example.com"))
		w.send()
		w.clock.Wind(9 * time.Minute)
		w.notify(w.about(5, "ada@example.com"))
		w.send()
		if n := len(s.Mails()); n != 0 {
			w.t.Fatalf("%d mails within ten minutes", n)
		}
		w.clock.Wind(2 * time.Minute)
		w.send()
		got := s.Mails()
		if len(got) != 2 || got[0].To != "ada@example.com" || got[1].To != "ops@example.com" {
			w.t.Fatalf("mails: %+v", got)
		}
		header, body := read(w.t, got[0])
		if header.Get("Auto-Submitted") != "auto-generated" || header.Get("Subject") != "Hallpass: 3 notices about tokens of Main <Org>" || header.Get("To") != "<ada@example.com>" ||
			!strings.HasPrefix(header.Get("Message-Id"), "<hallpass.msg_") {
			w.t.Errorf("headers: %v", header)
		}
		if one, two := strings.Index(body, `"t&1"`), strings.Index(body, `"t&3"`); one < 0 || two < one || !strings.Contains(body, "https://hallpass.example.com/org/serviceaccounts/2") {
			w.t.Errorf("the token in use does not come first:\n%s", body)
		}
		if header, _ := read(w.t, got[1]); !strings.HasPrefix(header.Get("Subject"), `Hallpass: token "t&2" (…a1b2) ends in 6 days`) {
			decoded, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
			if err != nil || decoded != `Hallpass: token "t&2" (…a1b2) ends in 6 days` {
				w.t.Errorf("subject %q, %v", decoded, err)
			}
		}
		if _, list := w.look(c); list[1].State != hallpass.NoticeDue || !strings.Contains(list[1].LastError, "no such user") {
			w.t.Errorf("to somebody unknown: %+v", list[1])
		}
		w.notify(w.about(6, "ada@example.com"))
		for range 23 {
			w.clock.Wind(time.Hour)
			w.send()
		}
		if n := len(s.Mails()); n != 2 {
			w.t.Errorf("%d mails within a day", n)
		}
		w.clock.Wind(time.Hour)
		w.send()
		if got := s.Mails(); len(got) != 3 || got[2].To != "ada@example.com" {
			w.t.Errorf("a day later: %+v", got)
		}
	})
}

// TestMailFlood has 10,000 tokens of two owners end at once: two mails, of bounded size.
func TestMailFlood(t *testing.T) {
	eachDB(t, func(w *world) {
		s := hallpasstest.NewMailServer(w.t, hallpasstest.MailOptions{})
		w.mailBy(mailer(s))
		w.channel(hallpass.Channel{Kind: hallpass.MailChannel})
		for part := range 10 {
			var list []hallpass.Notice
			for i := range 1000 {
				list = append(list, w.about(part*1000+i+1, fmt.Sprintf("owner%d@example.com", i%2)))
			}
			w.notify(list...)
		}
		w.send()
		w.clock.Wind(11 * time.Minute)
		w.send()
		got := s.Mails()
		if len(got) != 2 {
			w.t.Fatalf("%d mails", len(got))
		}
		if _, body := read(w.t, got[0]); !strings.Contains(body, "And 4800 more.") || len(got[0].Text) > 150_000 {
			w.t.Errorf("%d bytes:\n%.2000s", len(got[0].Text), body)
		}
		w.send()
		if n := len(s.Mails()); n != 2 {
			w.t.Errorf("%d mails", n)
		}
	})
}

// TestMailInjection sends texts with line ends in them: they add no header and no
// recipient, and no line of a body ends the mail.
func TestMailInjection(t *testing.T) {
	eachDB(t, func(w *world) {
		s := hallpasstest.NewMailServer(w.t, hallpasstest.MailOptions{})
		w.mailBy(mailer(s))
		w.channel(hallpass.Channel{Kind: hallpass.MailChannel, Addresses: []string{"ops@example.com"}})
		n := w.about(1, "ada@example.com\r\nBcc: eve@example.com")
		n.Name = "x\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>\u2028\u0085Ä"
		n.AccountName = n.Name
		w.notify(n)
		w.clock.Wind(11 * time.Minute)
		w.send()
		got := s.Mails()
		if len(got) != 1 || got[0].To != "ops@example.com" || got[0].From != "hallpass@example.com" {
			w.t.Fatalf("mails: %+v", got)
		}
		header, body := read(w.t, got[0])
		if len(header) != 9 || header.Get("Bcc") != "" || strings.Contains(body, "\r\nMAIL") || strings.Contains(body, "\n.\r\n") {
			w.t.Errorf("it came through: %v\n%s", header, body)
		}
	})
}

// TestMailAddresses sends to owners whose address is unusual. What is no plain address gets
// no mail and no command: the notice goes to the channel's own address. One with letters
// outside of ASCII goes to a server that takes such.
func TestMailAddresses(t *testing.T) {
	const rest = "ops@example.com"
	for _, tt := range []struct {
		owner string
		utf8  bool
		to    string
		fails string
	}{
		{owner: "Ada <ada+ci@example.com>", to: "ada+ci@example.com"},
		{owner: `"ada"@example.com`, to: rest},
		{owner: `"ada@eve"@example.com`, to: rest},
		{owner: `"ada>"@example.com`, to: rest},
		{owner: `"ada\r\nRCPT"@example.com`, to: rest},
		{owner: "\"ada\r\nRCPT TO:<eve@example.com>\"@example.com", to: rest},
		{owner: "Ada <ada@example.com>\r\nBcc: eve@example.com", to: rest},
		{owner: "ada@[127.0.0.1]", to: rest},
		{owner: "ädä@exämple.com", utf8: true, to: "ädä@exämple.com"},
		{owner: "ädä@exämple.com", fails: "does not offer SMTPUTF8"},
		{owner: "ada@exämple.com", fails: "does not offer SMTPUTF8"},
	} {
		t.Run(tt.owner, func(t *testing.T) {
			w := newWorld(t, hallpasstest.OpenSQLite(t, t.TempDir()+"/test.db"))
			s := hallpasstest.NewMailServer(t, hallpasstest.MailOptions{UTF8: tt.utf8})
			w.mailBy(mailer(s))
			c := w.channel(hallpass.Channel{Kind: hallpass.MailChannel, Addresses: []string{rest}})
			w.notify(w.about(1, tt.owner))
			w.clock.Wind(11 * time.Minute)
			w.send()
			got := s.Mails()
			if _, list := w.look(c); tt.fails != "" {
				if len(got) != 0 || list[0].State != hallpass.NoticeDue || !strings.Contains(list[0].LastError, tt.fails) {
					t.Errorf("%+v, %+v", got, list)
				}
				return
			}
			if len(got) != 1 || got[0].To != tt.to {
				t.Fatalf("%+v, want one to %s", got, tt.to)
			}
			if header, _ := read(t, got[0]); len(header) != 9 || header.Get("To") != "<"+tt.to+">" || header.Get("Bcc") != "" {
				t.Errorf("headers: %v", header)
			}
		})
	}
}

// TestMailTLS holds what is sent to which server under which policy.
func TestMailTLS(t *testing.T) {
	type options = hallpasstest.MailOptions
	for _, tt := range []struct {
		name    string
		server  options
		policy  notice.StartTLS
		strange bool // nobody knows the server's certificate
		user    string
		secure  bool
		fails   string
	}{
		{name: "offered, opportunistic", server: options{StartTLS: true}, secure: true},
		{name: "not offered, opportunistic"},
		{name: "offered, mandatory", server: options{StartTLS: true}, policy: notice.MandatoryStartTLS, secure: true},
		{name: "not offered, mandatory", policy: notice.MandatoryStartTLS, fails: "does not offer STARTTLS"},
		{name: "offered, never", server: options{StartTLS: true}, policy: notice.NoStartTLS},
		{name: "a strange certificate", server: options{StartTLS: true}, strange: true, fails: "certificate"},
		{name: "signs in", server: options{StartTLS: true, User: "hp", Password: "secret"}, user: "hp", secure: true},
		{name: "a wrong password", server: options{StartTLS: true, User: "hp", Password: "other"}, user: "hp", fails: "535"},
		{name: "the server wants a user", server: options{User: "hp"}, fails: "530"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, hallpasstest.OpenSQLite(t, t.TempDir()+"/test.db"))
			s := hallpasstest.NewMailServer(t, tt.server)
			m := mailer(s)
			m.StartTLS, m.User, m.Password = tt.policy, tt.user, secret.NewText("secret")
			if tt.strange {
				m.TLS = nil
			}
			w.mailBy(m)
			c := w.channel(hallpass.Channel{Kind: hallpass.MailChannel})
			w.notify(w.about(1, "ada@example.com"))
			w.clock.Wind(11 * time.Minute)
			w.send()
			got := s.Mails()
			now, _ := w.look(c)
			if tt.fails != "" {
				if len(got) != 0 || !strings.Contains(now.LastError, tt.fails) || strings.Contains(now.LastError, "secret") {
					t.Errorf("%d mails, %q", len(got), now.LastError)
				}
				return
			}
			if len(got) != 1 || got[0].Secure != tt.secure || got[0].User != tt.user {
				t.Errorf("%+v, %q", got, now.LastError)
			}
		})
	}
}

// TestMailServerBroken has a mail server that takes nothing for an hour.
func TestMailServerBroken(t *testing.T) {
	eachDB(t, func(w *world) {
		var broken atomic.Bool
		broken.Store(true)
		s := hallpasstest.NewMailServer(w.t, hallpasstest.MailOptions{Broken: broken.Load})
		w.mailBy(mailer(s))
		c := w.channel(hallpass.Channel{Kind: hallpass.MailChannel})
		w.notify(w.about(1, "ada@example.com"), w.about(2, "bob@example.com"))
		w.clock.Wind(11 * time.Minute)
		w.send()
		if now, list := w.look(c); now.FailingSince.IsZero() || list[1].Attempts != 1 || list[0].Attempts != 0 {
			w.t.Errorf("%+v, %+v", now, list)
		}
		broken.Store(false)
		w.clock.Wind(time.Hour)
		w.send()
		if now, _ := w.look(c); len(s.Mails()) != 2 || !now.FailingSince.IsZero() {
			w.t.Errorf("%d mails, %+v", len(s.Mails()), now)
		}
	})
}
