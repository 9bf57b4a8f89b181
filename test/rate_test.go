package test_test

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// A flood is what a node answered to requests that came from many clients without a pause.
type flood struct {
	passed, refused                    int
	sent, passedAt, refusedAt, answers time.Time // the first request; the first answer that let one pass; the last that was refused, when it was sent; the last answer
}

// flood sends requests with the token to the path from 64 clients for so long, and at least
// 640 of them. Each passes, or is refused because the token was used too often.
func (p *process) flood(token, path string, howLong time.Duration) (f flood) {
	p.t.Helper()
	refusal := http.StatusTooManyRequests
	if strings.HasPrefix(path, "/guard/") {
		refusal = http.StatusForbidden
	}
	var mu sync.Mutex
	all := newClients(p.t)
	f.sent = time.Now()
	for range 64 {
		all.Go(func() {
			for n := 0; n < 10 || time.Since(f.sent) < howLong; n++ {
				sent := time.Now()
				status, err := p.call(quick, token, "GET", path, "", nil)
				mu.Lock()
				switch f.answers = time.Now(); {
				case err == nil && status == http.StatusOK:
					if f.passed++; f.passedAt.IsZero() {
						f.passedAt = f.answers
					}
				case err == nil && status == refusal:
					f.refused++
					if sent.After(f.refusedAt) {
						f.refusedAt = sent
					}
				case status != http.StatusServiceUnavailable: // a node that is not sure does not verify the token
					p.t.Errorf("GET %s: %d, %v", path, status, err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return f
}

// holds fails the test unless as many requests passed as a node allows that gives each the
// time every, and the burst ahead: one, the burst, and one more for each time that went by
// between the first request and the last that was refused.
func (f flood) holds(t *testing.T, every time.Duration, burst int) {
	t.Helper()
	least := burst + int(math.Floor(float64(f.refusedAt.Sub(f.passedAt))/float64(every))) + 1
	most := burst + int(math.Floor(float64(f.answers.Sub(f.sent))/float64(every))) + 1
	if f.passed < least || f.passed > most || f.refused == 0 {
		t.Errorf("%d passed and %d were refused in %s, want %d to %d", f.passed, f.refused, f.answers.Sub(f.sent), least, most)
	}
	t.Logf("%d requests in %s: %d passed", f.passed+f.refused, f.answers.Sub(f.sent).Round(time.Millisecond), f.passed)
}

// rateWindow is for how long a rate is tried.
func rateWindow() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("HALLPASS_TEST_RATE_SECONDS")); err == nil {
		return time.Duration(n) * time.Second
	}
	return 500 * time.Millisecond
}

// TestRateOfAServer uses tokens from 64 clients at once, at two doors: exactly as many
// requests pass as the rate says, and none is lost.
func TestRateOfAServer(t *testing.T) {
	p := serve(t, t.TempDir())
	c := p.mint()
	slow := p.narrow(c, "slow", `"rateLimit":{"requests":100,"seconds":60,"burst":20}`)
	p.flood(slow, "/api/org", rateWindow()).holds(t, 600*time.Millisecond, 20)
	fast := p.narrow(c, "fast", `"rateLimit":{"requests":100,"seconds":1,"burst":100}`)
	p.flood(fast, "/guard/verify", max(rateWindow(), time.Second)).holds(t, 10*time.Millisecond, 100)
}

// standing returns how many more requests the node says that it would let pass now, after
// this one.
func (p *process) standing(token string) (left int) {
	p.t.Helper()
	r, err := http.NewRequest("GET", p.url+"/api/org", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := quick.Do(r)
	if err != nil {
		return 0
	}
	_ = res.Body.Close() // only its headers matter
	if _, err := fmt.Sscanf(res.Header.Get("RateLimit"), `"token";r=%d;`, &left); err != nil {
		return 0
	}
	return left
}

// TestRateDivided uses a token at three nodes at once. Two share its rate: each allows its
// part of three. The third does not share, and allows all of it. When that one leaves, the two
// together allow the rate once.
func TestRateDivided(t *testing.T) {
	db := newPostgres(t)
	const shares, patient = "HALLPASS_SERVICE_ACCOUNTS_RATE_LIMIT_DIVIDE=true", "HALLPASS_DATABASE_MAX_STALENESS=10s" // no node counts as gone because the machine is busy
	all := []*process{node(t, db.url(), shares, patient), node(t, db.url(), shares, patient), node(t, db.url(), patient)}
	for _, p := range all {
		p.await()
	}
	c := all[0].mint()
	probe := all[0].narrow(c, "probe", `"rateLimit":{"requests":1000000,"seconds":1,"burst":1000000}`)
	flooded := func(name string, parts ...int) (passed int, took time.Duration) {
		t.Helper()
		key := all[0].narrow(c, name, `"rateLimit":{"requests":120,"seconds":60,"burst":30}`)
		floods := make([]flood, len(parts))
		var load sync.WaitGroup
		for i, n := range parts {
			hallpasstest.Eventually(t, fmt.Sprintf("node %d to allow one part of %d", i, n), func() bool { return all[i].standing(probe) == 1000000/n })
			load.Go(func() { floods[i] = all[i].flood(key, "/api/org", rateWindow()) })
		}
		load.Wait()
		for i, f := range floods {
			f.holds(t, time.Duration(parts[i])*500*time.Millisecond, 30/parts[i])
			passed, took = passed+f.passed, max(took, f.answers.Sub(f.sent))
		}
		return passed, took
	}
	flooded("three nodes", 3, 3, 1)
	if err := all[2].stop(); err != nil {
		t.Error(err)
	}
	if passed, took := flooded("two nodes", 2, 2); passed > 30+2+int(took/(500*time.Millisecond)) {
		t.Errorf("the two nodes allowed %d requests in %s, want the rate once, and one more", passed, took)
	}
}

// TestLimitsBehindNginx calls the API through nginx. The networks of a token are those of the
// client where the server trusts nginx, whatever the client writes; else the client is nginx.
// A request from elsewhere does not count for the rate.
func TestLimitsBehindNginx(t *testing.T) {
	for trusted, client := range map[string]string{`["127.0.0.1"]`: "127.0.0.3", "[]": "127.0.0.1"} {
		t.Run("trusted "+trusted, func(t *testing.T) {
			hp := newGuardServer(t, "[server]\ntrusted_proxies = "+trusted+"\n")
			near := hp.narrow(hp.mint(), "near", `"networks":["127.0.0.2"],"rateLimit":{"requests":1,"seconds":86400}`)
			p := balancers["nginx"](t, []string{"10.0.0.1:3080", hp.address, "10.0.0.2:3080", hp.address, "10.0.0.3:3080", hp.address, "10.0.0.9:9090", hp.address})
			for _, spoof := range []string{"", "X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
				res, text := p.from(t, "127.0.0.3", near, spoof, "127.0.0.2")
				if res.StatusCode != 403 || !strings.Contains(text, "This API key may not be used from "+client) || res.Header.Get("RateLimit") != "" {
					t.Errorf("from elsewhere with %q: %d %v %s", spoof, res.StatusCode, res.Header, text)
				}
			}
			want := []int{200, 429}
			if trusted == "[]" {
				want = []int{403, 403}
			}
			for i, status := range want {
				res, text := p.from(t, "127.0.0.2", near, "", "")
				if res.StatusCode != status || (status == 429) != (res.Header.Get("Retry-After") != "") {
					t.Errorf("request %d from the network: %d %v %s, want %d", i, res.StatusCode, res.Header, text, status)
				}
			}
		})
	}
}

// from sends a request to the API from an address of this machine, with a header that may say
// that it comes from another.
func (p *proxied) from(t *testing.T, ip, token, header, value string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+p.address+"/api/org", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "hallpass.example.com"
	r.Header.Set("Authorization", "Bearer "+token)
	if header != "" {
		r.Header.Set(header, value)
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: hallpasstest.Patience}
	client := &http.Client{Timeout: hallpasstest.Patience, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}
