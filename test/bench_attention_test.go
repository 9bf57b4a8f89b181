package test_test

import (
	"net/http"
	"slices"
	"time"
)

// attention measures the page of what needs doing, of an org with 100,000 tokens.
func (b *bench) attention() {
	p := start(b.t, b.fill(b.t, 100_000).data, []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s"})
	p.await()
	defer b.stop(p)
	var took []float64
	for range 2 * b.rounds {
		began := time.Now()
		if status, err := p.call(quick, "", "GET", "/api/attention", "", nil); status != http.StatusOK {
			b.t.Fatalf("GET /api/attention: %d, %v", status, err)
		}
		took = append(took, time.Since(began).Seconds()*1000)
	}
	slices.Sort(took)
	median := took[len(took)/2]
	b.add("GET /api/attention with 100,000 tokens, median of requests in ms", "%.0f", median, "< 300", median < 300)
}
