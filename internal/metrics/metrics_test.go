package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/metrics"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// scrape returns what m shows.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// has fails the test unless each of the lines is there.
func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("there is no line %q", line)
		}
	}
}

// TestNothingHandedIn shows what there is without any function: counts start at
// 0 for every value of a label, and no family is shown that nobody tells of.
func TestNothingHandedIn(t *testing.T) {
	text := scrape(t, metrics.New(metrics.Options{Version: "v1.2.3"}))
	for _, door := range []string{"api", "console", "guard", "health"} {
		for class := 1; class <= 5; class++ {
			has(t, text, fmt.Sprintf(`hallpass_http_request_duration_seconds_count{code="%dxx",door="%s"} 0`, class, door))
		}
		has(t, text, `hallpass_http_unavailable_responses_total{door="`+door+`"} 0`)
	}
	for _, result := range []string{"refused", "accepted", "failed"} {
		has(t, text, `hallpass_canary_runs_total{result="`+result+`"} 0`)
	}
	has(t, text, `hallpass_revocation_acknowledged_seconds_count 0`)
	if !strings.Contains(text, `hallpass_build_info{goversion="go`) || !strings.Contains(text, `version="v1.2.3"} 1`) || !strings.Contains(text, "\ngo_build_info{") || !strings.Contains(text, "\nprocess_start_time_seconds ") {
		t.Error("the build or the process is not shown")
	}
	for _, absent := range []string{"hallpass_canary_success", "hallpass_canary_timestamp", "hallpass_view_", "hallpass_node_", "hallpass_token_", "hallpass_database_", "hallpass_job_", "hallpass_verif", "hallpass_last_use", "hallpass_guard_"} {
		if strings.Contains(text, absent) {
			t.Errorf("there is %s, of which nobody told", absent)
		}
	}
}

