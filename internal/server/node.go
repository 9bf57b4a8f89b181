package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/version"
)

// nodeName names this process for people: the machine and the port.
func (s *Server) nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	if port := s.config.Server.HTTPPort; port != 0 {
		return fmt.Sprintf("%s:%d", host, port)
	}
	return fmt.Sprintf("%s (process %d)", host, os.Getpid())
}

// newNode returns this process as a node on the open database. now may be nil for
// the real clock.
func (s *Server) newNode(now func() time.Time) *node.Node {
	c := s.config.Server
	var key ed25519.PublicKey
	if s.signer != nil {
		key = s.signer.PublicKey()
	}
	return node.New(s.db, s.journal, node.Options{
		Name: s.nodeName(), Address: c.place(), Version: version.Current().Version, Now: now, MaxStaleness: s.maxStaleness, Log: s.log,
		SigningKey: key,
	})
}

// settle has the node compare the database with the journal.
func (s *Server) settle(ctx context.Context) error {
	_, err := s.node.Settle(ctx)
	return err
}

// Histories are what AcceptHistory compares.
type Histories = node.Histories

// AcceptHistory has the data directory take the database as it is, after a person
// looked at what its journal could not tell. Without yes it only says what that would
// be. A database of another installation is refused. The server must be stopped.
func AcceptHistory(ctx context.Context, c Config, yes bool) (h Histories, err error) {
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.openStore(ctx); err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.node = s.newNode(nil)
	return s.node.AcceptHistory(ctx, yes)
}
