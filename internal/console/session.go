package console

import (
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// safeNext returns where to go after signing in: next if it is a path of ours,
// else the first page (SEC-21).
func safeNext(next string) string {
	if len(next) < 1 || next[0] != '/' || strings.HasPrefix(next, "//") {
		return "/"
	}
	for i := range len(next) {
		if c := next[i]; c <= ' ' || c == 0x7f || c == '\\' {
			return "/"
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || u.User != nil || strings.Contains(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return "/"
	}
	if u.Path == "/login" || u.Path == "/logout" {
		return "/"
	}
	u.Fragment = ""
	if safe := u.String(); strings.HasPrefix(safe, "/") && !strings.HasPrefix(safe, "//") {
		return safe
	}
	return "/"
}

// loginView is the page to sign in on.
type loginView struct {
	frame
	Next  string
	User  string // as it was typed
	Plain bool   // what is typed here travels unencrypted
}

// loginPage returns the page to sign in on, which leads to next.
func (v *visit) loginPage(next string) loginView {
	return loginView{frame: v.bareFrame("Log in"), Next: safeNext(next), Plain: !httpd.EventOf(v.r.Context()).Secure && !loopback(v.r.Host)}
}

// loopback reports whether the browser reached us on its own machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = httpd.LowerASCII(strings.Trim(host, "[]"))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func loginForm(v *visit) error {
	view := v.loginPage(v.r.URL.Query().Get("next"))
	if v.caller.User() != 0 {
		v.seeOther(view.Next)
		return nil
	}
	return v.show("sessions/login", view)
}

// login is POST /login, which takes a form from the page and JSON from
// programs.
func (c *console) login(w http.ResponseWriter, r *http.Request) {
	v := &visit{console: c, w: w, r: r}
	httpd.EventOf(r.Context()).Action = "login"
	if httpd.RequireBody(r, httpd.MediaForm) == nil {
		v.loginByForm()
		return
	}
	if err := v.loginByJSON(); err != nil {
		httpd.WriteError(w, r, err)
	}
}

func (v *visit) loginByForm() {
	if err := v.parseForm(); err != nil {
		v.fail(err)
		return
	}
	form := v.r.PostForm
	user := form.Get("user")
	if user == "" {
		v.tell("user", "Email or username is required")
	}
	password := secret.NewText(form.Get("password"))
	if password.Empty() {
		v.tell("password", "Password is required")
	} else if err := secret.CheckLength(password); err != nil {
		v.tell("password", messageOf(err))
	}
	if len(v.wrong) > 0 {
		v.loginAgain(http.StatusBadRequest)
		return
	}
	device := v.o.Cookies.Device(v.r)
	if device == "" {
		device = rand.Text()
	}
	err := v.signIn(user, password, device)
	switch {
	case err == nil:
		v.o.Cookies.SetDevice(v.w, v.r, device)
		v.seeOther(safeNext(form.Get("next")))
		return
	case errors.Is(err, hallpass.Unauthenticated):
		v.tell("login", "Invalid username or password")
	case errors.Is(err, secret.ErrBusy):
		v.tell("login", "Many people are signing in at the moment. Please try again in a few seconds.")
	case errors.Is(err, hallpass.Limited):
		v.tell("login", "You have exceeded the number of login attempts for this user. Please try again later.")
	default:
		v.fail(err)
		return
	}
	httpd.EventOf(v.r.Context()).Err = err
	httpd.SetErrorHeaders(v.w.Header(), err)
	v.loginAgain(httpd.Status(err))
}

// loginAgain shows the page to sign in on with what was wrong, and keeps the
// name that was typed, if it can be one.
func (v *visit) loginAgain(status int) {
	view := v.loginPage(v.r.PostForm.Get("next"))
	if user := v.r.PostForm.Get("user"); hallpass.ValidateText("user", user, hallpass.MaxName) == nil {
		view.User = user
	}
	v.answer(status, "sessions/login", view)
}

// answer shows the page; a page that does not render is a failure of its own.
func (v *visit) answer(status int, page string, view any) {
	if err := v.showStatus(status, page, view); err != nil {
		v.fail(err)
	}
}

// loginName is a login as somebody types it: one that nobody can have is unknown,
// not malformed.
type loginName string

func (v *visit) loginByJSON() error {
	if err := httpd.RequireBody(v.r, httpd.MediaJSON); err != nil {
		return err
	}
	var in struct {
		User     loginName   `json:"user"`
		Password secret.Text `json:"password"`
	}
	if err := httpd.DecodeJSON(v.w, v.r, maxForm, &in, nil); err != nil {
		return err
	}
	if err := secret.CheckLength(in.Password); err != nil {
		return err
	}
	if err := v.signIn(string(in.User), in.Password, v.o.Cookies.Device(v.r)); err != nil {
		return err
	}
	httpd.WriteJSON(v.w, http.StatusOK, struct {
		Message     string `json:"message"`
		RedirectURL string `json:"redirectUrl"`
	}{"Logged in", "/"})
	return nil
}

// signIn verifies the password and gives the browser a session.
func (v *visit) signIn(login string, password secret.Text, device string) error {
	e := httpd.EventOf(v.r.Context())
	c, err := v.o.Verify.Password(v.r.Context(), login, password, 0, e.From, device)
	if err != nil {
		return err
	}
	e.SetCaller(c)
	return v.startSession(c)
}

func (v *visit) startSession(c hallpass.Caller) error {
	s, id, err := v.o.Admin.StartSession(v.r.Context(), c)
	if err != nil {
		return err
	}
	v.o.Cookies.Set(v.w, v.r, id.Reveal(), s.ExpiresAt)
	return nil
}

func logoutForm(v *visit) error {
	f, err := v.frame("", "Sign out")
	if err != nil {
		return err
	}
	return v.show("sessions/logout", struct{ frame }{f})
}

func logout(v *visit) error {
	if err := v.o.Admin.EndSession(v.r.Context(), v.caller); err != nil && !errors.Is(err, hallpass.Unauthenticated) {
		return err
	}
	v.o.Cookies.Clear(v.w, v.r)
	v.seeOther("/login")
	return nil
}

// sessionRow is one sign-in by browser.
type sessionRow struct {
	ID            hallpass.SessionID
	Address       string
	Client        string
	Created, Seen moment
	This          bool
}

// logoutUser is POST /admin/users/{user}/logout.
func logoutUser(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersLogout, "sessions")
	if err != nil {
		return c, err
	}
	name := userName(u)
	c.Question, c.Button, c.Destroys = "End all sessions", "End all sessions", true
	c.Text = named(name) + " is signed out everywhere, and can sign in again."
	c.Steps = []step{{"Sessions of " + name, "signed in", "signed out everywhere"}}
	c.done = "All sessions of " + name + " have ended."
	c.do = func() error { return v.o.Admin.LogoutUser(v.r.Context(), v.caller, u.ID) }
	return c, nil
}

// endUserSession is POST /admin/users/{user}/session.
func endUserSession(v *visit) (change, error) {
	u, c, err := v.userChange(hallpass.UsersAuthTokenWrite, "sessions")
	if err != nil {
		return c, err
	}
	n, _ := hallpass.ParseID(v.r.PostForm.Get("session"))
	list, err := v.o.Admin.UserSessions(v.r.Context(), v.caller, u.ID)
	if err != nil {
		return c, err
	}
	name, where := userName(u), ""
	for _, s := range list {
		if s.ID == hallpass.SessionID(n) {
			where = s.Address + ", " + client(s.UserAgent)
		}
	}
	c.Question, c.Button, c.Destroys = "End session", "End session", true
	c.Text = named(name) + " is signed out there, and can sign in again."
	c.same = "Nothing changed: that session of " + name + " has ended already."
	if where != "" {
		c.same, c.Steps = "", []step{{"Session of " + name + " from " + where, "signed in", "signed out"}}
	}
	c.done = "The session of " + name + " from " + where + " has ended."
	c.do = func() error { return v.o.Admin.EndUserSession(v.r.Context(), v.caller, u.ID, hallpass.SessionID(n)) }
	return c, nil
}
