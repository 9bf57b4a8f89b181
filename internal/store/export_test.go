package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// SetNameKey gives the org a name and the key that it had when names were folded
// by case alone.
func (tx *Tx) SetNameKey(id hallpass.OrgID, name string) error {
	_, err := tx.exec(`UPDATE orgs SET name = $2, name_key = $3 WHERE id = $1`, id, name, strings.ToLower(strings.ToUpper(name)))
	return err
}

// Subjects returns what is known of each kind of change: whether a journal tells
// what became of its subjects.
func Subjects() map[hallpass.ChangeKind]bool {
	known := make(map[hallpass.ChangeKind]bool)
	for kind, s := range subjects {
		known[kind] = s.state != nil
		if whole := s.state != nil && s.again != nil && s.counter != ""; whole != known[kind] || !whole && (s.again != nil || s.counter != "" || !s.unread.Open) {
			panic("the line of " + string(kind) + " is not whole")
		}
	}
	return known
}

// SetApplied makes a node known that has applied the changes up to v and may answer
// for so long without another heartbeat.
func (tx *Tx) SetApplied(node string, v hallpass.Version, lease time.Duration) error {
	_, err := tx.exec(`
		INSERT INTO nodes (id, name, address, version, started_us, beats, beat_us, applied, bound_us, ack_us)
		VALUES ($1, $1, '', '', 0, 0, 0, $2, $3, 0)
		ON CONFLICT (id) DO UPDATE SET applied = excluded.applied`, node, v, lease.Microseconds())
	return err
}

// SetNameRule has the database remember another rule for keys of names.
func (tx *Tx) SetNameRule(rule string) error {
	_, err := tx.exec(`UPDATE jobs SET note = $2 WHERE name = $1`, refoldRow, rule)
	return err
}

// SetGuardRules has the database hold another text as the guard's rules.
func (tx *Tx) SetGuardRules(id hallpass.GuardID, text string) error {
	_, err := tx.exec(`UPDATE guards SET rules = $2 WHERE id = $1`, id, text)
	return err
}

// CopyFixture fills the empty PostgreSQL database with what the SQLite file at path holds,
// and leaves both at the schema of that file.
func CopyFixture(ctx context.Context, path string, schema int64, to PostgresOptions) error {
	from, err := OpenAsItIs(ctx, path)
	if err != nil {
		return err
	}
	dst, err := openPostgres(to)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = opened(ctx, dst, func(db *DB, ctx context.Context) error {
		p, err := db.provider(db.write)
		if err != nil {
			return err
		}
		_, err = p.UpTo(ctx, schema)
		return err
	})
	if err == nil {
		err = from.snapshot(ctx, func(src *Tx) error {
			return dst.exclusively(ctx, func(tx *Tx) error { return copyOlder(src, tx) })
		})
	}
	return errors.Join(err, dst.Close(), from.Close())
}

// copyOlder is copyTables for any schema: Copy knows the newest one alone.
func copyOlder(src, dst *Tx) error {
	tables, err := dst.tables()
	if err != nil {
		return err
	}
	ordered, err := dst.parentsFirst(tables)
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(ordered) { // a migration begins some
		if _, err := dst.exec(`DELETE FROM ` + quote(t.name)); err != nil {
			return err
		}
	}
	for _, t := range ordered {
		if _, err := t.copy(src, dst); err != nil {
			return err
		}
	}
	return nil
}

// MaxPrepared is maxPrepared.
const MaxPrepared = maxPrepared

// Prepared returns how many statements are kept prepared for readers.
func (db *DB) Prepared() (n int) {
	db.reading.mu.RLock()
	defer db.reading.mu.RUnlock()
	for _, stmt := range db.reading.kept {
		if stmt != nil {
			n++
		}
	}
	return n
}

// Numbers runs a statement with one column of numbers, and fn, if it is not nil, with each.
func (tx *Tx) Numbers(fn func(int64) error, query string, args ...any) (list []int64, err error) {
	err = each(tx, func(r row) (n int64, err error) { return n, r.Scan(&n) }, func(n int64) error {
		list = append(list, n)
		if fn == nil {
			return nil
		}
		return fn(n)
	}, query, args...)
	return list, err
}

// SetTokenEnd has the database hold another number as the end of the token.
func (tx *Tx) SetTokenEnd(id hallpass.TokenID, us int64) error {
	_, err := tx.exec(`UPDATE tokens SET expires_us = $2 WHERE id = $1`, id, us)
	return err
}
