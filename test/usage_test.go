package test_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	wireapi "github.com/hallpass-dev/hallpass/wire"
)

// sums are counts of requests, as the load sent them or as the nodes counted them.
type sums struct{ ok, denied, failed, refused int64 }

func (s sums) all() int64 { return s.ok + s.denied + s.failed + s.refused }

// usageOf returns how many requests the node says that there were with the token, and
// how many of them with a client and with an action.
func (p *process) usageOf(c credential) (s sums, places, actions int64) {
	p.t.Helper()
	var u wireapi.TokenUsage
	p.must(200, "GET", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/usage", c.account, c.token), "", &u)
	for _, d := range u.Days {
		s.ok, s.denied, s.failed, s.refused = s.ok+d.OK, s.denied+d.Denied, s.failed+d.Failed, s.refused+d.Refused
	}
	for _, p := range u.Places {
		places += p.Count
	}
	for _, a := range u.Actions {
		actions += a.Count
	}
	return s, places, actions
}

// mixed sends so many requests with the token to the node, of each kind in turn, and
// returns how they were answered. One that is answered with 503 does not count, because
// the token was not verified, and is sent again.
func (p *process) mixed(token string, n int) (sent sums) {
	kinds := []struct {
		method, path, body string
		count              *int64
		want               int
	}{
		{"GET", "/api/org", "", &sent.ok, 200}, {"GET", "/guard/verify", "", &sent.ok, 200}, {"POST", "/api/serviceaccounts", `{"name":"x"}`, &sent.denied, 403},
		{"GET", "/api/dashboards/uid/nothing", "", &sent.failed, 404}, {"GET", "/api/user", "99", &sent.refused, 401}, // as one of another org
	}
	for i := range n {
		k := kinds[i%len(kinds)]
		for {
			status, err := p.sent(token, k.method, k.path, k.body)
			if err == nil && status == http.StatusServiceUnavailable {
				continue
			}
			if err != nil || status != k.want {
				p.t.Errorf("%s %s: %d, %v, want %d", k.method, k.path, status, err, k.want)
			}
			break
		}
		*k.count++
	}
	return sent
}

// sent sends a request with the token and returns the status. A body of digits is none,
// but the org in which the request is to work.
func (p *process) sent(token, method, path, body string) (int, error) {
	if method != http.MethodGet || body == "" {
		return p.call(quick, token, method, path, body, nil)
	}
	r, err := http.NewRequest(method, p.url+path, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("X-Grafana-Org-Id", body)
	res, err := quick.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// usageOnEveryNode sends so many mixed requests to each of three nodes, with tokens that
// all of them see, and returns the tokens, a node and what was sent with each token.
func usageOnEveryNode(t *testing.T, each int) (tokens []credential, p *process, sent []sums) {
	t.Helper()
	all := nodes(t, 3, newPostgres(t).url())
	for range 4 {
		tokens = append(tokens, all[0].mint())
	}
	sent = make([]sums, len(tokens))
	var mu sync.Mutex
	var load sync.WaitGroup
	for _, p := range all {
		for i, c := range tokens {
			load.Go(func() {
				s := p.mixed(c.key, each/len(tokens))
				mu.Lock()
				defer mu.Unlock()
				sent[i].ok, sent[i].denied, sent[i].failed, sent[i].refused = sent[i].ok+s.ok, sent[i].denied+s.denied, sent[i].failed+s.failed, sent[i].refused+s.refused
			})
		}
	}
	load.Wait()
	return tokens, all[1], sent
}

// TestUsageOnEveryNode uses tokens on three nodes at the same time: the sums of all nodes
// become what the load counted, of each kind, and stay so.
func TestUsageOnEveryNode(t *testing.T) {
	each := 400
	if n, err := strconv.Atoi(os.Getenv("HALLPASS_TEST_USAGE_REQUESTS")); err == nil {
		each = n
	}
	tokens, p, sent := usageOnEveryNode(t, each)
	begun := time.Now()
	for i, c := range tokens {
		var counted sums
		var places int64
		hallpasstest.Eventually(t, "the sums of all nodes", func() bool {
			counted, places, _ = p.usageOf(c)
			return counted.all() >= sent[i].all()
		})
		if counted != sent[i] {
			t.Errorf("token %d: counted %+v, sent %+v", c.token, counted, sent[i])
		}
		if places != counted.all()-counted.refused {
			t.Errorf("token %d: %d requests have a client, of %+v", c.token, places, counted)
		}
	}
	t.Logf("the sums of %d requests were there after %s", 3*each, time.Since(begun).Round(time.Millisecond))
}

// TestUsageSurvivesKill kills a server that has written what it counted: nothing of that
// is lost, and the next process goes on from there.
func TestUsageSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	c := p.mint()
	sent := p.mixed(c.key, 50)
	written := func(p *process, want int64) {
		t.Helper()
		hallpasstest.Eventually(t, "the usage", func() bool {
			s, _, _ := p.usageOf(c)
			return s.all() >= want
		})
	}
	written(p, sent.all())
	p.kill()
	p = serve(t, dir)
	if s, _, _ := p.usageOf(c); s != sent {
		t.Errorf("after the kill: %+v, sent %+v", s, sent)
	}
	again := p.mixed(c.key, 5)
	written(p, sent.all()+again.all())
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// inUse sends requests with the token, one after the other, until the server is gone.
// answered counts them when the answer has come.
func (p *process) inUse(c credential, answered *atomic.Int64) (stopped <-chan struct{}) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for p.use(c.key) == http.StatusOK {
			answered.Add(1)
		}
	}()
	return gone
}

// TestUsageKilledInUse kills servers at any time while a token is used: what was seen
// once stays, and nothing is counted that was not sent.
func TestUsageKilledInUse(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	c := p.mint()
	var answered atomic.Int64
	for round := range 2 {
		before, _, _ := p.usageOf(c)
		gone := p.inUse(c, &answered)
		var seen sums
		hallpasstest.Eventually(t, "more usage", func() bool {
			seen, _, _ = p.usageOf(c)
			return seen.all() > before.all()
		})
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond) // killed at any time
		p.kill()
		<-gone
		p = serve(t, dir)
		after, places, actions := p.usageOf(c)
		// One request a round may have been counted and not answered.
		if after.ok < seen.ok || after.ok > answered.Load()+int64(round)+1 || after.all() != after.ok || places != after.ok || actions != after.ok {
			t.Errorf("round %d: %+v, %d with a client, %d with an action; before the kill %+v were seen, and %d answered", round, after, places, actions, seen, answered.Load())
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}
