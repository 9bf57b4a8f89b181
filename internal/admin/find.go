package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TokenByHash returns the token whose secret has the SHA-256 hash, and its account, for
// somebody who holds a secret and asks whose it is. It is NotFound when there is none,
// and also when there is one in another org or of an account that the caller may not
// read: the answer tells nobody that a secret is one.
func (a *Admin) TokenByHash(ctx context.Context, c hallpass.Caller, hash [32]byte) (t hallpass.TokenOfAccount, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		found, err := tx.TokenByHash(hash)
		if err != nil {
			return err
		}
		if found.Org != c.Org || !c.Can(hallpass.ServiceAccountsRead, found.ServiceAccount.Scope()) {
			return errNoSuchHash
		}
		t, err = tx.TokenOfAccount(c.Org, found.ID)
		return err
	})
	return t, err
}

var errNoSuchHash = &hallpass.Error{Kind: hallpass.NotFound, Message: "unknown token"}
