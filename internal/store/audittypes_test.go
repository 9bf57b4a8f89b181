package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestMistypedAudit casts the value of every column of the audit to every type of SQLite,
// which takes most of them: what is then not what stood there is found, in the database and
// by who reads the links, as an export does.
func TestMistypedAudit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := begun(t, hallpasstest.OpenSQLite(t, path))
	writeChain(t, db)
	retention(t, db, noon.Add(2*time.Hour)) // 1 is gone
	write(t, db, func(tx *store.Tx) error { // and of 22 the digest stays
		_, err := tx.Audit(hallpass.AuditEntry{At: noon, Action: "token.verify", Outcome: hallpass.Refused})
		return err
	})
	retention(t, db, noon.Add(2*time.Hour))
	hand, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	hand.SetMaxOpenConns(1)
	defer func() { _ = hand.Close() }() // nothing is lost with it
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := hand.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	exec("INSERT INTO audit_pruning (id, holder, until_us, first_us, last_us, deleted) VALUES (1, 'x', 0, 0, 0, 0)")
	if r, faults := prove(t, db); !r.OK() || r.Deleted != 1 {
		t.Fatalf("before: %+v, %q", r, faults)
	}
	found := 0
	for _, table := range []string{"audit", "audit_repeats", "audit_gone", "audit_chain", "audit_pruning"} {
		var row int64
		if err := hand.QueryRowContext(t.Context(), "SELECT MAX(rowid) FROM "+table).Scan(&row); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		columns, err := hand.QueryContext(t.Context(), "SELECT name FROM pragma_table_info('"+table+"')")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for columns.Next() {
			var name string
			if err := columns.Scan(&name); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		if err := columns.Err(); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			at := fmt.Sprintf(" FROM %s WHERE rowid = %d", table, row)
			var before any
			if err := hand.QueryRowContext(t.Context(), "SELECT "+name+at).Scan(&before); err != nil {
				t.Fatal(err)
			}
			stands := func() (stands string) {
				t.Helper()
				if err := hand.QueryRowContext(t.Context(), fmt.Sprintf("SELECT typeof(%[1]s) || ' ' || hex(%[1]s)", name)+at).Scan(&stands); err != nil {
					t.Fatal(err)
				}
				return stands
			}
			first := stands()
			for _, value := range []string{
				"CAST(" + name + " AS BLOB)", "CAST(" + name + " AS TEXT)", "CAST(" + name + " AS INTEGER)", name + " + 0.5", "NULL", "'no'", "300",
			} {
				statement := fmt.Sprintf("UPDATE %s SET %s = %s WHERE rowid = %d", table, name, value, row)
				if _, err := hand.ExecContext(t.Context(), statement); err != nil {
					if !strings.Contains(err.Error(), "constraint failed") {
						t.Errorf("%s: %v", statement, err)
					}
					continue
				}
				same := stands() == first || table == "audit_pruning" && strings.HasPrefix(stands(), strings.Fields(first)[0])
				r, faults := prove(t, db)
				if r.OK() != same {
					t.Errorf("%s: whole is %v, %q; %s stands there, and before %s", statement, r.OK(), faults, stands(), first)
				}
				if _, read := readAudit(t, db); read.OK() != same {
					t.Errorf("%s: whole is %v to who reads the links", statement, read.OK())
				}
				if !same {
					found++
				}
				exec(fmt.Sprintf("UPDATE %s SET %s = $1 WHERE rowid = %d", table, name, row), before)
			}
		}
	}
	if found < 80 {
		t.Errorf("SQLite took only %d of these values", found)
	}
	exec("INSERT INTO audit SELECT x'05', at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count, NULL, 0 FROM audit WHERE id = 5")
	if _, faults := prove(t, db); len(faults) != 1 || faults[0] != "the table audit has rows (1) whose id is not a number" {
		t.Errorf("of an entry that was put in without a number: %q", faults)
	}
}

// TestChainTakenAway deletes where the chain begins and ends: that is what the proof says,
// and what is written says why it cannot be.
func TestChainTakenAway(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), _ func() *store.DB) {
		const begin, end = "where the chain begins was taken away from the table audit_chain", "where the chain ends was taken away from the table audit_chain"
		by("CREATE TABLE aside AS SELECT place, last, digest FROM audit_chain")
		for _, tt := range []struct {
			statements []string
			want       []string
		}{
			{[]string{"DELETE FROM audit_chain WHERE place = 'begin'"}, []string{begin}},
			{[]string{"DELETE FROM audit_chain WHERE place = 'end'"}, []string{end}},
			{[]string{"DELETE FROM audit_chain"}, []string{begin + "; " + end}},
			{[]string{"DELETE FROM audit_chain", "DELETE FROM audit WHERE id > 17"}, []string{begin + "; " + end, "entries 18 to 20 are missing: the end was cut off"}},
		} {
			by(tt.statements...)
			if r, faults := prove(t, db); r.OK() || strings.Join(faults, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("%q: %q, want %q", tt.statements, faults, tt.want)
			}
			if _, r := readAudit(t, db); r.OK() {
				t.Errorf("%q: whole, to who reads the links", tt.statements)
			}
			if !strings.Contains(strings.Join(tt.statements, ""), "begin") {
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Audit(hallpass.AuditEntry{At: noon, Action: "org.create", Outcome: hallpass.Done})
					return err
				})
				if err == nil || !strings.Contains(err.Error(), "was taken away from the table audit_chain") {
					t.Errorf("%q: another entry is written: %v", tt.statements, err)
				}
			}
			by("DELETE FROM audit_chain", "INSERT INTO audit_chain (place, last, digest) SELECT place, last, digest FROM aside")
		}
	})
}
