package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// RevokeReused revokes every token that replaced another, directly or not, which somebody
// tried within the last minutes though it had ended. Once it has returned, they are
// refused. A token that was made after the try is left. It asks for no caller: it is a job
// of the server. Several nodes may do it at once: each token ends once.
func (a *Admin) RevokeReused(ctx context.Context) error {
	var tried []store.DeadUse
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		uses, err := tx.DeadUses(a.now().Add(-deadUseWindow), "api-key.rotated")
		if err != nil {
			return err
		}
		tried = nil
		for _, use := range uses {
			live, err := a.chainOf(tx, use)
			if err != nil {
				return err
			}
			if len(live) > 0 {
				tried = append(tried, use)
			}
		}
		return nil
	})
	for _, use := range tried {
		err = errors.Join(err, a.db.Write(ctx, func(tx *store.Tx) error { return a.revokeChain(tx, use) }))
	}
	return err
}

// chainOf returns the tokens of the chain that still have to be revoked because of the use.
func (a *Admin) chainOf(tx *store.Tx, use store.DeadUse) ([]hallpass.Token, error) {
	t, err := tx.OrgToken(use.Org, use.Token)
	if hallpass.KindOf(err) == hallpass.NotFound {
		return nil, nil // deleted since
	}
	if err != nil {
		return nil, err
	}
	return tx.LiveChain(t, use.At, a.now())
}

// revokeChain revokes those tokens.
func (a *Admin) revokeChain(tx *store.Tx, use store.DeadUse) error {
	live, err := a.chainOf(tx, use)
	if err != nil {
		return err
	}
	for _, c := range tokenChanged(live...) {
		if err := tx.Change(c); err != nil {
			return err
		}
	}
	for _, t := range live {
		if err := tx.RevokeToken(t.Org, t.ID, a.now()); err != nil {
			return err
		}
		entry := a.entry(hallpass.Caller{Org: t.Org}, "token.revoke", target("token", int64(t.ID)))
		entry.Reason = fmt.Sprintf("token %d, which it replaced, was tried from %s", use.Token, use.From.Address)
		if _, err := tx.Audit(entry); err != nil {
			return err
		}
	}
	return nil
}
