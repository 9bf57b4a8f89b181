package store

import (
	"fmt"
	"slices"

	"github.com/hallpass-dev/hallpass"
)

var teamColumns = `t.id, t.uid, t.org_id, t.name, t.email, (SELECT COUNT(*) FROM team_members m WHERE m.team_id = t.id), t.created_us, t.updated_us, ` + fileOf("team", "t.org_id", "t.id")

func scanTeam(r row) (t hallpass.Team, err error) {
	var created, updated int64
	err = r.Scan(&t.ID, &t.UID, &t.Org, &t.Name, &t.Email, &t.Members, &created, &updated, &t.File)
	t.CreatedAt, t.UpdatedAt = fromMicros(created), fromMicros(updated)
	return t, err
}

var (
	errTeamNotFound = &hallpass.Error{Kind: hallpass.NotFound, ID: "team.not-found", Message: "Team not found"}
	errTeamTaken    = &hallpass.Error{Kind: hallpass.Conflict, ID: "team.name-taken", Message: "Team name taken"}
	errNoTeamMember = &hallpass.Error{Kind: hallpass.NotFound, ID: "team.member-not-found", Message: "Team member not found"}
)

// CreateTeam stores a new team and returns it with its ID. A name that another
// team of the org has is a Conflict.
func (tx *Tx) CreateTeam(t hallpass.Team) (hallpass.Team, error) {
	id, err := tx.nextID("team")
	if err != nil {
		return hallpass.Team{}, err
	}
	t.ID = hallpass.TeamID(id)
	_, err = tx.exec(`
		INSERT INTO teams (id, uid, org_id, name, name_key, email, created_us, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.ID, t.UID, t.Org, t.Name, hallpass.NameKey(t.Name), t.Email, micros(t.CreatedAt), micros(t.UpdatedAt))
	if isUnique(err) {
		return hallpass.Team{}, errTeamTaken
	}
	if err != nil {
		return hallpass.Team{}, fmt.Errorf("store: create team: %w", err)
	}
	return t, nil
}

// Team returns the team; NotFound when org has none with that ID.
func (tx *Tx) Team(org hallpass.OrgID, id hallpass.TeamID) (hallpass.Team, error) {
	t, err := scanTeam(tx.sql.QueryRow(`SELECT `+teamColumns+` FROM teams t WHERE t.org_id = $1 AND t.id = $2`, org, id))
	if err != nil {
		return hallpass.Team{}, notFound(fmt.Errorf("store: team %d: %w", id, err), errTeamNotFound.ID, errTeamNotFound.Message)
	}
	return t, nil
}

// TeamByUID returns the team with that uid; NotFound when org has none.
func (tx *Tx) TeamByUID(org hallpass.OrgID, uid string) (hallpass.Team, error) {
	t, err := scanTeam(tx.sql.QueryRow(`SELECT `+teamColumns+` FROM teams t WHERE t.org_id = $1 AND t.uid = $2`, org, uid))
	if err != nil {
		return hallpass.Team{}, notFound(fmt.Errorf("store: team by uid: %w", err), errTeamNotFound.ID, errTeamNotFound.Message)
	}
	return t, nil
}

// Teams returns a page of the org's teams whose name or e-mail holds text, by
// name, and how many there are on all pages. A limit of 0 means all.
func (tx *Tx) Teams(org hallpass.OrgID, text string, limit, offset int) (list []hallpass.Team, total int, err error) {
	from, args := ` FROM teams t WHERE t.org_id = $1`, []any{org}
	if text != "" {
		from += ` AND (t.name_key LIKE $2 ESCAPE '\' OR LOWER(t.email) LIKE $2 ESCAPE '\')`
		args = append(args, contains(text))
	}
	if limit > 0 {
		if err := tx.sql.QueryRow(`SELECT COUNT(*)`+from, args...).Scan(&total); err != nil {
			return nil, 0, fmt.Errorf("store: teams: %w", err)
		}
		from += fmt.Sprintf(` ORDER BY t.name_key LIMIT %d OFFSET %d`, limit, offset)
	} else {
		from += ` ORDER BY t.name_key`
	}
	list, err = all(tx, scanTeam, `SELECT `+teamColumns+from, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("store: teams: %w", err)
	}
	if limit <= 0 {
		total = len(list)
	}
	return list, total, nil
}

// TeamsOf returns the teams of org that the principal is in, by name.
func (tx *Tx) TeamsOf(org hallpass.OrgID, principal int64) ([]hallpass.Team, error) {
	list, err := all(tx, scanTeam, `
		SELECT `+teamColumns+` FROM teams t JOIN team_members m ON m.team_id = t.id
		WHERE  t.org_id = $1 AND m.principal_id = $2 ORDER BY t.name_key`, org, principal)
	if err != nil {
		return nil, fmt.Errorf("store: teams of principal %d: %w", principal, err)
	}
	return list, nil
}

// UserTeams returns the teams of org that each of the users is in, by name.
func (tx *Tx) UserTeams(org hallpass.OrgID, users []hallpass.UserID) ([]hallpass.UserTeam, error) {
	list, err := all(tx, func(r row) (t hallpass.UserTeam, err error) {
		err = r.Scan(&t.User, &t.Team.ID, &t.Team.UID, &t.Team.Org, &t.Team.Name)
		return t, err
	}, `
		SELECT m.principal_id, t.id, t.uid, t.org_id, t.name FROM teams t JOIN team_members m ON m.team_id = t.id
		WHERE  t.org_id = $1 AND m.principal_id IN `+idList(users)+` ORDER BY t.name_key`, org)
	if err != nil {
		return nil, fmt.Errorf("store: teams of users: %w", err)
	}
	return list, nil
}

// UpdateTeam stores the team's name and e-mail. A name that is taken is a
// Conflict, a missing team NotFound.
func (tx *Tx) UpdateTeam(t hallpass.Team) error {
	n, err := tx.exec(`UPDATE teams SET name = $3, name_key = $4, email = $5, updated_us = $6 WHERE org_id = $1 AND id = $2`,
		t.Org, t.ID, t.Name, hallpass.NameKey(t.Name), t.Email, micros(t.UpdatedAt))
	switch {
	case isUnique(err):
		return errTeamTaken
	case err != nil:
		return fmt.Errorf("store: update team %d: %w", t.ID, err)
	case n == 0:
		return errTeamNotFound
	}
	return nil
}

// DeleteTeam removes the team with its memberships, roles, access, groups and
// preferences; NotFound when org has none with that ID.
func (tx *Tx) DeleteTeam(org hallpass.OrgID, id hallpass.TeamID) error {
	if _, err := tx.Team(org, id); err != nil {
		return err
	}
	return tx.steps("delete team",
		do(`DELETE FROM team_members WHERE team_id = $1`, id),
		do(`DELETE FROM team_groups WHERE team_id = $1`, id),
		do(`DELETE FROM role_assignments WHERE kind = 'team' AND grantee_id = $1`, id),
		do(`DELETE FROM grants WHERE org_id = $1 AND kind = 'team' AND grantee_id = $2`, org, id),
		do(`DELETE FROM preferences WHERE org_id = $1 AND kind = 'team' AND subject_id = $2`, org, id),
		do(`DELETE FROM teams WHERE org_id = $1 AND id = $2`, org, id),
	)
}

func scanTeamMember(r row) (m hallpass.TeamMember, err error) {
	var joined int64
	p := &m.Principal
	err = r.Scan(&m.Team, &m.Admin, &joined, &m.Synced, &p.Kind, &p.ID, &p.UID, &p.Login, &p.Name, &p.Email)
	m.JoinedAt = fromMicros(joined)
	return m, err
}

// principals is every user as kind 1 and every service account as kind 2: a
// table to join with where either may stand.
const principals = `(SELECT 1 AS kind, u.id, u.uid, u.login, u.login_key, u.name, u.email FROM users u
		UNION ALL SELECT 2, a.id, a.uid, a.login, a.login_key, a.name, '' FROM service_accounts a)`

// TeamMembers returns the team's members, by login.
func (tx *Tx) TeamMembers(id hallpass.TeamID) ([]hallpass.TeamMember, error) {
	list, err := all(tx, scanTeamMember, `
		SELECT m.team_id, m.admin, m.joined_us, m.synced, p.kind, p.id, p.uid, p.login, p.name, p.email
		FROM   team_members m JOIN `+principals+` p ON p.id = m.principal_id
		WHERE  m.team_id = $1 ORDER BY p.login_key`, id)
	if err != nil {
		return nil, fmt.Errorf("store: members of team %d: %w", id, err)
	}
	return list, nil
}

// memberships returns the principal's places in teams of org, without the
// principal itself.
func (tx *Tx) memberships(org hallpass.OrgID, principal int64) ([]hallpass.TeamMember, error) {
	list, err := all(tx, func(r row) (m hallpass.TeamMember, err error) {
		var joined int64
		err = r.Scan(&m.Team, &m.Admin, &joined)
		m.JoinedAt = fromMicros(joined)
		return m, err
	}, `SELECT team_id, admin, joined_us FROM team_members WHERE principal_id = $1 AND org_id = $2 ORDER BY team_id`, principal, org)
	if err != nil {
		return nil, fmt.Errorf("store: memberships of principal %d: %w", principal, err)
	}
	return list, nil
}

// SetTeamMember makes the principal a member or admin of the team. It reports
// whether it was in the team already.
func (tx *Tx) SetTeamMember(org hallpass.OrgID, m hallpass.TeamMember) (was bool, err error) {
	n, err := tx.exec(`UPDATE team_members SET admin = $3 WHERE team_id = $1 AND principal_id = $2`, m.Team, m.Principal.ID, m.Admin)
	if err == nil && n == 0 {
		_, err = tx.exec(`INSERT INTO team_members (team_id, principal_id, org_id, admin, joined_us, synced) VALUES ($1, $2, $3, $4, $5, $6)`,
			m.Team, m.Principal.ID, org, m.Admin, micros(m.JoinedAt), m.Synced)
	}
	if err != nil {
		return false, fmt.Errorf("store: set member %d of team %d: %w", m.Principal.ID, m.Team, err)
	}
	return n > 0, nil
}

// DeleteTeamMember takes the principal out of the team; NotFound when it is not
// in it.
func (tx *Tx) DeleteTeamMember(id hallpass.TeamID, principal int64) error {
	n, err := tx.exec(`DELETE FROM team_members WHERE team_id = $1 AND principal_id = $2`, id, principal)
	if err != nil {
		return fmt.Errorf("store: delete member %d of team %d: %w", principal, id, err)
	}
	if n == 0 {
		return errNoTeamMember
	}
	return nil
}

// Principal returns the user, if a member, or service account of org with that
// ID; NotFound when org has none.
func (tx *Tx) Principal(org hallpass.OrgID, id int64) (p hallpass.PrincipalInfo, err error) {
	err = tx.sql.QueryRow(`
		SELECT 1, u.id, u.uid, u.login, u.name, u.email FROM users u JOIN members m ON m.user_id = u.id WHERE m.org_id = $1 AND u.id = $2
		UNION  ALL
		SELECT 2, a.id, a.uid, a.login, a.name, '' FROM service_accounts a WHERE a.org_id = $1 AND a.id = $2`, org, id).
		Scan(&p.Kind, &p.ID, &p.UID, &p.Login, &p.Name, &p.Email)
	if err != nil {
		return p, notFound(fmt.Errorf("store: principal %d: %w", id, err), "user.not-found", "user not found")
	}
	return p, nil
}

// PrincipalsByID returns the principals with those IDs, whatever their org.
func (tx *Tx) PrincipalsByID(ids []int64) (map[int64]hallpass.PrincipalInfo, error) {
	found := make(map[int64]hallpass.PrincipalInfo)
	for part := range slices.Chunk(ids, maxBinds) {
		var args []any
		in := binds(&args, part)
		list, err := all(tx, func(r row) (p hallpass.PrincipalInfo, err error) {
			err = r.Scan(&p.Kind, &p.ID, &p.UID, &p.Login, &p.Name, &p.Email)
			return p, err
		}, `SELECT 1, u.id, u.uid, u.login, u.name, u.email FROM users u WHERE u.id IN (`+in+`)
			UNION ALL SELECT 2, a.id, a.uid, a.login, a.name, '' FROM service_accounts a WHERE a.id IN (`+in+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("store: principals: %w", err)
		}
		for _, p := range list {
			found[p.ID] = p
		}
	}
	return found, nil
}

// PrincipalByUID returns the ID of the user, if a member, or service account of
// org with that uid; NotFound when org has none.
func (tx *Tx) PrincipalByUID(org hallpass.OrgID, uid string) (id int64, err error) {
	err = tx.sql.QueryRow(`
		SELECT u.id FROM users u JOIN members m ON m.user_id = u.id WHERE m.org_id = $1 AND u.uid = $2
		UNION  ALL SELECT a.id FROM service_accounts a WHERE a.org_id = $1 AND a.uid = $2`, org, uid).Scan(&id)
	if err != nil {
		return 0, notFound(fmt.Errorf("store: principal by uid: %w", err), "user.not-found", "user not found")
	}
	return id, nil
}

// TeamGroups returns the outside groups that the team is matched with.
func (tx *Tx) TeamGroups(id hallpass.TeamID) ([]string, error) {
	list, err := all(tx, func(r row) (s string, err error) { err = r.Scan(&s); return s, err },
		`SELECT group_id FROM team_groups WHERE team_id = $1 ORDER BY group_id`, id)
	if err != nil {
		return nil, fmt.Errorf("store: groups of team %d: %w", id, err)
	}
	return list, nil
}

// AddTeamGroup matches the team with an outside group; a second time is a
// Conflict.
func (tx *Tx) AddTeamGroup(id hallpass.TeamID, group string) error {
	_, err := tx.exec(`INSERT INTO team_groups (team_id, group_id) VALUES ($1, $2)`, id, group)
	if isUnique(err) {
		return &hallpass.Error{Kind: hallpass.Conflict, ID: "team.group-taken", Message: "Group is already added to this team"}
	}
	if err != nil {
		return fmt.Errorf("store: add group to team %d: %w", id, err)
	}
	return nil
}

// DeleteTeamGroup ends the match; NotFound when there is none.
func (tx *Tx) DeleteTeamGroup(id hallpass.TeamID, group string) error {
	n, err := tx.exec(`DELETE FROM team_groups WHERE team_id = $1 AND group_id = $2`, id, group)
	if err != nil {
		return fmt.Errorf("store: delete group of team %d: %w", id, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "team.group-not-found", Message: "Team group not found"}
	}
	return nil
}

// PreferencesOf says whose preferences are meant.
type PreferencesOf struct {
	Org  hallpass.OrgID
	Kind string // "org", "team" or "user"
	ID   int64
}

// Preferences returns the preferences that were set, empty ones if none were.
func (tx *Tx) Preferences(of PreferencesOf) (p hallpass.Preferences, err error) {
	rows, err := all(tx, func(r row) (p hallpass.Preferences, err error) {
		err = r.Scan(&p.Theme, &p.HomeDashboardUID, &p.Timezone, &p.WeekStart, &p.Language)
		return p, err
	}, `SELECT theme, home_uid, timezone, week_start, language FROM preferences WHERE org_id = $1 AND kind = $2 AND subject_id = $3`, of.Org, of.Kind, of.ID)
	if err != nil {
		return p, fmt.Errorf("store: preferences: %w", err)
	}
	if len(rows) > 0 {
		p = rows[0]
	}
	return p, nil
}

// SetPreferences stores all of the preferences.
func (tx *Tx) SetPreferences(of PreferencesOf, p hallpass.Preferences) error {
	_, err := tx.exec(`
		INSERT INTO preferences (org_id, kind, subject_id, theme, home_uid, timezone, week_start, language)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, kind, subject_id) DO UPDATE
		SET theme = excluded.theme, home_uid = excluded.home_uid, timezone = excluded.timezone, week_start = excluded.week_start, language = excluded.language`,
		of.Org, of.Kind, of.ID, p.Theme, p.HomeDashboardUID, p.Timezone, p.WeekStart, p.Language)
	if err != nil {
		return fmt.Errorf("store: set preferences: %w", err)
	}
	return nil
}

// PrincipalByLogin returns the ID of the user, if a member, or service account
// of org with that login, or the user with that e-mail, whatever the case;
// NotFound when org has none.
func (tx *Tx) PrincipalByLogin(org hallpass.OrgID, login string) (id int64, err error) {
	err = tx.sql.QueryRow(`
		SELECT u.id FROM users u JOIN members m ON m.user_id = u.id WHERE m.org_id = $1 AND (u.login_key = $2 OR u.email_key = $2)
		UNION  ALL SELECT a.id FROM service_accounts a WHERE a.org_id = $1 AND a.login_key = $2`, org, hallpass.NameKey(login)).Scan(&id)
	if err != nil {
		return 0, notFound(fmt.Errorf("store: principal by login: %w", err), "user.not-found", "user not found")
	}
	return id, nil
}

// OrgPrincipal is a member or service account of an org.
type OrgPrincipal struct {
	Kind  hallpass.PrincipalKind
	ID    int64
	Role  hallpass.Role
	Plain bool // has nothing beside its basic role
}

// OrgPrincipals returns every member and service account of the org, by ID.
func (tx *Tx) OrgPrincipals(org hallpass.OrgID) ([]OrgPrincipal, error) {
	list, err := all(tx, func(r row) (p OrgPrincipal, err error) {
		var role string
		var extras int
		if err := r.Scan(&p.Kind, &p.ID, &role, &extras); err != nil {
			return p, err
		}
		p.Plain = extras == 0
		p.Role, err = roleOf(role)
		return p, err
	}, `
		SELECT p.kind, p.id, p.role,
		       (SELECT COUNT(*) FROM role_assignments ra WHERE ra.kind = 'principal' AND ra.grantee_id = p.id) +
		       (SELECT COUNT(*) FROM team_members m WHERE m.principal_id = p.id) +
		       (SELECT COUNT(*) FROM grants g WHERE g.org_id = $1 AND g.kind = 'principal' AND g.grantee_id = p.id) +
		       (SELECT COUNT(*) FROM users u WHERE u.id = p.id AND u.server_admin = TRUE)
		FROM   (SELECT 1 AS kind, m.user_id AS id, m.role FROM members m WHERE m.org_id = $1
		        UNION ALL SELECT 2, a.id, a.role FROM service_accounts a WHERE a.org_id = $1) p
		ORDER  BY p.id`, org)
	if err != nil {
		return nil, fmt.Errorf("store: principals of org %d: %w", org, err)
	}
	return list, nil
}
