package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// numbers is a statement with the numbers from 1 to $1.
const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT i FROM n`

func upTo(t *testing.T, db *store.DB, n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		got, err := tx.Numbers(nil, numbers, n)
		if want := count(n); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func count(n int64) (list []int64) {
	for i := range n {
		list = append(list, i+1)
	}
	return list
}

// TestPrepared runs one statement again and again, with what may leave a prepared one in
// a state that the next run must not see.
func TestPrepared(t *testing.T) {
	t.Parallel()
	db := hallpasstest.OpenSQLite(t, filepath.Join(t.TempDir(), "hallpass.db"))
	for i := range int64(4) {
		upTo(t, db, i+1)
	}
	if db.Prepared() == 0 {
		t.Fatal("a statement that ran four times is not prepared")
	}

	t.Run("within its own rows", func(t *testing.T) {
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			got, err := tx.Numbers(func(outer int64) error {
				inner, err := tx.Numbers(nil, numbers, outer+2)
				if want := count(outer + 2); !slices.Equal(inner, want) {
					t.Errorf("within row %d: got %v, want %v", outer, inner, want)
				}
				return err
			}, numbers, 5)
			if !slices.Equal(got, count(5)) {
				t.Errorf("got %v", got)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("given up after a row", func(t *testing.T) {
		enough := errors.New("enough")
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Numbers(func(int64) error { return enough }, numbers, 5)
			return err
		})
		if !errors.Is(err, enough) {
			t.Errorf("got %v", err)
		}
		upTo(t, db, 3)
	})
	t.Run("caller gone in the middle", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Read(ctx, func(tx *store.Tx) error {
			_, err := tx.Numbers(func(i int64) error {
				if i == 2 {
					cancel()
				}
				return nil
			}, numbers, 1_000_000)
			return err
		})
		if err == nil {
			t.Error("no error")
		}
		upTo(t, db, 3)
	})
	t.Run("wrong argument", func(t *testing.T) {
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Numbers(nil, numbers)
			return err
		})
		if err == nil {
			t.Error("no error without an argument")
		}
		upTo(t, db, 3)
	})
	t.Run("at once", func(t *testing.T) {
		var all sync.WaitGroup
		for i := range int64(16) {
			all.Go(func() {
				for n := range int64(20) {
					upTo(t, db, i+n+1)
				}
			})
		}
		all.Wait()
	})
}

// TestPreparedIsBounded runs more statements than are kept: those that come later run all
// the same.
func TestPreparedIsBounded(t *testing.T) {
	t.Parallel()
	db := hallpasstest.OpenSQLite(t, filepath.Join(t.TempDir(), "hallpass.db"))
	for i := range int64(400) {
		for round := range 3 {
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				got, err := tx.Numbers(nil, fmt.Sprintf("SELECT %d + $1", i), 1)
				if len(got) != 1 || got[0] != i+1 {
					t.Errorf("round %d: got %v, want %d", round, got, i+1)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := db.Prepared(); n != store.MaxPrepared {
		t.Errorf("%d statements are kept, not %d", n, store.MaxPrepared)
	}
}
