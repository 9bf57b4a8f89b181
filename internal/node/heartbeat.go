package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Heartbeat makes heartbeats on a shared database until there is nothing new to
// apply, and writes what was applied to the journal: what that does not take, and the
// rest of many changes, waits for the next call. store.ErrDiverged means that the
// database has not gone through what this node applied: the node answers nothing
// until the database is settled. Calls must not overlap, and not run beside Run.
func (n *Node) Heartbeat(ctx context.Context) (err error) {
	var applied []store.ChangeRow
	for again := true; again; {
		var rows []store.ChangeRow
		rows, err = n.beat(ctx)
		n.report.heartbeat(ctx, err, n.Status())
		n.report.byHand(rows)
		applied = append(applied, rows...)
		again = err == nil && len(rows) > 0 // the next one acknowledges them
	}
	n.unwritten = append(n.unwritten, applied...)
	n.write(ctx, err)
	return err
}

// journalBatch is how many changes the journal gets with one heartbeat at most: for
// each, the database is asked what has become of its subject.
const journalBatch = 500

// write writes to the journal what was applied. The rest of many changes waits for the
// next heartbeat, unless the database does not know them any more.
func (n *Node) write(ctx context.Context, heartbeat error) {
	rows := n.unwritten
	if !errors.Is(heartbeat, store.ErrDiverged) {
		rows = rows[:min(len(rows), journalBatch)]
	}
	if err := n.journal.keep(ctx, n.db, rows); err != nil {
		n.report.unwritten(ctx, n.journal.Path(), err)
		return
	}
	if n.unwritten = n.unwritten[len(rows):]; len(n.unwritten) == 0 {
		n.unwritten = nil
	}
}

// beat makes one heartbeat: it applies what other nodes have changed, and only then
// renews the lease. It returns the changes applied.
func (n *Node) beat(ctx context.Context) ([]store.ChangeRow, error) {
	begun := n.boot()
	if n.diverged.Load() {
		return nil, store.ErrDiverged
	}
	if !n.registered {
		rows, err := n.register(ctx)
		n.heard(begun, err)
		return rows, err
	}
	b, err := n.conn.Heartbeat(ctx, n.known)
	n.heard(begun, err)
	if errors.Is(err, store.ErrRemoved) {
		n.lease.end()
		n.registered = false
		return n.register(ctx)
	}
	if err == nil {
		err = n.follows(b)
	}
	if errors.Is(err, store.ErrDiverged) {
		n.diverge()
	}
	if err != nil {
		return nil, err
	}
	n.applied.Store(int64(b.State.Version)) // first: from here on nothing older is read
	n.apply(b.Changes)
	n.learn(b, begun)
	n.lease.renew(begun)
	return b.Changes, n.remove(ctx, n.peers.look(b.Nodes, n.boot()))
}

// heard notes how a heartbeat that began at begun went.
func (n *Node) heard(begun time.Duration, err error) {
	now := n.boot()
	n.peers.heard(now, !errors.Is(err, hallpass.Unavailable))
	if err == nil {
		n.elapsed.Store(int64(now - begun))
	}
}

// register writes this node's row. The node forgets all that it remembers but
// known; it gets its lease with the next heartbeat. It returns the changes since known,
// for the journal.
func (n *Node) register(ctx context.Context) ([]store.ChangeRow, error) {
	begun := n.boot()
	n.db.AnnounceAll()
	b, err := n.conn.Register(ctx, n.known)
	if errors.Is(err, store.ErrDiverged) {
		n.diverge()
	}
	if err != nil {
		return nil, err
	}
	n.applied.Store(int64(b.State.Version))
	n.db.AnnounceAll() // what was read while registering is from before its state
	n.learn(b, begun)
	n.registered = true
	n.peers.reset()
	return b.Changes, nil
}

// follows returns ErrDiverged unless the changes of the heartbeat lead from known to
// its state.
func (n *Node) follows(b store.Heartbeat) error {
	digest := n.known.Digest
	for _, row := range b.Changes {
		if digest = hallpass.ChainDigest(digest, row.Version, row.Change); digest != row.Digest {
			return store.ErrDiverged
		}
	}
	if digest != b.State.Digest {
		return store.ErrDiverged
	}
	return nil
}

// apply announces the changes of other nodes, so that what they touch is forgotten
// as if they were made here.
func (n *Node) apply(rows []store.ChangeRow) {
	if len(rows) == 0 {
		return
	}
	changes := make([]hallpass.Change, len(rows))
	for i, r := range rows {
		changes[i] = r.Change
	}
	n.db.Announce(changes)
}

// learn takes over what a heartbeat that began at begun brought.
func (n *Node) learn(b store.Heartbeat, begun time.Duration) {
	n.clock.learn(b.Now, begun, n.boot())
	n.lease.begun.Store(int64(begun))
	n.known = b.State
	if b.Nodes != nil {
		n.peers.list(b.Nodes)
	}
}

// remove deletes the rows of nodes whose lease is over, so that no change waits for
// them.
func (n *Node) remove(ctx context.Context, dead []hallpass.Node) error {
	var errs []error
	for _, d := range dead {
		if err := n.conn.Remove(ctx, d.ID, d.Heartbeats); err != nil {
			errs = append(errs, fmt.Errorf("node %s: %w", d.Name, err))
		}
	}
	return errors.Join(errs...)
}

// diverge ends the lease: the database has not gone through what this node applied.
func (n *Node) diverge() {
	n.lease.end()
	n.diverged.Store(true)
}

// settled says that the database's history was compared up to known, and that the
// database refuses again what this node knew to have ended. The next heartbeat
// registers the node anew, with a database that has gone through known: it may be
// another than the one that was compared.
func (n *Node) settled(known store.State) {
	n.known, n.registered, n.unwritten = known, false, nil
	n.db.AnnounceAll()
	n.diverged.Store(false)
}
