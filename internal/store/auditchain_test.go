package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// eachChain runs f on both databases with an audit of 20 links, of which 12 and 14 count
// repeats of 11, and what runs statements beside Hallpass.
func eachChain(t *testing.T, f func(t *testing.T, db *store.DB, by func(...string), again func() *store.DB)) {
	run := func(driver, source string, open func(t *testing.T) *store.DB) func(*testing.T) {
		return func(t *testing.T) {
			db := begun(t, open(t))
			writeChain(t, db)
			by := func(statements ...string) {
				t.Helper()
				raw(t, driver, source, func(exec func(string, ...any) error) {
					for _, s := range statements {
						if err := exec(s); err != nil {
							t.Fatalf("%s: %v", s, err)
						}
					}
				})
			}
			f(t, db, by, func() *store.DB { return open(t) })
		}
	}
	path := filepath.Join(t.TempDir(), "test.db")
	t.Run("sqlite", run("sqlite", "file:"+path, func(t *testing.T) *store.DB { return hallpasstest.OpenSQLite(t, path) }))
	t.Run("postgres", func(t *testing.T) {
		url := hallpasstest.Postgres(t)
		run("pgx", url.Reveal(), func(t *testing.T) *store.DB { return hallpasstest.OpenPostgres(t, url) })(t)
	})
}

