package test_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	wireapi "github.com/hallpass-dev/hallpass/wire"
)

// rotation is the answer to a rotation, or the ID of the error in it.
type rotation struct {
	wireapi.RotatedToken
	MessageID string `json:"messageId"`
}

// next returns the credential that replaces c.
func (r rotation) next(c credential) credential { return credential{c.account, r.ID, r.Key} }

// rotateAt asks at the URL, which is of a node or of a proxy before one, for a token that
// replaces c. key is the Idempotency-Key, "" for none.
func rotateAt(url string, c credential, key, body string) (status int, out rotation, err error) {
	r, err := http.NewRequest("POST", url+c.path()+"/rotate", strings.NewReader(body))
	if err != nil {
		return 0, out, err
	}
	r.SetBasicAuth("admin", adminPassword)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := quick.Do(r)
	if err != nil {
		return 0, out, err
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	return res.StatusCode, out, json.NewDecoder(res.Body).Decode(&out)
}

// path returns the path of the token.
func (c credential) path() string {
	return fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", c.account, c.token)
}

// replaced replaces c through the node.
func (p *process) replaced(c credential, body string) credential {
	p.t.Helper()
	var out rotation
	p.must(200, "POST", c.path()+"/rotate", body, &out)
	return out.next(c)
}

// verdict sends a request with the secret to the node, again while the node answers 503,
// and returns why it was refused; "": it was not.
func (p *process) verdict(key string) (id string) {
	p.t.Helper()
	hallpasstest.Eventually(p.t, "an answer of the node that is not 503", func() bool {
		status, reason := p.asked(key)
		id = reason
		return status != 0 && status != http.StatusServiceUnavailable
	})
	return id
}

// asked sends a request with the secret once, and returns the status, 0 for no answer,
// and why it was refused.
func (p *process) asked(key string) (status int, id string) {
	r, err := http.NewRequest("GET", p.url+"/api/org", nil)
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := quick.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	var answer struct{ MessageID string }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, answer.MessageID
}

// everywhere fails the test unless each node says so of the secret.
func everywhere(t *testing.T, all []*process, what, key, want string) {
	t.Helper()
	for i, p := range all {
		if got := p.verdict(key); got != want {
			t.Errorf("%s: node %d says %q, want %q", what, i, got, want)
		}
	}
}

// record returns what the node lists of the token.
func (p *process) record(c credential) (r wireapi.ListedToken) {
	p.t.Helper()
	p.must(200, "GET", fmt.Sprintf("/api/tokens/%d", c.token), "", &r)
	return r
}

// ended waits until the token is replaced and has ended, and returns since when.
func (p *process) ended(c credential) time.Time {
	p.t.Helper()
	var r wireapi.ListedToken
	hallpasstest.Eventually(p.t, "the replaced token to end", func() bool {
		r = p.record(c)
		return r.State == "rotated"
	})
	return *r.Expiration
}

// A fleet is programs that use one token on nodes in turn, each with the secret that it
// was given last.
type fleet struct {
	*clients
	secrets  []atomic.Pointer[string]
	answered atomic.Int64
	failed   atomic.Int64
	why      atomic.Pointer[string] // the first failure
	old      string                 // the secret that all had at first
	lastOld  atomic.Int64           // when a request with that was sent last, UTC microseconds
}

// newFleet starts so many programs, of which each rests between two requests.
func newFleet(t *testing.T, all []*process, n int, secret string, rest time.Duration) *fleet {
	f := &fleet{clients: newClients(t), secrets: make([]atomic.Pointer[string], n), old: secret}
	for i := range f.secrets {
		f.secrets[i].Store(&secret)
		f.Go(func() {
			for ; !f.stopped.Load(); time.Sleep(rest) { // a steady caller
				f.ask(all[i%len(all)], *f.secrets[i].Load())
			}
		})
	}
	return f
}

func (f *fleet) ask(p *process, secret string) {
	sent := time.Now().UnixMicro()
	if status, id := p.asked(secret); status != http.StatusOK {
		f.failed.Add(1)
		why := fmt.Sprintf("%d %s", status, id)
		f.why.CompareAndSwap(nil, &why)
	}
	f.answered.Add(1)
	for last := f.lastOld.Load(); secret == f.old && sent > last && !f.lastOld.CompareAndSwap(last, sent); {
		last = f.lastOld.Load()
	}
}

// swap has the fleet send so many requests. In their course it replaces the token through
// the node, and gives the programs the new secret one after the other.
func (f *fleet) swap(t *testing.T, p *process, old credential, requests int, body string) (next credential) {
	t.Helper()
	part := int64(requests) / int64(len(f.secrets)+2)
	reaches := func(n int64) {
		t.Helper()
		hallpasstest.Eventually(t, fmt.Sprintf("%d requests", n), func() bool { return f.answered.Load() >= n })
	}
	reaches(part)
	next = p.replaced(old, body)
	for i := range f.secrets {
		reaches(part * int64(i+2))
		f.secrets[i].Store(&next.key)
	}
	reaches(int64(requests))
	f.end()
	return next
}

// failure returns the first failure in words.
func (f *fleet) failure() string {
	if why := f.why.Load(); why != nil {
		return *why
	}
	return "none"
}

// A cutter is a proxy before a node. When the node has answered, it cuts the connection:
// what was asked for is done, and the client hears nothing.
type cutter struct {
	url string

	mu   sync.Mutex
	lost map[string][]rotation // the answers that said 200, by Idempotency-Key; guarded by mu
}

var errCut = errors.New("the connection is cut here")

func newCutter(t *testing.T, to *process) *cutter {
	t.Helper()
	node, err := url.Parse(to.url)
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{lost: make(map[string][]rotation)}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(node) },
		ModifyResponse: func(res *http.Response) error {
			var out rotation
			if err := json.NewDecoder(res.Body).Decode(&out); err == nil && res.StatusCode == http.StatusOK {
				c.mu.Lock()
				defer c.mu.Unlock()
				key := res.Request.Header.Get("Idempotency-Key")
				c.lost[key] = append(c.lost[key], out)
			}
			return errCut
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

// answers returns the answers that were lost of requests with the key.
func (c *cutter) answers(key string) []rotation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost[key]
}

// retryAfter is how long a client waits before it asks again: the Retry-After of
// token.rotation-in-flight, and a little more.
const retryAfter = 2100 * time.Millisecond

// lose asks through the cutter until the node has made the change so many times, and
// returns the answers, which no client got.
func (c *cutter) lose(t *testing.T, old credential, key, body string, times int) []rotation {
	t.Helper()
	for len(c.answers(key)) < times && !t.Failed() {
		if len(c.answers(key)) > 0 {
			time.Sleep(retryAfter) // sooner the node would refuse
		}
		if status, _, err := rotateAt(c.url, old, key, body); err == nil {
			t.Errorf("the answer was not lost: %d", status)
		}
	}
	return c.answers(key)
}

// again asks the node for what was asked before, until it answers, and waits as long as
// the node says.
func (p *process) again(old credential, key, body string) (out rotation) {
	p.t.Helper()
	for {
		status, out, err := rotateAt(p.url, old, key, body)
		switch {
		case err == nil && status == http.StatusOK:
			return out
		case err == nil && (status == http.StatusServiceUnavailable || out.MessageID == "token.rotation-in-flight"):
			time.Sleep(retryAfter) // as the answer says
		default:
			p.t.Errorf("asked again: %d %s, %v", status, out.MessageID, err)
			return out
		}
	}
}

// successors returns which tokens work that replace c.
func (p *process) successors(c credential) (ids []int64) {
	p.t.Helper()
	var list []wireapi.Token
	p.must(200, "GET", fmt.Sprintf("/api/serviceaccounts/%d/tokens", c.account), "", &list)
	for _, tok := range list {
		if tok.ReplacesID != nil && *tok.ReplacesID == c.token && (tok.State == "live" || tok.State == "overlapping") {
			ids = append(ids, tok.ID)
		}
	}
	return ids
}

// loseAnswers rotates so many tokens on three nodes. Of each rotation the answer is lost,
// of some the second one too, and then another node is asked the same. It returns how
// many ended right: with one successor that works, by the secret that was received, and
// by none that was lost.
func loseAnswers(t *testing.T, all []*process, rounds int) (right int64) {
	t.Helper()
	cutters := make([]*cutter, len(all))
	for i, p := range all {
		cutters[i] = newCutter(t, p)
	}
	var good atomic.Int64
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(rounds, 50) {
		workers.Go(func() {
			for i := int(next.Add(1)); i <= rounds && !t.Failed(); i = int(next.Add(1)) {
				if lostAnswer(t, all[i%3], all[(i+1)%3], cutters[(i+2)%3], i) {
					good.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return good.Load()
}

// lostAnswer is round i of loseAnswers.
func lostAnswer(t *testing.T, p, other *process, c *cutter, i int) (right bool) {
	old, key, body := p.mint(), fmt.Sprintf("round-%d", i), fmt.Sprintf(`{"reason":"round %d"}`, i)
	lost := c.lose(t, old, key, body, 1+i%2)
	if len(lost) == 0 {
		return false
	}
	got := p.again(old, key, body)
	right = true
	wrong := func(format string, args ...any) {
		right = false
		t.Errorf("round %d: "+format, append([]any{i}, args...)...)
	}
	if ids := other.successors(old); len(ids) != 1 || ids[0] != got.ID || got.ID != lost[0].ID || !got.Replayed {
		wrong("%v replace it, the answer is of %d, replayed %v, and the lost one was of %d", ids, got.ID, got.Replayed, lost[0].ID)
	}
	for _, p := range []*process{p, other} {
		if a, b := p.verdict(got.Key), p.verdict(old.key); a != "" || b != "" {
			wrong("the new secret is refused with %q, the old one with %q", a, b)
		}
		for _, l := range lost {
			if id := p.verdict(l.Key); id != "api-key.invalid" {
				wrong("a secret that was lost gets %q", id)
			}
		}
	}
	if status, out, err := rotateAt(other.url, old, key, body); status != http.StatusConflict || out.MessageID != "token.rotation-used" {
		wrong("asked once more, after its use: %d %s, %v", status, out.MessageID, err)
	}
	return right
}
