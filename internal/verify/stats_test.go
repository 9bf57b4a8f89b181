package verify_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestStats has one verification of each outcome and looks at what was
// counted.
func TestStats(t *testing.T) {
	w := newWorld(t, verify.Options{CacheSize: 64})
	a, off := w.account("ci"), w.account("off")
	_, good := w.token(a, "good", 0)
	_, short := w.token(a, "short", 60)
	_, disabled := w.token(off, "disabled", 0)
	w.disable(off, true)
	for _, try := range []struct {
		text string
		want string
	}{
		{good, ""}, {good, ""}, {good, ""}, {short, ""}, {good + "x", "api-key.invalid"}, {secret.NewToken().Reveal(), "api-key.invalid"}, {disabled, "identity.disabled"},
	} {
		if got := w.refused(try.text, 0); got != try.want {
			t.Fatalf("%q, want %q", got, try.want)
		}
	}
	if got := w.refused(good, 2); got != "api-key.organization-mismatch" {
		t.Fatal(got)
	}
	w.wind(time.Minute)
	if got := w.refused(short, 0); got != "api-key.expired" {
		t.Fatal(got)
	}
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.refused(good, 0)
	got := w.verify.Stats()
	if got.Flushes == 0 || got.FlushedUses < 2 || got.FlushSeconds <= 0 {
		t.Errorf("flushes: %+v", got)
	}
	got.Flushes, got.FlushedUses, got.FlushSeconds = 0, 0, 0
	want := verify.Stats{
		Outcomes: map[string]uint64{"ok": 5, "invalid": 2, "expired": 1, "revoked": 0, "rotated": 0, "disabled": 1, "org_mismatch": 1, "paused": 0, "network": 0, "rate_limited": 0, "unavailable": 0},
		Refusals: map[string]uint64{
			"api-key.invalid": 2, "api-key.expired": 1, "api-key.revoked": 0, "api-key.rotated": 0, "identity.disabled": 1, "api-key.organization-mismatch": 1,
			"api-key.paused": 0, "api-key.network": 0, "api-key.rate-limited": 0,
		},
		Hits: 5, Misses: 4, Entries: 2, Size: 64, UsesWaiting: 1, UsesLate: 5 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
