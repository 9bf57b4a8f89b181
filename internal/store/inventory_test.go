package store_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// inventory makes tokens of three accounts in every state, and some of another org, and
// returns those of the first org with their accounts.
func inventory(t *testing.T, db *store.DB) (list []hallpass.TokenOfAccount) {
	t.Helper()
	org, other := newOrg(t, db, "Main Org."), newOrg(t, db, "Other")
	accounts := []hallpass.ServiceAccount{newAccount(t, db, org.ID, "Ärger"), newAccount(t, db, org.ID, "ci"), newAccount(t, db, other.ID, "ci")}
	accounts[0].Disabled, accounts[1].Owner = true, "team-a@example.com"
	for i, a := range accounts {
		write(t, db, func(tx *store.Tx) error { return tx.UpdateServiceAccount(a) })
		for j := range 24 {
			write(t, db, func(tx *store.Tx) error {
				tok, err := tx.CreateToken(variedToken(a, i, j))
				if err != nil {
					return err
				}
				tok.Name, tok.RevokedAt = variedToken(a, i, j).Name, revokedAt(tok)
				if i < 2 {
					list = append(list, hallpass.TokenOfAccount{Token: tok, Account: a})
				}
				return tx.UpdateToken(tok)
			})
		}
	}
	var uses []store.TokenUse
	for i := range list {
		if i%3 > 0 {
			list[i].Token.LastUse = hallpass.Use{At: noon.Add(-time.Duration(i%7) * time.Hour), Address: "::1"}
			uses = append(uses, store.TokenUse{Token: list[i].Token.ID, Use: list[i].Token.LastUse})
		}
	}
	if err := db.SaveUses(t.Context(), uses); err != nil {
		t.Fatal(err)
	}
	return list
}

func revokedAt(t hallpass.Token) time.Time {
	if t.Ended == "" {
		return time.Time{}
	}
	return noon.Add(-time.Hour)
}

// variedToken returns the jth token of the ith account: those whose numbers differ
// differ in what the inventory asks for.
func variedToken(a hallpass.ServiceAccount, i, j int) hallpass.Token {
	t := hallpass.Token{
		Org: a.Org, ServiceAccount: a.ID, Name: fmt.Sprintf("Deploy %d Ü_%02d", i, j/2*2), Hash: [32]byte{byte(i), byte(j)}, LastFour: fmt.Sprintf("ab%02d", j%5),
		CreatedAt: noon.AddDate(0, -1, 0), CreatedBy: "admin", ExpiresAt: noon.AddDate(0, 0, j%9-3),
	}
	if j%9 == 3 {
		t.ExpiresAt = time.Time{}
	}
	if j%2 == 1 { // has the name of the one before it, which gave it up
		t.Name = fmt.Sprintf("Deploy %d ü_%02d", i, j)
	}
	switch j % 6 {
	case 1:
		t.Ended = hallpass.EndedByHand
	case 2:
		t.Ended = hallpass.EndedRotated
	case 3:
		t.Pause.Since = noon.Add(-time.Hour)
	case 4:
		t.Rotation.Successor, t.Rotation.SuccessorEnd, t.Rotation.CloseAt = 99, time.UnixMicro(1), noon.AddDate(0, 0, j%7-1) // it is gone
		if j > 4 {
			t.Rotation.Successor, t.Rotation.SuccessorEnd = 4, time.Time{} // is paused, and never ends
		}
	}
	if j%4 == 0 {
		t.Owner = "me"
	}
	return t
}

// tokenPick is a query, and which tokens it picks.
type tokenPick struct {
	query store.TokenQuery
	pick  func(hallpass.TokenOfAccount) bool
}

// counted returns how many tokens of its view the query has.
func counted(t *testing.T, db *store.DB, q store.TokenQuery) (n int) {
	t.Helper()
	read(t, db, func(tx *store.Tx) error {
		counts, err := tx.CountTokens(q, append(hallpass.TokenViews(), hallpass.AllTokens))
		n = counts[q.View]
		return err
	})
	return n
}

