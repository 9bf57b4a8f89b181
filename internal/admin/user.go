package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Self returns the user who calls; a service account is Denied.
func (a *Admin) Self(ctx context.Context, c hallpass.Caller) (u hallpass.User, err error) {
	err = a.read(ctx, c, self, func(tx *store.Tx) error {
		u, err = tx.User(c.User())
		return err
	})
	return u, err
}

// SelfServiceAccount returns the service account that calls; NotFound when a
// user does.
func (a *Admin) SelfServiceAccount(ctx context.Context, c hallpass.Caller) (s hallpass.ServiceAccount, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		s, err = tx.ServiceAccount(c.Org, c.ServiceAccount())
		return err
	})
	return s, err
}

// ChangePassword gives the user who calls another password and ends every
// session of theirs. The door has verified the old one. A password that the
// policy does not allow is Invalid.
func (a *Admin) ChangePassword(ctx context.Context, c hallpass.Caller, password secret.Text) error {
	if err := a.authorize(ctx, c, self); err != nil {
		return err
	}
	if err := secret.ValidatePassword(password, c.Principal.Login, !a.o.WeakPasswords); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return a.change(ctx, c, self, "password.change", func(t *Turn) error {
		if err := a.setPassword(t.Tx, t.Caller.User(), hash); err != nil {
			return err
		}
		return t.Audit("user", idText(t.Caller.User()), "")
	})
}

// setPassword gives the user another password and ends every session of theirs.
func (a *Admin) setPassword(tx *store.Tx, id hallpass.UserID, hash string) error {
	u, err := tx.User(id)
	if err != nil {
		return err
	}
	if err := tx.Change(changed(hallpass.UserChanged, id)); err != nil {
		return err
	}
	u.PasswordHash, u.UpdatedAt = hash, a.now()
	if err := tx.UpdateUser(u); err != nil {
		return err
	}
	return tx.DeleteSessions(id)
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
	return a.db.Write(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByLogin(login)
		if err != nil {
			return err
		}
		if err := a.setPassword(tx, u.ID, hash); err != nil {
			return err
		}
		_, err = tx.Audit(a.entry(hallpass.Caller{}, "password.reset", target("user", int64(u.ID))))
		return err
	})
}

// onUser is the need of what is done to any user of the server.
func onUser(action hallpass.Action, id hallpass.UserID) need {
	return need{action: action, scope: id.GlobalScope(), where: onServer}
}

// Users returns a page of the server's users whose login, e-mail or name holds
// text, by login, and how many there are on all pages.
func (a *Admin) Users(ctx context.Context, c hallpass.Caller, text string, p Page) (page []hallpass.User, total int, err error) {
	err = a.read(ctx, c, need{action: hallpass.UsersRead, scope: "global.users:*", where: onServer}, func(tx *store.Tx) error {
		limit, offset := p.limits()
		page, total, err = tx.Users(text, limit, offset)
		return err
	})
	return page, total, err
}

// User returns the user; NotFound when there is none.
func (a *Admin) User(ctx context.Context, c hallpass.Caller, id hallpass.UserID) (u hallpass.User, err error) {
	err = a.read(ctx, c, onUser(hallpass.UsersRead, id), func(tx *store.Tx) error {
		u, err = tx.User(id)
		return err
	})
	return u, err
}

// UserByLogin returns the user with that login or e-mail; NotFound when there
// is none.
func (a *Admin) UserByLogin(ctx context.Context, c hallpass.Caller, loginOrEmail string) (u hallpass.User, err error) {
	err = a.read(ctx, c, need{action: hallpass.UsersRead, scope: "global.users:*", where: onServer}, func(tx *store.Tx) error {
		u, err = tx.UserByLogin(loginOrEmail)
		return err
	})
	return u, err
}

