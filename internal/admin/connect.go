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
	errNoIdentity       = &hallpass.Error{Kind: hallpass.NotFound, ID: "federation.not-connected", Message: "That account is not connected to this user"}
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

// A Disconnection is what ends with an identity of a user.
type Disconnection struct {
	Identity hallpass.Identity
	Sessions int  // of the user that began at its issuer and have not ended
	OnlyWay  bool // without it the user has no way to sign in
	Found    bool // the policy has whoever proves the address of the user sign in as the user again
}

// UserDisconnection returns what DisconnectUserIdentity would end, and its errors.
func (a *Admin) UserDisconnection(ctx context.Context, c hallpass.Caller, id hallpass.UserID, issuer, subject string) (d Disconnection, err error) {
	n := onUser(hallpass.UsersWrite, id)
	n.users = true
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		if !c.ServerAdmin {
			return errServerAdminOnly
		}
		d, err = a.disconnection(tx, c.User(), id, issuer, subject)
		return err
	})
	return d, err
}

// DisconnectUserIdentity ends that the identity signs in as the user, and every session of
// theirs that began at its issuer, also if it was their only way to sign in. Only a server
// admin may. It is NotFound if the identity is not the user's, and a Conflict if it is the
// caller's own only way to sign in.
func (a *Admin) DisconnectUserIdentity(ctx context.Context, c hallpass.Caller, id hallpass.UserID, issuer, subject string) error {
	n := onUser(hallpass.UsersWrite, id)
	n.users = true
	return a.change(ctx, c, n, "identity.delete", func(t *Turn) error {
		if !t.Caller.ServerAdmin {
			return errServerAdminOnly
		}
		u, err := t.User(id)
		if err != nil {
			return err
		}
		if err := t.tellOrgOf(u); err != nil {
			return err
		}
		return a.disconnect(t, id, issuer, subject)
	})
}

// DisconnectIdentity is DisconnectUserIdentity for the user who calls.
func (a *Admin) DisconnectIdentity(ctx context.Context, c hallpass.Caller, issuer, subject string) error {
	return a.change(ctx, c, self, "identity.delete", func(t *Turn) error {
		return a.disconnect(t, t.Caller.User(), issuer, subject)
	})
}

// disconnection reads what ends with the identity of the user when the caller takes it.
// Nobody takes their own only way to sign in from themselves.
func (a *Admin) disconnection(tx *store.Tx, caller, id hallpass.UserID, issuer, subject string) (d Disconnection, err error) {
	u, err := tx.User(id)
	if err != nil {
		return d, err
	}
	list, err := tx.Identities(id)
	if err != nil {
		return d, err
	}
	d.OnlyWay = !a.passwordWorks(u)
	found := false
	for _, i := range list {
		switch {
		case i.Issuer == issuer && i.Subject == subject:
			d.Identity, found = i, true
		case i.Issuer == a.o.SignIn.Issuer:
			d.OnlyWay = false
		}
	}
	if !found {
		return d, errNoIdentity
	}
	d.Found = a.o.SignIn.ByEmail && issuer == a.o.SignIn.Issuer && !u.ServerAdmin
	sessions, err := tx.Sessions(id)
	now := a.now()
	for _, s := range sessions {
		if s.Issuer == issuer && s.Live(now, a.o.SessionIdle) && s.From(a.o.SignIn.Issuer) {
			d.Sessions++
		}
	}
	if err == nil && d.OnlyWay && id == caller {
		err = errOnlyWay
	}
	return d, err
}

// passwordWorks reports whether the user can sign in with a password.
func (a *Admin) passwordWorks(u hallpass.User) bool {
	return u.HasPassword() && (a.o.PasswordOf == "" || hallpass.NameKey(a.o.PasswordOf) == hallpass.NameKey(u.Login))
}

// disconnect ends the identity of the user and the sessions that began at its issuer.
func (a *Admin) disconnect(t *Turn, id hallpass.UserID, issuer, subject string) error {
	if _, err := a.disconnection(t.Tx, t.Caller.User(), id, issuer, subject); err != nil {
		return err
	}
	if err := a.endSessionsOf(t, id, issuer); err != nil {
		return err
	}
	if err := t.DeleteIdentity(issuer, subject); err != nil {
		return err
	}
	return t.Audit("user", idText(id), "by "+issuer+", subject "+subject)
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
