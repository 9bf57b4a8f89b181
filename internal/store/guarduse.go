package store

import (
	"context"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// AddGuardUsage adds to what is stored of uses of guards. A use of a guard that is gone
// is dropped.
func (db *DB) AddGuardUsage(ctx context.Context, uses []hallpass.GuardUse) error {
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		for _, u := range uses {
			_, err := tx.exec(`
				INSERT INTO guard_usage (guard_id, day_us, rule, outcome, token_id, n)
				SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) FROM guards WHERE id = $1
				ON CONFLICT (guard_id, day_us, rule, outcome, token_id) DO UPDATE SET n = guard_usage.n + excluded.n`,
				u.Guard, micros(u.Day), u.Rule, u.Outcome, u.Token, u.Count)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: add usage of guards: %w", err)
	}
	return nil
}

// GuardUsage returns how the guard was used on the days from since on, by day, rule,
// outcome and token.
func (tx *Tx) GuardUsage(guard hallpass.GuardID, since time.Time) ([]hallpass.GuardUse, error) {
	list, err := all(tx, func(r row) (u hallpass.GuardUse, err error) {
		var day int64
		err = r.Scan(&u.Guard, &day, &u.Rule, &u.Outcome, &u.Token, &u.Count)
		u.Day = fromMicros(day)
		return u, err
	}, `
		SELECT guard_id, day_us, rule, outcome, token_id, n FROM guard_usage
		WHERE  guard_id = $1 AND day_us >= $2 ORDER BY day_us, rule, outcome, token_id`, guard, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: usage of guard %d: %w", guard, err)
	}
	return list, nil
}

// DeleteGuardUsage deletes uses of the days before that time.
func (db *DB) DeleteGuardUsage(ctx context.Context, before time.Time) error {
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		_, err := tx.exec(`DELETE FROM guard_usage WHERE day_us < $1`, micros(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: delete usage of guards: %w", err)
	}
	return nil
}