func writeChain(t *testing.T, db *store.DB) {
	t.Helper()
	entry := func(i int) hallpass.AuditEntry {
		return hallpass.AuditEntry{
			At: noon.Add(time.Duration(i) * time.Hour), Org: 1, Actor: hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 7, Login: "ana"}, Token: 3,
			Action: "token.verify", Target: fmt.Sprint("token:", i), Outcome: hallpass.Refused, Reason: "api-key.revoked", From: hallpass.From{Address: "10.0.0.1", UserAgent: "curl"},
		}
	}
	several := func(from, to int) {
		write(t, db, func(tx *store.Tx) error {
			for i := from; i <= to; i++ {
				if _, err := tx.Audit(entry(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	refused := func() {
		t.Helper()
		db.RecordAudit(entry(11))
		if err := db.FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	several(1, 10)
	refused()
	refused()
	several(13, 13)
	refused()
	several(15, 20)
}

// prove returns the report on the audit and its faults as sentences.
func prove(t *testing.T, db *store.DB, known ...hallpass.AuditMark) (hallpass.AuditReport, []string) {
	t.Helper()
	r, err := db.ProveAudit(t.Context(), known...)
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	for _, f := range r.Faults {
		faults = append(faults, f.String())
	}
	return r, faults
}

// tampering is what somebody does to the audit beside Hallpass, how it is undone, and how
// the first fault begins that tells it.
var tampering = []struct{ do, undo, want string }{
	{"UPDATE audit SET at_us = at_us + 1 WHERE id = 7", "UPDATE audit SET at_us = at_us - 1 WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET org_id = 2 WHERE id = 7", "UPDATE audit SET org_id = 1 WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET actor_kind = 2 WHERE id = 7", "UPDATE audit SET actor_kind = 1 WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET actor_id = 8 WHERE id = 7", "UPDATE audit SET actor_id = 7 WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET actor_login = 'tom' WHERE id = 7", "UPDATE audit SET actor_login = 'ana' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET token_id = 0 WHERE id = 7", "UPDATE audit SET token_id = 3 WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET action = 'token.create' WHERE id = 7", "UPDATE audit SET action = 'token.verify' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET target = '' WHERE id = 7", "UPDATE audit SET target = 'token:7' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET outcome = 'ok' WHERE id = 7", "UPDATE audit SET outcome = 'refused' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET reason = '' WHERE id = 7", "UPDATE audit SET reason = 'api-key.revoked' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET address = '10.0.0.2' WHERE id = 7", "UPDATE audit SET address = '10.0.0.1' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET user_agent = '' WHERE id = 7", "UPDATE audit SET user_agent = 'curl' WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET count = count + 1 WHERE id = 7", "UPDATE audit SET count = count - 1 WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET count = 1 WHERE id = 11", "UPDATE audit SET count = 3 WHERE id = 11", "entry 11 is changed"},
	{"UPDATE audit SET counted = FALSE WHERE id = 7", "UPDATE audit SET counted = TRUE WHERE id = 7", "entry 7 is changed"},
	{"UPDATE audit SET digest = NULL, counted = FALSE WHERE id = 1", "", "entry 2 is changed: or one of those before it, from before the chain"},
	{"UPDATE audit_repeats SET count = count - 1 WHERE id = 12", "UPDATE audit_repeats SET count = count + 1 WHERE id = 12", "entry 11 is changed"},
	{"UPDATE audit SET id = 99 WHERE id = 7", "UPDATE audit SET id = 7 WHERE id = 99", "entry 7 is missing"},
	{"UPDATE audit SET id = CASE id WHEN 7 THEN 1007 ELSE 1009 END WHERE id IN (7, 9); UPDATE audit SET id = CASE id WHEN 1007 THEN 9 ELSE 7 END WHERE id > 1000",
		"UPDATE audit SET id = CASE id WHEN 7 THEN 1007 ELSE 1009 END WHERE id IN (7, 9); UPDATE audit SET id = CASE id WHEN 1007 THEN 9 ELSE 7 END WHERE id > 1000",
		"entry 7 is out of order: what stands there was written at 9"},
	{"INSERT INTO audit SELECT 21, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count, digest, counted FROM audit WHERE id = 20",
		"DELETE FROM audit WHERE id = 21", "entry 21 is added"},
	{"INSERT INTO audit SELECT 0, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count, NULL, FALSE FROM audit WHERE id = 20",
		"DELETE FROM audit WHERE id = 0", "entry 0 is added"},
	{"UPDATE audit_chain SET last = 10 WHERE place = 'begin'", "UPDATE audit_chain SET last = 0 WHERE place = 'begin'", "entry 1 is added"},
	{"UPDATE audit_chain SET last = 18 WHERE place = 'end'", "UPDATE audit_chain SET last = 20 WHERE place = 'end'", "entry 18 is changed: its digest is not that of the chain's end"},
}

// TestTamperedAudit changes each column of an entry beside Hallpass, puts entries in and
// moves them: the proof says which it is.
func TestTamperedAudit(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), _ func() *store.DB) {
		r, faults := prove(t, db)
		if len(faults) > 0 || r.Entries != 18 || r.End.ID != 20 || r.Early != 0 || r.Late != 0 {
			t.Fatalf("before: %+v", r)
		}
		for _, x := range tampering {
			do, undo := x.do, x.undo
			if undo == "" { // digests are bytes: they go aside meanwhile
				do, undo = "CREATE TABLE aside AS SELECT id, digest FROM audit; "+do, "UPDATE audit SET counted = TRUE, digest = (SELECT a.digest FROM aside a WHERE a.id = audit.id); DROP TABLE aside"
			}
			by(strings.Split(do, "; ")...)
			if _, faults := prove(t, db); len(faults) == 0 || !strings.HasPrefix(faults[0], x.want) {
				t.Errorf("%s: %q, want %q", x.do, faults, x.want)
			}
			by(strings.Split(undo, "; ")...)
			if r, faults := prove(t, db); !r.OK() {
				t.Fatalf("after %s: %q", undo, faults)
			}
		}
	})
}

// TestAuditThatLacksEntries deletes entries beside Hallpass.
func TestAuditThatLacksEntries(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), _ func() *store.DB) {
		whole, _ := prove(t, db)
		for _, step := range []struct {
			statement string
			want      []string
		}{
			{"DELETE FROM audit WHERE id > 18", []string{"entries 19 to 20 are missing: the end was cut off"}},
			{"DELETE FROM audit WHERE id = 16", []string{"entry 16 is missing", "entries 19 to 20 are missing: the end was cut off"}},
			{"DELETE FROM audit_repeats WHERE id = 12", []string{"entry 11 is changed: or the digest of the one before it", "entry 12 is missing", "entry 16 is missing", "entries 19 to 20 are missing: the end was cut off"}},
			{"DELETE FROM audit WHERE id < 12", []string{"entries 1 to 12 are missing", "entry 16 is missing", "entries 19 to 20 are missing: the end was cut off"}},
		} {
			by(step.statement)
			if _, faults := prove(t, db); !slices.Equal(faults, step.want) {
				t.Errorf("%s: %q, want %q", step.statement, faults, step.want)
			}
		}
		by("DELETE FROM audit", "DELETE FROM audit_repeats", "UPDATE audit_chain SET last = 0, digest = (SELECT b.digest FROM audit_chain b WHERE b.place = 'begin')", "UPDATE counters SET value = 0 WHERE name = 'audit'")
		if r, faults := prove(t, db); !r.OK() {
			t.Errorf("of an audit that was emptied with its chain: %q", faults)
		}
		if r, _ := prove(t, db, whole.End); r.OK() {
			t.Error("a mark that was kept does not tell that the audit was emptied")
		}
	})
}