// TestHandedIn shows what the functions tell.
func TestHandedIn(t *testing.T) {
	now := time.UnixMicro(1_800_000_000_500_000)
	m := metrics.New(metrics.Options{
		Verify: func() verify.Stats {
			return verify.Stats{
				Outcomes: map[string]uint64{"ok": 7, "invalid": 0}, Hits: 5, Misses: 2, Entries: 3, Size: 64,
				UsesWaiting: 4, UsesLate: 12500 * time.Millisecond, UsesDropped: 8, UsageDropped: 3, Flushes: 6, FlushedUses: 9, FlushSeconds: 0.25,
			}
		},
		Pools: func() []metrics.Pool {
			return []metrics.Pool{{Name: "read", Open: 3, InUse: 1, Idle: 2, Max: 8, Waits: 11, WaitSeconds: 1.5}}
		},
		Jobs: func() []hallpass.Job {
			return []hallpass.Job{{Name: "a", RanAt: now, Elapsed: 250 * time.Millisecond, Error: "no room", Runs: 5, Failures: 2}, {Name: "b"}}
		},
		Decisions: func() []metrics.Decisions {
			return []metrics.Decisions{{Guard: "prom", Outcome: "allowed", Rule: 3, Count: 12}, {Outcome: "guard.unknown", Count: 1}}
		},
		Lease: func() metrics.Lease {
			return metrics.Lease{Held: true, Age: 300 * time.Millisecond, LeaseLeft: -time.Second, MaxStaleness: 10 * time.Second, Version: 42}
		},
		Nodes: func() []metrics.Node {
			list := []metrics.Node{{Name: "b", Lag: 2, HeartbeatAge: time.Second}, {Name: "a", Self: true, HeartbeatAge: 2 * time.Second}, {Name: "b", Lag: 9, HeartbeatAge: time.Hour}, {Name: "c\xff", HeartbeatAge: time.Minute}}
			for i := range 100 {
				list = append(list, metrics.Node{Name: fmt.Sprint("old", i), HeartbeatAge: 24 * time.Hour})
			}
			return list
		},
		Expiring: func(context.Context) ([]metrics.Expiring, error) {
			return []metrics.Expiring{{Token: 7, Org: 1, ExpiresAt: now, UsedAt: now.Add(-time.Second)}, {Token: 8, Org: 2, ExpiresAt: now.Add(time.Hour)}}, nil
		},
	})
	m.Acknowledged(3 * time.Millisecond)
	m.Acknowledged(time.Minute)
	m.Canary(metrics.CanaryRefused, now)
	m.Request(metrics.DoorGuard, 200, 40*time.Microsecond)
	m.Request(metrics.DoorAPI, 503, time.Second)
	m.Request(metrics.DoorAPI, 0, time.Second)
	m.Request(metrics.DoorAPI, 999, time.Second)
	text := scrape(t, m)
	has(t, text,
		`hallpass_verifications_total{outcome="ok"} 7`, `hallpass_verifications_total{outcome="invalid"} 0`,
		`hallpass_verify_cache_hits_total 5`, `hallpass_verify_cache_misses_total 2`, `hallpass_verify_cache_entries 3`, `hallpass_verify_cache_max_entries 64`,
		`hallpass_last_uses_waiting 4`, `hallpass_last_use_delay_seconds 12.5`, `hallpass_last_uses_dropped_total 8`, `hallpass_usage_dropped_total 3`, `hallpass_last_use_flushes_total 6`, `hallpass_last_uses_written_total 9`, `hallpass_last_use_flush_seconds_total 0.25`,
		`hallpass_database_connections{pool="read",state="in_use"} 1`, `hallpass_database_connections{pool="read",state="idle"} 2`,
		`hallpass_database_max_connections{pool="read"} 8`, `hallpass_database_connection_waits_total{pool="read"} 11`, `hallpass_database_connection_wait_seconds_total{pool="read"} 1.5`,
		`hallpass_job_runs_total{name="a"} 5`, `hallpass_job_failures_total{name="a"} 2`, `hallpass_job_failing{name="a"} 1`, `hallpass_job_last_run_seconds{name="a"} 0.25`,
		`hallpass_job_last_run_timestamp_seconds{name="a"} 1.8000000005e+09`, `hallpass_job_failing{name="b"} 0`, `hallpass_job_last_run_timestamp_seconds{name="b"} 0`,
		`hallpass_guard_decisions_total{guard="prom",outcome="allowed",rule="3"} 12`, `hallpass_guard_decisions_total{guard="",outcome="guard.unknown",rule="0"} 1`,
		`hallpass_view_leased 1`, `hallpass_view_age_seconds 0.3`, `hallpass_view_lease_left_seconds 0`, `hallpass_view_max_staleness_seconds 10`, `hallpass_view_version 42`, `hallpass_view_diverged 0`,
		`hallpass_node_lag_versions{node="a",self="true"} 0`, `hallpass_node_lag_versions{node="b",self="false"} 2`, `hallpass_node_beat_age_seconds{node="a",self="true"} 2`,
		`hallpass_node_beat_age_seconds{node="c?",self="false"} 60`,
		`hallpass_token_expiry_timestamp_seconds{org_id="1",token_id="7"} 1.8000000005e+09`, `hallpass_token_last_used_timestamp_seconds{org_id="1",token_id="7"} 1.7999999995e+09`,
		`hallpass_token_last_used_timestamp_seconds{org_id="2",token_id="8"} 0`,
		`hallpass_canary_success 1`, `hallpass_canary_timestamp_seconds 1.8000000005e+09`, `hallpass_canary_runs_total{result="refused"} 1`,
		`hallpass_revocation_acknowledged_seconds_bucket{le="0.0025"} 0`, `hallpass_revocation_acknowledged_seconds_bucket{le="0.005"} 1`, `hallpass_revocation_acknowledged_seconds_bucket{le="30"} 1`, `hallpass_revocation_acknowledged_seconds_count 2`,
		`hallpass_http_request_duration_seconds_bucket{code="2xx",door="guard",le="0.0001"} 1`,
		`hallpass_http_request_duration_seconds_count{code="5xx",door="api"} 2`, `hallpass_http_request_duration_seconds_count{code="1xx",door="api"} 1`,
		`hallpass_http_unavailable_responses_total{door="api"} 1`,
	)
	if n := strings.Count(text, "\nhallpass_node_lag_versions{"); n != 64 {
		t.Errorf("%d nodes are shown, want 64", n)
	}
	m.Canary(metrics.CanaryAccepted, now.Add(time.Minute))
	has(t, scrape(t, m), `hallpass_canary_success 0`, `hallpass_canary_timestamp_seconds 1.8000000605e+09`, `hallpass_canary_runs_total{result="accepted"} 1`)

	var none *metrics.Metrics
	none.Acknowledged(time.Second)
	none.Canary(metrics.CanaryFailed, now)
	none.Request(metrics.DoorAPI, 200, time.Second)
}

