package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// lastUses returns the last use of each of the account's tokens.
func lastUses(t *testing.T, db *store.DB, a hallpass.ServiceAccount) map[hallpass.TokenID]hallpass.Use {
	t.Helper()
	uses := make(map[hallpass.TokenID]hallpass.Use)
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		tokens, err := tx.Tokens(a.Org, a.ID)
		for _, tok := range tokens {
			uses[tok.ID] = tok.LastUse
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return uses
}

// TestSaveUses saves uses in no order, several of one token, some of tokens
// that are gone: the last use of each stands, whole.
func TestSaveUses(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		a := newAccount(t, db, newOrg(t, db, "Main Org.").ID, "ci")
		want := make(map[hallpass.TokenID]hallpass.Use)
		var ids []hallpass.TokenID
		for i := range 150 { // more than one statement saves
			tok, err := createToken(db, t.Context(), a, fmt.Sprint("t", i), noon, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			ids, want[tok.ID] = append(ids, tok.ID), hallpass.Use{}
		}
		if err := db.SaveUses(t.Context(), nil); err != nil {
			t.Errorf("no uses: %v", err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 5 {
			uses := []store.TokenUse{{Token: 1 << 40, Use: hallpass.Use{At: noon}}} // a token that is gone
			for range 400 {
				minute := random.IntN(1000)
				u := hallpass.Use{At: noon.Add(time.Duration(minute) * time.Minute), Address: fmt.Sprint("10.0.0.", minute), UserAgent: fmt.Sprint("curl/", minute)}
				id := ids[random.IntN(len(ids))]
				uses = append(uses, store.TokenUse{Token: id, Use: u})
				if u.At.After(want[id].At) {
					want[id] = u
				}
			}
			if err := db.SaveUses(t.Context(), uses); err != nil {
				t.Fatal(err)
			}
			for id, got := range lastUses(t, db, a) {
				if got != want[id] {
					t.Fatalf("token %d: last used %v, want %v", id, got, want[id])
				}
			}
		}
	})
}

// TestUsesYield saves uses while a change is under way: of other tokens at
// once, and of the one that is being changed not at all, before PostgreSQL could
// take the two for a deadlock and undo the change.
func TestUsesYield(t *testing.T) {
	db := begun(t, hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t)))
	a := newAccount(t, db, newOrg(t, db, "Main Org.").ID, "ci")
	var tokens [2]hallpass.Token
	for i := range tokens {
		var err error
		if tokens[i], err = createToken(db, t.Context(), a, fmt.Sprint("t", i), noon, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	used := func(tok hallpass.Token) error {
		return db.SaveUses(t.Context(), []store.TokenUse{{Token: tok.ID, Use: hallpass.Use{At: noon}}})
	}
	write(t, db, func(tx *store.Tx) error {
		if err := tx.RevokeToken(a.Org, tokens[0].ID, noon); err != nil {
			return err
		}
		if err := used(tokens[1]); err != nil {
			t.Errorf("a use of another token: %v", err)
		}
		if err := used(tokens[0]); !errors.Is(err, hallpass.Unavailable) {
			t.Errorf("a use of the token that is being revoked: %v, want Unavailable", err)
		}
		return nil
	})
	if err := used(tokens[0]); err != nil {
		t.Errorf("after the change: %v", err)
	}
	for id, u := range lastUses(t, db, a) {
		if !u.At.Equal(noon) {
			t.Errorf("token %d: last used %v", id, u.At)
		}
	}
}
