package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// reporter logs what changes in how this node and the others stand: once when it
// begins, once when it is over. It belongs to the goroutine of the heartbeats, save
// for failing.
type reporter struct {
	log          *slog.Logger
	maxStaleness time.Duration

	failing      atomic.Bool       // the database does not answer heartbeats
	failingSince time.Time         // zero before the first failure
	leased       bool              // this node has had a lease
	leaseOver    bool              // and that was logged
	slow         int               // slow heartbeats in a row
	silent       map[string]string // names of silent nodes, by ID
	divergedAt   time.Time         // when that was last logged; zero: it is not so
	unwrittenAt  time.Time         // when a journal that cannot be written was last logged
}

// slowHeartbeats is how many slow heartbeats in a row are logged.
const slowHeartbeats = 5

// seconds is a duration for people.
func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

// heartbeat logs when heartbeats begin to fail, when the lease is over for it, and
// when they succeed again. Before its first lease, a node loses nothing: Join returns
// what fails.
func (r *reporter) heartbeat(ctx context.Context, err error, s Status) {
	r.leased = r.leased || s.Leased
	if ctx.Err() != nil || errors.Is(err, store.ErrDiverged) || err != nil && !r.leased {
		return
	}
	if err == nil {
		r.pace(s.Heartbeat)
		if r.failing.Swap(false) {
			r.log.Info("the database answers heartbeats again: this node verifies", "silent_for", seconds(time.Since(r.failingSince)), "lease_was_over", r.leaseOver)
		}
		r.leaseOver = false
		return
	}
	if !r.failing.Swap(true) {
		r.failingSince = time.Now()
		r.log.Warn("the database does not answer this node's heartbeats: known tokens are verified from memory until the lease is over, changes say 503. "+
			"Look whether PostgreSQL runs, takes writes, waits for no standby, and can be reached from here", "lease_left", seconds(s.LeaseLeft), "error", err)
	}
	if !s.Leased && !r.leaseOver {
		r.leaseOver = true
		r.log.Error("the lease is over: this node verifies nothing and answers 503 until the database answers its heartbeats. "+
			"Bring PostgreSQL or the way to it back; do not restart this node, it recovers by itself", "view_age", seconds(s.Age), "max_staleness", r.maxStaleness.String(), "error", err)
	}
}

// pace logs when heartbeats become slow, and when they are quick again. One that
// lasts a tenth of a lease is slow: a round trip is then a fiftieth of it.
func (r *reporter) pace(elapsed time.Duration) {
	limit := max(r.maxStaleness/10, 100*time.Millisecond)
	switch {
	case elapsed > limit:
		r.slow++
	case r.slow >= slowHeartbeats && elapsed > limit/2:
	default:
		if r.slow >= slowHeartbeats {
			r.log.Info("heartbeats are quick again", "took", seconds(elapsed))
		}
		r.slow = 0
	}
	if r.slow == slowHeartbeats {
		r.log.Warn("heartbeats are slow: the way to the database is long, or it has too much to do. Each change takes many times a round trip. "+
			"Put the node nearer to the database, or raise database.max_staleness", "took", seconds(elapsed), "max_staleness", r.maxStaleness.String())
	}
}

// peers logs when another node falls silent, as revocations wait for it, and when
// that is over.
func (r *reporter) peers(list []Peer) {
	silent := make(map[string]string)
	for _, p := range list {
		if p.Self || p.State == Live {
			continue
		}
		silent[p.ID] = p.Name
		if _, known := r.silent[p.ID]; !known {
			r.log.Warn("a node is silent: revocations wait until it is heard of or its lease is over. Look whether its process runs and reaches the database",
				"silent_node", p.Name, "silent_for", seconds(p.Silent), "lease_left", seconds(p.LeaseLeft))
		}
	}
	for id, name := range r.silent {
		if _, still := silent[id]; still {
			continue
		}
		if slices.ContainsFunc(list, func(p Peer) bool { return p.ID == id }) {
			r.log.Info("a node that was silent is heard of again", "silent_node", name)
			continue
		}
		r.log.Warn("a node that was silent left the list: no revocation waits for it any more. Start it again, or look why it does not reach the database", "silent_node", name)
	}
	r.silent = silent
}

// byHand logs that somebody wrote to the shared database beside Hallpass: one line
// for all statements among the changes.
func (r *reporter) byHand(rows []store.ChangeRow) {
	for _, row := range rows {
		if row.Change.Kind == hallpass.ChangedByHand {
			r.log.Warn("somebody wrote to the database beside Hallpass: every node reads anew what it remembers. The audit says who, and in which table (action database.write). "+
				"Use the API, the console or the command line instead", "change", row.Version)
			return
		}
	}
}

// deaf logs that the connection of Listen failed, unless no heartbeat is answered
// either: then that is what is wrong, and is logged.
func (r *reporter) deaf(err error) {
	if !r.failing.Load() {
		r.log.Info("the connection on which other nodes' changes are told was lost: until it is back they are found with the next heartbeat. Nothing is to be done", "error", err)
	}
}

// left logs that this node could not leave.
func (r *reporter) left(err error) {
	r.log.Warn("this node could not take itself off the list: the others' revocations wait until its lease is over, once", "error", err)
}

// unwritten logs, once a minute, that the journal cannot be written.
func (r *reporter) unwritten(ctx context.Context, journal string, err error) {
	if ctx.Err() != nil || time.Since(r.unwrittenAt) <= time.Minute {
		return
	}
	r.unwrittenAt = time.Now()
	r.log.Error("the journal cannot be written: what is revoked now might come back with an older database. Look at the disk of the data directory", "journal", journal, "error", err)
}

// diverged logs, once a minute, that a diverged database cannot be settled.
func (r *reporter) diverged(err error) {
	if time.Since(r.divergedAt) > time.Minute {
		r.divergedAt = time.Now()
		r.log.Error("the database's history is not the one this node remembers: it verifies nothing and answers 503 until that is settled. Find out which copy this is before anything else (docs/operations.md)", "error", err)
	}
}

// settled says that the database is settled: when it diverges again that is logged.
func (r *reporter) settled() { r.divergedAt = time.Time{} }

// reapplied logs what was ended again in a database that came back older.
func (r *reporter) reapplied(c comparison, at, known hallpass.Version, s Settlement, open int) {
	level := slog.LevelWarn // nobody has to do anything
	if !c.whole || open > 0 {
		level = slog.LevelError
	}
	r.log.Log(context.Background(), level, "the database is older than this node remembers, as after a restore or a failover to an older copy: what had ended was ended again, what was made since is lost",
		"changes_lost", len(c.lost), "database_version", at, "known_version", known, "made_again", s.Reapplied, "to_be_looked_at", open, "all_known", c.whole,
		"made_since_and_lost", inWords(s.Lost))
}

// raised logs that the database is older and lacks only what was made since.
func (r *reporter) raised(lost []string) {
	r.log.Warn("the database is older than this node remembers: nothing had ended since, but what was made since is lost", "made_since_and_lost", inWords(lost))
}
