package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestPruneAudit deletes old entries in parts: one process at a time, another goes
// on where the first was killed, and what went is told once and whole.
func TestPruneAudit(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		write(t, db, func(tx *store.Tx) error {
			for i := range 100 {
				e := hallpass.AuditEntry{At: noon.Add(time.Duration(i) * time.Hour), Action: "token.create", Outcome: hallpass.Done}
				if i%3 == 0 {
					e.Outcome = hallpass.Refused
				}
				if _, err := tx.Audit(e); err != nil {
					return err
				}
			}
			return nil
		})
		page, err := db.Audit(t.Context(), hallpass.AuditFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		var digest [32]byte
		slices.Reverse(page.Entries)
		for _, e := range page.Entries[:60] {
			digest = e.Digest(digest)
		}
		chain := hallpass.AuditPruning{Begin: linkOf(t, db, 60)}
		now, before := noon.Add(200*time.Hour), noon.Add(60*time.Hour)
		prune := func(holder string, at time.Time, n, want int) {
			t.Helper()
			if got, err := db.PruneAudit(t.Context(), holder, at, before, n); err != nil || got != want {
				t.Fatalf("%s deleted %d, %v; want %d", holder, got, err, want)
			}
		}
		told := func(holder string, at time.Time, want store.Pruned) {
			t.Helper()
			var got store.Pruned
			write(t, db, func(tx *store.Tx) (err error) {
				got, err = tx.Pruned(holder, at)
				return err
			})
			if got != want {
				t.Fatalf("%s tells of %+v, want %+v", holder, got, want)
			}
		}
		prune("a", now, 25, 25)
		prune("b", now.Add(time.Second), 25, 0)
		told("b", now.Add(time.Second), store.Pruned{})
		prune("a", now.Add(time.Second), 5, 5)
		later := now.Add(2 * time.Minute) // a was killed
		prune("b", later, 100, 30)
		prune("b", later, 100, 0)
		told("b", later, store.Pruned{Entries: 60, First: noon, Last: noon.Add(59 * time.Hour), Digest: digest, Chain: chain})
		told("b", later, store.Pruned{})
		page, err = db.Audit(t.Context(), hallpass.AuditFilter{Limit: 1000})
		if err != nil || len(page.Entries) != 40 || !page.Entries[39].At.Equal(before) {
			t.Errorf("%d entries are left, %v; want the 40 from %s on", len(page.Entries), err, before)
		}
	})
}

// linkOf returns the mark of the link with that number.
func linkOf(t *testing.T, db *store.DB, id hallpass.AuditID) (m hallpass.AuditMark) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		links, err := tx.AuditLinks(id-1, 1)
		if err == nil {
			m = hallpass.AuditMark{ID: links[0].ID, Digest: links[0].Digest}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
