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

// safeNext returns where to go after signing in: next if it is a path of this server,
// else the home page (SEC-21).
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

// loginView is the sign-in page.
type loginView struct {
	frame
	Next     string
	User     string // as typed
	Plain    bool   // the connection is not encrypted
	Provider string // where people may sign in; empty: here alone
	Outside  string // the address that leads there
	Password string // the address of this page with the form for a password; empty: it is here
}

// loginPage returns the sign-in page, which leads to next.
func (req *request) loginPage(next string) loginView {
	view := loginView{frame: req.bareFrame("Log in"), Next: safeNext(next), Plain: !httpd.EventOf(req.Context()).Secure && !loopback(req.Host)}
	if req.o.Provider == nil {
		return view
	}
	query := url.Values{"next": {view.Next}}.Encode()
	view.Provider, view.Outside = req.o.Provider.Name(), outsideURL+"?"+query
	if req.o.BreakGlass && req.Method == http.MethodGet && !req.URL.Query().Has("password") {
		view.Password = stayURL + "&password=true&" + query
	}
	return view
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

func loginForm(req *request) error {
	view := req.loginPage(req.URL.Query().Get("next"))
	if req.caller.User() != 0 {
		req.seeOther(view.Next)
		return nil
	}
	if req.o.AutoLogin && view.Provider != "" && !req.URL.Query().Has(stay) {
		req.seeOther(view.Outside)
		return nil
	}
	return req.show("sessions/login", view)
}

// login is POST /login. The page sends a form, programs send JSON.
func (c *console) login(w http.ResponseWriter, r *http.Request) {
	req := &request{console: c, w: w, Request: r}
	httpd.EventOf(r.Context()).Action = "login"
	if httpd.RequireBody(r, httpd.MediaForm) == nil {
		req.loginByForm()
		return
	}
	if err := req.loginByJSON(); err != nil {
		httpd.WriteError(w, r, err)
	}
}

func (req *request) loginByForm() {
	if err := req.parseForm(); err != nil {
		req.fail(err)
		return
	}
	form := req.PostForm
	user := form.Get("user")
	if user == "" {
		req.fieldError("user", "Email or username is required")
	}
	password := secret.NewText(form.Get("password"))
	if password.Empty() {
		req.fieldError("password", "Password is required")
	} else if err := secret.CheckLength(password); err != nil {
		req.fieldError("password", messageOf(err))
	}
	if len(req.errors) > 0 {
		req.loginAgain(http.StatusBadRequest)
		return
	}
	device := req.o.Cookies.Device(req.Request)
	if device == "" {
		device = rand.Text()
	}
	err := req.signIn(user, password, device)
	switch {
	case err == nil:
		req.o.Cookies.SetDevice(req.w, req.Request, device)
		req.seeOther(safeNext(form.Get("next")))
		return
	case errors.Is(err, hallpass.Unauthenticated):
		req.fieldError("login", "Invalid username or password")
	case errors.Is(err, secret.ErrBusy):
		req.fieldError("login", "Many people are signing in at the moment. Please try again in a few seconds.")
	case errors.Is(err, hallpass.Limited):
		req.fieldError("login", "You have exceeded the number of login attempts for this user. Please try again later.")
	default:
		req.fail(err)
		return
	}
	httpd.EventOf(req.Context()).Err = err
	httpd.SetErrorHeaders(req.w.Header(), err)
	req.loginAgain(httpd.Status(err))
}

// loginAgain shows the sign-in page with the errors. It keeps the name that was
// typed, if it is a valid one.
func (req *request) loginAgain(status int) {
	view := req.loginPage(req.PostForm.Get("next"))
	if user := req.PostForm.Get("user"); hallpass.ValidateText("user", user, hallpass.MaxName) == nil {
		view.User = user
	}
	req.answer(status, "sessions/login", view)
}

// answer shows the page, or the error page when that fails.
func (req *request) answer(status int, page string, view any) {
	if err := req.showStatus(status, page, view); err != nil {
		req.fail(err)
	}
}

// loginName is a login as typed. A login that nobody can have is unknown, not
// malformed.
type loginName string

func (req *request) loginByJSON() error {
	if err := httpd.RequireBody(req.Request, httpd.MediaJSON); err != nil {
		return err
	}
	var in struct {
		User     loginName   `json:"user"`
		Password secret.Text `json:"password"`
	}
	if err := httpd.DecodeJSON(req.w, req.Request, httpd.JSONBody{Limit: maxForm}, &in); err != nil {
		return err
	}
	if err := secret.CheckLength(in.Password); err != nil {
		return err
	}
	if err := req.signIn(string(in.User), in.Password, req.o.Cookies.Device(req.Request)); err != nil {
		return err
	}
	httpd.WriteJSON(req.w, http.StatusOK, struct {
		Message     string `json:"message"`
		RedirectURL string `json:"redirectUrl"`
	}{"Logged in", req.o.Base.Link("/")})
	return nil
}

// signIn verifies the password and gives the browser a session.
func (req *request) signIn(login string, password secret.Text, device string) error {
	e := httpd.EventOf(req.Context())
	c, err := req.o.Verify.Password(req.Context(), login, password, 0, e.From, device)
	if err != nil {
		return err
	}
	e.SetCaller(c)
	return req.startSession(c)
}

func (req *request) startSession(c hallpass.Caller) error {
	s, id, err := req.o.Admin.StartSession(req.Context(), c)
	if err != nil {
		return err
	}
	req.o.Cookies.Set(req.w, req.Request, id.Reveal(), s.ExpiresAt)
	return nil
}

func logoutForm(req *request) error {
	f, err := req.frame("", "Sign out")
	if err != nil {
		return err
	}
	return req.show("sessions/logout", struct{ frame }{f})
}

func logout(req *request) error {
	issuer, err := req.o.Admin.EndSession(req.Context(), req.caller)
	if err != nil && !errors.Is(err, hallpass.Unauthenticated) {
		return err
	}
	req.o.Cookies.Clear(req.w, req.Request)
	if issuer != "" && req.o.Provider != nil {
		return req.signedOut()
	}
	req.seeOther(req.signInURL())
	return nil
}

// sessionRow is one session of a browser.
type sessionRow struct {
	ID            hallpass.SessionID
	Address       string
	Client        string
	By            string // the provider where it began; empty: it began with a password
	Created, Seen timestamp
	This          bool
}

func (req *request) sessionRows(list []hallpass.Session) (rows []sessionRow) {
	for _, s := range list {
		row := sessionRow{ID: s.ID, Address: s.Address, Client: client(s.UserAgent), Created: req.timestamp(s.CreatedAt), Seen: req.timestamp(s.SeenAt), This: s.ID == req.caller.Session}
		if s.Issuer != "" && req.o.Provider != nil {
			row.By = req.o.Provider.Name()
		}
		rows = append(rows, row)
	}
	return rows
}

// logoutUser is POST /admin/users/{user}/logout.
func logoutUser(req *request) (change, error) {
	u, c, err := req.userChange(hallpass.UsersLogout, "sessions")
	if err != nil {
		return c, err
	}
	name := userName(u)
	c.Question, c.Button, c.Destroys = "End all sessions", "End all sessions", true
	c.Text = named(name) + " is signed out everywhere, and can sign in again."
	c.Steps = []step{{"Sessions of " + name, wordSignedIn, wordSignedOut + " everywhere"}}
	c.done = "All sessions of " + name + " have ended."
	c.do = func() error { return req.o.Admin.LogoutUser(req.Context(), req.caller, u.ID) }
	return c, nil
}

// endUserSession is POST /admin/users/{user}/session.
func endUserSession(req *request) (change, error) {
	u, c, err := req.userChange(hallpass.UsersAuthTokenWrite, "sessions")
	if err != nil {
		return c, err
	}
	n, _ := hallpass.ParseID(req.PostForm.Get("session"))
	list, err := req.o.Admin.UserSessions(req.Context(), req.caller, u.ID)
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
		c.same, c.Steps = "", []step{{"Session of " + name + " from " + where, wordSignedIn, wordSignedOut}}
	}
	c.done = "The session of " + name + " from " + where + " has ended."
	c.do = func() error {
		return req.o.Admin.EndUserSession(req.Context(), req.caller, u.ID, hallpass.SessionID(n))
	}
	return c, nil
}
