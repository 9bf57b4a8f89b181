package store_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestManyWritersLocked has several writers at once find the database locked by
// another connection: each hears so within the time that SEC-42 allows, for
// they do not wait for one another first. Nothing of them stays.
func TestManyWritersLocked(t *testing.T) {
	onSQLite(t, func(t *testing.T, db *store.DB, path string) {
		raw, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetMaxOpenConns(1)
		if _, err := raw.Exec("BEGIN EXCLUSIVE"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // one that is still waiting then fails with the deadline
		defer cancel()
		var writers sync.WaitGroup
		for i := range 4 {
			writers.Go(func() {
				err := db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.CreateOrg(hallpass.Org{Name: "half written"})
					return err
				})
				if !errors.Is(err, hallpass.Unavailable) || ctx.Err() != nil {
					t.Errorf("writer %d: %v, %v; want unavailable, in time", i, err, ctx.Err())
				}
			})
		}
		writers.Wait()
		if err := raw.Close(); err != nil {
			t.Fatal(err)
		}
		if o := newOrg(t, db, "half written"); o.ID != 1 {
			t.Errorf("the first org has the number %d", o.ID)
		}
	})
}

// TestCancelled runs out of the caller's patience: that is no fault of ours.
func TestCancelled(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ctx, cancel := context.WithCancel(t.Context())
		read := func(tx *store.Tx) error {
			cancel()
			_, err := tx.Org(1)
			return err
		}
		for name, err := range map[string]error{
			"begun, read": db.Read(ctx, read), "read": db.Read(ctx, read), "write": db.Write(ctx, func(*store.Tx) error { return nil }),
		} {
			if !errors.Is(err, hallpass.Unavailable) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want unavailable and cancelled", name, err)
			}
		}
	})
}

// TestTurns has many write at once: each gets its turn, for turns are taken in
// the order of asking.
func TestTurns(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		const writers, rounds = 40, 10
		failed := make(chan error, writers*rounds)
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range rounds {
					if err := db.Write(ctx, func(tx *store.Tx) error { return tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: 1}) }); err != nil {
						failed <- err
					}
				}
			})
		}
		all.Wait()
		close(failed)
		for err := range failed {
			t.Error(err)
		}
		err := db.Read(ctx, func(tx *store.Tx) error {
			s, err := tx.State()
			if s.Version != writers*rounds {
				t.Errorf("version %d, want %d", s.Version, writers*rounds)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
