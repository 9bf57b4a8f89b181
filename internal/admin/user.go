package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var errUsersOnly = &hallpass.Error{Kind: hallpass.Denied, ID: "user.only", Message: "Endpoint only available for users"}

// Self returns the user who calls; a service account is Denied.
func (a *Admin) Self(ctx context.Context, c hallpass.Caller) (u hallpass.User, err error) {
	if c.User() == 0 {
		return u, a.refused(ctx, c, errUsersOnly, "user.self", "user")
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		u, err = tx.User(ctx, c.User())
		return err
	})
	return u, err
}

// ChangePassword gives the user who calls another password and ends every
// session of theirs. The door has verified the old one. A password that the
// policy does not allow is Invalid.
func (a *Admin) ChangePassword(ctx context.Context, c hallpass.Caller, password secret.Text) error {
	if c.User() == 0 {
		return a.refused(ctx, c, errUsersOnly, "user.self", "user")
	}
	if err := secret.ValidatePassword(password, c.Principal.Login, !a.o.WeakPasswords); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	changed := []hallpass.Change{{Kind: hallpass.UserChanged, ID: c.Principal.ID}}
	return a.change(ctx, c, need{}, changed, func(tx *store.Tx, c hallpass.Caller) (hallpass.AuditEntry, error) {
		return a.entry(c, "password.change", target("user", c.Principal.ID)), a.setPassword(ctx, tx, c.User(), hash)
	})
}

func (a *Admin) setPassword(ctx context.Context, tx *store.Tx, id hallpass.UserID, hash string) error {
	u, err := tx.User(ctx, id)
	if err != nil {
		return err
	}
	u.PasswordHash, u.UpdatedAt = hash, a.now()
	if err := tx.UpdateUser(ctx, u); err != nil {
		return err
	}
	return tx.DeleteSessions(ctx, id)
}

// ResetPassword gives the user with that login another password and ends every
// session of theirs, on the word of whoever holds the data directory.
func (a *Admin) ResetPassword(ctx context.Context, login string, password secret.Text) error {
	if err := secret.ValidatePassword(password, login, !a.o.WeakPasswords); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	var u hallpass.User
	err = a.db.Read(ctx, func(tx *store.Tx) (err error) {
		u, err = tx.UserByLogin(ctx, login)
		return err
	})
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Change(ctx, hallpass.Change{Kind: hallpass.UserChanged, ID: int64(u.ID)}); err != nil {
			return err
		}
		if err := a.setPassword(ctx, tx, u.ID, hash); err != nil {
			return err
		}
		_, err := tx.Audit(ctx, a.entry(hallpass.Caller{}, "password.reset", target("user", int64(u.ID))))
		return err
	})
}
