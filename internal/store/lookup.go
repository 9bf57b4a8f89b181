package store

import (
	"context"
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

// LookUp returns what decides whether the token with that hash is good, of
// whatever org: its ID, Org, ServiceAccount, CreatedAt, ExpiresAt, RevokedAt and the
// time of its LastUse. It is NotFound when there is none. Either way it returns the
// version of the database that says so, and is one statement: strangers can ask
// for it as often as they like.
func (db *DB) LookUp(ctx context.Context, hash [32]byte) (t hallpass.Token, v hallpass.Version, err error) {
	if db.postgres { // SQLite answers readers at once
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, db.patience())
		defer cancel()
	}
	var created, expires, revoked, used int64
	err = db.lookUp.QueryRowContext(ctx, hash[:]).Scan(&v, &t.ID, &t.Org, &t.ServiceAccount, &created, &expires, &revoked, &used)
	if err != nil {
		return t, v, fmt.Errorf("store: look up token: %w", db.seen(err))
	}
	if t.ID == 0 {
		return t, v, errUnknownToken
	}
	t.Hash = hash
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUse.At = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	return t, v, nil
}

const lookUp = `
	SELECT s.v, COALESCE(t.id, 0), COALESCE(t.org_id, 0), COALESCE(t.service_account_id, 0), COALESCE(t.created_us, 0), COALESCE(t.expires_us, 0), COALESCE(t.revoked_us, 0), COALESCE(t.used_us, 0)
	FROM   state s LEFT JOIN tokens t ON t.hash = $1
	WHERE  s.id = 1`

// prepare readies the statements of LookUp and SaveUses: with SQLite most of
// their time would go into reading them.
func (db *DB) prepare(ctx context.Context) (err error) {
	if db.lookUp, err = db.read.PrepareContext(ctx, lookUp); err != nil {
		return fmt.Errorf("store: prepare: %w", db.seen(err))
	}
	if err := db.prepareSaveUses(ctx); err != nil {
		return fmt.Errorf("store: prepare: %w", db.seen(err))
	}
	return nil
}

var errUnknownToken = &hallpass.Error{Kind: hallpass.NotFound, Message: "unknown token"}
