package verify_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestStats ends verifications in every way but Unavailable and counts them.
func TestStats(t *testing.T) {
	w := newWorld(t, verify.Options{CacheSize: 64})
	a := w.account("ci")
	_, text := w.token(a, "good", 0)
	_, brief := w.token(a, "brief", 60)
	for range 3 {
		w.refused(text, 0)
	}
	w.refused(text, 2)
	w.refused("glsa_nonsense", 0)
	w.refused(secret.NewToken().Reveal(), 0)
	w.refused(brief, 0)
	w.wind(time.Hour)
	w.refused(brief, 0)
	got := w.verify.Stats()
	want := map[string]uint64{"ok": 4, "invalid": 2, "expired": 1, "revoked": 0, "disabled": 0, "org_mismatch": 1, "unavailable": 0}
	if diff := cmp.Diff(want, got.Outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got.Hits != 4 || got.Misses != 3 || got.Entries != 2 || got.Size != 64 {
		t.Errorf("hits %d, misses %d, entries %d of %d; want 4, 3, 2 of 64", got.Hits, got.Misses, got.Entries, got.Size)
	}
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.verify.Stats(); got.UsesWaiting != 0 || got.Flushes == 0 || got.FlushedUses < 2 || got.FlushSeconds <= 0 {
		t.Errorf("after a flush: %+v", got)
	}
}
