package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

var accountColumns = `a.id, a.uid, a.org_id, a.name, a.login, a.role, a.disabled, a.created_us, a.updated_us,
	a.owner, a.purpose, a.created_by, ` + fileOf("serviceaccount", "a.org_id", "a.id")

func scanAccount(r row, more ...any) (hallpass.ServiceAccount, error) {
	var a hallpass.ServiceAccount
	var role string
	var created, updated int64
	err := r.Scan(append([]any{&a.ID, &a.UID, &a.Org, &a.Name, &a.Login, &role, &a.Disabled, &created, &updated, &a.Owner, &a.Purpose, &a.CreatedBy, &a.File}, more...)...)
	if err != nil {
		return hallpass.ServiceAccount{}, err
	}
	a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
	a.Role, err = roleOf(role)
	return a, err
}

func accountNotFound(err error) error {
	return notFound(err, "serviceaccounts.ErrNotFound", "service account not found")
}

var errAccountNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrNotFound", Message: "service account not found"}

// CreateServiceAccount stores a new account and returns it with its ID. A
// login that any principal has, as login or e-mail, is a Conflict.
func (tx *Tx) CreateServiceAccount(a hallpass.ServiceAccount) (hallpass.ServiceAccount, error) {
	taken := &hallpass.Error{Kind: hallpass.Conflict, ID: "serviceaccounts.ErrAlreadyExists", Message: "service account already exists"}
	var users int
	key := hallpass.NameKey(a.Login)
	if err := tx.sql.QueryRow(`SELECT COUNT(*) FROM users WHERE login_key = $1 OR email_key = $1`, key).Scan(&users); err != nil {
		return hallpass.ServiceAccount{}, fmt.Errorf("store: create service account: %w", err)
	}
	if users > 0 {
		return hallpass.ServiceAccount{}, taken
	}
	id, err := tx.nextID("principal")
	if err != nil {
		return hallpass.ServiceAccount{}, err
	}
	a.ID = hallpass.ServiceAccountID(id)
	_, err = tx.exec(`
		INSERT INTO service_accounts (id, uid, org_id, name, name_key, login, login_key, role, disabled, created_us, updated_us, owner, purpose, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		a.ID, a.UID, a.Org, a.Name, hallpass.NameKey(a.Name), a.Login, key, a.Role.String(), a.Disabled, micros(a.CreatedAt), micros(a.UpdatedAt),
		a.Owner, a.Purpose, a.CreatedBy)
	if isUnique(err) {
		return hallpass.ServiceAccount{}, taken
	}
	if err != nil {
		return hallpass.ServiceAccount{}, fmt.Errorf("store: create service account: %w", err)
	}
	return a, tx.countAccount(a.Org, 1)
}

// ServiceAccount returns the account; NotFound when org has none with that ID.
func (tx *Tx) ServiceAccount(org hallpass.OrgID, id hallpass.ServiceAccountID) (hallpass.ServiceAccount, error) {
	a, err := scanAccount(tx.sql.QueryRow(`
		SELECT `+accountColumns+` FROM service_accounts a WHERE a.org_id = $1 AND a.id = $2`, org, id))
	if err != nil {
		return hallpass.ServiceAccount{}, accountNotFound(fmt.Errorf("store: service account %d: %w", id, err))
	}
	return a, nil
}

// ServiceAccountByUID returns the ID of the account with that uid; NotFound
// when org has none.
func (tx *Tx) ServiceAccountByUID(org hallpass.OrgID, uid string) (hallpass.ServiceAccountID, error) {
	var id hallpass.ServiceAccountID
	err := tx.sql.QueryRow(`SELECT id FROM service_accounts WHERE org_id = $1 AND uid = $2`, org, uid).Scan(&id)
	if err != nil {
		return 0, notFound(fmt.Errorf("store: service account by uid: %w", err), "", "Not found")
	}
	return id, nil
}

// A ServiceAccountQuery picks a page of an org's accounts.
type ServiceAccountQuery struct {
	Org          hallpass.OrgID
	Text         string // part of the name or login, whatever the case
	DisabledOnly bool
	ExpiredOnly  bool // only accounts with a token that expired before Now
	Now          time.Time
	Among        []hallpass.ServiceAccountID // nil: all
	Holding      *Holding                    // nil: all
	Limit        int
	Offset       int
}

// ServiceAccounts returns a page of accounts by login, and how many there are
// on all pages.
func (tx *Tx) ServiceAccounts(q ServiceAccountQuery) ([]hallpass.ServiceAccountSummary, int, error) {
	if q.Among != nil && len(q.Among) == 0 {
		return nil, 0, nil
	}
	where, args := q.where()
	total, err := tx.countServiceAccounts(q, where, args)
	if err != nil || q.Offset >= total {
		return nil, total, err
	}
	// The page is cut first, so that only its rows pay for their tokens, and it
	// is counted off from the nearer end. With the last hit found, no row after
	// it is read.
	limit, offset, order := min(q.Limit, total-q.Offset), q.Offset, "ASC"
	if offset > total/2 {
		offset, order = total-offset-limit, "DESC"
	}
	args = append(args, micros(q.Now), limit, offset)
	n := len(args)
	list, err := all(tx, scanSummary, fmt.Sprintf(`
		WITH page AS (SELECT a.id AS id FROM service_accounts a WHERE %s ORDER BY a.login_key %s LIMIT $%d OFFSET $%d),
		     f    AS (%s)
		SELECT %s, %s
		FROM   page JOIN service_accounts a ON a.id = page.id LEFT JOIN f ON f.account = a.id
		ORDER  BY a.login_key`, where, order, n-1, n,
		figures("$"+strconv.Itoa(n-2), `t.service_account_id IN (SELECT id FROM page)`), accountColumns, figureColumns), args...)
	if err == nil {
		err = tx.FillLastUses(list)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("store: service accounts: %w", err)
	}
	return list, total, nil
}

// where returns the conditions that q makes, and what they bind.
func (q ServiceAccountQuery) where() (string, []any) {
	where, args := `a.org_id = $1`, []any{q.Org}
	bind := binder(&args)
	if q.Text != "" {
		text := bind(contains(q.Text))
		where += ` AND (a.name_key LIKE ` + text + ` ESCAPE '\' OR a.login_key LIKE ` + text + ` ESCAPE '\')`
	}
	if q.DisabledOnly {
		where += ` AND a.disabled = TRUE`
	}
	if q.ExpiredOnly {
		now := bind(micros(q.Now))
		where += ` AND a.id IN (SELECT t.service_account_id FROM tokens t WHERE t.org_id = $1 AND ` + endOfToken + ` > 0 AND ` + endOfToken + ` <= ` + now + `)`
	}
	if q.Holding != nil {
		where += ` AND ` + q.Holding.where(bind)
	}
	return where + among(q.Among), args
}

// binder returns a function that appends a value to args and returns its placeholder.
func binder(args *[]any) func(any) string {
	return func(v any) string {
		*args = append(*args, v)
		return "$" + strconv.Itoa(len(*args))
	}
}

// countServiceAccounts returns how many accounts q picks. All of an org are
// counted as they come and go, for counting them anew takes longer the more
// there are.
func (tx *Tx) countServiceAccounts(q ServiceAccountQuery, where string, args []any) (n int, err error) {
	query := `SELECT COUNT(*) FROM service_accounts a WHERE ` + where
	if q.Text == "" && !q.DisabledOnly && !q.ExpiredOnly && q.Among == nil && q.Holding == nil {
		query = `SELECT COALESCE((SELECT accounts FROM orgs WHERE id = $1), 0)`
	}
	if err := tx.sql.QueryRow(query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("store: count service accounts: %w", err)
	}
	return n, nil
}

// countAccount notes that an account of the org came or went.
func (tx *Tx) countAccount(org hallpass.OrgID, by int) error {
	if _, err := tx.exec(`UPDATE orgs SET accounts = accounts + $2 WHERE id = $1`, org, by); err != nil {
		return fmt.Errorf("store: count service accounts: %w", err)
	}
	return nil
}

// figures selects what the tokens that where picks add up to, by account, at the time
// bound to the placeholder.
func figures(now, where string) string {
	live := `t.revoked_us = 0 AND (t.end_us = 0 OR t.end_us > ` + now + `)`
	paused := pausedToken(now)
	return `
		SELECT t.account, COUNT(*) AS tokens,
		       COUNT(CASE WHEN ` + live + ` THEN 1 END) AS live,
		       COUNT(CASE WHEN t.end_us = 0 AND t.revoked_us = 0 THEN 1 END) AS never,
		       COUNT(CASE WHEN ` + paused + ` AND ` + live + ` THEN 1 END) AS paused,
		       COUNT(CASE WHEN ` + replaced(now) + ` AND NOT (` + paused + `) AND ` + live + ` THEN 1 END) AS overlapping,
		       COUNT(CASE WHEN t.successor_id = 0 AND t.revoked_us = 0 AND NOT (` + live + `) THEN 1 END) AS expired,
		       MAX(t.used_us) AS used,
		       MIN(CASE WHEN t.end_us > 0 AND ` + live + ` AND NOT ` + replaced(now) + ` THEN t.end_us END) AS next,
		       MAX(CASE WHEN t.revoked_us > 0 THEN t.revoked_us WHEN NOT (` + live + `) THEN t.end_us END) AS ended
		FROM  (SELECT t.service_account_id AS account, t.revoked_us, ` + endOfToken + ` AS end_us, t.paused_us, t.paused_until_us, t.successor_id, t.used_us
		       FROM tokens t WHERE ` + where + `) t
		GROUP  BY t.account`
}

// figureColumns are the columns of figures, joined as f; an account without tokens has
// no row there.
const figureColumns = `COALESCE(f.tokens, 0), COALESCE(f.live, 0), COALESCE(f.never, 0), COALESCE(f.paused, 0), COALESCE(f.overlapping, 0),
	COALESCE(f.expired, 0), COALESCE(f.used, 0), COALESCE(f.next, 0), COALESCE(f.ended, 0)`

// figureFields are where a row of figureColumns is read to, and what is done with it
// then.
func figureFields(f *hallpass.TokenFigures) (into []any, then func()) {
	var used, next, ended int64
	return []any{&f.Tokens, &f.LiveTokens, &f.NeverExpiring, &f.Paused, &f.Overlapping, &f.Expired, &used, &next, &ended}, func() {
		f.LastUse.At, f.NextExpiry, f.LastEnd = fromMicros(used), fromMicros(next), fromMicros(ended)
	}
}

func scanSummary(r row) (s hallpass.ServiceAccountSummary, err error) {
	into, then := figureFields(&s.TokenFigures)
	s.ServiceAccount, err = scanAccount(r, into...)
	then()
	return s, err
}

// FillLastUses completes the latest uses of the accounts, whose times are known, with
// from where and by what they were.
func (tx *Tx) FillLastUses(list []hallpass.ServiceAccountSummary) error {
	var pairs []string
	var args []any
	bind := binder(&args)
	at := make(map[hallpass.ServiceAccountID]int)
	for i, s := range list {
		if !s.LastUse.At.IsZero() {
			at[s.ID] = i
			pairs = append(pairs, `(t.service_account_id = `+bind(s.ID)+` AND t.used_us = `+bind(micros(s.LastUse.At))+`)`)
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	_, err := all(tx, func(r row) (id hallpass.ServiceAccountID, err error) {
		var use hallpass.Use
		if err := r.Scan(&id, &use.Address, &use.UserAgent); err != nil {
			return 0, err
		}
		use.At = list[at[id]].LastUse.At
		list[at[id]].LastUse = use
		return id, nil
	}, `SELECT t.service_account_id, t.used_address, t.used_agent FROM tokens t WHERE `+strings.Join(pairs, ` OR `), args...)
	return err
}

// AccountFigures returns what the tokens of each of the org's accounts add up to at
// now; of an account without tokens nothing. The latest uses have their times alone.
func (tx *Tx) AccountFigures(org hallpass.OrgID, now time.Time) (map[hallpass.ServiceAccountID]hallpass.TokenFigures, error) {
	found := make(map[hallpass.ServiceAccountID]hallpass.TokenFigures)
	_, err := all(tx, func(r row) (id hallpass.ServiceAccountID, err error) {
		var f hallpass.TokenFigures
		into, then := figureFields(&f)
		if err := r.Scan(append([]any{&id}, into...)...); err != nil {
			return 0, err
		}
		then()
		found[id] = f
		return id, nil
	}, `WITH f AS (`+figures("$2", `t.org_id = $1`)+`) SELECT f.account, `+figureColumns+` FROM f`, org, micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: figures of service accounts: %w", err)
	}
	return found, nil
}

// AccountsAmong returns the accounts of the org that have one of the IDs, all of them if
// ids is nil, in no order.
func (tx *Tx) AccountsAmong(org hallpass.OrgID, ids []hallpass.ServiceAccountID) ([]hallpass.ServiceAccount, error) {
	if ids != nil && len(ids) == 0 {
		return nil, nil
	}
	list, err := all(tx, func(r row) (hallpass.ServiceAccount, error) { return scanAccount(r) },
		`SELECT `+accountColumns+` FROM service_accounts a WHERE a.org_id = $1`+among(ids), org)
	if err != nil {
		return nil, fmt.Errorf("store: service accounts by id: %w", err)
	}
	return list, nil
}

// among is the condition that an account is one of ids. IDs are numbers, so
// they may stand in the text.
func among(ids []hallpass.ServiceAccountID) string {
	if ids == nil {
		return ""
	}
	return " AND a.id IN " + idList(ids)
}

// ServiceAccountSummary returns the account with what its tokens add up to at
// now; NotFound when org has none with that ID.
func (tx *Tx) ServiceAccountSummary(org hallpass.OrgID, id hallpass.ServiceAccountID, now time.Time) (hallpass.ServiceAccountSummary, error) {
	s, err := scanSummary(tx.sql.QueryRow(`
		WITH f AS (`+figures("$3", `t.service_account_id = $2`)+`)
		SELECT `+accountColumns+`, `+figureColumns+` FROM service_accounts a LEFT JOIN f ON f.account = a.id WHERE a.org_id = $1 AND a.id = $2`, org, id, micros(now)))
	if err != nil {
		return hallpass.ServiceAccountSummary{}, accountNotFound(fmt.Errorf("store: service account %d: %w", id, err))
	}
	one := []hallpass.ServiceAccountSummary{s}
	err = tx.FillLastUses(one)
	return one[0], err
}

// UpdateServiceAccount stores the account's name, role, owner, purpose and whether it
// is disabled. NotFound when its org has none with that ID.
func (tx *Tx) UpdateServiceAccount(a hallpass.ServiceAccount) error {
	n, err := tx.exec(`
		UPDATE service_accounts
		SET    name = $3, name_key = $4, role = $5, disabled = $6, updated_us = $7, owner = $8, purpose = $9
		WHERE  org_id = $1 AND id = $2`,
		a.Org, a.ID, a.Name, hallpass.NameKey(a.Name), a.Role.String(), a.Disabled, micros(a.UpdatedAt), a.Owner, a.Purpose)
	if err != nil {
		return fmt.Errorf("store: update service account %d: %w", a.ID, err)
	}
	if n == 0 {
		return errAccountNotFound
	}
	return nil
}

// DeleteServiceAccount removes the account, its tokens, roles and places in
// teams, and all access that it has or that others have to it. NotFound when org has none with that ID.
func (tx *Tx) DeleteServiceAccount(org hallpass.OrgID, id hallpass.ServiceAccountID) error {
	err := tx.steps("delete service account",
		do(`DELETE FROM tokens WHERE org_id = $1 AND service_account_id = $2`, org, id),
		do(`DELETE FROM grants WHERE org_id = $1 AND resource = 'serviceaccounts' AND resource_id = $2`, org, strconv.FormatInt(int64(id), 10)),
	)
	if err == nil {
		err = tx.leave(org, int64(id))
	}
	if err != nil {
		return err
	}
	n, err := tx.exec(`DELETE FROM service_accounts WHERE org_id = $1 AND id = $2`, org, id)
	if err != nil {
		return fmt.Errorf("store: delete service account %d: %w", id, err)
	}
	if n == 0 {
		return errAccountNotFound
	}
	return tx.countAccount(org, -1)
}
