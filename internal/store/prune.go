package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A Pruned is what went from the audit: so many entries, from the time of the
// oldest to that of the newest.
type Pruned struct {
	Entries     int64
	First, Last time.Time
}

// pruneLease is for how long whoever deletes entries does so alone. It is shorter
// than what JobLease leaves of it when the job was just kept: a node that takes the
// job of one that died goes on at once.
const pruneLease = JobLease / 2

// PruneAudit deletes up to n entries older than before, in the name of holder.
// It reports how many it deleted: fewer than n when there are no more, none too
// when another process is at it. What went is kept for Pruned.
func (db *DB) PruneAudit(ctx context.Context, holder string, now, before time.Time, n int) (deleted int, err error) {
	err = db.writeUnordered(ctx, func(tx *Tx) error {
		deleted = 0
		mine, err := tx.exec(`
			INSERT INTO audit_pruning (id, holder, until_us, first_us, last_us, deleted) VALUES (1, $1, $2, 0, 0, 0)
			ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us
			WHERE audit_pruning.holder = excluded.holder OR audit_pruning.until_us < $3`,
			holder, micros(now.Add(pruneLease)), micros(now))
		if err != nil || mine == 0 {
			return err
		}
		var first, last int64
		for _, outcome := range []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused} {
			times, err := all(tx, scanMicros, `
				DELETE FROM audit WHERE id IN (
					SELECT id FROM audit`+db.by("audit_time")+` WHERE outcome = $1 AND at_us < $2 ORDER BY at_us, id LIMIT $3
				) RETURNING at_us`, string(outcome), micros(before), n-deleted)
			if err != nil {
				return err
			}
			deleted += len(times)
			for _, at := range times {
				if first == 0 || at < first {
					first = at
				}
				last = max(last, at)
			}
		}
		_, err = tx.exec(`
			UPDATE audit_pruning
			SET    deleted = deleted + $1, last_us = CASE WHEN last_us < $2 THEN $2 ELSE last_us END,
			       first_us = CASE WHEN first_us = 0 OR $3 < first_us AND $3 > 0 THEN $3 ELSE first_us END
			WHERE  id = 1`, deleted, last, first)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: prune audit: %w", err)
	}
	return deleted, nil
}

func scanMicros(r row) (us int64, err error) { return us, r.Scan(&us) }

// Pruned returns what holder, or one before it that did not get done, deleted
// from the audit, and forgets it. It is nothing while another process is at it.
func (tx *Tx) Pruned(holder string, now time.Time) (p Pruned, err error) {
	var first, last int64
	err = tx.sql.QueryRow(`
		DELETE FROM audit_pruning WHERE id = 1 AND (holder = $1 OR until_us < $2) RETURNING deleted, first_us, last_us`,
		holder, micros(now)).Scan(&p.Entries, &first, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return Pruned{}, nil
	}
	if err != nil {
		return Pruned{}, fmt.Errorf("store: what was pruned: %w", err)
	}
	p.First, p.Last = fromMicros(first), fromMicros(last)
	return p, nil
}
