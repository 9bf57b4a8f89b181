package console

import (
	"errors"
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// profileView is the page about who is signed in.
type profileView struct {
	frame
	User   hallpass.User
	Avatar string
	Role   string
	Member bool
	Since  timestamp
}

func profile(req *request) error {
	u, err := req.o.Admin.Self(req.Context(), req.caller)
	if err != nil {
		return err
	}
	f, err := req.frame("profile", "Profile")
	if err != nil {
		return err
	}
	return req.show("users/profile", profileView{
		frame: f, User: u, Avatar: avatarOf(u.Login), Role: req.caller.Role.String(), Member: !req.caller.OrgMissing, Since: req.timestamp(u.CreatedAt),
	})
}

// passwordView is the form in which users change their own password.
type passwordView struct {
	frame
	Without bool // the user has none
}

func passwordForm(req *request) error { return req.showPassword(http.StatusOK) }

func (req *request) showPassword(status int) error {
	f, err := req.frame("profile", "Change password", crumb{"Profile", "/profile"})
	if err != nil {
		return err
	}
	u, err := req.o.Admin.Self(req.Context(), req.caller)
	if err != nil {
		return err
	}
	return req.showStatus(status, "users/password", passwordView{f, u.PasswordHash == ""})
}

// changePassword is POST /profile/password. The old password is verified as at
// sign-in, so that wrong guesses are counted.
func changePassword(req *request) error {
	form := req.PostForm
	if form.Get("new") != form.Get("confirm") {
		req.fieldError("confirm", "Passwords must match!")
		return req.showPassword(http.StatusBadRequest)
	}
	c := req.caller
	_, err := req.o.Verify.Password(req.Context(), c.Principal.Login, secret.NewText(form.Get("old")), c.Org, c.From, req.o.Cookies.Device(req.Request))
	switch {
	case errors.Is(err, hallpass.Unauthenticated):
		req.fieldError("old", "This is not your current password.")
		return req.showPassword(http.StatusBadRequest)
	case errors.Is(err, hallpass.Limited):
		httpd.SetErrorHeaders(req.w.Header(), err)
		req.fieldError("old", "Too many wrong passwords. Try again later.")
		return req.showPassword(http.StatusTooManyRequests)
	case err != nil:
		return err
	}
	err = req.o.Admin.ChangePassword(req.Context(), c, secret.NewText(form.Get("new")))
	if errors.Is(err, hallpass.Invalid) {
		req.fieldError("new", messageOf(err))
		return req.showPassword(http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	c.Session = 0 // the change ended it with all others
	if err := req.startSession(c); err != nil {
		return err
	}
	req.flash("Password changed. Your other sessions have ended.")
	req.seeOther("/profile")
	return nil
}
