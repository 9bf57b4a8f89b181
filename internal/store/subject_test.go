package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestSubjects holds the table of subjects to the kinds of change: each has a
// line, which can be read on both databases; of a kind that is not known, that
// something changed is all that is kept.
func TestSubjects(t *testing.T) {
	known := store.Subjects()
	for kind := range known {
		if !slices.Contains(hallpass.ChangeKinds(), kind) {
			t.Errorf("%q is no kind of change", kind)
		}
	}
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		j := hallpasstest.OpenJournal(t, t.TempDir())
		if err := j.Begin(store.State{Installation: "test"}, false); err != nil {
			t.Fatal(err)
		}
		kinds := append(hallpass.ChangeKinds(), "of a newer version", "")
		for _, kind := range kinds {
			change(t, db, kind, 500)
		}
		hallpasstest.Keep(t, db, j)
		lost, whole := hallpasstest.Since(t, emptyDB(t, db), j)
		if len(lost) != len(kinds) || !whole {
			t.Fatalf("%d entries, %v", len(lost), whole)
		}
		for i, e := range lost {
			told, ok := known[e.Kind]
			if !ok && i < len(kinds)-2 {
				t.Errorf("%q has no line", e.Kind)
			}
			if e.Open() == told {
				t.Errorf("%q is open: %v", e.Kind, e.Open())
			}
			if told && !e.Subject.Ended {
				t.Errorf("%q 500, which does not exist, has not ended", e.Kind)
			}
		}
	})
}

// emptyDB returns an installation of db's kind in which nothing has changed.
func emptyDB(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	return begun(t, emptyLike(t, db))
}

// TestReapplyEnd has an older database learn when tokens were to end: the earlier
// of its own end and the journal's holds. What was revoked stays so.
func TestReapplyEnd(t *testing.T) {
	early, late := noon.Add(time.Hour), noon.Add(2*time.Hour)
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		a := newAccount(t, db, newOrg(t, db, "o").ID, "a")
		var tokens []hallpass.Token
		for i, ends := range []time.Time{{}, late, early, late, {}, {}} {
			tok, err := createToken(db, t.Context(), a, string(rune('a'+i)), noon, ends)
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, tok)
		}
		revoke := func(db *store.DB, i int) {
			write(t, db, func(tx *store.Tx) error { return tx.RevokeToken(a.Org, tokens[i].ID, noon) })
		}
		revoke(db, 3)
		var lost []store.JournalEntry
		for i, was := range []store.SubjectState{{EndsAt: early}, {EndsAt: early}, {EndsAt: late}, {EndsAt: early}, {}, {Ended: true}} {
			lost = append(lost, store.JournalEntry{Version: hallpass.Version(i + 1), Kind: hallpass.TokenChanged, ID: int64(tokens[i].ID), Subject: was})
		}
		for round, want := range []int{3, 0} {
			write(t, db, func(tx *store.Tx) error {
				made, open, err := tx.Reapply(lost, noon)
				if made != want || len(open) > 0 {
					t.Errorf("round %d: made %d, want %d; open %v", round, made, want, open)
				}
				return err
			})
		}
		type end struct{ Expires, Revoked time.Time }
		var got []end
		for i := range tokens {
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				tok, err := tx.OrgToken(a.Org, tokens[i].ID)
				got = append(got, end{tok.ExpiresAt, tok.RevokedAt})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(got, []end{{early, time.Time{}}, {early, time.Time{}}, {early, time.Time{}}, {late, noon}, {}, {time.Time{}, noon}}); d != "" {
			t.Errorf("got, want:\n%s", d)
		}
	})
}

// TestJournalTellsEnds keeps when a token ends, and nothing of one that does not.
func TestJournalTellsEnds(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		a := newAccount(t, db, newOrg(t, db, "o").ID, "a")
		j := hallpasstest.OpenJournal(t, t.TempDir())
		if err := j.Begin(stateOf(t, db), false); err != nil {
			t.Fatal(err)
		}
		for name, ends := range map[string]time.Time{"a": {}, "b": noon.Add(time.Hour)} {
			tok, err := createToken(db, t.Context(), a, name, noon, ends)
			if err != nil {
				t.Fatal(err)
			}
			change(t, db, hallpass.TokenChanged, int64(tok.ID))
			hallpasstest.Keep(t, db, j)
			lost, _ := hallpasstest.Since(t, emptyDB(t, db), j)
			if d := cmp.Diff(lost[len(lost)-1].Subject, store.SubjectState{EndsAt: ends}); d != "" {
				t.Errorf("%s: got, want:\n%s", name, d)
			}
		}
	})
}

