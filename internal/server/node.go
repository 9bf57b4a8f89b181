package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Times of a node's heart.
const (
	beatEvery   = 200 * time.Millisecond
	listenAgain = time.Second
	settleAgain = time.Second
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

// newNode describes this process to others.
func (s *Server) newNode(now time.Time) hallpass.Node {
	c := s.config.Server
	return hallpass.Node{
		ID: secret.NewUID(), Name: s.nodeName(), Address: net.JoinHostPort(c.HTTPAddr, strconv.Itoa(c.HTTPPort)), Version: Version,
		StartedAt: now.UTC().Truncate(time.Microsecond), Bound: s.maxStaleness,
	}
}

// join makes this process a node of a shared database: known to the others, and
// with its first lease.
func (s *Server) join(ctx context.Context) error {
	if !s.db.Shared() {
		return nil
	}
	s.heart = s.db.NewHeart(s.self)
	s.verify.Settled(s.journal.Known())
	for range 2 { // one to be known, one for the lease
		if _, err := s.verify.Beat(ctx, s.heart); err != nil {
			return err
		}
	}
	return nil
}

// beat keeps the heart of this node going until ctx is done, and then takes the
// node's row away.
func (s *Server) beat(ctx context.Context) {
	if s.heart == nil {
		<-ctx.Done()
		return
	}
	woken := make(chan struct{}, 1)
	go s.listen(ctx, func() {
		select {
		case woken <- struct{}{}:
		default: // one is enough
		}
	})
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		s.beatOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-woken:
		}
	}
}

// beatOnce makes heartbeats until there is nothing new to apply.
func (s *Server) beatOnce(ctx context.Context) {
	var applied []store.ChangeRow
	defer func() {
		if err := s.db.Keep(ctx, s.journal, applied); err != nil && ctx.Err() == nil {
			s.log.Error("the journal cannot be written: what is revoked now might come back with an older database", "error", err)
		}
	}()
	for {
		limit, cancel := context.WithTimeout(ctx, beatTimeout(s.maxStaleness))
		rows, err := s.verify.Beat(limit, s.heart)
		cancel()
		s.tellBeat(ctx, err)
		applied = append(applied, rows...)
		s.tellByHand(rows)
		if errors.Is(err, store.ErrDiverged) {
			s.settleDiverged(ctx)
			return
		}
		if err != nil {
			return
		}
		if len(rows) == 0 {
			s.tellNodes(ctx)
			return
		}
	}
}

// beatTimeout is how long one heartbeat may take: a few must fit into the time
// that the view may be old.
func beatTimeout(maxStaleness time.Duration) time.Duration {
	return max(maxStaleness/4, 250*time.Millisecond)
}

// tellNodes logs when another node falls silent, for revocations wait for it, and
// when that is over.
func (s *Server) tellNodes(ctx context.Context) {
	list, err := s.verify.Nodes(ctx)
	if err != nil {
		return // of a shared database nothing is read for it
	}
	silent := make(map[string]string)
	for _, n := range list {
		if n.Self || n.State == verify.NodeLive {
			continue
		}
		silent[n.ID] = n.Name
		if _, told := s.silent[n.ID]; !told {
			s.log.Warn("a node is silent: revocations wait until it is heard of, or its lease is over", "node", n.Name, "silent", n.Silent.String(), "lease", n.Lease.String())
		}
	}
	for id, name := range s.silent {
		if _, still := silent[id]; still {
			continue
		}
		what := "a node that was silent left the list: no revocation waits for it"
		if slices.ContainsFunc(list, func(n verify.NodeStatus) bool { return n.ID == id }) {
			what = "a node that was silent is heard of again"
		}
		s.log.Info(what, "node", name)
	}
	s.silent = silent
}

// tellByHand logs that somebody wrote to the shared database beside Hallpass.
func (s *Server) tellByHand(rows []store.ChangeRow) {
	for _, r := range rows {
		if r.Change.Kind == hallpass.ChangedByHand {
			s.log.Warn("somebody wrote to the database beside Hallpass: every node reads anew what it remembers. The audit says who, and in which table (action database.write). "+
				"Use the API, the console or the command line instead", "change", r.Version)
			return // one line for however many statements
		}
	}
}

// tellBeat logs when heartbeats begin to fail, and when they succeed again.
func (s *Server) tellBeat(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil || errors.Is(err, store.ErrDiverged):
	case err != nil && !s.beatFails.Load():
		s.beatFails.Store(true)
		s.log.Warn("the database does not answer heartbeats: nothing will be verified when the lease is over", "lease_left", s.verify.View().LeaseLeft.String(), "error", err)
	case err == nil && s.beatFails.Load():
		s.beatFails.Store(false)
		s.log.Info("the database answers heartbeats again")
	}
}

