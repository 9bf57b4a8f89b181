package admin

import (
	"context"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// MaxUsageDays is how many days of usage are kept.
const MaxUsageDays = int(hallpass.TokenDayRetention / (24 * time.Hour))

// since returns the beginning of the first of so many UTC days, of which today is the
// last.
func (a *Admin) since(days int) time.Time {
	return a.now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-min(max(days, 1), MaxUsageDays))
}

// TokenUsage returns how the account's token was used: on the last days, today included,
// and all of its places and actions that are kept. It is seconds old. NotFound when the account
// has no such token.
func (a *Admin) TokenUsage(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, token hallpass.TokenID, days int) (u hallpass.TokenUsage, err error) {
	since := a.since(days)
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead, scope: account.Scope()}, func(tx *store.Tx) error {
		if _, err := tx.Token(c.Org, account, token); err != nil {
			return err
		}
		u, err = tx.TokenUsage(token, since)
		return err
	})
	return u, err
}

// LastRoutes completes the last uses of tokens, which the caller may read, by what was
// asked for: of a use of which that is not written yet it is empty.
func (a *Admin) LastRoutes(ctx context.Context, tokens []hallpass.Token) error {
	return a.db.Read(ctx, func(tx *store.Tx) error { return tx.LastRoutes(tokens) })
}

// TokenDays returns how many requests there were on the last days, today included, with
// each of the account's tokens; none when the caller's org has no such
// account.
func (a *Admin) TokenDays(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, days int) (list map[hallpass.TokenID][]hallpass.TokenDay, err error) {
	since := a.since(days)
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead, scope: account.Scope()}, func(tx *store.Tx) error {
		list, err = tx.TokenDays(c.Org, account, since)
		return err
	})
	return list, err
}
