package guard

import (
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// apiAnswers counts how APIs answered the built-in proxy. To count takes no lock, and allocates
// only for the first answer of an API. Its zero value is ready; it is safe for concurrent
// use.
type apiAnswers [64]atomic.Pointer[answerCount]

// answerCount are the counts of the API behind one guard, and the next of its bucket.
type answerCount struct {
	guard       hallpass.GuardID
	next        *answerCount
	all, failed atomic.Int64
}

// count counts an answer, or that there was none.
func (a *apiAnswers) count(guard hallpass.GuardID, failed bool) {
	c := a.of(guard)
	c.all.Add(1)
	if failed {
		c.failed.Add(1)
	}
}

// of returns the counts of the guard's API, which it makes for the first answer.
func (a *apiAnswers) of(guard hallpass.GuardID) *answerCount {
	bucket := &a[uint64(guard)%uint64(len(a))]
	for {
		first := bucket.Load()
		for c := first; c != nil; c = c.next {
			if c.guard == guard {
				return c
			}
		}
		made := &answerCount{guard: guard, next: first}
		if bucket.CompareAndSwap(first, made) {
			return made
		}
	}
}

// take returns what was counted since the last call, for the minute that now is in.
func (a *apiAnswers) take(now time.Time) (list []hallpass.GuardAnswers) {
	minute := now.UTC().Truncate(time.Minute)
	for i := range a {
		for c := a[i].Load(); c != nil; c = c.next {
			failed := c.failed.Swap(0) // of an answer that is being counted, perhaps later than the answer: the sums are right
			if n := c.all.Swap(0); n > 0 || failed > 0 {
				list = append(list, hallpass.GuardAnswers{Guard: c.guard, Minute: minute, Count: n, Failed: failed})
			}
		}
	}
	return list
}

// Answers returns how APIs answered the built-in proxy since the last call, to be added to
// what the database has. What it returned it does not return again.
func (d *Decider) Answers() []hallpass.GuardAnswers { return d.answers.take(d.verify.Now()) }
