package hallpass

import (
	"cmp"
	"time"
)

// An AccountView picks service accounts by a question that people ask about them.
type AccountView string

// The views of service accounts.
const (
	AllAccounts         AccountView = ""
	FailingAccounts     AccountView = "failing"      // somebody tries a token that is refused
	EndingAccounts      AccountView = "ending"       // a live token that no other replaces ends within EndsSoon
	NeverEndingAccounts AccountView = "never-ending" // a live token never ends
	StaleAccounts       AccountView = "stale"        // there are live tokens, and none was used within Stale
	UnusedAccounts      AccountView = "unused"       // there are live tokens, and none was ever used
	BlockedAccounts     AccountView = "blocked"      // there are live tokens, and none may be used: they are paused, or the account is disabled
	UnownedAccounts     AccountView = "unowned"      // nobody is named who answers for it
	ExpiredAccounts     AccountView = "expired"      // a token has expired, and no other was made in its place
	DisabledAccounts    AccountView = "disabled"
)

const (
	// EndsSoon is how long before its end a token wants a look.
	EndsSoon = 14 * 24 * time.Hour
	// Stale is how long after its last use nobody seems to need a token.
	Stale = 90 * 24 * time.Hour
)

// AccountViews lists the views in the order in which lists offer them.
func AccountViews() []AccountView {
	return []AccountView{AllAccounts, FailingAccounts, EndingAccounts, NeverEndingAccounts, StaleAccounts, UnusedAccounts, BlockedAccounts, UnownedAccounts, ExpiredAccounts, DisabledAccounts}
}

// Picks reports whether the view shows the account at now. A view that there is not
// shows none.
func (v AccountView) Picks(s ServiceAccountSummary, now time.Time) bool {
	switch v {
	case AllAccounts:
		return true
	case FailingAccounts:
		return s.Failing > 0
	case EndingAccounts:
		return s.EndsWithin(now, EndsSoon)
	case NeverEndingAccounts:
		return s.NeverExpiring > 0
	case StaleAccounts:
		return s.LiveTokens > 0 && !s.LastUse.At.IsZero() && now.Sub(s.LastUse.At) > Stale
	case UnusedAccounts:
		return s.LiveTokens > 0 && s.LastUse.At.IsZero()
	case BlockedAccounts:
		return s.LiveTokens > 0 && s.Usable() == 0
	case UnownedAccounts:
		return s.Owner == ""
	case ExpiredAccounts:
		return s.Expired > 0
	case DisabledAccounts:
		return s.Disabled
	}
	return false
}

// An AccountSort is an order of service accounts.
type AccountSort string

// The orders of service accounts. Accounts that are equal in one come by name.
const (
	SortByEnd   AccountSort = "" // the soonest end first, then those that never end, then those without a live token
	SortByName  AccountSort = "name"
	SortByOwner AccountSort = "owner" // those without come last
	SortByUse   AccountSort = "used"  // the latest use first
)

// Compare orders two accounts at now, apart from their names. names compares two texts
// as people order them.
func (o AccountSort) Compare(a, b ServiceAccountSummary, now time.Time, names func(a, b string) int) int {
	switch o {
	case SortByEnd:
		ra, ea := a.endRank(now)
		rb, eb := b.endRank(now)
		return cmp.Or(cmp.Compare(ra, rb), ea.Compare(eb))
	case SortByOwner:
		if a.Owner == "" || b.Owner == "" {
			return cmp.Compare(len(b.Owner), len(a.Owner))
		}
		if NameKey(a.Owner) == NameKey(b.Owner) {
			return 0
		}
		return names(a.Owner, b.Owner)
	case SortByUse:
		return b.LastUse.At.Compare(a.LastUse.At)
	}
	return 0
}

// endRank returns the place of the account in SortByEnd: its rank, and among those of
// the rank the time.
func (s ServiceAccountSummary) endRank(now time.Time) (int, time.Time) {
	switch {
	case s.EndedLately(now):
		return 0, s.LastEnd
	case !s.NextExpiry.IsZero():
		return 0, s.NextExpiry
	case s.NeverExpiring > 0:
		return 1, time.Time{}
	case s.Tokens > 0:
		return 2, time.Time{}
	}
	return 3, time.Time{}
}

// EndsWithin reports whether one of the account's live tokens that no other replaces ends
// within d.
func (s ServiceAccountSummary) EndsWithin(now time.Time, d time.Duration) bool {
	return !s.NextExpiry.IsZero() && s.NextExpiry.Sub(now) <= d
}

// EndedLately reports whether the account is left without a live token since less than
// EndsSoon.
func (s ServiceAccountSummary) EndedLately(now time.Time) bool {
	return s.LiveTokens == 0 && !s.LastEnd.IsZero() && now.Sub(s.LastEnd) < EndsSoon
}
