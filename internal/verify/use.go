package verify

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// uses gathers the last uses of tokens until they are written. Entries are
// pushed by verifications without a lock, each once until it is written.
type uses struct {
	head  atomic.Pointer[used]  // entries to write
	batch atomic.Pointer[batch] // the flush that will take what is pushed now
	wake  chan struct{}

	flush   sync.Mutex           // held over a flush
	writing atomic.Pointer[used] // what the flush at work took
	flushes flushes
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

// words are texts that many entries hold, as user agents: what was kept last
// under a text's hash is kept once.
type words struct {
	seed maphash.Seed
	last [1024]atomic.Pointer[string]
}

func newWords() *words { return &words{seed: maphash.MakeSeed()} }

func (w *words) of(s string) string {
	slot := &w.last[maphash.String(w.seed, s)%uint64(len(w.last))]
	if kept := slot.Load(); kept != nil && *kept == s {
		return *kept
	}
	s = strings.Clone(s) // it may be a part of something larger
	slot.Store(&s)
	return s
}

// batch is a flush to come; done is closed when it is over.
type batch struct{ done chan struct{} }

func newUses() *uses {
	u := &uses{wake: make(chan struct{}, 1)}
	u.batch.Store(&batch{done: make(chan struct{})})
	return u
}

// rouse asks for a flush at once.
func (u *uses) rouse() {
	select {
	case u.wake <- struct{}{}:
	default: // asked for already
	}
}

func (u *uses) push(e *entry) {
	for n := (&used{entry: e}); ; {
		n.next = u.head.Load()
		n.n = n.next.len() + 1
		if u.head.CompareAndSwap(n.next, n) {
			return
		}
	}
}

// firstUseWait is how long the first use of a token waits to be on disk. A
// database that does not take it in time does not hold up the caller.
const firstUseWait = 250 * time.Millisecond

// use notes that the token was used at now. A first use asks to be written at
// once and waits for it.
func (v *Verifier) use(ctx context.Context, e *entry, now time.Time, from hallpass.From) {
	us := now.UnixMicro()
	last := e.used.Load()
	first := last == 0 && e.used.CompareAndSwap(0, us)
	for !first && us > last && !e.used.CompareAndSwap(last, us) {
		last = e.used.Load()
	}
	if f := e.from.Load(); us >= last && (f == nil || *f != from) {
		e.from.Store(&hallpass.From{Address: v.words.of(from.Address), UserAgent: v.words.of(from.UserAgent)})
	}
	if !e.dirty.Load() && e.dirty.CompareAndSwap(false, true) {
		v.uses.push(e)
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

// flushUses writes the gathered uses.
func (v *Verifier) flushUses(ctx context.Context) error {
	u := v.uses
	u.flush.Lock()
	defer u.flush.Unlock()
	b := u.batch.Swap(&batch{done: make(chan struct{})})
	defer close(b.done)
	list := u.head.Swap(nil)
	u.writing.Store(list)
	defer u.writing.Store(nil)

	began, written := time.Now(), 0
	defer func() { u.flushes.done(written, time.Since(began)) }()
	entries := make([]*entry, 0, list.len())
	for n := list; n != nil; n = n.next {
		entries = append(entries, n.entry)
	}
	slices.SortFunc(entries, func(a, b *entry) int { return int(a.token - b.token) }) // a transaction then writes what lies together
	for len(entries) > 0 {
		some := entries[:min(len(entries), store.UsesInOne)]
		uses := make([]store.TokenUse, len(some))
		for i, e := range some {
			e.dirty.Store(false) // before its use is read: one that comes later is pushed again
			uses[i] = store.TokenUse{Token: e.token, Use: e.use()}
		}
		if err := v.db.NoteUses(ctx, uses); err != nil {
			for i, e := range entries {
				if i >= len(some) || e.dirty.CompareAndSwap(false, true) { // those beyond some are marked still
					u.push(e)
				}
			}
			return err
		}
		written += len(some)
		entries = entries[len(some):]
	}
	return nil
}

// use returns the entry's last use.
func (e *entry) use() hallpass.Use {
	u := hallpass.Use{}
	if us := e.used.Load(); us != 0 {
		u.At = time.UnixMicro(us).UTC()
	}
	if f := e.from.Load(); f != nil {
		u.Address, u.UserAgent = f.Address, f.UserAgent
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
	for _, list := range []*used{v.uses.writing.Load(), v.uses.head.Load()} {
		for n := list; n != nil; n = n.next {
			if i, ok := at[n.entry.token]; ok {
				if u := n.entry.use(); u.At.After(tokens[i].LastUse.At) {
					tokens[i].LastUse = u
				}
			}
		}
	}
}
