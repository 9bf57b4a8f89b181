package store

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A TokenQuery picks a page of an org's tokens; zero fields pick all.
type TokenQuery struct {
	Org           hallpass.OrgID
	Among         []hallpass.ServiceAccountID // whose tokens; nil: all
	Now           time.Time
	State         hallpass.TokenState
	Account       hallpass.ServiceAccountID
	Owner         string    // the token's, or where it has none its account's
	ExpiresBefore time.Time // and will, or has ended
	ExpiresAfter  time.Time // or never, and nobody has ended it
	UsedBefore    time.Time // it was made and last used before this, or made before this and never used
	NeverUsed     bool
	NoExpiry      bool
	LastFour      string
	Text          string // part of the name or of that of the account, whatever the case
	View          hallpass.TokenView
	Tried         []hallpass.TokenID // those of the view TriedTokens
	EndsWithin    time.Duration      // it ends within so long, and no token that lives replaces it
	Working       []WorkingTokens    // one of them picks it, whatever its page; nil: any
	Order         hallpass.TokenOrder
	Descending    bool
	After         hallpass.TokenCursor // zero: the first page
	Limit         int
}

// neverEnds is in the order of ends where a token that never expires stands.
const neverEnds = math.MaxInt64

// tokenOrders are the expressions by which the table t is ordered; the indexes
// tokens_by_… have the same.
var tokenOrders = map[hallpass.TokenOrder]string{
	hallpass.ByName: "t.name", hallpass.ByCreation: "t.id",
	hallpass.ByEnd: "(CASE WHEN t.close_us > 0 AND (t.expires_us = 0 OR t.close_us < t.expires_us) THEN t.close_us WHEN t.expires_us = 0 THEN 9223372036854775807 ELSE t.expires_us END)",
	hallpass.ByUse: "t.used_us",
}

// OrgTokens returns a page of tokens with their accounts, in the order of q, and where
// the next page begins: zero if this is the last.
func (tx *Tx) OrgTokens(q TokenQuery) (list []hallpass.TokenOfAccount, next hallpass.TokenCursor, err error) {
	if q.Among != nil && len(q.Among) == 0 {
		return nil, next, nil
	}
	var b bound
	where := q.where(&b)
	by, order := tokenOrders[q.Order], "ASC"
	if q.Descending {
		order = "DESC"
	}
	sorted := by + " " + order
	if q.Order != hallpass.ByCreation {
		sorted += ", t.id " + order
	}
	limit := b.add(q.Limit + 1)
	// The page is cut first, so that only its rows are read whole.
	list, err = all(tx, scanTokenOfAccount, `
		WITH page AS (SELECT t.id AS id FROM tokens t WHERE `+where+` ORDER BY `+sorted+` LIMIT `+limit+`)
		SELECT `+tokenColumns+`, a.id, a.uid, a.name, a.login, a.role, a.disabled, a.owner, a.purpose
		FROM   page JOIN tokens t ON t.id = page.id JOIN service_accounts a ON a.id = t.service_account_id
		ORDER  BY `+sorted, b.args...)
	if err != nil {
		return nil, next, fmt.Errorf("store: tokens of org %d: %w", q.Org, err)
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		next = cursorOf(q.Order, list[len(list)-1].Token)
	}
	return list, next, nil
}

// cursorOf returns the place of the token in the order.
func cursorOf(o hallpass.TokenOrder, t hallpass.Token) hallpass.TokenCursor {
	c := hallpass.TokenCursor{ID: t.ID}
	switch o {
	case hallpass.ByName:
		c.Name = t.Name
	case hallpass.ByUse:
		c.Number = micros(t.LastUse.At)
	case hallpass.ByEnd:
		if c.Number = micros(t.EndsAt()); c.Number == 0 {
			c.Number = neverEnds
		}
	}
	return c
}

