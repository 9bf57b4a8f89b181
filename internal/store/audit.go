package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hallpass-dev/hallpass"
)

// Audit writes the entry, in the transaction of what it tells of, and returns
// its ID. A zero Count is 1.
func (tx *Tx) Audit(ctx context.Context, e hallpass.AuditEntry) (hallpass.AuditID, error) {
	id, err := tx.nextID(ctx, "audit")
	if err != nil {
		return 0, err
	}
	_, err = tx.exec(ctx, `
		INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		id, micros(e.At), e.Org, int64(e.Actor.Kind), e.Actor.ID, e.Actor.Login, e.Token, e.Action, e.Target, e.Outcome, e.Reason,
		e.From.Address, e.From.UserAgent, max(e.Count, 1))
	if err != nil {
		return 0, fmt.Errorf("store: audit %s: %w", e.Action, err)
	}
	return hallpass.AuditID(id), nil
}

// AuditEntries returns the entries that f picks, newest first.
func (tx *Tx) AuditEntries(ctx context.Context, f hallpass.AuditFilter) ([]hallpass.AuditEntry, error) {
	actor, err := strconv.ParseInt(f.Actor, 10, 64)
	if err != nil {
		actor = -1 // a login, and no principal's ID
	}
	before := f.Before
	if before == 0 {
		before = 1<<63 - 1
	}
	// PostgreSQL takes a bind's type from its first place: each column comes
	// before the constant.
	list, err := all(ctx, tx, scanAudit, `
		SELECT id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count
		FROM   audit
		WHERE  id < $1
		AND    (org_id = $2 OR $2 = 0)
		AND    ($3 = '' OR action = $3)
		AND    ($4 = '' OR actor_login = $4 OR actor_id = $5)
		AND    ($6 = '' OR target = $6)
		AND    ($7 = '' OR outcome = $7)
		AND    (at_us >= $8 OR $8 = 0)
		AND    (at_us < $9 OR $9 = 0)
		ORDER  BY id DESC LIMIT $10`,
		before, f.Org, f.Action, f.Actor, actor, f.Target, f.Outcome, micros(f.From), micros(f.To), f.Limit)
	if err != nil {
		return nil, fmt.Errorf("store: audit entries: %w", err)
	}
	return list, nil
}

func scanAudit(r row) (hallpass.AuditEntry, error) {
	var e hallpass.AuditEntry
	var at int64
	err := r.Scan(&e.ID, &at, &e.Org, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Login, &e.Token, &e.Action, &e.Target, &e.Outcome, &e.Reason,
		&e.From.Address, &e.From.UserAgent, &e.Count)
	e.At = fromMicros(at)
	return e, err
}

// Recur adds n repeats to an entry.
func (tx *Tx) recur(ctx context.Context, id hallpass.AuditID, n int64) error {
	if _, err := tx.exec(ctx, `UPDATE audit SET count = count + $2 WHERE id = $1`, id, n); err != nil {
		return fmt.Errorf("store: audit repeats of %d: %w", id, err)
	}
	return nil
}
