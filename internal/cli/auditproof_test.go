package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	domain "github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// notWhole runs "audit verify", which must find a fault, and returns what it prints.
func notWhole(t *testing.T, in string, args ...string) string {
	t.Helper()
	r := run(t.Context(), strings.NewReader(in), append([]string{"audit", "verify"}, args...)...)
	var exit *cli.ExitError
	if !errors.As(r.err, &exit) && r.err == nil || exit != nil && (exit.Status != 1 || !strings.Contains(r.out, "NOT whole") && !strings.Contains(r.out, `"whole": false`)) {
		t.Errorf("audit verify %v: %v, %s", args, r.err, r.out)
	}
	return r.out + r.errs
}

// exported is a server with an audit and its exported chain: more than five entries, of
// which one was repeated.
func exported(t *testing.T) (*hallpasstest.Server, []string) {
	t.Helper()
	s := start(t)
	for i := range 3 {
		hallpass(t, "", "sa", "create", fmt.Sprint("ci-", i), "--role", "Viewer")
	}
	for range 2 {
		s.Store().RecordAudit(domain.AuditEntry{At: s.Clock.Now(), Org: 1, Action: "token.verify", Target: "token:1", Outcome: domain.Refused})
		if err := s.Store().FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hallpass(t, "", "sa", "create", "last", "--role", "Viewer")
	lines := strings.SplitAfter(hallpass(t, "", "audit", "export", "--chain"), "\n")
	return s, lines[:len(lines)-1]
}

// TestVerifyAudit proves the audit of a server, and of exports.
func TestVerifyAudit(t *testing.T) {
	_, lines := exported(t)
	whole := regexp.MustCompile(`(?s)^[1-9]\d* entries from 20\d\d-\d\d-\d\dT.* to 20\d\d-.* are whole: nothing was changed, added or taken away\.\n` +
		`The last digest, for --known; keep it elsewhere:\n  (\d+:[0-9a-f]{32}-[0-9a-f]{32})\n$`)
	out := hallpass(t, "", "audit", "verify")
	mark := whole.FindStringSubmatch(out)
	if mark == nil {
		t.Fatalf("of the server: %s", out)
	}
	file := filepath.Join(t.TempDir(), "audit.ndjson")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := hallpass(t, "", "audit", "verify", file); got != out {
		t.Errorf("of the export: %s, want %s", got, out)
	}
	hallpass(t, "", "sa", "create", "more", "--role", "Viewer")
	if out := hallpass(t, "", "audit", "verify", "--known", mark[1]); !strings.Contains(out, "Nothing up to entry "+strings.Split(mark[1], ":")[0]+" has changed since its digest was noted.") {
		t.Errorf("with what was noted: %s", out)
	}
	part := hallpass(t, "", "audit", "export", "--chain", "--action", "serviceaccount.create")
	if out := hallpass(t, part, "audit", "verify", "-"); !strings.Contains(out, "5 entries from") || !strings.Contains(out, "here only as digests: the export's filters did not pick them.") {
		t.Errorf("of a part: %s", out)
	}
	var proof wire.AuditProof
	if err := json.Unmarshal([]byte(hallpass(t, "", "audit", "verify", file, "-o", "json", "--known", mark[1])), &proof); err != nil || !proof.Whole || proof.Digest != mark[1] || len(proof.Agreed) != 1 {
		t.Errorf("as JSON: %+v, %v", proof, err)
	}
	for says, args := range map[string][]string{
		"--known must be a last digest": {"--known", "12"}, "no export of the audit's chain": {"-"}, "no such file": {filepath.Join(t.TempDir(), "none")}, "verify takes [FILE]": {"a", "b"},
	} {
		refused(t, "{}\n", says, append([]string{"audit", "verify"}, args...)...)
	}
	refused(t, "SQLite format 3\x00", "this is a database", "audit", "verify", "-")
}

// TestVerifyTamperedExport changes each field of each line of an export, and takes lines
// away, adds and moves them: each is found.
func TestVerifyTamperedExport(t *testing.T) {
	_, lines := exported(t)
	verify := func(what string, lines []string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "audit.ndjson")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		out := notWhole(t, "", file)
		if t.Failed() {
			t.Fatal(what)
		}
		return out
	}
	fields := 0
	for i, line := range lines {
		for _, field := range regexp.MustCompile(`"([a-zA-Z]+)":("[^"]*"|\d+|true|false)`).FindAllStringSubmatchIndex(line, -1) {
			value := line[field[4]:field[5]]
			if name := line[field[2]:field[3]]; name == "pruning" {
				continue // of a chain from which nothing is gone it says nothing
			}
			fields++
			changed := slices.Clone(lines)
			changed[i] = line[:field[4]] + tampered(value) + line[field[5]:]
			verify("line "+changed[i], changed)
		}
	}
	if fields < 100 {
		t.Errorf("only %d fields were changed", fields)
	}
	end := len(lines) - 1
	for what, changed := range map[string][]string{
		"entry 3 is missing":      slices.Delete(slices.Clone(lines), 3, 4),
		"out of order":            slices.Concat(lines[:3], []string{lines[4], lines[3]}, lines[5:]),
		"it comes after 3":        slices.Insert(slices.Clone(lines), 4, lines[3]),
		"the end was cut off":     lines[:end],
		"entry 1 is missing":      slices.Delete(slices.Clone(lines), 1, 2),
		"changed or cut off":      slices.Concat(lines[:end], []string{lines[end][:40]}),
		"no export of the audit":  lines[1:],
		"is no link of the audit": slices.Insert(slices.Clone(lines), 2, lines[0]),
		"unknown object member":   slices.Concat(lines[:2], []string{strings.Replace(lines[2], `"link"`, `"note":"x","link"`, 1)}, lines[3:]),
		"duplicate object member": slices.Concat(lines[:2], []string{strings.Replace(lines[2], `"link"`, `"link":"gone","link"`, 1)}, lines[3:]),
	} {
		if out := verify(what, changed); !strings.Contains(out, what) {
			t.Errorf("want %s, got %s", what, out)
		}
	}
}

