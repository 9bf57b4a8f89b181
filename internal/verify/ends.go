package verify

import (
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// endIsNear is how long before its end the answers to a token tell of it.
const endIsNear = 14 * 24 * time.Hour

// ends keeps the ends of tokens in words, for those that end soon and were used of late,
// a slot for each number of a token: most answers to them make none. Entries of the
// cache have no room for it, for few tokens end soon. It is safe for concurrent use.
type ends [1024]atomic.Pointer[end]

// end is a time in words, and what it was made of.
type end struct {
	us   int64
	text [1]string
}

// soon returns when the token ends, in words, if at now that is near; else nil. Both
// times are UTC microseconds.
func (s *ends) soon(t hallpass.TokenID, us, now int64) *[1]string {
	if us-now > endIsNear.Microseconds() {
		return nil
	}
	slot := &s[uint64(t)%uint64(len(s))]
	kept := slot.Load()
	if kept == nil || kept.us != us {
		kept = &end{us, [1]string{time.UnixMicro(us).UTC().Format(time.RFC3339)}}
		slot.Store(kept)
	}
	return &kept.text
}
