package store_test

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

func change(t *testing.T, db *store.DB, kind hallpass.ChangeKind, id int64) {
	t.Helper()
	write(t, db, func(tx *store.Tx) error {
		return tx.Change(hallpass.Change{Kind: kind, ID: id})
	})
}

func stateOf(t *testing.T, db *store.DB) (s store.State) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		s, err = tx.State()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// emptyLike returns an empty database of the kind of db.
func emptyLike(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	kind := "sqlite"
	if db.Shared() {
		kind = "postgres"
	}
	empty, _, _ := vacant(t, kind)
	return empty
}

// TestReapply has a database, as it was before many things ended, end them
// again. What did not end stays, and nothing is given back.
func TestReapply(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			older, _, olderSource := vacant(t, kind)
			present, driver, presentSource := vacant(t, kind)
			begun(t, older)
			do := func(source string, statements string) {
				t.Helper()
				raw(t, driver, source, func(exec func(string, ...any) error) {
					for s := range strings.SplitSeq(statements, ";") {
						if err := exec(s); err != nil {
							t.Fatalf("%s: %v", s, err)
						}
					}
				})
			}
			org := func(id, name string) string {
				return `INSERT INTO orgs (id, name, name_key, address1, address2, city, zip_code, state, country, created_us, updated_us) VALUES (` + id + `, '` + name + `', '` + name + `', '', '', '', '', '', '', 0, 0);`
			}
			account := func(id, org, role, disabled string) string {
				return `INSERT INTO service_accounts (id, uid, org_id, name, name_key, login, login_key, role, disabled, created_us, updated_us) VALUES (` + id + `, 'u' || ` + id + `, ` + org + `, 'n', 'n', 'l' || ` + id + `, 'l' || ` + id + `, '` + role + `', ` + disabled + `, 0, 0);`
			}
			user := func(id, admin string) string {
				return `INSERT INTO users (id, uid, login, login_key, email, email_key, name, name_key, password_hash, server_admin, disabled, org_id, created_us, updated_us, seen_us) VALUES (` + id + `, 'p' || ` + id + `, 'p' || ` + id + `, 'p' || ` + id + `, 'p' || ` + id + `, 'p' || ` + id + `, '', '', 'hash', ` + admin + `, FALSE, 1, 0, 0, 0);
					INSERT INTO members (org_id, user_id, role, joined_us) VALUES (1, ` + id + `, 'Editor', 0), (2, ` + id + `, 'Editor', 0);`
			}
			do(olderSource, strings.TrimSuffix(org("1", "o")+org("2", "p")+org("3", "q")+
				account("10", "1", "Editor", "FALSE")+account("11", "1", "Editor", "FALSE")+account("12", "1", "Editor", "FALSE")+
				account("13", "1", "Viewer", "FALSE")+account("14", "1", "Viewer", "TRUE")+account("15", "3", "Viewer", "FALSE")+
				user("20", "TRUE")+user("21", "TRUE")+user("22", "TRUE")+user("23", "FALSE")+user("24", "FALSE")+user("25", "TRUE")+
				`INSERT INTO members (org_id, user_id, role, joined_us) VALUES (3, 20, 'Admin', 0);
				UPDATE counters SET value = 25 WHERE name = 'principal'`, ";"))
			raw(t, driver, olderSource, func(exec func(string, ...any) error) {
				for i := range 4 {
					err := exec(`INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us, revoked_us, used_us, used_address, used_agent) VALUES ($1, 1, 10, 't', '', $2, '', 0, '', 0, 0, 0, '', '')`, i+1, bytes.Repeat([]byte{byte(i)}, 32))
					if err == nil {
						err = exec(`INSERT INTO sessions (id, user_id, hash, created_us, seen_us, expires_us, address, user_agent) VALUES ($1, $2, $3, 0, 0, 0, '', '')`, i+1, 20+i, bytes.Repeat([]byte{byte(i)}, 32))
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			})
			if _, err := store.Copy(t.Context(), older, present); err != nil {
				t.Fatal(err)
			}
			j := hallpasstest.OpenJournal(t, t.TempDir())
			if err := j.Begin(stateOf(t, present), false); err != nil {
				t.Fatal(err)
			}
			do(presentSource, `UPDATE tokens SET revoked_us = 5 WHERE id = 1;
				DELETE FROM tokens WHERE id = 2;
				DELETE FROM sessions WHERE id = 1;
				UPDATE service_accounts SET disabled = TRUE WHERE id = 10;
				UPDATE service_accounts SET role = 'None' WHERE id = 11;
				DELETE FROM service_accounts WHERE id = 12;
				UPDATE service_accounts SET role = 'Admin' WHERE id = 13;
				UPDATE service_accounts SET disabled = FALSE WHERE id = 14;
				DELETE FROM members WHERE org_id = 3; DELETE FROM service_accounts WHERE org_id = 3; DELETE FROM orgs WHERE id = 3;
				UPDATE users SET disabled = TRUE WHERE id = 21;
				UPDATE users SET server_admin = FALSE WHERE id = 22;
				UPDATE users SET password_hash = 'another' WHERE id = 23;
				UPDATE members SET role = 'Viewer' WHERE user_id = 24 AND org_id = 1; DELETE FROM members WHERE user_id = 24 AND org_id = 2;
				UPDATE members SET role = 'Admin' WHERE user_id = 25`)
			for _, c := range []hallpass.Change{
				{Kind: hallpass.TokenChanged, ID: 1}, {Kind: hallpass.TokenChanged, ID: 2}, {Kind: hallpass.TokenChanged, ID: 900}, {Kind: hallpass.SessionChanged, ID: 1},
				{Kind: hallpass.ServiceAccountChanged, ID: 10}, {Kind: hallpass.ServiceAccountChanged, ID: 11}, {Kind: hallpass.ServiceAccountChanged, ID: 12},
				{Kind: hallpass.ServiceAccountChanged, ID: 13}, {Kind: hallpass.ServiceAccountChanged, ID: 14}, {Kind: hallpass.ServiceAccountChanged, ID: 901}, {Kind: hallpass.OrgChanged, ID: 3},
				{Kind: hallpass.UserChanged, ID: 21}, {Kind: hallpass.UserChanged, ID: 22}, {Kind: hallpass.UserChanged, ID: 23}, {Kind: hallpass.UserChanged, ID: 24}, {Kind: hallpass.UserChanged, ID: 25},
				{Kind: hallpass.PermissionsChanged, ID: 1},
			} {
				write(t, present, func(tx *store.Tx) error { return tx.Change(c) })
			}
			hallpasstest.Keep(t, present, j)
			lost, whole := hallpasstest.Since(t, older, j)
			if !whole || len(lost) != 17 {
				t.Fatalf("lost %d, %v", len(lost), whole)
			}
			for round, want := range []int{11, 0} {
				before := stateOf(t, older).Version
				write(t, older, func(tx *store.Tx) error {
					made, open, err := tx.Reapply(lost, noon)
					if made != want || len(open) != 1 || open[0].Kind != hallpass.PermissionsChanged {
						t.Errorf("round %d: made %d, want %d; open %+v", round, made, want, open)
					}
					return err
				})
				if moved := stateOf(t, older).Version > before; moved != (want > 0) {
					t.Errorf("round %d: the version moved: %v", round, moved)
				}
			}
			for query, want := range map[string]string{
				`SELECT id FROM tokens WHERE revoked_us = 0 ORDER BY id`:                        "3 4",
				`SELECT id FROM sessions ORDER BY id`:                                           "3", // 2 and 4 are of users who ended, or whose password did
				`SELECT id FROM service_accounts WHERE disabled = FALSE ORDER BY id`:            "11 13",
				`SELECT id || role FROM service_accounts WHERE org_id = 1 ORDER BY id`:          "10Editor 11None 12Editor 13Viewer 14Viewer",
				`SELECT id FROM users WHERE disabled = FALSE ORDER BY id`:                       "20 22 23 24 25",
				`SELECT id FROM users WHERE server_admin = TRUE ORDER BY id`:                    "20 21 25",
				`SELECT id FROM users WHERE password_hash = 'hash' ORDER BY id`:                 "20 21 22 24 25",
				`SELECT org_id || role FROM members WHERE user_id = 24 ORDER BY org_id`:         "1Viewer",
				`SELECT org_id || role FROM members WHERE user_id = 25 ORDER BY org_id`:         "1Editor 2Editor",
				`SELECT org_id || role FROM members WHERE user_id = 20 ORDER BY org_id`:         "1Editor 2Editor",
				`SELECT name || value FROM counters WHERE value > 20 ORDER BY name`:             "principal901 token900",
				`SELECT COUNT(*) FROM audit WHERE action = 'history.reapply'`:                   "11",
				`SELECT kind || subject_id FROM changes WHERE kind <> 'org' ORDER BY v`:         "permissions0",
				`SELECT target FROM audit WHERE target LIKE 'serviceaccount:%' ORDER BY target`: "serviceaccount:10 serviceaccount:11 serviceaccount:12",
			} {
				if got := column(t, driver, olderSource, query); got != want {
					t.Errorf("%s: %q, want %q", query, got, want)
				}
			}
		})
	}
}

// column returns the values of a query's only column.
func column(t *testing.T, driver, source, query string) string {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}
