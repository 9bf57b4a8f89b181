package metrics

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hallpass-dev/hallpass/internal/verify"
)

// A Pool is a pool of connections to the database.
type Pool struct {
	Name              string // as "read": a word of ours
	Open, InUse, Idle int
	Max               int // 0: no bound
	Waits             uint64
	WaitSeconds       float64
}

// A Lease is the state of this node's lease on the changes of authority.
type Lease struct {
	Held         bool          // the node may answer from its memory
	Age          time.Duration // since the time at which the memory was proved complete
	LeaseLeft    time.Duration // until the node must answer 503; 0 or less: it must
	MaxStaleness time.Duration // the age at which the lease ends
	Version      int64         // the last change applied
	Heartbeat    time.Duration // the duration of the last heartbeat
	Diverged     bool          // the database is not the one whose changes were applied
}

// A Node is one server on the same database.
type Node struct {
	Name         string // which the operator gave it
	Self         bool
	Lag          int64         // changes it has not applied
	HeartbeatAge time.Duration // since its last heartbeat
}

// Decisions counts the decisions of a guard that ended alike.
type Decisions struct {
	Guard   string // its name; "": there is no such guard
	Outcome string // "allowed", or the reason of a refusal
	Rule    int    // the number of the rule that matched; 0: none
	Count   uint64
}

// Notices counts the attempts to send notices that ended alike.
type Notices struct {
	Channel string // the kind of channel: "webhook", "mail" or "slack"
	Outcome string // "sent", "failed" (it is tried again) or "dead" (it is not)
	Count   uint64
}

// maxNodes bounds the nodes shown: those that never come back may pile up.
const maxNodes = 64

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hallpass_"+name, help, labels, nil)
}

var (
	verifications = desc("verifications_total", "Verifications of tokens by outcome.", "outcome")
	refusals      = desc("token_refusals_total", "Refusals of tokens by the ID of their reason.", "reason")
	cacheHits     = desc("verify_cache_hits_total", "Verifications answered from memory.")
	cacheMisses   = desc("verify_cache_misses_total", "Verifications that had to read the database.")
	cacheEntries  = desc("verify_cache_entries", "Tokens held in memory.")
	cacheSize     = desc("verify_cache_max_entries", "Tokens that memory has room for.")
	usesWaiting   = desc("last_uses_waiting", "Tokens whose last use is not yet written.")
	usesLate      = desc("last_use_delay_seconds", "How late a last use is written at most; more than 5 when so many tokens are in use that writing them sooner would take more than a tenth of a core.")
	usageDropped  = desc("usage_dropped_total", "Requests with tokens whose client or action memory had no room for.")
	usesDropped   = desc("last_uses_dropped_total", "Last uses that memory had no room for, because the database took none for long.")
	useFlushes    = desc("last_use_flushes_total", "Flushes of last uses that wrote something.")
	usesFlushed   = desc("last_uses_written_total", "Last uses written.")
	useSeconds    = desc("last_use_flush_seconds_total", "Time that flushes of last uses took.")

	poolOpen        = desc("database_connections", "Connections to the database by pool and state.", "pool", "state")
	poolMax         = desc("database_max_connections", "Most connections that the pool opens; 0 is no bound.", "pool")
	poolWaits       = desc("database_connection_waits_total", "Times somebody waited for a connection of the pool.", "pool")
	poolWaitSeconds = desc("database_connection_wait_seconds_total", "Time spent waiting for connections of the pool.", "pool")

	notices   = desc("notices_total", "Attempts to send notices by the kind of channel and by outcome: sent, failed and tried again, or dead.", "channel", "outcome")
	decisions = desc("guard_decisions_total", "Decisions of guards by outcome and by the number of the rule that matched; 0 is none.", "guard", "outcome", "rule")

	unread = desc("forwarded_unread_total", "Entries of trusted proxies that name no address of a client in a form that can be read.")

	viewLeased       = desc("view_leased", "Whether this node can prove its view of revocations young enough to answer from it.")
	viewAge          = desc("view_age_seconds", "Age of this node's view of revocations.")
	viewLeaseLeft    = desc("view_lease_left_seconds", "Time until this node must answer 503.")
	viewMaxStaleness = desc("view_max_staleness_seconds", "Age at which this node stops answering from its view.")
	viewVersion      = desc("view_version", "Changes of authority that this node has applied.")
	viewDiverged     = desc("view_diverged", "Whether the database has a history other than the one this node has applied.")
	viewHeartbeat    = desc("view_heartbeat_seconds", "Time that this node's last heartbeat on the database took.")

	nodeLag          = desc("node_lag_versions", "Changes of authority that the node has not yet applied.", "node", "self")
	nodeHeartbeatAge = desc("node_beat_age_seconds", "Time since the node last showed life; of one that was taken off the list too, for an hour or until it is back.", "node", "self")
)

func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// handedIn collects what the functions of Options return.
type handedIn struct{ Options }

