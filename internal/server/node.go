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
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
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

// newNode returns this process as a node.
func (s *Server) newNode(now func() time.Time) *node.Node {
	c := s.config.Server
	return node.New(s.db, node.Options{
		Name: s.nodeName(), Address: net.JoinHostPort(c.HTTPAddr, strconv.Itoa(c.HTTPPort)), Version: Version, Now: now, MaxStaleness: s.maxStaleness,
	})
}

// join makes this process a node of a shared database: known to the others, and
// with its first lease.
func (s *Server) join(ctx context.Context) error {
	if !s.db.Shared() {
		return nil
	}
	s.joined = true
	return s.node.Join(ctx, s.journal.Known())
}

// beat keeps the heart of this node going until ctx is done, and then takes the
// node's row away.
func (s *Server) beat(ctx context.Context) {
	if !s.node.Shared() {
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
			s.log.Error("the journal cannot be written: what is revoked now might come back with an older database. Look at the disk of the data directory", "journal", s.journal.Path(), "error", err)
		}
	}()
	for {
		rows, err := s.node.Heartbeat(ctx)
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

// slowBeat is how long a heartbeat may take without somebody being told: with a
// round trip of a fiftieth of what the view may be old.
func slowBeat(maxStaleness time.Duration) time.Duration {
	return max(maxStaleness/10, 100*time.Millisecond)
}

// tellNodes logs when another node falls silent, for revocations wait for it, and
// when that is over.
func (s *Server) tellNodes(ctx context.Context) {
	list, err := s.node.Peers(ctx)
	if err != nil {
		return // of a shared database nothing is read for it
	}
	silent := make(map[string]string)
	for _, n := range list {
		if n.Self || n.State == node.Live {
			continue
		}
		silent[n.ID] = n.Name
		if _, told := s.silent[n.ID]; !told {
			s.log.Warn("a node is silent: revocations wait until it is heard of or its lease is over. Look whether its process runs and reaches the database",
				"silent_node", n.Name, "silent_for", seconds(n.Silent), "lease_left", seconds(n.LeaseLeft))
		}
	}
	for id, name := range s.silent {
		if _, still := silent[id]; still {
			continue
		}
		if slices.ContainsFunc(list, func(n node.Peer) bool { return n.ID == id }) {
			s.log.Info("a node that was silent is heard of again", "silent_node", name)
			continue
		}
		s.log.Warn("a node that was silent left the list: no revocation waits for it any more. Start it again, or look why it does not reach the database", "silent_node", name)
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

// tellBeat logs when heartbeats begin to fail, when the lease is over for it, and
// when they succeed again.
func (s *Server) tellBeat(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, store.ErrDiverged) {
		return
	}
	view := s.node.Status()
	if err == nil {
		s.tellPace(view)
		if s.beatFails.Swap(false) {
			s.log.Info("the database answers heartbeats again: this node verifies", "silent_for", seconds(time.Since(s.failingSince)), "lease_was_over", s.leaseOver)
		}
		s.leaseOver = false
		return
	}
	if !s.beatFails.Swap(true) {
		s.failingSince = time.Now()
		s.log.Warn("the database does not answer this node's heartbeats: known tokens are verified from memory until the lease is over, changes say 503. "+
			"Look whether PostgreSQL runs, takes writes, waits for no standby, and can be reached from here", "lease_left", seconds(view.LeaseLeft), "error", err)
	}
	if !view.Leased && !s.leaseOver {
		s.leaseOver = true
		s.log.Error("the lease is over: this node verifies nothing and answers 503 until the database answers its heartbeats. "+
			"Bring PostgreSQL or the way to it back; do not restart this node, it recovers by itself", "view_age", seconds(view.Age), "max_staleness", s.maxStaleness.String(), "error", err)
	}
}

// tellPace logs when heartbeats become slow, and when they are quick again.
func (s *Server) tellPace(view node.Status) {
	limit := slowBeat(s.maxStaleness)
	switch {
	case view.Heartbeat > limit:
		s.slowBeats++
	case s.slowBeats >= slowBeats && view.Heartbeat > limit/2:
	default:
		if s.slowBeats >= slowBeats {
			s.log.Info("heartbeats are quick again", "took", seconds(view.Heartbeat))
		}
		s.slowBeats = 0
	}
	if s.slowBeats == slowBeats {
		s.log.Warn("heartbeats are slow: the way to the database is long, or it has too much to do. Each change takes many times a round trip. "+
			"Put the node nearer to the database, or raise database.max_staleness", "took", seconds(view.Heartbeat), "max_staleness", s.maxStaleness.String())
	}
}

// slowBeats is how many slow heartbeats in a row are told of.
const slowBeats = 5

// listen has wake called when another node changed something, for as long as ctx
// lasts. Without it changes are heard of with the next heartbeat.
func (s *Server) listen(ctx context.Context, wake func()) {
	for ctx.Err() == nil {
		err := s.node.Listen(ctx, wake)
		if ctx.Err() == nil && !s.beatFails.Load() { // else that is what is wrong, and is told
			s.log.Info("the connection on which other nodes' changes are told was lost: until it is back they are found with the next heartbeat. Nothing is to be done", "error", err)
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
	s.joined = false
	return s.node.Leave(ctx)
}

func (s *Server) tellLeft(err error) {
	if err != nil {
		s.log.Warn("this node could not take itself off the list: the others' revocations wait until its lease is over, once", "error", err)
	}
}

// settleDiverged makes a database that came back older refuse again what this
// node knows to have ended. Until that is done nothing is verified here.
func (s *Server) settleDiverged(ctx context.Context) {
	s.db.DropIdle()
	// Nothing is verified here until this node registers anew: its own changes,
	// and others', need not wait for a row of it that the copy may hold.
	err := s.leave(ctx)
	if err == nil {
		_, err = s.settle(ctx)
	}
	if err == nil {
		s.node.Settled(s.journal.Known())
		s.divergedAt = time.Time{}
		return
	}
	if time.Since(s.divergedAt) > time.Minute {
		s.divergedAt = time.Now()
		s.log.Error("the database's history is not the one this node remembers: it verifies nothing and answers 503 until that is settled. Find out which copy this is before anything else (docs/operations.md)", "error", err)
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
		if now, err = tx.State(); err != nil {
			return err
		}
		if err := tx.Continues(known); !errors.Is(err, store.ErrDiverged) || known.Installation != now.Installation {
			return err
		}
		diverged = true
		lost, whole, err = s.journal.Since(tx)
		return err
	})
	if errors.Is(err, store.ErrDiverged) {
		return 0, s.errForeign(now)
	}
	if err != nil {
		return 0, err
	}
	if known.Installation == "" {
		return 0, s.journal.Begin(now, false)
	}
	if diverged {
		return s.reapply(ctx, lost, whole)
	}
	if s.missing, err = s.raise(ctx); err != nil {
		return 0, err
	}
	return 0, s.catchUp(ctx)
}

// errForeign says that the journal is not of the installation of this database.
func (s *Server) errForeign(now store.State) error {
	return fmt.Errorf("the journal %s is of the installation %s, the database of %s: %w: use the data directory that belongs to this database, or move the journal away",
		s.journal.Path(), s.journal.Known().Installation, now.Installation, store.ErrDiverged)
}

// reapply makes what is lost true again and has the journal go on from there. An
// incomplete list is for a person to complete.
func (s *Server) reapply(ctx context.Context, lost []store.JournalEntry, whole bool) (made int, err error) {
	var open []store.JournalEntry
	var before, now store.State
	err = s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if before, err = tx.State(); err != nil {
			return err
		}
		if s.missing, err = s.missingIn(tx); err != nil {
			return err
		}
		if made, open, err = tx.Reapply(lost, s.admin.Now()); err != nil {
			return err
		}
		if whole && len(open) == 0 { // else accepting does, and names them until then
			if err := s.raiseCounters(tx); err != nil {
				return err
			}
		}
		now, err = tx.State()
		return err
	})
	if err != nil {
		return 0, err
	}
	level := slog.LevelWarn // nobody has to do anything
	if !whole || len(open) > 0 {
		level = slog.LevelError
	}
	s.log.Log(ctx, level, "the database is older than this node remembers, as after a restore or a failover to an older copy: what had ended was ended again, what was made since is lost",
		"changes_lost", len(lost), "database_version", before.Version, "known_version", s.journal.Known().Version, "made_again", made, "to_be_looked_at", len(open), "all_known", whole,
		"made_since_and_lost", told(s.missing))
	if !whole {
		return made, fmt.Errorf("the database came back older than the journal %s begins: what ended between that and the journal's beginning is not known here: "+
			"look at users, accounts, tokens and roles, then run hallpass admin accept-history. Made since and lost: %s", s.journal.Path(), told(s.missing))
	}
	if len(open) > 0 {
		return made, errOpen(open, s.missing)
	}
	return made, s.journal.Begin(now, false)
}

// raise has the database give no number that the journal knows to be given: one
// that is older, and differs in nothing else, lacks what was made since. It returns
// which numbers those are.
func (s *Server) raise(ctx context.Context) (lost []string, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		lost, err = s.missingIn(tx)
		return err
	})
	if err != nil || len(lost) == 0 {
		return nil, err
	}
	s.log.Warn("the database is older than this node remembers: nothing had ended since, but what was made since is lost", "made_since_and_lost", told(lost))
	return lost, s.db.Write(ctx, func(tx *store.Tx) error { return s.raiseCounters(tx) })
}

