package store

import (
	"context"
	"fmt"
	"time"
)

// A JobTurn is what the row of a job says to a node that wants to do it.
type JobTurn struct {
	Mine   bool          // the node has the job until JobLease is over
	Wait   time.Duration // else: when to ask again
	Holder string        // else: the ID of the node that does the job, or did it last
	RanAt  time.Time     // when the last run that succeeded began; zero: none did
	Error  string        // why the last run failed; empty: it succeeded
}

// JobLease is how long a node has a job for before it must call KeepJob.
const JobLease = 30 * time.Second

// TakeJob gives the job to the node holder, unless another node has it or it was
// done less than every ago. A row whose times are later than they can be was
// written before the clock was set back, and holds nobody up.
func (db *DB) TakeJob(ctx context.Context, name, holder string, now time.Time, every time.Duration) (turn JobTurn, err error) {
	until := now.Add(JobLease)
	err = db.writeUnordered(ctx, func(tx *Tx) error {
		n, err := tx.exec(`
			INSERT INTO jobs (name, holder, until_us, ran_us, note) VALUES ($1, $2, $3, 0, '')
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us
			WHERE (jobs.holder = excluded.holder OR jobs.until_us <= $4 OR jobs.until_us > excluded.until_us)
			AND   (jobs.ran_us <= $5 OR jobs.ran_us > $4)`,
			name, holder, micros(until), micros(now), micros(now.Add(-every)))
		if err != nil {
			return err
		}
		turn = JobTurn{Mine: n > 0}
		if turn.Mine {
			return nil
		}
		var held, ran int64
		if err := tx.sql.QueryRow(`SELECT holder, until_us, ran_us, note FROM jobs WHERE name = $1`, name).Scan(&turn.Holder, &held, &ran, &turn.Error); err != nil {
			return err
		}
		turn.RanAt = fromMicros(ran)
		free, due := fromMicros(held), turn.RanAt.Add(every)
		turn.Wait = max(free.Sub(now), due.Sub(now), 0)
		return nil
	})
	if err != nil {
		return JobTurn{}, fmt.Errorf("store: take job %q: %w", name, err)
	}
	return turn, nil
}

// KeepJob gives the job to the node that has it for another JobLease. It reports
// whether the node still has it.
func (db *DB) KeepJob(ctx context.Context, name, holder string, now time.Time) (mine bool, err error) {
	err = db.writeUnordered(ctx, func(tx *Tx) error {
		n, err := tx.exec(`UPDATE jobs SET until_us = $3 WHERE name = $1 AND holder = $2`, name, holder, micros(now.Add(JobLease)))
		mine = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: keep job %q: %w", name, err)
	}
	return mine, nil
}

// LeaveJob ends the turn of the node that has the job. A run that succeeded began
// at ran; after one that did not, ran is zero, reason tells why, and any node may
// take the job at once.
func (db *DB) LeaveJob(ctx context.Context, name, holder string, ran time.Time, reason string) error {
	err := db.writeUnordered(ctx, func(tx *Tx) error {
		_, err := tx.exec(`
			UPDATE jobs SET until_us = 0, ran_us = CASE WHEN CAST($3 AS BIGINT) > 0 THEN $3 ELSE ran_us END, note = $4
			WHERE  name = $1 AND holder = $2`, name, holder, micros(ran), reason)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: leave job %q: %w", name, err)
	}
	return nil
}
