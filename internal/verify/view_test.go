package verify_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestRegisterContinues registers a node with a database that has not gone through
// what the node remembers: it is refused there, as it would be later.
func TestRegisterContinues(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	w := newWorld(t, verify.Options{})
	var now store.State
	err := w.db.Write(t.Context(), func(tx *store.Tx) (err error) {
		if err := tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: 1}); err != nil {
			return err
		}
		now, err = tx.State()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ahead, other, elsewhere := now, now, now
	ahead.Version++
	other.Digest[0]++
	elsewhere.Installation = "another"
	for name, known := range map[string]store.State{"an older copy": ahead, "another past": other, "another installation": elsewhere} {
		v := verify.New(w.db, verify.Options{})
		h := w.db.ConnectNode(hallpass.Node{ID: secret.NewUID(), Name: "later", MaxStaleness: 10 * time.Second})
		v.Settled(known)
		for range 2 {
			if _, err := v.Beat(t.Context(), h); !errors.Is(err, store.ErrDiverged) {
				t.Errorf("%s: %v, want diverged", name, err)
			}
		}
		v.Settled(now)
		for range 2 {
			if _, err := v.Beat(t.Context(), h); err != nil {
				t.Errorf("%s, settled: %v", name, err)
			}
		}
		if err := errors.Join(h.Leave(t.Context()), h.Close()); err != nil {
			t.Error(err)
		}
	}
}
