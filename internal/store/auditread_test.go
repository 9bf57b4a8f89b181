package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// readAudit returns what a reader of the audit reads, and the proof of it.
func readAudit(t *testing.T, db *store.DB) ([]hallpass.AuditLink, hallpass.AuditReport) {
	t.Helper()
	r, err := db.ReadAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	proof := hallpass.NewAuditProof(r.Chain())
	var all []hallpass.AuditLink
	for {
		links, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(links) == 0 {
			return all, proof.End()
		}
		for _, l := range links {
			proof.Add(l)
		}
		all = append(all, links...)
	}
}

// TestAuditReader reads what ProveAudit reads, up to the end that it began with, and
// notices when retention deletes meanwhile.
func TestAuditReader(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), _ func() *store.DB) {
		links, report := readAudit(t, db)
		if want, _ := prove(t, db); len(links) != 20 || !report.OK() || report.Entries != want.Entries || report.End != want.End {
			t.Fatalf("%d links, %+v, want %+v", len(links), report, want)
		}
		r, err := db.ReadAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		write(t, db, func(tx *store.Tx) error {
			_, err := tx.Audit(hallpass.AuditEntry{At: noon.Add(30 * time.Hour), Action: "org.create", Outcome: hallpass.Done})
			return err
		})
		if links, err := r.Next(t.Context()); err != nil || len(links) != 20 {
			t.Errorf("%d links, %v: want those that were there at first", len(links), err)
		}
		if links, err := r.Next(t.Context()); err != nil || len(links) != 0 {
			t.Errorf("after the end: %d links, %v", len(links), err)
		}
		if r, err = db.ReadAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		retention(t, db, noon.Add(3*time.Hour))
		if _, err := r.Next(t.Context()); !errors.Is(err, hallpass.Unavailable) {
			t.Errorf("after retention: %v", err)
		}
		if links, report := readAudit(t, db); !report.OK() || report.Begin.ID != 2 || !slices.ContainsFunc(links, hallpass.AuditLink.Prunes) {
			t.Errorf("from the new beginning on: %+v", report)
		}
		by("DELETE FROM audit WHERE id = 7")
		if _, report := readAudit(t, db); report.OK() {
			t.Error("an entry is gone, and the reader's links do not tell")
		}
	})
}
