package verify

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// seenEvery is how exactly a session's last use is kept.
const seenEvery = time.Minute

// Session returns the caller whose browser holds the session id. A zero org
// means the one the user works in. The error's Kind is Unauthenticated, or
// Unavailable when the session could not be checked.
func (v *Verifier) Session(ctx context.Context, id string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	hash, ok := secret.ParseSession(id)
	if !ok {
		return hallpass.Caller{}, errNoSession
	}
	now, ok := v.node.MayAnswer()
	if !ok {
		return hallpass.Caller{}, errStale
	}
	var s hallpass.Session
	var c hallpass.Caller
	err := v.db.Read(ctx, func(tx *store.Tx) (err error) {
		if err := v.recent(tx); err != nil {
			return err
		}
		if s, err = tx.SessionByHash(hash); err != nil {
			return err
		}
		u, err := tx.User(s.User)
		if err != nil {
			return err
		}
		if u.Disabled || !s.Live(now, v.sessionIdle) {
			return errNoSession
		}
		c, err = tx.UserCaller(u, org)
		return err
	})
	switch {
	case errors.Is(err, hallpass.NotFound), errors.Is(err, hallpass.Unauthenticated):
		return hallpass.Caller{}, errNoSession
	case err != nil:
		return hallpass.Caller{}, unknowable(err)
	}
	if now.Sub(s.SeenAt) >= seenEvery {
		v.sessionsMu.Lock()
		v.sessions[s.ID] = now
		v.sessionsMu.Unlock()
	}
	c.Session, c.Expires = s.ID, s.ExpiresAt
	if idle := now.Add(v.sessionIdle); idle.Before(c.Expires) {
		c.Expires = idle
	}
	c.From = from
	return c, nil
}

// flushSessions writes when sessions were last seen.
func (v *Verifier) flushSessions(ctx context.Context) error {
	v.sessionsMu.Lock()
	seen := maps.Clone(v.sessions)
	v.sessionsMu.Unlock()
	if len(seen) == 0 {
		return nil
	}
	err := v.db.Write(ctx, func(tx *store.Tx) error {
		for id, at := range seen {
			if err := tx.SawSession(id, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.sessionsMu.Lock()
	defer v.sessionsMu.Unlock()
	for id, at := range seen {
		if v.sessions[id].Equal(at) {
			delete(v.sessions, id)
		}
	}
	return nil
}
