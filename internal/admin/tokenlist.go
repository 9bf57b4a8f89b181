package admin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A TokenListFilter picks and orders the tokens of a list. Its zero fields pick all.
type TokenListFilter struct {
	Query      string // part of the name of the token or of its account, whatever the case
	View       hallpass.TokenView
	Owner      string                    // of the token, or where it has none of its account
	Ends       time.Duration             // it ends within so long, and no token that lives replaces it
	Section    hallpass.AttentionSection // it has a row in this section of what needs doing, one of TokenListSections
	Order      hallpass.TokenOrder
	Descending bool
	After      hallpass.TokenCursor // zero: the first page
	Limit      int
}

// A TokenList is a page of tokens, and what there is on all pages.
type TokenList struct {
	Tokens []hallpass.TokenOfAccount
	Next   hallpass.TokenCursor                       // where the next page begins; zero: this is the last
	Counts map[hallpass.TokenView]int                 // of the tokens that the rest of the filter picks
	Owners []string                                   // of all tokens and accounts that the caller may read, by name, the first maxOwners
	Tried  map[hallpass.TokenID]hallpass.AttentionRow // of tokens that somebody tries although they are refused
}

// maxOwners is how many owners a list of tokens offers.
const maxOwners = 200

// TokenListSections are the sections of what needs doing whose tokens a list can be narrowed
// to: those about tokens that work.
func TokenListSections() []hallpass.AttentionSection {
	return []hallpass.AttentionSection{
		hallpass.AttentionExpiring, hallpass.AttentionNeverUsed, hallpass.AttentionIdle, hallpass.AttentionNeverEnds, hallpass.AttentionAboveLimit,
	}
}

// TokenList returns a page of the tokens of all accounts that the caller may read, with the
// number of tokens that each view has.
func (a *Admin) TokenList(ctx context.Context, c hallpass.Caller, f TokenListFilter) (l TokenList, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		s := attention{Tx: tx, admin: a, caller: c, now: a.now(), among: readable(c)}
		if l.Tried, err = s.tried(); err != nil {
			return err
		}
		q, err := s.listQuery(f, l.Tried)
		if err != nil {
			return err
		}
		if l.Tokens, l.Next, err = tx.OrgTokens(q); err != nil {
			return err
		}
		if l.Counts, err = tx.CountTokens(q, hallpass.TokenViews()); err != nil {
			return err
		}
		l.Owners, err = tx.TokenOwners(c.Org, s.among, maxOwners)
		slices.SortFunc(l.Owners, func(x, y string) int { return cmp.Compare(hallpass.NameKey(x), hallpass.NameKey(y)) })
		return err
	})
	return l, err
}

// TokenListPage is TokenList without what there is on other pages.
func (a *Admin) TokenListPage(ctx context.Context, c hallpass.Caller, f TokenListFilter) (p InventoryPage, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		s := attention{Tx: tx, admin: a, caller: c, now: a.now(), among: readable(c)}
		var tried map[hallpass.TokenID]hallpass.AttentionRow
		if f.View == hallpass.TriedTokens { // the others do not ask: an export has many pages
			if tried, err = s.tried(); err != nil {
				return err
			}
		}
		q, err := s.listQuery(f, tried)
		if err != nil {
			return err
		}
		p.Tokens, p.Next, err = tx.OrgTokens(q)
		return err
	})
	return p, err
}

// listQuery returns the query for the tokens that f picks. tried are the tokens that are, for
// the view of those.
func (s attention) listQuery(f TokenListFilter, tried map[hallpass.TokenID]hallpass.AttentionRow) (q store.TokenQuery, err error) {
	q = store.TokenQuery{
		Org: s.caller.Org, Among: s.among, Now: s.now, View: f.View, Owner: f.Owner, Text: f.Query, EndsWithin: f.Ends,
		Order: f.Order, Descending: f.Descending, After: f.After, Limit: f.Limit,
	}
	if q.Order == "" {
		q.Order = hallpass.ByEnd
	}
	if f.Section != "" {
		if _, q.Working, err = s.working(f.Section); err != nil {
			return q, err
		}
		if q.Working == nil { // nothing has a row there now
			q.Working = []store.WorkingTokens{}
		}
	}
	q.Tried = slices.Sorted(maps.Keys(tried))
	return q, nil
}
