package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// RoleHolders is how many of an org have a role. Of a basic role, members and accounts.
type RoleHolders struct {
	Users, ServiceAccounts, Teams int
	BasicRoles                    int // to which the role was given
}

// CountRoleHolders returns for each role of an org, by uid, to how many it was given in the
// org, and how many have each basic role. A role that nobody has is left out.
func (tx *Tx) CountRoleHolders(org hallpass.OrgID) (map[string]RoleHolders, error) {
	type count struct {
		kind, role string
		n          int
	}
	list, err := all(tx, func(r row) (c count, err error) { return c, r.Scan(&c.kind, &c.role, &c.n) }, `
		SELECT CASE WHEN g.kind <> 'principal' THEN g.kind WHEN a.id IS NULL THEN 'user' ELSE 'account' END AS who, g.role_uid, COUNT(*)
		FROM   role_assignments g LEFT JOIN service_accounts a ON g.kind = 'principal' AND a.id = g.grantee_id
		WHERE  g.org_id = $1 GROUP BY who, g.role_uid
		UNION ALL SELECT 'user', role, COUNT(*) FROM members WHERE org_id = $1 GROUP BY role
		UNION ALL SELECT 'account', role, COUNT(*) FROM service_accounts WHERE org_id = $1 GROUP BY role`, org)
	if err != nil {
		return nil, fmt.Errorf("store: count who has the roles of org %d: %w", org, err)
	}
	holders := make(map[string]RoleHolders)
	for _, c := range list {
		uid := c.role
		if basic, ok := hallpass.ParseRole(c.role); ok {
			uid = basic.UID()
		}
		h := holders[uid]
		switch c.kind {
		case "user":
			h.Users += c.n
		case "account":
			h.ServiceAccounts += c.n
		case string(hallpass.ToTeam):
			h.Teams += c.n
		case string(hallpass.ToBasicRole):
			h.BasicRoles += c.n
		}
		holders[uid] = h
	}
	return holders, nil
}

// UsedAccountsOf returns up to limit accounts of the org that are not disabled and have a
// token that did something since then, those that did so last first.
func (tx *Tx) UsedAccountsOf(org hallpass.OrgID, since time.Time, limit int) ([]hallpass.ServiceAccount, error) {
	scan := func(r row) (hallpass.ServiceAccount, error) { return scanAccount(r) }
	list, err := all(tx, scan, `
		SELECT `+accountColumns+` FROM service_accounts a
		JOIN   (SELECT t.service_account_id AS account, MAX(d.last_us) AS last FROM tokens t JOIN token_actions d ON d.token_id = t.id
		        WHERE t.org_id = $1 AND d.last_us >= $2 GROUP BY t.service_account_id) used ON used.account = a.id
		WHERE  a.org_id = $1 AND a.disabled = FALSE ORDER BY used.last DESC, a.id LIMIT $3`, org, micros(since), limit)
	if err != nil {
		return nil, fmt.Errorf("store: accounts of org %d that are used: %w", org, err)
	}
	return list, nil
}

// LikelyGivers returns up to limit members of the org who may be able to give roles: who are
// not disabled, and Admin, server admin, or given a role themselves or through a team.
// Admins come first, then the others, by login.
func (tx *Tx) LikelyGivers(org hallpass.OrgID, limit int) ([]hallpass.User, error) {
	list, err := all(tx, func(r row) (hallpass.User, error) { return scanUser(r) }, `
		SELECT `+userColumns+` FROM members m JOIN users u ON u.id = m.user_id
		WHERE  m.org_id = $1 AND u.disabled = FALSE AND (m.role = $2 OR u.server_admin = TRUE
		       OR EXISTS (SELECT 1 FROM role_assignments g WHERE g.kind = 'principal' AND g.grantee_id = u.id AND g.org_id IN ($1, 0))
		       OR EXISTS (SELECT 1 FROM team_members t JOIN role_assignments g ON g.kind = 'team' AND g.grantee_id = t.team_id WHERE t.principal_id = u.id AND g.org_id = $1))
		ORDER  BY CASE m.role WHEN $2 THEN 0 ELSE 1 END, u.login_key LIMIT $3`, org, hallpass.RoleAdmin.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("store: who may give roles in org %d: %w", org, err)
	}
	return list, nil
}
