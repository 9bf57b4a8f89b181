package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// WrongPasswords are passwords that were tried in vain, counted under one name
// until a time.
type WrongPasswords struct {
	Bucket string
	N      int
	Until  time.Time
}

// A KnownPlace is a place from which a user signed in, until it is forgotten.
type KnownPlace struct {
	User  hallpass.UserID
	Place string
	Until time.Time
}

// WrongPasswords returns the counts of those of the buckets that still count at
// now. It takes three names; some may be empty.
func (tx *Tx) WrongPasswords(buckets [3]string, now time.Time) ([]WrongPasswords, error) {
	list, err := all(tx, func(r row) (w WrongPasswords, err error) {
		var until int64
		err = r.Scan(&w.Bucket, &w.N, &until)
		w.Until = fromMicros(until)
		return w, err
	}, `SELECT bucket, n, until_us FROM wrong_passwords WHERE bucket IN ($1, $2, $3) AND until_us > $4`, buckets[0], buckets[1], buckets[2], micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: wrong passwords: %w", err)
	}
	return list, nil
}

// KnownPlaces returns those of the two places that the user is known at, at now.
func (tx *Tx) KnownPlaces(user hallpass.UserID, places [2]string, now time.Time) ([]KnownPlace, error) {
	list, err := all(tx, func(r row) (KnownPlace, error) {
		k := KnownPlace{User: user}
		var until int64
		err := r.Scan(&k.Place, &until)
		k.Until = fromMicros(until)
		return k, err
	}, `SELECT place, until_us FROM known_places WHERE user_id = $1 AND place IN ($2, $3) AND until_us > $4`, user, places[0], places[1], micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: known places of user %d: %w", user, err)
	}
	return list, nil
}

// SaveTries adds wrong passwords to what is counted, on whatever node, and keeps
// known places. It is no change and waits for none.
func (db *DB) SaveTries(ctx context.Context, wrong []WrongPasswords, known []KnownPlace) error {
	// In one order, so that two nodes never wait for each other's rows.
	slices.SortFunc(wrong, func(a, b WrongPasswords) int { return strings.Compare(a.Bucket, b.Bucket) })
	slices.SortFunc(known, func(a, b KnownPlace) int {
		if a.User != b.User {
			return int(a.User - b.User)
		}
		return strings.Compare(a.Place, b.Place)
	})
	return db.writeUnordered(ctx, func(tx *Tx) error {
		for _, w := range wrong {
			// A count whose time is over begins anew: it ended before this one began.
			_, err := tx.exec(`
				INSERT INTO wrong_passwords (bucket, n, until_us) VALUES ($1, $2, $3)
				ON CONFLICT (bucket) DO UPDATE SET
					n        = excluded.n + CASE WHEN wrong_passwords.until_us > excluded.until_us - $4 THEN wrong_passwords.n ELSE 0 END,
					until_us = CASE WHEN wrong_passwords.until_us > excluded.until_us - $4 THEN wrong_passwords.until_us ELSE excluded.until_us END`,
				w.Bucket, w.N, micros(w.Until), GuessWindow.Microseconds())
			if err != nil {
				return fmt.Errorf("store: save wrong passwords: %w", err)
			}
		}
		for _, k := range known {
			// A user may be gone by now, and then is known nowhere.
			_, err := tx.exec(`
				INSERT INTO known_places (user_id, place, until_us) SELECT id, CAST($2 AS TEXT), CAST($3 AS BIGINT) FROM users WHERE id = $1
				ON CONFLICT (user_id, place) DO UPDATE SET until_us = excluded.until_us`, k.User, k.Place, micros(k.Until))
			if err != nil {
				return fmt.Errorf("store: save known place of user %d: %w", k.User, err)
			}
		}
		return nil
	})
}

// GuessWindow is for how long wrong passwords count, from the first of them.
const GuessWindow = time.Minute

// ForgetTries deletes what is over at now.
func (db *DB) ForgetTries(ctx context.Context, now time.Time) error {
	return db.writeUnordered(ctx, func(tx *Tx) error {
		for _, query := range []string{`DELETE FROM wrong_passwords WHERE until_us <= $1`, `DELETE FROM known_places WHERE until_us <= $1`} {
			if _, err := tx.exec(query, micros(now)); err != nil {
				return fmt.Errorf("store: forget tries: %w", err)
			}
		}
		return nil
	})
}
