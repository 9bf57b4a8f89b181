package store

import (
	"context"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A SpareRole says that an account could go on with a lower basic role.
type SpareRole struct {
	Account hallpass.ServiceAccountID
	Role    hallpass.Role // that the account has
	Enough  hallpass.Role // that would do
}

// UsedAccounts returns up to limit accounts of all orgs after the one given, by ID, that
// have a role, are not disabled, were made before since, and have a token that did
// something since then.
func (tx *Tx) UsedAccounts(since time.Time, after hallpass.ServiceAccountID, limit int) ([]hallpass.ServiceAccount, error) {
	scan := func(r row) (hallpass.ServiceAccount, error) { return scanAccount(r) }
	list, err := all(tx, scan, `
		SELECT `+accountColumns+` FROM service_accounts a
		WHERE  a.id > $1 AND a.role <> $2 AND a.disabled = FALSE AND a.created_us < $3
		AND    EXISTS (SELECT 1 FROM tokens t JOIN token_actions d ON d.token_id = t.id WHERE t.service_account_id = a.id AND d.last_us >= $3)
		ORDER  BY a.id LIMIT $4`, after, hallpass.RoleNone.String(), micros(since), limit)
	if err != nil {
		return nil, fmt.Errorf("store: accounts that are used: %w", err)
	}
	return list, nil
}

// SpareRoles returns what is noted of the accounts after the one and up to the other, by
// ID.
func (tx *Tx) SpareRoles(after, last hallpass.ServiceAccountID) ([]SpareRole, error) {
	list, err := all(tx, scanSpareRole, `
		SELECT account_id, role, enough FROM spare_roles WHERE account_id > $1 AND account_id <= $2 ORDER BY account_id`, after, last)
	if err != nil {
		return nil, fmt.Errorf("store: spare roles: %w", err)
	}
	return list, nil
}

func scanSpareRole(r row) (s SpareRole, err error) {
	var role, enough string
	if err = r.Scan(&s.Account, &role, &enough); err != nil {
		return s, err
	}
	if s.Role, err = roleOf(role); err != nil {
		return s, err
	}
	s.Enough, err = roleOf(enough)
	return s, err
}

// SetSpareRoles notes the list in the place of what is noted of the accounts after the
// one and up to the other. Of an account that is gone it notes nothing.
func (db *DB) SetSpareRoles(ctx context.Context, after, last hallpass.ServiceAccountID, list []SpareRole) error {
	return db.writeUnordered(ctx, func(tx *Tx) error {
		steps := []step{do(`DELETE FROM spare_roles WHERE account_id > $1 AND account_id <= $2`, after, last)}
		for _, s := range list {
			steps = append(steps, do(`
				INSERT INTO spare_roles (account_id, role, enough) SELECT a.id, $2, $3 FROM service_accounts a WHERE a.id = $1`,
				s.Account, s.Role.String(), s.Enough.String()))
		}
		return tx.steps("set spare roles", steps...)
	})
}

// SpareRolesOf returns up to limit of the org's accounts after the one given, by ID, that
// could go on with a lower role, are not disabled, and are not snoozed in the section.
func (tx *Tx) SpareRolesOf(org hallpass.OrgID, now time.Time, accounts []hallpass.ServiceAccountID, section hallpass.AttentionSection, after hallpass.ServiceAccountID, limit int) ([]SpareRole, error) {
	var b bound
	list, err := all(tx, scanSpareRole, `
		SELECT s.account_id, s.role, s.enough FROM spare_roles s JOIN service_accounts a ON a.id = s.account_id AND a.role = s.role
		WHERE  a.org_id = `+b.add(org)+` AND a.disabled = FALSE AND a.id > `+b.add(int64(after))+
		among(accounts)+awake(&b, org, now, section, hallpass.AccountSubject, "a.id")+`
		ORDER  BY a.id LIMIT `+b.add(limit), b.args...)
	if err != nil {
		return nil, fmt.Errorf("store: spare roles of org %d: %w", org, err)
	}
	return list, nil
}

// HasNetworks reports whether a token of the org may be used from some networks alone.
func (tx *Tx) HasNetworks(org hallpass.OrgID) (has bool, err error) {
	err = tx.sql.QueryRow(`SELECT EXISTS (SELECT 1 FROM tokens t WHERE t.org_id = $1 AND t.networks <> '')`, org).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("store: networks of the tokens of org %d: %w", org, err)
	}
	return has, nil
}

// An AddressUse is how many tokens were used last from an address.
type AddressUse struct {
	Address string
	Tokens  int64
}

// AddressUses returns from where those of the org's newest so many tokens were used last
// that were used since the time, most tokens first.
func (tx *Tx) AddressUses(org hallpass.OrgID, since time.Time, newest int) ([]AddressUse, error) {
	list, err := all(tx, func(r row) (u AddressUse, err error) { return u, r.Scan(&u.Address, &u.Tokens) }, `
		SELECT used_address, COUNT(*) FROM (
			SELECT t.used_us, t.used_address FROM tokens t WHERE t.org_id = $1 ORDER BY t.id DESC LIMIT $3
		) AS newest WHERE used_us >= $2 GROUP BY used_address ORDER BY COUNT(*) DESC, used_address`, org, micros(since), newest)
	if err != nil {
		return nil, fmt.Errorf("store: addresses that use tokens of org %d: %w", org, err)
	}
	return list, nil
}
