package store

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

var orgColumns = `o.id, o.name, o.address1, o.address2, o.city, o.zip_code, o.state, o.country, o.created_us, o.updated_us, ` + fileOf("org", "o.id", "o.id")

func scanOrg(r row, more ...any) (hallpass.Org, error) {
	var o hallpass.Org
	var created, updated int64
	a := &o.Address
	err := r.Scan(append([]any{&o.ID, &o.Name, &a.Address1, &a.Address2, &a.City, &a.ZipCode, &a.State, &a.Country, &created, &updated, &o.File}, more...)...)
	o.CreatedAt, o.UpdatedAt = fromMicros(created), fromMicros(updated)
	return o, err
}

func orgNameTaken(err error) error {
	if isUnique(err) {
		return &hallpass.Error{Kind: hallpass.Conflict, ID: "org.name-taken", Message: "Organization name taken"}
	}
	return err
}

// CreateOrg stores a new org and returns it with its ID. A name that is taken
// is a Conflict.
func (tx *Tx) CreateOrg(o hallpass.Org) (hallpass.Org, error) {
	id, err := tx.nextID("org")
	if err != nil {
		return hallpass.Org{}, err
	}
	o.ID = hallpass.OrgID(id)
	_, err = tx.exec(`
		INSERT INTO orgs (id, name, name_key, address1, address2, city, zip_code, state, country, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		o.ID, o.Name, hallpass.NameKey(o.Name), o.Address.Address1, o.Address.Address2, o.Address.City, o.Address.ZipCode,
		o.Address.State, o.Address.Country, micros(o.CreatedAt), micros(o.UpdatedAt))
	if err != nil {
		return hallpass.Org{}, orgNameTaken(fmt.Errorf("store: create org: %w", err))
	}
	return o, nil
}

// Org returns the org; NotFound when there is none.
func (tx *Tx) Org(id hallpass.OrgID) (hallpass.Org, error) {
	o, err := scanOrg(tx.sql.QueryRow(`SELECT `+orgColumns+` FROM orgs o WHERE o.id = $1`, id))
	if err != nil {
		return hallpass.Org{}, notFound(fmt.Errorf("store: org %d: %w", id, err), "org.not-found", "Organization not found")
	}
	return o, nil
}

// UpdateOrg stores the org's name and address. A name that is taken is a
// Conflict, a missing org NotFound.
func (tx *Tx) UpdateOrg(o hallpass.Org) error {
	n, err := tx.exec(`
		UPDATE orgs
		SET    name = $2, name_key = $3, address1 = $4, address2 = $5, city = $6, zip_code = $7, state = $8, country = $9, updated_us = $10
		WHERE  id = $1`,
		o.ID, o.Name, hallpass.NameKey(o.Name), o.Address.Address1, o.Address.Address2, o.Address.City, o.Address.ZipCode,
		o.Address.State, o.Address.Country, micros(o.UpdatedAt))
	if err != nil {
		return orgNameTaken(fmt.Errorf("store: update org %d: %w", o.ID, err))
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "org.not-found", Message: "Organization not found"}
	}
	return nil
}

// SetMember gives the user the role in the org, as a new member or as one with
// another role now.
func (tx *Tx) SetMember(m hallpass.Member) error {
	_, err := tx.exec(`
		INSERT INTO members (org_id, user_id, role, joined_us) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, user_id) DO UPDATE SET role = excluded.role`,
		m.Org, m.User.ID, m.Role.String(), micros(m.JoinedAt))
	if err != nil {
		return fmt.Errorf("store: set member %d of org %d: %w", m.User.ID, m.Org, err)
	}
	return nil
}

// MemberRole returns the user's role in the org, and whether the user is a
// member at all.
func (tx *Tx) MemberRole(org hallpass.OrgID, user hallpass.UserID) (hallpass.Role, bool, error) {
	rows, err := all(tx, scanRole, `SELECT role FROM members WHERE org_id = $1 AND user_id = $2`, org, user)
	if err != nil {
		return hallpass.RoleNone, false, fmt.Errorf("store: role of user %d in org %d: %w", user, org, err)
	}
	if len(rows) == 0 {
		return hallpass.RoleNone, false, nil
	}
	return rows[0], true, nil
}

func scanRole(r row) (hallpass.Role, error) {
	var name string
	if err := r.Scan(&name); err != nil {
		return hallpass.RoleNone, err
	}
	return roleOf(name)
}

// roleOf reads a role column; what the CHECK of the schema lets through always
// parses.
func roleOf(name string) (hallpass.Role, error) {
	role, ok := hallpass.ParseRole(name)
	if !ok {
		return hallpass.RoleNone, fmt.Errorf("store: unknown role %s", strconv.Quote(name))
	}
	return role, nil
}

// Members returns a page of the org's members whose login, e-mail or name holds
// text, whatever its case, by login, and how many there are on all pages. A
// limit of 0 means all.
func (tx *Tx) Members(org hallpass.OrgID, text string, limit, offset int) (list []hallpass.Member, total int, err error) {
	where, args := `m.org_id = $1`, []any{org}
	if text != "" {
		where += ` AND ` + userHolds("$2")
		args = append(args, contains(text))
	}
	from := ` FROM members m JOIN users u ON u.id = m.user_id WHERE ` + where
	if limit > 0 {
		if err := tx.sql.QueryRow(`SELECT COUNT(*)`+from, args...).Scan(&total); err != nil {
			return nil, 0, fmt.Errorf("store: members of org %d: %w", org, err)
		}
		from += fmt.Sprintf(` ORDER BY u.login_key LIMIT %d OFFSET %d`, limit, offset)
	} else {
		from += ` ORDER BY u.login_key`
	}
	list, err = all(tx, scanMember, `SELECT `+userColumns+`, m.role, m.joined_us`+from, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("store: members of org %d: %w", org, err)
	}
	for i := range list {
		list[i].Org = org
	}
	if limit <= 0 {
		total = len(list)
	}
	return list, total, nil
}

func scanMember(r row) (hallpass.Member, error) {
	var m hallpass.Member
	var role string
	var joined int64
	u, err := scanUser(r, &role, &joined)
	if err != nil {
		return hallpass.Member{}, err
	}
	m.User, m.JoinedAt = u, fromMicros(joined)
	m.Role, err = roleOf(role)
	return m, err
}

// OrgByName returns the org with that name, whatever the case; NotFound when
// there is none.
func (tx *Tx) OrgByName(name string) (hallpass.Org, error) {
	o, err := scanOrg(tx.sql.QueryRow(`SELECT `+orgColumns+` FROM orgs o WHERE o.name_key = $1`, hallpass.NameKey(name)))
	if err != nil {
		return hallpass.Org{}, notFound(fmt.Errorf("store: org by name: %w", err), "org.not-found", "Organization not found")
	}
	return o, nil
}

// Orgs returns a page of the orgs whose name holds text, by ID.
func (tx *Tx) Orgs(text string, limit, offset int) ([]hallpass.Org, error) {
	list, err := all(tx, func(r row) (hallpass.Org, error) { return scanOrg(r) }, `
		SELECT `+orgColumns+` FROM orgs o WHERE o.name_key LIKE $1 ESCAPE '\' ORDER BY o.id LIMIT $2 OFFSET $3`, contains(text), limit, offset)
	if err != nil {
		return nil, fmt.Errorf("store: orgs: %w", err)
	}
	return list, nil
}

