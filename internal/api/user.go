package api

import (
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/wire"
)

// self is GET /api/user: the user or service account that calls.
func (a *API) self(c call, _ none) (wire.User, error) {
	if c.caller.User() == 0 {
		return a.selfAccount(c)
	}
	u, err := a.admin.Self(c.Context(), c.caller)
	out := userProfile(u)
	out.OrgID = int64(c.caller.Org)
	return out, err
}

func (a *API) selfAccount(c call) (wire.User, error) {
	s, err := a.admin.SelfServiceAccount(c.Context(), c.caller)
	return wire.User{
		ID: int64(s.ID), UID: s.UID, Name: s.Name, Login: s.Login, OrgID: int64(s.Org), IsDisabled: s.Disabled, AuthLabels: []string{},
		UpdatedAt: s.UpdatedAt, CreatedAt: s.CreatedAt, AvatarURL: accountAvatarURL(s.Name),
	}, err
}

func userProfile(u hallpass.User) wire.User {
	return wire.User{
		ID: int64(u.ID), UID: u.UID, Email: u.Email, Name: u.Name, Login: u.Login, OrgID: int64(u.Org), IsGrafanaAdmin: u.ServerAdmin,
		IsDisabled: u.Disabled, IsExternal: u.Outside, AuthLabels: authLabels(u), UpdatedAt: u.UpdatedAt, CreatedAt: u.CreatedAt, AvatarURL: avatarURL(u.Email),
	}
}

// authLabels are the words, as Grafana has them, for how the user signs in beside the
// password.
func authLabels(u hallpass.User) []string {
	if u.Outside {
		return []string{"Generic OAuth"}
	}
	return []string{}
}

// updateSelf is PUT /api/user.
func (a *API) updateSelf(c call, in wire.UpdateUser) (wire.Message, error) {
	return wire.Message{Message: "User updated"}, a.admin.UpdateUser(c.Context(), c.caller, c.caller.User(), in.Login, in.Email, in.Name)
}

// changePassword is PUT /api/user/password. It verifies the old password as a sign-in
// does, so that guesses are limited here too.
func (a *API) changePassword(c call, in changePassword) (wire.Message, error) {
	_, err := a.verify.Password(c.Context(), c.caller.Principal.Login, in.OldPassword, c.caller.Org, c.caller.From, "")
	if errors.Is(err, hallpass.Unauthenticated) {
		return wire.Message{}, errOldPassword
	}
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "User password changed"}, a.admin.ChangePassword(c.Context(), c.caller, in.NewPassword)
}

var errOldPassword = &hallpass.Error{Kind: hallpass.Invalid, ID: "user.password-missmatch", Message: "Invalid old password"}

// changePassword, createUser and setPassword hold secrets. They are not in wire,
// because wire does not import secret.Text.
type (
	changePassword struct {
		OldPassword secret.Text `json:"oldPassword"`
		NewPassword secret.Text `json:"newPassword"`
	}
	createUser struct {
		Name     string      `json:"name"`
		Login    string      `json:"login"`
		Email    string      `json:"email"`
		Password secret.Text `json:"password"`
		OrgID    int64       `json:"orgId"`
	}
	setPassword struct {
		Password secret.Text `json:"password"`
	}
)

// ping is GET /api/login/ping.
func (a *API) ping(call, none) (wire.Message, error) {
	return wire.Message{Message: "Logged in"}, nil
}

// selfOrgs is GET /api/user/orgs.
func (a *API) selfOrgs(c call, _ none) ([]wire.UserOrg, error) {
	list, err := a.admin.UserOrgs(c.Context(), c.caller)
	return userOrgs(list), err
}

func userOrgs(list []hallpass.UserOrg) []wire.UserOrg {
	out := make([]wire.UserOrg, 0, len(list))
	for _, o := range list {
		out = append(out, wire.UserOrg{OrgID: int64(o.Org), Name: o.Name, Role: o.Role.String()})
	}
	return out
}

// selfTeams is GET /api/user/teams.
func (a *API) selfTeams(c call, _ none) ([]wire.Team, error) {
	list, err := a.admin.TeamsOf(c.Context(), c.caller, c.caller.Principal.ID)
	return teamRows(c, list), err
}

