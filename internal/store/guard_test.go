package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// loki is a guard that uses whatever a guard can have.
func loki(org hallpass.OrgID) hallpass.Guard {
	return hallpass.Guard{
		Org: org, Name: "loki", Upstream: "http://127.0.0.1:3100", Preset: "loki", PathAllow: []string{"%2f"}, AllowPreflight: true, JWT: true,
		ManagedBy: hallpass.ManagedByConfig, Source: "hallpass.toml", Version: 1, CreatedAt: noon, UpdatedAt: noon,
		Rules: []hallpass.GuardRule{
			{Path: "/ready", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
			{Methods: []string{"GET"}, Path: "/config", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleNone}},
			{Methods: []string{"GET", "POST"}, Path: "/loki/api/v1/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "loki:read", Scope: "loki:tenants:{tenant}"},
				Captures: map[string]string{"tenant": "header:X-Scope-OrgID"}, Split: "|", Set: map[string]string{"X-Scope-OrgID": "{tenant}"}},
		},
	}
}

func makeGuard(t *testing.T, db *store.DB, g hallpass.Guard) hallpass.Guard {
	t.Helper()
	write(t, db, func(tx *store.Tx) (err error) {
		next, err := tx.NextGuard()
		if err != nil {
			return err
		}
		if g, err = tx.CreateGuard(g); err == nil && g.ID != next {
			t.Errorf("it has the ID %d, and %d was told", g.ID, next)
		}
		return err
	})
	return g
}

func guardsOf(t *testing.T, db *store.DB) (list []hallpass.Guard) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.AllGuards()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestGuards stores guards, changes them and deletes them: what is read is what was
// written, one name is one guard on the server, and an org sees its own alone.
func TestGuards(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		one, two := newOrg(t, db, "one").ID, newOrg(t, db, "two").ID
		g := makeGuard(t, db, loki(one))
		other := makeGuard(t, db, hallpass.Guard{Org: two, Name: "a_b", ManagedBy: hallpass.ManagedByAPI, Version: 1, CreatedAt: noon, UpdatedAt: noon})
		err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.CreateGuard(loki(two)); return err })
		if !errors.Is(err, hallpass.Conflict) {
			t.Errorf("the same name in another org: %v", err)
		}
		if d := cmp.Diff(guardsOf(t, db), []hallpass.Guard{withList(other), g}); d != "" {
			t.Errorf("all, want:\n%s", d)
		}
		read(t, db, func(tx *store.Tx) error {
			if got, err := tx.Guard(one, "loki"); err != nil || !cmp.Equal(got, g) {
				t.Errorf("by name: %v\n%s", err, cmp.Diff(got, g))
			}
			if _, err := tx.Guard(two, "loki"); !errors.Is(err, hallpass.NotFound) {
				t.Errorf("of another org: %v", err)
			}
			for text, want := range map[string]int{"": 1, "OK": 1, "x": 0, "_": 0} {
				if list, err := tx.Guards(one, text); err != nil || len(list) != want {
					t.Errorf("%q in the name: %d, %v; want %d", text, len(list), err, want)
				}
			}
			return nil
		})
		g.Rules, g.Version, g.Suspended, g.UpdatedAt = g.Rules[:1], 2, hallpass.SuspendedOlder, noon.Add(time.Hour)
		write(t, db, func(tx *store.Tx) error { return tx.UpdateGuard(g) })
		if d := cmp.Diff(guardsOf(t, db)[1], g); d != "" {
			t.Errorf("changed, want:\n%s", d)
		}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.DeleteGuard(two, g.ID) }); !errors.Is(err, hallpass.NotFound) {
			t.Errorf("deleted from another org: %v", err)
		}
		write(t, db, func(tx *store.Tx) error { return tx.DeleteGuard(one, g.ID) })
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.UpdateGuard(g) }); !errors.Is(err, hallpass.NotFound) {
			t.Errorf("changed when it was gone: %v", err)
		}
		if again := makeGuard(t, db, loki(one)); again.ID == g.ID {
			t.Errorf("the number %d is given twice", g.ID)
		}
		write(t, db, func(tx *store.Tx) error { return tx.DeleteOrg(one) })
		if got := guardsOf(t, db); len(got) != 1 || got[0].ID != other.ID {
			t.Errorf("when its org was gone: %+v", got)
		}
	})
}

// withList is the guard as it is read: without rules or with none is one.
func withList(g hallpass.Guard) hallpass.Guard {
	g.PathAllow = []string{}
	return g
}

