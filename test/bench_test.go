package test_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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
// its token was revoked does. A figure is called disturbed where other work took
// more of the machine than disturbedShare while it was measured.
func TestMeasured(t *testing.T) {
	b := bench{t: t, rounds: 7, each: 3 * time.Second, revocations: 1000, many: 1_000_000}
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
		{"org", func() { b.requests(few(), "GET /api/org", "/api/org") }},
		{"guard", func() { b.requests(few(), "GET /guard/verify", "/guard/verify") }},
		{"limits", func() { b.limits(few()) }},
		{"rules", func() { b.rules(few()) }},
		{"grpc", func() { b.grpc(few()) }},
		{"proxy", func() { b.proxy(few()) }},
		{"nginx", func() { b.nginx(few()) }},
		{"inside", b.inside},
		{"size", func() { b.size(few(), many()) }},
		{"uses", func() { b.uses(many()) }},
		{"start", func() { b.start(few(), many()) }},
		{"nodes", b.nodes},
		{"rotate", b.rotate},
		{"usage", func() { b.usage(few()) }},
		{"flood", func() { b.flood(few()) }},
		{"crowd", func() { b.crowd(few()) }},
		{"attention", b.attention},
		{"year", b.year},
	} {
		t.Run(part.name, func(t *testing.T) {
			b.t, b.others, b.headers = t, 0, nil
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
	many        int      // tokens
	headers     []string // of requests with one token, in addition, each a line
	others      float64  // the share of the machine that other work took, in the comparison that was made last
	rows        []row
}

// row is a line of the table.
type row struct{ what, figure, bar, verdict string }

// disturbedShare is how much of the machine other work may take before a figure
// is called disturbed.
const disturbedShare = 0.1

// add adds a figure to the table, and whether it is on the right side of its bar.
func (b *bench) add(what, format string, figure float64, bar string, met bool) {
	r := row{what, fmt.Sprintf(format, figure), bar, "met"}
	if !met {
		r.verdict = "missed"
	}
	b.append(r)
}

// tell adds a figure that has no bar.
func (b *bench) tell(what, format string, figure float64) {
	b.append(row{what, fmt.Sprintf(format, figure), "", ""})
}

func (b *bench) append(r row) {
	if b.others > disturbedShare {
		r.verdict = strings.TrimSpace(r.verdict + " disturbed")
	}
	b.rows = append(b.rows, r)
	b.t.Logf("%s: %s (%s: %s)", r.what, r.figure, r.bar, r.verdict)
}

func (b *bench) print() {
	var s strings.Builder
	line := func(r row) {
		fmt.Fprintf(&s, "| %-78s | %10s | %-9s | %-16s |\n", r.what, r.figure, r.bar, r.verdict)
	}
	line(row{"what", "figure", "bar", ""})
	line(row{strings.Repeat("-", 78), strings.Repeat("-", 10), strings.Repeat("-", 9), strings.Repeat("-", 16)})
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

// firstBenchToken is the ID of the first token of a stock.
const firstBenchToken = 1000

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
	const first, perAccount, atOnce = firstBenchToken, 10, 500
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
func (b *bench) serve(s stock, env ...string) *process {
	b.t.Helper()
	p := startUnder(b.t, []string{"taskset", "-c", "0"}, s.data, append(env, "HALLPASS_SERVER_SHUTDOWN_DELAY=0s"))
	p.await()
	return p
}

func (b *bench) stop(p *process) {
	b.t.Helper()
	if err := p.stop(); err != nil {
		b.t.Errorf("%v\n%s", err, p.out)
	}
}

// result is what one run of load saw. What is measured of the server is left out
// where nobody said which process that is.
type result struct {
	requests float64 // answered
	rps, p99 float64 // requests a second; microseconds
	cpu      float64 // processor time of the server for each request, user and system, in microseconds
	others   float64 // the share of the two cores that other work took
}

var (
	wrkAll = regexp.MustCompile(`(\d+) requests in`)
	wrkRPS = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkP99 = regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`)
	wrkBad = regexp.MustCompile(`(?m)^.*(Non-2xx|Socket errors).*$`)
)

// wrk is load from the other core with the tokens in turn: one connection after
// the other takes the next, from anywhere in the list on, so that runs that do not
// come to its end use all of it between them.
func (b *bench) wrk(url string, conns int, tokens []string, each time.Duration) *exec.Cmd {
	b.t.Helper()
	dir := b.t.TempDir()
	list, script := filepath.Join(dir, "tokens"), filepath.Join(dir, "load.lua")
	if err := os.WriteFile(list, []byte(strings.Join(tokens, "\n")+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	args := []string{"-c", "1", "wrk", "-t1", fmt.Sprint("-c", conns), fmt.Sprintf("-d%.0fs", each.Seconds()), "--latency"}
	if len(tokens) == 1 {
		for _, h := range append(b.headers, "Authorization: Bearer "+tokens[0]) {
			args = append(args, "-H", h)
		}
	} else {
		lua := fmt.Sprintf(`local requests, i = {}, %d
function init() for token in io.lines(%q) do requests[#requests + 1] = wrk.format("GET", nil, {["Host"] = wrk.headers["Host"], ["Authorization"] = "Bearer " .. token}) end end
function request() i = i %% #requests + 1; return requests[i] end
`, rand.IntN(len(tokens)), list)
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
	all, rps, p99 := wrkAll.FindSubmatch(out), wrkRPS.FindSubmatch(out), wrkP99.FindSubmatch(out)
	if all == nil || rps == nil || p99 == nil {
		b.t.Fatalf("wrk said:\n%s", out)
	}
	if bad := wrkBad.Find(out); bad != nil && !lost {
		b.t.Errorf("requests failed: %s", bad)
	}
	r.requests, _ = strconv.ParseFloat(string(all[1]), 64) // digits, by the patterns
	r.rps, _ = strconv.ParseFloat(string(rps[1]), 64)
	r.p99, _ = strconv.ParseFloat(string(p99[1]), 64)
	r.p99 *= map[string]float64{"us": 1, "ms": 1e3, "s": 1e6}[string(p99[2])]
	return r
}

// load loads the URL, which the process serves, and measures both.
func (b *bench) load(server *os.Process, url string, conns int, tokens []string, further ...*os.Process) result {
	b.t.Helper()
	return b.measure(server, b.wrk(url, conns, tokens, b.each), further...)
}

// measure runs load, which prints what wrk prints, and measures it and the process
// that answers. What further processes do for that is no other work.
func (b *bench) measure(server *os.Process, load *exec.Cmd, further ...*os.Process) result {
	b.t.Helper()
	helped := func() (ticks float64) {
		for _, p := range further {
			ticks += processTicks(b.t, p)
		}
		return ticks
	}
	busy, own, help := busyTicks(b.t), processTicks(b.t, server), helped()
	out, err := load.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", load, err, out)
	}
	busy, own, help = busyTicks(b.t)-busy, processTicks(b.t, server)-own, helped()-help
	r := b.read(out, false)
	r.cpu = own / ticksPerSecond * 1e6 / r.requests
	ours := (own+help)/ticksPerSecond + (load.ProcessState.UserTime() + load.ProcessState.SystemTime()).Seconds()
	r.others = max(0, busy/ticksPerSecond-ours) / (2 * b.each.Seconds())
	return r
}

// ticksPerSecond is the unit of /proc: Linux has the same on every machine.
const ticksPerSecond = 100

// processTicks returns the processor time of a process so far, user and system.
func processTicks(t testing.TB, p *os.Process) float64 {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before may hold spaces
	return sumOf(t, strings.Fields(after), 11, 12)
}

// busyTicks returns the time so far in which the first two cores did something,
// or the machine below took them away.
func busyTicks(t testing.TB) float64 {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	busy := 0.0
	for line := range strings.Lines(string(stat)) {
		if fields := strings.Fields(line); len(fields) > 8 && (fields[0] == "cpu0" || fields[0] == "cpu1") {
			busy += sumOf(t, fields, 1, 2, 3, 6, 7, 8) // user, nice, system, interrupts of both kinds, stolen
		}
	}
	return busy
}

func sumOf(t testing.TB, fields []string, which ...int) (sum float64) {
	t.Helper()
	for _, i := range which {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
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
	var seen [2][]result
	for range b.rounds {
		seen[0] = append(seen[0], one())
		seen[1] = append(seen[1], other())
	}
	return b.compared(seen[0], seen[1])
}

// compared returns the medians of both.
func (b *bench) compared(one, other []result) (x, y result) {
	b.t.Helper()
	x, y = medians(one), medians(other)
	b.others = x.others // the other's load may have more parts than the two that are counted
	b.t.Logf("%.0f and %.0f requests/s, p99 %.0f and %.0f us, %.2f and %.2f us of processor time each; other work took %.0f %% of the machine",
		x.rps, y.rps, x.p99, y.p99, x.cpu, y.cpu, 100*b.others)
	return x, y
}

func medians(list []result) result {
	of := func(figure func(result) float64) float64 {
		figures := make([]float64, len(list))
		for i, r := range list {
			figures[i] = figure(r)
		}
		return median(figures)
	}
	return result{
		requests: of(func(r result) float64 { return r.requests }), rps: of(func(r result) float64 { return r.rps }),
		p99: of(func(r result) float64 { return r.p99 }), cpu: of(func(r result) float64 { return r.cpu }), others: of(func(r result) float64 { return r.others }),
	}
}

const benchConns = 32

// bare starts the bare server on the servers' core and returns it with its URL.
func (b *bench) bare(flags ...string) (*os.Process, string) { return b.bareOn("0", flags...) }

func (b *bench) bareOn(core string, flags ...string) (*os.Process, string) {
	t := b.t
	t.Helper()
	path := filepath.Join(t.TempDir(), "bare")
	if out, err := exec.Command("go", "build", "-o", path, "./bare").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, address := binaryAndAddress(t)
	cmd := exec.Command("taskset", append([]string{"-c", core, path, "-listen", address}, flags...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it was killed
	hallpasstest.Eventually(t, "the bare server to listen", func() bool { return listens(address) })
	return cmd.Process, "http://" + address
}

// requests compares one kind of request with a bare server that answers the same
// bytes.
func (b *bench) requests(s stock, what, path string) {
	b.t.Helper()
	ours := b.serve(s)
	defer b.stop(ours)
	x, y := b.besideBare(ours, s.tokens[:1], path, path)
	b.add(what+" with a token, processor time of bare net/http ÷ ours", "%.3f", x.cpu/y.cpu, "≥ 0.85", x.cpu >= 0.85*y.cpu)
	b.add("the same, p99 ÷ bare net/http", "%.2f", y.p99/x.p99, "≤ 1.5", y.p99 <= 1.5*x.p99)
	b.tell("the same, requests a second ÷ bare net/http", "%.3f", y.rps/x.rps)
}

// besideBare loads a path of the bare server and one of ours in turn. Both must answer
// with the same status and body.
func (b *bench) besideBare(ours *process, token []string, barePath, path string) (x, y result) {
	b.t.Helper()
	bare, bareURL := b.bare()
	return b.beside(bare, bareURL+barePath, ours, token, path)
}

// beside is besideBare with a server that is running, and further processes that help both.
func (b *bench) beside(bare *os.Process, bareURL string, ours *process, token []string, path string, further ...*os.Process) (x, y result) {
	t := b.t
	t.Helper()
	body := func(url string) string {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token[0])
		for _, h := range b.headers {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Set(name, value)
		}
		r, err := quick.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }() // read to its end
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body) // a short one differs
		return fmt.Sprintln(r.StatusCode, body.String())
	}
	if x, y := body(bareURL), body(ours.url+path); x != y {
		t.Fatalf("the answers differ:\n%s\n%s", x, y)
	}
	b.warm(bareURL, token)
	b.warm(ours.url+path, token)
	return b.inTurn(
		func() result { return b.load(bare, bareURL, benchConns, token, further...) },
		func() result { return b.load(ours.cmd.Process, ours.url+path, benchConns, token, further...) })
}

// size compares a large installation with a small one, 1,000 tokens of each in
// use.
func (b *bench) size(few, many stock) {
	small, large := b.serve(few), b.serve(many)
	defer b.stop(small)
	defer b.stop(large)
	for _, p := range []*process{small, large} {
		b.warm(p.url+"/api/org", map[*process]stock{small: few, large: many}[p].tokens[:1000])
	}
	x, y := b.inTurn(
		func() result { return b.load(small.cmd.Process, small.url+"/api/org", benchConns, few.tokens[:1000]) },
		func() result { return b.load(large.cmd.Process, large.url+"/api/org", benchConns, many.tokens[:1000]) })
	b.add(fmt.Sprintf("throughput with %d tokens ÷ with 1000, 1000 of each in use", b.many), "%.3f", y.rps/x.rps, "≥ 0.95", y.rps >= 0.95*x.rps)
}

// uses compares very many tokens in turn, whose last uses are then all written,
// with few of the same installation, on either database.
func (b *bench) uses(s stock) {
	used := s.tokens[:min(len(s.tokens), 200_000)]
	compare := func(p *process, database string) {
		url := p.url + "/api/org"
		load := func(tokens []string) (seen []result) {
			for range b.rounds {
				seen = append(seen, b.load(p.cmd.Process, url, benchConns, tokens))
			}
			return seen
		}
		b.warm(url, used[:1000])
		one := load(used[:1000])                     // not in turn with the many: their uses are still written half a minute later
		for some := range slices.Chunk(used, 5000) { // fewer than are read from the database while they are warmed
			b.warm(url, some)
		}
		few, many := b.compared(one, load(used))
		b.add(fmt.Sprintf("throughput with %d tokens in turn ÷ with 1000, on %s", len(used), database), "%.3f", many.rps/few.rps, "≥ 0.6", many.rps >= 0.6*few.rps)
	}
	p := b.serve(s)
	compare(p, "SQLite")
	b.stop(p)
	url := newPostgres(b.t).url()
	env := []string{"HALLPASS_DATABASE_TYPE=postgres", "HALLPASS_DATABASE_URL=" + url, "HALLPASS_SERVER_SHUTDOWN_DELAY=0s"}
	works(b.t, env, "migrate", "--data", s.data)
	p = startUnder(b.t, []string{"taskset", "-c", "0"}, b.t.TempDir(), env)
	p.await()
	compare(p, "PostgreSQL")
	b.stop(p)
}

// start compares how long a server with many tokens takes until its first 200.
func (b *bench) start(few, many stock) {
	var elapsed [2][]float64
	for range b.rounds {
		for i, s := range []stock{few, many} {
			began := time.Now()
			p := startUnder(b.t, []string{"taskset", "-c", "0"}, s.data, []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s"})
			for p.use(s.tokens[0]) != http.StatusOK && time.Since(began) < time.Minute {
				time.Sleep(time.Millisecond) // the time until it answers is measured
			}
			elapsed[i] = append(elapsed[i], time.Since(began).Seconds())
			b.stop(p)
		}
	}
	x, y := median(elapsed[0]), median(elapsed[1])
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
	alone, beside := b.inTurn(func() result { return b.load(p.cmd.Process, url, conns, good) }, func() result {
		flood := b.wrk(url, conns, unknown, b.each+2*time.Second)
		var out bytes.Buffer
		flood.Stdout = &out
		if err := flood.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // the flood has all its connections by then
		r := b.load(p.cmd.Process, url, conns, good)
		if err := flood.Wait(); err != nil {
			t.Fatalf("wrk: %v\n%s", err, out.Bytes())
		}
		t.Logf("the flood: %.0f requests/s", b.read(out.Bytes(), true).rps)
		return r
	})
	share := beside.rps / (alone.rps / 2)
	b.add("flood of unknown tokens on as many connections: good callers ÷ their fair share", "%.2f", share, "≥ 0.8", share >= 0.8)
	b.tell("the same, good callers' p99 ÷ p99 without the flood", "%.2f", beside.p99/alone.p99)
}

var (
	verifyLine = regexp.MustCompile(`BenchmarkVerify/hit\S*\s+\d+\s+([0-9.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op`)
	memoryLine = regexp.MustCompile(`(\d+) bytes for each of`)
	moreLine   = regexp.MustCompile(`of the bare one, (\d+) more`)
)

// inside asks the benchmarks of the verifier, and the test that counts the
// allocations of a request.
func (b *bench) inside() {
	t := b.t
	run := func(pkg string, args ...string) []byte { // as a release is compiled: the profile decides what is inlined, and so what is allocated
		out, err := exec.Command("go", append([]string{"test", "-count=1", "-pgo=../cmd/hallpass/release.pgo", "../internal/" + pkg}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	hits := verifyLine.FindAllSubmatch(run("verify", "-run=^$", "-bench=Verify/hit$", "-benchmem", "-count="+strconv.Itoa(b.rounds)), -1)
	held := memoryLine.FindAllSubmatch(run("verify", "-run=MemoryOfAToken", "-v"), -1)
	more := moreLine.FindSubmatch(run("server", "-run=AllocationsOfARequest", "-v"))
	if hits == nil || len(held) == 0 || more == nil {
		t.Fatal("the benchmarks of internal/verify or internal/server print something else than they did")
	}
	var times []float64
	allocs := 0.0
	for _, hit := range hits {
		ns, _ := strconv.ParseFloat(string(hit[1]), 64) // digits, by the pattern
		n, _ := strconv.ParseFloat(string(hit[2]), 64)  // as above
		times, allocs = append(times, ns), max(allocs, n)
	}
	ns := median(times)
	b.add("one verification inside the process, warm: ns", "%.0f", ns, "< 300", ns < 300)
	b.add("the same: allocations", "%.0f", allocs, "0", allocs == 0)
	above, _ := strconv.ParseFloat(string(more[1]), 64) // as above
	b.add("allocations of a whole GET /guard/verify above bare net/http's", "%.0f", above, "≤ 6", above <= 6)
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
	late, elapsed := revokeOnEveryNode(b.t, b.revocations)
	b.add(fmt.Sprintf("3 nodes on PostgreSQL: requests accepted after %d revocations were answered", b.revocations), "%.0f", float64(late), "0", late == 0)
	if late > 0 {
		b.t.Errorf("%d requests were accepted after their token was revoked", late)
	}
	inMS := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	b.tell("the same: ms until a revocation was answered, median, both cores overloaded", "%.1f", inMS(elapsed[len(elapsed)/2]))

	tightenings := min(b.revocations, 200)
	late, elapsed = tightenOnEveryNode(b.t, tightenings)
	b.add(fmt.Sprintf("3 nodes: requests let through after %d rules were made stricter", tightenings), "%.0f", float64(late), "0", late == 0)
	if late > 0 {
		b.t.Errorf("%d requests passed after their rule was made stricter", late)
	}
	b.tell("the same: ms until that was acknowledged, median, both cores overloaded", "%.1f", inMS(elapsed[len(elapsed)/2]))

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
	elapsed = nil
	for i := range min(b.revocations, 300) {
		c := all[i%3].mint()
		if status := all[(i+1)%3].use(c.key); status != http.StatusOK {
			b.t.Errorf("the first try: %d", status)
		}
		elapsed = append(elapsed, all[(i+2)%3].end(i, c))
	}
	close(stop)
	callers.Wait()
	slices.Sort(elapsed)
	ms := inMS(elapsed[len(elapsed)/2])
	b.add("3 nodes, 600 requests a second: ms until a revocation was answered, median", "%.1f", ms, "≤ 50", ms <= 50)
	b.tell("the same: p99", "%.1f", inMS(elapsed[len(elapsed)*99/100]))
}
