package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var today = noon.Truncate(24 * time.Hour)

// newToken makes a token of a new account.
func newToken(t *testing.T, db *store.DB) (hallpass.ServiceAccount, hallpass.Token) {
	t.Helper()
	a := newAccount(t, db, newOrg(t, db, "Main Org.").ID, "ci")
	tok, err := createToken(db, t.Context(), a, "t", noon, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return a, tok
}

func addTokenUsage(t *testing.T, db *store.DB, list ...store.TokenUsed) {
	t.Helper()
	if err := db.AddTokenUsage(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

func tokenUsage(t *testing.T, db *store.DB, id hallpass.TokenID, since time.Time) (u hallpass.TokenUsage) {
	t.Helper()
	read(t, db, func(tx *store.Tx) (err error) {
		u, err = tx.TokenUsage(id, since)
		return err
	})
	return u
}

func place(address string, first, last time.Time, n int64) hallpass.TokenPlace {
	return hallpass.TokenPlace{
		From: hallpass.From{Address: address, UserAgent: "curl/8"}, Route: hallpass.Route{Method: "GET", Pattern: "GET /api/org"}, Status: 200, First: first, Last: last, Count: n,
	}
}

// TestAddTokenUsage adds what several nodes counted, in no order: counts add up, and
// the latest request of a client is the one that is told.
func TestAddTokenUsage(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		_, tok := newToken(t, db)
		yesterday := today.AddDate(0, 0, -1)
		late := place("10.0.0.1", noon, noon.Add(time.Hour), 3)
		late.Status, late.Route = 403, hallpass.Route{Method: "POST", Pattern: "guard:loki rule 2"}
		one := store.TokenUsed{Token: tok.ID, TokenUsage: hallpass.TokenUsage{
			Days:    []hallpass.TokenDay{{Day: today, OK: 1, Denied: 2, Failed: 3, Refused: 4, Limited: 5}, {Day: yesterday, OK: 7}},
			Places:  []hallpass.TokenPlace{late, place("::1", noon, noon, 1)},
			Actions: []hallpass.TokenAction{{Action: "orgs:read", Last: noon.Add(time.Hour), Count: 2}, {Action: "orgs:read", Scope: "orgs:id:1", Last: noon, Count: 1}},
		}}
		two := store.TokenUsed{Token: tok.ID, TokenUsage: hallpass.TokenUsage{
			Days:    []hallpass.TokenDay{{Day: today, OK: 10}},
			Places:  []hallpass.TokenPlace{place("10.0.0.1", noon.Add(-time.Hour), noon, 4)},
			Actions: []hallpass.TokenAction{{Action: "orgs:read", Last: noon, Count: 5}},
		}}
		gone := one
		gone.Token++
		addTokenUsage(t, db, one, gone)
		addTokenUsage(t, db, two, two) // of one token twice in one call
		late.First, late.Count = noon.Add(-time.Hour), 11
		want := hallpass.TokenUsage{
			Days:   []hallpass.TokenDay{{Day: yesterday, OK: 7}, {Day: today, OK: 21, Denied: 2, Failed: 3, Refused: 4, Limited: 5}},
			Places: []hallpass.TokenPlace{late, place("::1", noon, noon, 1)},
			Actions: []hallpass.TokenAction{
				{Action: "orgs:read", Last: noon.Add(time.Hour), Count: 12}, {Action: "orgs:read", Scope: "orgs:id:1", Last: noon, Count: 1},
			},
		}
		if d := cmp.Diff(tokenUsage(t, db, tok.ID, time.Time{}), want); d != "" {
			t.Errorf("got, want:\n%s", d)
		}
		if d := cmp.Diff(tokenUsage(t, db, tok.ID, today).Days, want.Days[1:]); d != "" {
			t.Errorf("of today, got, want:\n%s", d)
		}
		if got := tokenUsage(t, db, gone.Token, time.Time{}); len(got.Days)+len(got.Places)+len(got.Actions) > 0 {
			t.Errorf("of a token that is gone: %+v", got)
		}
		if err := db.DeleteTokenDays(t.Context(), today); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tokenUsage(t, db, tok.ID, time.Time{}).Days, want.Days[1:]); d != "" {
			t.Errorf("when yesterday is over, got, want:\n%s", d)
		}
	})
}