// missingIn lists the numbers that the journal knows to be given and the database
// does not.
func (s *Server) missingIn(tx *store.Tx) ([]string, error) {
	counters, err := tx.Counters()
	return missing(counters, s.journal.Given()), err
}

// raiseCounters has the database give no number that the journal knows to be
// given. The audit tells which are missing.
func (s *Server) raiseCounters(tx *store.Tx) error {
	lost, err := s.missingIn(tx)
	if err != nil || len(lost) == 0 {
		return err
	}
	if err := tx.RaiseCounters(s.journal.Given()); err != nil {
		return err
	}
	_, err = tx.Audit(hallpass.AuditEntry{
		At: s.admin.Now(), Action: "history.reapply", Outcome: hallpass.Done, Reason: "the database came back older; made since and lost: " + told(lost),
	})
	return err
}

// nouns are what the counters number.
var nouns = map[string]string{
	"principal": "accounts and users", "token": "tokens", "org": "orgs", "team": "teams", "role": "roles", "folder": "folders", "dashboard": "dashboards",
}

// missing lists the numbers that were given, and that the counters have not come
// to.
func missing(counters, given map[string]int64) []string {
	var list []string
	for _, name := range store.Numbered {
		switch from, to := counters[name]+1, given[name]; {
		case from == to:
			list = append(list, fmt.Sprintf("%s %d", nouns[name], to))
		case from < to:
			list = append(list, fmt.Sprintf("%s %d to %d", nouns[name], from, to))
		}
	}
	return list
}

