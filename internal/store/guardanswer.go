package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
)

var guardAnswersUpsert = upsert{
	table: "guard_answers", owner: "guard_id", parent: "guards",
	columns: []string{"guard_id", "minute_us", "n", "failed"}, types: []string{big, big, big, big},
	key: "guard_id, minute_us", set: added("guard_answers", "n", "failed"),
}

// AddGuardAnswers adds to what is stored of answers of APIs. The list has at most one entry
// for a guard and a minute. Those of a guard that is gone are dropped.
func (db *DB) AddGuardAnswers(ctx context.Context, list []hallpass.GuardAnswers) error {
	if len(list) == 0 {
		return nil
	}
	list = slices.SortedFunc(slices.Values(list), func(a, b hallpass.GuardAnswers) int { // nodes that write at once take the rows in one order
		return cmp.Or(cmp.Compare(a.Guard, b.Guard), a.Minute.Compare(b.Minute))
	})
	rows := make([][]any, len(list))
	for i, a := range list {
		rows[i] = []any{int64(a.Guard), micros(a.Minute), a.Count, a.Failed}
	}
	if err := db.writeUnordered(ctx, func(tx *Tx) error { return tx.addRows(guardAnswersUpsert, rows) }); err != nil {
		return fmt.Errorf("store: add answers of APIs: %w", err)
	}
	return nil
}

// FailingAPIs returns the APIs behind guards of the org, all or that of one guard, that
// failed in every minute with answers since the last one in which less than share in 100 of
// the answers were errors, or since the guard was changed: those with so many errors at the
// least, the last of them since the time. They come by the numbers of their guards.
func (tx *Tx) FailingAPIs(org hallpass.OrgID, guard hallpass.GuardID, share int, least int64, since time.Time) ([]hallpass.FailingAPI, error) {
	list, err := all(tx, func(r row) (f hallpass.FailingAPI, err error) {
		var first, last int64
		err = r.Scan(&f.Guard, &f.Name, &first, &last, &f.Answers, &f.Failed)
		f.Since, f.Last = fromMicros(first), fromMicros(last)
		return f, err
	}, `
		SELECT g.id, g.name, MIN(a.minute_us), MAX(a.minute_us), CAST(SUM(a.n) AS BIGINT), CAST(SUM(a.failed) AS BIGINT)
		FROM   guards g JOIN guard_answers a ON a.guard_id = g.id
		WHERE  g.org_id = $1 AND (g.id = $2 OR $2 = 0) AND a.minute_us > g.updated_us - g.updated_us % 60000000
		AND    a.minute_us > COALESCE((SELECT o.minute_us FROM guard_answers o WHERE o.guard_id = g.id AND o.failed * 100 < o.n * $3 ORDER BY o.minute_us DESC LIMIT 1), 0)
		GROUP  BY g.id, g.name HAVING CAST(SUM(a.failed) AS BIGINT) >= $4 AND MAX(a.minute_us) >= $5 ORDER BY g.id`, org, int64(guard), int64(share), least, micros(since))
	if err != nil {
		return nil, fmt.Errorf("store: failing APIs of org %d: %w", org, err)
	}
	return list, nil
}

// DeleteGuardAnswers deletes what is stored of answers in minutes before that time.
func (db *DB) DeleteGuardAnswers(ctx context.Context, before time.Time) error {
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		_, err := tx.exec(`DELETE FROM guard_answers WHERE minute_us < $1`, micros(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: delete answers of APIs: %w", err)
	}
	return nil
}