// TestExpiringIsAskedSeldom scrapes again and again: the database is asked every
// 30 seconds, also while it fails, and what it said before is shown then.
func TestExpiringIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, broken := 0, false
		m := metrics.New(metrics.Options{Expiring: func(ctx context.Context) ([]metrics.Expiring, error) {
			asked++
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the question may take for ever")
			}
			if broken {
				return nil, errors.New("no")
			}
			var list []metrics.Expiring
			for i := range 50 {
				list = append(list, metrics.Expiring{Token: hallpass.TokenID(i + 1), Org: 1, ExpiresAt: time.Now()})
			}
			return list, nil
		}})
		shown := func() int { return strings.Count(scrape(t, m), "\nhallpass_token_expiry_timestamp_seconds{") }
		for range 10 {
			if n := shown(); n != 20 {
				t.Fatalf("%d tokens are shown, want 20", n)
			}
		}
		if asked != 1 {
			t.Errorf("ten scrapes asked %d times", asked)
		}
		broken = true
		time.Sleep(30 * time.Second)
		for range 10 {
			if n := shown(); n != 20 {
				t.Errorf("%d tokens are shown while the database fails, want those of before", n)
			}
		}
		has(t, scrape(t, m), "hallpass_token_expiry_failures_total 1")
		if asked != 2 {
			t.Errorf("asked %d times, want 2", asked)
		}
	})
}

// TestRequestCostsNothing holds the count of a request to no allocation.
func TestRequestCostsNothing(t *testing.T) {
	m := metrics.New(metrics.Options{})
	if n := testing.AllocsPerRun(1000, func() { m.Request(metrics.DoorOf("/guard/verify"), 200, 40*time.Microsecond) }); n != 0 {
		t.Errorf("counting a request allocates %v times, want 0", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	m := metrics.New(metrics.Options{})
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			m.Request(metrics.DoorOf("/guard/verify"), 200, 40*time.Microsecond)
		}
	})
}

func TestDoorOf(t *testing.T) {
	for path, want := range map[string]metrics.Door{
		"/": metrics.DoorConsole, "/login": metrics.DoorConsole, "/apiary": metrics.DoorConsole, "/guardian": metrics.DoorConsole,
		"/api": metrics.DoorAPI, "/api/org": metrics.DoorAPI, "/docs": metrics.DoorAPI, "/openapi.json": metrics.DoorAPI,
		"/guard": metrics.DoorGuard, "/guard/verify": metrics.DoorGuard, "/oauth2/introspect": metrics.DoorGuard, "/oauth2/token": metrics.DoorConsole,
		"/healthz": metrics.DoorHealth, "/readyz": metrics.DoorHealth, "/metrics": metrics.DoorHealth, "/api/health": metrics.DoorHealth,
	} {
		if got := metrics.DoorOf(path); got != want {
			t.Errorf("%s is of %s, want %s", path, got, want)
		}
	}
}

// TestAccess asks a server for its metrics: anybody gets them, unless a name
// and password are set, and nobody when they are off.
func TestAccess(t *testing.T) {
	open := hallpasstest.New(t)
	r := open.Do(hallpasstest.Nobody, "GET", "/metrics", "")
	if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain; version=0.0.4") || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("open: %d %v", r.StatusCode, r.Header)
	}
	if r := open.Do(hallpasstest.Nobody, "GET", "/metrics", "", "Accept: application/openmetrics-text; version=1.0.0"); !strings.HasSuffix(r.Text, "# EOF\n") {
		t.Error("OpenMetrics is not spoken")
	}
	if r := open.Do(hallpasstest.Nobody, "POST", "/metrics", "{}"); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" || !strings.Contains(r.Text, `"messageId":"request.method-not-allowed"`) {
		t.Errorf("POST: %d %s", r.StatusCode, r.Text)
	}

	const password = "a scrape of its own"
	shut := hallpasstest.New(t, func(c *server.Config) {
		c.Metrics.BasicAuthUsername, c.Metrics.BasicAuthPassword = "prometheus", secret.NewText(password)
	})
	for _, tt := range []struct {
		name string
		as   hallpasstest.Credential
		want int
	}{
		{"nobody", hallpasstest.Nobody, 401},
		{"right", hallpasstest.Basic("prometheus", password), 200},
		{"wrong password", hallpasstest.Basic("prometheus", password+"!"), 401},
		{"wrong name", hallpasstest.Basic("Prometheus", password), 401},
		{"empty", hallpasstest.Basic("", ""), 401},
		{"the admin", hallpasstest.Admin, 401},
		{"a bearer", hallpasstest.Bearer(password), 401},
		{"two headers", func(r *http.Request) {
			hallpasstest.Basic("prometheus", password)(r)
			r.Header.Add("Authorization", "Basic eDp5")
		}, 401},
	} {
		r := shut.Do(tt.as, "GET", "/metrics", "")
		if r.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, r.StatusCode, tt.want)
		}
		if r.StatusCode == 401 && (!strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") || strings.Contains(r.Text, "hallpass_") || !strings.Contains(r.Text, `"messageId":"metrics.unauthorized"`)) {
			t.Errorf("%s: %v %s", tt.name, r.Header, r.Text)
		}
		if strings.Contains(r.Text, password) {
			t.Errorf("%s: the password is shown", tt.name)
		}
	}
	if strings.Contains(shut.Log(), password) {
		t.Error("the password is in the log")
	}

	off := hallpasstest.New(t, func(c *server.Config) { c.Metrics.Enabled = false })
	if r := off.Do(hallpasstest.Nobody, "GET", "/metrics", ""); r.StatusCode != 404 {
		t.Errorf("off: %d", r.StatusCode)
	}
	if r := off.Do(hallpasstest.Nobody, "GET", "/debug/pprof/", ""); r.StatusCode != 404 {
		t.Errorf("/debug/pprof/: %d", r.StatusCode)
	}
}

