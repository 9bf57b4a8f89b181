package api

import (
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/wire"
)

// user is GET /api/user.
func (a *API) user(c call, _ none) (wire.User, error) {
	u, err := a.admin.Self(c.Context(), c.caller)
	if err != nil {
		return wire.User{}, err
	}
	return wire.User{
		ID: int64(u.ID), UID: u.UID, Email: u.Email, Name: u.Name, Login: u.Login, OrgID: int64(c.caller.Org), IsGrafanaAdmin: u.ServerAdmin,
		IsDisabled: u.Disabled, AuthLabels: []string{}, UpdatedAt: u.UpdatedAt, CreatedAt: u.CreatedAt, AvatarURL: avatarURL(u.Email),
	}, nil
}

// changePassword is PUT /api/user/password. The old password is verified as at
// a sign-in, so that it cannot be guessed here either.
func (a *API) changePassword(c call, in changePassword) (wire.Message, error) {
	_, err := a.verify.Password(c.Context(), c.caller.Principal.Login, in.OldPassword, c.caller.Org, c.caller.From)
	if errors.Is(err, hallpass.Unauthenticated) {
		return wire.Message{}, errOldPassword
	}
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "User password changed"}, a.admin.ChangePassword(c.Context(), c.caller, in.NewPassword)
}

var errOldPassword = &hallpass.Error{Kind: hallpass.Invalid, ID: "user.password-missmatch", Message: "Invalid old password"}

// changePassword is not in wire, for it holds secrets: wire knows no secret.Text.
type changePassword struct {
	OldPassword secret.Text `json:"oldPassword"`
	NewPassword secret.Text `json:"newPassword"`
}

// ping is GET /api/login/ping.
func (a *API) ping(call, none) (wire.Message, error) {
	return wire.Message{Message: "Logged in"}, nil
}
