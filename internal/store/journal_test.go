package store_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

func openJournal(t *testing.T, dir string) *store.Journal {
	t.Helper()
	j, err := store.OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // some tests close it
	return j
}

// entry is a line of a journal about the token with the version's number.
func entry(v hallpass.Version) store.JournalEntry {
	var digest [32]byte
	digest[0], digest[1], digest[2], digest[3] = byte(v), byte(v>>8), byte(v>>16), 1
	return store.JournalEntry{Version: v, Digest: hex.EncodeToString(digest[:]), Kind: hallpass.TokenChanged, ID: int64(v), Subject: store.SubjectState{Ended: true}, At: noon}
}

// TestJournalAfterCrash opens journals that a crash, or something else, left in
// another state: a last line without its end is dropped, and anything else that
// is no line of ours is an error, for it may have told of a revocation.
func TestJournalAfterCrash(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func([]byte) []byte
		fails bool
		known hallpass.Version
	}{
		{"whole", func(b []byte) []byte { return b }, false, 3},
		{"no end of the last line", func(b []byte) []byte { return b[:len(b)-1] }, false, 2},
		{"half a last line", func(b []byte) []byte { return b[:len(b)-30] }, false, 2},
		{"a torn line after the last", func(b []byte) []byte { return append(b, `{"v":4,"dig`...) }, false, 3},
		{"nothing", func([]byte) []byte { return nil }, false, 0},
		{"half a head", func(b []byte) []byte { return b[:20] }, false, 0},
		{"garbage in the middle", func(b []byte) []byte { return bytes.Replace(b, []byte(`{"v":2,`), []byte(`{#v":2,`), 1) }, true, 0},
		{"zeros at the end", func(b []byte) []byte { return append(b, 0, 0, 0, '\n') }, true, 0},
		{"an empty line", func(b []byte) []byte { return append([]byte("\n"), b...) }, true, 0},
		{"a digest cut", func(b []byte) []byte { return bytes.Replace(b, []byte(entry(2).Digest), []byte("0200"), 1) }, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			j := openJournal(t, dir)
			if err := j.Begin(store.State{Installation: "i"}, false); err != nil {
				t.Fatal(err)
			}
			if err := j.Append(entry(1), entry(2), entry(2), entry(1), entry(3)); err != nil { // one heard of twice is kept once
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "journal")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(text, []byte("\n")); n != 4 {
				t.Fatalf("%d lines", n)
			}
			if err := os.WriteFile(path, tt.spoil(text), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err = store.OpenJournal(dir)
			if tt.fails {
				if err == nil || !strings.Contains(err.Error(), "at byte") {
					t.Errorf("opened: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if known := j.Known(); known.Version != tt.known || (known.Installation == "") != (tt.known == 0) {
				t.Errorf("known is %+v, want version %d", known, tt.known)
			}
			// It goes on where it ends.
			if tt.known > 0 {
				if err := j.Append(entry(9)); err != nil {
					t.Fatal(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				if known := openJournal(t, dir).Known(); known.Version != 9 {
					t.Errorf("after another line known is %+v", known)
				}
			}
		})
	}
}

// TestJournalHalved opens a journal that is too large: the newer half stays, is
// a journal by itself, and says where it begins.
func TestJournalHalved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	text := bytes.NewBufferString(`{"installation":"test","v":0,"digest":"` + strings.Repeat("0", 64) + `"}` + "\n")
	out := json.NewEncoder(text)
	last := hallpass.Version(0)
	for text.Len() <= 32<<20 {
		last++
		e := entry(last)
		e.Hash = strings.Repeat("0", 4000) // longer than any, so that there are fewer
		if err := out.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte("of one who was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, dir)
	if err := j.Append(entry(last + 1)); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Fatal(info, err)
		}
		return info.Size()
	}
	if n := size(); n > 17<<20 || n < 15<<20 {
		t.Errorf("it has %d bytes", n)
	}
	again := openJournal(t, dir)
	if again.Known() != j.Known() || again.Known().Version != last+1 || again.Known().Installation != "test" {
		t.Errorf("known is %+v, then %+v", j.Known(), again.Known())
	}
	onSQLite(t, func(t *testing.T, db *store.DB, _ string) {
		entries, whole := since(t, db, again)
		if whole {
			t.Error("a database at the very beginning is said to be told all")
		}
		if n := len(entries); n < int(last)*4/9 || n > int(last)*5/9 || entries[n-1].Version != last+1 || entries[0].Version != last+2-hallpass.Version(n) {
			t.Errorf("%d entries of %d", n, last)
		}
	})
}

func since(t *testing.T, db *store.DB, j *store.Journal) (entries []store.JournalEntry, whole bool) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		entries, whole, err = j.Since(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries, whole
}

// keep has the journal hear of all changes in the database.
func keep(t *testing.T, db *store.DB, j *store.Journal) {
	t.Helper()
	var rows []store.ChangeRow
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Changes(j.Known().Version)
		return err
	})
	if err == nil {
		err = db.Keep(t.Context(), j, rows)
	}
	if err != nil {
		t.Fatal(err)
	}
}

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