// TestNoSecret presents secrets in every place of a request and looks for them,
// and for all else that a stranger wrote, in every form of the metrics (SEC-1).
func TestNoSecret(t *testing.T) {
	s := hallpasstest.New(t)
	const mark = "zanzibar"
	r := s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"`+mark+`","role":"Viewer"}`)
	if r.StatusCode != 201 {
		t.Fatal(r.Text)
	}
	uid := regexp.MustCompile(`"uid":"(\w+)"`).FindStringSubmatch(r.Text)[1]
	r = s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts/"+uid+"/tokens", `{"name":"`+mark+`","secondsToLive":864000}`)
	token := regexp.MustCompile(`glsa_\w+`).FindString(r.Text)
	if token == "" {
		t.Fatal(r.Text)
	}
	stranger := secret.NewToken().Reveal()
	for _, secret := range []string{token, stranger} {
		s.Do(hallpasstest.Bearer(secret), "GET", "/api/org?"+mark+"="+secret, "", "User-Agent: "+mark)
		s.Do(hallpasstest.Nobody, "GET", "/api/"+secret, "", "X-Forwarded-For: "+mark)
		s.Do(hallpasstest.Nobody, "GET", "/"+mark+"/"+secret, "")
		s.Do(hallpasstest.Nobody, mark, "/metrics?"+secret, "", "Cookie: grafana_session="+secret)
		s.Do(hallpasstest.Basic(mark, secret), "GET", "/metrics", "")
	}
	for _, accept := range []string{"text/plain", "application/openmetrics-text", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"} {
		r := s.Do(hallpasstest.Nobody, "GET", "/metrics", "", "Accept: "+accept)
		if !strings.Contains(r.Text, "hallpass_verifications_total") || !strings.Contains(r.Text, "hallpass_token_expiry_timestamp_seconds") {
			t.Fatalf("%s: not the metrics", accept)
		}
		for _, what := range []string{token[5:], stranger[5:], "glsa_", mark, uid, hallpasstest.AdminPassword, "Viewer", "127.0.0.1"} {
			if strings.Contains(r.Text, what) {
				t.Errorf("%s: the metrics hold %q", accept, what)
			}
		}
	}
}

// TestTraffic sends a little of it and finds it counted.
func TestTraffic(t *testing.T) {
	s := hallpasstest.New(t)
	s.Do(hallpasstest.Admin, "GET", "/api/org", "")
	s.Do(hallpasstest.Bearer("glsa_nonsense"), "GET", "/api/org", "")
	s.Do(hallpasstest.Nobody, "GET", "/login", "")
	s.Do(hallpasstest.Nobody, "GET", "/healthz", "")
	text := s.Do(hallpasstest.Nobody, "GET", "/metrics", "").Text
	has(t, text,
		`hallpass_http_request_duration_seconds_count{code="2xx",door="api"} 1`, `hallpass_http_request_duration_seconds_count{code="4xx",door="api"} 1`,
		`hallpass_http_request_duration_seconds_count{code="2xx",door="console"} 1`, `hallpass_http_request_duration_seconds_count{code="2xx",door="health"} 1`,
		`hallpass_verifications_total{outcome="invalid"} 1`, `hallpass_database_max_connections{pool="write"} 1`,
	)
}