// OrgSummaries returns a page of the orgs whose name holds text, by ID, with what is in
// them at now; of one alone if only is not zero.
func (tx *Tx) OrgSummaries(text string, only hallpass.OrgID, now time.Time, limit, offset int) ([]hallpass.OrgSummary, error) {
	list, err := all(tx, scanOrgSummary, `
		SELECT `+orgColumns+`,
		       (SELECT COUNT(*) FROM members m WHERE m.org_id = o.id),
		       (SELECT COUNT(*) FROM service_accounts a WHERE a.org_id = o.id),
		       (SELECT COUNT(*) FROM tokens t WHERE t.org_id = o.id AND `+liveToken("$5")+`),
		       (SELECT COUNT(*) FROM teams s WHERE s.org_id = o.id),
		       (SELECT COUNT(*) FROM guards g WHERE g.org_id = o.id),
		       (SELECT COUNT(*) FROM folders f WHERE f.org_id = o.id),
		       (SELECT COUNT(*) FROM dashboards d WHERE d.org_id = o.id)
		FROM   orgs o WHERE name_key LIKE $1 ESCAPE '\' AND (o.id = $2 OR $2 = 0) ORDER BY id LIMIT $3 OFFSET $4`,
		contains(text), int64(only), limit, offset, micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: org summaries: %w", err)
	}
	return list, nil
}

func scanOrgSummary(r row) (s hallpass.OrgSummary, err error) {
	s.Org, err = scanOrg(r, &s.Members, &s.Accounts, &s.LiveTokens, &s.Teams, &s.Guards, &s.Folders, &s.Dashboards)
	return s, err
}

