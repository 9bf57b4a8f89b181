package cli_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/cli"
)

var (
	clock    = regexp.MustCompile(`\d\d:\d\d:\d\d`)
	exact    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	inRecord = regexp.MustCompile(exact.String() + ` \((?:just now|\d+[smhd] ago|in \d+[smhd])\)`)
	inLog    = regexp.MustCompile(`(?m)^` + exact.String() + ` `)
	inAnswer = regexp.MustCompile(`"(\d{4}-\d\d-\d\dT[^"]*)"`)
)

// oneForm checks the times in the output of a command that succeeded: for programs they are
// RFC 3339 in UTC, for people that with the relative time behind, or the relative time
// alone. The tests of this package check it of all commands that they run.
func oneForm(t *testing.T, args []string, r ran) {
	t.Helper()
	line := strings.Join(args, " ")
	if slices.Contains(args, "json") || slices.Contains(args, "export") {
		for _, m := range inAnswer.FindAllStringSubmatch(r.out, -1) {
			if at, err := time.Parse(time.RFC3339Nano, m[1]); err != nil || at.Location() != time.UTC {
				t.Errorf("hallpass %s has the time %q, which is not RFC 3339 in UTC", line, m[1])
			}
		}
		return
	}
	if slices.Contains(args, "csv") {
		return // the server writes it
	}
	text := r.out + r.errs
	for _, form := range []*regexp.Regexp{inRecord, inLog} {
		text = form.ReplaceAllString(text, "")
	}
	if other := clock.FindString(text); other != "" {
		t.Errorf("hallpass %s writes the time %s in another form:\n%s", line, other, r.out+r.errs)
	}
}

// TestOneForm finds the forms that are wrong.
func TestOneForm(t *testing.T) {
	for text, right := range map[string]bool{
		"ends at 2026-11-30T17:50:00Z (in 7d).": true, "2026-11-30T17:50:00Z ana token.create": true, "3m ago": true,
		"ends at 2026-11-30T17:50:00Z": false, "17:51:10 old": false, "2026-11-30 17:50:00 UTC": false, "ends at 2026-11-30T17:50:00+02:00 (in 7d)": false,
	} {
		left := inLog.ReplaceAllString(inRecord.ReplaceAllString(text, ""), "")
		if clock.MatchString(left) == right {
			t.Errorf("%q counts as right: %t", text, !right)
		}
	}
}

// TestExactTime writes times near and far.
func TestExactTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 17, 45, 42, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "just now", 400 * time.Millisecond: "just now", -400 * time.Millisecond: "just now", -3 * time.Second: "3s ago", 2900 * time.Millisecond: "in 3s",
		15*time.Minute - time.Millisecond: "in 15m", -15*time.Minute + time.Millisecond: "14m ago", 24*time.Hour - time.Second: "in 24h", -47 * time.Hour: "47h ago",
		30*24*time.Hour - time.Minute: "in 30d", 30*24*time.Hour - 2*time.Hour: "in 29d", -90 * 24 * time.Hour: "90d ago",
	} {
		at := now.Add(d)
		if got := cli.ExactTime(at.In(time.FixedZone("", 3600)), now); got != at.Format(time.RFC3339)+" ("+want+")" {
			t.Errorf("%v from now is %s, want %s", d, got, want)
		}
	}
}
