package store

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

const sessionColumns = `s.id, s.user_id, s.hash, s.created_us, s.seen_us, s.expires_us, s.address, s.user_agent, s.issuer`

func scanSession(r row) (hallpass.Session, error) {
	var s hallpass.Session
	var hash []byte
	var created, seen, expires int64
	if err := r.Scan(&s.ID, &s.User, &hash, &created, &seen, &expires, &s.Address, &s.UserAgent, &s.Issuer); err != nil {
		return hallpass.Session{}, err
	}
	s.Hash = [32]byte(hash)
	s.CreatedAt, s.SeenAt, s.ExpiresAt = fromMicros(created), fromMicros(seen), fromMicros(expires)
	return s, nil
}

// CreateSession stores a new session and returns it with its ID.
func (tx *Tx) CreateSession(s hallpass.Session) (hallpass.Session, error) {
	id, err := tx.nextID("session")
	if err != nil {
		return hallpass.Session{}, err
	}
	s.ID = hallpass.SessionID(id)
	_, err = tx.exec(`
		INSERT INTO sessions (id, user_id, hash, created_us, seen_us, expires_us, address, user_agent, issuer)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.ID, s.User, s.Hash[:], micros(s.CreatedAt), micros(s.SeenAt), micros(s.ExpiresAt), s.Address, s.UserAgent, s.Issuer)
	if err != nil {
		return hallpass.Session{}, fmt.Errorf("store: create session: %w", err)
	}
	return s, nil
}

// SessionByHash returns the session with that hash; NotFound when there is
// none.
func (tx *Tx) SessionByHash(hash [32]byte) (hallpass.Session, error) {
	s, err := scanSession(tx.sql.QueryRow(`SELECT `+sessionColumns+` FROM sessions s WHERE s.hash = $1`, hash[:]))
	if err != nil {
		return hallpass.Session{}, notFound(fmt.Errorf("store: session by hash: %w", err), "", "unknown session")
	}
	return s, nil
}

// Session returns the session; NotFound when there is none with that ID.
func (tx *Tx) Session(id hallpass.SessionID) (hallpass.Session, error) {
	s, err := scanSession(tx.sql.QueryRow(`SELECT `+sessionColumns+` FROM sessions s WHERE s.id = $1`, id))
	if err != nil {
		return hallpass.Session{}, notFound(fmt.Errorf("store: session %d: %w", id, err), "", "unknown session")
	}
	return s, nil
}

// Sessions returns the sessions of the user that have not ended, the newest
// first.
func (tx *Tx) Sessions(user hallpass.UserID) ([]hallpass.Session, error) {
	list, err := all(tx, scanSession, `SELECT `+sessionColumns+` FROM sessions s WHERE s.user_id = $1 ORDER BY s.seen_us DESC, s.id DESC`, user)
	if err != nil {
		return nil, fmt.Errorf("store: sessions of user %d: %w", user, err)
	}
	return list, nil
}

// SawSession notes that the session was used.
func (tx *Tx) SawSession(id hallpass.SessionID, at time.Time) error {
	if _, err := tx.exec(`UPDATE sessions SET seen_us = $2 WHERE id = $1 AND seen_us < $2`, id, micros(at)); err != nil {
		return fmt.Errorf("store: saw session %d: %w", id, err)
	}
	return nil
}

// DeleteSession ends the session; one that has ended already is no error.
func (tx *Tx) DeleteSession(id hallpass.SessionID) error {
	if _, err := tx.exec(`DELETE FROM sessions WHERE id = $1`, id); err != nil {
		return fmt.Errorf("store: delete session %d: %w", id, err)
	}
	return nil
}

// DeleteSessions ends every session of the user.
func (tx *Tx) DeleteSessions(user hallpass.UserID) error {
	if _, err := tx.exec(`DELETE FROM sessions WHERE user_id = $1`, user); err != nil {
		return fmt.Errorf("store: delete sessions of user %d: %w", user, err)
	}
	return nil
}

// DeleteDeadSessions forgets the sessions that are over at now or were not
// used since idleSince.
func (tx *Tx) DeleteDeadSessions(now, idleSince time.Time) error {
	if _, err := tx.exec(`DELETE FROM sessions WHERE expires_us <= $1 OR seen_us <= $2`, micros(now), micros(idleSince)); err != nil {
		return fmt.Errorf("store: delete dead sessions: %w", err)
	}
	return nil
}
