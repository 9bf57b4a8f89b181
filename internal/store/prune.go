package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A Pruned is what went from the audit: so many entries, from the time of the
// oldest to that of the newest, with their digest (hallpass.AuditEntry.Digest), and what
// the chain is without them.
type Pruned struct {
	Entries     int64
	First, Last time.Time
	Digest      [32]byte
	Chain       hallpass.AuditPruning
}

// pruneLease is for how long whoever deletes entries does so alone. It is shorter
// than what JobLease leaves of it when the job was just kept: a node that takes the
// job of one that died goes on at once.
const pruneLease = JobLease / 2

// PruneAudit deletes up to n entries older than before, the oldest first, in the name
// of holder. It reports how many it deleted: fewer than n when there are no more, none
// too when another process is at it. What went is kept for Pruned.
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
		entries, err := tx.oldestAudit(before, n)
		if err != nil || len(entries) == 0 {
			return err
		}
		deleted = len(entries)
		return tx.deleteAudit(entries)
	})
	if err != nil {
		return 0, fmt.Errorf("store: prune audit: %w", err)
	}
	return deleted, nil
}

// oldestAudit returns the oldest n entries of before that time, by time and ID. Of each
// outcome it reads n: the index has them in this order.
func (tx *Tx) oldestAudit(before time.Time, n int) (entries []hallpass.AuditEntry, err error) {
	for _, outcome := range []hallpass.AuditOutcome{hallpass.Done, hallpass.Refused} {
		some, err := all(tx, scanAudit, `
			SELECT `+auditColumns+` FROM audit`+tx.db.by("audit_time")+` WHERE outcome = $1 AND at_us < $2 ORDER BY at_us, id LIMIT $3`,
			string(outcome), micros(before), n)
		if err != nil {
			return nil, err
		}
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, func(a, b hallpass.AuditEntry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return entries[:min(n, len(entries))], nil
}

// deleteAudit deletes the entries, of which there is one at least, and adds them to what
// is known of those that went.
func (tx *Tx) deleteAudit(entries []hallpass.AuditEntry) error {
	var so string
	if err := tx.sql.QueryRow(`SELECT digest FROM audit_pruning WHERE id = 1`).Scan(&so); err != nil {
		return err
	}
	digest, err := decodeKey(so)
	if err != nil {
		return err
	}
	ids := make([]hallpass.AuditID, len(entries))
	for i, e := range entries {
		ids[i], digest = e.ID, e.Digest(digest)
	}
	if err := tx.unlink(ids); err != nil {
		return err
	}
	return tx.steps("delete old entries",
		do(`DELETE FROM audit_repeats WHERE entry_id IN `+idList(ids)),
		do(`DELETE FROM audit WHERE id IN `+idList(ids)),
		do(`UPDATE audit_pruning
			SET    deleted = deleted + $1, last_us = $2, digest = $3, first_us = CASE first_us WHEN 0 THEN $4 ELSE first_us END
			WHERE  id = 1`, len(entries), micros(entries[len(entries)-1].At), encodeKey(digest), micros(entries[0].At)))
}

func scanMicros(r row) (us int64, err error) { return us, r.Scan(&us) }

// Pruned returns what holder, or one before it that did not get done, deleted
// from the audit, and forgets it. It is nothing while another process is at it.
func (tx *Tx) Pruned(holder string, now time.Time) (p Pruned, err error) {
	var first, last int64
	var digest string
	err = tx.sql.QueryRow(`
		DELETE FROM audit_pruning WHERE id = 1 AND (holder = $1 OR until_us < $2) RETURNING deleted, first_us, last_us, digest`,
		holder, micros(now)).Scan(&p.Entries, &first, &last, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return Pruned{}, nil
	}
	if err == nil {
		p.Digest, err = decodeKey(digest)
	}
	if err != nil {
		return Pruned{}, fmt.Errorf("store: what was pruned: %w", err)
	}
	p.First, p.Last = fromMicros(first), fromMicros(last)
	p.Chain, err = tx.pruning()
	return p, err
}