// where returns the conditions that q makes, apart from its limit.
func (q TokenQuery) where(b *bound) string {
	bind := b.add
	var all []string
	and := func(format string, binds ...any) { all = append(all, fmt.Sprintf(format, binds...)) }
	org := bind(q.Org)
	and("t.org_id = %s", org)
	if q.Among != nil {
		and("t.service_account_id IN %s", idList(q.Among))
	}
	if q.Account != 0 {
		and("t.service_account_id = %s", bind(q.Account))
	}
	if q.State != "" {
		now := bind(micros(q.Now))
		disabled := "t.service_account_id IN (SELECT a.id FROM service_accounts a WHERE a.org_id = " + org + " AND a.disabled = TRUE)"
		and("%s AND %s = %s", stateNeeds(q.State, now), stateOfToken(now, disabled), bind(string(q.State)))
	}
	if q.Owner != "" {
		owner := bind(q.Owner)
		and("(t.owner = %s OR t.owner = '' AND t.service_account_id IN (SELECT a.id FROM service_accounts a WHERE a.org_id = %s AND a.owner = %s))", owner, org, owner)
	}
	q.whereUsed(and, bind)
	q.whereViewed(and, b)
	if q.Text != "" {
		// A token that gave up its name has no key: of its name only ASCII letters are folded.
		text, plain := bind(contains(q.Text)), bind(containsKey(strings.ToLower(q.Text)))
		and(`(t.name_key LIKE %s ESCAPE '\' OR t.name_key = '' AND LOWER(t.name) LIKE %s ESCAPE '\'
			OR t.service_account_id IN (SELECT a.id FROM service_accounts a WHERE a.org_id = %s AND a.name_key LIKE %s ESCAPE '\'))`, text, plain, org, text)
	}
	if q.After != (hallpass.TokenCursor{}) {
		q.from(and, bind)
	}
	return strings.Join(all, " AND ")
}

// whereViewed makes the conditions of the questions that people ask.
func (q TokenQuery) whereViewed(and func(string, ...any), b *bound) {
	if q.View != hallpass.AllTokens {
		and("%s", q.view(q.View, b.add))
	}
	if q.EndsWithin > 0 {
		and("%s", q.ends(q.EndsWithin, b.add))
	}
	if q.Working != nil {
		and("%s", working(b, q.Working))
	}
}

// whereUsed makes the conditions on when the token ends and was used, and on what it
// looks like.
func (q TokenQuery) whereUsed(and func(string, ...any), bind func(any) string) {
	if !q.ExpiresBefore.IsZero() {
		and("%s < %s", tokenOrders[hallpass.ByEnd], bind(micros(q.ExpiresBefore)))
	}
	if !q.ExpiresAfter.IsZero() {
		and("t.revoked_us = 0 AND %s > %s", tokenOrders[hallpass.ByEnd], bind(micros(q.ExpiresAfter)))
	}
	if !q.UsedBefore.IsZero() {
		at := bind(micros(q.UsedBefore))
		and("t.used_us < %s", at)
		and("t.created_us < %s", at) // a younger token was not left unused for so long
	}
	if q.NeverUsed {
		and("t.used_us = 0")
	}
	if q.NoExpiry {
		and("%s = 0", endOfToken)
	}
	if q.LastFour != "" {
		and("t.last_four = %s", bind(q.LastFour))
	}
}

// from makes the condition that tokens come after q.After.
func (q TokenQuery) from(and func(string, ...any), bind func(any) string) {
	than := ">"
	if q.Descending {
		than = "<"
	}
	switch by := tokenOrders[q.Order]; q.Order {
	case hallpass.ByCreation:
		and("t.id %s %s", than, bind(q.After.ID))
	case hallpass.ByName:
		and("(%s, t.id) %s (%s, %s)", by, than, bind(q.After.Name), bind(q.After.ID))
	default:
		and("(%s, t.id) %s (%s, %s)", by, than, bind(q.After.Number), bind(q.After.ID))
	}
}

// stateNeeds is a condition that a token of the state meets at the time now, beside
// others, and most tokens do not: it is asked first, for it costs less than the state.
func stateNeeds(s hallpass.TokenState, now string) string {
	switch s {
	case hallpass.TokenPaused:
		return "t.paused_us > 0"
	case hallpass.TokenOverlapping:
		return "t.successor_id > 0 AND t.revoked_us = 0"
	case hallpass.TokenRotated:
		return "(t.successor_id > 0 OR t.revoked_us > 0)"
	case hallpass.TokenRevoked:
		return "t.revoked_us > 0"
	case hallpass.TokenExpired:
		return "t.revoked_us = 0 AND " + tokenOver(now)
	}
	return "TRUE"
}

func scanTokenOfAccount(r row) (t hallpass.TokenOfAccount, err error) {
	a := &t.Account
	var role string
	if t.Token, err = scanTokenAnd(r, &a.ID, &a.UID, &a.Name, &a.Login, &role, &a.Disabled, &a.Owner, &a.Purpose); err != nil {
		return t, err
	}
	a.Org = t.Token.Org
	a.Role, err = roleOf(role)
	return t, err
}

// TokenOfAccount returns the token of whichever account of the org, with the account;
// NotFound when org has none with that ID.
func (tx *Tx) TokenOfAccount(org hallpass.OrgID, id hallpass.TokenID) (t hallpass.TokenOfAccount, err error) {
	if t.Token, err = tx.OrgToken(org, id); err != nil {
		return t, err
	}
	t.Account, err = tx.ServiceAccount(org, t.Token.ServiceAccount)
	return t, err
}
