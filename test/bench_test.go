package test_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// TestMeasured is `make bench`: every figure that docs/performance.md tells, as
// a ratio or a count of one run. A figure that misses its bar is printed as such
// and fails nothing, because machines differ; a request that was accepted after
// its token was revoked does.
func TestMeasured(t *testing.T) {
	b := bench{t: t, rounds: 5, each: 4 * time.Second, revocations: 1000, many: 1_000_000}
	switch os.Getenv("HALLPASS_TEST_BENCH") {
	case "":
		t.Skip("make bench runs it")
	case "short":
		b.rounds, b.each, b.revocations, b.many = 3, time.Second, 100, 100_000
	}
	for _, tool := range []string{"wrk", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing (on Debian: apt-get install wrk util-linux)", tool)
		}
	}
	if runtime.NumCPU() < 2 {
		t.Fatal("needs two cores, one for the servers and one for the load")
	}
	few := sync.OnceValue(func() stock { return b.fill(t, 1000) })
	many := sync.OnceValue(func() stock { return b.fill(t, b.many) })
	for _, part := range []struct {
		name string
		run  func()
	}{
		{"org", func() { b.org(few()) }},
		{"inside", b.inside},
		{"size", func() { b.size(few(), many()) }},
		{"start", func() { b.start(few(), many()) }},
		{"nodes", b.nodes},
		{"flood", func() { b.flood(few()) }},
		{"crowd", func() { b.crowd(few()) }},
	} {
		t.Run(part.name, func(t *testing.T) {
			b.t = t
			part.run()
		})
	}
	b.print()
}

// bench is a run in progress.
type bench struct {
	t           *testing.T
	rounds      int           // of what is measured in turn
	each        time.Duration // of load
	revocations int
	many        int // tokens
	rows        []row
}

// row is a line of the table.
type row struct{ what, figure, bar, verdict string }

// add notes a figure and whether it is on the right side of its bar.
func (b *bench) add(what, format string, figure float64, bar string, met bool) {
	r := row{what, fmt.Sprintf(format, figure), bar, "met"}
	if !met {
		r.verdict = "missed"
	}
	b.rows = append(b.rows, r)
	b.t.Logf("%s: %s (%s: %s)", r.what, r.figure, r.bar, r.verdict)
}

func (b *bench) print() {
	var s strings.Builder
	line := func(r row) { fmt.Fprintf(&s, "| %-78s | %10s | %-9s | %-7s |\n", r.what, r.figure, r.bar, r.verdict) }
	line(row{"what", "figure", "bar", ""})
	line(row{strings.Repeat("-", 78), strings.Repeat("-", 10), strings.Repeat("-", 9), strings.Repeat("-", 7)})
	for _, r := range b.rows {
		line(r)
	}
	fmt.Print("\n", s.String(), "\n")
}

// stock is an installation on SQLite with tokens in it.
type stock struct {
	data   string
	tokens []string
}

// fill makes an installation with so many tokens, ten to an account.
func (b *bench) fill(t *testing.T, n int) stock {
	t.Helper()
	s := stock{data: t.TempDir(), tokens: make([]string, n)}
	p := serve(t, s.data)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	db := sqlite(t, filepath.Join(s.data, "hallpass.db"))
	must := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	must(`PRAGMA synchronous = OFF`)
	must(`PRAGMA cache_size = -400000`)
	must(`BEGIN`)
	now := time.Now().UnixMicro()
	const first, perAccount, atOnce = 1000, 10, 500
	for i := 0; i < n; i += perAccount {
		id := first + i
		must(`INSERT INTO service_accounts (id, uid, org_id, name, name_key, login, login_key, role, disabled, created_us, updated_us)
			VALUES ($1, 'u' || $1, 1, 'ci-' || $1, 'ci-' || $1, 'sa-1-ci-' || $1, 'sa-1-ci-' || $1, 'Viewer', FALSE, $2, $2)`, id, now)
	}
	for i := 0; i < n; i += atOnce {
		var values []string
		var args []any
		for j := i; j < min(i+atOnce, n); j++ {
			token := secret.NewToken()
			hash := token.Hash()
			s.tokens[j] = token.Reveal()
			values = append(values, fmt.Sprintf("(%d, 1, %d, 't%d', 't%d', ?, 'abcd', %d, '', 0, 0, 0, '', '')", first+j, first+j-j%perAccount, j, j, now))
			args = append(args, hash[:])
		}
		must(`INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us, revoked_us, used_us, used_address, used_agent) VALUES `+
			strings.Join(values, ","), args...)
	}
	must(`COMMIT`)
	must(`PRAGMA wal_checkpoint(TRUNCATE)`)
	return s
}

