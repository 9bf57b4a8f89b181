package admin

import (
	"context"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// FreshSession is how old the session may be with which a company account is connected:
// whoever found a session open does not know the password, and could make a way in of
// their own that stays.
const FreshSession = 10 * time.Minute

var (
	errNotFresh         = &hallpass.Error{Kind: hallpass.Denied, ID: "federation.not-fresh", Message: "You signed in too long ago to connect an account: give your password once more"}
	errConnected        = &hallpass.Error{Kind: hallpass.Conflict, ID: "federation.connected", Message: "An account of this provider is connected to your user already: disconnect it first"}
	errConnectedToOther = &hallpass.Error{Kind: hallpass.Conflict, ID: "federation.connected-to-another", Message: "That account belongs to another user here. Sign in with it to see which, or ask whoever runs this server"}
	errOnlyWay          = &hallpass.Error{Kind: hallpass.Conflict, ID: "federation.only-way", Message: "You have no password that works here: without the company account you could not sign in any more"}
	errNoIdentity       = &hallpass.Error{Kind: hallpass.NotFound, ID: "federation.not-connected", Message: "That account is not connected to your user"}
)

// ConnectIdentity lets the person whom an outside issuer proved sign in as the user who
// calls. The door has seen that it is the same browser session which asked for it. The
// error is Denied if the session is not fresh or the policy does not admit the person, and
// Conflict if somebody has the identity, or the user has another one of the issuer.
func (a *Admin) ConnectIdentity(ctx context.Context, c hallpass.Caller, u hallpass.OutsideUser) error {
	if err := a.o.SignIn.Admits(u); err != nil {
		return err
	}
	return a.change(ctx, c, self, "identity.create", func(t *Turn) error {
		now, me := a.now(), t.Caller.User()
		s, err := t.Session(t.Caller.Session)
		if hallpass.KindOf(err) == hallpass.NotFound || err == nil && now.Sub(s.CreatedAt) > FreshSession {
			err = errNotFresh
		}
		if err != nil {
			return err
		}
		if err := identityFree(t.Tx, me, u); err != nil {
			return err
		}
		if err := t.CreateIdentity(hallpass.Identity{Issuer: u.Issuer, Subject: u.Subject, User: me, CreatedAt: now}); err != nil {
			return err
		}
		return t.Audit("user", idText(me), "by "+u.Issuer+", subject "+u.Subject)
	})
}

// identityFree returns a Conflict if somebody has the identity, or the user has another one
// of the issuer.
func identityFree(tx *store.Tx, me hallpass.UserID, u hallpass.OutsideUser) error {
	i, err := tx.Identity(u.Issuer, u.Subject)
	switch {
	case err == nil && i.User == me:
		return errConnected
	case err == nil:
		return errConnectedToOther
	case hallpass.KindOf(err) != hallpass.NotFound:
		return err
	}
	mine, err := tx.Identities(me)
	for _, i := range mine {
		if i.Issuer == u.Issuer {
			return errConnected
		}
	}
	return err
}

// DisconnectIdentity ends that the identity signs in as the user who calls, and every session
// of theirs that began at its issuer. It is a Conflict if no password of the user works, and
// NotFound if the identity is not theirs.
func (a *Admin) DisconnectIdentity(ctx context.Context, c hallpass.Caller, issuer, subject string) error {
	return a.change(ctx, c, self, "identity.delete", func(t *Turn) error {
		u, err := t.User(t.Caller.User())
		if err != nil {
			return err
		}
		i, err := t.Identity(issuer, subject)
		if hallpass.KindOf(err) == hallpass.NotFound || err == nil && i.User != u.ID {
			err = errNoIdentity
		}
		if err != nil {
			return err
		}
		if !u.HasPassword() || a.o.PasswordOf != "" && hallpass.NameKey(a.o.PasswordOf) != hallpass.NameKey(u.Login) {
			return errOnlyWay
		}
		if err := a.endSessionsOf(t, u.ID, issuer); err != nil {
			return err
		}
		if err := t.DeleteIdentity(issuer, subject); err != nil {
			return err
		}
		return t.Audit("user", idText(u.ID), "by "+issuer+", subject "+subject)
	})
}

// endSessionsOf ends the sessions of the user that began at the issuer.
func (a *Admin) endSessionsOf(t *Turn, id hallpass.UserID, issuer string) error {
	list, err := t.Sessions(id)
	if err != nil {
		return err
	}
	var there []hallpass.SessionID
	for _, s := range list {
		if s.Issuer == issuer {
			there = append(there, s.ID)
			if err := t.declare(changed(hallpass.SessionChanged, s.ID)); err != nil {
				return err
			}
		}
	}
	for _, id := range there {
		if err := t.DeleteSession(id); err != nil {
			return err
		}
	}
	return nil
}
