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
	Since  moment
}

func profile(v *visit) error {
	u, err := v.o.Admin.Self(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	f, err := v.frame("profile", "Profile")
	if err != nil {
		return err
	}
	return v.show("users/profile", profileView{
		frame: f, User: u, Avatar: avatarURL(u.Login), Role: v.caller.Role.String(), Member: !v.caller.OrgMissing, Since: v.moment(u.CreatedAt),
	})
}

// passwordView is the form to change the own password.
type passwordView struct{ frame }

func passwordForm(v *visit) error { return v.showPassword(http.StatusOK) }

func (v *visit) showPassword(status int) error {
	f, err := v.frame("profile", "Change password", crumb{"Profile", "/profile"})
	if err != nil {
		return err
	}
	return v.showStatus(status, "users/password", passwordView{f})
}

// changePassword is POST /profile/password. The old password is verified as at
// sign-in, so that guesses count.
func changePassword(v *visit) error {
	form := v.r.PostForm
	if form.Get("new") != form.Get("confirm") {
		v.tell("confirm", "Passwords must match!")
		return v.showPassword(http.StatusBadRequest)
	}
	c := v.caller
	_, err := v.o.Verify.Password(v.r.Context(), c.Principal.Login, secret.NewText(form.Get("old")), c.Org, c.From, v.o.Cookies.Device(v.r))
	switch {
	case errors.Is(err, hallpass.Unauthenticated):
		v.tell("old", "This is not your current password.")
		return v.showPassword(http.StatusBadRequest)
	case errors.Is(err, hallpass.Limited):
		httpd.SetErrorHeaders(v.w.Header(), err)
		v.tell("old", "Too many wrong passwords. Try again later.")
		return v.showPassword(http.StatusTooManyRequests)
	case err != nil:
		return err
	}
	err = v.o.Admin.ChangePassword(v.r.Context(), c, secret.NewText(form.Get("new")))
	if errors.Is(err, hallpass.Invalid) {
		v.tell("new", messageOf(err))
		return v.showPassword(http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	c.Session = 0 // it has just ended with all others
	if err := v.startSession(c); err != nil {
		return err
	}
	v.say("Password changed. Your other sessions have ended.")
	v.seeOther("/profile")
	return nil
}
