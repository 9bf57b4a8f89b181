package admin

import (
	"context"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// StartSession signs in the user who calls, whose password the door has just
// verified, and returns the session with its id, which exists nowhere else.
func (a *Admin) StartSession(ctx context.Context, c hallpass.Caller) (s hallpass.Session, id secret.Text, err error) {
	id = secret.NewSession()
	err = a.change(ctx, c, self, "session.create", func(t *Turn) error {
		if s, err = a.openSession(t.Tx, t.Caller, id, a.o.SessionLifetime, ""); err != nil {
			return err
		}
		return t.Audit("session", idText(s.ID), "")
	})
	return s, id, err
}

// openSession makes the session with the id of the user who calls.
func (a *Admin) openSession(tx *store.Tx, c hallpass.Caller, id secret.Text, lifetime time.Duration, issuer string) (hallpass.Session, error) {
	now := a.now()
	s, err := tx.CreateSession(hallpass.Session{
		User: c.User(), Hash: id.Hash(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(lifetime),
		Address: c.From.Address, UserAgent: c.From.UserAgent, Issuer: issuer,
	})
	if err != nil {
		return s, err
	}
	return s, tx.SawUser(c.User(), now)
}

// EndSession signs out: once it has returned, the caller's session is refused. It
// returns the issuer where the session began, "" if it began with a password. Without a
// session there is nothing to end.
func (a *Admin) EndSession(ctx context.Context, c hallpass.Caller) (issuer string, err error) {
	if c.Session == 0 {
		return "", nil
	}
	err = a.change(ctx, c, self, "session.end", func(t *Turn) error {
		s, err := t.Session(t.Caller.Session)
		if err != nil {
			return err
		}
		issuer = s.Issuer
		if err := t.declare(changed(hallpass.SessionChanged, t.Caller.Session)); err != nil {
			return err
		}
		if err := t.DeleteSession(t.Caller.Session); err != nil {
			return err
		}
		return t.Audit("session", idText(t.Caller.Session), "")
	})
	return issuer, err
}

// DeleteDeadSessions forgets sessions that are over. The server calls it now
// and then.
func (a *Admin) DeleteDeadSessions(ctx context.Context) error {
	now := a.now()
	return a.db.Write(ctx, func(tx *store.Tx) error {
		return tx.DeleteDeadSessions(now, now.Add(-a.o.SessionIdle))
	})
}

// Sessions returns the sessions of the user who calls that have not ended.
func (a *Admin) Sessions(ctx context.Context, c hallpass.Caller) ([]hallpass.Session, error) {
	return a.sessions(ctx, c, self, c.User())
}

// UserSessions returns the sessions of the user that have not ended.
func (a *Admin) UserSessions(ctx context.Context, c hallpass.Caller, id hallpass.UserID) ([]hallpass.Session, error) {
	return a.sessions(ctx, c, onUser(hallpass.UsersAuthTokenRead, id), id)
}

func (a *Admin) sessions(ctx context.Context, c hallpass.Caller, n need, id hallpass.UserID) (live []hallpass.Session, err error) {
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		if _, err := tx.User(id); err != nil {
			return err
		}
		list, err := tx.Sessions(id)
		now := a.now()
		for _, s := range list {
			if s.Live(now, a.o.SessionIdle) && s.From(a.o.SignIn.Issuer) {
				live = append(live, s)
			}
		}
		return err
	})
	return live, err
}

// EndOwnSession ends another session of the user who calls, or the one that is
// used; NotFound when it is not theirs.
func (a *Admin) EndOwnSession(ctx context.Context, c hallpass.Caller, id hallpass.SessionID) error {
	return a.endSession(ctx, c, self, c.User(), id)
}

// EndUserSession ends one session of the user; NotFound when it is not theirs.
func (a *Admin) EndUserSession(ctx context.Context, c hallpass.Caller, user hallpass.UserID, id hallpass.SessionID) error {
	return a.endSession(ctx, c, onUser(hallpass.UsersAuthTokenWrite, user), user, id)
}

var errNoSession = &hallpass.Error{Kind: hallpass.NotFound, ID: "user.session-not-found", Message: "User auth token not found"}

func (a *Admin) endSession(ctx context.Context, c hallpass.Caller, n need, user hallpass.UserID, id hallpass.SessionID) error {
	return a.change(ctx, c, n, "session.end", func(t *Turn) error {
		s, err := t.Session(id)
		if hallpass.KindOf(err) == hallpass.NotFound || err == nil && s.User != user {
			err = errNoSession
		}
		if err != nil {
			return err
		}
		u, err := t.User(user)
		if err != nil {
			return err
		}
		if err := t.tellOrgOf(u); err != nil {
			return err
		}
		if err := t.declare(changed(hallpass.SessionChanged, id)); err != nil {
			return err
		}
		if err := t.DeleteSession(id); err != nil {
			return err
		}
		return t.Audit("session", idText(id), "")
	})
}

// EndOtherSessions ends every session of the user who calls but the one that is used, and
// returns how many those were; NotFound when there is none.
func (a *Admin) EndOtherSessions(ctx context.Context, c hallpass.Caller) (ended int, err error) {
	err = a.change(ctx, c, self, "session.end", func(t *Turn) error {
		list, err := t.Sessions(t.Caller.User())
		if err != nil {
			return err
		}
		ended = 0
		for _, s := range list {
			if s.ID == t.Caller.Session {
				continue
			}
			if err := t.declare(changed(hallpass.SessionChanged, s.ID)); err != nil {
				return err
			}
			ended++
		}
		if ended == 0 {
			return errNoSession
		}
		for _, s := range list {
			if s.ID == t.Caller.Session {
				continue
			}
			if err := t.DeleteSession(s.ID); err != nil {
				return err
			}
			if err := t.Audit("session", idText(s.ID), ""); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// LogoutUser ends every session of another user.
func (a *Admin) LogoutUser(ctx context.Context, c hallpass.Caller, id hallpass.UserID) error {
	if c.User() == id && id != 0 {
		return errLogoutYourself
	}
	n := onUser(hallpass.UsersLogout, id)
	return a.changeUser(ctx, c, n, id, "user.logout", func(t *Turn, _ *hallpass.User) error {
		return t.DeleteSessions(id)
	})
}
