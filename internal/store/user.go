package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const userColumns = `u.id, u.uid, u.login, u.email, u.name, u.password_hash, u.server_admin, u.disabled, u.org_id, u.created_us, u.updated_us, u.seen_us,
	EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id)`

func scanUser(r row, more ...any) (hallpass.User, error) {
	var u hallpass.User
	var created, updated, seen int64
	err := r.Scan(append([]any{&u.ID, &u.UID, &u.Login, &u.Email, &u.Name, &u.PasswordHash, &u.ServerAdmin, &u.Disabled, &u.Org,
		&created, &updated, &seen, &u.Outside}, more...)...)
	u.CreatedAt, u.UpdatedAt, u.SeenAt = fromMicros(created), fromMicros(updated), fromMicros(seen)
	return u, err
}

// CreateUser stores a new user and returns it with its ID. A login or e-mail
// that any principal has is a Conflict.
func (tx *Tx) CreateUser(u hallpass.User) (hallpass.User, error) {
	taken := &hallpass.Error{Kind: hallpass.Conflict, ID: "user.exists", Message: "user already exists"}
	var others int
	err := tx.sql.QueryRow(`
		SELECT (SELECT COUNT(*) FROM users WHERE login_key IN ($1, $2) OR email_key IN ($1, $2)) +
		       (SELECT COUNT(*) FROM service_accounts WHERE login_key IN ($1, $2))`,
		hallpass.NameKey(u.Login), hallpass.NameKey(u.Email)).Scan(&others)
	if err != nil {
		return hallpass.User{}, fmt.Errorf("store: create user: %w", err)
	}
	if others > 0 {
		return hallpass.User{}, taken
	}
	id, err := tx.nextID("principal")
	if err != nil {
		return hallpass.User{}, err
	}
	u.ID = hallpass.UserID(id)
	_, err = tx.exec(`
		INSERT INTO users (id, uid, login, login_key, email, email_key, name, name_key, password_hash, server_admin, disabled, org_id, created_us, updated_us, seen_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		u.ID, u.UID, u.Login, hallpass.NameKey(u.Login), u.Email, hallpass.NameKey(u.Email), u.Name, hallpass.NameKey(u.Name), u.PasswordHash,
		u.ServerAdmin, u.Disabled, u.Org, micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.SeenAt))
	if isUnique(err) {
		return hallpass.User{}, taken
	}
	if err != nil {
		return hallpass.User{}, fmt.Errorf("store: create user: %w", err)
	}
	return u, nil
}

// User returns the user; NotFound when there is none.
func (tx *Tx) User(id hallpass.UserID) (hallpass.User, error) {
	u, err := scanUser(tx.sql.QueryRow(`SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id))
	if err != nil {
		return hallpass.User{}, notFound(fmt.Errorf("store: user %d: %w", id, err), "user.not-found", "user not found")
	}
	return u, nil
}

// UserByLogin returns the user with that login, or else with that e-mail,
// whatever the case; NotFound when there is none.
func (tx *Tx) UserByLogin(loginOrEmail string) (hallpass.User, error) {
	key := hallpass.NameKey(loginOrEmail)
	u, err := scanUser(tx.sql.QueryRow(`
		SELECT `+userColumns+` FROM users u
		WHERE  u.login_key = $1 OR u.email_key = $1
		ORDER  BY CASE u.login_key WHEN $1 THEN 0 ELSE 1 END LIMIT 1`, key))
	if err != nil {
		return hallpass.User{}, notFound(fmt.Errorf("store: user by login: %w", err), "user.not-found", "user not found")
	}
	return u, nil
}

var errLoginTaken = &hallpass.Error{Kind: hallpass.Conflict, ID: "user.login-conflict", Message: "Update would result in user login conflict"}

// LoginTaken reports whether any principal beside the user has that login or
// e-mail, as login or e-mail.
func (tx *Tx) LoginTaken(except hallpass.UserID, loginOrEmail string) (bool, error) {
	var others int
	err := tx.sql.QueryRow(`
		SELECT (SELECT COUNT(*) FROM users WHERE id <> $1 AND (login_key = $2 OR email_key = $2)) + (SELECT COUNT(*) FROM service_accounts WHERE login_key = $2)`,
		except, hallpass.NameKey(loginOrEmail)).Scan(&others)
	if err != nil {
		return false, fmt.Errorf("store: look for login: %w", err)
	}
	return others > 0, nil
}

// UpdateUser stores everything about the user that can change, save SeenAt.
// NotFound when there is none, Conflict when another user has the login or
// e-mail.
func (tx *Tx) UpdateUser(u hallpass.User) error {
	n, err := tx.exec(`
		UPDATE users
		SET    login = $2, login_key = $3, email = $4, email_key = $5, name = $6, name_key = $7, password_hash = $8, server_admin = $9, disabled = $10,
		       org_id = $11, updated_us = $12
		WHERE  id = $1`,
		u.ID, u.Login, hallpass.NameKey(u.Login), u.Email, hallpass.NameKey(u.Email), u.Name, hallpass.NameKey(u.Name), u.PasswordHash, u.ServerAdmin,
		u.Disabled, u.Org, micros(u.UpdatedAt))
	if isUnique(err) {
		return errLoginTaken
	}
	if err != nil {
		return fmt.Errorf("store: update user %d: %w", u.ID, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "user.not-found", Message: "user not found"}
	}
	return nil
}

