package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/metrics"
	"github.com/hallpass-dev/hallpass/internal/version"
)

// newMetrics returns what counts and shows, nil when [metrics] is off.
func (s *Server) newMetrics() *metrics.Metrics {
	c := s.config.Metrics
	if !c.Enabled {
		return nil
	}
	o := metrics.Options{
		Version: version.Current().Version, Log: s.log, Username: c.BasicAuthUsername, Password: c.BasicAuthPassword,
		Verify: s.verify.Stats, Pools: s.pools, Expiring: s.expiring, Unread: s.unread.Load, Jobs: s.Jobs, Decisions: s.decisions, Notices: s.noticeCounts,
	}
	if s.db.Shared() {
		o.Lease, o.Nodes = s.lease, s.nodes
	}
	m := metrics.New(o)
	s.db.OnAcknowledged(m.Acknowledged)
	return m
}

func (s *Server) decisions() []metrics.Decisions {
	var list []metrics.Decisions
	for d, n := range s.guard.Decisions() {
		list = append(list, metrics.Decisions{Guard: d.Guard, Outcome: d.Outcome, Rule: d.Rule, Count: n})
	}
	return list
}

func (s *Server) noticeCounts() []metrics.Notices {
	var list []metrics.Notices
	for _, c := range s.notices.Counts() {
		list = append(list, metrics.Notices{Channel: string(c.Channel), Outcome: c.Outcome, Count: c.N})
	}
	return list
}

func (s *Server) lease() metrics.Lease {
	v := s.node.Status()
	return metrics.Lease{
		Held: v.Leased, Age: v.Age, LeaseLeft: v.LeaseLeft, MaxStaleness: v.MaxStaleness, Version: int64(v.Applied), Diverged: v.Diverged, Heartbeat: v.Heartbeat,
	}
}

func (s *Server) nodes() []metrics.Node {
	all, err := s.node.Peers(context.Background())
	if err != nil {
		return nil // on a shared database nothing is read for it, so nothing fails
	}
	var list []metrics.Node
	for _, n := range all {
		list = append(list, metrics.Node{Name: n.Name, Self: n.Self, Lag: int64(n.Behind), HeartbeatAge: n.Silent})
	}
	for _, n := range s.node.Gone() {
		list = append(list, metrics.Node{Name: n.Name, HeartbeatAge: n.Silent})
	}
	return list
}

// canary tries whether a revocation is obeyed. An error says that it did not come
// that far.
func (s *Server) canary(ctx context.Context) error {
	refused, err := s.verify.Canary(ctx)
	result := metrics.CanaryAccepted
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the server stops
		return err
	case err != nil:
		result = metrics.CanaryFailed
	case refused:
		result = metrics.CanaryRefused
	default:
		s.log.Error("a revoked credential was accepted: the canary was answered from memory after its revocation. Take this node out of the balancer, keep its log, and revoke again what matters")
	}
	s.metrics.Canary(result, s.node.Now())
	return err
}

func (s *Server) pools() []metrics.Pool {
	var list []metrics.Pool
	for _, p := range s.db.Pools() {
		list = append(list, metrics.Pool(p))
	}
	return list
}

func (s *Server) expiring(ctx context.Context) ([]metrics.Expiring, error) {
	tokens, err := s.admin.ExpiringTokens(ctx, metrics.MaxExpiring)
	var list []metrics.Expiring
	for _, t := range tokens {
		list = append(list, metrics.Expiring{Token: t.ID, Org: t.Org, ExpiresAt: t.ExpiresAt, UsedAt: t.LastUse.At})
	}
	return list, err
}

// answered counts a request that was answered. A stream lasts as long as its
// reader likes, and what another server answers is its own: both say nothing about us.
func (s *Server) answered(r *http.Request, e *httpd.Event, status int) {
	if !e.Stream && !e.Foreign {
		s.metrics.Request(metrics.DoorOf(r.URL.Path), status, time.Since(e.Started))
	}
}

// stopTracing sends the last spans.
func (s *Server) stopTracing() error {
	ctx, cancel := context.WithTimeout(context.Background(), metrics.StopTimeout)
	defer cancel()
	return s.tracing.Stop(ctx)
}
