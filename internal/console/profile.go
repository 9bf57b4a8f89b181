package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// profileView is the page about who is signed in.
type profileView struct {
	frame
	User       hallpass.User
	Avatar     string
	Since      timestamp
	Has        userHas
	Identities []identityRow
	Provider   string // where an account can be connected; empty: nowhere
	Sessions   []sessionRow
	Others     bool // there are other sessions than this one
}

func profile(req *request) error { return req.showProfile(http.StatusOK) }

func (req *request) showProfile(status int) error {
	ctx, c := req.Context(), req.caller
	u, err := req.o.Admin.Self(ctx, c)
	if err != nil {
		return err
	}
	view := profileView{User: u, Avatar: avatarOf(u.Login), Since: req.timestamp(u.CreatedAt)}
	if view.Has, err = req.ownPower(); err != nil {
		return err
	}
	identities, err := req.o.Admin.Identities(ctx, c)
	if err != nil {
		return err
	}
	end := ""
	if u.HasPassword() {
		end = "/profile/disconnect"
	}
	view.Identities = req.identityRows(identities, end)
	if req.o.Provider != nil {
		view.Provider = req.o.Provider.Name()
	}
	sessions, err := req.o.Admin.Sessions(ctx, c)
	if err != nil {
		return err
	}
	view.Sessions, view.Others = req.sessionRows(sessions), len(sessions) > 1
	if view.frame, err = req.frame("profile", "Profile"); err != nil {
		return err
	}
	view.Has.Org = view.Nav.Org
	return req.showStatus(status, "users/profile", view)
}

// ownPower is what who is signed in has in the org.
func (req *request) ownPower() (has userHas, err error) {
	c := req.caller
	if c.OrgMissing {
		return has, nil
	}
	has.Role, has.SeeGiven, has.All = c.Role.String(), true, ownAccessURL
	may := c.Can(hallpass.RolesRead, "")
	if may {
		has.RoleURL = roleURL(c.Role.UID())
	}
	teams, err := req.o.Admin.TeamsOf(req.Context(), c, int64(c.User()))
	if err != nil {
		return has, err
	}
	for _, t := range teams {
		l := link{Name: t.Name}
		if c.Can(hallpass.TeamsRead, t.ID.Scope()) {
			l.URL = teamURL(t)
		}
		has.Teams = append(has.Teams, l)
	}
	held, n, err := req.effective("")
	if err != nil {
		return has, err
	}
	has.Given = givenIn(held, may)
	has.can("You", powerOf(held, n))
	return has, nil
}

// givenIn returns the roles through which the permissions are held, apart from the basic one.
func givenIn(held []admin.Effective, linked bool) (list []givenRole) {
	for _, e := range held {
		for _, s := range e.Sources {
			if s.RoleUID == "" || strings.HasPrefix(s.RoleUID, "basic_") {
				continue
			}
			g := givenRole{Role: link{Name: strings.TrimPrefix(s.Role, "fixed:")}, Through: "through the " + s.Through}
			if s.Through == "itself" {
				g.Through = "given to you"
			}
			if linked {
				g.Role.URL = roleURL(s.RoleUID)
			}
			if !slices.Contains(list, g) {
				list = append(list, g)
			}
		}
	}
	sortByName(list, func(g givenRole) string { return g.Role.Name })
	return list
}

// ownAccessURL is the page with every permission of who is signed in.
const ownAccessURL = "/profile/access"

// ownAccess is GET /profile/access?action&scope.
func ownAccess(req *request) error {
	view := explainView{Heading: "What you may do", Lead: "Every permission that you have in this organization, and where it comes from."}
	return req.showUserAccess(view, "", "You", crumbProfile)
}

var crumbProfile = crumb{"Profile", "/profile"}

// editProfile is POST /profile/edit.
func editProfile(req *request) error {
	f := req.PostForm
	u, err := req.o.Admin.Self(req.Context(), req.caller)
	if err != nil {
		return err
	}
	return req.profileDone(req.o.Admin.UpdateUser(req.Context(), req.caller, u.ID, u.Login, f.Get("email"), f.Get("name")), "Saved: your name and email.", "name", "email")
}

// endOwnSession is POST /profile/session.
func endOwnSession(req *request) error {
	id, _ := hallpass.ParseID(req.PostForm.Get("session"))
	if hallpass.SessionID(id) == req.caller.Session {
		return logout(req)
	}
	return req.profileDone(req.o.Admin.EndOwnSession(req.Context(), req.caller, hallpass.SessionID(id)), "The session has ended.", "sessions")
}

// endOtherSessions is POST /profile/sessions.
func endOtherSessions(req *request) error {
	n, err := req.o.Admin.EndOtherSessions(req.Context(), req.caller)
	if hallpass.KindOf(err) == hallpass.NotFound && err != nil {
		return req.profileDone(nil, "You are signed in nowhere else.")
	}
	return req.profileDone(err, hallpass.Counted(n, "other session")+" ended.", "sessions")
}

// profileDone leads back to the profile with a message, or shows it with the error at one of
// the fields.
func (req *request) profileDone(err error, done string, fields ...string) error {
	if err == nil {
		req.flash(done)
		req.seeOther(crumbProfile.URL)
		return nil
	}
	if req.formError(err, fields...) {
		return req.showProfile(httpd.Status(err))
	}
	return err
}

// passwordView is the form in which users change their own password.
type passwordView struct {
	frame
	Without bool // the user has none
}

func passwordForm(req *request) error { return req.showPassword(http.StatusOK) }

func (req *request) showPassword(status int) error {
	f, err := req.frame("profile", "Change password", crumbProfile)
	if err != nil {
		return err
	}
	u, err := req.o.Admin.Self(req.Context(), req.caller)
	if err != nil {
		return err
	}
	return req.showStatus(status, "users/password", passwordView{f, u.PasswordHash == ""})
}

// changePassword is POST /profile/password.
func changePassword(req *request) error {
	form := req.PostForm
	if form.Get("new") != form.Get("confirm") {
		req.fieldError("confirm", "Passwords must match!")
		return req.showPassword(http.StatusBadRequest)
	}
	c := req.caller
	status, err := req.ownPassword(form.Get("old"), "old")
	if err != nil {
		return err
	}
	if status != 0 {
		return req.showPassword(status)
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

// ownPassword verifies the password of who is signed in as at sign-in, so that wrong guesses
// are counted. If it is wrong, the field has the error, and the page is to be shown again with
// the status; 0: it is right.
func (req *request) ownPassword(password, field string) (status int, err error) {
	c := req.caller
	_, err = req.o.Verify.Password(req.Context(), c.Principal.Login, secret.NewText(password), c.Org, c.From, req.o.Cookies.Device(req.Request))
	switch {
	case errors.Is(err, hallpass.Unauthenticated):
		req.fieldError(field, "This is not your current password.")
		return http.StatusBadRequest, nil
	case errors.Is(err, hallpass.Limited):
		httpd.SetErrorHeaders(req.w.Header(), err)
		req.fieldError(field, "Too many wrong passwords. Try again later.")
		return http.StatusTooManyRequests, nil
	}
	return 0, err
}