// serve starts the program on the stock, on the servers' core.
func (b *bench) serve(s stock) *process {
	b.t.Helper()
	p := startUnder(b.t, []string{"taskset", "-c", "0"}, s.data, []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s"})
	p.await()
	return p
}

func (b *bench) stop(p *process) {
	b.t.Helper()
	if err := p.stop(); err != nil {
		b.t.Errorf("%v\n%s", err, p.out)
	}
}

// result is what one run of load saw.
type result struct{ rps, p99 float64 }

var (
	wrkRPS = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkP99 = regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`)
	wrkBad = regexp.MustCompile(`(?m)^.*(Non-2xx|Socket errors).*$`)
)

// wrk is load from the other core with the tokens in turn: one connection after
// the other takes the next.
func (b *bench) wrk(url string, conns int, tokens []string, each time.Duration) *exec.Cmd {
	b.t.Helper()
	dir := b.t.TempDir()
	list, script := filepath.Join(dir, "tokens"), filepath.Join(dir, "load.lua")
	if err := os.WriteFile(list, []byte(strings.Join(tokens, "\n")+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	args := []string{"-c", "1", "wrk", "-t1", fmt.Sprint("-c", conns), fmt.Sprintf("-d%.0fs", each.Seconds()), "--latency"}
	if len(tokens) == 1 {
		args = append(args, "-H", "Authorization: Bearer "+tokens[0])
	} else {
		lua := fmt.Sprintf(`local requests, i = {}, 0
function init() for token in io.lines(%q) do requests[#requests + 1] = wrk.format("GET", nil, {["Host"] = wrk.headers["Host"], ["Authorization"] = "Bearer " .. token}) end end
function request() i = i %% #requests + 1; return requests[i] end
`, list)
		if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
			b.t.Fatal(err)
		}
		args = append(args, "-s", script)
	}
	return exec.Command("taskset", append(args, url)...)
}

// read returns what wrk printed; a failed request fails the run unless lost is
// true.
func (b *bench) read(out []byte, lost bool) (r result) {
	b.t.Helper()
	rps, p99 := wrkRPS.FindSubmatch(out), wrkP99.FindSubmatch(out)
	if rps == nil || p99 == nil {
		b.t.Fatalf("wrk said:\n%s", out)
	}
	if bad := wrkBad.Find(out); bad != nil && !lost {
		b.t.Errorf("requests failed: %s", bad)
	}
	r.rps, _ = strconv.ParseFloat(string(rps[1]), 64) // digits, by the pattern
	r.p99, _ = strconv.ParseFloat(string(p99[1]), 64)
	r.p99 *= map[string]float64{"us": 1, "ms": 1e3, "s": 1e6}[string(p99[2])]
	return r
}

func (b *bench) load(url string, conns int, tokens []string) result {
	b.t.Helper()
	out, err := b.wrk(url, conns, tokens, b.each).CombinedOutput()
	if err != nil {
		b.t.Fatalf("wrk: %v\n%s", err, out)
	}
	return b.read(out, false)
}

// warm has each of the tokens used once or more.
func (b *bench) warm(url string, tokens []string) {
	b.t.Helper()
	if out, err := b.wrk(url, 32, tokens, 2*time.Second).CombinedOutput(); err != nil {
		b.t.Fatalf("wrk: %v\n%s", err, out)
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// inTurn loads two things in turn, so that noise hits both alike, and returns
// the medians.
func (b *bench) inTurn(one, other func() result) (x, y result) {
	b.t.Helper()
	var rps, p99 [2][]float64
	for range b.rounds {
		for i, load := range []func() result{one, other} {
			r := load()
			rps[i], p99[i] = append(rps[i], r.rps), append(p99[i], r.p99)
		}
	}
	return result{median(rps[0]), median(p99[0])}, result{median(rps[1]), median(p99[1])}
}

const benchConns = 32

// org compares GET /api/org with a bare server that answers the same bytes.
func (b *bench) org(s stock) {
	t := b.t
	t.Helper()
	path := filepath.Join(t.TempDir(), "bare")
	if out, err := exec.Command("go", "build", "-o", path, "./bare").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, address := binaryAndAddress(t)
	bare := exec.Command("taskset", "-c", "0", path, "-listen", address)
	if err := bare.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bare.Process.Kill(); _ = bare.Wait() }() // it was killed
	ours := b.serve(s)
	defer b.stop(ours)
	token := s.tokens[:1]
	get := func(url string) string {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token[0])
		r, err := quick.Do(req)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = r.Body.Close() }() // read to its end
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body) // a short one differs
		return body.String()
	}
	bareURL, oursURL := "http://"+address+"/api/org", ours.url+"/api/org"
	hallpasstest.Eventually(t, "the bare server to listen", func() bool { return strings.HasPrefix(get(bareURL), "{") })
	if x, y := get(bareURL), get(oursURL); x != y {
		t.Fatalf("the answers differ:\n%s\n%s", x, y)
	}
	b.warm(bareURL, token)
	b.warm(oursURL, token)
	x, y := b.inTurn(func() result { return b.load(bareURL, benchConns, token) }, func() result { return b.load(oursURL, benchConns, token) })
	t.Logf("bare net/http: %.0f requests/s, p99 %.0f us; hallpass: %.0f, %.0f us", x.rps, x.p99, y.rps, y.p99)
	b.add("GET /api/org with a token, requests a second ÷ bare net/http", "%.3f", y.rps/x.rps, "≥ 0.85", y.rps >= 0.85*x.rps)
	b.add("the same, p99 ÷ bare net/http", "%.2f", y.p99/x.p99, "≤ 1.5", y.p99 <= 1.5*x.p99)
	x, y = b.inTurn(func() result { return b.load(bareURL, benchConns, token) }, func() result { return b.load(ours.url+"/guard/verify", benchConns, token) })
	b.rows = append(b.rows, row{"GET /guard/verify, requests a second ÷ bare net/http", fmt.Sprintf("%.3f", y.rps/x.rps), "", ""})
}

// size compares a large installation with a small one, 1,000 tokens of each in
// use, and then many of the large one's.
func (b *bench) size(few, many stock) {
	small, large := b.serve(few), b.serve(many)
	defer b.stop(small)
	defer b.stop(large)
	for _, p := range []*process{small, large} {
		b.warm(p.url+"/api/org", map[*process]stock{small: few, large: many}[p].tokens[:1000])
	}
	x, y := b.inTurn(
		func() result { return b.load(small.url+"/api/org", benchConns, few.tokens[:1000]) },
		func() result { return b.load(large.url+"/api/org", benchConns, many.tokens[:1000]) })
	b.add(fmt.Sprintf("throughput with %d tokens ÷ with 1000, 1000 of each in use", b.many), "%.3f", y.rps/x.rps, "≥ 0.95", y.rps >= 0.95*x.rps)
	used := many.tokens[:min(len(many.tokens), 200_000)]
	for range 4 { // more than it takes for each to be used once
		b.warm(large.url+"/api/org", used)
	}
	x, y = b.inTurn(
		func() result { return b.load(small.url+"/api/org", benchConns, few.tokens[:1000]) },
		func() result { return b.load(large.url+"/api/org", benchConns, used) })
	b.rows = append(b.rows, row{fmt.Sprintf("the same, %d in use, last uses being written", len(used)), fmt.Sprintf("%.3f", y.rps/x.rps), "", ""})
}

// start compares how long a server with many tokens takes until its first 200.
func (b *bench) start(few, many stock) {
	var took [2][]float64
	for range b.rounds {
		for i, s := range []stock{few, many} {
			began := time.Now()
			p := startUnder(b.t, []string{"taskset", "-c", "0"}, s.data, []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s"})
			for p.use(s.tokens[0]) != http.StatusOK && time.Since(began) < time.Minute {
				time.Sleep(time.Millisecond) // the time until it answers is measured
			}
			took[i] = append(took[i], time.Since(began).Seconds())
			b.stop(p)
		}
	}
	x, y := median(took[0]), median(took[1])
	b.t.Logf("start until the first 200: %.0f ms and %.0f ms", x*1000, y*1000)
	b.add(fmt.Sprintf("start until the first 200 with %d tokens ÷ with 1000", b.many), "%.2f", y/x, "≤ 1.5", y <= 1.5*x)
}

// flood compares good callers alone with the same beside as many connections
// that try well-formed tokens which do not exist, as fast as they can. The fair
// share of the good is then half.
func (b *bench) flood(s stock) {
	t := b.t
	p := b.serve(s)
	defer b.stop(p)
	unknown := make([]string, 200_000)
	for i := range unknown {
		unknown[i] = secret.NewToken().Reveal()
	}
	good := s.tokens[:1000]
	url := p.url + "/api/org"
	const conns = benchConns / 2
	b.warm(url, good)
	alone, beside := b.inTurn(func() result { return b.load(url, conns, good) }, func() result {
		flood := b.wrk(url, conns, unknown, b.each+2*time.Second)
		var out bytes.Buffer
		flood.Stdout = &out
		if err := flood.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // the flood has all its connections by then
		r := b.load(url, conns, good)
		if err := flood.Wait(); err != nil {
			t.Fatalf("wrk: %v\n%s", err, out.Bytes())
		}
		t.Logf("the flood: %.0f requests/s", b.read(out.Bytes(), true).rps)
		return r
	})
	share := beside.rps / (alone.rps / 2)
	b.add("flood of unknown tokens on as many connections: good callers ÷ their fair share", "%.2f", share, "≥ 0.8", share >= 0.8)
	b.rows = append(b.rows, row{"the same, good callers' p99 ÷ p99 without the flood", fmt.Sprintf("%.2f", beside.p99/alone.p99), "", ""})
}

var (
	verifyLine = regexp.MustCompile(`BenchmarkVerify/hit\S*\s+\d+\s+([0-9.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op`)
	memoryLine = regexp.MustCompile(`(\d+) bytes for each of`)
)

// inside asks the benchmarks of the verifier itself.
func (b *bench) inside() {
	t := b.t
	run := func(args ...string) []byte {
		out, err := exec.Command("go", append([]string{"test", "-count=1", "../internal/verify"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	hit := verifyLine.FindSubmatch(run("-run=^$", "-bench=Verify/hit$", "-benchmem"))
	held := memoryLine.FindAllSubmatch(run("-run=MemoryOfAToken", "-v"), -1)
	if hit == nil || len(held) == 0 {
		t.Fatal("the benchmarks of internal/verify print something else than they did")
	}
	ns, _ := strconv.ParseFloat(string(hit[1]), 64)     // digits, by the pattern
	allocs, _ := strconv.ParseFloat(string(hit[2]), 64) // as above
	b.add("one verification inside the process, warm: ns", "%.0f", ns, "< 1000", ns < 1000)
	b.add("the same: allocations", "%.0f", allocs, "0", allocs == 0)
	most := 0.0
	for _, m := range held {
		n, _ := strconv.ParseFloat(string(m[1]), 64) // as above
		most = max(most, n)
	}
	b.add("memory for each cached token: bytes, where every token has an account of its own", "%.0f", most, "≤ 300", most <= 300)
}

// nodes revokes on three nodes: under all the load that there can be, which is
// for correctness, and one after the other while a caller uses tokens on each.
func (b *bench) nodes() {
	late, took := revokeOnEveryNode(b.t, b.revocations)
	b.add(fmt.Sprintf("3 nodes on PostgreSQL: requests accepted after %d revocations were answered", b.revocations), "%.0f", float64(late), "0", late == 0)
	if late > 0 {
		b.t.Errorf("%d requests were accepted after their token was revoked", late)
	}
	inMS := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	b.rows = append(b.rows, row{"the same: ms until a revocation was answered, median, both cores overloaded", fmt.Sprintf("%.1f", inMS(took[len(took)/2])), "", ""})

	all := nodes(b.t, 3, newPostgres(b.t).url())
	others := all[0].mint()
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for _, p := range all {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond): // a steady caller
					if status := p.use(others.key); status != http.StatusOK {
						b.t.Errorf("a good token: %d", status)
					}
				}
			}
		})
	}
	took = nil
	for i := range min(b.revocations, 300) {
		c := all[i%3].mint()
		if status := all[(i+1)%3].use(c.key); status != http.StatusOK {
			b.t.Errorf("the first try: %d", status)
		}
		took = append(took, all[(i+2)%3].end(i, c))
	}
	close(stop)
	callers.Wait()
	slices.Sort(took)
	ms := inMS(took[len(took)/2])
	b.add("3 nodes, 600 requests a second: ms until a revocation was answered, median", "%.1f", ms, "≤ 50", ms <= 50)
	b.rows = append(b.rows, row{"the same: p99", fmt.Sprintf("%.1f", inMS(took[len(took)*99/100])), "", ""})
}
