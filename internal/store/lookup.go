package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// LookUp returns what decides whether the token with that hash is good, of
// whatever org: its ID, Org, ServiceAccount, CreatedAt, ExpiresAt, RevokedAt, Ended,
// Pause, Limits, which token it replaced, which replaced it and until when it works
// beside that, and the time of its LastUse. It is NotFound when there is none. Either
// way it returns the version of the database that says so, and is one statement:
// strangers can ask for it as often as they like.
func (db *DB) LookUp(ctx context.Context, hash [32]byte) (t hallpass.Token, v hallpass.Version, err error) {
	if db.postgres { // SQLite answers readers at once
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, db.patience())
		defer cancel()
	}
	var created, expires, revoked, used, closes int64
	power := storedPower{token: &t}
	err = db.lookUp.QueryRowContext(ctx, hash[:]).Scan(append([]any{
		&v, &t.ID, &t.Org, &t.ServiceAccount, &created, &expires, &revoked, &used, &t.Rotation.Predecessor, &t.Rotation.Successor, &closes,
	}, power.columns()...)...)
	if err != nil {
		return t, v, fmt.Errorf("store: look up token: %w", db.seen(err))
	}
	if t.ID == 0 {
		return t, v, errUnknownToken
	}
	t.Hash = hash
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUse.At = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	t.Rotation.CloseAt = fromMicros(closes)
	return t, v, power.read()
}

// lookUp is that statement. A token that does not exist has ID 0; what it has in the
// other columns is not looked at, and need not be null.
var lookUp = func() string {
	columns := "id, org_id, service_account_id, created_us, expires_us, revoked_us, used_us, predecessor_id, successor_id, close_us, " + powerNames
	var b strings.Builder
	b.WriteString("SELECT s.v")
	for _, c := range strings.Split(columns, ", ") {
		none := "0"
		switch c {
		case "ended", "pause_reason", "max_role", "ceiling", "networks":
			none = "''"
		case "read_only":
			none = "FALSE"
		}
		fmt.Fprintf(&b, ", COALESCE(t.%s, %s)", c, none)
	}
	b.WriteString(" FROM state s LEFT JOIN tokens t ON t.hash = $1 WHERE s.id = 1")
	return b.String()
}()

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
