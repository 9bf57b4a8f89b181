package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestChangeEvents follows a change whose commit succeeds, one whose commit fails
// and one that fails before: subscribers hear Coming and Settled of what came
// to a commit, whatever became of it, and nothing of a failed one stays.
func TestChangeEvents(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ctx, cancel := context.WithCancel(t.Context())
		var heard []store.Phase
		var versions []hallpass.Version // that others see when an event comes
		cut := false
		db.Subscribe(func(n store.ChangeEvent) {
			heard = append(heard, n.Phase)
			versions = append(versions, version(t, db))
			if cut && n.Phase == store.Coming {
				cancel()
			}
		})
		change := func(fail error) error {
			return db.Write(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: 1}), fail)
			})
		}
		if err := change(nil); err != nil {
			t.Fatal(err)
		}
		if err := change(hallpass.Denied); !errors.Is(err, hallpass.Denied) {
			t.Errorf("a change that fails: %v", err)
		}
		cut = true
		if err := change(nil); err == nil {
			t.Error("a commit that was cut off succeeded")
		}
		if d := cmp.Diff(heard, []store.Phase{store.Coming, store.Settled, store.Coming, store.Settled}); d != "" {
			t.Errorf("heard, want:\n%s", d)
		}
		if d := cmp.Diff(versions, []hallpass.Version{0, 1, 1, 1}); d != "" {
			t.Errorf("versions seen, want:\n%s", d)
		}
	})
}

// TestChangeAfterWrite has a transaction say what it changes after it has written:
// that is an error, and nothing of it stays. It may read before, and say more than
// one change.
func TestChangeAfterWrite(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Main Org.")
		change := func(tx *store.Tx) error {
			return tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: int64(org.ID)})
		}
		read := func(tx *store.Tx) error { _, err := tx.Org(org.ID); return err }
		update := func(tx *store.Tx) error { renamed := org; renamed.Name = "Other"; return tx.UpdateOrg(renamed) }
		number := func(tx *store.Tx) error {
			_, err := tx.Audit(hallpass.AuditEntry{At: noon, Action: "org.update"})
			return err
		}
		for name, steps := range map[string][]func(*store.Tx) error{
			"row": {change, update, change}, "number": {read, number, change},
		} {
			before := version(t, db)
			err := db.Write(t.Context(), inOrder(steps))
			if err == nil || hallpass.KindOf(err) != hallpass.Internal {
				t.Errorf("%s: a change after a write: %v", name, err)
			}
			if now := version(t, db); now != before {
				t.Errorf("%s: version %d, want %d", name, now, before)
			}
		}
		if err := db.Write(t.Context(), inOrder([]func(*store.Tx) error{read, change, read, change, update, read})); err != nil {
			t.Errorf("changes after reads: %v", err)
		}
	})
}

func inOrder(steps []func(*store.Tx) error) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		for _, step := range steps {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	}
}

func version(t *testing.T, db *store.DB) (v hallpass.Version) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		s, err := tx.State()
		v = s.Version
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return v
}
