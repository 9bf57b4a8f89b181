package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestExpiringTokens finds the tokens that expire soonest, of all orgs, without
// those that nobody must renew.
func TestExpiringTokens(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		a := newAccount(t, db, newOrg(t, db, "one").ID, "ci")
		b := newAccount(t, db, newOrg(t, db, "two").ID, "ci")
		off := newAccount(t, db, a.Org, "off")
		const day = 24 * time.Hour
		var revoked hallpass.Token
		for _, tok := range []struct {
			of   hallpass.ServiceAccount
			name string
			ends time.Duration // 0: never
			made time.Duration
		}{
			{a, "month", 30 * day, 0}, {b, "week", 7 * day, 0}, {a, "day", day, 0}, {a, "brief", day - time.Second, 0}, {a, "ended", -time.Hour, -2 * day},
			{a, "ending", 0, -2 * day}, {a, "never", 0, 0}, {off, "disabled", 2 * day, 0}, {a, "revoked", 3 * day, 0}, {b, "nearly over", time.Minute, -day},
		} {
			expires := noon.Add(tok.ends)
			if tok.name == "never" {
				expires = time.Time{}
			}
			made, err := createToken(db, t.Context(), tok.of, tok.name, noon.Add(tok.made), expires)
			if err != nil {
				t.Fatal(err)
			}
			if tok.name == "revoked" {
				revoked = made
			}
		}
		off.Disabled = true
		write(t, db, func(tx *store.Tx) error {
			if err := tx.UpdateServiceAccount(off); err != nil {
				return err
			}
			return tx.RevokeToken(revoked.Org, revoked.ID, noon)
		})
		for limit, want := range map[int][]string{20: {"nearly over", "day", "week", "month"}, 2: {"nearly over", "day"}} {
			var got []string
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				tokens, err := tx.ExpiringTokens(noon, day, limit)
				for _, tok := range tokens {
					got = append(got, tok.Name)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("of %d (-want +got):\n%s", limit, diff)
			}
		}
	})
}
