package node

import (
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// lease is for how long this node may answer from memory. Each heartbeat renews
// it, counted from when the heartbeat began. It goes by the boot clock, which runs
// on while the machine is suspended.
type lease struct {
	duration time.Duration
	until    atomic.Int64 // boot clock, nanoseconds: the end; 0: there is no lease
	begun    atomic.Int64 // boot clock, nanoseconds: when the last heartbeat that succeeded began
}

func (l *lease) renew(begun time.Duration) { l.until.Store(int64(begun + l.duration)) }

func (l *lease) end() { l.until.Store(0) }

// left returns how long the lease lasts when the boot clock says boot; it is over
// when that is not positive.
func (l *lease) left(boot time.Duration) time.Duration {
	return time.Duration(l.until.Load()) - boot
}

// age returns the duration since the last heartbeat that succeeded began.
func (l *lease) age(boot time.Duration) time.Duration {
	begun := l.begun.Load()
	if begun == 0 {
		return 0
	}
	return boot - time.Duration(begun)
}

// MayAnswer returns the time, and whether this node may answer from memory: its
// lease lasts, or the database is not shared. It takes no lock and allocates
// nothing.
func (n *Node) MayAnswer() (now time.Time, ok bool) {
	if n.conn == nil {
		return n.clock.at(0), true
	}
	boot := n.boot()
	ok = n.lease.left(boot) > 0
	return n.clock.at(boot), ok
}

// Leased reports whether this node may answer from memory, as MayAnswer does, to those who
// need not know the time. It takes no lock and allocates nothing.
func (n *Node) Leased() bool { return n.conn == nil || n.lease.left(n.boot()) > 0 }

// Applied returns the version that this node has applied. A read that begins now
// counts only if the database shows this version or a later one; else it is a
// database of before. It is 0 where the database is not shared.
func (n *Node) Applied() hallpass.Version { return hallpass.Version(n.applied.Load()) }
