package verify

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// uses gathers the last uses of tokens until they are written. Verifications push
// entries without a lock, each once until it is written.
type uses struct {
	first, later pushed                // first uses are written at once, later ones at a pace
	batch        atomic.Pointer[batch] // the flush that will take the first uses that are pushed now
	wake         chan struct{}         // asks for a flush of first uses
	many         chan struct{}         // asks for a flush of later uses: room is short
	successors   chan struct{}         // tells that the first use of a token that replaces another is written
	reused       chan struct{}         // tells that a token was tried that had ended because another replaced it
	room         int                   // later uses that may wait; of twice as many none waits
	dropped      atomic.Uint64

	flush   sync.Mutex // held over a flush of first uses
	pass    pass
	flushes flushes
}

// pushed is a list of entries to write, and what a flush has taken of it.
type pushed struct {
	head    atomic.Pointer[used]
	writing atomic.Pointer[used]
}

// take returns the entries in the order of their tokens: a transaction then writes
// what lies together. They are seen by those who read uses until done is called.
func (p *pushed) take() []*entry {
	list := p.head.Swap(nil)
	p.writing.Store(list)
	entries := make([]*entry, 0, list.len())
	for n := list; n != nil; n = n.next {
		entries = append(entries, n.entry)
	}
	slices.SortFunc(entries, func(a, b *entry) int { return int(a.token - b.token) })
	return entries
}

func (p *pushed) done() { p.writing.Store(nil) }

// push adds the entry, unless limit entries wait; 0 is no limit. It returns how
// many wait then, 0 if the entry was not added.
func (p *pushed) push(e *entry, limit int) int {
	for n := (&used{entry: e}); ; {
		n.next = p.head.Load()
		n.n = n.next.len() + 1
		if limit > 0 && n.n > limit {
			return 0
		}
		if p.head.CompareAndSwap(n.next, n) {
			return n.n
		}
	}
}

// used is an element of the list of entries to write. It never changes.
type used struct {
	entry *entry
	next  *used
	n     int // elements from here on
}

// len returns how many elements the list has.
func (n *used) len() int {
	if n == nil {
		return 0
	}
	return n.n
}

// origin is where a use came from. Many tokens are used by the same few programs:
// the name of each is kept once.
type origin struct {
	address string
	agent   unique.Handle[string]
}

func newOrigin(f hallpass.From) *origin {
	return &origin{strings.Clone(f.Address), unique.Make(f.UserAgent)} // the address may be a part of something larger
}

// from returns the origin's texts; none of a nil origin.
func (o *origin) from() hallpass.From {
	if o == nil {
		return hallpass.From{}
	}
	return hallpass.From{Address: o.address, UserAgent: o.agent.Value()}
}

// batch is a flush to come; done is closed when it is over.
type batch struct{ done chan struct{} }

// leastRoom is how many later uses may wait at the least, however small the cache.
const leastRoom = 1 << 16

func newUses(cacheSize int) *uses {
	u := &uses{wake: make(chan struct{}, 1), many: make(chan struct{}, 1), successors: make(chan struct{}, 1), reused: make(chan struct{}, 1), room: max(cacheSize, leastRoom)}
	u.batch.Store(&batch{done: make(chan struct{})})
	return u
}

// rouse asks for a flush of first uses at once.
func (u *uses) rouse() { ask(u.wake) }

// waiting returns how many tokens have a use that is not yet written. What the
// transaction under way writes counts as waiting.
func (u *uses) waiting() int {
	return u.first.head.Load().len() + u.first.writing.Load().len() + u.later.head.Load().len() + int(u.pass.waiting.Load())
}

func ask(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // asked for already
	}
}

// add has the use of the entry written. Of a token whose use has no room the next
// use is another try.
func (u *uses) add(e *entry, first bool) {
	if first {
		u.first.push(e, 0)
		return
	}
	switch u.later.push(e, 2*u.room) {
	case 0:
		e.dirty.Store(false)
		u.dropped.Add(1)
	case u.room:
		ask(u.many)
	}
}

