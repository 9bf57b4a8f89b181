package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// newRevoked returns the histogram of revocations: in classic buckets, and
// natively for those who collect that.
func newRevoked() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                        "hallpass_revocation_acknowledged_seconds",
		Help:                        "Time from the commit of a revocation until every node had acknowledged it, or could not answer any more.",
		Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	})
}

// Acknowledged records the duration until every node had acknowledged a revocation.
func (m *Metrics) Acknowledged(d time.Duration) {
	if m != nil {
		m.revoked.Observe(d.Seconds())
	}
}

// CanaryResult is how one run of the canary ended: a credential was made, used,
// revoked, and presented again.
type CanaryResult uint8

// The results of the canary.
const (
	CanaryRefused  CanaryResult = iota // by every node that was asked: revocation works
	CanaryAccepted                     // a node took it after the revocation was answered
	CanaryFailed                       // the run did not come that far
	canaryResults
)

var canaryNames = [canaryResults]string{"refused", "accepted", "failed"}

// canary holds the metrics of the canary. Before its first run only the counts are
// shown: no run yet is not a failure.
type canary struct {
	success, timestamp *prometheus.Desc
	runs               *prometheus.CounterVec

	mu   sync.Mutex
	last CanaryResult // guarded by mu
	at   time.Time    // guarded by mu
}

func newCanary() *canary {
	c := &canary{
		success:   desc("canary_success", "Whether the last run of the canary found its revoked credential refused."),
		timestamp: desc("canary_timestamp_seconds", "When the canary last ran, in seconds since 1970."),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hallpass_canary_runs_total",
			Help: "Runs of the canary by result: the revoked credential was refused, it was accepted, or the run failed before that.",
		}, []string{"result"}),
	}
	for _, result := range canaryNames {
		c.runs.WithLabelValues(result)
	}
	return c
}

// Canary records a run of the canary that ended at the time.
func (m *Metrics) Canary(result CanaryResult, at time.Time) {
	if m == nil || result >= canaryResults {
		return
	}
	m.canary.runs.WithLabelValues(canaryNames[result]).Inc()
	m.canary.mu.Lock()
	defer m.canary.mu.Unlock()
	m.canary.last, m.canary.at = result, at
}

// Describe is for the registry.
func (c *canary) Describe(out chan<- *prometheus.Desc) {
	out <- c.success
	out <- c.timestamp
	c.runs.Describe(out)
}

// Collect is for the registry.
func (c *canary) Collect(out chan<- prometheus.Metric) {
	c.runs.Collect(out)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return
	}
	out <- gauge(c.success, number(c.last == CanaryRefused))
	out <- gauge(c.timestamp, seconds(c.at))
}
