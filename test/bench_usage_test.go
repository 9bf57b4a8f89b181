package test_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"
)

// usageDelay is how late usage may be counted.
const usageDelay = 6 * time.Second

var observeLine = regexp.MustCompile(`(?m)^BenchmarkObserve\S*\s+\d+\s+([0-9.]+) ns/op.*\s(\d+) allocs/op`)

// usage compares what three nodes counted with what was sent, and measures what it costs
// to count.
func (b *bench) usage(s stock) {
	t := b.t
	each := 50_000
	if b.rounds <= 3 { // a short run
		each = 4000
	}
	tokens, node, sent := usageOnEveryNode(t, each)
	time.Sleep(usageDelay) // what is measured is whether that is enough
	var counted, all sums
	for i, c := range tokens {
		got, _, _ := node.usageOf(c)
		counted.ok, counted.denied, counted.failed, counted.refused = counted.ok+got.ok, counted.denied+got.denied, counted.failed+got.failed, counted.refused+got.refused
		all.ok, all.denied, all.failed, all.refused = all.ok+sent[i].ok, all.denied+sent[i].denied, all.failed+sent[i].failed, all.refused+sent[i].refused
	}
	b.add("usage counted on 3 nodes ÷ sent by the load, 6 s after its end", "%.3f", float64(counted.all())/float64(all.all()), "1.000", counted == all)
	if counted != all {
		t.Errorf("counted %+v, sent %+v", counted, all)
	}
	b.lostToKill()

	out, err := exec.Command("go", "test", "-count=1", "../internal/verify", "-run=^$", "-bench=Observe$", "-benchmem", "-count="+strconv.Itoa(b.rounds)).CombinedOutput()
	lines := observeLine.FindAllSubmatch(out, -1)
	if err != nil || lines == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var times []float64
	allocs := 0.0
	for _, line := range lines {
		ns, _ := strconv.ParseFloat(string(line[1]), 64) // digits, by the pattern
		n, _ := strconv.ParseFloat(string(line[2]), 64)  // as above
		times, allocs = append(times, ns), max(allocs, n)
	}
	b.add("one request counted inside the process: ns", "%.0f", median(times), "< 500", median(times) < 500)
	b.add("the same: allocations", "%.0f", allocs, "0", allocs == 0)

	ours := b.serve(s)
	defer b.stop(ours)
	x, y := b.besideBare(ours, s.tokens[:1], "/guard/verify", "/guard/verify")
	b.add("GET /guard/verify with its use counted, processor time of bare net/http ÷ ours", "%.3f", x.cpu/y.cpu, "≥ 0.80", x.cpu >= 0.80*y.cpu)
}

// killLoses is how long before kill -9 a request was answered whose use is not lost.
const killLoses = 5 * time.Second

// lostToKill kills servers that are in use, and counts the requests that were answered
// longer before and are not counted.
func (b *bench) lostToKill() {
	t, lost, all := b.t, int64(0), int64(0)
	for range b.rounds {
		dir := t.TempDir()
		p := serve(t, dir)
		c := p.mint()
		var answered atomic.Int64
		gone := p.inUse(c, &answered)
		time.Sleep(killLoses + time.Duration(rand.Int64N(int64(2*killLoses)))) // what is measured is whether what is older stays
		old := answered.Load()
		time.Sleep(killLoses) // as above
		p.kill()
		<-gone
		p = serve(t, dir)
		after, _, _ := p.usageOf(c)
		lost, all = lost+max(0, old-after.ok), all+old
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
	b.add(fmt.Sprintf("kill -9 of a server in use: of %d requests that were answered 5 s before, not counted", all), "%.0f", float64(lost), "0", lost == 0)
}
