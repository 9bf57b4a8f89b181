package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// whereDead is the condition that the token t ended before the time $1, and replaces
// none that still works.
const whereDead = `((t.revoked_us > 0 AND t.revoked_us < $1) OR (t.expires_us > 0 AND t.expires_us < $1))
	AND NOT EXISTS (SELECT 1 FROM tokens o WHERE o.id = t.predecessor_id AND o.successor_id = t.id AND o.revoked_us = 0 AND (o.expires_us = 0 OR o.expires_us > $1))`

// DeadTokens returns up to limit tokens, of whatever org, that ended before the time, by
// ID.
func (tx *Tx) DeadTokens(before time.Time, limit int) ([]hallpass.Token, error) {
	list, err := all(tx, scanToken, `SELECT `+tokenColumns+` FROM tokens t WHERE `+whereDead+` ORDER BY t.id LIMIT $2`, micros(before), limit)
	if err != nil {
		return nil, fmt.Errorf("store: dead tokens: %w", err)
	}
	return list, nil
}

// DeadTokensOf is DeadTokens of one account of the org.
func (tx *Tx) DeadTokensOf(org hallpass.OrgID, account hallpass.ServiceAccountID, before time.Time, limit int) ([]hallpass.Token, error) {
	list, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t WHERE `+whereDead+` AND t.org_id = $2 AND t.service_account_id = $3 ORDER BY t.id LIMIT $4`,
		micros(before), org, account, limit)
	if err != nil {
		return nil, fmt.Errorf("store: dead tokens of service account %d: %w", account, err)
	}
	return list, nil
}
