package test_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAuditMeasured is `make bench-audit`. It measures what docs/performance.md says of a
// long audit, on both databases. HALLPASS_TEST_AUDIT_ROWS is the number of entries. Slow
// answers do not fail the test, because machines differ; wrong answers do.
func TestAuditMeasured(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv("HALLPASS_TEST_AUDIT_ROWS"))
	if err != nil {
		t.Skip("make bench-audit runs it")
	}
	t.Run("sqlite", func(t *testing.T) {
		data := t.TempDir()
		if err := serve(t, data).stop(); err != nil {
			t.Fatal(err)
		}
		db := sqlite(t, filepath.Join(data, "hallpass.db"))
		longAudit(t, db, rows)
		p := serve(t, data)
		measureAudit(t, p)
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		measurePruning(t, serve(t, data, pruning(t)...))
	})
	t.Run("postgres", func(t *testing.T) {
		pg := newPostgres(t, "shared_buffers = 128MB", "max_wal_size = 4GB")
		if err := nodes(t, 1, pg.url())[0].stop(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("pgx", pg.url())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }() // the server is ended together with it
		longAudit(t, db, rows)
		p := nodes(t, 1, pg.url())[0]
		measureAudit(t, p)
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		p = node(t, pg.url(), "HALLPASS_AUDIT_RETENTION=365d")
		p.await()
		measurePruning(t, p)
	})
}

