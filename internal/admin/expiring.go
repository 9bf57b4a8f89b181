package admin

import (
	"context"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// shortLived is the lifetime below which a token is meant to end soon: those of
// pipelines, made for minutes, would crowd out all that somebody must renew.
const shortLived = 24 * time.Hour

// ExpiringTokens returns the tokens, of whatever org, that expire soonest among
// those that were made for a day or more and whose account is enabled. It asks
// for no caller: it is for the server's own metrics, which show numbers alone.
func (a *Admin) ExpiringTokens(ctx context.Context, limit int) (tokens []hallpass.Token, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		tokens, err = tx.ExpiringTokens(a.now(), shortLived, limit)
		return err
	})
	return tokens, err
}
