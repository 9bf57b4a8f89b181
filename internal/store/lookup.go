package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// LookUp returns what decides whether the token with that hash is good, of
// whatever org: its ID, Org, ServiceAccount, CreatedAt, ExpiresAt, RevokedAt, Ended,
// Pause, Limits, the first token of its rotation, which token it replaced, which replaced it and until when it works
// beside that, and the time of its LastUse. It is NotFound when there is none. Either
// way it returns the version of the database that says so. It is one statement, because
// strangers can ask for it as often as they like, and for a token with a pause or limits
// one more.
func (db *DB) LookUp(ctx context.Context, hash [32]byte) (t hallpass.Token, v hallpass.Version, err error) {
	if db.postgres { // SQLite answers readers at once
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, db.patience())
		defer cancel()
	}
	var created, expires, revoked, used, closes int64
	var narrowed bool
	err = db.lookUp.QueryRowContext(ctx, hash[:]).Scan(
		&v, &t.ID, &t.Org, &t.ServiceAccount, &created, &expires, &revoked, &used, &t.Rotation.Chain, &t.Rotation.Predecessor, &t.Rotation.Successor, &closes, &t.Ended, &narrowed)
	if err == nil && narrowed {
		err = db.lookUpPower(ctx, &t)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return t, v, fmt.Errorf("store: look up token: %w", db.seen(err))
	}
	if err != nil || t.ID == 0 {
		return t, v, errUnknownToken
	}
	t.Hash = hash
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUse.At = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	t.Rotation.CloseAt = fromMicros(closes)
	return t, v, nil
}

// lookUpPower reads the columns powerNames of the token. They may be newer than what is
// known of it already: a change that comes between was announced, so that the token is not
// kept in memory.
func (db *DB) lookUpPower(ctx context.Context, t *hallpass.Token) error {
	power := storedPower{token: t}
	if err := db.power.QueryRowContext(ctx, t.ID).Scan(power.columns()...); err != nil {
		return err
	}
	return power.read()
}

// lookUp is the first statement. A token that does not exist has ID 0; what it has in the
// other columns is not looked at, and need not be null. Most tokens have neither pause nor
// limits: to read eleven columns that say nothing would cost a third more.
var lookUp = func() string {
	var b strings.Builder
	b.WriteString("SELECT s.v")
	for _, c := range strings.Split("id, org_id, service_account_id, created_us, expires_us, revoked_us, used_us, chain_id, predecessor_id, successor_id, close_us", ", ") {
		fmt.Fprintf(&b, ", COALESCE(t.%s, 0)", c)
	}
	b.WriteString(`, COALESCE(t.ended, ''),
		CASE WHEN t.paused_us > 0 OR t.read_only = TRUE OR t.max_role <> '' OR t.ceiling <> '' OR t.networks <> '' OR t.rate_n > 0 THEN TRUE ELSE FALSE END
		FROM state s LEFT JOIN tokens t ON t.hash = $1 WHERE s.id = 1`)
	return b.String()
}()

// prepare readies the statements of LookUp and SaveUses: with SQLite most of
// their time would go into reading them.
func (db *DB) prepare(ctx context.Context) (err error) {
	if db.lookUp, err = db.read.PrepareContext(ctx, lookUp); err != nil {
		return fmt.Errorf("store: prepare: %w", db.seen(err))
	}
	if db.power, err = db.read.PrepareContext(ctx, `SELECT `+powerNames+` FROM tokens WHERE id = $1`); err != nil {
		return fmt.Errorf("store: prepare: %w", db.seen(err))
	}
	if err := db.prepareSaveUses(ctx); err != nil {
		return fmt.Errorf("store: prepare: %w", db.seen(err))
	}
	return nil
}

var errUnknownToken = &hallpass.Error{Kind: hallpass.NotFound, Message: "unknown token"}