// A NewUser is what a user is created from. One of Login and Email may be
// empty, and is then the other. A zero Org means the first.
type NewUser struct {
	Login, Email, Name string
	Password           secret.Text
	Org                hallpass.OrgID
}

var (
	errNoLogin        = &hallpass.Error{Kind: hallpass.Invalid, ID: "user.empty-username-and-email", Message: "Need to specify either username or email"}
	errEmailTaken     = &hallpass.Error{Kind: hallpass.Conflict, ID: "user.email-conflict", Message: "Email is already being used"}
	errLastAdmin      = &hallpass.Error{Kind: hallpass.Invalid, ID: "user.last-grafana-admin", Message: "cannot remove last grafana admin"}
	errLogoutYourself = &hallpass.Error{Kind: hallpass.Invalid, ID: "user.logout-yourself", Message: "You cannot logout yourself"}
)

// CreateUser makes a user who is a Viewer in the org. A login or e-mail that
// anybody has is a Conflict; a password that the policy does not allow Invalid.
// Only users may create users.
func (a *Admin) CreateUser(ctx context.Context, c hallpass.Caller, in NewUser) (u hallpass.User, err error) {
	n := need{action: hallpass.UsersCreate, where: onServer, users: true}
	if err := a.authorize(ctx, c, n); err != nil {
		return u, err // before a hash is computed, which costs
	}
	if err := in.validate(); err != nil {
		return u, err
	}
	if err := secret.ValidatePassword(in.Password, in.Login, !a.o.WeakPasswords); err != nil {
		return u, err
	}
	hash, err := secret.HashPassword(ctx, in.Password)
	if err != nil {
		return u, err
	}
	now := a.now()
	u = hallpass.User{
		UID: secret.NewUID(), Login: in.Login, Email: in.Email, Name: in.Name, PasswordHash: hash, Org: in.Org, CreatedAt: now, UpdatedAt: now,
	}
	err = a.change(ctx, c, n, "user.create", func(t *Turn) error {
		if _, err := t.Org(in.Org); err != nil {
			return err
		}
		if err := a.mayGiveMemberIn(t.Tx, t.Caller, in.Org); err != nil {
			return err
		}
		made, err := t.CreateUser(u)
		if hallpass.KindOf(err) == hallpass.Conflict {
			err = &hallpass.Error{Kind: hallpass.Conflict, ID: "user.exists", Message: "User with email '" + in.Email + "' or username '" + in.Login + "' already exists"}
		}
		if err != nil {
			return err
		}
		if err := t.SetMember(hallpass.Member{Org: in.Org, User: made, Role: hallpass.RoleViewer, JoinedAt: now}); err != nil {
			return err
		}
		u = made
		if err := t.tellOrgOf(made); err != nil {
			return err
		}
		return t.Audit("user", idText(made.ID), "login "+made.Login)
	})
	return u, err
}

// tellOrgOf has the audit of the user's org tell the change of the user, unless the user is a
// member of the caller's org, too: nobody there learns of the users of other orgs.
func (t *Turn) tellOrgOf(u hallpass.User) error {
	_, member, err := t.MemberRole(t.Caller.Org, u.ID)
	if err == nil && !member && u.Org != 0 {
		t.org = u.Org
	}
	return err
}

// mayGiveMemberIn returns nil if the caller may make somebody a Viewer of org:
// whoever creates a user knows the password, and may see what a Viewer does.
func (a *Admin) mayGiveMemberIn(tx *store.Tx, c hallpass.Caller, org hallpass.OrgID) error {
	me, err := tx.User(c.User())
	if err != nil {
		return err
	}
	there, err := tx.UserCaller(me, org)
	if err != nil {
		return err
	}
	return a.mayGiveMember(tx, there, hallpass.RoleViewer)
}

