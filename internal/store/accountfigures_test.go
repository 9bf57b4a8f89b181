package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestAccountFigures gives accounts a token in each state. What they add up to is the
// same in a summary, in a page and in the figures of the org.
func TestAccountFigures(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Figures")
		var account, bare hallpass.ServiceAccount
		use := hallpass.Use{At: noon.Add(-time.Minute), Address: "10.0.0.7", UserAgent: "curl/8.5.0"}
		var uses []store.TokenUse
		write(t, db, func(tx *store.Tx) (err error) {
			if account, err = tx.CreateServiceAccount(hallpass.ServiceAccount{UID: "afigures00000a", Org: org.ID, Name: "busy", Login: "sa-busy", CreatedAt: noon, UpdatedAt: noon}); err != nil {
				return err
			}
			if bare, err = tx.CreateServiceAccount(hallpass.ServiceAccount{UID: "afigures00000b", Org: org.ID, Name: "bare", Login: "sa-bare", CreatedAt: noon, UpdatedAt: noon}); err != nil {
				return err
			}
			for i, change := range []func(*hallpass.Token){
				func(*hallpass.Token) {},
				func(k *hallpass.Token) { k.ExpiresAt = noon.Add(time.Hour); k.LastUse = use },
				func(k *hallpass.Token) {
					k.ExpiresAt = noon
					k.LastUse = hallpass.Use{At: use.At.Add(-time.Hour), Address: "old"}
				},
				func(k *hallpass.Token) { k.ExpiresAt = noon.Add(-time.Hour) },
				func(k *hallpass.Token) { k.Pause = hallpass.Pause{Since: noon.Add(-time.Hour)} },
				func(k *hallpass.Token) { k.Pause = hallpass.Pause{Since: noon.Add(-time.Hour), Until: noon} },
				func(k *hallpass.Token) { k.Rotation.Successor, k.Rotation.CloseAt = 1, noon.Add(time.Minute) },
				func(k *hallpass.Token) { k.Rotation.Successor, k.Rotation.CloseAt = 1, noon.Add(-time.Minute) },
				func(k *hallpass.Token) { k.Rotation.Successor, k.Rotation.CloseAt = 3, noon.Add(30*time.Minute) }, // that has ended: nothing replaces this one
			} {
				k := hallpass.Token{Org: org.ID, ServiceAccount: account.ID, Name: fmt.Sprint("k", i), CreatedAt: noon.Add(-2 * time.Hour)}
				k.Hash[0], k.Hash[1] = byte(i+1), 99
				change(&k)
				made, err := tx.CreateToken(k)
				if err != nil {
					return err
				}
				made.LastUse, made.Pause, made.Rotation.Successor, made.Rotation.CloseAt = k.LastUse, k.Pause, k.Rotation.Successor, k.Rotation.CloseAt
				if err := tx.UpdateToken(made); err != nil {
					return err
				}
				if !k.LastUse.At.IsZero() {
					uses = append(uses, store.TokenUse{Token: made.ID, Use: k.LastUse})
				}
			}
			return nil
		})
		if err := db.SaveUses(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
		want := hallpass.TokenFigures{
			Tokens: 9, LiveTokens: 6, NeverExpiring: 3, Paused: 1, Overlapping: 1, Expired: 2, LastUse: use, NextExpiry: noon.Add(30 * time.Minute), LastEnd: noon,
		}
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			one, err := tx.ServiceAccountSummary(org.ID, account.ID, noon)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want, one.TokenFigures); diff != "" {
				t.Errorf("the summary (-want +got):\n%s", diff)
			}
			page, _, err := tx.ServiceAccounts(store.ServiceAccountQuery{Org: org.ID, Now: noon, Limit: 10})
			if err != nil {
				return err
			}
			if diff := cmp.Diff([]hallpass.TokenFigures{{}, want}, []hallpass.TokenFigures{page[0].TokenFigures, page[1].TokenFigures}); diff != "" {
				t.Errorf("the page (-want +got):\n%s", diff)
			}
			figures, err := tx.AccountFigures(org.ID, noon)
			if err != nil {
				return err
			}
			bareWant := want
			bareWant.LastUse = hallpass.Use{At: use.At}
			if diff := cmp.Diff(map[hallpass.ServiceAccountID]hallpass.TokenFigures{account.ID: bareWant}, figures); diff != "" {
				t.Errorf("the figures of the org (-want +got):\n%s", diff)
			}
			among, err := tx.AccountsAmong(org.ID, []hallpass.ServiceAccountID{bare.ID})
			if err != nil {
				return err
			}
			if len(among) != 1 || among[0].Name != "bare" {
				t.Errorf("among one ID: %v", among)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
