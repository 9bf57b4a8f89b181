package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestRetention keeps a week of the audit: of four weeks, the UTC days that ended
// longer ago than that go, and one entry says what went.
func TestRetention(t *testing.T) {
	s := hallpasstest.New(t)
	midnight := s.Clock.Now().Truncate(24 * time.Hour)
	for i := range 28 * 24 {
		s.Store().RecordAudit(hallpass.AuditEntry{At: midnight.Add(-time.Duration(i) * time.Hour), Org: 1, Action: "token.verify", Target: "token:1", Outcome: hallpass.Refused})
	}
	if err := s.Store().FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if got := s.Do(hallpasstest.Admin, "GET", "/api/audit?format=ndjson&action=token.verify", "").Text; strings.Count(got, "\n") != 28*24 {
		t.Fatalf("without a retention %d entries are left", strings.Count(got, "\n"))
	}
	s.Restart(func(c *server.Config) { c.Audit.Retention = "7d" })
	var pruned string
	for strings.Count(pruned, "audit.prune") == 0 {
		pruned = s.Do(hallpasstest.Admin, "GET", "/api/audit?action=audit.prune", "").Text
	}
	if strings.Count(pruned, "audit.prune") != 1 || !strings.Contains(pruned, "deleted 503 entries, of the days "+midnight.AddDate(0, 0, -28).Format(time.DateOnly)+" to "+midnight.AddDate(0, 0, -8).Format(time.DateOnly)) {
		t.Errorf("what went is told as %s", pruned)
	}
	if _, ok := hallpass.ParseAuditPruning(strings.Split(strings.SplitAfter(pruned, `"reason":"`)[1], `"`)[0]); !ok {
		t.Errorf("%s does not tell where the chain goes on", pruned)
	}
	if r, err := s.Store().ProveAudit(t.Context()); err != nil || !r.OK() {
		t.Errorf("the chain is broken: %v, %v", r.Faults, err)
	}
	left := s.Do(hallpasstest.Admin, "GET", "/api/audit?format=ndjson&action=token.verify", "").Text
	if strings.Count(left, "\n") != 7*24+1 {
		t.Errorf("%d entries are left, want those of seven days before this", strings.Count(left, "\n"))
	}
}

func TestRetentionSetting(t *testing.T) {
	for value, good := range map[string]bool{"": true, "1d": true, "400d": true, "52w": true, "48h": true, "23h": false, "0": false, "-7d": false, "year": false} {
		c := server.DefaultConfig()
		c.Audit.Retention = value
		if err := c.Validate(); (err == nil) != good || !good && !strings.Contains(err.Error(), "audit.retention") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
