package test_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// addGuard puts a guard with so many rules into a stock that nobody serves. The last
// of them matches /app/last/{name}/values.
func (s stock) addGuard(t *testing.T, name string, rules int) {
	t.Helper()
	type rule struct {
		Methods []string `json:"methods"`
		Path    string   `json:"path"`
		Role    string   `json:"role"`
	}
	var list []rule
	for i := range rules - 1 {
		list = append(list, rule{[]string{"GET"}, fmt.Sprintf("/app/v%d/{name}/values", i), "Viewer"})
	}
	text, err := json.Marshal(append(list, rule{[]string{"GET"}, "/app/last/{name}/values", "Viewer"}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite(t, filepath.Join(s.data, "hallpass.db")).Exec(`
		INSERT INTO guards (id, org_id, name, upstream, rules, preset, path_allow, allow_preflight, jwt, managed_by, source, version, suspended, created_us, updated_us)
		VALUES (1, 1, $1, '', $2, '', '[]', FALSE, FALSE, 'api', '', 1, '', 0, 0) ON CONFLICT DO NOTHING`, name, string(text))
	if err != nil {
		t.Fatal(err)
	}
}

var decideLine = regexp.MustCompile(`(?m)^BenchmarkDecide/last\S*\s+\d+\s+([0-9.]+) ns/op.*\s(\d+) allocs/op`)

// rules measures a decision by a hundred rules: inside the process, and as nginx asks
// for it, beside a bare server that sends the same headers, and one that sends none.
func (b *bench) rules(s stock) {
	t := b.t
	out, err := exec.Command("go", "test", "-count=1", "../internal/guard", "-run=^$", "-bench=Decide/last$", "-benchmem", "-count="+strconv.Itoa(b.rounds)).CombinedOutput()
	lines := decideLine.FindAllSubmatch(out, -1)
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
	ns := median(times)
	b.add("one verdict by 100 rules inside the process, warm: ns", "%.0f", ns, "< 1000", ns < 1000)
	b.add("the same: allocations", "%.0f", allocs, "0", allocs == 0)

	s.addGuard(t, "bench", 100)
	b.headers = []string{
		"X-Original-Method: GET", "X-Original-Uri: /app/last/x/values?query=up", "X-Original-Host: app.example", "X-Original-Proto: https", "X-Real-Ip: 192.0.2.1", "User-Agent: bench",
	}
	ours := b.serve(s, "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1")
	defer b.stop(ours)
	const path = "/guard/nginx/bench"
	x, y := b.besideBare(ours, s.tokens[:1], path, path)
	b.add("GET /guard/nginx/{guard} with 100 rules, processor time of bare net/http ÷ ours", "%.3f", x.cpu/y.cpu, "≥ 0.80", x.cpu >= 0.80*y.cpu)
	b.tell("the same, p99 ÷ bare net/http", "%.2f", y.p99/x.p99)
	b.tell("the same, requests a second ÷ bare net/http", "%.3f", y.rps/x.rps)
	x, y = b.besideBare(ours, s.tokens[:1], "/guard/verify", path)
	b.tell("the same, processor time of bare net/http that sends no headers ÷ ours", "%.3f", x.cpu/y.cpu)
}
