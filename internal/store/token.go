package store

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

var tokenColumns = `t.id, t.org_id, t.service_account_id, t.name, t.hash, t.last_four, t.created_us, t.created_by, t.expires_us, t.revoked_us,
	t.used_us, t.used_address, t.used_agent, t.owner, t.purpose, t.self_rotate, t.renew_until_us,
	t.chain_id, t.generation, t.predecessor_id, t.successor_id, t.rotated_us, t.close_us, t.quiet_us, t.rotation_key, t.reissued_us, ` + successorEnd + `, ` +
	fileOf("token", "t.org_id", "t.id") + `, ` + powerColumns

// successorEnd is when the token that replaces that of the table t ends, or has ended, in
// microseconds; 0 is never, or that there is none. One that is gone has ended long ago.
var successorEnd = `(CASE WHEN t.successor_id = 0 THEN 0 ELSE COALESCE((
	SELECT CASE WHEN n.revoked_us > 0 THEN n.revoked_us ELSE ` + ofTable("n", endOfToken) + ` END FROM tokens n WHERE n.id = t.successor_id), 1) END)`

// ofTable is a text about the table t as one about another.
func ofTable(name, text string) string { return strings.ReplaceAll(text, "t.", name+".") }

func scanToken(r row) (hallpass.Token, error) { return scanTokenAnd(r) }

// scanTokenAnd scans the columns of a token, and those that follow them into more.
func scanTokenAnd(r row, more ...any) (hallpass.Token, error) {
	var t hallpass.Token
	var hash []byte
	var key string
	var created, expires, revoked, used, renew, rotated, closes, quiet, reissued, successorEnd int64
	n, power := &t.Rotation, storedPower{token: &t}
	err := r.Scan(append(append([]any{
		&t.ID, &t.Org, &t.ServiceAccount, &t.Name, &hash, &t.LastFour, &created, &t.CreatedBy, &expires, &revoked,
		&used, &t.LastUse.Address, &t.LastUse.UserAgent, &t.Owner, &t.Purpose, &t.SelfRotate, &renew,
		&n.Chain, &n.Generation, &n.Predecessor, &n.Successor, &rotated, &closes, &quiet, &key, &reissued, &successorEnd, &t.File,
	}, power.columns()...), more...)...)
	if err != nil {
		return hallpass.Token{}, err
	}
	t.Hash = [32]byte(hash)
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUse.At = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	t.RenewUntil, n.At, n.CloseAt, n.Quiet = fromMicros(renew), fromMicros(rotated), fromMicros(closes), time.Duration(quiet)*time.Microsecond
	n.ReissuedAt, n.SuccessorEnd = fromMicros(reissued), fromMicros(successorEnd)
	if n.Key, err = decodeKey(key); err != nil {
		return hallpass.Token{}, fmt.Errorf("store: key of the rotation of token %d: %w", t.ID, err)
	}
	return t, power.read()
}

// encodeKey returns the column rotation_key; decodeKey reads it.
func encodeKey(key [32]byte) string {
	if key == ([32]byte{}) {
		return ""
	}
	return hex.EncodeToString(key[:])
}

func decodeKey(text string) (key [32]byte, err error) {
	if text == "" {
		return key, nil
	}
	if len(text) != hex.EncodedLen(len(key)) {
		return key, hex.ErrLength
	}
	_, err = hex.Decode(key[:], []byte(text))
	return key, err
}

// freeTokenName has the org's tokens that are dead at now give the name up, and that
// of the predecessor: whoever takes the name is its successor.
func (tx *Tx) freeTokenName(org hallpass.OrgID, key string, predecessor hallpass.TokenID, now time.Time) error {
	_, err := tx.exec(`
		UPDATE tokens SET name_key = ''
		WHERE  org_id = $1 AND name_key = $2 AND name_key <> ''
		AND    (revoked_us > 0 OR (expires_us > 0 AND expires_us <= $3) OR id = $4)`,
		org, key, micros(now), predecessor)
	return err
}

// nameHeld reports whether a live token of the org has the name although the column
// name_key does not say so: it gave the name up to the token that replaced it, which has
// ended before it. The token that takes the name may be related to one of those: as the one
// that replaces it, or as itself.
//
// The plus keeps SQLite from an index that starts with the org: it would read all tokens of
// the org for each new one. The index of the tokens that others replace has few rows.
func (tx *Tx) nameHeld(org hallpass.OrgID, key string, related hallpass.TokenID, now time.Time) (bool, error) {
	names, err := all(tx, func(r row) (name string, err error) { return name, r.Scan(&name) }, `
		SELECT t.name FROM tokens t
		WHERE  +t.org_id = $1 AND t.successor_id > 0 AND `+liveToken("$2")+` AND NOT `+replaced("$2")+`
		AND    t.id <> $3 AND t.successor_id <> $3`, org, micros(now), related)
	return slices.ContainsFunc(names, func(name string) bool { return hallpass.NameKey(name) == key }), err
}