// SawUser notes that the user signed in.
func (tx *Tx) SawUser(id hallpass.UserID, at time.Time) error {
	if _, err := tx.exec(`UPDATE users SET seen_us = $2 WHERE id = $1`, id, micros(at)); err != nil {
		return fmt.Errorf("store: saw user %d: %w", id, err)
	}
	return nil
}

// UserByUID returns the user with that uid; NotFound when there is none.
func (tx *Tx) UserByUID(uid string) (hallpass.User, error) {
	u, err := scanUser(tx.sql.QueryRow(`SELECT `+userColumns+` FROM users u WHERE u.uid = $1`, uid))
	if err != nil {
		return hallpass.User{}, notFound(fmt.Errorf("store: user by uid: %w", err), "user.not-found", "user not found")
	}
	return u, nil
}

// Users returns a page of the server's users whose login, e-mail or name holds
// text, by login, and how many there are on all pages.
func (tx *Tx) Users(text string, limit, offset int) (page []hallpass.User, total int, err error) {
	where, pattern := userHolds("$1"), contains(text)
	if err := tx.sql.QueryRow(`SELECT COUNT(*) FROM users u WHERE `+where, pattern).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store: users: %w", err)
	}
	page, err = all(tx, func(r row) (hallpass.User, error) { return scanUser(r) },
		`SELECT `+userColumns+` FROM users u WHERE `+where+` ORDER BY u.login_key LIMIT $2 OFFSET $3`, pattern, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("store: users: %w", err)
	}
	return page, total, nil
}

// UserSummaries returns the users whose login, e-mail or name holds text, each with the
// role in the org, in no order: all users of the server, or the members of the org alone.
func (tx *Tx) UserSummaries(org hallpass.OrgID, text string, membersOnly bool) ([]hallpass.UserSummary, error) {
	join := "LEFT JOIN"
	if membersOnly {
		join = "JOIN"
	}
	list, err := all(tx, scanUserSummary, `
		SELECT `+userColumns+`, COALESCE(m.role, '') FROM users u `+join+` members m ON m.user_id = u.id AND m.org_id = $1
		WHERE  `+userHolds("$2"), org, contains(text))
	if err != nil {
		return nil, fmt.Errorf("store: user summaries: %w", err)
	}
	return list, nil
}

// userHolds is the condition that a name of the user of the table u is like the pattern,
// which is SQL.
func userHolds(pattern string) string {
	return `(u.login_key LIKE ` + pattern + ` ESCAPE '\' OR u.email_key LIKE ` + pattern + ` ESCAPE '\' OR u.name_key LIKE ` + pattern + ` ESCAPE '\')`
}

func scanUserSummary(r row) (s hallpass.UserSummary, err error) {
	var role string
	if s.User, err = scanUser(r, &role); err != nil || role == "" {
		return s, err
	}
	s.Member = true
	s.Role, err = roleOf(role)
	return s, err
}

// ServerAdmins returns how many server admins, not disabled, there are beside
// the given user.
func (tx *Tx) ServerAdmins(except hallpass.UserID) (n int, err error) {
	err = tx.sql.QueryRow(`SELECT COUNT(*) FROM users WHERE server_admin = TRUE AND disabled = FALSE AND id <> $1`, except).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: server admins: %w", err)
	}
	return n, nil
}

// DeleteUser removes the user with every session, membership, role and access;
// NotFound when there is none.
func (tx *Tx) DeleteUser(id hallpass.UserID) error {
	err := tx.steps("delete user",
		do(`DELETE FROM sessions WHERE user_id = $1`, id),
		do(`DELETE FROM identities WHERE user_id = $1`, id),
		do(`DELETE FROM known_places WHERE user_id = $1`, id),
		do(`DELETE FROM members WHERE user_id = $1`, id),
		do(`DELETE FROM team_members WHERE principal_id = $1`, id),
		do(`DELETE FROM role_assignments WHERE kind = 'principal' AND grantee_id = $1`, id),
		do(`DELETE FROM grants WHERE kind = 'principal' AND grantee_id = $1`, id),
		do(`DELETE FROM preferences WHERE kind = 'user' AND subject_id = $1`, id),
	)
	if err != nil {
		return err
	}
	n, err := tx.exec(`DELETE FROM users WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("store: delete user %d: %w", id, err)
	}
	if n == 0 {
		return &hallpass.Error{Kind: hallpass.NotFound, ID: "user.not-found", Message: "user not found"}
	}
	return nil
}

// contains makes a LIKE pattern that finds s anywhere in a folded text, with
// "\" as the escape.
func contains(s string) string { return containsKey(hallpass.NameKey(s)) }

// containsKey returns the pattern of texts that hold s as it is.
func containsKey(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}
