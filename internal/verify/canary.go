package verify

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// errNotKept says that a canary could not be tried, because other changes were
// under way.
var errNotKept = errors.New("verify: the canary was not kept in memory")

// Canary remembers an identity that no token stands for, ends it as every
// revocation is ended, through the database and every node, and reports whether
// it is refused then. An error says that it did not come that far.
func (v *Verifier) Canary(ctx context.Context) (refused bool, err error) {
	var hash [32]byte
	_, _ = rand.Read(hash[:]) // never fails: crypto/rand aborts the program instead
	v.cache.put(v.cache.coherence.Begin(), &entry{hash: hash}, hallpass.Caller{})
	if v.cache.get(&hash) == nil {
		return false, errNotKept
	}
	err = v.db.Write(ctx, func(tx *store.Tx) error {
		return tx.Change(hallpass.Change{Kind: hallpass.TokenChanged, Hash: hash})
	})
	return v.cache.get(&hash) == nil, err
}
