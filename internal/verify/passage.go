package verify

import (
	"sync"
	"sync/atomic"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Passage is a request that a guard let through and that goes on: an upload, a
// stream, a websocket. When anything changes that the decision was made from, the
// passage is in doubt: nothing more may pass until the request was decided anew. It is
// in doubt before the change is answered, on whatever node that was made. It is safe
// for concurrent use.
type Passage struct {
	v       *Verifier
	anew    func(*Passage)
	doubt   atomic.Bool
	expires atomic.Int64 // when the credential expires, in microseconds; 0: never

	caller hallpass.Caller // guarded by passages.mu
	guard  hallpass.GuardID
}

// A Moment is a time between two changes.
type Moment store.Epoch

// passages are the passages there are.
type passages struct {
	coherence store.Coherence
	wake      chan struct{}

	mu  sync.Mutex
	all map[*Passage]struct{} // guarded by mu
}

func newPassages() *passages {
	return &passages{wake: make(chan struct{}, 1), all: make(map[*Passage]struct{})}
}

// Moment returns the moment at which a decision begins that Pass or Confirm is told of.
func (v *Verifier) Moment() Moment { return Moment(v.passages.coherence.Begin()) }

// Pass returns the passage of a request of the caller that the guard let through, by a
// decision that began at begun. If anything changed since, the passage is in doubt.
// anew decides anew; DecideAnew calls it, perhaps before Pass returns. Leave must be called when the request is over.
func (v *Verifier) Pass(begun Moment, c hallpass.Caller, guard hallpass.GuardID, anew func(*Passage)) *Passage {
	p := &Passage{v: v, anew: anew, caller: c, guard: guard}
	p.expires.Store(expiry(c))
	ps := v.passages
	ps.mu.Lock()
	ps.all[p] = struct{}{}
	ps.mu.Unlock()
	if !ps.coherence.Keep(store.Epoch(begun), func() {}) {
		p.doubt.Store(true)
	}
	return p
}

// expiry returns when the caller's credential expires, in microseconds; 0: never.
func expiry(c hallpass.Caller) int64 {
	if c.Expires.IsZero() {
		return 0
	}
	return c.Expires.UnixMicro()
}

// Clear reports whether more may pass: the passage is not in doubt, the caller's
// credential has not expired, and this node may answer.
func (p *Passage) Clear() bool {
	if p.doubt.Load() {
		return false
	}
	now, ok := p.v.node.MayAnswer()
	until := p.expires.Load()
	return ok && (until == 0 || now.UnixMicro() < until)
}

// Confirm says that a decision that began at begun let the request of the caller pass
// again. It reports false when something has changed since, or is about to: then the
// passage stays in doubt.
func (p *Passage) Confirm(begun Moment, c hallpass.Caller) bool {
	ps := p.v.passages
	return ps.coherence.Keep(store.Epoch(begun), func() {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		p.caller = c
		p.expires.Store(expiry(c))
		p.doubt.Store(false)
	})
}

// Leave says that the request is over.
func (p *Passage) Leave() {
	ps := p.v.passages
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.all, p)
}

// changed puts those in doubt whom the changes of an event reach.
func (ps *passages) changed(e store.ChangeEvent) {
	ps.coherence.Changed(e, ps.reach)
}

func (ps *passages) reach(r hallpass.Reach) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for p := range ps.all {
		if r.Concerns(p.caller) || r.Guard != 0 && r.Guard == p.guard {
			p.doubt.Store(true)
			select {
			case ps.wake <- struct{}{}:
			default: // asked for already
			}
		}
	}
}

// Doubts fires when DecideAnew should be called at once.
func (v *Verifier) Doubts() <-chan struct{} { return v.passages.wake }

// DecideAnew has the requests decided anew that nothing may pass for. The server calls
// it a few times a second, and whenever Doubts fires: a stream that rests would not ask
// by itself.
func (v *Verifier) DecideAnew() {
	ps := v.passages
	ps.mu.Lock()
	var list []*Passage
	for p := range ps.all {
		if !p.Clear() {
			list = append(list, p)
		}
	}
	ps.mu.Unlock()
	for _, p := range list {
		p.anew(p)
	}
}
