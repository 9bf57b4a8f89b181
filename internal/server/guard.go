package server

import (
	"context"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// ApplyGuards makes the guards of the configuration file those that are given, and opens
// and closes their addresses. When it fails, all guards and addresses stay as they were.
func (s *Server) ApplyGuards(ctx context.Context, list []hallpass.Guard) error {
	return s.turnListeners(list, func() error { return s.storeGuards(ctx, list) })
}

// storeGuards makes the guards of the configuration file those that are given, for every
// node, and returns when every node decides by them.
func (s *Server) storeGuards(ctx context.Context, list []hallpass.Guard) error {
	did, err := s.admin.ApplyConfigGuards(ctx, list, s.config.ConfigFile)
	if err == nil && len(did) > 0 {
		s.log.Info("the guards of the configuration file were applied", "changes", strings.Join(did, ", "))
	}
	return err
}

// applyGuards stores the guards that this server began with. A server without a file
// says nothing about guards.
func (s *Server) applyGuards(ctx context.Context) error {
	if s.config.ConfigFile == "" {
		return nil
	}
	return s.storeGuards(ctx, s.config.Guards)
}

// brokenGuard logs that a guard refuses every request.
func (s *Server) brokenGuard(g hallpass.Guard, err error) {
	s.log.Error("a guard refuses every request until it is saved again", "guard", g.Name, "suspended", string(g.Suspended), "error", err)
}

// itself lists the URLs of this server, as far as its settings tell.
func (c *Config) itself() []string {
	return []string{c.Server.origin(c.Server.address()), c.Server.RootURL}
}
