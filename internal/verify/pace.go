package verify

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// Bounds on the time from the beginning of one pass to that of the next. A use that
// comes just after a pass began is written at the end of the next one.
const (
	leastPass = 2 * time.Second
	mostPass  = 30 * time.Second
	leastLate = 5 * time.Second // a use is told later than two passes, for the flush takes some time
)

// share is which part of the time a pass writes at most: one in ten.
const share = 10

// workInOne is how long one call of FlushUses writes before it lets others ask how
// it goes.
const workInOne = time.Second

// A pass writes the later uses that waited when it began. It rests between its
// transactions when all of them together cost much: the writes then take a tenth of
// the time, and uses are written later. The cost is the time that the transactions
// take: on SQLite that is this process's core and the turn of everybody who
// changes something, on PostgreSQL the database's core for the most part.
type pass struct {
	mu    sync.Mutex    // held over a flush of later uses
	left  []*entry      // to be written; guarded by mu
	began time.Time     // zero: no pass is under way; guarded by mu
	cost  time.Duration // of its transactions; guarded by mu
	pause time.Duration // until FlushUses should be called again; guarded by mu

	waiting atomic.Int64 // len(left), for those who do not hold mu
	took    atomic.Int64 // how long the last pass took, with its rest: nanoseconds
}

// rest returns how long a pass rests after a transaction that cost last. The pass
// began ago, has cost so much in all, and has so many transactions left.
func rest(last, cost, ago time.Duration, left int) time.Duration {
	switch {
	case left == 0: // until the next pass
		return max(min(max(share*cost, leastPass), mostPass)-ago, 0)
	case cost <= leastPass/share:
		return 0
	}
	return min((share-1)*last, max(mostPass-ago, 0)/time.Duration(left))
}

// FlushUses writes later uses for a while, at the pace that their cost allows.
// Pause then says when to call it again. What cannot be written is kept for the
// next time. The server calls it when Pause is over, and whenever Many fires.
func (v *Verifier) FlushUses(ctx context.Context) error {
	p := &v.uses.pass
	p.mu.Lock()
	defer p.mu.Unlock()
	for began := time.Now(); ; {
		if err := v.flushSome(ctx); err != nil {
			return err
		}
		if p.pause > 0 || time.Since(began) >= workInOne {
			return nil
		}
	}
}

// flushSome writes one transaction of the pass. The caller holds the pass.
func (v *Verifier) flushSome(ctx context.Context) error {
	p := &v.uses.pass
	if len(p.left) == 0 {
		v.begin()
	}
	began, last := time.Now(), time.Duration(0)
	var err error
	if len(p.left) > 0 {
		p.left, err = v.writeUses(ctx, &v.uses.later, p.left)
		last = time.Since(began)
	}
	if len(p.left) == 0 {
		v.uses.later.done()
	}
	v.spent(last)
	if err != nil {
		p.pause = leastPass // the pass goes on then: what it comes to last is not held up by what it comes to first
	}
	return err
}

// spent counts what a transaction of the pass cost, and sets the pause after it.
// The caller holds the pass.
func (v *Verifier) spent(cost time.Duration) {
	p := &v.uses.pass
	ago := time.Since(p.began)
	p.cost += cost
	p.waiting.Store(int64(len(p.left)))
	p.pause = rest(cost, p.cost, ago, (len(p.left)+store.UsesInOne-1)/store.UsesInOne)
	if v.uses.later.head.Load().len() >= v.uses.room {
		p.pause = 0
	}
	p.took.Store(max(p.took.Load(), int64(ago+p.pause)))
}

// begin begins a pass with what waits now. The caller holds the pass.
func (v *Verifier) begin() {
	p := &v.uses.pass
	if !p.began.IsZero() {
		p.took.Store(int64(time.Since(p.began)))
	}
	p.began, p.cost, p.left = time.Now(), 0, v.uses.later.take()
	p.waiting.Store(int64(len(p.left)))
	if len(p.left) > 0 {
		v.uses.flushes.n.Add(1)
	}
}

// flushLater writes all later uses without a rest.
func (v *Verifier) flushLater(ctx context.Context) error {
	p := &v.uses.pass
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 2 { // what is left of a pass, and what waited for the next
		for more := true; more; more = len(p.left) > 0 {
			if err := v.flushSome(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Pause returns how long to wait before FlushUses is called again.
func (v *Verifier) Pause() time.Duration {
	p := &v.uses.pass
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pause
}

// Many fires when so many uses wait that FlushUses should be called at once.
func (v *Verifier) Many() <-chan struct{} { return v.uses.many }

// late returns how late a use is written at most.
func (p *pass) late() time.Duration {
	return max(2*time.Duration(p.took.Load()), leastLate)
}