// useOrg is POST /api/user/using/{org}.
func (a *API) useOrg(c call, _ none) (wire.Message, error) {
	org, ok := hallpass.ParseID(c.PathValue("target"))
	if !ok {
		return wire.Message{}, errOrgID
	}
	return wire.Message{Message: "Active organization changed"}, a.admin.UseOrg(c.Context(), c.caller, hallpass.OrgID(org))
}

// selfPreferences is GET /api/user/preferences.
func (a *API) selfPreferences(c call, _ none) (wire.Preferences, error) {
	return preferences(a.admin.UserPreferences(c.Context(), c.caller))
}

// setSelfPreferences is PUT /api/user/preferences, patchSelfPreferences PATCH.
func (a *API) setSelfPreferences(c call, in wire.UpdatePreferences) (wire.Message, error) {
	return wire.Message{Message: preferencesUpdated}, a.admin.SetUserPreferences(c.Context(), c.caller, preferencesPatch(in), true)
}

func (a *API) patchSelfPreferences(c call, in wire.UpdatePreferences) (wire.Message, error) {
	return wire.Message{Message: preferencesUpdated}, a.admin.SetUserPreferences(c.Context(), c.caller, preferencesPatch(in), false)
}

// selfSessions is GET /api/user/auth-tokens.
func (a *API) selfSessions(c call, _ none) ([]wire.Session, error) {
	list, err := a.admin.Sessions(c.Context(), c.caller)
	return sessionRows(c, list), err
}

func sessionRows(c call, list []hallpass.Session) []wire.Session {
	out := make([]wire.Session, 0, len(list))
	for _, s := range list {
		out = append(out, wire.Session{
			ID: int64(s.ID), IsActive: s.ID == c.caller.Session, ClientIP: s.Address, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, UserAgent: s.UserAgent,
		})
	}
	return out
}

const sessionEnded = "User auth token revoked"

// endSelfSession is POST /api/user/revoke-auth-token.
func (a *API) endSelfSession(c call, in wire.RevokeSession) (wire.Message, error) {
	return wire.Message{Message: sessionEnded}, a.admin.EndOwnSession(c.Context(), c.caller, hallpass.SessionID(in.AuthTokenID))
}

// users is GET /api/users?query&perpage&page.
func (a *API) users(c call, _ none) ([]wire.UserRow, error) {
	out, err := a.searchUsers(c, none{})
	return out.Users, err
}

// searchUsers is GET /api/users/search.
func (a *API) searchUsers(c call, _ none) (wire.Users, error) {
	p, err := page(c, "perpage", maxPerPage)
	if err != nil {
		return wire.Users{}, err
	}
	text, err := searchText(c)
	if err != nil {
		return wire.Users{}, err
	}
	if err := validateSort(c, "login-asc"); err != nil {
		return wire.Users{}, err
	}
	list, total, err := a.admin.Users(c.Context(), c.caller, text, p)
	out := wire.Users{TotalCount: total, Users: make([]wire.UserRow, 0, len(list)), Page: p.Number, PerPage: p.Size}
	now := a.admin.Now()
	for _, u := range list {
		out.Users = append(out.Users, wire.UserRow{
			ID: int64(u.ID), UID: u.UID, Name: u.Name, Login: u.Login, Email: u.Email, AvatarURL: avatarURL(u.Email), IsAdmin: u.ServerAdmin,
			IsDisabled: u.Disabled, LastSeenAt: timeOrNil(u.SeenAt), LastSeenAtAge: age(now, u.SeenAt), AuthLabels: authLabels(u), Created: u.CreatedAt,
		})
	}
	return out, err
}

// lookupUser is GET /api/users/lookup?loginOrEmail=.
func (a *API) lookupUser(c call, _ none) (wire.User, error) {
	name := query(c, "loginOrEmail")
	if name == "" {
		return wire.User{}, hallpass.Invalidf("loginOrEmail", "loginOrEmail is required")
	}
	u, err := a.admin.UserByLogin(c.Context(), c.caller, name)
	return userProfile(u), err
}

// onUser resolves {user} and calls fn with it.
func onUser[Out any](a *API, c call, fn func(hallpass.UserID) (Out, error)) (Out, error) {
	id, err := a.admin.UserID(c.Context(), c.PathValue("user"))
	if err != nil {
		var zero Out
		return zero, err
	}
	return fn(id)
}

