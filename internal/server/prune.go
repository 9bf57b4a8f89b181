package server

import (
	"context"
	"time"
)

// prune deletes from the audit what is older than [audit] retention.
func (s *Server) prune(ctx context.Context) error {
	keep, err := ParseDuration(s.config.Audit.Retention)
	if err != nil {
		return err
	}
	gone, err := s.admin.PruneAudit(ctx, keep, s.node.ID())
	if err == nil && gone.Entries > 0 {
		s.log.Info("old entries were deleted from the audit", "entries", gone.Entries, "first_day", gone.First.Format(time.DateOnly), "last_day", gone.Last.Format(time.DateOnly))
	}
	return err
}

// ApplyTokenPolicies does what the policies of orgs say about tokens that nobody uses,
// as the job does every hour.
func (s *Server) ApplyTokenPolicies(ctx context.Context) error {
	return s.admin.ApplyTokenPolicies(ctx)
}

// PruneTokens deletes tokens that ended longer ago than [service_accounts]
// dead_token_retention.
func (s *Server) PruneTokens(ctx context.Context) error {
	keep, err := s.config.ServiceAccounts.retention()
	if err != nil {
		return err
	}
	return s.admin.PruneTokens(ctx, keep)
}
