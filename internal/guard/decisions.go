package guard

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// decisions counts what was decided. To count takes no lock, and allocates only for
// the first decision of those that are alike. It is safe for concurrent use once begun.
type decisions struct {
	table atomic.Pointer[alikeTable]

	mu     sync.Mutex
	before *alikeTable                  // that table followed; somebody may still count in it; guarded by mu
	taken  map[Decisions]uint64         // what was taken out of tables, by all but Count; guarded by mu
	lately map[hallpass.GuardID]*lately // what of it is not long ago; guarded by mu
	since  time.Time                    // from when on decisions are counted; it does not change
}

// Decisions are decisions that a metric counts together.
type Decisions struct {
	Guard   string // its name; "": there is no such guard
	Outcome string // allowed, or the reason of a refusal, as "guard.permission"
	Rule    int    // the number of the rule that matched; 0: none, or the requests did not come that far
}

// allowed is the outcome of a decision that lets a request pass.
const allowed = hallpass.GuardAllowed

// alike is what decisions have in common that are counted together.
type alike struct {
	Decisions
	guard hallpass.GuardID // 0: there is no such guard
	token hallpass.TokenID // 0: none, or an unknown one, or any when there are too many
	door  string           // that asked
}

// An alikeTable counts decisions by what they have in common.
type alikeTable struct {
	n       atomic.Int64 // counters in it
	buckets [1 << 14]atomic.Pointer[alikeCount]
}

// alikeCount is a counter, and the next of its bucket. All but the count never changes.
type alikeCount struct {
	alike
	count atomic.Int64
	next  *alikeCount
}

// Bounds on the counters of a table. Tokens beyond maxAlike are counted together.
// A table with more than manyAlike is replaced when it is read.
const (
	maxAlike  = 1 << 17
	manyAlike = 1 << 15
)

func (d *decisions) begin() { d.table.Store(new(alikeTable)) }

// count counts the decision that the door asked for.
func (d *decisions) count(door string, v *Verdict) {
	a := alike{Decisions{Outcome: allowed, Rule: v.Rule}, 0, v.Holder.Token, door}
	if !v.Allow {
		a.Outcome = v.Reason
	}
	if v.Guard != nil {
		a.Guard, a.guard = v.Guard.Name, v.Guard.ID
	}
	d.table.Load().of(a).count.Add(1)
}

// of returns the counter for what is alike, which it makes for the first of them.
func (t *alikeTable) of(a alike) *alikeCount {
	bucket := &t.buckets[a.bucket()]
	first := bucket.Load()
	for c := first; c != nil; c = c.next {
		if c.alike == a {
			return c
		}
	}
	if a.token != 0 && t.n.Load() >= maxAlike {
		a.token = 0
		return t.of(a)
	}
	made := &alikeCount{alike: a, next: first}
	if !bucket.CompareAndSwap(first, made) {
		return t.of(a) // somebody else put one there: perhaps this
	}
	t.n.Add(1)
	return made
}

// bucket spreads what differs in a number. Outcomes are few: they share a bucket.
func (a *alike) bucket() uint64 {
	const odd = 0x9e3779b97f4a7c15 // multiplied by it, near numbers are far apart in their first bits
	h := (uint64(a.token)*odd ^ uint64(a.guard)) * odd
	return (h ^ uint64(a.Rule)*odd) >> (64 - 14)
}

// each calls f with every counter.
func (t *alikeTable) each(f func(*alikeCount)) {
	if t == nil {
		return
	}
	for i := range t.buckets {
		for c := t.buckets[i].Load(); c != nil; c = c.next {
			f(c)
		}
	}
}

// take returns what was counted since the last call, for the day that now is in.
func (d *decisions) take(now time.Time) (uses []hallpass.GuardUse) {
	day := now.UTC().Truncate(24 * time.Hour)
	d.mu.Lock()
	defer d.mu.Unlock()
	table := d.table.Load()
	if table.n.Load() > manyAlike {
		d.begin()
	}
	take := func(c *alikeCount) {
		n := c.count.Swap(0)
		if n == 0 {
			return
		}
		if d.taken == nil {
			d.taken = make(map[Decisions]uint64)
		}
		d.taken[c.Decisions] += uint64(n)
		if c.guard != 0 {
			uses = append(uses, hallpass.GuardUse{Guard: c.guard, Day: day, Rule: c.Rule, Outcome: c.Outcome, Token: c.token, Count: n})
			d.remember(now, c, n)
		}
	}
	d.before.each(take)
	table.each(take)
	if d.before = nil; table != d.table.Load() {
		d.before = table
	}
	return uses
}

// all returns how many decisions there were of each kind.
func (d *decisions) all() map[Decisions]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	counts := make(map[Decisions]uint64, len(d.taken))
	for k, n := range d.taken {
		counts[k] = n
	}
	add := func(c *alikeCount) {
		if n := c.count.Load(); n > 0 {
			counts[c.Decisions] += uint64(n)
		}
	}
	d.before.each(add)
	d.table.Load().each(add)
	return counts
}

// Usage returns what was decided since the last call, to be added to what the database
// has. What it returned it does not return again. Of very many tokens within a few
// seconds, those beyond the first hundred thousand are counted together as token 0.
func (d *Decider) Usage() []hallpass.GuardUse {
	return d.decisions.take(d.verify.Now())
}

// Decisions returns how many decisions of each kind there were since the start. The
// numbers never fall.
func (d *Decider) Decisions() map[Decisions]uint64 { return d.decisions.all() }