// user is GET /api/users/{user}.
func (a *API) user(c call, _ none) (wire.User, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.User, error) {
		u, err := a.admin.User(c.Context(), c.caller, id)
		return userProfile(u), err
	})
}

// userOrgs is GET /api/users/{user}/orgs.
func (a *API) userOrgs(c call, _ none) ([]wire.UserOrg, error) {
	return onUser(a, c, func(id hallpass.UserID) ([]wire.UserOrg, error) {
		list, err := a.admin.OrgsOfUser(c.Context(), c.caller, id)
		return userOrgs(list), err
	})
}

// userTeams is GET /api/users/{user}/teams.
func (a *API) userTeams(c call, _ none) ([]wire.Team, error) {
	return onUser(a, c, func(id hallpass.UserID) ([]wire.Team, error) {
		if _, err := a.admin.User(c.Context(), c.caller, id); err != nil {
			return nil, err
		}
		list, err := a.admin.TeamsOf(c.Context(), c.caller, int64(id))
		return teamRows(c, list), err
	})
}

// updateUser is PUT /api/users/{user}.
func (a *API) updateUser(c call, in wire.UpdateUser) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User updated"}, a.admin.UpdateUser(c.Context(), c.caller, id, in.Login, in.Email, in.Name)
	})
}

// setUserOrg is POST /api/users/{user}/using/{target}.
func (a *API) setUserOrg(c call, _ none) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		org, ok := hallpass.ParseID(c.PathValue("target"))
		if !ok {
			return wire.Message{}, errOrgID
		}
		return wire.Message{Message: "Active organization changed"}, a.admin.SetUserOrg(c.Context(), c.caller, id, hallpass.OrgID(org))
	})
}

// createUser is POST /api/admin/users.
func (a *API) createUser(c call, in createUser) (wire.CreatedUser, error) {
	u, err := a.admin.CreateUser(c.Context(), c.caller, admin.NewUser{
		Login: in.Login, Email: in.Email, Name: in.Name, Password: in.Password, Org: hallpass.OrgID(in.OrgID),
	})
	return wire.CreatedUser{ID: int64(u.ID), UID: u.UID, Message: "User created"}, err
}

// deleteUser is DELETE /api/admin/users/{user}.
func (a *API) deleteUser(c call, _ none) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User deleted"}, a.admin.DeleteUser(c.Context(), c.caller, id)
	})
}

// setUserPassword is PUT /api/admin/users/{user}/password.
func (a *API) setUserPassword(c call, in setPassword) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User password updated"}, a.admin.SetUserPassword(c.Context(), c.caller, id, in.Password)
	})
}

// setServerAdmin is PUT /api/admin/users/{user}/permissions.
func (a *API) setServerAdmin(c call, in wire.UserPermissions) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User permissions updated"}, a.admin.SetServerAdmin(c.Context(), c.caller, id, in.IsGrafanaAdmin)
	})
}

// disableUser is POST /api/admin/users/{user}/disable, enableUser …/enable.
func (a *API) disableUser(c call, _ none) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User disabled"}, a.admin.SetUserDisabled(c.Context(), c.caller, id, true)
	})
}

func (a *API) enableUser(c call, _ none) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User enabled"}, a.admin.SetUserDisabled(c.Context(), c.caller, id, false)
	})
}

// logoutUser is POST /api/admin/users/{user}/logout.
func (a *API) logoutUser(c call, _ none) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: "User logged out"}, a.admin.LogoutUser(c.Context(), c.caller, id)
	})
}

// userSessions is GET /api/admin/users/{user}/auth-tokens.
func (a *API) userSessions(c call, _ none) ([]wire.Session, error) {
	return onUser(a, c, func(id hallpass.UserID) ([]wire.Session, error) {
		list, err := a.admin.UserSessions(c.Context(), c.caller, id)
		return sessionRows(c, list), err
	})
}

// endUserSession is POST /api/admin/users/{user}/revoke-auth-token.
func (a *API) endUserSession(c call, in wire.RevokeSession) (wire.Message, error) {
	return onUser(a, c, func(id hallpass.UserID) (wire.Message, error) {
		return wire.Message{Message: sessionEnded}, a.admin.EndUserSession(c.Context(), c.caller, id, hallpass.SessionID(in.AuthTokenID))
	})
}
