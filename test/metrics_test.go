package test_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/metrics"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

const monitoring = "../docs/monitoring"

// needs returns the path of a program. Without the program it skips the test.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no %s on this machine: `make test` installs it", program)
	}
	return path
}

// get returns the answer of a URL.
func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: hallpasstest.Patience}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s", url, res.StatusCode, err, b)
	}
	return string(b)
}

// traffic uses and misuses a server a little.
func traffic(t *testing.T, p *process) {
	t.Helper()
	var account struct{ UID string }
	if status, err := p.call(http.DefaultClient, "", "POST", "/api/serviceaccounts", `{"name":"scraped"}`, &account); err != nil || status != http.StatusCreated {
		t.Fatalf("create account: %d, %v", status, err)
	}
	var token struct{ Key string }
	if status, err := p.call(http.DefaultClient, "", "POST", "/api/serviceaccounts/"+account.UID+"/tokens", `{"name":"t","secondsToLive":172800}`, &token); err != nil || status != http.StatusOK {
		t.Fatalf("create token: %d, %v", status, err)
	}
	for _, as := range []string{token.Key, token.Key, "glsa_nonsense"} {
		if _, err := p.call(http.DefaultClient, as, "GET", "/api/org", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if status, err := p.call(http.DefaultClient, "", "POST", "/api/guards", `{"name":"app","rules":[{"path":"/metrics","role":"None"}]}`, nil); err != nil || status != http.StatusCreated {
		t.Fatalf("create guard: %d, %v", status, err)
	}
	for path, want := range map[string]int{"/guard/envoy/app/metrics": http.StatusOK, "/guard/envoy/app/admin": http.StatusForbidden, "/guard/nginx/nosuch": http.StatusForbidden} {
		if status, err := p.call(http.DefaultClient, token.Key, "GET", path, "", nil); err != nil || status != want {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
	}
}

// everything returns metrics of every family, also of those that only several nodes have.
func everything() *metrics.Metrics {
	m := metrics.New(metrics.Options{
		Verify: func() verify.Stats { return verify.Stats{Outcomes: map[string]uint64{"ok": 1}} },
		Pools:  func() []metrics.Pool { return []metrics.Pool{{Name: "read"}} },
		Jobs:   func() []hallpass.Job { return []hallpass.Job{{Name: "clock"}} },
		Lease:  func() metrics.Lease { return metrics.Lease{Held: true} },
		Nodes:  func() []metrics.Node { return []metrics.Node{{Name: "a", Self: true}} },
		Decisions: func() []metrics.Decisions {
			return []metrics.Decisions{{Guard: "app", Outcome: hallpass.GuardAllowed, Rule: 1, Count: 1}}
		},
		Expiring: func(context.Context) ([]metrics.Expiring, error) {
			return []metrics.Expiring{{Token: 1, Org: 1, ExpiresAt: time.Now()}}, nil
		},
	})
	m.Canary(metrics.CanaryRefused, time.Now())
	return m
}

// severalNodesOnly are the families that a single live server does not need to have.
var severalNodesOnly = regexp.MustCompile(`^hallpass_(view|node)_|^hallpass_canary_(success|timestamp_seconds)$`)

// TestMetricNames compares every name in the dashboard, the alerts and the manual with
// the metrics of a server after a little traffic. A name that is wrong fails the test.
func TestMetricNames(t *testing.T) {
	p := serve(t, t.TempDir())
	traffic(t, p)
	live := metricNames(get(t, p.url+"/metrics"))
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	everything().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	possible := metricNames(w.Body.String())

	exists := func(name string) bool {
		return name == "up" || live[name] || severalNodesOnly.MatchString(name) && possible[name]
	}
	if exists("hallpass_verifications") || exists("hallpass_view_ages") || !exists("hallpass_verifications_total") || !exists("hallpass_view_age_seconds") {
		t.Fatal("this test would not see a wrong name")
	}
	used := make(map[string]bool)
	for where, exprs := range expressions(t) {
		for _, expr := range exprs {
			names := namesIn(expr)
			if len(names) == 0 {
				t.Errorf("%s: no metric in %q", where, expr)
			}
			for _, name := range names {
				used[name] = true
				if !exists(name) {
					t.Errorf("%s: there is no metric %s", where, name)
				}
			}
		}
	}
	manual, err := os.ReadFile("../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`(hallpass_[a-z_]*[a-z])`").FindAllStringSubmatch(string(manual), -1) {
		if !exists(name[1]) && !exists(name[1]+"_bucket") {
			t.Errorf("the manual: there is no metric %s", name[1])
		}
	}
	for name := range possible {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if strings.HasPrefix(name, "hallpass_") && !strings.Contains(string(manual), base) && !strings.Contains(string(manual), "`…"+strings.TrimPrefix(base, "hallpass_verify_cache")+"`") {
			t.Errorf("the manual has no %s", base)
		}
		if strings.HasPrefix(name, "hallpass_") && !used[name] && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") {
			t.Errorf("%s is shown, and neither dashboard nor alerts look at it", name)
		}
	}
}

// metricNames returns the names in the text of a scrape.
func metricNames(text string) map[string]bool {
	names := make(map[string]bool)
	for line := range strings.Lines(text) {
		if name := regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`).FindString(line); name != "" {
			names[name] = true
		}
	}
	return names
}

// expressions returns the expressions of the dashboard and the alerts, by where they are.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for panel, exprs := range dashboard(t) {
		found["dashboard: "+panel] = exprs
	}
	text, err := os.ReadFile(filepath.Join(monitoring, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^ +- alert: (\w+)\n(?: +#.*\n)* +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)`)
	for _, m := range rule.FindAllStringSubmatch(string(text), -1) {
		found["alert: "+m[1]] = []string{m[2] + m[3]}
	}
	if n := strings.Count(string(text), "- alert:"); n == 0 || n != strings.Count(strings.Join(slices.Sorted(maps.Keys(found)), "\n"), "alert: ") {
		t.Fatalf("not every one of %d alerts was read", n)
	}
	return found
}

// dashboard returns the expressions of each panel, with Grafana's variables put
// in.
func dashboard(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title, UID string
		Panels     []struct {
			ID          int
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("dashboard.json: %v", err)
	}
	panels := make(map[string][]string)
	ids := make(map[int]bool)
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("dashboard.json: panel %d %q has no title, no target, or an ID that another has", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$instance", ".*").Replace(target.Expr)
			panels[p.Title] = append(panels[p.Title], expr)
		}
	}
	if d.UID == "" || len(panels) < 20 {
		t.Errorf("dashboard.json: only %d panels were read", len(panels))
	}
	return panels
}

var (
	notNames   = regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\boffset\s+\w+`)
	identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*(\s*\()?`)
)

