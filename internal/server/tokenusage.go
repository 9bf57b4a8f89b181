package server

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// began counts a request with a token, when its answer begins.
func (s *Server) began(e *httpd.Event, status int) {
	if e.Token == 0 || e.Route == nil {
		return
	}
	s.verify.Observe(&verify.Used{Token: e.Token, From: e.From, Method: e.Method, Route: e.Route, Asked: e.Asked, Status: status, Foreign: e.Foreign})
}

// pruneTokenUsage deletes days of tokens that are older than they are kept. The first
// run notes that usage is recorded from then on.
func (s *Server) pruneTokenUsage(ctx context.Context) error {
	now := s.node.Now()
	if err := s.db.BeginTokenUsage(ctx, now); err != nil {
		return err
	}
	return s.db.DeleteTokenDays(ctx, now.Add(-hallpass.TokenDayRetention))
}
