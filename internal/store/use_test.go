package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// tokensIn makes n tokens of one account in a new org.
func tokensIn(t testing.TB, db *store.DB, n int) (list []hallpass.Token) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		ctx := t.Context()
		org, err := tx.CreateOrg(ctx, hallpass.Org{Name: "many"})
		if err != nil {
			return err
		}
		a, err := tx.CreateServiceAccount(ctx, hallpass.ServiceAccount{UID: "many", Org: org.ID, Name: "many", Login: "many"})
		for i := 0; i < n && err == nil; i++ {
			var made hallpass.Token
			made, err = tx.CreateToken(ctx, hallpass.Token{Org: org.ID, ServiceAccount: a.ID, Name: fmt.Sprint(i), Hash: secret.NewToken().Hash()})
			list = append(list, made)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestUsedTokens notes the uses of many tokens at once, in numbers that take
// every length of statement: what is newer counts, what is older does not.
func TestUsedTokens(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		const n = 2345
		tokens := tokensIn(t, db, n)
		note := func(at func(i int) time.Time, from string) {
			t.Helper()
			uses := []store.TokenUse{{ID: 1 << 40, Use: hallpass.Use{At: noon}}} // no such token
			for i, tok := range tokens {
				uses = append(uses, store.TokenUse{ID: tok.ID, Use: hallpass.Use{At: at(i), Address: from, UserAgent: "agent " + from}})
			}
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.UsedTokens(ctx, uses) })
		}
		note(func(i int) time.Time { return noon.Add(time.Duration(i) * time.Microsecond) }, "first")
		// Of every second token another node has seen a use that is newer.
		note(func(i int) time.Time {
			return noon.Add(time.Duration(i)*time.Microsecond + time.Duration(i%2*2-1)*time.Second)
		}, "second")
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			for i, tok := range tokens {
				got, err := tx.TokenByHash(t.Context(), tok.Hash)
				if err != nil {
					return err
				}
				want := hallpass.Use{At: noon.Add(time.Duration(i) * time.Microsecond), Address: "first", UserAgent: "agent first"}
				if i%2 == 1 {
					want = hallpass.Use{At: want.At.Add(time.Second), Address: "second", UserAgent: "agent second"}
				}
				if got.LastUse != want {
					t.Fatalf("token %d was last used %+v, want %+v", i, got.LastUse, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkUsedTokens notes last uses, so many in one transaction: rows a second
// are what a flush of that size does.
func BenchmarkUsedTokens(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000, 2000, 5000} {
		b.Run(fmt.Sprint("rows=", size), func(b *testing.B) {
			db := hallpasstest.OpenStore(b)
			tokens := tokensIn(b, db, 10_000)
			at := time.Now()
			next := 0
			for b.Loop() {
				at = at.Add(time.Microsecond)
				var uses []store.TokenUse
				for range size {
					uses = append(uses, store.TokenUse{ID: tokens[next%len(tokens)].ID, Use: hallpass.Use{At: at, Address: "10.0.0.1", UserAgent: "curl/8"}})
					next++
				}
				if err := db.Write(b.Context(), func(tx *store.Tx) error { return tx.UsedTokens(b.Context(), uses) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