// pruning has the settings of a server that keeps a year of the audit.
func pruning(t *testing.T) []string {
	path := filepath.Join(t.TempDir(), "hallpass.toml")
	if err := os.WriteFile(path, []byte("[audit]\nretention = \"365d\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config", path}
}

// auditDays is the number of days over which longAudit spreads its entries.
const auditDays = 400

// longAudit writes so many entries, the latest of them now. Nine in ten are of org 1, a
// fifth are refusals. They have thirty actions, twenty actors and 100,000 targets, each
// rarer than the one before.
func longAudit(t *testing.T, db *sql.DB, rows int) {
	t.Helper()
	must := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	text, err := os.ReadFile("../internal/store/migrations/0006_audit.sql")
	if err != nil {
		t.Fatal(err)
	}
	indexes := regexp.MustCompile(`CREATE INDEX (\w+) ON audit [^;]+`).FindAllStringSubmatch(string(text), -1)
	for _, x := range indexes { // created after the rows are written, which is quicker
		must("DROP INDEX " + x[1])
	}
	began := time.Now()
	step := int64(auditDays*24*time.Hour/time.Microsecond) / int64(rows)
	first := began.UnixMicro() - step*int64(rows)
	const atOnce = 500_000
	for from := 0; from < rows; from += atOnce {
		must(fmt.Sprintf(`
			INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count)
			WITH RECURSIVE n (i) AS (SELECT CAST(%d AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT 1000 + i, %d + i * %d, CASE WHEN i %% 100 < 90 THEN 1 WHEN i %% 100 < 99 THEN 2 ELSE 3 END,
			       1, 100 + i %% 400 / 20 * (i %% 7), 'user-' || (i %% 400 / 20 * (i %% 7)), i %% 5,
			       CASE WHEN i %% 5 = 0 THEN 'serviceaccounts:write' WHEN i %% 1000 = 1 THEN 'user.create' WHEN i = 12346 THEN 'org.delete'
			            WHEN i %% 11 < 6 THEN 'token.create' WHEN i %% 11 < 9 THEN 'token.delete' ELSE 'dashboard.update' END,
			       'token:' || (i %% 100000), CASE WHEN i %% 5 = 0 THEN 'refused' ELSE 'ok' END,
			       CASE WHEN i %% 5 = 0 THEN 'lacks serviceaccounts:write' ELSE '' END, '203.0.113.' || (i %% 250), 'curl/8.14.1', 1
			FROM   n`, from+1, min(from+atOnce, rows), first, step))
	}
	for _, x := range indexes {
		must(x[0])
	}
	must(`UPDATE counters SET value = $1 WHERE name = 'audit'`, rows+2000)
	t.Logf("%d entries written in %s", rows, time.Since(began).Round(time.Second))
}

// measureAudit reads pages with every filter from a server, and exports all entries.
func measureAudit(t *testing.T, p *process) {
	day := func(ago int) string {
		return url.QueryEscape(time.Now().AddDate(0, 0, -ago).UTC().Format(time.RFC3339))
	}
	p.must(200, "GET", "/api/org", "", nil)
	for _, tt := range []struct {
		query string
		none  bool
	}{
		{query: ""},
		{query: "action=token.create"},
		{query: "action=org.delete"}, // one entry
		{query: "action=token.verify", none: true},
		{query: "actor=user-0"}, // a fifth of all entries
		{query: "actor=user-19"},
		{query: "actor=nobody-here", none: true},
		{query: "actor=119"},
		{query: "target=token%3A77"},
		{query: "target=none", none: true},
		{query: "outcome=refused"},
		{query: "from=" + day(2)},
		{query: "from=" + day(200) + "&to=" + day(199)},
		{query: "to=" + day(390)},
		{query: "from=" + day(900) + "&to=" + day(800), none: true},
		{query: "org=3"},
		{query: "org=77", none: true},
		{query: "org=3&action=user.create"},
		{query: "action=token.create&outcome=refused", none: true},
		{query: "actor=user-0&outcome=refused"},
		{query: "action=user.create&target=token%3A77", none: true},
		{query: "actor=user-0&action=user.create"},
		{query: "actor=user-0&action=serviceaccounts%3Awrite&org=2"},
		{query: "actor=user-19&action=dashboard.update"},
		{query: "org=3&action=serviceaccounts%3Awrite"}, // each is frequent, but no entry has both
		{query: "actor=user-0&action=token.create&outcome=ok&org=1&from=" + day(300) + "&to=" + day(200)},
	} {
		var took []time.Duration
		var page struct {
			Entries []struct{ ID int64 }
			Cursor  string
		}
		for range 5 {
			began := time.Now()
			p.must(200, "GET", "/api/audit?"+tt.query, "", &page)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		if tt.none && len(page.Entries) > 0 {
			t.Errorf("%s: %d entries, want none", tt.query, len(page.Entries))
		}
		more := ""
		if page.Cursor != "" && len(page.Entries) < 100 {
			more = ", and a cursor to go on"
		}
		t.Logf("| %-60s | %4d ms, %4d ms at most | %d entries%s |", tt.query, took[2].Milliseconds(), took[4].Milliseconds(), len(page.Entries), more)
	}
	began := time.Now()
	r, err := http.NewRequest("GET", p.url+"/api/audit?format=ndjson", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", adminPassword)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	var lines countLines
	size, err := io.Copy(&lines, res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	t.Logf("| export | %s | %d entries, %d MB |", time.Since(began).Round(time.Second), lines, size>>20)
}

// measurePruning has a server delete the entries that are older than a year, while an
// account is changed again and again.
func measurePruning(t *testing.T, p *process) {
	began := time.Now()
	c := p.mint()
	var took []time.Duration
	for !strings.Contains(p.out.String(), "old entries were deleted") {
		began := time.Now()
		p.must(200, "PATCH", fmt.Sprintf("/api/serviceaccounts/%d", c.account), `{"role":"Viewer"}`, nil)
		took = append(took, time.Since(began))
		time.Sleep(10 * time.Millisecond) // most of the time belongs to the deletion; the changes measure how long they wait for it
	}
	slices.Sort(took)
	t.Logf("| retention | %s | %d changes meanwhile: median %d ms, p99 %d ms |", time.Since(began).Round(time.Second), len(took),
		took[len(took)/2].Milliseconds(), took[len(took)*99/100].Milliseconds())
	_, last, _ := strings.Cut(p.out.String(), "old entries were deleted")
	t.Log(strings.SplitN(last, "\n", 2)[0])
}

// countLines counts the lines that are written to it.
type countLines int

func (n *countLines) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' {
			*n++
		}
	}
	return len(b), nil
}
