package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const tokenColumns = `t.id, t.org_id, t.service_account_id, t.name, t.hash, t.last_four, t.created_us, t.created_by, t.expires_us, t.revoked_us,
	t.used_us, t.used_address, t.used_agent`

func scanToken(r row) (hallpass.Token, error) {
	var t hallpass.Token
	var hash []byte
	var created, expires, revoked, used int64
	err := r.Scan(&t.ID, &t.Org, &t.ServiceAccount, &t.Name, &hash, &t.LastFour, &created, &t.CreatedBy, &expires, &revoked,
		&used, &t.LastUse.Address, &t.LastUse.UserAgent)
	if err != nil {
		return hallpass.Token{}, err
	}
	t.Hash = [32]byte(hash)
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUse.At = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	return t, nil
}

// CreateToken stores a new token and returns it with its ID. A name that a
// live token of the org has at t.CreatedAt is a Conflict; a dead one gives it
// up.
func (tx *Tx) CreateToken(t hallpass.Token) (hallpass.Token, error) {
	key := hallpass.NameKey(t.Name)
	_, err := tx.exec(`
		UPDATE tokens SET name_key = ''
		WHERE  org_id = $1 AND name_key = $2 AND name_key <> '' AND (revoked_us > 0 OR (expires_us > 0 AND expires_us <= $3))`,
		t.Org, key, micros(t.CreatedAt))
	if err != nil {
		return hallpass.Token{}, fmt.Errorf("store: create token: %w", err)
	}
	id, err := tx.nextID("token")
	if err != nil {
		return hallpass.Token{}, err
	}
	t.ID = hallpass.TokenID(id)
	_, err = tx.exec(`
		INSERT INTO tokens (id, org_id, service_account_id, name, name_key, hash, last_four, created_us, created_by, expires_us,
		                    revoked_us, used_us, used_address, used_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, '', '')`,
		t.ID, t.Org, t.ServiceAccount, t.Name, key, t.Hash[:], t.LastFour, micros(t.CreatedAt), t.CreatedBy, micros(t.ExpiresAt))
	if isUnique(err) {
		return hallpass.Token{}, &hallpass.Error{
			Kind: hallpass.Conflict, ID: "serviceaccounts.ErrTokenAlreadyExists", Field: "name",
			Message: "service account token with given name already exists in the organization",
		}
	}
	if err != nil {
		return hallpass.Token{}, fmt.Errorf("store: create token: %w", err)
	}
	return t, nil
}

// Tokens returns the account's tokens by name; none when org has no such
// account.
func (tx *Tx) Tokens(org hallpass.OrgID, account hallpass.ServiceAccountID) ([]hallpass.Token, error) {
	list, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t WHERE t.org_id = $1 AND t.service_account_id = $2 ORDER BY t.name, t.id`, org, account)
	if err != nil {
		return nil, fmt.Errorf("store: tokens of service account %d: %w", account, err)
	}
	return list, nil
}

// TokenPage returns limit of the account's tokens from the offset on, and how
// many there are: those of the state, "" for all, by name. Live ones come first
// if that is asked. None is blocked here: the account is not looked at.
func (tx *Tx) TokenPage(org hallpass.OrgID, account hallpass.ServiceAccountID, state hallpass.TokenState, liveFirst bool, now time.Time, limit, offset int) ([]hallpass.Token, int, error) {
	const (
		live  = `t.revoked_us = 0 AND (t.expires_us = 0 OR t.expires_us > $3)`
		is    = `CASE WHEN t.revoked_us > 0 THEN 'revoked' WHEN ` + live + ` THEN 'live' ELSE 'expired' END`
		which = ` FROM tokens t WHERE t.org_id = $1 AND t.service_account_id = $2 AND $4 IN ('', ` + is + `)`
	)
	order := ""
	if liveFirst {
		order = `CASE WHEN ` + live + ` THEN 0 ELSE 1 END, `
	}
	args := []any{org, account, micros(now), string(state)}
	var total int
	if err := tx.sql.QueryRow(`SELECT COUNT(*)`+which, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store: count tokens of service account %d: %w", account, err)
	}
	list, err := all(tx, scanToken, `SELECT `+tokenColumns+which+` ORDER BY `+order+`t.name, t.id LIMIT $5 OFFSET $6`, append(args, limit, offset)...)
	if err != nil {
		return nil, 0, fmt.Errorf("store: tokens of service account %d: %w", account, err)
	}
	return list, total, nil
}

// Token returns the token; NotFound when the org's account has none with that
// ID.
func (tx *Tx) Token(org hallpass.OrgID, account hallpass.ServiceAccountID, id hallpass.TokenID) (hallpass.Token, error) {
	t, err := scanToken(tx.sql.QueryRow(`
		SELECT `+tokenColumns+` FROM tokens t WHERE t.org_id = $1 AND t.service_account_id = $2 AND t.id = $3`, org, account, id))
	if err != nil {
		return hallpass.Token{}, notFound(fmt.Errorf("store: token %d: %w", id, err), "serviceaccounts.ErrTokenNotFound", "service account token not found")
	}
	return t, nil
}

// OrgToken returns the token of whichever account of the org; NotFound when org
// has none with that ID.
func (tx *Tx) OrgToken(org hallpass.OrgID, id hallpass.TokenID) (hallpass.Token, error) {
	t, err := scanToken(tx.sql.QueryRow(`SELECT `+tokenColumns+` FROM tokens t WHERE t.org_id = $1 AND t.id = $2`, org, id))
	if err != nil {
		return hallpass.Token{}, notFound(fmt.Errorf("store: token %d: %w", id, err), "serviceaccounts.ErrTokenNotFound", "service account token not found")
	}
	return t, nil
}

// TokenByHash returns the token with that hash, of whatever org; NotFound when
// there is none.
func (tx *Tx) TokenByHash(hash [32]byte) (hallpass.Token, error) {
	t, err := scanToken(tx.sql.QueryRow(`SELECT `+tokenColumns+` FROM tokens t WHERE t.hash = $1`, hash[:]))
	if err != nil {
		return hallpass.Token{}, notFound(fmt.Errorf("store: token by hash: %w", err), "", "unknown token")
	}
	return t, nil
}

// DeleteToken removes the token for good. NotFound when the org's account has
// none with that ID.
func (tx *Tx) DeleteToken(org hallpass.OrgID, account hallpass.ServiceAccountID, id hallpass.TokenID) error {
	n, err := tx.exec(`DELETE FROM tokens WHERE org_id = $1 AND service_account_id = $2 AND id = $3`, org, account, id)
	if err != nil {
		return fmt.Errorf("store: delete token %d: %w", id, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrTokenNotFound", Message: "service account token not found"}
	}
	return nil
}

// RevokeToken marks the token revoked from at on. The first revocation stands;
// a second changes nothing. NotFound when org has no such token.
func (tx *Tx) RevokeToken(org hallpass.OrgID, id hallpass.TokenID, at time.Time) error {
	n, err := tx.exec(`
		UPDATE tokens
		SET    revoked_us = CASE revoked_us WHEN 0 THEN $1 ELSE revoked_us END
		WHERE  org_id = $2 AND id = $3`, micros(at), org, id)
	if err != nil {
		return fmt.Errorf("store: revoke token %d: %w", id, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrTokenNotFound", Message: "service account token not found"}
	}
	return nil
}
