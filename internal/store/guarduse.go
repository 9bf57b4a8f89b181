package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// AddGuardUsage adds to what is stored of uses of guards. A use of a guard that is gone
// is dropped. A guard has at most so many rows with a token for one day: a use that would
// need one more is added to those of token 0. Nodes that write at the same time may
// exceed that by what each writes.
func (db *DB) AddGuardUsage(ctx context.Context, uses []hallpass.GuardUse, most int) error {
	uses = slices.SortedFunc(slices.Values(uses), compareGuardUses) // nodes that write at once take the rows in one order
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		free, together := make(map[hallpass.GuardUse]int), make(map[hallpass.GuardUse]int64)
		for _, u := range uses {
			apart, err := tx.addGuardUseOfToken(u, most, free)
			if err != nil {
				return err
			}
			if !apart {
				n := u.Count
				u.Token, u.Count = 0, 0
				together[u] += n
			}
		}
		for _, u := range slices.SortedFunc(maps.Keys(together), compareGuardUses) {
			u.Count = together[u]
			if err := tx.addGuardUse(u); err != nil {
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

// compareGuardUses is the order of the table's key.
func compareGuardUses(a, b hallpass.GuardUse) int {
	return cmp.Or(cmp.Compare(a.Guard, b.Guard), a.Day.Compare(b.Day), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Token, b.Token))
}

// addGuardUseOfToken adds the use to the row of its token. It is false if there is no such
// row, and no room for one. free holds how many rows there is room for, by guard and day.
func (tx *Tx) addGuardUseOfToken(u hallpass.GuardUse, most int, free map[hallpass.GuardUse]int) (bool, error) {
	if u.Token == 0 {
		return false, nil
	}
	n, err := tx.exec(`
		UPDATE guard_usage SET n = n + $1
		WHERE  guard_id = $2 AND day_us = $3 AND rule = $4 AND outcome = $5 AND token_id = $6`, u.Count, u.Guard, micros(u.Day), u.Rule, u.Outcome, u.Token)
	if err != nil || n > 0 {
		return true, err
	}
	day := hallpass.GuardUse{Guard: u.Guard, Day: u.Day}
	left, known := free[day]
	if !known {
		err := tx.sql.QueryRow(`
			SELECT COUNT(*) FROM guard_usage WHERE guard_id = $1 AND day_us = $2 AND token_id <> 0`, u.Guard, micros(u.Day)).Scan(&left)
		if err != nil {
			return false, err
		}
		left = most - left
	}
	free[day] = left - 1
	if left <= 0 {
		return false, nil
	}
	return true, tx.addGuardUse(u)
}

// addGuardUse adds the use to its row, which it makes if there is none.
func (tx *Tx) addGuardUse(u hallpass.GuardUse) error {
	_, err := tx.exec(`
		INSERT INTO guard_usage (guard_id, day_us, rule, outcome, token_id, n)
		SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) FROM guards WHERE id = $1
		ON CONFLICT (guard_id, day_us, rule, outcome, token_id) DO UPDATE SET n = guard_usage.n + excluded.n`,
		u.Guard, micros(u.Day), u.Rule, u.Outcome, u.Token, u.Count)
	return err
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