// TestLastRoutes asks for what was asked for last with more tokens than one statement
// takes: one used by the client of a row, and others of which the row is not written.
func TestLastRoutes(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		a, tok := newToken(t, db)
		list := []hallpass.Token{tok}
		for i := range 40 {
			more, err := createToken(db, t.Context(), a, fmt.Sprint("more ", i), noon, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, more)
		}
		var used []store.TokenUsed
		for i := range list {
			p := place("10.0.0.1", noon, noon, 1)
			p.Route.Pattern = fmt.Sprint("GET /api/", i)
			used = append(used, store.TokenUsed{Token: list[i].ID, TokenUsage: hallpass.TokenUsage{Places: []hallpass.TokenPlace{p, place("10.0.0.2", noon.Add(time.Hour), noon.Add(time.Hour), 1)}}})
			list[i].LastUse = hallpass.Use{At: noon, Address: "10.0.0.1", UserAgent: "curl/8"}
		}
		addTokenUsage(t, db, used...)
		list[1].LastUse.Address = "10.0.0.9"
		list[2].LastUse = hallpass.Use{}
		read(t, db, func(tx *store.Tx) error { return tx.LastRoutes(list) })
		for i, tok := range list {
			want := fmt.Sprint("GET /api/", i)
			if i == 1 || i == 2 {
				want = ""
			}
			if got := tok.LastUse.Route; got != want {
				t.Errorf("token %d: %q, want %q", i, got, want)
			}
		}
		read(t, db, func(tx *store.Tx) error { return tx.LastRoutes(nil) })
	})
}

// TestTokenUsageIsBounded uses one token from and for very much: the latest stays.
func TestTokenUsageIsBounded(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		_, tok := newToken(t, db)
		at := noon
		for round := range 5 {
			u := store.TokenUsed{Token: tok.ID}
			for i := range 2000 {
				at = at.Add(time.Second)
				u.Places = append(u.Places, place(fmt.Sprintf("2001:db8::%d:%d", round, i), at, at, 1))
				u.Actions = append(u.Actions, hallpass.TokenAction{Action: "dashboards:read", Scope: hallpass.Scope(fmt.Sprint("dashboards:uid:", round, "-", i)), Last: at, Count: 1})
				u.Actions = append(u.Actions, hallpass.TokenAction{Action: hallpass.Action(fmt.Sprint("app:", round, "-", i%30)), Last: at, Count: 1})
			}
			addTokenUsage(t, db, u)
		}
		got := tokenUsage(t, db, tok.ID, time.Time{})
		if len(got.Places) != hallpass.MaxTokenPlaces || got.Places[0].Address != "2001:db8::4:1999" || got.Places[49].Address != "2001:db8::4:1950" {
			t.Errorf("%d places, from %v to %v", len(got.Places), got.Places[0].From, got.Places[len(got.Places)-1].From)
		}
		if len(got.Actions) != hallpass.MaxTokenActions {
			t.Errorf("%d actions", len(got.Actions))
		}
		scopes, rest := 0, int64(0)
		for _, a := range got.Actions {
			if a.Action == "dashboards:read" {
				scopes++
			}
			if a.Scope == hallpass.AnyScope && a.Last.Equal(at) {
				rest = a.Count
			}
		}
		if scopes > hallpass.MaxActionScopes+1 || rest < 9_000 {
			t.Errorf("%d rows of one action, %d uses without a scope of their own", scopes, rest)
		}
	})
}

// TestScopesOfAnAction keeps the first scopes of an action, one by one.
func TestScopesOfAnAction(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		_, tok := newToken(t, db)
		for range 2 {
			for i := range 30 {
				scope := hallpass.Scope(fmt.Sprintf("folders:uid:%02d", i))
				addTokenUsage(t, db, store.TokenUsed{Token: tok.ID, TokenUsage: hallpass.TokenUsage{Actions: []hallpass.TokenAction{{Action: "folders:read", Scope: scope, Last: noon, Count: 1}}}})
			}
		}
		list := tokenUsage(t, db, tok.ID, noon).Actions
		if len(list) != hallpass.MaxActionScopes+1 || list[0].Scope != hallpass.AnyScope || list[0].Count != 20 || list[20].Scope != "folders:uid:19" || list[20].Count != 2 {
			t.Errorf("%d actions: %v", len(list), list)
		}
	})
}

