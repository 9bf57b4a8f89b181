package verify_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestMemoryOfAToken fills a cache as verifications do and looks at how much
// the heap has grown.
func TestMemoryOfAToken(t *testing.T) {
	const tokens, most = 200_000, 300
	for _, accounts := range []int{10, tokens} {
		t.Run(fmt.Sprint(accounts, " accounts"), func(t *testing.T) {
			heap := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.GC() // what pools held through the first
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before := heap()
			full := verify.FillCache(tokens, accounts)
			each := float64(heap()-before) / float64(full.Held())
			if full.Held() < tokens*999/1000 { // of a table that has room for a third more
				t.Errorf("only %d of %d tokens are held", full.Held(), tokens)
			}
			t.Logf("%.0f bytes for each of %d tokens of %d accounts", each, full.Held(), accounts)
			if each > most {
				t.Errorf("%.0f bytes for each token, want at most %d", each, most)
			}
			runtime.KeepAlive(full)
		})
	}
}