// validate fills in what may be left out and reports what is wrong.
func (in *NewUser) validate() error {
	if in.Login == "" {
		in.Login = in.Email
	}
	if in.Email == "" {
		in.Email = in.Login
	}
	if in.Org == 0 {
		in.Org = hallpass.FirstOrg
	}
	if in.Login == "" {
		return errNoLogin
	}
	return tidyIdentity(&in.Login, &in.Email, in.Name)
}

func tidyIdentity(login, email *string, name string) error {
	if err := hallpass.TidyLogin("login", login); err != nil {
		return err
	}
	if err := hallpass.TidyLogin("email", email); err != nil {
		return err
	}
	return hallpass.ValidateText("name", name, hallpass.MaxName)
}

// UpdateUser gives the user another login, e-mail and name; of login and e-mail
// an empty one stays as it is. A user may update themselves.
func (a *Admin) UpdateUser(ctx context.Context, c hallpass.Caller, id hallpass.UserID, login, email, name string) error {
	if login == "" && email == "" {
		return errNoLogin
	}
	if login != "" {
		if err := hallpass.TidyLogin("login", &login); err != nil {
			return err
		}
	}
	if email != "" {
		if err := hallpass.TidyLogin("email", &email); err != nil {
			return err
		}
	}
	if err := hallpass.ValidateText("name", name, hallpass.MaxName); err != nil {
		return err
	}
	n := onUser(hallpass.UsersWrite, id)
	if c.User() == id && id != 0 {
		n = self
	}
	return a.change(ctx, c, n, "user.update", func(t *Turn) error {
		u, err := t.User(id)
		if err != nil {
			return err
		}
		if err := a.overpowers(t.Tx, t.Caller, u); err != nil {
			return err
		}
		if err := t.tellOrgOf(u); err != nil {
			return err
		}
		if login != "" {
			u.Login = login
		}
		if email != "" {
			u.Email = email
		}
		u.Name, u.UpdatedAt = name, a.now()
		if err := loginsFree(t.Tx, u); err != nil {
			return err
		}
		if err := t.declare(changed(hallpass.UserChanged, id)); err != nil {
			return err
		}
		if err := t.UpdateUser(u); err != nil {
			return err
		}
		return t.Audit("user", idText(id), "")
	})
}

// loginsFree returns a Conflict if anybody else has the user's login or e-mail.
func loginsFree(tx *store.Tx, u hallpass.User) error {
	for _, name := range []struct {
		text    string
		refusal *hallpass.Error
	}{{u.Email, errEmailTaken}, {u.Login, errLoginTaken}} {
		taken, err := tx.LoginTaken(u.ID, name.text)
		if err != nil {
			return err
		}
		if taken {
			return name.refusal
		}
	}
	return nil
}

var errLoginTaken = &hallpass.Error{Kind: hallpass.Conflict, ID: "user.login-conflict", Message: "Update would result in user login conflict"}

// SetUserPassword gives another user a password and ends every session of
// theirs. Only a user who holds all that this one does may.
func (a *Admin) SetUserPassword(ctx context.Context, c hallpass.Caller, id hallpass.UserID, password secret.Text) error {
	n := onUser(hallpass.UsersPasswordWrite, id)
	u, err := a.readWeaker(ctx, c, n, id) // before a hash is computed, which costs
	if err != nil {
		return err
	}
	if err := secret.ValidatePassword(password, u.Login, !a.o.WeakPasswords); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return a.changeUser(ctx, c, n, id, "password.set", func(t *Turn, u *hallpass.User) error {
		if err := a.overpowers(t.Tx, t.Caller, *u); err != nil {
			return err
		}
		u.PasswordHash = hash
		return t.DeleteSessions(id)
	})
}

// readWeaker authorizes what only users may do to users who hold no more than
// themselves, and reads the user.
func (a *Admin) readWeaker(ctx context.Context, c hallpass.Caller, n need, id hallpass.UserID) (u hallpass.User, err error) {
	n.users = true
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		if u, err = tx.User(id); err != nil {
			return err
		}
		return a.overpowers(tx, c, u)
	})
	return u, err
}