// TestOrgTokens goes through the pages of the inventory in every order, with every
// filter, and compares them with what the same rules pick and sort in Go.
func TestOrgTokens(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		all := inventory(t, db)
		picks := map[string]tokenPick{
			"all":     {store.TokenQuery{}, func(hallpass.TokenOfAccount) bool { return true }},
			"owner":   {store.TokenQuery{Owner: "team-a@example.com"}, func(x hallpass.TokenOfAccount) bool { return x.Token.Owner == "" && x.Account.Owner != "" }},
			"account": {store.TokenQuery{Account: all[30].Account.ID}, func(x hallpass.TokenOfAccount) bool { return x.Account.ID == all[30].Account.ID }},
			"among":   {store.TokenQuery{Among: []hallpass.ServiceAccountID{all[0].Account.ID}}, func(x hallpass.TokenOfAccount) bool { return x.Account.ID == all[0].Account.ID }},
			"none":    {store.TokenQuery{Among: []hallpass.ServiceAccountID{}}, func(hallpass.TokenOfAccount) bool { return false }},
			"expiresBefore": {store.TokenQuery{ExpiresBefore: noon}, func(x hallpass.TokenOfAccount) bool {
				return !x.Token.EndsAt().IsZero() && x.Token.EndsAt().Before(noon)
			}},
			"expiresAfter": {store.TokenQuery{ExpiresAfter: noon}, func(x hallpass.TokenOfAccount) bool { return x.Token.Live(noon) }},
			"usedBefore": {store.TokenQuery{UsedBefore: noon.Add(-2 * time.Hour)}, func(x hallpass.TokenOfAccount) bool {
				at := noon.Add(-2 * time.Hour)
				return x.Token.LastUse.At.Before(at) && x.Token.CreatedAt.Before(at)
			}},
			"neverUsed":  {store.TokenQuery{NeverUsed: true}, func(x hallpass.TokenOfAccount) bool { return x.Token.LastUse.At.IsZero() }},
			"noExpiry":   {store.TokenQuery{NoExpiry: true}, func(x hallpass.TokenOfAccount) bool { return x.Token.EndsAt().IsZero() }},
			"lastFour":   {store.TokenQuery{LastFour: "ab03"}, func(x hallpass.TokenOfAccount) bool { return x.Token.LastFour == "ab03" }},
			"text":       {store.TokenQuery{Text: "DEPLOY 0"}, func(x hallpass.TokenOfAccount) bool { return strings.Contains(x.Token.Name, " 0 ") }},
			"text has _": {store.TokenQuery{Text: "_1"}, func(x hallpass.TokenOfAccount) bool { return strings.Contains(x.Token.Name, "_1") }},
			"account's":  {store.TokenQuery{Text: "äRGER"}, func(x hallpass.TokenOfAccount) bool { return x.Account.Name == "Ärger" }},
		}
		for _, s := range hallpass.TokenStates() {
			picks["state "+string(s)] = tokenPick{store.TokenQuery{State: s}, func(x hallpass.TokenOfAccount) bool { return x.Token.State(noon, x.Account.Disabled) == s }}
		}
		live := func(x hallpass.TokenOfAccount) bool { return x.Token.Live(noon) }
		for view, pick := range map[hallpass.TokenView]func(hallpass.TokenOfAccount) bool{
			hallpass.CurrentTokens: live,
			hallpass.TriedTokens:   func(x hallpass.TokenOfAccount) bool { return x.Token.ID == all[7].Token.ID },
			hallpass.EndingTokens: func(x hallpass.TokenOfAccount) bool {
				end := x.Token.EndsAt()
				return live(x) && !x.Token.Replaced(noon) && !end.IsZero() && !end.After(noon.Add(hallpass.EndsSoon))
			},
			hallpass.NeverEndingTokens: func(x hallpass.TokenOfAccount) bool { return live(x) && x.Token.EndsAt().IsZero() },
			hallpass.StaleTokens:       func(x hallpass.TokenOfAccount) bool { return false },
			hallpass.UnusedTokens:      func(x hallpass.TokenOfAccount) bool { return live(x) && x.Token.LastUse.At.IsZero() },
			hallpass.ReplacedTokens: func(x hallpass.TokenOfAccount) bool {
				return x.Token.State(noon, x.Account.Disabled) == hallpass.TokenOverlapping
			},
			hallpass.PausedTokens: func(x hallpass.TokenOfAccount) bool {
				return x.Token.State(noon, x.Account.Disabled) == hallpass.TokenPaused
			},
			hallpass.BlockedTokens: func(x hallpass.TokenOfAccount) bool {
				return x.Token.State(noon, x.Account.Disabled) == hallpass.TokenBlocked
			},
			hallpass.UnownedTokens: func(x hallpass.TokenOfAccount) bool { return live(x) && x.Token.Owner == "" && x.Account.Owner == "" },
			hallpass.EndedTokens:   func(x hallpass.TokenOfAccount) bool { return !live(x) },
		} {
			picks["view "+string(view)] = tokenPick{store.TokenQuery{View: view, Tried: []hallpass.TokenID{all[7].Token.ID}}, pick}
		}
		soon := store.TokenQuery{EndsWithin: 36 * time.Hour}
		picks["ends within"] = tokenPick{soon, func(x hallpass.TokenOfAccount) bool {
			return live(x) && !x.Token.Replaced(noon) && !x.Token.EndsAt().IsZero() && !x.Token.EndsAt().After(noon.Add(36*time.Hour))
		}}
		working := store.WorkingTokens{Org: all[0].Token.Org, Now: noon, NeverUsed: true}
		picks["works, never used"] = tokenPick{store.TokenQuery{Working: []store.WorkingTokens{working}}, func(x hallpass.TokenOfAccount) bool {
			return x.Token.LastUse.At.IsZero() && x.Token.State(noon, x.Account.Disabled) == hallpass.TokenLive
		}}
		picks["none works"] = tokenPick{store.TokenQuery{Working: []store.WorkingTokens{}}, func(hallpass.TokenOfAccount) bool { return false }}
		picks["current of an owner"] = tokenPick{store.TokenQuery{View: hallpass.CurrentTokens, Owner: "me"}, func(x hallpass.TokenOfAccount) bool { return live(x) && x.Token.Owner == "me" }}
		empty := []string{"none", "none works", "view stale"}
		for name, tt := range picks {
			for _, order := range hallpass.TokenOrders() {
				for _, descending := range []bool{false, true} {
					q := tt.query
					q.Org, q.Now, q.Order, q.Descending, q.Limit = all[0].Token.Org, noon, order, descending, 5
					want := sortedTokens(slices.DeleteFunc(slices.Clone(all), func(x hallpass.TokenOfAccount) bool { return !tt.pick(x) }), order, descending)
					if len(want) == 0 && !slices.Contains(empty, name) {
						t.Errorf("%s: the test has no token of this kind", name)
					}
					if got := walkInventory(t, db, q); !slices.Equal(got, want) {
						t.Errorf("%s by %s, descending %t:\n%v, want\n%v", name, order, descending, got, want)
					}
					if order != hallpass.ByName || descending {
						continue
					}
					if got := counted(t, db, q); got != len(want) {
						t.Errorf("%s: %d are counted, want %d", name, got, len(want))
					}
				}
			}
		}
	})
}

