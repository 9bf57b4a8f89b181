//go:build !client && !windows

package main

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestVerifyDatabase proves the audit of an installation and of its backup, while its server
// runs, and finds what somebody changed in the database.
func TestVerifyDatabase(t *testing.T) {
	s := hallpasstest.New(t)
	here, environ, driver, source := []string{"--data", s.Dir}, []string(nil), "sqlite", "file:"+filepath.Join(s.Dir, "hallpass.db")
	if hallpasstest.OnPostgres() {
		source = s.DatabaseURL()
		environ, driver = []string{"HALLPASS_DATABASE_TYPE=postgres", "HALLPASS_DATABASE_URL=" + source}, "pgx"
	}
	for i := range 3 {
		s.Store().RecordAudit(hallpass.AuditEntry{At: s.Clock.Now(), Org: 1, Action: "token.verify", Target: "token:" + string(rune('1'+i)), Outcome: hallpass.Refused})
	}
	if err := s.Store().FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	run := func(status int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, environ: environ}
		if got := p.run(t.Context(), args); got != status {
			t.Errorf("%v: exit %d, want %d: %s", args, got, status, out.String())
		}
		return out.String()
	}
	verify := func(status int, args ...string) string {
		t.Helper()
		return run(status, append([]string{"audit", "verify"}, args...)...)
	}
	out := verify(0, here...)
	mark := regexp.MustCompile(`\d+:[0-9a-f-]{65}`).FindString(out)
	if !strings.Contains(out, " are whole: ") || mark == "" {
		t.Fatal(out)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	run(0, "backup", "--data", s.Dir, copied)
	if got := verify(0, copied, "--known", mark); !strings.Contains(got, "Nothing up to entry") {
		t.Errorf("of a backup: %s", got)
	}
	tamper(t, driver, source, "UPDATE audit SET target = 'token:9' WHERE target = 'token:2'")
	if got := verify(1, here...); !strings.Contains(got, "NOT whole") || !strings.Contains(got, " is changed: ") || !strings.Contains(got, "What to do") {
		t.Errorf("of an entry that was changed: %s", got)
	}
	tamper(t, driver, source, "UPDATE audit SET target = 'token:2' WHERE target = 'token:9'")
	tamper(t, driver, source, "DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)")
	if got := verify(1, here...); !strings.Contains(got, "the end was cut off") {
		t.Errorf("without the last entry: %s", got)
	}
	tamper(t, driver, source, "UPDATE audit_chain SET last = last - 1, digest = (SELECT digest FROM audit ORDER BY id DESC LIMIT 1) WHERE place = 'end'")
	if got := verify(1, append(here, "--known", mark)...); !strings.Contains(got, "the digest of one of them was noted") {
		t.Errorf("with the end of the chain moved too, and what was noted: %s", got)
	}
	if got := verify(1, copied, "--data", s.Dir); !strings.Contains(got, "not both") {
		t.Error(got)
	}
	if environ != nil {
		return // the settings say where the database is
	}
	if got := verify(1, "--data", t.TempDir()); !strings.Contains(got, "no such file") {
		t.Error(got)
	}
}

func tamper(t *testing.T, driver, source, statement string) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // what it did is done
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