// changeUser changes the user as fn does. Only users may change users.
func (a *Admin) changeUser(ctx context.Context, c hallpass.Caller, n need, id hallpass.UserID, action string, fn func(*Turn, *hallpass.User) error) error {
	n.users = true
	return a.change(ctx, c, n, action, func(t *Turn) error {
		u, err := t.User(id)
		if err != nil {
			return err
		}
		if err := t.tellOrgOf(u); err != nil {
			return err
		}
		if err := t.declare(changed(hallpass.UserChanged, id)); err != nil {
			return err
		}
		if err := fn(t, &u); err != nil {
			return err
		}
		u.UpdatedAt = a.now()
		if err := t.UpdateUser(u); err != nil {
			return err
		}
		return t.Audit("user", idText(id), "")
	})
}

// SetServerAdmin makes the user a server admin, or no longer one. Only a server
// admin may, and the last one stays.
func (a *Admin) SetServerAdmin(ctx context.Context, c hallpass.Caller, id hallpass.UserID, admin bool) error {
	action := "user.demote"
	if admin {
		action = "user.promote"
	}
	return a.changeUser(ctx, c, onUser(hallpass.UsersPermissionsWrite, id), id, action, func(t *Turn, u *hallpass.User) error {
		if !t.Caller.ServerAdmin {
			return errServerAdminOnly
		}
		if u.ServerAdmin && !admin {
			if err := lastServerAdmin(t.Tx, *u); err != nil {
				return err
			}
		}
		u.ServerAdmin = admin
		return nil
	})
}

// lastServerAdmin returns an error if there would be no enabled server admin
// without u.
func lastServerAdmin(tx *store.Tx, u hallpass.User) error {
	if !u.ServerAdmin || u.Disabled {
		return nil
	}
	others, err := tx.ServerAdmins(u.ID)
	if err == nil && others == 0 {
		return errLastAdmin
	}
	return err
}

// SetUserDisabled disables the user, who is signed out everywhere at once, or
// enables them again. Whoever may disable users may disable any who is not a
// server admin; to enable one gives back all that the user holds, which the
// caller must hold too. The last server admin cannot be disabled.
func (a *Admin) SetUserDisabled(ctx context.Context, c hallpass.Caller, id hallpass.UserID, disabled bool) error {
	action := "user.enable"
	if disabled {
		action = "user.disable"
	}
	return a.changeUser(ctx, c, onUser(hallpass.ActionToSetDisabled(disabled), id), id, action, func(t *Turn, u *hallpass.User) error {
		if u.ServerAdmin && !t.Caller.ServerAdmin {
			return errServerAdminOnly
		}
		if !disabled {
			u.Disabled = false
			return a.overpowers(t.Tx, t.Caller, *u)
		}
		if err := lastServerAdmin(t.Tx, *u); err != nil {
			return err
		}
		u.Disabled = true
		return t.DeleteSessions(id)
	})
}

// DeleteUser removes the user for good, from orgs and teams too. The last server
// admin cannot be deleted.
func (a *Admin) DeleteUser(ctx context.Context, c hallpass.Caller, id hallpass.UserID) error {
	n := onUser(hallpass.UsersDelete, id)
	n.users = true
	return a.change(ctx, c, n, "user.delete", func(t *Turn) error {
		u, err := t.User(id)
		if err != nil {
			return err
		}
		if u.ServerAdmin && !t.Caller.ServerAdmin {
			return errServerAdminOnly
		}
		if err := lastServerAdmin(t.Tx, u); err != nil {
			return err
		}
		if err := t.tellOrgOf(u); err != nil {
			return err
		}
		if err := t.declare(changed(hallpass.UserChanged, id)); err != nil {
			return err
		}
		if err := t.DeleteUser(id); err != nil {
			return err
		}
		return t.Audit("user", idText(id), "login "+u.Login)
	})
}