// sortedTokens returns the IDs of the tokens in the order.
func sortedTokens(list []hallpass.TokenOfAccount, order hallpass.TokenOrder, descending bool) (ids []hallpass.TokenID) {
	number := func(x hallpass.TokenOfAccount) int64 {
		switch order {
		case hallpass.ByEnd:
			if x.Token.EndsAt().IsZero() {
				return math.MaxInt64
			}
			return x.Token.EndsAt().UnixMicro()
		case hallpass.ByUse:
			if !x.Token.LastUse.At.IsZero() {
				return x.Token.LastUse.At.UnixMicro()
			}
		}
		return 0
	}
	slices.SortFunc(list, func(x, y hallpass.TokenOfAccount) int {
		c := cmp.Compare(number(x), number(y))
		if order == hallpass.ByName {
			c = strings.Compare(x.Token.Name, y.Token.Name)
		}
		if c = cmp.Or(c, cmp.Compare(x.Token.ID, y.Token.ID)); descending {
			return -c
		}
		return c
	})
	for _, x := range list {
		ids = append(ids, x.Token.ID)
	}
	return ids
}

// walkInventory returns the IDs on all pages, each of whose cursors goes through a
// request.
func walkInventory(t *testing.T, db *store.DB, q store.TokenQuery) (ids []hallpass.TokenID) {
	t.Helper()
	for {
		var page []hallpass.TokenOfAccount
		var next hallpass.TokenCursor
		read(t, db, func(tx *store.Tx) (err error) {
			page, next, err = tx.OrgTokens(q)
			return err
		})
		for _, x := range page {
			ids = append(ids, x.Token.ID)
		}
		if next == (hallpass.TokenCursor{}) {
			return ids
		}
		var ok bool
		if q.After, ok = hallpass.ParseTokenCursor(next.String()); !ok || q.After != next || len(page) != q.Limit {
			t.Fatalf("a page of %d, and the cursor %q is read as %+v", len(page), next, q.After)
		}
	}
}
