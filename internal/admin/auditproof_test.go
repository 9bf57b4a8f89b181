package admin_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestKeepAuditProvedDuringRetention has a retention stop before it tells what it deleted:
// the proof is tried again and is no error, until an hour is over.
func TestKeepAuditProvedDuringRetention(t *testing.T) {
	db, now := hallpasstest.OpenStore(t), time.Now()
	w := newWorldOn(t, db, admin.Options{Now: func() time.Time { return now }})
	w.human("admin")
	w.machine("ci", hallpass.RoleViewer)
	keep := func(fails bool, pause time.Duration) {
		t.Helper()
		if err := w.KeepAuditProved(t.Context()); (err != nil) != fails {
			t.Fatalf("the proof: %v", err)
		}
		if got := w.ProofPause(24 * time.Hour); got != pause {
			t.Fatalf("the next is after %s, want %s", got, pause)
		}
	}
	keep(false, 24*time.Hour)
	if n, err := db.PruneAudit(t.Context(), "stopped", now, now.Add(time.Hour), 2); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	keep(false, time.Minute)
	if p := w.LastProof(); p.OK() || !p.Untold {
		t.Errorf("%+v", p)
	}
	now = now.Add(time.Hour)
	keep(true, time.Minute)
	if _, err := w.PruneAudit(t.Context(), 48*time.Hour, "next"); err != nil {
		t.Fatal(err)
	}
	keep(false, 24*time.Hour)
	if p := w.LastProof(); !p.OK() || !p.Lacks() || p.Told.Entry == 0 {
		t.Errorf("%+v", p)
	}
}
