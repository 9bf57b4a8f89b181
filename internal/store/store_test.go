package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// eachDB runs f on every database there is. Of SQLite, path is the file.
func eachDB(t *testing.T, f func(t *testing.T, db *store.DB, path string)) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		f(t, begun(t, hallpasstest.OpenSQLite(t, path)), path)
	})
	t.Run("postgres", func(t *testing.T) {
		f(t, begun(t, hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t))), "")
	})
}

// onSQLite runs f on SQLite alone, for what only it has.
func onSQLite(t *testing.T, f func(t *testing.T, db *store.DB, path string)) {
	path := filepath.Join(t.TempDir(), "test.db")
	f(t, begun(t, hallpasstest.OpenSQLite(t, path)), path)
}

func begun(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Begin("test") }); err != nil {
		t.Fatal(err)
	}
	return db
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// write runs fn and fails the test if it fails.
func write(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return fn(tx) }); err != nil {
		t.Fatal(err)
	}
}

func newOrg(t *testing.T, db *store.DB, name string) (o hallpass.Org) {
	t.Helper()
	write(t, db, func(tx *store.Tx) (err error) {
		o, err = tx.CreateOrg(hallpass.Org{Name: name, CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	return o
}

func newAccount(t *testing.T, db *store.DB, org hallpass.OrgID, name string) (a hallpass.ServiceAccount) {
	t.Helper()
	write(t, db, func(tx *store.Tx) (err error) {
		a, err = tx.CreateServiceAccount(hallpass.ServiceAccount{
			UID: secret.NewUID(), Org: org, Name: name, Login: hallpass.ServiceAccountLogin(org, name), Role: hallpass.RoleViewer, CreatedAt: noon, UpdatedAt: noon,
		})
		return err
	})
	return a
}

func createToken(db *store.DB, ctx context.Context, a hallpass.ServiceAccount, name string, at, expires time.Time) (tok hallpass.Token, err error) {
	err = db.Write(ctx, func(tx *store.Tx) (err error) {
		text := secret.NewToken()
		tok, err = tx.CreateToken(hallpass.Token{
			Org: a.Org, ServiceAccount: a.ID, Name: name, Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: at, CreatedBy: "admin", ExpiresAt: expires,
		})
		return err
	})
	return tok, err
}

func TestRoundTrips(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Main Org.")
		org.Address = hallpass.Address{Address1: "1", Address2: "2", City: "c", ZipCode: "z", State: "s", Country: "y"}
		a := newAccount(t, db, org.ID, "ci")
		tok, err := createToken(db, t.Context(), a, "t", noon, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		tok.LastUse = hallpass.Use{At: noon, Address: "::1", UserAgent: "curl"}
		user := hallpass.User{UID: "u", Login: "Ana", Email: "ana@example.com", Name: "Ana", PasswordHash: "x", ServerAdmin: true, Org: org.ID, CreatedAt: noon, UpdatedAt: noon}
		session := hallpass.Session{Hash: [32]byte{1}, CreatedAt: noon, SeenAt: noon, ExpiresAt: noon.Add(time.Hour), Address: "::1", UserAgent: "x"}
		write(t, db, func(tx *store.Tx) (err error) {
			if user, err = tx.CreateUser(user); err != nil {
				return err
			}
			session.User = user.ID
			if session, err = tx.CreateSession(session); err != nil {
				return err
			}
			return errors.Join(tx.UpdateOrg(org),
				tx.SetMember(hallpass.Member{Org: org.ID, User: user, Role: hallpass.RoleViewer, JoinedAt: noon}),
				tx.SetMember(hallpass.Member{Org: org.ID, User: user, Role: hallpass.RoleEditor, JoinedAt: noon}))
		})
		if err := db.SaveUses(t.Context(), []store.TokenUse{{Token: tok.ID, Use: tok.LastUse}}); err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			gotOrg, err1 := tx.Org(org.ID)
			gotAccount, err2 := tx.ServiceAccount(org.ID, a.ID)
			gotToken, err3 := tx.TokenByHash(tok.Hash)
			gotUser, err4 := tx.UserByLogin("ANA@example.com")
			gotSession, err5 := tx.SessionByHash(session.Hash)
			members, _, err6 := tx.Members(org.ID, "AN", 0, 0)
			want := []any{org, a, tok, user, session, []hallpass.Member{{Org: org.ID, User: user, Role: hallpass.RoleEditor, JoinedAt: noon}}}
			if d := cmp.Diff([]any{gotOrg, gotAccount, gotToken, gotUser, gotSession, members}, want); d != "" {
				t.Errorf("read, written:\n%s", d)
			}
			return errors.Join(err1, err2, err3, err4, err5, err6)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOrgsAreApart(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ours, theirs := newOrg(t, db, "Ours"), newOrg(t, db, "Theirs")
		a := newAccount(t, db, theirs.ID, "ci")
		tok, err := createToken(db, t.Context(), a, "t", noon, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for what, fn := range map[string]func(*store.Tx) error{
			"account": func(tx *store.Tx) error {
				_, err := tx.ServiceAccount(ours.ID, a.ID)
				return err
			},
			"by uid": func(tx *store.Tx) error {
				_, err := tx.ServiceAccountByUID(ours.ID, a.UID)
				return err
			},
			"token": func(tx *store.Tx) error {
				_, err := tx.Token(ours.ID, a.ID, tok.ID)
				return err
			},
			"update": func(tx *store.Tx) error {
				b := a
				b.Org = ours.ID
				return tx.UpdateServiceAccount(b)
			},
			"delete":         func(tx *store.Tx) error { return tx.DeleteServiceAccount(ours.ID, a.ID) },
			"delete token":   func(tx *store.Tx) error { return tx.DeleteToken(ours.ID, a.ID, tok.ID) },
			"revoke token":   func(tx *store.Tx) error { return tx.RevokeToken(ours.ID, tok.ID, noon) },
			"another's":      func(tx *store.Tx) error { return tx.DeleteToken(theirs.ID, a.ID+1, tok.ID) },
			"no such org":    func(tx *store.Tx) error { _, err := tx.Org(99); return err },
			"no such member": func(tx *store.Tx) error { _, err := tx.User(99); return err },
		} {
			if err := db.Write(t.Context(), func(tx *store.Tx) error { return fn(tx) }); !errors.Is(err, hallpass.NotFound) {
				t.Errorf("%s: %v, want not found", what, err)
			}
		}
		if left, err := createToken(db, t.Context(), newAccount(t, db, ours.ID, "ci"), "t", noon, time.Time{}); err != nil || left.ID == tok.ID {
			t.Errorf("the same names in another org: %v, %v", left, err)
		}
	})
}

func TestTokenNames(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "o")
		a, b := newAccount(t, db, org.ID, "a"), newAccount(t, db, org.ID, "b")
		first, err := createToken(db, t.Context(), a, "Same", noon, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := createToken(db, t.Context(), b, "sAME", noon.Add(time.Hour-time.Microsecond), time.Time{}); !errors.Is(err, hallpass.Conflict) {
			t.Errorf("a live token's name: %v, want a conflict", err)
		}
		second, err := createToken(db, t.Context(), b, "same", noon.Add(time.Hour), time.Time{})
		if err != nil || second.ID <= first.ID {
			t.Fatalf("an expired token's name: %v, %v", second.ID, err)
		}
		write(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.RevokeToken(org.ID, second.ID, noon), tx.RevokeToken(org.ID, second.ID, noon.Add(time.Hour)))
		})
		if _, err := createToken(db, t.Context(), a, "same", noon.Add(2*time.Hour), time.Time{}); err != nil {
			t.Errorf("a revoked token's name: %v", err)
		}
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			got, err := tx.Token(org.ID, b.ID, second.ID)
			if !got.RevokedAt.Equal(noon) {
				t.Errorf("revoked at %v, want the first time, %v", got.RevokedAt, noon)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		write(t, db, func(tx *store.Tx) error { return tx.DeleteServiceAccount(org.ID, b.ID) })
		if again := newAccount(t, db, org.ID, "b"); again.ID <= b.ID {
			t.Errorf("the number %d was given again", again.ID)
		}
	})
}

// TestChain holds the versions of changes without gaps and their digests to
// the rule, also around changes that failed.
func TestChain(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		var heard []string
		db.Subscribe(func(n store.ChangeEvent) {
			heard = append(heard, fmt.Sprint(n.Phase, n.Changes[0].Kind, n.Changes[0].ID))
		})
		failure := errors.New("no")
		for i := range int64(6) {
			c := hallpass.Change{Kind: hallpass.TokenChanged, ID: i, Hash: [32]byte{byte(i)}}
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				if err := tx.Change(c); err != nil {
					return err
				}
				if i%2 == 1 {
					return failure
				}
				return nil
			})
			if i%2 == 1 != errors.Is(err, failure) {
				t.Errorf("change %d: %v", i, err)
			}
		}
		if want := []string{"0token0", "1token0", "0token2", "1token2", "0token4", "1token4"}; !slices.Equal(heard, want) {
			t.Errorf("heard %v, want %v", heard, want)
		}
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Changes(0)
			if err != nil {
				return err
			}
			var digest [32]byte
			for i, r := range rows {
				digest = hallpass.ChainDigest(digest, r.Version, r.Change)
				if r.Version != hallpass.Version(i+1) || r.Change.ID != int64(2*i) || r.Digest != digest {
					t.Errorf("row %d is %+v", i, r)
				}
			}
			s, err := tx.State()
			if want := (store.State{Installation: "test", Version: 3, Digest: digest}); s != want {
				t.Errorf("state %+v, want %+v", s, want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSearchIsLiteral(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "o")
		var last hallpass.ServiceAccount
		for _, name := range []string{"100%", "1000", "a_b", "axb", `c\d`, "ÄÖ"} {
			last = newAccount(t, db, org.ID, name)
		}
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			for text, want := range map[string]int{"": 6, "%": 1, "_": 1, `\`: 1, "100": 2, "äö": 1, "' OR 1=1 --": 0, "SA-1": 6} {
				_, total, err := tx.ServiceAccounts(store.ServiceAccountQuery{Org: org.ID, Text: text, Now: noon, Limit: 1})
				if err != nil || total != want {
					t.Errorf("%q finds %d, %v; want %d", text, total, err, want)
				}
			}
			for _, tt := range []struct {
				among []hallpass.ServiceAccountID
				want  int
			}{{nil, 6}, {[]hallpass.ServiceAccountID{}, 0}, {[]hallpass.ServiceAccountID{last.ID, 999}, 1}} {
				_, total, err := tx.ServiceAccounts(store.ServiceAccountQuery{Org: org.ID, Now: noon, Limit: 9, Among: tt.among})
				if err != nil || total != tt.want {
					t.Errorf("among %v: %d, %v; want %d", tt.among, total, err, tt.want)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestRefusalsMerge(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		e := hallpass.AuditEntry{At: noon, Org: 1, Token: 7, Action: "token.verify", Outcome: hallpass.Refused, Reason: "x"}
		other := e
		other.Reason = "y"
		later := e
		later.At = noon.Add(time.Minute)
		for _, n := range []hallpass.AuditEntry{e, e, other} {
			db.RecordAudit(n)
		}
		if err := db.FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, n := range []hallpass.AuditEntry{e, later, later} {
			db.RecordAudit(n)
		}
		for range 2 { // the second writes nothing more
			if err := db.FlushAudit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			page, err := tx.AuditEntries(hallpass.AuditFilter{Limit: 10})
			for _, e := range page.Entries {
				got = append(got, fmt.Sprint(e.Reason, e.At.Minute(), " ", e.Count))
			}
			return err
		})
		slices.Sort(got)
		if want := []string{"x0 3", "x1 2", "y0 1"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	})
}

// TestRefusalsAreBounded records the refusals of callers that ask for something else
// each time: each has so many entries a minute and one for the rest, none goes
// uncounted, and nobody's hide another's.
func TestRefusalsAreBounded(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		note := func(at time.Time, org hallpass.OrgID, who int64, token hallpass.TokenID, i int, outcome hallpass.AuditOutcome) bool {
			return db.RecordAudit(hallpass.AuditEntry{
				At: at, Org: org, Actor: hallpass.Principal{Kind: hallpass.UserPrincipal, ID: who, Login: fmt.Sprint("who", who)}, Token: token,
				Action: fmt.Sprint("thing", i%7, ":read"), Target: fmt.Sprint("thing:", i), Outcome: outcome, Reason: "x", From: hallpass.From{Address: fmt.Sprint("10.0.0.", i%9)},
			})
		}
		firsts := 0
		for i := range 500 {
			for _, first := range []bool{
				note(noon, 1, 1, 7, i, hallpass.Refused), note(noon, 1, 1, 8, i, hallpass.Refused), note(noon, 1, 2, 0, i, hallpass.Refused), note(noon, 1, 2, 0, i, hallpass.Done),
				note(noon, hallpass.OrgID(i+1), 3, 0, i, hallpass.Refused), // of as many orgs
			} {
				if first {
					firsts++
				}
			}
			if i%100 == 0 {
				if err := db.FlushAudit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		note(noon.Add(time.Minute), 1, 1, 7, 1, hallpass.Refused)
		note(noon, 1, 1, 7, 2, hallpass.Refused) // of the minute before, and late
		if err := db.FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := db.Audit(t.Context(), hallpass.AuditFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		rows, counts := make(map[string]int), make(map[string]int64)
		for _, e := range page.Entries {
			key := fmt.Sprint(e.Actor.ID, " ", e.Token, " ", e.Outcome)
			rows[key]++
			counts[key] += e.Count
		}
		wantRows := map[string]int{"1 7 refused": 23, "1 8 refused": 21, "2 0 refused": 21, "2 0 ok": 21, "3 0 refused": 41}
		wantCounts := map[string]int64{"1 7 refused": 502, "1 8 refused": 500, "2 0 refused": 500, "2 0 ok": 500, "3 0 refused": 500}
		if !maps.Equal(rows, wantRows) || !maps.Equal(counts, wantCounts) || firsts != 5 {
			t.Errorf("entries %v that count %v, %d to be written at once; want %v, %v, 5", rows, counts, firsts, wantRows, wantCounts)
		}
	})
}

func TestReadersCannotWrite(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.DeleteSessions(1) })
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "-", ""), "readonly") {
			t.Errorf("a reader wrote: %v", err)
		}
	})
}

// TestNewerSchema opens a database that a newer program has migrated: it is
// refused, and left as it is.
func TestNewerSchema(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			db, driver, source := vacant(t, kind)
			begun(t, db)
			raw(t, driver, source, func(exec func(string, ...any) error) {
				if err := exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, ` + map[string]string{"sqlite": "1", "postgres": "TRUE"}[kind] + `)`); err != nil {
					t.Fatal(err)
				}
			})
			for name, open := range openers(kind, source) {
				if again, err := open(t.Context()); err == nil || !strings.Contains(err.Error(), "schema version 999") {
					t.Errorf("%s: opened %v, %v", name, again, err)
				}
			}
		})
	}
}

