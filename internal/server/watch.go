package server

import (
	"context"
	"log/slog"

	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// reserve keeps the room that is set aside for revocations on a full disk. It
// belongs to one goroutine at a time.
type reserve struct {
	db   *store.DB
	log  *slog.Logger
	full bool // the disk is, and that was logged
}

// keep sets the room aside, and logs when there is none any more, and when there
// is again.
func (r *reserve) keep(ctx context.Context) error {
	err := r.db.KeepReserve(ctx)
	full := r.db.Full()
	switch {
	case full && !r.full:
		r.log.Error("the disk is full: tokens are verified and can be revoked, nothing else is written: make room")
	case !full && r.full:
		r.log.Info("the disk has room again")
	}
	r.full = full
	return err
}

// clockWatch watches the clock. It belongs to one goroutine.
type clockWatch struct {
	node   *node.Node
	log    *slog.Logger
	behind bool // the clock went back, and that was logged
}

// look logs when the clock goes back, and when it has caught up.
func (c *clockWatch) look() {
	behind := c.node.ClockBehind()
	switch {
	case behind > 0 && !c.behind:
		c.log.Warn("the clock went back: tokens expire by the latest time it had told until it catches up or this server starts again", "behind", behind.String())
	case behind == 0 && c.behind:
		c.log.Info("the clock has caught up with the latest time it had told")
	}
	c.behind = behind > 0
}

// lookElsewhere drops what is in memory when another process has changed the
// database file.
func (s *Server) lookElsewhere(ctx context.Context) error {
	changed, err := s.db.ChangedElsewhere(ctx)
	if changed {
		s.db.AnnounceAll()
		s.log.Warn("another process changed the database file: what was in memory is read anew. Stop the server before you write to its file")
	}
	return err
}
