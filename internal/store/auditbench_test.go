package store_test

import (
	"fmt"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// BenchmarkAuditEntries writes one entry in a transaction, and a hundred, on the database that
// HALLPASS_TEST_DATABASE names.
func BenchmarkAuditEntries(b *testing.B) {
	db := hallpasstest.OpenStore(b)
	if err := db.Write(b.Context(), func(tx *store.Tx) error { return tx.Begin("test") }); err != nil {
		b.Fatal(err)
	}
	e := hallpass.AuditEntry{
		At: noon, Org: 1, Actor: hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 7, Login: "ana"}, Action: "token.create", Target: "token:7", Outcome: hallpass.Done,
		Reason: "for sa-1-ci", From: hallpass.From{Address: "10.0.0.1", UserAgent: "curl"},
	}
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := db.Write(b.Context(), func(tx *store.Tx) error {
					for range n {
						if _, err := tx.Audit(e); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