// DeleteOrg removes the org with everything in it; users stay, and those who
// worked in it work in another of theirs from then on. NotFound when there is
// none.
func (tx *Tx) DeleteOrg(id hallpass.OrgID) error {
	if _, err := tx.Org(id); err != nil {
		return err
	}
	return tx.steps("delete org",
		do(`DELETE FROM snoozes WHERE org_id = $1`, id),
		do(`DELETE FROM provisioned WHERE org_id = $1`, id),
		do(`DELETE FROM token_policies WHERE org_id = $1`, id),
		do(`DELETE FROM tokens WHERE org_id = $1`, id),
		do(`DELETE FROM role_assignments WHERE org_id = $1 OR role_org = $1`, id),
		do(`DELETE FROM role_assignments WHERE kind = 'principal' AND grantee_id IN (SELECT id FROM service_accounts WHERE org_id = $1)`, id),
		do(`DELETE FROM role_permissions WHERE role_id IN (SELECT id FROM roles WHERE org_id = $1)`, id),
		do(`DELETE FROM roles WHERE org_id = $1`, id),
		do(`DELETE FROM grants WHERE org_id = $1`, id),
		do(`DELETE FROM team_members WHERE team_id IN (SELECT id FROM teams WHERE org_id = $1)`, id),
		do(`DELETE FROM team_groups WHERE team_id IN (SELECT id FROM teams WHERE org_id = $1)`, id),
		do(`DELETE FROM teams WHERE org_id = $1`, id),
		do(`DELETE FROM service_accounts WHERE org_id = $1`, id),
		do(`DELETE FROM dashboard_versions WHERE dashboard_id IN (SELECT id FROM dashboards WHERE org_id = $1)`, id),
		do(`DELETE FROM dashboards WHERE org_id = $1`, id),
		do(`DELETE FROM folders WHERE org_id = $1`, id),
		do(`DELETE FROM guard_usage WHERE guard_id IN (SELECT id FROM guards WHERE org_id = $1)`, id),
		do(`DELETE FROM guard_answers WHERE guard_id IN (SELECT id FROM guards WHERE org_id = $1)`, id),
		do(`DELETE FROM guards WHERE org_id = $1`, id),
		do(`DELETE FROM preferences WHERE org_id = $1`, id),
		do(`DELETE FROM outbox WHERE org_id = $1`, id),
		do(`DELETE FROM channels WHERE org_id = $1`, id),
		do(`DELETE FROM members WHERE org_id = $1`, id),
		do(`UPDATE users SET org_id = COALESCE((SELECT MIN(m.org_id) FROM members m WHERE m.user_id = users.id), 0) WHERE org_id = $1`, id),
		do(`DELETE FROM orgs WHERE id = $1`, id),
	)
}

// OrgsOf returns the orgs that the user is a member of, by ID.
func (tx *Tx) OrgsOf(user hallpass.UserID) ([]hallpass.UserOrg, error) {
	list, err := all(tx, func(r row) (o hallpass.UserOrg, err error) {
		var role string
		if err := r.Scan(&o.Org, &o.Name, &role); err != nil {
			return o, err
		}
		o.Role, err = roleOf(role)
		return o, err
	}, `SELECT o.id, o.name, m.role FROM members m JOIN orgs o ON o.id = m.org_id WHERE m.user_id = $1 ORDER BY o.id`, user)
	if err != nil {
		return nil, fmt.Errorf("store: orgs of user %d: %w", user, err)
	}
	return list, nil
}

// OrgAdmins returns how many members of the org, not disabled, have the role
// Admin, beside the given user.
func (tx *Tx) OrgAdmins(org hallpass.OrgID, except hallpass.UserID) (n int, err error) {
	err = tx.sql.QueryRow(`
		SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id
		WHERE  m.org_id = $1 AND m.role = 'Admin' AND m.user_id <> $2 AND u.disabled = FALSE`, org, except).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: admins of org %d: %w", org, err)
	}
	return n, nil
}

// DeleteMember takes the user out of the org, with everything the user was
// given there; NotFound when the user is not a member.
func (tx *Tx) DeleteMember(org hallpass.OrgID, user hallpass.UserID) error {
	n, err := tx.exec(`DELETE FROM members WHERE org_id = $1 AND user_id = $2`, org, user)
	if err != nil {
		return fmt.Errorf("store: delete member %d of org %d: %w", user, org, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "user.not-found", Message: "user not found"}
	}
	err = tx.steps("delete member",
		do(`DELETE FROM preferences WHERE org_id = $1 AND kind = 'user' AND subject_id = $2`, org, user),
		do(`UPDATE users SET org_id = COALESCE((SELECT MIN(m.org_id) FROM members m WHERE m.user_id = users.id), 0) WHERE id = $2 AND org_id = $1`, org, user),
	)
	if err != nil {
		return err
	}
	return tx.leave(org, int64(user))
}

// leave takes from the principal what it was given in org: its places in
// teams, its roles and its access.
func (tx *Tx) leave(org hallpass.OrgID, principal int64) error {
	return tx.steps("leave org",
		do(`DELETE FROM team_members WHERE principal_id = $2 AND org_id = $1`, org, principal),
		do(`DELETE FROM role_assignments WHERE org_id = $1 AND kind = 'principal' AND grantee_id = $2`, org, principal),
		do(`DELETE FROM grants WHERE org_id = $1 AND kind = 'principal' AND grantee_id = $2`, org, principal),
	)
}

// Usage counts what an org holds, by quota target.
func (tx *Tx) Usage(org hallpass.OrgID) (map[string]int64, error) {
	var users, dashboards, keys int64
	err := tx.sql.QueryRow(`
		SELECT (SELECT COUNT(*) FROM members WHERE org_id = $1), (SELECT COUNT(*) FROM dashboards WHERE org_id = $1), (SELECT COUNT(*) FROM tokens WHERE org_id = $1)`,
		org).Scan(&users, &dashboards, &keys)
	if err != nil {
		return nil, fmt.Errorf("store: usage of org %d: %w", org, err)
	}
	return map[string]int64{"org_user": users, "org_dashboard": dashboards, "org_api_key": keys}, nil
}
