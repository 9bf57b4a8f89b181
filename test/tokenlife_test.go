package test_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestTokenLife replaces and pauses tokens on three nodes, in the ways and at the moments
// at which something could go wrong.
func TestTokenLife(t *testing.T) {
	db := newPostgres(t)
	all := steadyNodes(t, db)
	var old, next credential
	f := new(fleet)
	t.Run("a fleet is swapped", func(t *testing.T) {
		old = all[0].mint()
		f = newFleet(t, all, 5, old.key, 25*time.Millisecond)
		next = f.swap(t, all[1], old, rounds(t, "HALLPASS_TEST_FLEET_REQUESTS", 600), `{"quietSeconds":15,"reason":"quarterly"}`)
		if n := f.failed.Load(); n > 0 {
			t.Errorf("%d of %d requests failed, the first with %s", n, f.answered.Load(), f.failure())
		}
	})
	t.Run("meanwhile", func(t *testing.T) { // until the old one is quiet
		t.Run("answers are lost", func(t *testing.T) {
			t.Parallel()
			n := rounds(t, "HALLPASS_TEST_LOST_ANSWERS", 12)
			if right := loseAnswers(t, all, n); right != int64(n) {
				t.Errorf("%d of %d rounds ended right", right, n)
			}
		})
		t.Run("killed before the answer", func(t *testing.T) {
			t.Parallel()
			killedBeforeTheAnswer(t, db, all)
		})
		t.Run("pauses", func(t *testing.T) {
			t.Parallel()
			n := rounds(t, "HALLPASS_TEST_PAUSES", 20)
			if wrong := pauseOnEveryNode(t, all, n); wrong > 0 {
				t.Errorf("%d requests after one of %d pauses were not refused for it", wrong, n)
			}
		})
		t.Run("races", func(t *testing.T) {
			t.Parallel()
			for _, race := range rotationRaces {
				t.Run(race.name, func(t *testing.T) {
					for i := range rounds(t, "HALLPASS_TEST_ROTATION_RACES", 2) {
						if race.run(t, all[i%3], all[(i+1)%3], all); t.Failed() {
							t.Fatalf("in round %d", i)
						}
					}
				})
			}
		})
	})
	t.Run("the old one ends when it is quiet", func(t *testing.T) { f.endsQuiet(t, all, old, next) })
	t.Run("a pause ends without the database", func(t *testing.T) {
		early, late := pauseEnds(t, db, all, rounds(t, "HALLPASS_TEST_PAUSE_SECONDS", 3))
		t.Logf("the pause was over %s to %s after its time", early, late)
	})
	for i, p := range all {
		if strings.Contains(p.out.String(), "glsa_") {
			t.Errorf("node %d logs a secret\n%s", i, p.out)
		}
	}
}

// steadyNodes starts three nodes whose leases last as long as usual, so that none of them
// answers 503 on a busy machine.
func steadyNodes(t *testing.T, db *postgres) []*process {
	t.Helper()
	return nodes(t, 3, db.url(), "HALLPASS_DATABASE_MAX_STALENESS=10s")
}

// endsQuiet waits until old, which the fleet has used, has ended, and compares when with
// its last use.
func (f *fleet) endsQuiet(t *testing.T, all []*process, old, next credential) (quiet time.Duration) {
	t.Helper()
	quiet = all[2].ended(old).Sub(time.UnixMicro(f.lastOld.Load()))
	t.Logf("it ended %s after its last use", quiet.Round(time.Millisecond))
	if quiet < 15*time.Second {
		t.Errorf("it ended %s after its last use, want 15 s at least", quiet)
	}
	for i, p := range all { // the record is there a moment before all nodes have heard of it
		hallpasstest.Eventually(t, fmt.Sprintf("node %d to refuse the old one", i), func() bool { return p.verdict(old.key) == "api-key.rotated" })
	}
	everywhere(t, all, "the new one", next.key, "")
	for action, reason := range map[string]string{"token.rotate": ": quarterly", "token.retire": fmt.Sprintf("quiet for 15 s, and token %d was used", next.token)} {
		if told := all[0].audited(action, old); len(told) != 1 || !strings.HasSuffix(told[0], reason) {
			t.Errorf("the audit says %q of %s", told, action)
		}
	}
	return quiet
}

// audited returns the reasons of the audit's entries about the token.
func (p *process) audited(action string, c credential) (reasons []string) {
	p.t.Helper()
	var page struct{ Entries []struct{ Reason string } }
	p.must(200, "GET", fmt.Sprintf("/api/audit?action=%s&target=token:%d", action, c.token), "", &page)
	for _, e := range page.Entries {
		reasons = append(reasons, e.Reason)
	}
	return reasons
}