// read runs fn and fails the test if it fails.
func read(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// TestUnreadableGuard has rules in the database that this version cannot read: what a
// field asks that it does not know, nobody knows. That guard alone is suspended.
func TestUnreadableGuard(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "o").ID
		good := makeGuard(t, db, loki(org))
		for i, rules := range []string{`[{"path":"/x","public":true,"unless":"night"}]`, `[{"path":"/x"}]`, `[{"path":"/x","role":"Boss"}]`, `{}`, ``} {
			g := loki(org)
			g.Name = "bad" + string(rune('a'+i))
			g = makeGuard(t, db, g)
			write(t, db, func(tx *store.Tx) error { return tx.SetGuardRules(g.ID, rules) })
		}
		for _, g := range guardsOf(t, db) {
			want := hallpass.SuspendedUnreadable
			if g.ID == good.ID {
				want = ""
			}
			if g.Suspended != want || want != "" && len(g.Rules) > 0 {
				t.Errorf("%s: suspended %q, want %q; %d rules", g.Name, g.Suspended, want, len(g.Rules))
			}
		}
	})
}

// TestReapplyGuard has an older database learn that guards changed: one that is not as
// it was, or was gone, refuses everything until it is saved again. One that is as it
// was goes on.
func TestReapplyGuard(t *testing.T) {
	for name, change := range map[string]struct {
		change func(tx *store.Tx, g hallpass.Guard) error
		want   hallpass.GuardSuspension
	}{
		"its rules are as they were": {func(tx *store.Tx, g hallpass.Guard) error { g.Version = 9; return tx.UpdateGuard(g) }, ""},
		"a rule had been added":      {func(tx *store.Tx, g hallpass.Guard) error { g.Rules = g.Rules[:2]; return tx.UpdateGuard(g) }, hallpass.SuspendedOlder},
		"its preset was another":     {func(tx *store.Tx, g hallpass.Guard) error { g.Preset = ""; return tx.UpdateGuard(g) }, hallpass.SuspendedOlder},
		"it was suspended": {func(tx *store.Tx, g hallpass.Guard) error {
			g.Suspended = hallpass.SuspendedOlder
			return tx.UpdateGuard(g)
		}, hallpass.SuspendedOlder},
		"it was deleted":      {func(tx *store.Tx, g hallpass.Guard) error { return tx.DeleteGuard(g.Org, g.ID) }, hallpass.SuspendedOlder},
		"its org was deleted": {nil, hallpass.SuspendedOlder},
	} {
		t.Run(name, func(t *testing.T) {
			eachDB(t, func(t *testing.T, db *store.DB, _ string) {
				g := makeGuard(t, db, loki(newOrg(t, db, "o").ID))
				older := emptyDB(t, db)
				makeGuard(t, older, loki(newOrg(t, older, "o").ID))
				j := hallpasstest.OpenJournal(t, t.TempDir())
				if err := j.Begin(stateOf(t, db), false); err != nil {
					t.Fatal(err)
				}
				write(t, db, func(tx *store.Tx) error {
					if change.change == nil {
						if err := tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: int64(g.Org)}); err != nil {
							return err
						}
						return tx.DeleteOrg(g.Org)
					}
					if err := tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: int64(g.ID)}); err != nil {
						return err
					}
					return change.change(tx, g)
				})
				hallpasstest.Keep(t, db, j)
				lost, _ := hallpasstest.Since(t, older, j)
				if len(lost) != 1 {
					t.Fatalf("%d entries of the journal", len(lost))
				}
				for round := range 2 {
					write(t, older, func(tx *store.Tx) error {
						made, open, err := tx.Reapply(lost, noon)
						if want := change.want != "" && round == 0; made > 0 != want || len(open) > 0 {
							t.Errorf("round %d: made %d, open %v", round, made, open)
						}
						return err
					})
				}
				if got := guardsOf(t, older)[0]; got.Suspended != change.want {
					t.Errorf("it is suspended: %q, want %q", got.Suspended, change.want)
				}
			})
		})
	}
}

