package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// ExpiringTokens returns the live tokens of all orgs that expire soonest after
// now, limit of them, save those that were made to live shorter than shortest,
// those that another replaces already and those of disabled accounts.
func (tx *Tx) ExpiringTokens(now time.Time, shortest time.Duration, limit int) ([]hallpass.Token, error) {
	list, err := all(tx, scanToken, `
		SELECT `+tokenColumns+`
		FROM   tokens t
		WHERE  t.expires_us > 0 AND t.expires_us > $1 AND t.expires_us - t.created_us >= $2 AND `+notReplaced+`
		AND    EXISTS (SELECT 1 FROM service_accounts a WHERE a.id = t.service_account_id AND a.disabled = FALSE)
		ORDER  BY t.expires_us, t.id
		LIMIT  $3`, micros(now), shortest.Microseconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("store: expiring tokens: %w", err)
	}
	return list, nil
}
