package test_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// guardClient sends requests to a proxy, on connections that it keeps.
type guardClient struct {
	t               *testing.T
	address, prefix string // every path begins with the prefix
	client          *http.Client
}

func newGuardClient(t *testing.T, address string) *guardClient {
	c := caller(hallpasstest.Patience)
	t.Cleanup(c.CloseIdleConnections)
	return &guardClient{t, address, "", c}
}

// newBuiltInClient sends requests to the built-in proxy.
func newBuiltInClient(t *testing.T, hp *guardServer, guard string) *guardClient {
	c := newGuardClient(t, hp.address)
	c.prefix = "/guard/proxy/" + guard
	return c
}

// send sends a request with the token.
func (c *guardClient) send(token, method, path string, body io.Reader, header ...string) (*http.Response, string, error) {
	r, err := http.NewRequest(method, "http://"+c.address+c.prefix+path, body)
	if err != nil {
		return nil, "", err
	}
	r.Host = "app.example.com"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

// get returns the status of a GET with the token, 0 for no answer.
func (c *guardClient) get(token, path string, header ...string) int {
	res, _, err := c.send(token, "GET", path, nil, header...)
	if err != nil {
		return 0
	}
	return res.StatusCode
}

// until sends GET with the token until it is answered so.
func (c *guardClient) until(status int, token, path string, header ...string) {
	c.t.Helper()
	hallpasstest.Eventually(c.t, fmt.Sprintf("GET %s to be answered with %d", path, status), func() bool { return c.get(token, path, header...) == status })
}

// unavailable sends a request that Hallpass cannot judge: 503, in JSON, and nothing reaches
// the API.
func (c *guardClient) unavailable(what, token string, api *witness) {
	c.t.Helper()
	api.take()
	began := time.Now()
	res, text, err := c.send(token, "GET", "/api/x", nil)
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	var said struct{ Message string }
	if res.StatusCode != http.StatusServiceUnavailable || json.Unmarshal([]byte(text), &said) != nil || said.Message == "" || res.Header.Get("Retry-After") == "" || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		c.t.Errorf("%s: %d %v %s", what, res.StatusCode, res.Header, text)
	}
	if arrived := api.take(); len(arrived) > 0 {
		c.t.Errorf("%s: it reached the API: %v", what, arrived)
	}
	c.t.Logf("%s: 503 after %s", what, time.Since(began).Round(time.Millisecond))
}

// TestGuardFaults freezes and kills Hallpass behind each proxy, and revokes a token in the
// middle of a load. Requests that Hallpass cannot judge get 503 in JSON; what needs no token
// is served all the same; a revoked token passes no more once that was answered.
func TestGuardFaults(t *testing.T) {
	for name, start := range guardProxies {
		t.Run(name, func(t *testing.T) {
			api, hp := newWitness(t), newGuardServer(t, attackedGuard)
			reader, writer := hp.holder("app:read"), hp.holder("app:read", "app:write")
			c := newGuardClient(t, start(t, behind{hallpass: hp.address, api: api.address, guard: "app"}))
			c.until(http.StatusOK, reader.key, "/api/x")

			c.bodies(writer.key, api)
			c.webSocket(reader.key)
			c.revokedInLoad(hp)

			hp.freeze()
			c.unavailable("frozen", reader.key, api)
			hp.signal(syscall.SIGCONT)
			c.until(http.StatusOK, reader.key, "/api/x")

			hp.kill()
			c.unavailable("killed", reader.key, api)
			if status := c.get("", "/healthz"); status != http.StatusOK {
				t.Errorf("what needs no token is answered with %d", status)
			}
			hp.again(t)
			cold := c.get(reader.key, "/api/x")
			if cold == http.StatusServiceUnavailable { // on a busy machine the first answer may take too long
				c.until(http.StatusOK, reader.key, "/api/x")
			} else if cold != http.StatusOK {
				t.Errorf("a server that has nothing in its memory: %d", cold)
			}
		})
	}
}

