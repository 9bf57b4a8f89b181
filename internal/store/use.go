package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// A TokenUse is a use of a token.
type TokenUse struct {
	Token hallpass.TokenID
	hallpass.Use
}

// UsesInOne is how many uses one call of SaveUses should save: with more,
// changes wait longer and little is gained (docs/performance.md).
const UsesInOne = 500

// SaveUses saves uses of tokens, of several of one token the last. A use older
// than the one on record changes nothing, and neither does one of a token that
// is gone: nodes may save them in any order.
func (db *DB) SaveUses(ctx context.Context, uses []TokenUse) error {
	// By token, so that they are looked up in the order they lie in, and once
	// each: of two rows for one token a database takes whichever it likes.
	uses = slices.Clone(uses)
	slices.SortFunc(uses, func(a, b TokenUse) int {
		if a.Token != b.Token {
			return int(a.Token - b.Token)
		}
		return b.At.Compare(a.At)
	})
	uses = slices.CompactFunc(uses, func(a, b TokenUse) bool { return a.Token == b.Token })
	if len(uses) == 0 {
		return nil
	}
	return db.writeUnordered(ctx, func(tx *Tx) error {
		rest := uses
		for i, n := range usesInStatement {
			if len(rest) < n {
				continue
			}
			save := tx.sql.tx.StmtContext(tx.sql.ctx, db.saveUses[i])
			for ; len(rest) >= n; rest = rest[n:] {
				args := make([]any, 0, 4*n)
				for _, u := range rest[:n] {
					args = append(args, u.Token, micros(u.At), u.Address, u.UserAgent)
				}
				if _, err := save.ExecContext(tx.sql.ctx, args...); err != nil {
					return fmt.Errorf("store: save uses: %w", err)
				}
			}
		}
		return nil
	})
}

// usesInStatement is how many uses one statement saves: so many as there are
// left. More make it no faster, because SQLite finds each of a statement's
// placeholders by going through all of them.
var usesInStatement = [...]int{100, 10, 1}

// prepareSaveUses readies the statements.
func (db *DB) prepareSaveUses(ctx context.Context) (err error) {
	for i, n := range usesInStatement {
		if db.saveUses[i], err = db.write.PrepareContext(ctx, saveUses(n)); err != nil {
			return err
		}
	}
	return nil
}

// saveUses is the statement that saves n uses. The first row tells the types
// of all.
func saveUses(n int) string {
	var b strings.Builder
	b.WriteString(`
		WITH v (id, us, address, agent) AS (VALUES (CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT))`)
	for i := 5; i <= 4*n; i += 4 {
		fmt.Fprintf(&b, `, ($%d, $%d, $%d, $%d)`, i, i+1, i+2, i+3)
	}
	b.WriteString(`)
		UPDATE tokens SET used_us = v.us, used_address = v.address, used_agent = v.agent
		FROM   v
		WHERE  tokens.id = v.id AND tokens.used_us < v.us`)
	return b.String()
}
