package store

import (
	"sync"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
)

// Coherence keeps the memory of somebody who remembers what the database said,
// and is told of changes, from remembering anything of before a change. Its zero
// value is ready; it is safe for concurrent use.
//
// Whoever reads calls Begin, then reads, then remembers what was read within
// Keep. Whoever is told of changes calls Changed. It rests on this:
//
//   - A change is announced as coming before its commit and as settled after it.
//     What a read finds can be of before a change only if the read began before
//     the change was settled.
//   - Such a read keeps nothing. If it began before the change was coming, or
//     between coming and settled, the epoch has moved since when the change is
//     settled; until then a change is under way, and Keep refuses.
//   - What was kept before the change was coming is forgotten then. Keep and
//     Changed exclude each other, so nothing is kept between the two.
//
// So what is remembered of a subject is what the database says of it, or the
// change that makes a difference has not come to its commit.
type Coherence struct {
	mu       sync.Mutex
	underWay int           // changes that are coming and not settled; guarded by mu
	epoch    atomic.Uint64 // moves with every event; written under mu
}

// An Epoch is a time between two events.
type Epoch uint64

// Begin returns the epoch that a read begins in. It takes no lock.
func (c *Coherence) Begin() Epoch { return Epoch(c.epoch.Load()) }

// Keep runs keep, which remembers what a read found that began in the epoch, and
// reports whether it did. When anything was announced since, or is under way, what
// was read may be of before, and must serve no longer than this one request.
func (c *Coherence) Keep(begun Epoch, keep func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.underWay > 0 || c.Begin() != begun {
		return false
	}
	keep()
	return true
}

// Changed runs forget, which drops what is remembered of those whom a change
// reaches, for each change of the event.
func (c *Coherence) Changed(e ChangeEvent, forget func(hallpass.Reach)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch.Add(1)
	if e.Phase == Settled {
		c.underWay--
		return // nothing was kept since they were coming
	}
	c.underWay++
	for _, change := range e.Changes {
		forget(change.Reach())
	}
}