// namesIn returns the metrics that a PromQL expression names: what remains when
// strings, labels, ranges, functions and operators are taken out.
func namesIn(expr string) []string {
	var names []string
	for _, name := range identifier.FindAllString(notNames.ReplaceAllString(notNames.ReplaceAllString(expr, " "), " "), -1) {
		if !strings.HasSuffix(name, "(") && !slices.Contains([]string{"and", "or", "unless", "bool"}, name) {
			names = append(names, name)
		}
	}
	return names
}

// TestPromtool has Prometheus' own tool check the metrics of a live server and of several
// nodes, check the alert rules, and run the tests of the rules.
func TestPromtool(t *testing.T) {
	promtool := needs(t, "promtool")
	p := serve(t, t.TempDir())
	traffic(t, p)
	live := get(t, p.url+"/metrics")
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	everything().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for name, in := range map[string]string{"live": live, "everything": w.Body.String()} {
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(in)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("check metrics, %s: %v\n%s", name, err, out)
		}
	}
	for _, args := range [][]string{
		{"check", "rules", "alerts.yml"}, {"check", "config", "prometheus.yml"}, {"test", "rules", "alerts_test.yml"},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = monitoring
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestPrometheus lets a real Prometheus scrape a real server, with the files of the
// manual. The target is up, every rule is evaluated without an error, and every query of
// the dashboard is valid. HALLPASS_TEST_PROMETHEUS_SECONDS says for how long it scrapes;
// the least is a few seconds.
func TestPrometheus(t *testing.T) {
	program := needs(t, "prometheus")
	long := 5 * time.Second
	if s := os.Getenv("HALLPASS_TEST_PROMETHEUS_SECONDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("HALLPASS_TEST_PROMETHEUS_SECONDS: %v", err)
		}
		long = time.Duration(n) * time.Second
	}
	p := serve(t, t.TempDir())
	traffic(t, p) // before the first scrape: a guard has no counters until it has decided
	prometheus := scrapeWith(t, program, p)
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(time.Second) { // Prometheus scrapes and evaluates meanwhile
		if status, err := p.call(http.DefaultClient, "", "GET", "/api/org", "", nil); err != nil || status != http.StatusOK {
			t.Fatalf("beside the scrapes: %d, %v", status, err)
		}
	}

	var targets struct {
		ActiveTargets []struct{ Health, LastError string }
	}
	ask(t, prometheus+"/api/v1/targets", &targets)
	if len(targets.ActiveTargets) != 1 || targets.ActiveTargets[0].Health != "up" || targets.ActiveTargets[0].LastError != "" {
		t.Errorf("targets: %+v", targets)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError, State string }
		}
	}
	ask(t, prometheus+"/api/v1/rules", &rules)
	n := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			n++
			if r.Health != "ok" || r.LastError != "" || r.State == "firing" {
				t.Errorf("rule %+v", r)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d rules were evaluated", n)
	}
	for panel, exprs := range dashboard(t) {
		for _, expr := range exprs {
			var result struct{ Result []any }
			ask(t, prometheus+"/api/v1/query?query="+url.QueryEscape(expr), &result)
			several := slices.ContainsFunc(namesIn(expr), severalNodesOnly.MatchString)
			if len(result.Result) == 0 && !several && !strings.Contains(expr, "hallpass_token_") { // those are read every 30 s
				t.Errorf("dashboard, %s: %s shows nothing", panel, expr)
			}
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// ask calls Prometheus' API.
func ask(t *testing.T, url string, data any) {
	t.Helper()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal([]byte(get(t, url)), &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %v %s", url, err, answer.Error)
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

// scrapeWith starts Prometheus with the files of the manual, other targets and shorter
// intervals. It returns the URL when Prometheus has scraped and evaluated the rules.
func scrapeWith(t *testing.T, program string, all ...*process) string {
	t.Helper()
	return scrapeIn(t, program, strings.NewReplacer("_interval: 15s", "_interval: 1s"), all...)
}

// scrapeIn is scrapeWith with replacements in the files, which shorten the intervals.
func scrapeIn(t *testing.T, program string, hurry *strings.Replacer, all ...*process) string {
	t.Helper()
	var targets []string
	for _, p := range all {
		targets = append(targets, strings.TrimPrefix(p.url, "http://"))
	}
	dir := t.TempDir()
	for _, name := range []string{"prometheus.yml", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join(monitoring, name))
		if err != nil {
			t.Fatal(err)
		}
		changed := hurry.Replace(strings.ReplaceAll(string(text), "127.0.0.1:3080", strings.Join(targets, "\n          - ")))
		if changed == string(text) && name == "prometheus.yml" {
			t.Fatal("prometheus.yml has no target and no interval that this test could change")
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, address := binaryAndAddress(t)
	var out bytes.Buffer
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("prometheus: %s", &out)
		}
	})
	base := "http://" + address
	client := &http.Client{Timeout: hallpasstest.Patience}
	hallpasstest.Eventually(t, "Prometheus to scrape the server", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("prometheus ended: %v\n%s", err, &out)
		default:
		}
		return judged(client, base)
	})
	return base
}

// judged reports whether the target is up and every rule was evaluated.
func judged(client *http.Client, base string) bool {
	for _, path := range []string{"/api/v1/targets", "/api/v1/rules"} {
		res, err := client.Get(base + path)
		if err != nil {
			return false
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // it was read whole
		if err != nil || bytes.Contains(b, []byte(`"unknown"`)) || !bytes.Contains(b, []byte(`"health":"`)) {
			return false
		}
	}
	return true
}