// TestJournalSince asks journals what databases have lost: one that is as new,
// older, older than the journal begins, of another past, and another one.
func TestJournalSince(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		// The present goes to version 4, with a copy at 2 and another future of it.
		present := begun(t, emptyLike(t, db))
		j, late := openJournal(t, t.TempDir()), openJournal(t, t.TempDir())
		if err := j.Begin(stateOf(t, present), false); err != nil {
			t.Fatal(err)
		}
		for i := range int64(4) {
			if change(t, present, hallpass.OrgChanged, i); i < 2 {
				change(t, db, hallpass.OrgChanged, i)
			}
			if i == 2 {
				if err := late.Begin(stateOf(t, present), false); err != nil {
					t.Fatal(err)
				}
			}
		}
		keep(t, present, j)
		keep(t, present, late)
		ask := func(name string, db *store.DB, j *store.Journal, want []hallpass.Version, wantWhole bool) {
			t.Helper()
			entries, whole := since(t, db, j)
			var got []hallpass.Version
			for _, e := range entries {
				got = append(got, e.Version)
			}
			if d := cmp.Diff(want, got); d != "" || whole != wantWhole {
				t.Errorf("%s: whole is %v, want %v; versions, want and got:\n%s", name, whole, wantWhole, d)
			}
		}
		ask("as new", present, j, nil, true)
		ask("older", db, j, []hallpass.Version{3, 4}, true)
		ask("older than the journal begins", db, late, []hallpass.Version{4}, false)
		change(t, db, hallpass.UserChanged, 1)
		change(t, db, hallpass.UserChanged, 1)
		change(t, db, hallpass.UserChanged, 1)
		ask("of another past", db, j, []hallpass.Version{3, 4}, true)
		ask("of another past before the journal begins", db, late, []hallpass.Version{4}, false)
		// The journal goes on in that past: what it knew stays known.
		if err := late.Begin(stateOf(t, db), true); err != nil {
			t.Fatal(err)
		}
		ask("accepted", db, late, nil, true)
		change(t, db, hallpass.UserChanged, 1)
		keep(t, db, late)
		ask("accepted, and the first database again", present, late, []hallpass.Version{6}, true)

		fresh := openJournal(t, t.TempDir())
		if err := fresh.Begin(store.State{Installation: "another", Version: 3}, false); err != nil {
			t.Fatal(err)
		}
		if err := fresh.Append(entry(4), entry(5)); err != nil {
			t.Fatal(err)
		}
		ask("another installation", db, fresh, nil, false)
		if err := fresh.Begin(stateOf(t, db), false); err != nil {
			t.Fatal(err)
		}
		ask("this one after another", db, fresh, nil, true)
	})
}

// TestJournalAccepted drops open entries that a person has looked at.
func TestJournalAccepted(t *testing.T) {
	onSQLite(t, func(t *testing.T, db *store.DB, _ string) {
		j := openJournal(t, t.TempDir())
		if err := j.Begin(stateOf(t, db), false); err != nil {
			t.Fatal(err)
		}
		open := entry(1)
		open.Subject = store.SubjectState{Open: true}
		if err := j.Append(open, entry(2)); err != nil {
			t.Fatal(err)
		}
		if entries, whole := since(t, db, j); len(entries) != 2 || !whole {
			t.Errorf("before: %+v, %v", entries, whole)
		}
		if err := j.Begin(store.State{Installation: "test", Version: 9, Digest: [32]byte{9}}, true); err != nil {
			t.Fatal(err)
		}
		if entries, whole := since(t, db, j); len(entries) != 1 || entries[0].Version != 2 || !whole {
			t.Errorf("after: %+v, %v", entries, whole)
		}
	})
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
			j := openJournal(t, t.TempDir())
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
			keep(t, present, j)
			lost, whole := since(t, older, j)
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