// Describe is for the registry.
func (h handedIn) Describe(out chan<- *prometheus.Desc) {
	var all []*prometheus.Desc
	if h.Verify != nil {
		all = append(all, verifications, cacheHits, cacheMisses, cacheEntries, cacheSize, usesWaiting, usesLate, usesDropped, usageDropped, useFlushes, usesFlushed, useSeconds)
	}
	if h.Pools != nil {
		all = append(all, poolOpen, poolMax, poolWaits, poolWaitSeconds)
	}
	if h.Unread != nil {
		all = append(all, unread)
	}
	if h.Decisions != nil {
		all = append(all, decisions)
	}
	if h.Notices != nil {
		all = append(all, notices)
	}
	if h.Jobs != nil {
		all = append(all, jobRuns, jobFailures, jobFailing, jobRanAt, jobElapsed)
	}
	if h.Lease != nil {
		all = append(all, viewLeased, viewAge, viewLeaseLeft, viewMaxStaleness, viewVersion, viewDiverged, viewHeartbeat)
	}
	if h.Nodes != nil {
		all = append(all, nodeLag, nodeHeartbeatAge)
	}
	for _, d := range all {
		out <- d
	}
}

// Collect is for the registry.
func (h handedIn) Collect(out chan<- prometheus.Metric) {
	if h.Verify != nil {
		collectVerify(out, h.Verify())
	}
	if h.Pools != nil {
		for _, p := range h.Pools() {
			out <- gauge(poolOpen, float64(p.InUse), p.Name, "in_use")
			out <- gauge(poolOpen, float64(p.Idle), p.Name, "idle")
			out <- gauge(poolMax, float64(p.Max), p.Name)
			out <- counter(poolWaits, float64(p.Waits), p.Name)
			out <- counter(poolWaitSeconds, p.WaitSeconds, p.Name)
		}
	}
	if h.Unread != nil {
		out <- counter(unread, float64(h.Unread()))
	}
	if h.Decisions != nil {
		for _, d := range h.Decisions() {
			out <- counter(decisions, float64(d.Count), d.Guard, d.Outcome, strconv.Itoa(d.Rule))
		}
	}
	if h.Notices != nil {
		for _, n := range h.Notices() {
			out <- counter(notices, float64(n.Count), n.Channel, n.Outcome)
		}
	}
	if h.Jobs != nil {
		collectJobs(out, h.Jobs())
	}
	if h.Lease != nil {
		v := h.Lease()
		out <- gauge(viewLeased, number(v.Held))
		out <- gauge(viewAge, v.Age.Seconds())
		out <- gauge(viewLeaseLeft, max(v.LeaseLeft, 0).Seconds())
		out <- gauge(viewMaxStaleness, v.MaxStaleness.Seconds())
		out <- gauge(viewVersion, float64(v.Version))
		out <- gauge(viewDiverged, number(v.Diverged))
		out <- gauge(viewHeartbeat, v.Heartbeat.Seconds())
	}
	if h.Nodes != nil {
		collectNodes(out, h.Nodes())
	}
}

func collectVerify(out chan<- prometheus.Metric, s verify.Stats) {
	for _, outcome := range slices.Sorted(maps.Keys(s.Outcomes)) {
		out <- counter(verifications, float64(s.Outcomes[outcome]), outcome)
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Refusals)) {
		out <- counter(refusals, float64(s.Refusals[reason]), reason)
	}
	out <- counter(cacheHits, float64(s.Hits))
	out <- counter(cacheMisses, float64(s.Misses))
	out <- gauge(cacheEntries, float64(s.Entries))
	out <- gauge(cacheSize, float64(s.Size))
	out <- gauge(usesWaiting, float64(s.UsesWaiting))
	out <- gauge(usesLate, s.UsesLate.Seconds())
	out <- counter(usesDropped, float64(s.UsesDropped))
	out <- counter(usageDropped, float64(s.UsageDropped))
	out <- counter(useFlushes, float64(s.Flushes))
	out <- counter(usesFlushed, float64(s.FlushedUses))
	out <- counter(useSeconds, s.FlushSeconds)
}

// collectNodes shows each name once, this node first and then those that
// showed life last.
func collectNodes(out chan<- prometheus.Metric, nodes []Node) {
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b Node) int {
		if a.Self != b.Self {
			return int(number(b.Self)) - int(number(a.Self))
		}
		return int((a.HeartbeatAge - b.HeartbeatAge).Milliseconds())
	})
	shown := make(map[string]bool)
	for _, n := range nodes {
		n.Name = strings.ToValidUTF8(n.Name, "?")
		if shown[n.Name] || len(shown) == maxNodes {
			continue
		}
		shown[n.Name] = true
		self := "false"
		if n.Self {
			self = "true"
		}
		out <- gauge(nodeLag, float64(n.Lag), n.Name, self)
		out <- gauge(nodeHeartbeatAge, n.HeartbeatAge.Seconds(), n.Name, self)
	}
}
