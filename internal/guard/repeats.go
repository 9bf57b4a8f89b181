package guard

import (
	"hash/maphash"
	"sync/atomic"
)

// repeats remembers the last questions that have an ID, so that one that is asked again
// is counted once. It takes no lock and allocates nothing. A question is forgotten when
// another takes its place: asked again, it is counted again. It is safe for concurrent
// use once begun.
type repeats struct {
	seed  maphash.Seed
	slots [1 << 14]atomic.Uint64 // 0: nothing
}

func (r *repeats) begin() { r.seed = maphash.MakeSeed() }

// again reports whether the question with that ID was asked before. One without an ID
// never was.
func (r *repeats) again(id string) bool {
	if id == "" {
		return false
	}
	h := maphash.String(r.seed, id) | 1
	return r.slots[h>>(64-14)].Swap(h) == h
}
