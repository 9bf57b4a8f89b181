package verify

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// limits are what makes a token narrower than its account, in the form in which a
// verification asks it. Nothing of it changes once the entry is in memory, but how much of
// its rate the token has used.
type limits struct {
	ceiling     *hallpass.Ceiling     // nil: none
	permissions *hallpass.Permissions // the account's, under the ceiling; nil without one
	listed      string                // the key of the ceiling's permissions in cache.listed; empty: they are not there
	networks    []netip.Prefix
	rate        *rate // nil: none
}

// newLimits returns the limits of a token, nil if it has none. The ceiling is that of the
// token's limits.
func (ls *lookUps) newLimits(t hallpass.Token, ceiling *hallpass.Ceiling) *limits {
	l := t.Limits.WithRate(ls.rate)
	if ceiling == nil && len(l.Networks) == 0 && l.Rate == (hallpass.RateLimit{}) {
		return nil
	}
	out := &limits{ceiling: ceiling, networks: l.Networks}
	if l.Rate != (hallpass.RateLimit{}) {
		out.rate = ls.rates.get(rateKey{t.Rotation.First(t.ID), l.Rate}, ls.node.Now())
	}
	return out
}

// bind makes the limits those of a token of the account.
func (l *limits) bind(a *account) {
	if l != nil && l.ceiling != nil {
		l.permissions = a.permissions.Under(l.ceiling, a.id.Scope())
	}
}

// apply holds a token that is good to its limits: it returns why the request is refused,
// nil if it is not, and leaves to the caller what the token allows. A request that goes on
// was counted when it came.
func (v *Verifier) apply(e *entry, c *hallpass.Caller, now time.Time, goesOn bool) *hallpass.Error {
	l := e.limits
	if l.permissions != nil {
		c.Narrow(l.permissions)
	}
	if len(l.networks) > 0 && !e.knows(c.From.Address) && !hallpass.InNetworks(l.networks, c.From.Address) {
		return errNetwork(c.From.Address)
	}
	if l.rate == nil || goesOn {
		return nil
	}
	nodes := 1
	if v.divideRate {
		nodes = v.node.Nodes()
	}
	var wait time.Duration
	if c.Rate, wait = l.rate.take(now, nodes); wait > 0 {
		return errRateLimited(wait, c.Rate)
	}
	return nil
}

// knows reports whether the last use of the entry, which the same networks allowed, came
// from the address.
func (e *entry) knows(address string) bool {
	o := e.origin.Load()
	return o != nil && o.address == address
}

// A rate counts the requests of one token on this node, by the generic cell rate
// algorithm (ITU-T I.371): each request takes the time that the limit gives it, and may
// come ahead of its time by as much as the burst is. A request costs one compare-and-swap.
// The clock is the node's, which never goes back.
type rate struct {
	limit   hallpass.RateLimit
	held    atomic.Int32 // entries in memory, or about to be, that have it
	arrival atomic.Int64 // when the next request is due, in nanoseconds since 1970
}

// rates keep what tokens have used of their rates when their entries are read anew, so
// that no change of a token, and no rotation, starts its rate again. The tokens of a
// rotation share one rate. The zero rates is ready to use, and safe for concurrent use.
type rates struct {
	mu   sync.Mutex
	of   map[rateKey]*rate
	full int // so many are kept before those that rest and that no entry has are let go
}

// rateKey names a rate: the first token of the rotation, and the limit, because one that
// is changed begins anew.
type rateKey struct {
	chain hallpass.TokenID
	limit hallpass.RateLimit
}

// leastRates is how many rates are kept whether they rest or not.
const leastRates = 1024

// get returns the rate with that key, for an entry that holds it from now on.
func (rs *rates) get(k rateKey, at time.Time) *rate {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.of[k]; r != nil {
		r.held.Add(1)
		return r
	}
	if rs.of == nil {
		rs.of, rs.full = make(map[rateKey]*rate), leastRates
	}
	if len(rs.of) >= rs.full {
		now := at.UnixNano()
		maps.DeleteFunc(rs.of, func(_ rateKey, r *rate) bool { return r.held.Load() == 0 && r.arrival.Load() <= now }) // as good as new ones
		rs.full = max(leastRates, 2*len(rs.of))
	}
	r := &rate{limit: k.limit}
	r.held.Add(1)
	rs.of[k] = r
	return r
}

// release says that an entry with the limits has left memory, or never came there.
func (l *limits) release() {
	if l != nil && l.rate != nil {
		l.rate.held.Add(-1)
	}
}

// take counts a request at that time, on one of so many nodes that share the limit. It returns how
// long to wait if that is too early; then the request does not count.
func (r *rate) take(at time.Time, nodes int) (standing hallpass.RateStanding, wait time.Duration) {
	now := time.Duration(at.UnixNano())
	every := r.limit.Every / time.Duration(r.limit.Requests)
	ahead := every * time.Duration(r.limit.Burst)
	every *= time.Duration(nodes)
	standing.Limit = &r.limit
	for {
		last := r.arrival.Load()
		due := max(time.Duration(last), now)
		if early := due - now; early > ahead {
			standing.Full = early
			return standing, early - ahead
		}
		due += every
		if !r.arrival.CompareAndSwap(last, int64(due)) {
			continue
		}
		if standing.Full = due - now; standing.Full <= ahead {
			standing.Left = int((ahead-standing.Full)/every) + 1
		}
		return standing, 0
	}
}

// The IDs of refusals because of limits.
const (
	networkID     = "api-key.network"
	rateLimitedID = "api-key.rate-limited"
)

// maxAddress is how much of an address a refusal repeats, in bytes.
const maxAddress = 60

// errNetwork refuses a token that may not be used from the address.
func errNetwork(address string) *hallpass.Error {
	if address = hallpass.Clean(address, maxAddress); address == "" {
		address = "an unknown address"
	}
	return &hallpass.Error{Kind: hallpass.Denied, ID: networkID, Message: "This API key may not be used from " + address}
}

// errRateLimited refuses a token that is used too often.
func errRateLimited(wait time.Duration, standing hallpass.RateStanding) *hallpass.Error {
	return &hallpass.Error{
		Kind: hallpass.Limited, ID: rateLimitedID, RetryAfter: wait, Rate: standing,
		Message: fmt.Sprintf("Too many requests with this API key, try again in %d s", int(math.Ceil(wait.Seconds()))),
	}
}

// listed is a set of permissions that tokens list, and how many entries have it.
type listed struct {
	set     *hallpass.Permissions
	entries int
}

// listedKey names what the set of a ceiling's listed permissions holds.
func listedKey(set *hallpass.Permissions) string {
	var b strings.Builder
	for _, p := range set.List() { // sorted, each once
		b.WriteString(string(p.Action) + " " + string(p.Scope) + "\n")
	}
	return b.String()
}

// share has entries whose tokens list the same permissions hold one set of them. The
// caller holds coherence.
func (c *cache) share(l *limits) {
	if l == nil || l.ceiling.Listed() == nil {
		return
	}
	l.listed = listedKey(l.ceiling.Listed()) + "." // the key of an empty list is not empty
	s := c.listed[l.listed]
	if s == nil {
		s = &listed{set: l.ceiling.Listed()}
		c.listed[l.listed] = s
	}
	s.entries++
	l.ceiling = l.ceiling.WithListed(s.set)
}

// unshare undoes share. The caller holds coherence.
func (c *cache) unshare(l *limits) {
	if l == nil || l.listed == "" {
		return
	}
	if s := c.listed[l.listed]; s != nil {
		if s.entries--; s.entries == 0 {
			delete(c.listed, l.listed)
		}
	}
}
