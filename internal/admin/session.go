package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// StartSession signs in the user who calls, whose password the door has just
// verified, and returns the session with its id, which exists nowhere else.
func (a *Admin) StartSession(ctx context.Context, c hallpass.Caller) (s hallpass.Session, id secret.Text, err error) {
	id = secret.NewSession()
	now := a.now()
	err = a.change(ctx, c, need{}, nil, func(tx *store.Tx, c hallpass.Caller) (hallpass.AuditEntry, error) {
		s, err = tx.CreateSession(ctx, hallpass.Session{
			User: c.User(), Hash: id.Hash(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(a.o.SessionLifetime),
			Address: c.From.Address, UserAgent: c.From.UserAgent,
		})
		if err != nil {
			return hallpass.AuditEntry{}, err
		}
		if err := tx.SawUser(ctx, c.User(), now); err != nil {
			return hallpass.AuditEntry{}, err
		}
		return a.entry(c, "session.create", target("session", int64(s.ID))), nil
	})
	return s, id, err
}

// EndSession signs out: the caller's session is refused from the moment this
// returns. Without a session there is nothing to end.
func (a *Admin) EndSession(ctx context.Context, c hallpass.Caller) error {
	if c.Session == 0 {
		return nil
	}
	changed := []hallpass.Change{{Kind: hallpass.SessionChanged, ID: int64(c.Session)}}
	return a.change(ctx, c, need{}, changed, func(tx *store.Tx, c hallpass.Caller) (hallpass.AuditEntry, error) {
		return a.entry(c, "session.end", target("session", int64(c.Session))), tx.DeleteSession(ctx, c.Session)
	})
}

// DeleteDeadSessions forgets sessions that are over. The server calls it now
// and then.
func (a *Admin) DeleteDeadSessions(ctx context.Context) error {
	now := a.now()
	return a.db.Write(ctx, func(tx *store.Tx) error {
		return tx.DeleteDeadSessions(ctx, now, now.Add(-a.o.SessionIdle))
	})
}
