package admin

import (
	"context"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A FirstAdmin is the server admin that a new installation begins with. An
// empty Login means none.
type FirstAdmin struct {
	Login    string
	Email    string
	Password secret.Text
}

// Begun reports whether the installation has had its first start.
func (a *Admin) Begun(ctx context.Context) (begun bool, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.State()
		begun = err == nil
		if errors.Is(err, hallpass.NotFound) {
			return nil
		}
		return err
	})
	return begun, err
}

// Begin makes a new installation: the first org and its admin, all or nothing.
// A password that the policy does not allow is Invalid.
func (a *Admin) Begin(ctx context.Context, first FirstAdmin) error {
	var hash string
	if first.Login != "" {
		if err := tidyIdentity(&first.Login, &first.Email, first.Login); err != nil {
			return err
		}
		if err := secret.ValidatePassword(first.Password, first.Login, !a.o.WeakPasswords); err != nil {
			return err
		}
		var err error
		if hash, err = secret.HashPassword(ctx, first.Password); err != nil {
			return err
		}
	}
	now := a.now()
	return a.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Begin(secret.NewUID()); err != nil {
			return err
		}
		org, err := tx.CreateOrg(hallpass.Org{Name: "Main Org.", CreatedAt: now, UpdatedAt: now})
		if err != nil || first.Login == "" {
			return err
		}
		u, err := tx.CreateUser(hallpass.User{
			UID: secret.NewUID(), Login: first.Login, Email: first.Email, Name: first.Login, PasswordHash: hash, ServerAdmin: true,
			Org: org.ID, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return err
		}
		if err := tx.SetMember(hallpass.Member{Org: org.ID, User: u, Role: hallpass.RoleAdmin, JoinedAt: now}); err != nil {
			return err
		}
		entry := a.entry(hallpass.Caller{Org: org.ID}, "installation.begin", target("user", int64(u.ID)))
		_, err = tx.Audit(entry)
		return err
	})
}
