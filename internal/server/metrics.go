package server

import (
	"context"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/metrics"
)

// newMetrics returns what counts and shows, nil when [metrics] is off.
func (s *Server) newMetrics() *metrics.Metrics {
	c := s.config.Metrics
	if !c.Enabled {
		return nil
	}
	return metrics.New(metrics.Options{
		Version: Version, Log: s.log, Username: c.BasicAuthUsername, Password: c.BasicAuthPassword,
		Verify: s.verify.Stats, Pools: s.pools, Expiring: s.expiring,
	})
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
// reader likes: it says nothing about us.
func (s *Server) answered(r *http.Request, e *httpd.Event, status int) {
	if !e.Stream {
		s.metrics.Request(metrics.DoorOf(r.URL.Path), status, time.Since(e.Started))
	}
}

// stopTracing sends the last spans.
func (s *Server) stopTracing() error {
	ctx, cancel := context.WithTimeout(context.Background(), metrics.StopTimeout)
	defer cancel()
	return s.tracing.Stop(ctx)
}