// TestChainBegins opens a database from before the chain: one digest covers what is there,
// also while retention deletes it, and what other programs add is linked.
func TestChainBegins(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), again func() *store.DB) {
		by("DELETE FROM audit_chain", "DELETE FROM audit_repeats", "UPDATE audit SET digest = NULL, counted = FALSE")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = again()
		ok := func(early, late int64) {
			t.Helper()
			if r, faults := prove(t, db); len(faults) > 0 || r.Early != early || r.Late != late {
				t.Fatalf("%d early and %d late entries, %q; want %d and %d", r.Early, r.Late, faults, early, late)
			}
		}
		audit := func() {
			t.Helper()
			write(t, db, func(tx *store.Tx) error {
				_, err := tx.Audit(hallpass.AuditEntry{At: noon.Add(30 * time.Hour), Action: "org.create", Outcome: hallpass.Done})
				return err
			})
		}
		ok(18, 0)
		by("UPDATE counters SET value = 21 WHERE name = 'audit'", // as an older program, and a statement by hand
			"INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count) SELECT 21, at_us, 0, 0, 0, '', 0, 'token.verify', '', 'refused', '', '', '', 1 FROM audit WHERE id = 20")
		ok(18, 1)
		audit()
		ok(18, 0)
		by("UPDATE audit SET count = count + 5 WHERE id IN (20, 21)") // which that program goes on with
		ok(18, 0)
		by("UPDATE audit SET target = 'token:5' WHERE id = 21")
		if _, faults := prove(t, db); !slices.Equal(faults, []string{"entry 21 is changed: or one of those before it, from before the chain"}) {
			t.Errorf("%q", faults)
		}
		by("UPDATE audit SET target = '' WHERE id = 21", "UPDATE audit SET reason = '' WHERE id = 5")
		if _, faults := prove(t, db); !slices.Equal(faults, []string{"entry 21 is changed: or one of those before it, from before the chain"}) {
			t.Errorf("%q", faults)
		}
		by("UPDATE audit SET reason = 'api-key.revoked' WHERE id = 5")
		retention(t, db, noon.Add(3*time.Hour))
		ok(16, 0)
		retention(t, db, noon.Add(25*time.Hour))
		ok(0, 0)
	})
}

// retention deletes what is older than before and writes its entry.
func retention(t *testing.T, db *store.DB, before time.Time) store.Pruned {
	t.Helper()
	now := noon.Add(1000 * time.Hour)
	for n := 3; n == 3; {
		var err error
		if n, err = db.PruneAudit(t.Context(), "a", now, before, 3); err != nil {
			t.Fatal(err)
		}
		if r, faults := prove(t, db); len(faults) > 0 || n > 0 && !r.Pruning {
			t.Fatalf("while retention deletes: %q", faults)
		}
	}
	var p store.Pruned
	write(t, db, func(tx *store.Tx) (err error) {
		if p, err = tx.Pruned("a", now); err == nil {
			_, err = tx.Audit(hallpass.AuditEntry{At: now, Action: hallpass.AuditPrune, Outcome: hallpass.Done, Reason: "deleted; " + p.Chain.String()})
		}
		return err
	})
	return p
}

// TestRetentionKeepsTheChain deletes old entries from before, between and behind others:
// the chain stays whole, and what else is taken away shows.
func TestRetentionKeepsTheChain(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), _ func() *store.DB) {
		ok := func(begin hallpass.AuditID) {
			t.Helper()
			if r, faults := prove(t, db); len(faults) > 0 || r.Begin.ID != begin {
				t.Fatalf("the chain begins after %d, %q; want %d", r.Begin.ID, faults, begin)
			}
		}
		if p := retention(t, db, noon.Add(4*time.Hour)); p.Chain.Begin.ID != 3 || p.Chain.Gone.Links != 0 {
			t.Errorf("%+v", p)
		}
		ok(3)
		write(t, db, func(tx *store.Tx) error { // 22 and 23, written late
			for i := range 2 {
				if _, err := tx.Audit(hallpass.AuditEntry{At: noon.Add(time.Duration(i) * time.Minute), Action: "token.verify", Outcome: hallpass.Refused}); err != nil {
					return err
				}
			}
			return nil
		})
		if p := retention(t, db, noon.Add(12*time.Hour)); p.Chain.Begin.ID != 12 || p.Chain.Gone.Links != 3 {
			t.Errorf("%+v", p)
		}
		ok(12)
		if p := retention(t, db, noon.Add(25*time.Hour)); p.Chain.Begin.ID != 20 || p.Chain.Gone.Links != 2 {
			t.Errorf("%+v", p)
		}
		ok(20)
		by("DELETE FROM audit_gone WHERE id = 22")
		if _, faults := prove(t, db); len(faults) != 2 || faults[1] != "entry 22 is missing" {
			t.Errorf("%q", faults)
		}
	})
}

