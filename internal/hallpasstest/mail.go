package hallpasstest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// A MailServer takes mail by SMTP (RFC 5321) on this machine, and keeps it.
type MailServer struct {
	Address string // host and port
	Roots   *x509.CertPool

	o    MailOptions
	cert tls.Certificate
	mu   sync.Mutex
	got  []Mail // guarded by mu
}

// MailOptions set up a MailServer. The zero MailOptions take any mail, without TLS.
type MailOptions struct {
	StartTLS bool                 // it offers TLS
	TLS      bool                 // TLS begins with the connection
	UTF8     bool                 // it offers SMTPUTF8
	User     string               // who must sign in; empty: nobody
	Password string               // of User
	Refuse   func(to string) bool // recipients that it does not know; nil: none
	Broken   func() bool          // it takes no mail at all; nil: it does
}

// A Mail is one mail that arrived.
type Mail struct {
	From, To string
	Secure   bool   // it came over TLS
	User     string // who signed in
	Text     string // headers and body, with "\r\n" at each line's end
}

// NewMailServer starts a mail server, and stops it when the test ends.
func NewMailServer(t testing.TB, o MailOptions) *MailServer {
	t.Helper()
	s := &MailServer{o: o}
	s.certify(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = l.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }() // the client has gone by then
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // ends the loop
		serving.Wait()
	})
	return s
}

// Mails returns what arrived so far.
func (s *MailServer) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail{}, s.got...)
}

func (s *MailServer) certify(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(parsed)
}

// A mailSession is one connection.
type mailSession struct {
	*MailServer
	conn net.Conn
	text *textproto.Reader
	mail Mail
}

func (s *MailServer) serve(conn net.Conn) {
	x := &mailSession{MailServer: s, conn: conn, text: textproto.NewReader(bufio.NewReader(conn))}
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // a client that hangs does not hold up the test
	if s.o.TLS {
		x.secure()
	}
	x.say("220 mail ESMTP")
	for {
		line, err := x.text.ReadLine()
		if err != nil || !x.answer(line) {
			return
		}
	}
}

func (x *mailSession) secure() {
	x.conn = tls.Server(x.conn, &tls.Config{Certificates: []tls.Certificate{x.cert}, MinVersion: tls.VersionTLS12})
	x.text, x.mail.Secure = textproto.NewReader(bufio.NewReader(x.conn)), true
}

func (x *mailSession) say(lines ...string) {
	_, _ = x.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n")) // a client that has gone is seen by the next read
}

// answer answers one command, and reports whether there may be another.
func (x *mailSession) answer(line string) bool {
	command, rest, _ := strings.Cut(line, " ")
	_, address, _ := strings.Cut(rest, ":")
	address = strings.Trim(strings.SplitN(address, " ", 2)[0], "<>")
	switch strings.ToUpper(command) {
	case "EHLO", "HELO":
		x.greet()
	case "STARTTLS":
		x.say("220 go ahead")
		x.secure()
	case "AUTH":
		x.auth(rest)
	case "MAIL":
		switch {
		case x.o.User != "" && x.mail.User == "":
			x.say("530 sign in first")
		case x.o.Broken != nil && x.o.Broken():
			x.say("451 not now")
		default:
			x.mail.From = address
			x.say("250 ok")
		}
	case "RCPT":
		if x.mail.To = address; x.o.Refuse != nil && x.o.Refuse(address) {
			x.say("550 no such user")
			return true
		}
		x.say("250 ok")
	case "DATA":
		return x.data()
	case "QUIT":
		x.say("221 bye")
		return false
	default:
		x.say("250 ok")
	}
	return true
}

func (x *mailSession) greet() {
	lines := []string{"250-mail"}
	if x.o.StartTLS && !x.mail.Secure {
		lines = append(lines, "250-STARTTLS")
	}
	if x.o.User != "" {
		lines = append(lines, "250-AUTH PLAIN")
	}
	if x.o.UTF8 {
		lines = append(lines, "250-SMTPUTF8")
	}
	x.say(append(lines, "250 8BITMIME")...)
}

func (x *mailSession) auth(rest string) {
	_, encoded, _ := strings.Cut(rest, " ")
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || string(plain) != "\x00"+x.o.User+"\x00"+x.o.Password {
		x.say("535 wrong")
		return
	}
	x.mail.User = x.o.User
	x.say("235 welcome")
}

func (x *mailSession) data() bool {
	x.say("354 go ahead")
	lines, err := x.text.ReadDotLines()
	if err != nil {
		return false
	}
	x.mail.Text = strings.Join(lines, "\r\n")
	x.mu.Lock()
	x.got = append(x.got, x.mail)
	x.mu.Unlock()
	x.say("250 taken")
	return true
}
