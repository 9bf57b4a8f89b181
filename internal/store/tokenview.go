package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// liveToken is the condition that the token of the table t has not ended at the time now,
// which is SQL.
func liveToken(now string) string {
	return `t.revoked_us = 0 AND (` + tokenOrders[hallpass.ByEnd] + ` > ` + now + `)`
}

// endsBefore is the condition that the token of the table t ends by the time end, and no
// token that lives at now replaces it. Both times are SQL.
func endsBefore(now, end string) string {
	return liveToken(now) + ` AND ` + endOfToken + ` > 0 AND ` + endOfToken + ` <= ` + end + ` AND NOT ` + replaced(now)
}

// view is the condition that the token of the table t is in the view, at the time now.
// It binds with bind what it compares with.
func (q TokenQuery) view(v hallpass.TokenView, bind func(any) string) string {
	switch v { // these compare with nothing that is bound
	case hallpass.AllTokens:
		return "TRUE"
	case hallpass.TriedTokens:
		return `t.id IN ` + idList(q.Tried)
	case hallpass.NeverEndingTokens:
		return `t.revoked_us = 0 AND ` + endOfToken + ` = 0`
	}
	now := bind(micros(q.Now))
	owner := func(condition string) string {
		return `t.service_account_id IN (SELECT a.id FROM service_accounts a WHERE a.org_id = ` + bind(q.Org) + ` AND ` + condition + `)`
	}
	live := liveToken(now)
	paused := pausedToken(now)
	switch v {
	case hallpass.CurrentTokens:
		return live
	case hallpass.EndingTokens:
		return endsBefore(now, bind(micros(q.Now.Add(hallpass.EndsSoon))))
	case hallpass.StaleTokens:
		return live + ` AND t.used_us > 0 AND t.used_us < ` + bind(micros(q.Now.Add(-hallpass.Stale)))
	case hallpass.UnusedTokens:
		return live + ` AND t.used_us = 0`
	case hallpass.ReplacedTokens:
		return live + ` AND ` + replaced(now) + ` AND NOT (` + paused + `) AND NOT ` + owner(`a.disabled = TRUE`)
	case hallpass.PausedTokens:
		return live + ` AND ` + paused + ` AND NOT ` + owner(`a.disabled = TRUE`)
	case hallpass.BlockedTokens:
		return live + ` AND ` + owner(`a.disabled = TRUE`)
	case hallpass.UnownedTokens:
		return live + ` AND t.owner = '' AND ` + owner(`a.owner = ''`)
	}
	return `NOT (` + live + `)` // EndedTokens
}

// CountTokens returns how many of the tokens that q picks, apart from its view and its page,
// each of the views has.
func (tx *Tx) CountTokens(q TokenQuery, views []hallpass.TokenView) (map[hallpass.TokenView]int, error) {
	counts := make(map[hallpass.TokenView]int, len(views))
	if q.Among != nil && len(q.Among) == 0 {
		return counts, nil
	}
	q.View, q.After = hallpass.AllTokens, hallpass.TokenCursor{}
	var b bound
	var columns []string
	into, found := make([]any, len(views)), make([]int, len(views))
	for i, v := range views {
		columns = append(columns, `COUNT(CASE WHEN `+q.view(v, b.add)+` THEN 1 END)`)
		into[i] = &found[i]
	}
	where := q.where(&b)
	if err := tx.sql.QueryRow(`SELECT `+strings.Join(columns, ", ")+` FROM tokens t WHERE `+where, b.args...).Scan(into...); err != nil {
		return nil, fmt.Errorf("store: count tokens of org %d: %w", q.Org, err)
	}
	for i, v := range views {
		counts[v] = found[i]
	}
	return counts, nil
}

// TokenOwners returns who answers for tokens and accounts of the org, in no order.
func (tx *Tx) TokenOwners(org hallpass.OrgID, accounts []hallpass.ServiceAccountID, limit int) ([]string, error) {
	list, err := all(tx, func(r row) (owner string, err error) { return owner, r.Scan(&owner) }, `
		SELECT a.owner FROM service_accounts a WHERE a.org_id = $1 AND a.owner <> ''`+among(accounts)+`
		UNION SELECT t.owner FROM tokens t JOIN service_accounts a ON a.id = t.service_account_id WHERE t.org_id = $1 AND t.owner <> ''`+among(accounts)+`
		LIMIT $2`, org, limit)
	if err != nil {
		return nil, fmt.Errorf("store: owners of tokens of org %d: %w", org, err)
	}
	return list, nil
}

// working is the condition that one of the queries picks the token of the table t, whose
// account any query may name.
func working(b *bound, queries []WorkingTokens) string {
	var any []string
	for _, w := range queries {
		any = append(any, `t.id IN (SELECT t.id FROM tokens t JOIN service_accounts a ON a.id = t.service_account_id AND a.disabled = FALSE WHERE `+w.picks(b)+`)`)
	}
	if len(any) == 0 {
		return "FALSE"
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// ends makes the condition that the token ends within d.
func (q TokenQuery) ends(d time.Duration, bind func(any) string) string {
	return endsBefore(bind(micros(q.Now)), bind(micros(q.Now.Add(d))))
}