// addUsage adds usage of every kind to the only token of the account, and another,
// deleted, of which the account keeps the sums.
func addUsage(t *testing.T, db *store.DB, e everything) {
	t.Helper()
	var a hallpass.ServiceAccount
	var list []hallpass.Token
	read(t, db, func(tx *store.Tx) (err error) {
		if a, err = tx.ServiceAccount(e.org, e.account); err != nil {
			return err
		}
		list, err = tx.Tokens(e.org, e.account)
		return err
	})
	second, err := createToken(db, t.Context(), a, "deleted", noon, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	usage := hallpass.TokenUsage{
		Days: []hallpass.TokenDay{{Day: today, OK: 1}}, Places: []hallpass.TokenPlace{place("::1", noon, noon, 1)}, Actions: []hallpass.TokenAction{{Action: "orgs:read", Last: noon, Count: 1}},
	}
	addTokenUsage(t, db, store.TokenUsed{Token: list[0].ID, TokenUsage: usage}, store.TokenUsed{Token: second.ID, TokenUsage: usage})
	write(t, db, func(tx *store.Tx) error { return tx.DeleteToken(e.org, e.account, second.ID) })
}

// TestUsageOfAnAccount adds up what its tokens did, also those that are deleted.
func TestUsageOfAnAccount(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		a, tok := newToken(t, db)
		addUsage(t, db, everything{org: a.Org, account: a.ID})
		read(t, db, func(tx *store.Tx) error {
			used, err := tx.AccountActions(a.ID, noon)
			if d := cmp.Diff(used, []hallpass.TokenAction{{Action: "orgs:read", Last: noon, Count: 2}}); err != nil || d != "" {
				t.Errorf("actions: %v, got, want:\n%s", err, d)
			}
			if used, err = tx.AccountActions(a.ID, noon.Add(time.Microsecond)); err != nil || used != nil {
				t.Errorf("actions of later: %v, %v", used, err)
			}
			clients, err := tx.TokenClients(a.ID, noon)
			if d := cmp.Diff(clients, []store.TokenClient{{Token: tok.ID, TokenPlace: place("::1", noon, noon, 1)}}); err != nil || d != "" {
				t.Errorf("clients: %v, got, want:\n%s", err, d)
			}
			did, err := tx.TokenActions(a.ID, noon)
			if d := cmp.Diff(did, []store.TokenDid{{Token: tok.ID, TokenAction: hallpass.TokenAction{Action: "orgs:read", Last: noon, Count: 1}}}); err != nil || d != "" {
				t.Errorf("actions by token: %v, got, want:\n%s", err, d)
			}
			days, err := tx.TokenDays(a.Org, a.ID, today)
			if d := cmp.Diff(days, map[hallpass.TokenID][]hallpass.TokenDay{tok.ID: {{Day: today, OK: 1}}}); err != nil || d != "" {
				t.Errorf("days: %v, got, want:\n%s", err, d)
			}
			return nil
		})
	})
}

// TestUsageBegins keeps the first time.
func TestUsageBegins(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		began := func() (at time.Time) {
			read(t, db, func(tx *store.Tx) (err error) {
				at, err = tx.UsageBegan()
				return err
			})
			return at
		}
		if at := began(); !at.IsZero() {
			t.Errorf("before the beginning: %v", at)
		}
		for i := range 2 {
			if err := db.BeginTokenUsage(t.Context(), noon.Add(time.Duration(i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if at := began(); !at.Equal(noon) {
			t.Errorf("%v, want %v", at, noon)
		}
	})
}

// TestUsageYieldsToADeletion deletes a token whose usage another node adds: the change
// is not undone, and nothing of the token stays.
func TestUsageYieldsToADeletion(t *testing.T) {
	db := begun(t, hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t)))
	a, tok := newToken(t, db)
	used := store.TokenUsed{Token: tok.ID, TokenUsage: hallpass.TokenUsage{Days: []hallpass.TokenDay{{Day: today, OK: 1}}}}
	write(t, db, func(tx *store.Tx) error {
		if err := tx.DeleteToken(a.Org, a.ID, tok.ID); err != nil {
			return err
		}
		if err := db.AddTokenUsage(t.Context(), []store.TokenUsed{used}); hallpass.KindOf(err) != hallpass.Unavailable {
			t.Errorf("usage of a token that is being deleted: %v, want Unavailable", err)
		}
		return nil
	})
	addTokenUsage(t, db, used)
	if got := tokenUsage(t, db, tok.ID, time.Time{}); len(got.Days) > 0 {
		t.Errorf("%+v", got)
	}
}