// listen has wake called when another node changed something, for as long as ctx
// lasts. Without it changes are heard of with the next heartbeat.
func (s *Server) listen(ctx context.Context, wake func()) {
	for ctx.Err() == nil {
		err := s.heart.Listen(ctx, wake)
		if ctx.Err() == nil {
			s.log.Debug("the connection for notifications was lost", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

// leave takes this node's row away, so that nobody waits for it. It verifies
// nothing any more.
func (s *Server) leave(ctx context.Context) error {
	if s.heart == nil {
		return nil
	}
	return s.heart.Leave(ctx)
}

// settleDiverged makes a database that came back older refuse again what this
// node knows to have ended. Until that is done nothing is verified here.
func (s *Server) settleDiverged(ctx context.Context) {
	s.db.Forget()
	_, err := s.settle(ctx)
	if err == nil {
		s.verify.Settled(s.journal.Known())
		s.divergedAt = time.Time{}
		return
	}
	if time.Since(s.divergedAt) > time.Minute {
		s.divergedAt = time.Now()
		s.log.Error("the database's history is not the one this node remembers: nothing is verified until that is settled", "error", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(settleAgain):
	}
}

// settle compares the database with the journal. One that is older, or has
// another past since some moment, is told again what had ended by then; what the
// journal cannot tell stops us. It returns how many things it ended again.
func (s *Server) settle(ctx context.Context) (ended int, err error) {
	known := s.journal.Known()
	var now store.State
	var lost []store.JournalEntry
	diverged, whole := false, true
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		if now, err = tx.State(ctx); err != nil {
			return err
		}
		if err := tx.Continues(ctx, known); !errors.Is(err, store.ErrDiverged) || known.Installation != now.Installation {
			return err
		}
		diverged = true
		lost, whole, err = s.journal.Since(ctx, tx)
		return err
	})
	if errors.Is(err, store.ErrDiverged) {
		return 0, fmt.Errorf("the journal %s is of the installation %s, the database of %s: %w: use the data directory that belongs to this database, or move the journal away",
			s.journal.Path(), known.Installation, now.Installation, err)
	}
	if err != nil {
		return 0, err
	}
	if known.Installation == "" {
		return 0, s.journal.Begin(now, false)
	}
	if !diverged {
		return 0, s.catchUp(ctx)
	}
	return s.reapply(ctx, lost, whole)
}

// reapply makes what is lost true again and has the journal go on from there. An
// incomplete list is for a person to complete.
func (s *Server) reapply(ctx context.Context, lost []store.JournalEntry, whole bool) (made int, err error) {
	var open []store.JournalEntry
	var before, now store.State
	err = s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if before, err = tx.State(ctx); err != nil {
			return err
		}
		if made, open, err = tx.Reapply(ctx, lost, s.admin.Now()); err != nil {
			return err
		}
		now, err = tx.State(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.log.Error("the database came back older than this node remembers: what had ended was ended again",
		"changes_lost", len(lost), "database_version", before.Version, "known_version", s.journal.Known().Version, "made_again", made, "to_be_looked_at", len(open), "all_known", whole)
	if !whole {
		return made, fmt.Errorf("the database came back older than the journal %s begins: what ended between that and the journal's beginning is not known here: "+
			"look at users, accounts, tokens and roles, then run hallpass admin accept-history", s.journal.Path())
	}
	if len(open) > 0 {
		return made, errOpen(open)
	}
	return made, s.journal.Begin(now, false)
}

// errOpen says which changes a person must look at.
func errOpen(open []store.JournalEntry) error {
	var list strings.Builder
	for i, e := range open {
		if i == 10 {
			fmt.Fprintf(&list, "; and %d more", len(open)-i)
			break
		}
		if i > 0 {
			list.WriteString("; ")
		}
		fmt.Fprintf(&list, "%s %s %d", e.At.Format(time.RFC3339), e.Kind, e.ID)
	}
	return fmt.Errorf("the database came back older than this node remembers. Every token, session, account and user that had ended since was ended again, "+
		"but of %d changes only that they changed permissions is known, not how (%s): look at roles, teams and access, then run hallpass admin accept-history", len(open), list.String())
}

// catchUp writes the changes to the journal that it does not have yet.
func (s *Server) catchUp(ctx context.Context) error {
	var rows []store.ChangeRow
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Changes(ctx, s.journal.Known().Version)
		return err
	})
	if err != nil {
		return err
	}
	return s.db.Keep(ctx, s.journal, rows)
}

// AcceptHistory has the data directory take the database as it is, after a
// person looked at what its journal could not tell. The server must be stopped.
func AcceptHistory(ctx context.Context, c Config) (err error) {
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.openStore(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	now, err := state(ctx, s.db)
	if err != nil {
		return err
	}
	return s.journal.Begin(now, true)
}

// state returns where the database's history stands.
func state(ctx context.Context, db *store.DB) (now store.State, err error) {
	err = db.Read(ctx, func(tx *store.Tx) error {
		now, err = tx.State(ctx)
		return err
	})
	return now, err
}
