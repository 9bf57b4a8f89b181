package hallpass

import (
	"crypto/sha256"
	"time"
)

// A User is a human being who may sign in.
//
// Times are UTC in whole microseconds. A zero SeenAt means never signed in. A
// User is a plain value.
type User struct {
	ID           UserID
	UID          string
	Login        string // unique on the server, case-folded, over e-mails too
	Email        string
	Name         string
	PasswordHash string // argon2id, in PHC form; empty: no password fits
	ServerAdmin  bool
	Disabled     bool
	Org          OrgID // the org the user works in unless a request names another
	Outside      bool  // an outside issuer signs the user in; filled in by reads
	CreatedAt    time.Time
	UpdatedAt    time.Time
	SeenAt       time.Time
}

// ActionToSetDisabled returns the action that a caller needs to disable a user, or
// to enable one.
func ActionToSetDisabled(disabled bool) Action {
	if disabled {
		return UsersDisable
	}
	return UsersEnable
}

// PasswordFingerprint returns a value that is different for each password of the
// user and does not reveal the password.
func (u User) PasswordFingerprint() [32]byte { return sha256.Sum256([]byte(u.PasswordHash)) }

// A Session is a user's sign-in by browser: the record of a secret kept in a
// cookie, never the secret.
//
// A Session is a plain value. It ends at ExpiresAt, and when it was
// not used for the idle limit.
type Session struct {
	ID        SessionID
	User      UserID
	Hash      [32]byte // SHA-256 of the cookie's value
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	Address   string
	UserAgent string
	Issuer    string // the outside issuer where it began; empty: it began with a password
}

// Live reports whether the session may be used at now; idle is the longest time
// without use.
func (s Session) Live(now time.Time, idle time.Duration) bool {
	return now.Before(s.ExpiresAt) && now.Sub(s.SeenAt) < idle
}

// From reports whether the session began with a password, or at the issuer: sessions of
// a provider that was turned off, or replaced, are refused.
func (s Session) From(issuer string) bool { return s.Issuer == "" || s.Issuer == issuer }
