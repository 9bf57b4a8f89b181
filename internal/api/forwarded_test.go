package api_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestClientsBehindProxies has a trusted proxy send the client's address in every form that
// proxies write, and in one that is not valid.
func TestClientsBehindProxies(t *testing.T) {
	for name, told := range map[string]map[string]string{
		"x-forwarded-for": {"X-Forwarded-For: 203.0.113.9:51234": "203.0.113.9", "X-Forwarded-For: [2001:db8::7]:1": "2001:db8::7", "X-Forwarded-For: 203.0.113.7,": "203.0.113.7", "Forwarded: for=203.0.113.1": "127.0.0.1"},
		"forwarded":       {`Forwarded: for="203.0.113.9:51234"`: "203.0.113.9", "X-Forwarded-For: 203.0.113.1": "127.0.0.1"},
	} {
		s := hallpasstest.New(t, func(c *server.Config) {
			c.Server.TrustedProxies, c.Server.ForwardedHeader = []string{"127.0.0.1"}, name
		})
		path := account(t, s, "ci", "Viewer")
		for header, want := range told {
			key := token(t, s, path, header)
			expect(t, header, s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", header), 200)
			expect(t, header, s.Do(hallpasstest.Admin, "GET", path+"/tokens", ""), 200, `"lastUsedAddress":"`+want+`"`)
		}
		expect(t, "the count", s.Do(hallpasstest.Nobody, "GET", "/metrics", ""), 200, "\nhallpass_forwarded_unread_total 0\n")
		for range 3 {
			s.Do(hallpasstest.Nobody, "GET", "/api/org", "", "X-Forwarded-For: nobody knows", "Forwarded: for=unknown")
		}
		expect(t, "the count", s.Do(hallpasstest.Nobody, "GET", "/metrics", ""), 200, "\nhallpass_forwarded_unread_total 3\n")
		if n := strings.Count(s.Log(), "form that cannot be read"); n != 1 {
			t.Errorf("%s: it is logged %d times", name, n)
		}
	}
}
