package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// fill puts rows into every table: hostile text, empty and large bytes, and
// numbers at their ends.
func fill(t *testing.T, exec func(string, ...any) error) {
	t.Helper()
	const hostile = `'"; DROP TABLE orgs; -- \ % _ ÄÖ 🦊 ` + "\u202e\t\n"
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	hash := bytes.Repeat([]byte{0xff}, 32)
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO orgs (id, name, name_key, address1, address2, city, zip_code, state, country, created_us, updated_us) VALUES ($1, $2, $2, '', '', '', '', '', '', $3, $4)`, []any{1, hostile, int64(math.MaxInt64), int64(math.MinInt64)}},
		{`INSERT INTO orgs (id, name, name_key, address1, address2, city, zip_code, state, country, created_us, updated_us, accounts) VALUES (10, '', '', '', '', '', '', '', '', 0, 0, 3)`, nil},
		{`INSERT INTO orgs (id, name, name_key, address1, address2, city, zip_code, state, country, created_us, updated_us) VALUES (2, 'ab', 'ab', 'c', '', '', '', '', '', 0, 0)`, nil},
		{`INSERT INTO users (id, uid, login, login_key, email, email_key, name, name_key, password_hash, server_admin, disabled, org_id, created_us, updated_us, seen_us) VALUES (1, 'u', 'a', 'a', 'a', 'a', 'A', 'a', 'x', TRUE, FALSE, 1, 0, 0, 0)`, nil},
		{`INSERT INTO members (org_id, user_id, role, joined_us) VALUES (1, 1, 'Admin', 5)`, nil},
		{`INSERT INTO service_accounts (id, uid, org_id, name, name_key, login, login_key, role, disabled, created_us, updated_us) VALUES (2, 's', 1, 'n', 'n', 'l', 'l', 'Viewer', TRUE, 0, 0)`, nil},
		{`INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us, revoked_us, used_us, used_address, used_agent) VALUES (1, 1, 2, 't', '', $1, 'abcd', 0, 'a', 0, 7, 0, '', $2)`, []any{hash, hostile}},
		{`INSERT INTO sessions (id, user_id, hash, created_us, seen_us, expires_us, address, user_agent, issuer) VALUES (1, 1, $1, 0, 0, 0, '', '', $2)`, []any{hash, hostile}},
		{`INSERT INTO identities (issuer, subject, user_id, created_us, seen_us) VALUES ('https://accounts.example.com', $1, 1, 3, 4), ('https://accounts.example.com', 'A', 1, 0, 0)`, []any{hostile}},
		{`INSERT INTO known_places (user_id, place, until_us) VALUES (1, '@10.0.0.1', 7), (1, '@::', 7)`, nil},
		{`INSERT INTO wrong_passwords (bucket, n, until_us) VALUES ('u1', 3, 7), ('@10.0.0.1', 3, 7)`, nil},
		{`INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count) VALUES (1, 0, 1, 1, 1, 'a', 0, 'x', '', 'done', '', '', '', 2)`, nil},
		{`INSERT INTO audit_repeats (id, entry_id, count, digest) VALUES (2, 1, 1, $1)`, []any{bytes.Repeat([]byte{7}, 32)}},
		{`INSERT INTO audit_gone (id, content, digest) VALUES (3, $1, NULL)`, []any{bytes.Repeat([]byte{8}, 32)}},
		{`INSERT INTO audit_pruning (id, holder, until_us, first_us, last_us, deleted) VALUES (1, 'n', 5, 1, 2, 3)`, nil},
		{`INSERT INTO changes (v, kind, subject_id, hash, digest) VALUES (1, 'token', 1, $1, $1)`, []any{hash}},
		{`UPDATE state SET v = 1, digest = $1`, []any{hash}},
		{`UPDATE counters SET value = 41 WHERE name = 'principal'`, nil},
		{`INSERT INTO teams (id, uid, org_id, name, name_key, email, created_us, updated_us) VALUES (1, 'd', 1, 'd', 'd', '', 0, 0)`, nil},
		{`INSERT INTO team_members (team_id, principal_id, org_id, admin, joined_us, synced) VALUES (1, 2, 1, TRUE, 0, FALSE), (1, 1, 1, FALSE, 0, TRUE)`, nil},
		{`INSERT INTO team_groups (team_id, group_id) VALUES (1, 'B'), (1, 'a'), (1, 'ä'), (1, 'A b'), (1, '')`, nil},
		{`INSERT INTO roles (id, org_id, uid, name, name_key, display_name, description, group_name, hidden, version, created_us, updated_us) VALUES (1, 0, 'r', 'r', 'r', '', '', '', FALSE, 1, 0, 0)`, nil},
		{`INSERT INTO role_permissions (role_id, action, scope) VALUES (1, 'orgs:read', ''), (1, 'orgs:read', 'orgs:*')`, nil},
		{`INSERT INTO role_assignments (org_id, kind, grantee_id, role_org, role_uid, created_us) VALUES (1, 'team', 1, 0, 'r', 0), (1, 'principal', 2, 0, 'r', 0)`, nil},
		{`INSERT INTO grants (id, org_id, resource, resource_id, kind, grantee_id, level, created_us) VALUES (1, 1, 'folders', 'f', 'basic', 1, 'Edit', 0)`, nil},
		{`INSERT INTO folders (id, uid, org_id, parent_uid, title, title_key, description, version, created_by, updated_by, created_us, updated_us) VALUES (1, 'f', 1, '', 'F', 'f', '', 1, '', '', 0, 0)`, nil},
		{`INSERT INTO dashboards (id, uid, org_id, folder_uid, title, title_key, tags, version, data, created_by, updated_by, created_us, updated_us) VALUES (1, 'd', 1, 'f', 'D', 'd', '[]', 1, $1, '', '', 0, 0)`, []any{all}},
		{`INSERT INTO dashboard_versions (dashboard_id, version, parent, restored_from, message, data, created_by, created_us) VALUES (1, 1, 0, 0, '', $1, '', 0), (1, 2, 1, 0, '', $2, '', 0)`, []any{[]byte{}, bytes.Repeat(all, 30000)}},
		{`INSERT INTO guards (id, org_id, name, upstream, rules, preset, path_allow, allow_preflight, jwt, managed_by, source, version, suspended, created_us, updated_us) VALUES (1, 1, 'loki', '', '[]', 'loki', '["%2f"]', TRUE, FALSE, 'config', 'hallpass.toml', 3, '', 0, 0)`, nil},
		{`INSERT INTO guard_usage (guard_id, day_us, rule, outcome, token_id, n) VALUES (1, 0, 2, 'allowed', 1, 7), (1, 0, 0, 'guard.no-rule', 0, 1)`, nil},
		{`INSERT INTO guard_answers (guard_id, minute_us, n, failed) VALUES (1, 60000000, 7, 6)`, nil},
		{`INSERT INTO channels (id, org_id, name, name_key, kind, url, signature, addresses, kinds, disabled, off_reason, created_us, updated_us) VALUES (1, 1, $1, 'c', 'webhook', 'https://example.com/', 'v1a', '[]', '["token.expired"]', FALSE, '', 0, 0)`, []any{hostile}},
		{`INSERT INTO outbox (id, org_id, channel_id, recipient, kind, token_id, mark, body, state, attempts, next_us, last_error, created_us, queued_us, sent_us) VALUES (1, 1, 1, '', 'token.expired', 1, '', $1, 'due', 2, 5, '', 1, 1, 0)`, []any{hostile}},
		{`INSERT INTO token_days (token_id, day_us, ok, denied, failed, refused, limited) VALUES (1, 0, 1, 2, 3, 4, 5), (1, 86400000000, 1, 0, 0, 0, 0)`, nil},
		{`INSERT INTO token_places (token_id, address, agent, method, route, status, first_us, last_us, n) VALUES (1, '::1', $1, 'GET', 'GET /api/org', 200, 1, 2, 3), (1, '', '', '', '', 0, 0, 0, 0)`, []any{hostile}},
		{`INSERT INTO token_actions (token_id, action, scope, last_us, n) VALUES (1, 'orgs:read', '', 5, 6), (1, 'orgs:read', '*', 7, 8)`, nil},
		{`INSERT INTO account_days (account_id, day_us, ok, denied, failed, refused, limited) VALUES (2, 0, 1, 2, 3, 4, 5)`, nil},
		{`INSERT INTO account_actions (account_id, action, scope, last_us, n) VALUES (2, 'orgs:read', '', 5, 6)`, nil},
		{`INSERT INTO spare_roles (account_id, role, enough) VALUES (2, 'Editor', 'Viewer')`, nil},
		{`INSERT INTO usage_begin (id, at_us) VALUES (1, 7)`, nil},
		{`INSERT INTO provisioned (section, org_id, target, file, stopped, hash) VALUES ('service_account.a', 1, 'serviceaccount:2', $1, FALSE, $2), ('guard.b', 1, 'guard:b', '', TRUE, $2)`, []any{hostile, []byte{}}},
		{`INSERT INTO token_policies (org_id, stale_days, warn_days, pauses, revoke_days, exempt, updated_us, updated_by) VALUES (1, 90, '[14,3]', TRUE, 90, '["owner:a"]', 1, 'a')`, nil},
		{`INSERT INTO stale_tokens (token_id, phase, since_us, floor_us, warned_us, warning) VALUES (1, 'idle', 1, 0, 2, 14)`, nil},
		{`INSERT INTO snoozes (org_id, section, kind, subject_id, part, until_us, reason, created_us, created_by) VALUES (1, 'idle', 'token', 1, 0, 9, $1, 1, 'a')`, []any{hostile}},
		{`INSERT INTO preferences (org_id, kind, subject_id, theme, home_uid, timezone, week_start, language) VALUES (1, 'user', 1, 'dark', '', '', '', '')`, nil},
	} {
		if err := exec(s.query, s.args...); err != nil {
			t.Fatalf("%s: %v", s.query, err)
		}
	}
	for i := range 1200 { // more than go into one INSERT
		id := make([]byte, 32)
		copy(id, fmt.Sprint(i))
		err := exec(`INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us, revoked_us, used_us, used_address, used_agent) VALUES ($1, 1, 2, $2, $2, $3, '', 0, '', 0, 0, 0, '', '')`, 10+i, fmt.Sprint("n", i), id)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// filled returns a database of the kind with rows in every table.
func filled(t *testing.T, kind string) *store.DB {
	t.Helper()
	driver, source := "pgx", ""
	var db *store.DB
	if kind == "sqlite" {
		path := filepath.Join(t.TempDir(), "filled.db")
		driver, source = "sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=synchronous(OFF)"
		db = begun(t, hallpasstest.OpenSQLite(t, path))
	} else {
		url := hallpasstest.Postgres(t)
		source = url.Reveal()
		db = begun(t, hallpasstest.OpenPostgres(t, url))
	}
	raw(t, driver, source, func(exec func(string, ...any) error) { fill(t, exec) })
	return db
}

// raw runs fn in one transaction of another connection, whose writes pass for
// Hallpass's own.
func raw(t *testing.T, driver, source string, fn func(exec func(string, ...any) error)) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if driver == "pgx" {
		if _, err := tx.Exec(`SELECT set_config('hallpass.own', 'yes', TRUE)`); err != nil {
			t.Fatal(err)
		}
	}
	fn(func(query string, args ...any) error {
		_, err := tx.Exec(query, args...)
		return err
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// vacant returns a migrated database of the kind that holds nothing, and what
// opens another connection to it.
func vacant(t *testing.T, kind string) (db *store.DB, driver, source string) {
	t.Helper()
	if kind == "sqlite" {
		path := filepath.Join(t.TempDir(), "vacant.db")
		return hallpasstest.OpenSQLite(t, path), "sqlite", "file:" + path
	}
	url := hallpasstest.Postgres(t)
	return hallpasstest.OpenPostgres(t, url), "pgx", url.Reveal()
}

func stored(t *testing.T, db *store.DB) []store.Table {
	t.Helper()
	list, err := db.Stored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var kinds = []string{"sqlite", "postgres"}

// TestCopy copies every table between databases of every kind: counts and
// digests are the same on all of them.
func TestCopy(t *testing.T) {
	seen := make(map[string][]store.Table)
	for _, a := range kinds {
		if a == "postgres" && os.Getenv("HALLPASS_TEST_POSTGRES") == "" {
			continue // each of the others has been skipped as it is
		}
		from := filled(t, a)
		for _, b := range kinds {
			t.Run(a+" to "+b, func(t *testing.T) {
				to, _, _ := vacant(t, b)
				copied, err := store.Copy(t.Context(), from, to)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range copied {
					if c.Rows == 0 {
						t.Errorf("table %s is empty: this test is to put something there", c.Name)
					}
				}
				if len(copied) < 20 {
					t.Errorf("%d tables", len(copied))
				}
				for name, list := range map[string][]store.Table{"the source": stored(t, from), "the target": stored(t, to)} {
					if d := cmp.Diff(copied, list); d != "" {
						t.Errorf("copied, and %s:\n%s", name, d)
					}
				}
				seen[a+b] = copied
				if d := cmp.Diff(seen["sqlitesqlite"], copied); d != "" {
					t.Errorf("from SQLite to SQLite, and this:\n%s", d)
				}
				if _, err := store.Copy(t.Context(), from, to); err == nil || !strings.Contains(err.Error(), "tokens (1201)") {
					t.Errorf("a second copy: %v", err)
				}
				write(t, to, func(tx *store.Tx) error {
					counters, err := tx.Counters()
					if counters["principal"] != 41 {
						t.Errorf("counters %v", counters)
					}
					return err
				})
			})
		}
	}
}

// TestCopyRefuses copies into databases that are not empty, and to one that
// alters what arrives: they stay as they were.
func TestCopyRefuses(t *testing.T) {
	from := filled(t, "sqlite")
	for _, kind := range kinds {
		for _, tt := range []struct{ name, sqlite, postgres, says string }{
			{"a node", `INSERT INTO nodes (id, name, address, version, started_us, beats, beat_us, applied, bound_us, ack_us) VALUES ('n', '', '', '', 0, 0, 0, 0, 0, 0)`, "", "nodes (1)"},
			{"a counter that has counted", `UPDATE counters SET value = 1 WHERE name = 'token'`, "", "counters (1)"},
			{"begun", `INSERT INTO state (id, installation, v, digest) VALUES (1, 'x', 0, '')`, "", "state (1)"},
			{"another table", `CREATE TABLE guests (id BIGINT PRIMARY KEY)`, "", "only the target has a table guests"},
			{"a table that is missing", `DROP TABLE team_groups`, "", "the target has no table team_groups"},
			{"another column", `ALTER TABLE teams ADD COLUMN motto TEXT`, "", "the table teams has other columns"},
			{
				"alters text", `CREATE TRIGGER t AFTER INSERT ON teams BEGIN UPDATE teams SET email = 'x' WHERE id = NEW.id; END`,
				`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.email = ''x''; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON teams FOR EACH ROW EXECUTE FUNCTION f()`,
				"table teams did not arrive as it was",
			},
			{
				"loses a row", `CREATE TRIGGER t AFTER INSERT ON team_groups WHEN NEW.group_id = 'B' BEGIN DELETE FROM team_groups WHERE group_id = 'B'; END`,
				`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.group_id = ''B'' THEN RETURN NULL; END IF; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON team_groups FOR EACH ROW EXECUTE FUNCTION f()`,
				"table team_groups did not arrive as it was: 5 rows",
			},
		} {
			t.Run(kind+" "+tt.name, func(t *testing.T) {
				to, driver, source := vacant(t, kind)
				statement := tt.sqlite
				if kind == "postgres" && tt.postgres != "" {
					statement = tt.postgres
				}
				raw(t, driver, source, func(exec func(string, ...any) error) {
					if err := exec(statement); err != nil {
						t.Fatal(err)
					}
				})
				before := stored(t, to)
				if copied, err := store.Copy(t.Context(), from, to); err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%d tables, %v; want %q", len(copied), err, tt.says)
				}
				if d := cmp.Diff(before, stored(t, to)); d != "" {
					t.Errorf("something stayed:\n%s", d)
				}
			})
		}
	}
}

// TestBackup backs up databases of both kinds, also ones with an older schema.
func TestBackup(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			db, path := filled(t, kind), filepath.Join(t.TempDir(), "backup.db")
			// What a killed process left is no hindrance.
			for _, suffix := range []string{".partial", ".partial-wal", ".partial-journal"} {
				if err := os.WriteFile(path+suffix, []byte("left over"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			held, err := db.Backup(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(stored(t, db), held); d != "" {
				t.Errorf("there, and in the backup:\n%s", d)
			}
			again, err := store.Inspect(t.Context(), path)
			if d := cmp.Diff(held, again); d != "" || err != nil {
				t.Errorf("looked at again: %v\n%s", err, d)
			}
			files, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(files) != 1 {
				t.Fatalf("left: %v, %v", files, err)
			}
			if info, err := files[0].Info(); err != nil || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			if _, err := db.Backup(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is there already") {
				t.Errorf("over a file: %v", err)
			}
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			other := filepath.Join(t.TempDir(), "other.db")
			if _, err := db.Backup(cancelled, other); err == nil {
				t.Error("a cancelled backup succeeded")
			}
			if files, err := os.ReadDir(filepath.Dir(other)); err != nil || len(files) != 0 {
				t.Errorf("it left %v, %v", files, err)
			}
		})
	}
}

// TestReplaceRefuses does not put a database beside the log of another one, of
// which it would read.
func TestReplaceRefuses(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.db"), filepath.Join(dir, "to.db")
	db, err := store.Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+"-wal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Replace(t.Context(), from, to, ""); err == nil || !strings.Contains(err.Error(), "without its database") {
		t.Errorf("replaced: %v", err)
	}
	if err := store.Remove(to); err != nil {
		t.Fatal(err)
	}
	if err := store.Replace(t.Context(), from, to, ""); err != nil {
		t.Error(err)
	}
	// While somebody has it open, it stays where it is.
	open := begun(t, hallpasstest.OpenSQLite(t, to))
	next := filepath.Join(dir, "next.db")
	if _, err := open.Backup(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if err := store.Replace(t.Context(), next, to, to+".old"); err == nil || !strings.Contains(err.Error(), "has it open") {
		t.Errorf("replaced: %v", err)
	}
	if _, err := os.Stat(to + ".old"); err == nil {
		t.Error("put aside all the same")
	}
}