// TestGivenActions lists the actions that roles give: those of a role that nobody has
// are not given, nor those of another org.
func TestGivenActions(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		one, two := newOrg(t, db, "one").ID, newOrg(t, db, "two").ID
		role := func(org hallpass.OrgID, uid string, action hallpass.Action, given bool) {
			r := hallpass.NamedRole{Org: org, UID: uid, Name: uid, Version: 1, CreatedAt: noon, UpdatedAt: noon, Permissions: []hallpass.Permission{{Action: action}}}
			write(t, db, func(tx *store.Tx) error {
				if err := tx.CreateRole(r); err != nil || !given {
					return err
				}
				_, err := tx.Assign(store.Assignment{Org: org, To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: 7}, RoleOrg: org, RoleUID: uid}, noon)
				return err
			})
		}
		role(one, "given", "prometheus:query", true)
		role(one, "idle", "loki:read", false)
		role(two, "elsewhere", "mimir:read", true)
		role(0, "basic_viewer", "tempo:read", false)
		read(t, db, func(tx *store.Tx) error {
			got, err := tx.GivenActions(one)
			list := make([]string, len(got))
			for i, a := range got {
				list[i] = string(a)
			}
			if text := strings.Join(list, " "); text != "prometheus:query tempo:read" && text != "tempo:read prometheus:query" {
				t.Errorf("given: %s", text)
			}
			return err
		})
	})
}

// TestGuardUsage counts uses in parts, and drops those of a guard that is gone and of
// days that are over.
func TestGuardUsage(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		g := makeGuard(t, db, loki(newOrg(t, db, "o").ID))
		today := noon.Truncate(24 * time.Hour)
		use := func(day time.Time, rule int, outcome string, n int64) hallpass.GuardUse {
			return hallpass.GuardUse{Guard: g.ID, Day: day, Rule: rule, Outcome: outcome, Token: 7, Count: n}
		}
		old, gone := use(today.AddDate(0, 0, -1), 1, "allowed", 5), use(today, 1, "allowed", 9)
		gone.Guard++
		for _, uses := range [][]hallpass.GuardUse{{old, gone, use(today, 1, "allowed", 2)}, {use(today, 1, "allowed", 3), use(today, 0, "guard.no-rule", 1)}, nil} {
			if err := db.AddGuardUsage(t.Context(), uses, 10); err != nil {
				t.Fatal(err)
			}
		}
		want := []hallpass.GuardUse{old, use(today, 0, "guard.no-rule", 1), use(today, 1, "allowed", 5)}
		usage := func(guard hallpass.GuardID, since time.Time) (list []hallpass.GuardUse) {
			read(t, db, func(tx *store.Tx) (err error) {
				list, err = tx.GuardUsage(guard, since)
				return err
			})
			return list
		}
		if d := cmp.Diff(usage(g.ID, time.Time{}), want); d != "" {
			t.Errorf("all, want:\n%s", d)
		}
		if d := cmp.Diff(usage(g.ID, today), want[1:]); d != "" {
			t.Errorf("of today, want:\n%s", d)
		}
		if got := usage(gone.Guard, time.Time{}); got != nil {
			t.Errorf("of a guard that is gone: %v", got)
		}
		if err := db.DeleteGuardUsage(t.Context(), today); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(usage(g.ID, time.Time{}), want[1:]); d != "" {
			t.Errorf("when yesterday is over, want:\n%s", d)
		}
		write(t, db, func(tx *store.Tx) error { return tx.DeleteGuard(g.Org, g.ID) })
		if got := usage(g.ID, time.Time{}); got != nil {
			t.Errorf("when the guard is gone: %v", got)
		}
	})
}