// TestBuiltInFaults does the same to the built-in proxy, as far as it can happen there. A
// WebSocket ends when its token is revoked.
func TestBuiltInFaults(t *testing.T) {
	api := newWitness(t)
	hp := newGuardServer(t, withUpstream(attackedGuard, "app", api))
	c, writer, reader := newBuiltInClient(t, hp, "app"), hp.holder("app:read", "app:write"), hp.holder("app:read")
	c.bodies(writer.key, api)
	c.revokedInLoad(hp)
	tunnel := c.webSocket(reader.key)
	hp.must(200, "DELETE", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", reader.account, reader.token), "", nil)
	if n, err := tunnel.Read(make([]byte, 1)); err == nil { // it waits until the WebSocket ends
		t.Errorf("through a WebSocket whose token was revoked came %d bytes", n)
	}
	hp.kill()
	hp.again(t)
	if status := c.get(writer.key, "/api/x"); status != http.StatusOK {
		t.Errorf("a server that has nothing in its memory: %d", status)
	}
	hp.signal(syscall.SIGTERM)
}

// bodies sends bodies through: whole, and of no announced length.
func (c *guardClient) bodies(token string, api *witness) {
	c.t.Helper()
	api.take()
	body := strings.Repeat("0123456789", 500)
	for what, r := range map[string]io.Reader{"chunked": io.MultiReader(strings.NewReader(body)), "announced": strings.NewReader(body)} {
		res, text, err := c.send(token, "POST", "/api/x", r)
		if err != nil || res.StatusCode != http.StatusOK || text != witnessed {
			c.t.Errorf("a %s body: %v %v %s", what, res, err, text)
		}
		if arrived := api.take(); len(arrived) != 1 || string(arrived[0].body) != body {
			c.t.Errorf("a %s body arrived as %v", what, arrived)
		}
	}
	if res, text, err := c.send(token, "HEAD", "/api/x", nil); err != nil || res.StatusCode != http.StatusOK || text != "" || res.ContentLength != int64(len(witnessed)) {
		c.t.Errorf("HEAD: %v %v %q", res, err, text)
	}
}

// webSocket makes a WebSocket of a connection, which needs a token like any request, and
// returns it.
func (c *guardClient) webSocket(token string) io.ReadWriteCloser {
	c.t.Helper()
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	if status := c.get("", "/api/ws", upgrade...); status != http.StatusUnauthorized {
		c.t.Errorf("a WebSocket without a token: %d", status)
	}
	r, err := http.NewRequest("GET", "http://"+c.address+c.prefix+"/api/ws", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = "app.example.com"
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(upgrade); i += 2 {
		r.Header.Set(upgrade[i], upgrade[i+1])
	}
	res, err := c.client.Transport.RoundTrip(r) // the client's own limit would hide the connection
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = res.Body.Close() }) // what was sent was read
	tunnel, ok := res.Body.(io.ReadWriteCloser)
	if !ok || res.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatalf("a WebSocket: %d", res.StatusCode)
	}
	got := make([]byte, 5)
	if _, err := io.WriteString(tunnel, "hello"); err != nil {
		c.t.Error(err)
	} else if _, err := io.ReadFull(tunnel, got); err != nil || string(got) != "hello" {
		c.t.Errorf("through a WebSocket came %q, %v", got, err)
	}
	return tunnel
}

// revokedInLoad revokes tokens that are in use. No request that begins after the answer of
// the revocation passes.
func (c *guardClient) revokedInLoad(hp *guardServer) {
	c.t.Helper()
	for range rounds(c.t, "HALLPASS_TEST_GUARD_REVOCATIONS", 3) {
		victim := hp.holder("app:read")
		var revoked, stop atomic.Bool
		var late, before, after atomic.Int64
		var load sync.WaitGroup
		for range 4 {
			load.Go(func() {
				for !stop.Load() {
					ended := revoked.Load()
					status := c.get(victim.key, "/api/x")
					switch {
					case ended && status == http.StatusOK:
						late.Add(1)
					case ended && status == http.StatusUnauthorized:
						after.Add(1)
					case status == http.StatusOK:
						before.Add(1)
					}
				}
			})
		}
		hallpasstest.Eventually(c.t, "requests in progress", func() bool { return before.Load() > 20 })
		hp.must(200, "DELETE", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", victim.account, victim.token), "", nil)
		revoked.Store(true)
		hallpasstest.Eventually(c.t, "requests after the revocation", func() bool { return after.Load() > 20 })
		stop.Store(true)
		load.Wait()
		if n := late.Load(); n > 0 {
			c.t.Errorf("%d requests passed that began after their token was revoked", n)
		}
	}
}

// TestGuardHTTP2 asks HAProxy over HTTP/2, in which it hands a whole URL to its rules.
func TestGuardHTTP2(t *testing.T) {
	api, hp := newWitness(t), newGuardServer(t, attackedGuard)
	reader := hp.holder("app:read")
	c := newGuardClient(t, guardProxies["haproxy"](t, behind{hallpass: hp.address, api: api.address, guard: "app"}))
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	c.client = &http.Client{Transport: &http.Transport{Protocols: &protocols}}
	t.Cleanup(c.client.CloseIdleConnections)
	c.until(http.StatusOK, reader.key, "/api/x?a=1")
	for _, a := range api.take() {
		if a.target != "/api/x?a=1" || a.values("X-Hallpass-Account-Id")[0] != fmt.Sprint(reader.account) {
			t.Errorf("to the API came %v", a)
		}
	}
	if status := c.get(reader.key, "/api/x", "X_Hallpass_Role", "spoofed", "X-Hallpass-Role", "spoofed", "X-Rewrite-Url", "/admin/spoofed"); status != http.StatusOK {
		t.Errorf("an allowed request: %d", status)
	}
	for _, a := range api.take() {
		if strings.Contains(a.String(), "spoofed") {
			t.Errorf("to the API came %v", a)
		}
	}
	for _, path := range []string{"/admin/x", "/api/../admin/x", "//admin/x", "/api/%2e%2e/admin/x", "/healthz/../admin/x"} {
		if status := c.get(reader.key, path); status != http.StatusForbidden {
			t.Errorf("%s: %d", path, status)
		}
	}
	if arrived := api.take(); len(arrived) > 0 {
		t.Errorf("to the API came %v", arrived)
	}
}

// TestDownAPI asks for an API that does not listen, through each proxy: what the client is
// told is JSON, and says when to come back.
func TestDownAPI(t *testing.T) {
	for name, status := range map[string]int{"nginx": http.StatusBadGateway, "haproxy": http.StatusServiceUnavailable, "caddy": http.StatusBadGateway, "apache": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			unanswered(t, name, behind{api: freeAddress(t)}, status, `{"message":"The API does not answer"}`)
		})
	}
}

