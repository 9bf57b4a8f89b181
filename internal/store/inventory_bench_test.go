package store_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// BenchmarkInventory asks for pages of the inventory of an org with many tokens: the
// orders, and what few tokens meet, so that many are passed over.
func BenchmarkInventory(b *testing.B) {
	db := hallpasstest.OpenStore(b)
	const tokens = 100_000
	manyTokens(b, db, tokens)
	for _, tt := range []struct {
		name  string
		query store.TokenQuery
	}{
		{"name", store.TokenQuery{}},
		{"name/last", store.TokenQuery{Descending: true}},
		{"name/middle", store.TokenQuery{After: hallpass.TokenCursor{Name: "deploy-050000", ID: 1}}},
		{"created", store.TokenQuery{Order: hallpass.ByCreation}},
		{"expires", store.TokenQuery{Order: hallpass.ByEnd}},
		{"expires/middle", store.TokenQuery{Order: hallpass.ByEnd, After: hallpass.TokenCursor{Number: noon.AddDate(0, 0, 50).UnixMicro(), ID: 1}}},
		{"lastUsed", store.TokenQuery{Order: hallpass.ByUse}},
		{"lastUsed/latest", store.TokenQuery{Order: hallpass.ByUse, Descending: true}},
		{"soon", store.TokenQuery{Order: hallpass.ByEnd, State: hallpass.TokenLive, ExpiresBefore: noon.AddDate(0, 0, 14)}},
		{"noExpiry", store.TokenQuery{NoExpiry: true}},
		{"neverUsed", store.TokenQuery{NeverUsed: true}},
		{"usedBefore", store.TokenQuery{UsedBefore: noon.AddDate(0, 0, -10)}},
		{"paused", store.TokenQuery{State: hallpass.TokenPaused}},
		{"overlapping", store.TokenQuery{State: hallpass.TokenOverlapping}},
		{"blocked", store.TokenQuery{State: hallpass.TokenBlocked}},
		{"revoked", store.TokenQuery{State: hallpass.TokenRevoked}},
		{"rotated", store.TokenQuery{State: hallpass.TokenRotated}},
		{"expired", store.TokenQuery{State: hallpass.TokenExpired}},
		{"owner", store.TokenQuery{Owner: "nobody"}},
		{"lastFour", store.TokenQuery{LastFour: "zzzz"}},
		{"text", store.TokenQuery{Text: "-09998"}},
		{"text/none", store.TokenQuery{Text: "nothing"}},
		{"text/lastUsed", store.TokenQuery{Text: "-09998", Order: hallpass.ByUse}},
	} {
		b.Run(fmt.Sprintf("%s/of=%d", tt.name, tokens), func(b *testing.B) {
			q := tt.query
			q.Org, q.Now, q.Limit = hallpass.FirstOrg, noon, 100
			if q.Order == "" {
				q.Order = hallpass.ByName
			}
			for b.Loop() {
				err := db.Read(b.Context(), func(tx *store.Tx) error {
					_, _, err := tx.OrgTokens(q)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// manyTokens makes an org with that many tokens of some thousand accounts, of which few
// are in a rare state: one in a thousand is never used, never ends, or is dead.
func manyTokens(b *testing.B, db *store.DB, n int) {
	b.Helper()
	ctx := b.Context()
	for begin := 0; begin < n; begin += 5000 {
		err := db.Write(ctx, func(tx *store.Tx) error {
			if begin == 0 {
				if err := tx.Begin("bench"); err != nil {
					return err
				}
				if _, err := tx.CreateOrg(hallpass.Org{Name: "Main Org.", CreatedAt: noon, UpdatedAt: noon}); err != nil {
					return err
				}
			}
			var account hallpass.ServiceAccount
			for i := begin; i < begin+5000; i++ {
				if i%40 == 0 {
					name := fmt.Sprintf("account-%06d", i)
					var err error
					account, err = tx.CreateServiceAccount(hallpass.ServiceAccount{
						UID: fmt.Sprintf("u%07d", i), Org: hallpass.FirstOrg, Name: name, Login: "sa-1-" + name, Role: hallpass.RoleViewer, CreatedAt: noon, UpdatedAt: noon,
					})
					if err != nil {
						return err
					}
				}
				t := hallpass.Token{
					Org: hallpass.FirstOrg, ServiceAccount: account.ID, Name: fmt.Sprintf("deploy-%06d", i), LastFour: fmt.Sprintf("%04x", i%65536),
					CreatedAt: noon.AddDate(0, -1, 0), CreatedBy: "admin", ExpiresAt: noon.Add(time.Duration(i%10_000) * 20 * time.Minute).Add(time.Minute),
				}
				binary.BigEndian.PutUint64(t.Hash[:], uint64(i)*0x9e3779b97f4a7c15)
				if i%1000 == 999 {
					t.ExpiresAt = time.Time{}
				}
				if _, err := tx.CreateToken(t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		var uses []store.TokenUse
		for i := begin; i < begin+5000; i++ {
			if i%1000 != 998 {
				uses = append(uses, store.TokenUse{Token: hallpass.TokenID(i + 1), Use: hallpass.Use{At: noon.Add(-time.Duration(i%10_000) * time.Minute), Address: "10.0.0.1", UserAgent: "curl/8.5.0"}})
			}
		}
		if err := db.SaveUses(ctx, uses); err != nil {
			b.Fatal(err)
		}
	}
}
