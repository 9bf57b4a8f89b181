package store_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// BenchmarkStatement runs one small statement in a transaction that reads, as most do.
func BenchmarkStatement(b *testing.B) {
	db := accountsInDB(b, 10)
	for b.Loop() {
		err := db.Read(b.Context(), func(tx *store.Tx) error {
			for range 10 {
				if _, err := tx.Org(hallpass.FirstOrg); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