// TestHAProxyAsksAgain freezes Hallpass while HAProxy asks about one request. HAProxy asks
// several times, and gives up; Hallpass answers all of it later, and counts one decision.
func TestHAProxyAsksAgain(t *testing.T) {
	api, hp := newWitness(t), newGuardServer(t, attackedGuard)
	reader := hp.holder("app:read")
	c := newGuardClient(t, guardProxies["haproxy"](t, behind{hallpass: hp.address, api: api.address, guard: "app"}))
	c.until(http.StatusOK, reader.key, "/api/x")
	seen := func() (asked, counted float64) {
		return hp.metric(`hallpass_http_request_duration_seconds_count{code="2xx",door="guard"}`), hp.metric(`hallpass_guard_decisions_total{guard="app",outcome="allowed"`)
	}
	askedBefore, countedBefore := seen()
	hp.freeze()
	c.unavailable("frozen", reader.key, api)
	hp.signal(syscall.SIGCONT)
	const tries = 4
	hallpasstest.Eventually(t, "Hallpass to answer all tries", func() bool {
		asked, _ := seen()
		return asked >= askedBefore+tries
	})
	if asked, counted := seen(); counted != countedBefore+1 {
		t.Errorf("of %v tries, %v were counted", asked-askedBefore, counted-countedBefore)
	}
}

// waits are how long each page has the proxy wait for the API, and a shorter time.
var waits = map[string][]string{
	"nginx":   {"proxy_read_timeout    60s;", "proxy_read_timeout 1s;"},
	"haproxy": {"timeout server 60s", "timeout server 1s"},
	"caddy":   {"response_header_timeout 60s", "response_header_timeout 1s"},
	"apache":  {"timeout=60", "timeout=1"},
}

// TestSlowAPI asks for an API that takes every request and never answers. Apache tells it
// from one that is down in its log alone.
func TestSlowAPI(t *testing.T) {
	for name, shorter := range waits {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0") // the system takes connections, and nobody reads them
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }() // nothing was read
			status, says := http.StatusGatewayTimeout, `{"message":"The API does not answer in time"}`
			if name == "apache" {
				status, says = http.StatusBadGateway, `{"message":"The API does not answer"}`
			}
			unanswered(t, name, behind{api: l.Addr().String(), replaced: shorter}, status, says)
		})
	}
}

// unanswered asks the proxy for an API that does not answer.
func unanswered(t *testing.T, proxy string, b behind, status int, says string) {
	t.Helper()
	hp := newGuardServer(t, attackedGuard)
	reader := hp.holder("app:read")
	b.hallpass, b.guard = hp.address, "app"
	c := newGuardClient(t, guardProxies[proxy](t, b))
	c.until(status, reader.key, "/api/x")
	for _, path := range []string{"/api/x", "/healthz"} {
		res, text, err := c.send(reader.key, "GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != status || text != says || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", path, res.StatusCode, res.Header, text)
		}
	}
	if got := c.get("", "/api/x"); got != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got)
	}
	if got := c.get(reader.key, "/.hallpass/down"); got != http.StatusForbidden { // a path of Apache's page
		t.Errorf("a path that no rule opens: %d", got)
	}
}
