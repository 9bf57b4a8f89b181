package store_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestCopiedChain backs up an audit of which retention has deleted the first half, and copies
// the backup to both databases: each copy proves to be the same, goes on, and shows what
// somebody changes in it.
func TestCopiedChain(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, _ func(...string), _ func() *store.DB) {
		retention(t, db, noon.Add(11*time.Hour))
		want, faults := prove(t, db)
		if len(faults) > 0 || want.Begin.ID != 10 {
			t.Fatalf("after retention the chain begins after %d, %q", want.Begin.ID, faults)
		}
		path := filepath.Join(t.TempDir(), "backup.db")
		if _, err := db.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		backup := hallpasstest.OpenSQLite(t, path)
		copies := map[string]*store.DB{"the backup": backup}
		for kind, to := range map[string]*store.DB{
			"a copy in SQLite": hallpasstest.OpenSQLite(t, filepath.Join(t.TempDir(), "to.db")), "a copy in PostgreSQL": hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t)),
		} {
			if _, err := store.Copy(t.Context(), backup, to); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			copies[kind] = to
		}
		for kind, c := range copies {
			if r, faults := prove(t, c, want.End); len(faults) > 0 || r.Entries != want.Entries || r.AuditChain != want.AuditChain || !slices.Equal(r.Agreed, []hallpass.AuditMark{want.End}) {
				t.Errorf("%s: %+v, %q; want %+v", kind, r, faults, want)
			}
			write(t, c, func(tx *store.Tx) error {
				_, err := tx.Audit(hallpass.AuditEntry{At: noon.Add(2000 * time.Hour), Action: "org.create", Outcome: hallpass.Done})
				return err
			})
			if r, faults := prove(t, c, want.End); len(faults) > 0 || r.End.ID != want.End.ID+1 {
				t.Errorf("%s, with another entry: %q", kind, faults)
			}
		}
	})
}

// TestOneTransactionLinksMany writes many entries and repeats in one transaction, and reads
// the chain in it: the end is that of the last.
func TestOneTransactionLinksMany(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, _ func(...string), _ func() *store.DB) {
		write(t, db, func(tx *store.Tx) error {
			for i := range 30 {
				id, err := tx.Audit(hallpass.AuditEntry{At: noon.Add(50 * time.Hour), Action: "org.create", Outcome: hallpass.Done})
				if err != nil {
					return err
				}
				if c, err := tx.AuditChain(); i%10 == 0 && (err != nil || c.End.ID != id) {
					t.Errorf("after entry %d the chain ends at %d, %v", id, c.End.ID, err)
				}
			}
			return nil
		})
		if r, faults := prove(t, db); len(faults) > 0 || r.End.ID != 50 || r.Entries != 48 {
			t.Errorf("%+v, %q", r, faults)
		}
	})
}