// TestPruningThatNeverWas hides an entry beside Hallpass and says that retention is at work.
func TestPruningThatNeverWas(t *testing.T) {
	eachChain(t, func(t *testing.T, db *store.DB, by func(...string), _ func() *store.DB) {
		whole, _ := prove(t, db)
		var hidden hallpass.AuditLink
		begin := linkOf(t, db, 4)
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			links, err := tx.AuditLinks(5, 1)
			hidden = links[0].Seal()
			return err
		}); err != nil {
			t.Fatal(err)
		}
		hex := func(d [32]byte) string {
			if strings.HasSuffix(t.Name(), "postgres") {
				return fmt.Sprintf(`'\x%x'`, d)
			}
			return fmt.Sprintf("x'%x'", d)
		}
		by("INSERT INTO audit_pruning (id, holder, until_us, first_us, last_us, deleted) VALUES (1, 'x', 0, 0, 0, 1)",
			"DELETE FROM audit WHERE id = 6", fmt.Sprintf("INSERT INTO audit_gone (id, content, digest) VALUES (6, %s, %s)", hex(hidden.Gone), hex(hidden.Digest)))
		if r, faults := prove(t, db, whole.End); r.OK() || !r.Untold || r.Deleted != 1 || len(faults) > 0 {
			t.Errorf("entry 6 is hidden: %+v", r)
		}
		by("DELETE FROM audit WHERE id <= 4", fmt.Sprintf("UPDATE audit_chain SET last = 4, digest = %s WHERE place = 'begin'", hex(begin.Digest)))
		if r, faults := prove(t, db, whole.End); r.OK() || !r.Untold || r.Begin.ID != 4 || len(faults) > 0 {
			t.Errorf("the beginning is moved: %+v", r)
		}
		retention(t, db, noon) // the real one tells of both, and is named
		if r, faults := prove(t, db, whole.End); !r.OK() || len(faults) > 0 || len(r.Newer) != 1 || r.Told != r.Newer[0] || r.Deleted != 1 {
			t.Errorf("after retention: %+v", r)
		}
	})
}

// TestChainOfSeveralNodes has nodes of one database write at the same time.
func TestChainOfSeveralNodes(t *testing.T) {
	url := hallpasstest.Postgres(t)
	nodes := []*store.DB{begun(t, hallpasstest.OpenPostgres(t, url)), hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)}
	var writers sync.WaitGroup
	for i, db := range nodes {
		writers.Go(func() {
			for j := range 20 {
				db.RecordAudit(hallpass.AuditEntry{At: noon, Org: hallpass.OrgID(i), Target: fmt.Sprint(j % 3), Action: "token.verify", Outcome: hallpass.Refused})
				if err := db.FlushAudit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if r, faults := prove(t, nodes[0]); len(faults) > 0 || r.Entries != 9 || r.End.ID != 60 {
		t.Errorf("%+v", r)
	}
}

// TestRepeatsWait writes new entries at once and repeats only when asked: each time is
// another link.
func TestRepeatsWait(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		e := hallpass.AuditEntry{At: noon, Org: 1, Token: 7, Action: "token.verify", Outcome: hallpass.Refused}
		counted := func(flush func(context.Context) error, want ...int64) {
			t.Helper()
			db.RecordAudit(e)
			if err := flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			page, err := db.Audit(t.Context(), hallpass.AuditFilter{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, e := range page.Entries {
				got = append(got, e.Count)
			}
			if r, faults := prove(t, db); !slices.Equal(got, want) || len(faults) > 0 {
				t.Fatalf("%v, %q; want %v, and %d is the end", got, faults, want, r.End.ID)
			}
		}
		counted(db.FlushNewAudit, 1)
		counted(db.FlushNewAudit, 1)
		counted(db.FlushNewAudit, 1)
		counted(db.FlushAudit, 4)
		counted(db.FlushNewAudit, 4)
		e.At = e.At.Add(2 * time.Minute) // the minute is over: what repeats counts is written with what is new
		counted(db.FlushNewAudit, 1, 5)
	})
}