// firstUseWait is how long the first use of a token waits to be on disk. A
// database that does not take it in time does not hold up the caller.
const firstUseWait = 250 * time.Millisecond

// use records that the token was used at now. A first use asks to be written at
// once and waits for it.
func (v *Verifier) use(ctx context.Context, e *entry, now time.Time, from hallpass.From) {
	us := now.UnixMicro()
	last := e.used.Load()
	first := last == 0 && e.used.CompareAndSwap(0, us)
	for !first && us > last && !e.used.CompareAndSwap(last, us) {
		last = e.used.Load()
	}
	if us >= last && e.origin.Load().from() != from {
		e.origin.Store(newOrigin(from))
	}
	if !e.dirty.Load() && e.dirty.CompareAndSwap(false, true) {
		v.uses.add(e, first)
	}
	if first {
		v.firstUse(ctx, e, now, from)
	}
}

func (v *Verifier) firstUse(ctx context.Context, e *entry, now time.Time, from hallpass.From) {
	b := v.uses.batch.Load() // after the push: this flush or an earlier one takes the entry
	v.uses.rouse()
	v.watchers.publish(e.token, Event{Kind: EventFirstUse, At: now, Address: from.Address, UserAgent: from.UserAgent})
	timer := time.NewTimer(firstUseWait)
	defer timer.Stop()
	select {
	case <-b.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// flushFirst writes the first uses.
func (v *Verifier) flushFirst(ctx context.Context) error {
	u := v.uses
	u.flush.Lock()
	defer u.flush.Unlock()
	b := u.batch.Swap(&batch{done: make(chan struct{})})
	defer close(b.done)
	left := u.first.take()
	defer u.first.done()
	if len(left) > 0 {
		u.flushes.n.Add(1)
	}
	if slices.ContainsFunc(left, func(e *entry) bool { return e.successor }) {
		defer ask(u.successors)
	}
	for len(left) > 0 {
		var err error
		if left, err = v.writeUses(ctx, &u.first, left); err != nil {
			for _, e := range left {
				u.first.push(e, 0)
			}
			return err
		}
	}
	return nil
}

// writeUses writes the uses of as many of the entries as one transaction should,
// and returns those that are left. When it fails those of the transaction go back
// to the list.
func (v *Verifier) writeUses(ctx context.Context, list *pushed, entries []*entry) (left []*entry, err error) {
	began := time.Now()
	some := entries[:min(len(entries), store.UsesInOne)]
	uses := make([]store.TokenUse, len(some))
	for i, e := range some {
		e.dirty.Store(false) // before its use is read: one that comes later is pushed again
		uses[i] = store.TokenUse{Token: e.token, Use: e.use()}
	}
	if err := v.db.SaveUses(ctx, uses); err != nil {
		for _, e := range some {
			if e.dirty.CompareAndSwap(false, true) {
				list.push(e, 0)
			}
		}
		return entries[len(some):], err
	}
	v.uses.flushes.wrote(len(some), time.Since(began))
	return entries[len(some):], nil
}

// use returns the entry's last use.
func (e *entry) use() hallpass.Use {
	f := e.origin.Load().from()
	u := hallpass.Use{Address: f.Address, UserAgent: f.UserAgent}
	if us := e.used.Load(); us != 0 {
		u.At = time.UnixMicro(us).UTC()
	}
	return u
}

// Uses brings the last uses of the tokens up to date with what is not yet
// written.
func (v *Verifier) Uses(tokens []hallpass.Token) {
	at := make(map[hallpass.TokenID]int, len(tokens))
	for i, t := range tokens {
		at[t.ID] = i
	}
	first, later := &v.uses.first, &v.uses.later
	for _, list := range []*used{first.writing.Load(), first.head.Load(), later.writing.Load(), later.head.Load()} {
		for n := list; n != nil; n = n.next {
			if i, ok := at[n.entry.token]; ok {
				if u := n.entry.use(); u.At.After(tokens[i].LastUse.At) {
					tokens[i].LastUse = u
				}
			}
		}
	}
}
