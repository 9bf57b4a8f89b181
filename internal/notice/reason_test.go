package notice_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/notice"
)

// TestReasons has receivers fail in each way: the channel says what failed, and names no
// address of this network; the log has the rest.
func TestReasons(t *testing.T) {
	allow, err := httpd.ParseOutbound([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	secure, plain, cut := httptest.NewTLSServer(nil), httptest.NewServer(nil), httptest.NewServer(nil)
	defer secure.Close()
	defer plain.Close()
	gone := cut.Listener.Addr().String()
	cut.Close()
	resolver := func(err error) *net.Resolver {
		return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
	}
	for _, tt := range []struct {
		name, url, says, logged string
		resolver                *net.Resolver
		mail                    string
	}{
		{name: "refused", url: "http://" + gone, says: "refused the connection", logged: "127.0.0.1"},
		{name: "an unknown authority", url: secure.URL, says: "authority", logged: "x509"},
		{name: "no TLS", url: strings.Replace(plain.URL, "http", "https", 1), says: "does not speak TLS", logged: "HTTP response"},
		{name: "an address inside", url: "http://10.1.2.3/", says: "outbound_allow", logged: "10.1.2.3"},
		{name: "no answer of the name server", url: "http://nowhere.example/", says: "could not be looked up", logged: "10.9.8.7", resolver: resolver(errors.New("the server 10.9.8.7 is down"))},
		{name: "no mail server", mail: gone, says: "refused the connection", logged: "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			w := newWorld(t, hallpasstest.OpenSQLite(t, t.TempDir()+"/test.db"))
			w.o.Log = slog.New(slog.NewTextHandler(&log, nil))
			w.o.Outbound = httpd.NewOutbound(httpd.OutboundOptions{Allow: allow, Timeout: 2 * time.Second, Resolver: tt.resolver})
			channel := hallpass.Channel{Kind: hallpass.WebhookChannel, URL: tt.url, Signature: hallpass.SignatureV1a}
			if tt.mail != "" {
				w.o.Mail = &notice.Mailer{Host: tt.mail}
				channel = hallpass.Channel{Kind: hallpass.MailChannel, Addresses: []string{"ops@example.com"}}
			}
			w.Sender = notice.New(w.o)
			c := w.channel(channel)
			w.notify(w.about(1, ""))
			w.clock.Wind(11 * time.Minute)
			w.send()
			now, list := w.look(c)
			if !strings.Contains(now.LastError, tt.says) || list[0].LastError != now.LastError {
				t.Errorf("it says %q and %q", now.LastError, list[0].LastError)
			}
			for _, inside := range []string{"127.0.0.1", "10.", "dial", "lookup", ":53"} {
				if strings.Contains(now.LastError, inside) {
					t.Errorf("it says %q, with %q", now.LastError, inside)
				}
			}
			if !strings.Contains(log.String(), tt.logged) {
				t.Errorf("the log has no %q: %s", tt.logged, log.String())
			}
		})
	}
}