// told is the list in words.
func told(missing []string) string {
	if len(missing) == 0 {
		return "nothing that has a number"
	}
	return strings.Join(missing, ", ")
}

// count has the journal keep the last numbers that were given; a database that
// has not come to them has come back older.
func (s *Server) count(ctx context.Context) error {
	var counters map[string]int64
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		counters, err = tx.Counters()
		return err
	})
	if err != nil {
		return err
	}
	if len(missing(counters, s.journal.Given())) > 0 {
		_, err := s.raise(ctx)
		return err
	}
	return s.journal.Count(counters)
}

// errOpen says which changes a person must look at.
func errOpen(open []store.JournalEntry, missing []string) error {
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
	return fmt.Errorf("the database is older than what this node remembers. Every token, session, account and user that had ended since then was ended again. "+
		"%d changes of permissions since then are lost, and this node does not know what they were (%s): check roles, teams and access, then run hallpass admin accept-history. Made since and lost: %s", len(open), list.String(), told(missing))
}

// catchUp writes the changes to the journal that it does not have yet.
func (s *Server) catchUp(ctx context.Context) error {
	var rows []store.ChangeRow
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Changes(s.journal.Known().Version)
		return err
	})
	if err != nil {
		return err
	}
	return s.db.Keep(ctx, s.journal, rows)
}

// Histories are the two that an operator is asked about: what the journal of a
// data directory remembers, and the database.
type Histories struct {
	Journal      string           // its path
	Installation string           // of the database
	Known, Now   hallpass.Version // where the journal's history ends, and the database's stands
	Shared       bool             // whether the database goes on from the journal's: there is nothing to accept
	Open         []string         // changes whose outcome the journal does not tell, each with when and what
	Whole        bool             // whether the journal tells all that the database does not know
	Missing      []string         // numbers that were given since, and what they numbered
}

// AcceptHistory has the data directory take the database as it is, after a
// person looked at what its journal could not tell; without yes it only says what
// that would be. A database of another installation is refused. The server must
// be stopped.
func AcceptHistory(ctx context.Context, c Config, yes bool) (h Histories, err error) {
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.openStore(ctx); err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.admin = admin.New(s.db, admin.Options{})
	known := s.journal.Known()
	h = Histories{Journal: s.journal.Path(), Known: known.Version, Whole: true}
	var now store.State
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if now, err = tx.State(); err != nil {
			return err
		}
		if known.Installation != "" && known.Installation != now.Installation {
			return s.errForeign(now)
		}
		switch err := tx.Continues(known); {
		case err == nil:
			h.Shared = true
			return nil
		case !errors.Is(err, store.ErrDiverged):
			return err
		}
		var lost []store.JournalEntry
		if lost, h.Whole, err = s.journal.Since(tx); err != nil {
			return err
		}
		for _, e := range lost {
			if e.Open() {
				h.Open = append(h.Open, e.At.Format(time.RFC3339)+" "+string(e.Kind)+" "+strconv.FormatInt(e.ID, 10))
			}
		}
		h.Missing, err = s.missingIn(tx)
		return err
	})
	h.Installation, h.Now = now.Installation, now.Version
	if err != nil || h.Shared || !yes {
		return h, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error { return s.raiseCounters(tx) })
	return h, errors.Join(err, s.journal.Begin(now, true))
}

// state returns where the database's history stands.
func state(ctx context.Context, db *store.DB) (now store.State, err error) {
	err = db.Read(ctx, func(tx *store.Tx) error {
		now, err = tx.State()
		return err
	})
	return now, err
}
