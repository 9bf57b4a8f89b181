package store

import (
	"context"
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

// folded lists the columns that hold the folded key of another. An empty key is
// that of a name which was given up.
var folded = []struct{ table, text, key string }{
	{"orgs", "name", "name_key"}, {"users", "login", "login_key"}, {"users", "email", "email_key"}, {"users", "name", "name_key"},
	{"service_accounts", "name", "name_key"}, {"service_accounts", "login", "login_key"}, {"tokens", "name", "name_key"},
	{"teams", "name", "name_key"}, {"roles", "name", "name_key"},
}

// A Twin is a row whose name cannot be told from that of another row, which has
// the key of both.
type Twin struct {
	Table string
	ID    int64
}

// Refold brings the keys of names up to date that were made by an older rule of
// hallpass.NameKey, and returns the rows whose new key is taken. Those keep their
// old key: they are found by their ID and no more by their name until they get
// another one. A database whose keys are all of today's rule remembers that, so that
// the next start does not read every name again.
func (db *DB) Refold(ctx context.Context) (twins []Twin, err error) {
	if done, err := db.refolded(ctx); done || err != nil {
		return nil, err
	}
	if twins, err = db.refold(ctx); err != nil || len(twins) > 0 {
		return twins, err
	}
	_ = db.rememberRefold(ctx) // on a full disk, say: the next start reads the names again
	return nil, nil
}

// refoldRow is the row of the table jobs that remembers the rule of all keys. Like
// its other rows it is not copied: what a backup brings is looked through once.
const refoldRow = "keys of names"

// refolded reports whether all keys are known to be of today's rule.
func (db *DB) refolded(ctx context.Context) (done bool, err error) {
	err = db.Read(ctx, func(tx *Tx) error {
		return tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM jobs WHERE name = $1 AND note = $2)`, refoldRow, hallpass.NameRule).Scan(&done)
	})
	if err != nil {
		return false, fmt.Errorf("store: rule of keys: %w", err)
	}
	return done, nil
}

// rememberRefold remembers that all keys are of today's rule, unless nodes run that
// may be older programs and go on writing keys of another.
func (db *DB) rememberRefold(ctx context.Context) error {
	return db.writeUnordered(ctx, func(tx *Tx) error {
		_, err := tx.exec(`
			INSERT INTO jobs (name, holder, until_us, ran_us, note)
			SELECT $1, '', 0, 0, $2 WHERE NOT EXISTS (SELECT 1 FROM nodes)
			ON CONFLICT (name) DO UPDATE SET note = excluded.note`, refoldRow, hallpass.NameRule)
		return err
	})
}

func (db *DB) refold(ctx context.Context) (twins []Twin, err error) {
	for _, c := range folded {
		old, err := db.oldKeys(ctx, c.table, c.text, c.key)
		if err != nil {
			return twins, fmt.Errorf("store: keys of names: %w", err)
		}
		for id, key := range old {
			err := db.Write(ctx, func(tx *Tx) error {
				_, err := tx.exec(`UPDATE `+c.table+` SET `+c.key+` = $2 WHERE id = $1`, id, key) // #nosec G202 -- words of ours
				return err
			})
			if isUnique(err) {
				twins = append(twins, Twin{c.table, id})
				continue
			}
			if err != nil {
				return twins, fmt.Errorf("store: key of %s %d: %w", c.table, id, err)
			}
		}
	}
	return twins, nil
}

// oldKeys returns the keys that rows should have and do not, by ID.
func (db *DB) oldKeys(ctx context.Context, table, text, key string) (map[int64]string, error) {
	old := make(map[int64]string)
	err := db.Read(ctx, func(tx *Tx) error {
		type keyed struct {
			id        int64
			name, has string
		}
		return each(tx, func(r row) (k keyed, err error) {
			return k, r.Scan(&k.id, &k.name, &k.has)
		}, func(k keyed) error {
			if want := hallpass.NameKey(k.name); want != k.has {
				old[k.id] = want
			}
			return nil
		}, `
			SELECT id, `+text+`, `+key+` FROM `+table+`
			WHERE  `+key+` <> '' AND (octet_length(`+text+`) <> length(`+text+`) OR `+text+` LIKE '% %')`) // #nosec G202 -- words of ours
	})
	return old, err
}
