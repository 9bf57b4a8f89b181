package admin

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// An AccountListFilter picks and orders the accounts of a list. Its zero fields pick all.
type AccountListFilter struct {
	Query   string // part of the name or login, whatever the case
	View    hallpass.AccountView
	Owner   string        // exactly, whatever the case
	Ends    time.Duration // a token of it ends within so long
	Sort    hallpass.AccountSort
	Reverse bool
	Page    Page
	Names   func(a, b string) int // compares names as people order them; nil: by their folded form
}

// An AccountList is a page of accounts, and what there is on all pages.
type AccountList struct {
	Page   []hallpass.ServiceAccountSummary
	Total  int
	Counts map[hallpass.AccountView]int // of the accounts that the rest of the filter picks
	Owners []OwnerCount                 // of all accounts that the caller may read, by name
	All    int                          // how many those are
}

// An OwnerCount is how many accounts somebody answers for.
type OwnerCount struct {
	Owner    string
	Accounts int
}

// AccountList returns a page of the accounts that the caller may read, with the number
// of accounts that each view has.
func (a *Admin) AccountList(ctx context.Context, c hallpass.Caller, f AccountListFilter) (l AccountList, err error) {
	if err := a.Authorize(ctx, c, hallpass.ServiceAccountsRead, ""); err != nil {
		return l, err
	}
	now := a.now()
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		accounts, err := tx.AccountsAmong(c.Org, readable(c))
		if err != nil {
			return err
		}
		figures, err := tx.AccountFigures(c.Org, now)
		if err != nil {
			return err
		}
		tried, err := attention{Tx: tx, admin: a, caller: c, now: now, among: readable(c)}.tried()
		if err != nil {
			return err
		}
		failing := make(map[hallpass.ServiceAccountID]int)
		for _, r := range tried {
			failing[r.Account.ID]++
		}
		l.Owners, l.All = ownersOf(accounts), len(accounts)
		var picked []hallpass.ServiceAccountSummary
		picked, l.Counts = f.pick(accounts, figures, failing, now)
		f.sort(picked, now)
		l.Page, l.Total = SlicePage(picked, f.Page), len(picked)
		return complete(tx, c.Org, l.Page)
	})
	return l, err
}

// pick returns the accounts that the filter picks, and how many each view has of those
// that the rest of the filter picks.
func (f AccountListFilter) pick(accounts []hallpass.ServiceAccount, figures map[hallpass.ServiceAccountID]hallpass.TokenFigures, failing map[hallpass.ServiceAccountID]int, now time.Time) (picked []hallpass.ServiceAccountSummary, counts map[hallpass.AccountView]int) {
	counts = make(map[hallpass.AccountView]int)
	text, owner := hallpass.NameKey(f.Query), hallpass.NameKey(f.Owner)
	for _, account := range accounts {
		if text != "" && !strings.Contains(hallpass.NameKey(account.Name), text) && !strings.Contains(hallpass.NameKey(account.Login), text) {
			continue
		}
		if owner != "" && hallpass.NameKey(account.Owner) != owner {
			continue
		}
		s := hallpass.ServiceAccountSummary{ServiceAccount: account, TokenFigures: figures[account.ID], Failing: failing[account.ID]}
		if f.Ends > 0 && !s.EndsWithin(now, f.Ends) {
			continue
		}
		for _, v := range hallpass.AccountViews() {
			if v.Picks(s, now) {
				counts[v]++
			}
		}
		if f.View.Picks(s, now) {
			picked = append(picked, s)
		}
	}
	return picked, counts
}

// maxNamed is the length up to which a list is sorted by Names: that takes long for
// each pair.
const maxNamed = 1000

// sort orders the accounts.
func (f AccountListFilter) sort(list []hallpass.ServiceAccountSummary, now time.Time) {
	names := f.Names
	if names == nil || len(list) > maxNamed {
		names = byKey(list)
	}
	direction := 1
	if f.Reverse {
		direction = -1
	}
	slices.SortStableFunc(list, func(a, b hallpass.ServiceAccountSummary) int {
		if f.Sort == hallpass.SortByName {
			return direction * cmp.Or(names(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(direction*f.Sort.Compare(a, b, now, names), names(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// byKey compares the names and owners of the accounts by their folded form, which is
// made once.
func byKey(list []hallpass.ServiceAccountSummary) func(a, b string) int {
	keys := make(map[string]string, len(list))
	for _, s := range list {
		keys[s.Name], keys[s.Owner] = hallpass.NameKey(s.Name), hallpass.NameKey(s.Owner)
	}
	return func(a, b string) int { return cmp.Compare(keys[a], keys[b]) }
}

// complete fills in what a page shows of its accounts and nothing else needs.
func complete(tx *store.Tx, org hallpass.OrgID, page []hallpass.ServiceAccountSummary) error {
	if err := tx.FillLastUses(page); err != nil {
		return err
	}
	return fillGiven(tx, org, page)
}

// ownersOf counts the accounts by who answers for them, by name. What differs in case
// alone is one owner.
func ownersOf(accounts []hallpass.ServiceAccount) (list []OwnerCount) {
	at := make(map[string]int)
	for _, account := range accounts {
		if account.Owner == "" {
			continue
		}
		key := hallpass.NameKey(account.Owner)
		i, known := at[key]
		if !known {
			i, at[key] = len(list), len(list)
			list = append(list, OwnerCount{Owner: account.Owner})
		}
		list[i].Accounts++
	}
	slices.SortFunc(list, func(a, b OwnerCount) int {
		return cmp.Compare(hallpass.NameKey(a.Owner), hallpass.NameKey(b.Owner))
	})
	return list
}
