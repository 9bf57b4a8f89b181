package store

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// acks is what this node knows of the others: how far they have applied its changes.
type acks struct {
	look   chan struct{}    // holds one value while a goroutine asks the database
	lowest hallpass.Version // that every node had applied when last asked; belongs to who holds look
	asked  time.Duration    // by BootClock, when the question for lowest began; belongs to who holds look
	last   atomic.Int64     // nanoseconds from the last change's commit until every node had applied it
	heard  func(time.Duration)
}

// OnAcknowledged calls fn for each change made here, with the duration from its
// commit until every node had applied it. Set it before serving begins.
func (db *DB) OnAcknowledged(fn func(time.Duration)) { db.acks.heard = fn }

// margin is the factor by which the clocks of two machines may differ in speed.
const margin = 1.01

// ackEvery is the pause between two questions whether every node has applied a
// change.
const ackEvery = 2 * time.Millisecond

// awaitNodes returns when no node answers from memory that is older than v: every
// node has acknowledged v, or the longest lease has passed since the commit. It does
// not fail: the change is committed, and after that time no lease from before is left.
func (db *DB) awaitNodes(ctx context.Context, v hallpass.Version, longest time.Duration) {
	committed := BootClock()
	limit := time.Duration(float64(longest) * margin)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	for BootClock()-committed < limit && !db.appliedBy(ctx, v, committed) {
		time.Sleep(ackEvery)
	}
	elapsed := BootClock() - committed
	db.acks.last.Store(int64(elapsed))
	if db.acks.heard != nil {
		db.acks.heard(elapsed)
	}
}

// appliedBy reports whether every node has applied v, which was committed by then.
// Of many goroutines that ask at once, one asks the database; the others take its
// answer if the question came after their commit. An older answer may be about
// another database: after a failover to an older copy the same number means another
// change.
func (db *DB) appliedBy(ctx context.Context, v hallpass.Version, committed time.Duration) bool {
	select {
	case db.acks.look <- struct{}{}:
		defer func() { <-db.acks.look }()
	case <-ctx.Done():
		return false
	}
	if db.acks.asked >= committed && db.acks.lowest >= v { // the one before us learned enough
		return true
	}
	asked := BootClock()
	var lowest hallpass.Version
	err := db.read.QueryRowContext(ctx, `SELECT COALESCE(MIN(applied), $1) FROM nodes`, int64(v)).Scan(&lowest)
	if err != nil {
		return false
	}
	db.acks.lowest, db.acks.asked = lowest, asked
	return lowest >= v
}