// nameTaken is nameHeld, and whether another token has the key.
func (tx *Tx) nameTaken(t hallpass.Token, now time.Time) (taken bool, err error) {
	key := hallpass.NameKey(t.Name)
	if taken, err = tx.nameHeld(t.Org, key, t.ID, now); err != nil || taken {
		return taken, err
	}
	err = tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM tokens WHERE org_id = $1 AND name_key = $2 AND id <> $3 AND id <> $4)`,
		t.Org, key, t.ID, t.Rotation.Successor).Scan(&taken)
	return taken, err
}

// TokenNameFree returns the Conflict of CreateToken, and the token, if a live token of the
// org has the name now.
func (tx *Tx) TokenNameFree(org hallpass.OrgID, name string, now time.Time) (has hallpass.Token, err error) {
	has, err = scanToken(tx.sql.QueryRow(`
		SELECT `+tokenColumns+` FROM tokens t
		WHERE  t.org_id = $1 AND t.name_key = $2 AND `+liveToken("$3"), org, hallpass.NameKey(name), micros(now)))
	if err == nil {
		return has, errTokenNameTaken
	}
	if err = notFound(fmt.Errorf("store: name of a token: %w", err), "", ""); hallpass.KindOf(err) == hallpass.NotFound {
		return hallpass.Token{}, nil
	}
	return hallpass.Token{}, err
}

// CreateToken stores a new token and returns it with its ID. A name that a
// live token of the org has at t.CreatedAt is a Conflict; a dead one gives it
// up, and so does the token that it replaces.
func (tx *Tx) CreateToken(t hallpass.Token) (hallpass.Token, error) {
	key := hallpass.NameKey(t.Name)
	if err := tx.freeTokenName(t.Org, key, t.Rotation.Predecessor, t.CreatedAt); err != nil {
		return hallpass.Token{}, fmt.Errorf("store: create token: %w", err)
	}
	if held, err := tx.nameHeld(t.Org, key, t.Rotation.Predecessor, t.CreatedAt); err != nil {
		return hallpass.Token{}, fmt.Errorf("store: create token: %w", err)
	} else if held {
		return hallpass.Token{}, errTokenNameTaken
	}
	id, err := tx.nextID("token")
	if err != nil {
		return hallpass.Token{}, err
	}
	t.ID = hallpass.TokenID(id)
	t.Rotation.Generation = max(t.Rotation.Generation, 1)
	values, err := changeable(t, key)
	if err != nil {
		return hallpass.Token{}, fmt.Errorf("store: create token: %w", err)
	}
	args := []any{t.ID, t.Org, t.ServiceAccount, micros(t.CreatedAt), t.CreatedBy}
	_, err = tx.exec(`
		INSERT INTO tokens (id, org_id, service_account_id, created_us, created_by, used_us, used_address, used_agent, `+changeableNames+`)
		VALUES ($1, $2, $3, $4, $5, 0, '', '', `+binds(&args, values)+`)`, args...)
	if isUnique(err) {
		return hallpass.Token{}, errTokenNameTaken
	}
	if err != nil {
		return hallpass.Token{}, fmt.Errorf("store: create token: %w", err)
	}
	return t, nil
}

var (
	errTokenNameTaken = &hallpass.Error{
		Kind: hallpass.Conflict, ID: "serviceaccounts.ErrTokenAlreadyExists", Field: "name",
		Message: "service account token with given name already exists in the organization",
	}
	errTokenNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrTokenNotFound", Message: "service account token not found"}
)

// RenameToken is UpdateToken for a token that gets another name at now, which dead
// tokens of the org give up. A token that was replaced may have the name of the one that
// replaces it.
func (tx *Tx) RenameToken(t hallpass.Token, now time.Time) error {
	if err := tx.freeTokenName(t.Org, hallpass.NameKey(t.Name), 0, now); err != nil {
		return fmt.Errorf("store: rename token %d: %w", t.ID, err)
	}
	if taken, err := tx.nameTaken(t, now); err != nil {
		return fmt.Errorf("store: rename token %d: %w", t.ID, err)
	} else if taken {
		return errTokenNameTaken
	}
	return tx.UpdateToken(t)
}

// GiveNameBack is UpdateToken for a token that is not replaced any more, and so gets its
// name again. When a live token of the org has that by now, its ID stands behind the name.
// It returns the token as it is stored.
func (tx *Tx) GiveNameBack(t hallpass.Token, now time.Time) (hallpass.Token, error) {
	const most = 100
	name := t.Name
	for i := range most {
		var taken bool
		err := tx.freeTokenName(t.Org, hallpass.NameKey(t.Name), t.ID, now)
		if err == nil {
			taken, err = tx.nameTaken(t, now)
		}
		if err != nil {
			return t, fmt.Errorf("store: give token %d its name back: %w", t.ID, err)
		}
		if !taken {
			break
		}
		behind := fmt.Sprintf("-%d", t.ID)
		if i > 0 {
			behind += fmt.Sprintf("-%d", i)
		}
		t.Name = hallpass.Clean(name, hallpass.MaxName-len(behind)) + behind
	}
	return t, tx.UpdateToken(t)
}

// UpdateToken stores all of the token but its ID, its org, its account, when and by
// whom it was made, and its last use. A token that was replaced, or is dead, keeps
// its name and gives it up to others. A name that a live token of the org has is a
// Conflict; NotFound when the org has no such token.
func (tx *Tx) UpdateToken(t hallpass.Token) error {
	key := hallpass.NameKey(t.Name)
	if t.Rotation.Successor != 0 || !t.RevokedAt.IsZero() {
		key = ""
	}
	values, err := changeable(t, key)
	if err != nil {
		return fmt.Errorf("store: update token %d: %w", t.ID, err)
	}
	args := []any{t.Org, t.ID}
	n, err := tx.exec(`UPDATE tokens SET (`+changeableNames+`) = (`+binds(&args, values)+`) WHERE org_id = $1 AND id = $2`, args...)
	if isUnique(err) {
		return errTokenNameTaken
	}
	if err != nil {
		return fmt.Errorf("store: update token %d: %w", t.ID, err)
	}
	if n == 0 {
		return errTokenNotFound
	}
	return nil
}

// changeableNames are the columns that UpdateToken stores.
const changeableNames = `name, name_key, hash, last_four, expires_us, revoked_us, owner, purpose, self_rotate, renew_until_us,
	chain_id, generation, predecessor_id, successor_id, rotated_us, close_us, quiet_us, rotation_key, reissued_us, ` + powerNames

// changeable returns what those columns hold for the token that has the key of its name.
func changeable(t hallpass.Token, key string) ([]any, error) {
	power, err := powerOf(t)
	if err != nil {
		return nil, err
	}
	r := t.Rotation
	return append([]any{
		t.Name, key, t.Hash[:], t.LastFour, micros(t.ExpiresAt), micros(t.RevokedAt), t.Owner, t.Purpose, t.SelfRotate, micros(t.RenewUntil),
		r.Chain, max(r.Generation, 1), r.Predecessor, r.Successor, micros(r.At), micros(r.CloseAt), r.Quiet.Microseconds(), encodeKey(r.Key), micros(r.ReissuedAt),
	}, power...), nil
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

// endOfToken is Token.EndsAt of the table t in SQL, in microseconds; 0 is never.
const endOfToken = `(CASE WHEN t.close_us > 0 AND (t.expires_us = 0 OR t.close_us < t.expires_us) THEN t.close_us ELSE t.expires_us END)`

// tokenOver is Token.Expired of the table t in SQL, at the time now, which is SQL too.
func tokenOver(now string) string {
	return `(` + endOfToken + ` > 0 AND ` + endOfToken + ` <= ` + now + `)`
}

// notReplaced is the condition that nobody has ended the token of the table t, and that no
// other replaces it. Its end is then the column expires_us alone, and the indexes
// tokens_expiry and tokens_soonest have the tokens in that order.
const notReplaced = `t.revoked_us = 0 AND t.successor_id = 0`

// replaced is Token.Replaced of the table t in SQL, at the time now, which is SQL too.
func replaced(now string) string {
	return `(t.successor_id > 0 AND EXISTS (SELECT 1 FROM tokens n WHERE n.id = t.successor_id AND n.revoked_us = 0 AND NOT ` + ofTable("n", tokenOver(now)) + `))`
}

// pausedToken is Pause.Holds of the table t in SQL, at the time now, which is SQL too.
func pausedToken(now string) string {
	return `t.paused_us > 0 AND (t.paused_until_us = 0 OR t.paused_until_us > ` + now + `)`
}

// stateOfToken is Token.State of the table t in SQL, at the time now; disabled says
// whether its account is disabled. Both are SQL.
func stateOfToken(now, disabled string) string {
	return `CASE
	WHEN t.revoked_us > 0 AND t.ended = 'rotated' THEN 'rotated'
	WHEN t.revoked_us > 0 THEN 'revoked'
	WHEN ` + tokenOver(now) + ` AND t.successor_id > 0 THEN 'rotated'
	WHEN ` + tokenOver(now) + ` THEN 'expired'
	WHEN ` + disabled + ` THEN 'blocked'
	WHEN ` + pausedToken(now) + ` THEN 'paused'
	WHEN ` + replaced(now) + ` THEN 'overlapping'
	ELSE 'live' END`
}

// TokenPage returns limit of the account's tokens from the offset on, and how
// many there are: those of the state, "" for all, by name. Those whose time is not
// over come first if that is asked.
func (tx *Tx) TokenPage(owner hallpass.ServiceAccount, state hallpass.TokenState, liveFirst bool, now time.Time, limit, offset int) ([]hallpass.Token, int, error) {
	which := ` FROM tokens t WHERE t.org_id = $1 AND t.service_account_id = $2 AND $4 IN ('', ` + stateOfToken("$3", "$5") + `)`
	order := ""
	if liveFirst {
		order = `CASE WHEN t.revoked_us = 0 AND NOT ` + tokenOver("$3") + ` THEN 0 ELSE 1 END, `
	}
	args := []any{owner.Org, owner.ID, micros(now), string(state), owner.Disabled}
	var total int
	if err := tx.sql.QueryRow(`SELECT COUNT(*)`+which, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store: count tokens of service account %d: %w", owner.ID, err)
	}
	list, err := all(tx, scanToken, `SELECT `+tokenColumns+which+` ORDER BY `+order+`t.name, t.id LIMIT $6 OFFSET $7`, append(args, limit, offset)...)
	if err != nil {
		return nil, 0, fmt.Errorf("store: tokens of service account %d: %w", owner.ID, err)
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

// TokenByKey returns the account's token that was made, not as a successor, since
// then by a request whose mark begins so, and that nobody ended; the zero Token when
// there is none.
func (tx *Tx) TokenByKey(owner hallpass.ServiceAccount, key []byte, since time.Time) (hallpass.Token, error) {
	if len(key) == 0 {
		return hallpass.Token{}, nil
	}
	begins := hex.EncodeToString(key)
	list, err := all(tx, scanToken, `
		SELECT `+tokenColumns+` FROM tokens t
		WHERE  t.org_id = $1 AND t.service_account_id = $2 AND t.created_us >= $3 AND t.predecessor_id = 0 AND t.revoked_us = 0
		AND    SUBSTR(t.rotation_key, 1, `+strconv.Itoa(len(begins))+`) = $4
		ORDER  BY t.id DESC LIMIT 1`, owner.Org, owner.ID, micros(since), begins)
	if err != nil {
		return hallpass.Token{}, fmt.Errorf("store: token by key of service account %d: %w", owner.ID, err)
	}
	if len(list) == 0 {
		return hallpass.Token{}, nil
	}
	return list[0], nil
}

// DeleteToken removes the token for good; its account keeps the sums of its usage. NotFound when the org's account has
// none with that ID.
func (tx *Tx) DeleteToken(org hallpass.OrgID, account hallpass.ServiceAccountID, id hallpass.TokenID) error {
	if _, err := tx.Token(org, account, id); err != nil {
		return err
	}
	if err := tx.keepUsage(account, id); err != nil {
		return err
	}
	n, err := tx.exec(`DELETE FROM tokens WHERE org_id = $1 AND service_account_id = $2 AND id = $3`, org, account, id)
	if err != nil {
		return fmt.Errorf("store: delete token %d: %w", id, err)
	}
	if n == 0 {
		return errTokenNotFound
	}
	return nil
}

// RevokeToken marks the token revoked from at on, and frees its name. The first
// revocation stands; a second changes nothing. NotFound when org has no such token.
func (tx *Tx) RevokeToken(org hallpass.OrgID, id hallpass.TokenID, at time.Time) error {
	n, err := tx.exec(`
		UPDATE tokens
		SET    ended = CASE revoked_us WHEN 0 THEN $1 ELSE ended END,
		       revoked_us = CASE revoked_us WHEN 0 THEN $2 ELSE revoked_us END, name_key = ''
		WHERE  org_id = $3 AND id = $4`, string(hallpass.EndedByHand), micros(at), org, id)
	if err != nil {
		return fmt.Errorf("store: revoke token %d: %w", id, err)
	}
	if n == 0 {
		return errTokenNotFound
	}
	return nil
}