// openers are the ways to open the database that a test's source names.
func openers(kind, source string) map[string]func(context.Context) (*store.DB, error) {
	if kind == "sqlite" {
		path := strings.TrimPrefix(source, "file:")
		return map[string]func(context.Context) (*store.DB, error){
			"open":     func(ctx context.Context) (*store.DB, error) { return store.Open(ctx, path) },
			"as it is": func(ctx context.Context) (*store.DB, error) { return store.OpenAsItIs(ctx, path) },
		}
	}
	o := store.PostgresOptions{URL: secret.NewText(source)}
	return map[string]func(context.Context) (*store.DB, error){
		"open":     func(ctx context.Context) (*store.DB, error) { return store.OpenPostgres(ctx, o) },
		"as it is": func(ctx context.Context) (*store.DB, error) { return store.OpenPostgresAsItIs(ctx, o) },
	}
}

// TestFailedMigration has a migration fail near its end, for a table of its name
// is there: nothing of it stays, and without that table it succeeds.
func TestFailedMigration(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			driver, source := "sqlite", "file:"+filepath.Join(t.TempDir(), "test.db")
			setup := `CREATE TABLE preferences (x BIGINT)`
			if kind == "postgres" {
				driver, source = "pgx", hallpasstest.Postgres(t).Reveal()
				setup = `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ` + setup
			}
			run := func(statement string) {
				raw(t, driver, source, func(exec func(string, ...any) error) {
					if err := exec(statement); err != nil {
						t.Fatal(err)
					}
				})
			}
			run(setup)
			open := openers(kind, source)["open"]
			for range 2 {
				if db, err := open(t.Context()); err == nil || !strings.Contains(err.Error(), "preferences") {
					t.Fatalf("opened %v, %v", db, err)
				}
				if v := column(t, driver, source, `SELECT MAX(version_id) FROM goose_db_version`); v != "1" {
					t.Errorf("the schema has version %s", v)
				}
				if n := column(t, driver, source, `SELECT COUNT(*) FROM permissions`); n != "0" { // the migration drops it
					t.Errorf("permissions: %s", n)
				}
				tables := `SELECT COUNT(*) FROM sqlite_master WHERE name IN ('teams', 'grants', 'folders')`
				if kind == "postgres" {
					tables = `SELECT COUNT(*) FROM pg_class WHERE relname IN ('teams', 'grants', 'folders')`
				}
				if n := column(t, driver, source, tables); n != "0" {
					t.Errorf("%s tables of the failed migration stayed", n)
				}
			}
			run(`DROP TABLE preferences`)
			db, err := open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLocked has another connection hold the write lock.
func TestLocked(t *testing.T) {
	onSQLite(t, func(t *testing.T, db *store.DB, path string) {
		raw, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetMaxOpenConns(1)
		if _, err := raw.Exec("BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return nil }); !errors.Is(err, hallpass.Unavailable) {
			t.Errorf("a write: %v, want unavailable", err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("a read: %v", err)
		}
		if err := raw.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, db, func(*store.Tx) error { return nil })
	})
}
