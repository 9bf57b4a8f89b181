package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// deadBatch is how many dead tokens one transaction deletes: changes wait for it.
const deadBatch = 100

// DeleteDeadTokens deletes the account's tokens that have ended: what is left of them
// are the sums of their usage, and the audit. It returns how many it deleted.
func (a *Admin) DeleteDeadTokens(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID) (deleted int, err error) {
	n := need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}
	for before := a.now().Add(time.Microsecond); ; {
		some := 0
		err := a.change(ctx, c, n, "token.prune", func(t *Turn) error {
			if _, err := t.ServiceAccount(t.Caller.Org, account); err != nil {
				return err
			}
			dead, err := t.DeadTokensOf(t.Caller.Org, account, before, deadBatch)
			if err != nil {
				return err
			}
			for _, x := range dead {
				if err := t.declare(hallpass.Change{Kind: hallpass.TokenChanged, ID: int64(x.ID), Hash: x.Hash}); err != nil {
					return err
				}
			}
			some = len(dead)
			if err := deleteTokens(t.Tx, dead); err != nil {
				return err
			}
			return t.Audit("serviceaccount", idText(account), fmt.Sprintf("deleted %d tokens that had ended", some))
		})
		deleted += some
		if err != nil || some < deadBatch {
			return deleted, err
		}
	}
}

func deleteTokens(tx *store.Tx, list []hallpass.Token) error {
	for _, t := range list {
		if err := tx.DeleteToken(t.Org, t.ServiceAccount, t.ID); err != nil {
			return err
		}
	}
	return nil
}

// PruneTokens deletes the tokens of all orgs that ended longer ago than keep, and leaves
// one audit entry in each of the orgs for each transaction. It rests twice as long as it
// works, so that it holds nobody up. No node is told: what knows such a token still
// refuses it.
func (a *Admin) PruneTokens(ctx context.Context, keep time.Duration) error {
	for {
		began, deleted := time.Now(), 0
		now := a.now()
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			dead, err := tx.DeadTokens(now.Add(-keep), deadBatch)
			if deleted = len(dead); err != nil || deleted == 0 {
				return err
			}
			count := make(map[hallpass.OrgID]int)
			for _, t := range dead {
				count[t.Org]++
			}
			if err := deleteTokens(tx, dead); err != nil {
				return err
			}
			for _, org := range slices.Sorted(maps.Keys(count)) {
				entry := a.entry(hallpass.Caller{}, "token.prune", target("org", int64(org)))
				entry.Org = org
				entry.Reason = fmt.Sprintf("deleted %d tokens that ended before %s", count[org], now.Add(-keep).Format(time.DateOnly))
				if _, err := tx.Audit(entry); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || deleted < deadBatch {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Since(began)):
		}
	}
}