// TestJournalOfOtherVersions reads lines as older and newer versions wrote them.
func TestJournalOfOtherVersions(t *testing.T) {
	zero := "0000000000000000000000000000000000000000000000000000000000000000"
	dir := t.TempDir()
	err := os.WriteFile(filepath.Join(dir, "journal"), []byte(`{"installation":"test","v":0,"digest":"`+zero+`"}
{"v":1,"digest":"`+zero+`","kind":"token","id":7,"hash":"ab","outcome":{"ended":true},"at":"2026-11-23T12:00:00Z"}
{"v":2,"digest":"`+zero+`","kind":"token","id":8,"outcome":{},"at":"2026-11-23T12:00:00Z"}
{"v":3,"digest":"`+zero+`","kind":"user","id":9,"outcome":{"members":{"1":"Viewer"}},"at":"2026-11-23T12:00:00Z"}
{"v":4,"digest":"`+zero+`","kind":"permissions","id":1,"outcome":{"open":true},"at":"2026-11-23T12:00:00Z"}
{"v":5,"digest":"`+zero+`","kind":"of a newer version","id":3,"outcome":{"ended":true,"rule":"none"},"at":"2026-11-23T12:00:00Z"}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	j := hallpasstest.OpenJournal(t, dir)
	onSQLite(t, func(t *testing.T, db *store.DB, _ string) {
		lost, _ := hallpasstest.Since(t, db, j)
		var open []hallpass.ChangeKind
		for _, e := range lost {
			if e.Open() {
				open = append(open, e.Kind)
			}
		}
		if d := cmp.Diff(open, []hallpass.ChangeKind{"permissions", "of a newer version"}); d != "" || len(lost) != 5 {
			t.Fatalf("%d entries; open, want:\n%s", len(lost), d)
		}
		write(t, db, func(tx *store.Tx) error {
			_, open, err := tx.Reapply(lost, noon)
			if len(open) != 2 {
				t.Errorf("to be looked at: %+v", open)
			}
			return err
		})
		if err := j.Begin(store.State{Installation: "test", Version: 9}, true); err != nil {
			t.Fatal(err)
		}
		if lost, _ := hallpasstest.Since(t, db, j); slices.ContainsFunc(lost, store.JournalEntry.Open) {
			t.Errorf("a person has looked at them: %+v", lost)
		}
	})
}

// TestReapplyLimits has an older database learn that tokens waited, and that they were
// narrower: they wait there, and what was given since is not given.
func TestReapplyLimits(t *testing.T) {
	later := noon.Add(time.Hour)
	plain, narrow, other := hallpass.TokenLimits{}, hallpass.TokenLimits{ReadOnly: true}, hallpass.TokenLimits{Permissions: []hallpass.Permission{}}
	waits, ends := hallpass.Pause{Since: noon}, hallpass.Pause{Since: noon, Until: later}
	for _, tt := range []struct {
		name       string
		older, was hallpass.Token
		waits      bool
		until      time.Time
		reason     string
	}{
		{name: "nothing"},
		{name: "paused", was: hallpass.Token{Pause: waits}, waits: true, reason: "the database came back older, and the token was paused"},
		{name: "paused for an hour", was: hallpass.Token{Pause: ends}, waits: true, until: later, reason: "the database came back older, and the token was paused"},
		{name: "paused for longer", older: hallpass.Token{Pause: ends}, was: hallpass.Token{Pause: waits}, waits: true, reason: "the database came back older, and the token was paused"},
		{name: "paused for less", older: hallpass.Token{Pause: waits}, was: hallpass.Token{Pause: ends}, waits: true},
		{name: "resumed", older: hallpass.Token{Pause: waits}, waits: true},
		{name: "narrowed", was: hallpass.Token{Limits: narrow}, waits: true, reason: "the database came back older, and the token had other limits"},
		{name: "narrowed in another way", older: hallpass.Token{Limits: other}, was: hallpass.Token{Limits: narrow}, waits: true, reason: "the database came back older, and the token had other limits"},
		{name: "narrowed and paused for an hour", older: hallpass.Token{Limits: plain, Pause: ends}, was: hallpass.Token{Limits: narrow, Pause: ends}, waits: true, reason: "the database came back older, and the token had other limits"},
		{name: "widened", older: hallpass.Token{Limits: narrow}},
		{name: "as it was", older: hallpass.Token{Limits: narrow}, was: hallpass.Token{Limits: narrow}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachDB(t, func(t *testing.T, db *store.DB, _ string) {
				older := emptyDB(t, db)
				lost := lostChange(t, db, tt.was)
				token := lostToken(t, older, tt.older)
				for range 2 {
					write(t, older, func(tx *store.Tx) error { _, _, err := tx.Reapply(lost, noon); return err })
				}
				read(t, older, func(tx *store.Tx) error {
					got, err := tx.Token(token.Org, token.ServiceAccount, token.ID)
					if err != nil || got.Pause.Since.IsZero() == tt.waits || !got.Pause.Until.Equal(tt.until) || got.Pause.Reason != tt.reason {
						t.Errorf("%+v, %v", got.Pause, err)
					}
					return nil
				})
			})
		})
	}
}

// lostChange returns the journal's entry of a change that left the token as it is.
func lostChange(t *testing.T, db *store.DB, as hallpass.Token) []store.JournalEntry {
	t.Helper()
	j := hallpasstest.OpenJournal(t, t.TempDir())
	if err := j.Begin(stateOf(t, db), false); err != nil {
		t.Fatal(err)
	}
	token := lostToken(t, db, as)
	change(t, db, hallpass.TokenChanged, int64(token.ID))
	hallpasstest.Keep(t, db, j)
	lost, _ := hallpasstest.Since(t, emptyDB(t, db), j)
	return lost
}

func lostToken(t *testing.T, db *store.DB, as hallpass.Token) hallpass.Token {
	t.Helper()
	a := newAccount(t, db, newOrg(t, db, "o").ID, "a")
	as.Org, as.ServiceAccount, as.Name, as.Hash, as.CreatedAt = a.Org, a.ID, "t", [32]byte{1}, noon
	write(t, db, func(tx *store.Tx) (err error) {
		as, err = tx.CreateToken(as)
		return err
	})
	return as
}
