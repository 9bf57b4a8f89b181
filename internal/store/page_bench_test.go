package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// BenchmarkServiceAccountPages asks for pages of accounts in orgs of two sizes:
// the ratio between the two says how the latency of a page grows (SEC-31).
func BenchmarkServiceAccountPages(b *testing.B) {
	for _, size := range []int{1_000, 100_000} {
		db := accountsInDB(b, size)
		for _, page := range []struct {
			name  string
			query store.ServiceAccountQuery
		}{
			{"first", store.ServiceAccountQuery{Limit: 50}},
			{"last", store.ServiceAccountQuery{Limit: 50, Offset: size - 50}},
			{"search", store.ServiceAccountQuery{Limit: 50, Text: "deploy-77"}},
		} {
			b.Run(fmt.Sprintf("%s/of=%d", page.name, size), func(b *testing.B) {
				page.query.Org = hallpass.FirstOrg
				for b.Loop() {
					err := db.Read(b.Context(), func(tx *store.Tx) error {
						_, _, err := tx.ServiceAccounts(page.query)
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// accountsInDB opens a database with one org and that many accounts.
func accountsInDB(b *testing.B, n int) *store.DB {
	b.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, filepath.Join(b.TempDir(), "hallpass.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	now := time.Now().UTC().Truncate(time.Microsecond)
	err = db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.CreateOrg(hallpass.Org{Name: "Main Org.", CreatedAt: now, UpdatedAt: now}); err != nil {
			return err
		}
		for i := range n {
			name := fmt.Sprintf("deploy-%06d", i)
			_, err := tx.CreateServiceAccount(hallpass.ServiceAccount{
				UID: fmt.Sprintf("u%07d", i), Org: hallpass.FirstOrg, Name: name, Login: "sa-1-" + name, Role: hallpass.RoleViewer, CreatedAt: now, UpdatedAt: now,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}
