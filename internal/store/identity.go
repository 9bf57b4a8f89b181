package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const identityColumns = `i.issuer, i.subject, i.user_id, i.created_us, i.seen_us`

func scanIdentity(r row) (i hallpass.Identity, err error) {
	var created, seen int64
	err = r.Scan(&i.Issuer, &i.Subject, &i.User, &created, &seen)
	i.CreatedAt, i.SeenAt = fromMicros(created), fromMicros(seen)
	return i, err
}

// Identity returns who signs in as the subject of the issuer; NotFound when nobody
// does.
func (tx *Tx) Identity(issuer, subject string) (hallpass.Identity, error) {
	i, err := scanIdentity(tx.sql.QueryRow(`SELECT `+identityColumns+` FROM identities i WHERE i.issuer = $1 AND i.subject = $2`, issuer, subject))
	if err != nil {
		return i, notFound(fmt.Errorf("store: identity: %w", err), "", "unknown identity")
	}
	return i, nil
}

// Identities returns by which names of outside issuers the user signs in, the oldest
// first.
func (tx *Tx) Identities(user hallpass.UserID) ([]hallpass.Identity, error) {
	list, err := all(tx, scanIdentity, `SELECT `+identityColumns+` FROM identities i WHERE i.user_id = $1 ORDER BY i.created_us, i.issuer, i.subject`, user)
	if err != nil {
		return nil, fmt.Errorf("store: identities of user %d: %w", user, err)
	}
	return list, nil
}

// CreateIdentity stores a new identity. One that anybody has is a Conflict.
func (tx *Tx) CreateIdentity(i hallpass.Identity) error {
	_, err := tx.exec(`INSERT INTO identities (issuer, subject, user_id, created_us, seen_us) VALUES ($1, $2, $3, $4, $5)`,
		i.Issuer, i.Subject, i.User, micros(i.CreatedAt), micros(i.SeenAt))
	if isUnique(err) {
		return &hallpass.Error{Kind: hallpass.Conflict, ID: "identity.exists", Message: "somebody signs in by this identity already"}
	}
	if err != nil {
		return fmt.Errorf("store: create identity: %w", err)
	}
	return nil
}

// DeleteIdentity forgets the identity; one that there is not is no error.
func (tx *Tx) DeleteIdentity(issuer, subject string) error {
	if _, err := tx.exec(`DELETE FROM identities WHERE issuer = $1 AND subject = $2`, issuer, subject); err != nil {
		return fmt.Errorf("store: delete identity: %w", err)
	}
	return nil
}

// SawIdentity notes that the identity signed in.
func (tx *Tx) SawIdentity(issuer, subject string, at time.Time) error {
	if _, err := tx.exec(`UPDATE identities SET seen_us = $3 WHERE issuer = $1 AND subject = $2`, issuer, subject, micros(at)); err != nil {
		return fmt.Errorf("store: saw identity: %w", err)
	}
	return nil
}

// A GroupMatch says that an outside group is matched with a team, and how a user stands
// in the team.
type GroupMatch struct {
	Group  string
	Org    hallpass.OrgID
	Team   hallpass.TeamID
	Member bool // the user is in the team
}

// GroupMatches returns every match with a team of an org that the user is a member of.
func (tx *Tx) GroupMatches(user hallpass.UserID) ([]GroupMatch, error) {
	list, err := all(tx, func(r row) (m GroupMatch, err error) {
		err = r.Scan(&m.Group, &m.Org, &m.Team, &m.Member)
		return m, err
	}, `
		SELECT g.group_id, t.org_id, t.id, EXISTS (SELECT 1 FROM team_members tm WHERE tm.team_id = t.id AND tm.principal_id = $1)
		FROM   team_groups g JOIN teams t ON t.id = g.team_id JOIN members m ON m.org_id = t.org_id AND m.user_id = $1
		ORDER  BY t.id, g.group_id`, user)
	if err != nil {
		return nil, fmt.Errorf("store: groups of user %d: %w", user, err)
	}
	return list, nil
}

// OrgGroupMatches returns every match with a team of the org, for a user who is in none.
func (tx *Tx) OrgGroupMatches(org hallpass.OrgID) ([]GroupMatch, error) {
	list, err := all(tx, func(r row) (m GroupMatch, err error) {
		m.Org = org
		err = r.Scan(&m.Group, &m.Team)
		return m, err
	}, `SELECT g.group_id, t.id FROM team_groups g JOIN teams t ON t.id = g.team_id WHERE t.org_id = $1 ORDER BY t.id, g.group_id`, org)
	if err != nil {
		return nil, fmt.Errorf("store: groups of org %d: %w", org, err)
	}
	return list, nil
}

// SyncedTeams returns the teams that outside groups put the user in.
func (tx *Tx) SyncedTeams(user hallpass.UserID) ([]hallpass.TeamID, error) {
	list, err := all(tx, func(r row) (id hallpass.TeamID, err error) { err = r.Scan(&id); return id, err },
		`SELECT team_id FROM team_members WHERE principal_id = $1 AND synced = TRUE ORDER BY team_id`, user)
	if err != nil {
		return nil, fmt.Errorf("store: synced teams of user %d: %w", user, err)
	}
	return list, nil
}

// UserByEmail returns the user with that e-mail, whatever the case; NotFound when there
// is none.
func (tx *Tx) UserByEmail(email string) (hallpass.User, error) {
	u, err := scanUser(tx.sql.QueryRow(`SELECT `+userColumns+` FROM users u WHERE u.email_key = $1`, hallpass.NameKey(email)))
	if err != nil {
		return hallpass.User{}, notFound(fmt.Errorf("store: user by e-mail: %w", err), "user.not-found", "user not found")
	}
	return u, nil
}