// tampered returns another value of the same type.
func tampered(value string) string {
	switch {
	case value == "true":
		return "false"
	case value == "false":
		return "true"
	case strings.HasPrefix(value, `"20`): // a time
		return strings.Replace(value, `"20`, `"21`, 1)
	case len(value) > 64: // a digest
		return `"` + strings.Repeat("a", 32) + "-" + strings.Repeat("b", 32) + `"`
	case strings.HasPrefix(value, `"`):
		return `"x` + value[1:]
	}
	return "1" + value
}

// TestVerifyAuditNeedsAServerAdmin has an admin of an org ask for the chain.
func TestVerifyAuditNeedsAServerAdmin(t *testing.T) {
	s := start(t)
	s.User("ada", domain.RoleAdmin)
	hallpass(t, hallpasstest.UserPassword, "login", s.URL, "--user", "ada", "--name", "ada")
	refused(t, "", "only server admins", "audit", "verify")
}

// TestVerifyExportThatHides turns a line of an export into one that retention deleted, and
// has its first line say that retention is at work.
func TestVerifyExportThatHides(t *testing.T) {
	s, lines := exported(t)
	mark := regexp.MustCompile(`\d+:[0-9a-f]{32}-[0-9a-f]{32}`).FindString(hallpass(t, "", "audit", "verify"))
	var link domain.AuditLink
	if err := s.Store().Read(t.Context(), func(tx *store.Tx) error {
		links, err := tx.AuditLinks(2, 1)
		link = links[0]
		return err
	}); err != nil {
		t.Fatal(err)
	}
	gone := fmt.Sprintf(`{"link":"gone","id":3,"content":%q,"digest":%q}`+"\n", domain.DigestText(link.Content()), domain.DigestText(link.Digest))
	lines[0], lines[3] = strings.Replace(lines[0], `"pruning":false`, `"pruning":true`, 1), gone
	out := notWhole(t, strings.Join(lines, ""), "-", "--known", mark)
	if strings.Contains(out, "taken away") || !strings.Contains(out, "what it deleted so far is told by no entry yet; run this again") || !strings.Contains(out, "1 entry among these is gone.") {
		t.Errorf("%s", out)
	}
	var proof wire.AuditProof
	out = notWhole(t, strings.Join(lines, ""), "-", "-o", "json")
	if err := json.Unmarshal([]byte(out[:strings.LastIndex(out, "}")+1]), &proof); err != nil || proof.Whole || !proof.Untold || proof.Deleted != 1 || proof.Told != nil {
		t.Errorf("as JSON: %s, %v", out, err)
	}
}

// TestVerifyAfterRetention says what retention deleted, and which entry tells so.
func TestVerifyAfterRetention(t *testing.T) {
	s, _ := exported(t)
	mark := regexp.MustCompile(`\d+:[0-9a-f]{32}-[0-9a-f]{32}`).FindString(hallpass(t, "", "audit", "verify"))
	now := s.Clock.Now()
	if _, err := s.Store().PruneAudit(t.Context(), "x", now, now.Add(time.Hour), 2); err != nil {
		t.Fatal(err)
	}
	if out := notWhole(t, "", "--known", mark); !strings.Contains(out, "run this again") {
		t.Errorf("while retention is at work: %s", out)
	}
	if err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Pruned("x", now)
		if err == nil {
			_, err = tx.Audit(domain.AuditEntry{At: now, Action: domain.AuditPrune, Outcome: domain.Done, Reason: p.Chain.String()})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	out := hallpass(t, "", "audit", "verify", "--known", mark)
	for _, want := range []string{"nothing that is here was changed or added", "tells that it deleted", "is newer than the digest that was noted", "Nothing of what is left up to entry"} {
		if !strings.Contains(out, want) || strings.Contains(out, "taken away") {
			t.Errorf("want %q in %s", want, out)
		}
	}
	var proof wire.AuditProof
	if err := json.Unmarshal([]byte(hallpass(t, "", "audit", "verify", "--known", mark, "-o", "json")), &proof); err != nil || !proof.Whole || proof.Told == nil || len(proof.Newer) != 1 || proof.Newer[0] != *proof.Told {
		t.Errorf("as JSON: %+v, %v", proof, err)
	}
}
