package test_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// clientFrom is a guardClient that has another address of this machine.
func clientFrom(t *testing.T, ip, address string) *guardClient {
	t.Helper()
	c := newGuardClient(t, address)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: hallpasstest.Patience}
	c.client = &http.Client{Timeout: hallpasstest.Patience, Transport: &http.Transport{DialContext: dialer.DialContext}}
	t.Cleanup(c.client.CloseIdleConnections)
	return c
}

// narrow makes a token of the account with limits in JSON.
func (p *process) narrow(c credential, name, limits string) (key string) {
	p.t.Helper()
	var token struct{ Key string }
	p.must(200, "POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", c.account), fmt.Sprintf(`{"name":%q,%s}`, name, limits), &token)
	return token.Key
}

// TestLimitsBehindProxies uses tokens with networks and a rate through each proxy. The
// networks are those of the client where Hallpass trusts the proxy, whatever the client
// writes; where it does not, the client is the proxy, and the token is refused.
func TestLimitsBehindProxies(t *testing.T) {
	for name, start := range guardProxies {
		t.Run(name, func(t *testing.T) {
			api, hp := newWitness(t), newGuardServer(t, attackedGuard)
			holder := hp.holder("app:read")
			near := hp.narrow(holder, "near", `"networks":["127.0.0.2","192.0.2.0/24"]`)
			once := hp.narrow(holder, "once", `"rateLimit":{"requests":1,"seconds":86400}`)
			address := start(t, behind{hallpass: hp.address, api: api.address, guard: "app"})
			inside, outside := clientFrom(t, "127.0.0.2", address), clientFrom(t, "127.0.0.3", address)
			inside.until(http.StatusOK, near, "/api/x")
			for _, spoof := range [][]string{nil, {"X-Real-Ip", "127.0.0.2"}, {"X-Forwarded-For", "127.0.0.2"}, {"Forwarded", "for=127.0.0.2"}} {
				outside.refused("api-key.network", near, spoof...)
			}
			outside.until(http.StatusOK, once, "/api/x")
			outside.refused("api-key.rate-limited", once)
		})
	}
	t.Run("nginx that is not trusted", func(t *testing.T) {
		api, hp := newWitness(t), newGuardServer(t, strings.Replace(attackedGuard, `trusted_proxies = ["127.0.0.1"]`, "", 1))
		near := hp.narrow(hp.holder("app:read"), "near", `"networks":["127.0.0.2"]`)
		inside := clientFrom(t, "127.0.0.2", guardProxies["nginx"](t, behind{hallpass: hp.address, api: api.address, guard: "app"}))
		inside.refused("api-key.network", near)
		hallpasstest.Eventually(t, "the audit to tell the proxy's address", func() bool {
			text := fmt.Sprint(hp.look("/api/audit?action=token.verify"))
			return strings.Contains(text, "127.0.0.1") && !strings.Contains(text, "127.0.0.2")
		})
	})
}

// refused sends a request that is refused for the reason.
func (c *guardClient) refused(reason, token string, header ...string) {
	c.t.Helper()
	res, text, err := c.send(token, "GET", "/api/x", nil, header...)
	if err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode != http.StatusForbidden || res.Header.Get("X-Hallpass-Reason") != reason {
		c.t.Errorf("with %q: %d %v %s, want %s", header, res.StatusCode, res.Header, text, reason)
	}
}
