package verify

import (
	"sync/atomic"
	"time"
)

// Stats is what a Verifier has counted since it was made, and what it holds.
type Stats struct {
	Outcomes      map[string]uint64 // verifications of tokens by outcome: "ok", "invalid", "expired", "revoked", "disabled", "org_mismatch", "unavailable"
	Hits, Misses  uint64            // of the cache
	Entries, Size int               // of the cache: held now, bound
	UsesWaiting   int               // tokens whose last use is not yet written
	Flushes       uint64            // of last uses, that wrote something
	FlushedUses   uint64            // rows they wrote
	FlushSeconds  float64           // time they took
}

// outcomes are the ways a verification can end, as places in counters.outcomes.
var outcomes = [...]string{"ok", "invalid", "expired", "revoked", "disabled", "org_mismatch", "unavailable"}

// counters is what is counted for Stats.
type counters struct {
	outcomes                    [len(outcomes)]atomic.Uint64
	hits, misses                atomic.Uint64
	flushes, flushed, flushTime atomic.Uint64 // flushTime in nanoseconds
}

// count counts a verification by how it ended.
func (c *counters) count(err error) {
	i := len(outcomes) - 1
	switch err {
	case nil:
		i = 0
	case errInvalidToken:
		i = 1
	case errExpired:
		i = 2
	case errRevoked:
		i = 3
	case errDisabled:
		i = 4
	case errOrgMismatch:
		i = 5
	}
	c.outcomes[i].Add(1)
}

// flush counts a flush that wrote rows since start.
func (c *counters) flush(rows int, start time.Time) {
	c.flushes.Add(1)
	c.flushed.Add(uint64(rows))
	c.flushTime.Add(uint64(time.Since(start)))
}

// Stats returns the counts. They are read one after the other, so that two of
// them may be a verification apart.
func (v *Verifier) Stats() Stats {
	s := Stats{
		Outcomes: make(map[string]uint64, len(outcomes)),
		Hits:     v.counters.hits.Load(), Misses: v.counters.misses.Load(),
		Flushes: v.counters.flushes.Load(), FlushedUses: v.counters.flushed.Load(),
		FlushSeconds: time.Duration(v.counters.flushTime.Load()).Seconds(),
	}
	for i, name := range outcomes {
		s.Outcomes[name] = v.counters.outcomes[i].Load()
	}
	s.Entries, s.Size = v.cache.held()
	for _, list := range []*node{v.uses.writing.Load(), v.uses.head.Load()} {
		for n := list; n != nil; n = n.next {
			s.UsesWaiting++
		}
	}
	return s
}

// held returns how many entries the cache has, dead ones too, and how many it
// has room for.
func (c *cache) held() (entries, size int) {
	for i := range c.sets {
		for j := range c.sets[i] {
			if c.sets[i][j].Load() != nil {
				entries++
			}
		}
	}
	return entries, len(c.sets) * ways
}
