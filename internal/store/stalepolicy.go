package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const policyColumns = `org_id, stale_days, warn_days, pauses, revoke_days, exempt, updated_us, updated_by`

func scanPolicy(r row) (p hallpass.StalePolicy, err error) {
	var warnings, exempt string
	var updated int64
	if err := r.Scan(&p.Org, &p.AfterDays, &warnings, &p.Pause, &p.RevokeDays, &exempt, &updated, &p.UpdatedBy); err != nil {
		return p, err
	}
	p.UpdatedAt = fromMicros(updated)
	return p, errors.Join(json.Unmarshal([]byte(warnings), &p.WarnDays), json.Unmarshal([]byte(exempt), &p.Exempt))
}

// StalePolicy returns what the org does about tokens that nobody uses; the zero policy
// when it never said.
func (tx *Tx) StalePolicy(org hallpass.OrgID) (hallpass.StalePolicy, error) {
	p, err := scanPolicy(tx.sql.QueryRow(`SELECT `+policyColumns+` FROM token_policies WHERE org_id = $1`, org))
	if errors.Is(err, sql.ErrNoRows) {
		return hallpass.StalePolicy{Org: org}, nil
	}
	if err != nil {
		return p, fmt.Errorf("store: token policy of org %d: %w", org, err)
	}
	return p, nil
}

// StalePolicies returns the policies of all orgs that do anything, by org.
func (tx *Tx) StalePolicies() ([]hallpass.StalePolicy, error) {
	list, err := all(tx, scanPolicy, `SELECT `+policyColumns+` FROM token_policies WHERE stale_days > 0 ORDER BY org_id`)
	if err != nil {
		return nil, fmt.Errorf("store: token policies: %w", err)
	}
	return list, nil
}

// SetStalePolicy stores the policy of its org.
func (tx *Tx) SetStalePolicy(p hallpass.StalePolicy) error {
	warnings, err := encodeJSON(append([]int{}, p.WarnDays...))
	if err != nil {
		return err
	}
	exempt, err := encodeJSON(append([]string{}, p.Exempt...))
	if err != nil {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO token_policies (`+policyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id) DO UPDATE SET stale_days = excluded.stale_days, warn_days = excluded.warn_days, pauses = excluded.pauses,
			revoke_days = excluded.revoke_days, exempt = excluded.exempt, updated_us = excluded.updated_us, updated_by = excluded.updated_by`,
		p.Org, p.AfterDays, warnings, p.Pause, p.RevokeDays, exempt, micros(p.UpdatedAt), p.UpdatedBy)
	if err != nil {
		return fmt.Errorf("store: set token policy of org %d: %w", p.Org, err)
	}
	return nil
}

// ServiceAccountsNamed returns the org's accounts that the text names: the one with this
// ID, or else with this login, or else all with this name.
func (tx *Tx) ServiceAccountsNamed(org hallpass.OrgID, text string) ([]hallpass.ServiceAccountID, error) {
	id, _ := hallpass.ParseID(text)
	list, err := all(tx, func(r row) (found struct {
		id   hallpass.ServiceAccountID
		rank int
	}, err error) {
		return found, r.Scan(&found.id, &found.rank)
	}, `SELECT id, CASE WHEN id = $2 THEN 1 WHEN login_key = $3 THEN 2 ELSE 3 END AS named
		FROM service_accounts WHERE org_id = $1 AND (id = $2 OR login_key = $3 OR name_key = $3) ORDER BY named, id`, org, id, hallpass.NameKey(text))
	if err != nil {
		return nil, fmt.Errorf("store: service accounts by name: %w", err)
	}
	var ids []hallpass.ServiceAccountID
	for _, found := range list {
		if found.rank == list[0].rank {
			ids = append(ids, found.id)
		}
	}
	return ids, nil
}

// A StaleToken is a token with what the policy of its org has noted about it.
type StaleToken struct {
	Token     hallpass.Token
	Staleness hallpass.Staleness
}

// StaleTokens returns up to limit of the org's tokens after the one given, by ID, that
// have not ended: those that were made and last used before the time, those that are
// paused, and those about which something is noted.
func (tx *Tx) StaleTokens(org hallpass.OrgID, now, before time.Time, accounts []hallpass.ServiceAccountID, after hallpass.TokenID, limit int) ([]StaleToken, error) {
	ids, err := all(tx, func(r row) (id hallpass.TokenID, err error) { return id, r.Scan(&id) }, `
		SELECT t.id FROM tokens t JOIN service_accounts a ON a.id = t.service_account_id LEFT JOIN stale_tokens s ON s.token_id = t.id
		WHERE  t.org_id = $1 AND t.revoked_us = 0 AND NOT `+tokenOver("$2")+` AND t.id > $3
		AND    (t.created_us <= $4 AND t.used_us <= $4 OR t.paused_us > 0 OR s.token_id IS NOT NULL)`+among(accounts)+`
		ORDER  BY t.id LIMIT $5`, org, micros(now), int64(after), micros(before), limit)
	if err != nil {
		return nil, fmt.Errorf("store: stale tokens of org %d: %w", org, err)
	}
	return tx.StaleTokensByID(org, ids)
}

// StaleTokensByID returns those of the org's tokens that have one of the IDs, in the
// order of the IDs, with what is noted about them.
func (tx *Tx) StaleTokensByID(org hallpass.OrgID, ids []hallpass.TokenID) ([]StaleToken, error) {
	tokens, err := tx.TokensByID(org, ids)
	if err != nil || len(tokens) == 0 {
		return nil, err
	}
	noted := make(map[hallpass.TokenID]hallpass.Staleness)
	_, err = all(tx, func(r row) (id hallpass.TokenID, err error) {
		var s hallpass.Staleness
		var since, floor, warned int64
		err = r.Scan(&id, &s.Phase, &since, &floor, &warned, &s.Warning)
		s.Since, s.Floor, s.Warned = fromMicros(since), fromMicros(floor), fromMicros(warned)
		noted[id] = s
		return id, err
	}, `SELECT token_id, phase, since_us, floor_us, warned_us, warning FROM stale_tokens WHERE token_id IN `+idList(ids))
	if err != nil {
		return nil, fmt.Errorf("store: what is noted about stale tokens: %w", err)
	}
	list := make([]StaleToken, 0, len(tokens))
	for _, id := range ids {
		if t, ok := tokens[id]; ok {
			list = append(list, StaleToken{t, noted[id]})
		}
	}
	return list, nil
}

// SetStaleness notes the staleness of the token; the zero one removes what was noted.
func (tx *Tx) SetStaleness(id hallpass.TokenID, s hallpass.Staleness) error {
	if s.IsZero() {
		return tx.steps("forget a stale token", do(`DELETE FROM stale_tokens WHERE token_id = $1`, id))
	}
	return tx.steps("note a stale token", do(`
		INSERT INTO stale_tokens (token_id, phase, since_us, floor_us, warned_us, warning) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (token_id) DO UPDATE SET phase = excluded.phase, since_us = excluded.since_us, floor_us = excluded.floor_us,
			warned_us = excluded.warned_us, warning = excluded.warning`,
		id, string(s.Phase), micros(s.Since), micros(s.Floor), micros(s.Warned), s.Warning))
}
