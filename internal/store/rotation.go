package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// An Overlap is a token that another replaces, and what is known of the other.
type Overlap struct {
	Old       hallpass.Token
	Successor hallpass.Token // the zero Token: it is gone
}

// DueOverlaps returns tokens of all orgs that another replaces and that may have to
// end by now, those that closed first: whose time is over, or whose successor was used
// while nobody used them for as long as was asked. The rule is Token.Closes.
func (tx *Tx) DueOverlaps(now time.Time, limit int) ([]Overlap, error) {
	old, err := all(tx, scanToken, `
		SELECT `+tokenColumns+`
		FROM   tokens t LEFT JOIN tokens s ON s.id = t.successor_id
		WHERE  t.successor_id > 0 AND t.revoked_us = 0
		AND    (t.close_us <= $1 OR s.used_us > 0 AND `+successorWorks+`
		        AND (t.quiet_us = 0 OR $1 - CASE WHEN t.used_us > t.rotated_us THEN t.used_us ELSE t.rotated_us END >= t.quiet_us))
		ORDER  BY t.close_us, t.id
		LIMIT  $2`, micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("store: overlaps: %w", err)
	}
	return tx.withSuccessors(old)
}

// successorWorks says of the table s that its token may be used at $1, if its account
// is not disabled.
var successorWorks = ofTable("s", `
	t.revoked_us = 0 AND (`+endOfToken+` = 0 OR `+endOfToken+` > $1) AND (t.paused_us = 0 OR (t.paused_until_us > 0 AND t.paused_until_us <= $1))`)

// Overlap returns the token of the org, which another replaces, with the other; the
// zero Overlap if none replaces it or it has ended.
func (tx *Tx) Overlap(org hallpass.OrgID, id hallpass.TokenID) (Overlap, error) {
	old, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t WHERE t.org_id = $1 AND t.id = $2 AND t.successor_id > 0 AND t.revoked_us = 0`, org, id)
	if err != nil {
		return Overlap{}, fmt.Errorf("store: overlap of token %d: %w", id, err)
	}
	list, err := tx.withSuccessors(old)
	if err != nil || len(list) == 0 {
		return Overlap{}, err
	}
	return list[0], nil
}

func (tx *Tx) withSuccessors(old []hallpass.Token) ([]Overlap, error) {
	list := make([]Overlap, len(old))
	for i, t := range old {
		list[i].Old = t
		next, err := all(tx, scanToken, `SELECT `+tokenColumns+` FROM tokens t WHERE t.org_id = $1 AND t.id = $2`, t.Org, t.Rotation.Successor)
		if err != nil {
			return nil, fmt.Errorf("store: successor of token %d: %w", t.ID, err)
		}
		if len(next) > 0 {
			list[i].Successor = next[0]
		}
	}
	return list, nil
}

// LiveChain returns the tokens of the chain that the token is in, by ID, that were made
// before that time and have not ended at now.
func (tx *Tx) LiveChain(of hallpass.Token, before, now time.Time) ([]hallpass.Token, error) {
	list, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t
		WHERE  t.org_id = $1 AND t.service_account_id = $2 AND (t.chain_id = $3 OR t.id = $3) AND t.created_us < $4
		AND    t.revoked_us = 0 AND NOT `+tokenOver("$5")+`
		ORDER  BY t.id`, of.Org, of.ServiceAccount, of.Rotation.First(of.ID), micros(before), micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: chain of token %d: %w", of.ID, err)
	}
	return list, nil
}