// TestFailingAPIs counts answers of APIs minute by minute: one fails while at least half of
// them are errors in each minute with answers, since its guard was changed.
func TestFailingAPIs(t *testing.T) {
	type minute struct{ at, n, failed int64 }
	noon := noon.Truncate(time.Minute)
	cases := map[string]struct {
		minutes []minute
		want    string // "": it does not fail
	}{
		"no answers":                {nil, ""},
		"all errors":                {[]minute{{1, 5, 5}, {2, 1, 1}, {9, 4, 4}}, "1 to 9: 10 of 10"},
		"half are":                  {[]minute{{1, 4, 2}, {2, 4, 3}}, "1 to 2: 5 of 8"},
		"less than half":            {[]minute{{1, 5, 2}}, ""},
		"since a good minute":       {[]minute{{1, 9, 9}, {2, 1, 0}, {3, 5, 4}}, "3 to 3: 4 of 5"},
		"well again":                {[]minute{{1, 9, 9}, {2, 1, 0}}, ""},
		"too few":                   {[]minute{{1, 2, 2}}, ""},
		"in the minute of a change": {[]minute{{0, 9, 9}}, ""},
		"before the change":         {[]minute{{-3, 9, 9}, {1, 3, 3}}, "1 to 1: 3 of 3"},
		"long ago":                  {[]minute{{-100, 9, 9}}, ""},
		"added":                     {[]minute{{1, 1, 1}, {1, 3, 2}}, "1 to 1: 3 of 4"},
	}
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		for name, tt := range cases {
			g := loki(newOrg(t, db, name).ID)
			g.Name, g.UpdatedAt = strings.ReplaceAll(name, " ", "-"), noon.Add(30*time.Second)
			g = makeGuard(t, db, g)
			for _, m := range tt.minutes {
				a := hallpass.GuardAnswers{Guard: g.ID, Minute: noon.Add(time.Duration(m.at) * time.Minute), Count: m.n, Failed: m.failed}
				gone := a
				gone.Guard += 1000
				if err := db.AddGuardAnswers(t.Context(), []hallpass.GuardAnswers{gone, a}); err != nil {
					t.Fatal(err)
				}
			}
			failing := func(org hallpass.OrgID, guard hallpass.GuardID) (text string) {
				read(t, db, func(tx *store.Tx) error {
					list, err := tx.FailingAPIs(org, guard, 50, 3, noon.Add(-time.Hour))
					for _, f := range list {
						text += fmt.Sprintf("%d to %d: %d of %d", f.Since.Sub(noon)/time.Minute, f.Last.Sub(noon)/time.Minute, f.Failed, f.Answers)
						if f.Guard != g.ID || f.Name != g.Name {
							t.Errorf("%s: %+v", name, f)
						}
					}
					return err
				})
				return text
			}
			if all, one := failing(g.Org, 0), failing(g.Org, g.ID); all != tt.want || one != tt.want {
				t.Errorf("%s: %q, and of the guard %q, want %q", name, all, one, tt.want)
			}
			if others := failing(g.Org, g.ID+1) + failing(g.Org+1, g.ID); others != "" {
				t.Errorf("%s, of others: %s", name, others)
			}
			if err := db.DeleteGuardAnswers(t.Context(), noon.Add(time.Hour)); err != nil || failing(g.Org, 0) != "" {
				t.Errorf("%s, when the minutes are over: %s, %v", name, failing(g.Org, 0), err)
			}
		}
	})
}

// TestGuardUsageIsBounded has more tokens use a guard than are kept apart: the rest is
// counted together, nothing is lost, and another guard and another day have their own room.
func TestGuardUsageIsBounded(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "o").ID
		g, other := makeGuard(t, db, loki(org)), loki(org)
		other.Name = "other"
		other = makeGuard(t, db, other)
		const most, tokens = 4, 9
		today := noon.Truncate(24 * time.Hour)
		use := func(guard hallpass.GuardID, day time.Time, rule int, token hallpass.TokenID) hallpass.GuardUse {
			return hallpass.GuardUse{Guard: guard, Day: day, Rule: rule, Outcome: "allowed", Token: token, Count: 1}
		}
		add := func(uses ...hallpass.GuardUse) {
			if err := db.AddGuardUsage(t.Context(), uses, most); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second time there are rows for the first tokens, and still none for the others
			var uses []hallpass.GuardUse
			for token := hallpass.TokenID(tokens); token >= 0; token-- {
				uses = append(uses, use(g.ID, today, 1, token))
			}
			add(uses...)
		}
		add(use(g.ID, today, 2, 1), use(g.ID, today.AddDate(0, 0, 1), 1, 9), use(other.ID, today, 1, 9))

		count := func(u hallpass.GuardUse, n int64) hallpass.GuardUse {
			u.Count = n
			return u
		}
		want := []hallpass.GuardUse{count(use(g.ID, today, 1, 0), 2+2*(tokens-most))}
		for token := hallpass.TokenID(1); token <= most; token++ {
			want = append(want, count(use(g.ID, today, 1, token), 2))
		}
		want = append(want, use(g.ID, today, 2, 0), use(g.ID, today.AddDate(0, 0, 1), 1, 9))
		usage := func(guard hallpass.GuardID) (list []hallpass.GuardUse) {
			read(t, db, func(tx *store.Tx) (err error) {
				list, err = tx.GuardUsage(guard, time.Time{})
				return err
			})
			return list
		}
		if d := cmp.Diff(usage(g.ID), want); d != "" {
			t.Errorf("want:\n%s", d)
		}
		if d := cmp.Diff(usage(other.ID), []hallpass.GuardUse{use(other.ID, today, 1, 9)}); d != "" {
			t.Errorf("of the other guard, want:\n%s", d)
		}
	})
}
