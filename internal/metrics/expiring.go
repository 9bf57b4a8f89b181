package metrics

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hallpass-dev/hallpass"
)

// An Expiring is a live token that will expire.
type Expiring struct {
	Token     hallpass.TokenID
	Org       hallpass.OrgID
	ExpiresAt time.Time
	UsedAt    time.Time // zero: never
}

// MaxExpiring is how many of the tokens that expire soonest are shown.
const MaxExpiring = 20

const (
	expiringEvery   = 30 * time.Second // however often somebody scrapes
	expiringTimeout = 2 * time.Second
)

var (
	tokenExpiry   = desc("token_expiry_timestamp_seconds", "When the token expires, in seconds since 1970; of the 20 that expire soonest among those made for a day and more.", "token_id", "org_id")
	tokenLastUsed = desc("token_last_used_timestamp_seconds", "When the token was last used, in seconds since 1970, 0 is never; of the same tokens.", "token_id", "org_id")
)

// expiring collects the tokens that expire soonest, as they were at most
// expiringEvery ago.
type expiring struct {
	o        Options
	failures prometheus.Counter

	mu     sync.Mutex
	at     time.Time  // of the last try; guarded by mu
	tokens []Expiring // of the last try that succeeded; guarded by mu
}

func newExpiring(o Options) *expiring {
	return &expiring{o: o, failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hallpass_token_expiry_failures_total",
		Help: "Times the tokens that expire soonest could not be read; those of before are shown then.",
	})}
}

// Describe is for the registry.
func (e *expiring) Describe(out chan<- *prometheus.Desc) {
	out <- tokenExpiry
	out <- tokenLastUsed
	e.failures.Describe(out)
}

// Collect is for the registry.
func (e *expiring) Collect(out chan<- prometheus.Metric) {
	for _, t := range e.soonest() {
		id, org := strconv.FormatInt(int64(t.Token), 10), strconv.FormatInt(int64(t.Org), 10)
		used := 0.0
		if !t.UsedAt.IsZero() {
			used = seconds(t.UsedAt)
		}
		out <- gauge(tokenExpiry, seconds(t.ExpiresAt), id, org)
		out <- gauge(tokenLastUsed, used, id, org)
	}
	e.failures.Collect(out)
}

func (e *expiring) soonest() []Expiring {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.at.IsZero() && time.Since(e.at) < expiringEvery {
		return e.tokens
	}
	ctx, cancel := context.WithTimeout(context.Background(), expiringTimeout)
	defer cancel()
	tokens, err := e.o.Expiring(ctx)
	e.at = time.Now()
	if err != nil {
		e.failures.Inc()
		e.o.Log.Warn("the metrics of tokens that expire are not up to date: the tokens could not be read from the database", "error", err)
		return e.tokens
	}
	e.tokens = tokens[:min(len(tokens), MaxExpiring)]
	return e.tokens
}
