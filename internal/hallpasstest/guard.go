package hallpasstest

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// NewGuard puts the guard into the database, as a change that every verifier is told
// of, and returns its ID.
func NewGuard(t testing.TB, db *store.DB, g hallpass.Guard) (id hallpass.GuardID) {
	t.Helper()
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	g.ManagedBy, g.Version = hallpass.ManagedByAPI, 1
	err := db.Write(t.Context(), func(tx *store.Tx) (err error) {
		if id, err = tx.NextGuard(); err == nil {
			err = tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: int64(id)})
		}
		if err == nil {
			_, err = tx.CreateGuard(g)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}
