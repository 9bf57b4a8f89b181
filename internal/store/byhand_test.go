package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// unwatched are the tables that say nothing about what a credential is worth: a
// new table belongs here only if that is true of it.
var unwatched = map[string]bool{"state": true, "changes": true, "counters": true, "nodes": true, "jobs": true, "audit": true, "audit_repeats": true, "audit_gone": true, "audit_chain": true, "goose_db_version": true,
	"token_days": true, "token_places": true, "token_actions": true, "account_days": true, "account_actions": true, "usage_begin": true, "spare_roles": true}

// TestByHand writes every table of PostgreSQL as somebody in psql would: each
// statement is one change of the chain and one audit entry, and commits or is
// undone with them. What Hallpass writes itself is not noticed.
func TestByHand(t *testing.T) {
	url := hallpasstest.Postgres(t)
	db := begun(t, hallpasstest.OpenPostgres(t, url))
	hallpasstest.OpenPostgres(t, url) // a second start finds the triggers there
	org := newOrg(t, db, "Main Org.")
	a := newAccount(t, db, org.ID, "ci")
	if _, err := createToken(db, t.Context(), a, "t", noon, noon); err != nil {
		t.Fatal(err)
	}
	if v := version(t, db); v != 0 {
		t.Fatalf("what Hallpass wrote is taken for another's: version %d", v)
	}
	hand, err := sql.Open("pgx", url.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	hand.SetMaxOpenConns(1)
	defer func() { _ = hand.Close() }() // nothing is lost with it
	exec := func(statement string) {
		t.Helper()
		if _, err := hand.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	entries := func(table string) (n int) {
		t.Helper()
		err := hand.QueryRowContext(t.Context(), `
			SELECT COUNT(*) FROM audit WHERE action = 'database.write' AND target = 'table:' || $1 AND actor_login = 'database:' || session_user`, table).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var chain hallpass.Version
	for table, column := range tablesOf(t, hand) {
		writes := []string{
			fmt.Sprintf(`UPDATE %s SET %s = %s`, table, column, column),
			fmt.Sprintf(`DELETE FROM %s WHERE FALSE`, table),
			fmt.Sprintf(`INSERT INTO %s SELECT * FROM %s WHERE FALSE`, table, table),
			fmt.Sprintf(`BEGIN; TRUNCATE %s CASCADE; ROLLBACK`, table),
		}
		for i, w := range writes {
			before := version(t, db)
			exec(w)
			want := before
			if undone := i == len(writes)-1; !undone && !unwatched[table] {
				want++
			}
			if v := version(t, db); v != want {
				t.Errorf("%s: version %d, want %d", w, v, want)
			}
		}
		if n, want := entries(table), map[bool]int{false: 3, true: 0}[unwatched[table]]; n != want {
			t.Errorf("table %s: %d audit entries, want %d", table, n, want)
		}
	}
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Changes(0)
		if err != nil {
			return err
		}
		var digest [32]byte
		for _, r := range rows {
			if digest = hallpass.ChainDigest(digest, r.Version, r.Change); digest != r.Digest || r.Version != chain+1 || r.Change.Kind != hallpass.ChangedByHand {
				t.Fatalf("the chain does not hold at %+v", r)
			}
			chain = r.Version
		}
		s, err := tx.State()
		if s.Version != chain || s.Digest != digest {
			t.Errorf("the state is %+v, the chain ends at %d with %x", s, chain, digest)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if chain < 30 {
		t.Errorf("only %d changes", chain)
	}
}

// TestStartsBesideAWriter starts a node that has tables to change while another
// writes them, in the other order: the two do not wait for each other.
func TestStartsBesideAWriter(t *testing.T) {
	url := hallpasstest.Postgres(t)
	db := begun(t, hallpasstest.OpenPostgres(t, url))
	newOrg(t, db, "Main Org.")
	hand, err := sql.Open("pgx", url.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hand.Close() }() // nothing is lost with it
	for _, statement := range []string{`ALTER TABLE orgs ALTER COLUMN name TYPE TEXT COLLATE "default"`, `ALTER TABLE users ALTER COLUMN login TYPE TEXT COLLATE "default"`} {
		if _, err := hand.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var orgsFirst bool // the order in which a start changes them
	if err := hand.QueryRowContext(t.Context(), `SELECT 'orgs'::regclass::oid < 'users'::regclass::oid`).Scan(&orgsFirst); err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		steps := []func() error{
			func() error { _, err := tx.Org(1); return err },
			func() error {
				if _, err := tx.UserByLogin("nobody"); !errors.Is(err, hallpass.NotFound) {
					return err
				}
				return nil
			},
		}
		if orgsFirst {
			slices.Reverse(steps)
		}
		if err := steps[0](); err != nil {
			return err
		}
		go func() {
			other, err := store.OpenPostgres(t.Context(), store.PostgresOptions{URL: url})
			if err == nil {
				err = other.Close()
			}
			started <- err
		}()
		for waits := false; !waits; {
			err := hand.QueryRowContext(t.Context(), `
				SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database())`).Scan(&waits)
			if err != nil {
				return err
			}
		}
		return steps[1]()
	})
	if err != nil {
		t.Errorf("the one that writes: %v", err)
	}
	if err := <-started; err != nil {
		t.Errorf("the one that starts: %v", err)
	}
}

// tablesOf returns every table of the database with one of its columns.
func tablesOf(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `
		SELECT table_name, MIN(column_name) FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY table_name`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below has what matters
	tables := make(map[string]string)
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		tables[table] = column
	}
	if err := rows.Err(); err != nil || len(tables) < 20 {
		t.Fatalf("%d tables: %v", len(tables), err)
	}
	return tables
}

// TestByHandBesideOurs writes by hand and by Hallpass at once: the chain has no
// gap, and nobody waits for ever.
func TestByHandBesideOurs(t *testing.T) {
	url := hallpasstest.Postgres(t)
	db := begun(t, hallpasstest.OpenPostgres(t, url))
	org := newOrg(t, db, "Main Org.")
	a := newAccount(t, db, org.ID, "ci")
	if _, err := createToken(db, t.Context(), a, "t", noon, noon); err != nil {
		t.Fatal(err)
	}
	hand, err := sql.Open("pgx", url.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hand.Close() }() // nothing is lost with it
	const rounds = 40
	done := make(chan error, 2)
	go func() {
		for range rounds {
			if _, err := hand.ExecContext(t.Context(), `UPDATE tokens SET revoked_us = revoked_us`); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	go func() {
		for range rounds {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				if err := tx.Change(hallpass.Change{Kind: hallpass.TokenChanged, ID: 1}); err != nil {
					return err
				}
				return tx.RevokeToken(org.ID, 1, noon)
			})
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if v := version(t, db); v != 2*rounds {
		t.Errorf("version %d, want %d", v, 2*rounds)
	}
}
