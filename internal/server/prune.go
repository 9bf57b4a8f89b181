package server

import (
	"context"
	"time"
)

// pruneEvery is how often the audit is looked through for days that are to go,
// and pruneAgain how soon after that failed.
const (
	pruneEvery = time.Hour
	pruneAgain = time.Minute
)

// prune deletes from the audit what is older than [audit] retention, for as long
// as ctx lasts.
func (s *Server) prune(ctx context.Context) {
	if s.config.Audit.Retention == "" {
		return
	}
	keep, err := ParseDuration(s.config.Audit.Retention)
	if err != nil {
		return // Validate has refused what gets here
	}
	for ctx.Err() == nil {
		next := pruneEvery
		gone, err := s.admin.PruneAudit(ctx, keep, s.node.ID())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			next = pruneAgain
			s.log.Warn("the audit's old entries cannot be deleted, which is tried again in a minute", "error", err)
		case gone.Entries > 0:
			s.log.Info("old entries were deleted from the audit", "entries", gone.Entries, "first_day", gone.First.Format(time.DateOnly), "last_day", gone.Last.Format(time.DateOnly))
		}
		select {
		case <-ctx.Done():
		case <-time.After(next):
		}
	}
}
