package server

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// ApplyGuards makes the guards of the configuration file those that are given. When it
// fails, all guards stay as they were.
func (s *Server) ApplyGuards(ctx context.Context, list []hallpass.Guard) error {
	did, err := s.admin.ApplyConfigGuards(ctx, list, s.config.ConfigFile)
	if err == nil && len(did) > 0 {
		s.log.Info("the guards of the configuration file were applied", "changes", strings.Join(did, ", "))
	}
	return err
}

// applyGuards is ApplyGuards with the guards that this server began with. A server
// without a file says nothing about guards.
func (s *Server) applyGuards(ctx context.Context) error {
	if s.config.ConfigFile == "" {
		return nil
	}
	return s.ApplyGuards(ctx, s.config.Guards)
}

// brokenGuard logs that a guard refuses every request.
func (s *Server) brokenGuard(g hallpass.Guard, err error) {
	s.log.Error("a guard refuses every request until it is saved again", "guard", g.Name, "suspended", string(g.Suspended), "error", err)
}

// itself lists the URLs of this server, as far as its settings tell.
func (c *Config) itself() []string {
	return []string{"http://" + net.JoinHostPort(c.Server.HTTPAddr, strconv.Itoa(c.Server.HTTPPort)), c.Server.RootURL}
}
