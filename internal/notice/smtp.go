package notice

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// StartTLS says whether a mail server must take TLS, in the words of grafana.ini.
type StartTLS string

// The policies.
const (
	OpportunisticStartTLS StartTLS = "OpportunisticStartTLS" // TLS where the server offers it
	MandatoryStartTLS     StartTLS = "MandatoryStartTLS"     // no mail without TLS
	NoStartTLS            StartTLS = "NoStartTLS"            // never
)

// A Mailer sends mail through one server. It is safe for concurrent use.
type Mailer struct {
	Host     string // with its port; on 465 TLS begins with the connection (RFC 8314)
	User     string // empty: the server asks for none
	Password secret.Text
	From     mail.Address
	Hello    string   // the name that this server calls itself by; empty: localhost
	StartTLS StartTLS // empty: OpportunisticStartTLS
	TLS      *tls.Config
}

// Validate returns an error that names what is missing or wrong.
func (m *Mailer) Validate() error {
	if host, port, err := net.SplitHostPort(m.Host); err != nil || host == "" || port == "" || !hallpass.ValidPort(port) {
		return fmt.Errorf("smtp.host: %q is not a host and port like localhost:25", m.Host)
	}
	if address, ok := hallpass.MailAddress(m.From.Address); !ok || address != m.From.Address {
		return fmt.Errorf("smtp.from_address: %q is not a mail address", m.From.Address)
	}
	if strings.ContainsAny(m.From.Name, "\r\n") {
		return errors.New("smtp.from_name: it has more than one line")
	}
	if strings.ContainsAny(m.Hello, " \r\n") {
		return fmt.Errorf("smtp.ehlo_identity: %q is no name of a host", m.Hello)
	}
	if !slices.Contains([]StartTLS{"", OpportunisticStartTLS, MandatoryStartTLS, NoStartTLS}, m.StartTLS) {
		return fmt.Errorf("smtp.startTLS_policy: %q is none of %s, %s, %s", m.StartTLS, OpportunisticStartTLS, MandatoryStartTLS, NoStartTLS)
	}
	return nil
}

// mailTimeout is how long a mail may take.
const mailTimeout = 30 * time.Second

// A letter is one mail.
type letter struct {
	to      string
	subject string
	body    string
	id      string // tells letters apart; the same with every attempt
	at      time.Time
}

// refused says that the server took everything but this recipient.
type refused struct{ error }

// Unwrap returns what the server said.
func (r refused) Unwrap() error { return r.error }

// send hands a letter to the server.
func (m *Mailer) send(ctx context.Context, l letter) error {
	host, port, err := net.SplitHostPort(m.Host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Host)
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return errors.Join(err, conn.Close())
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // cuts off a server that stops; there is no more to do about it
	secure := m.tls(host)
	implicit := port == "465"
	if implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer func() { _ = c.Close() }() // after Quit there is nothing to lose
	if err := m.begin(c, host, secure, implicit); err != nil {
		return err
	}
	if err := takesAddress(c, m.From.Address); err != nil {
		return err
	}
	if err := takesAddress(c, l.to); err != nil {
		return refused{err}
	}
	if err := c.Mail(m.From.Address); err != nil {
		return err
	}
	if err := c.Rcpt(l.to); err != nil {
		return refused{err}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(m.compose(l)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the server has the mail already
	return nil
}

// takesAddress returns an error unless the server takes mail for the address, or from it.
// One that is none goes into no command of SMTP. One with letters outside of ASCII needs a
// server that offers SMTPUTF8 (RFC 6531), which net/smtp then asks for.
func takesAddress(c *smtp.Client, address string) error {
	if parsed, ok := hallpass.MailAddress(address); !ok || parsed != address {
		return plainError("the recipient is not a mail address like ada@example.com")
	}
	if offers, _ := c.Extension("SMTPUTF8"); !offers && strings.ContainsFunc(address, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return plainError("the address has letters outside of ASCII, and the mail server does not take such addresses (it does not offer SMTPUTF8)")
	}
	return nil
}

func (m *Mailer) tls(host string) *tls.Config {
	c := m.TLS.Clone()
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c.ServerName = host
	return c
}

// begin greets the server, makes the connection secure as the policy says, and signs
// in. A password is sent over TLS alone, or to this machine (net/smtp.PlainAuth).
func (m *Mailer) begin(c *smtp.Client, host string, secure *tls.Config, implicit bool) error {
	hello := m.Hello
	if hello == "" {
		hello = "localhost"
	}
	if err := c.Hello(hello); err != nil {
		return err
	}
	offers, _ := c.Extension("STARTTLS")
	switch {
	case implicit || m.StartTLS == NoStartTLS:
	case offers:
		if err := c.StartTLS(secure); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
	case m.StartTLS == MandatoryStartTLS:
		return plainError("the mail server does not offer STARTTLS, and startTLS_policy demands it")
	}
	if m.User == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", m.User, m.Password.Reveal(), host)); err != nil {
		return fmt.Errorf("sign in to the mail server: %w", err)
	}
	return nil
}

// compose returns the text of a mail (RFC 5322). No text of the letter can add a header:
// the address was parsed, and the subject is encoded.
func (m *Mailer) compose(l letter) []byte {
	_, domain, _ := strings.Cut(m.From.Address, "@")
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", m.From.String()},
		{"To", (&mail.Address{Address: l.to}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", oneLine(l.subject))},
		{"Date", l.at.Format(time.RFC1123Z)},
		{"Message-ID", "<" + l.id + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody's out-of-office answers it
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(l.body)) // a buffer takes everything
	_ = w.Close()                  // likewise
	return b.Bytes()
}

// oneLine returns the text with a space for each control character.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
