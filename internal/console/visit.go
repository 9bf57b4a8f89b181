package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// maxForm is the longest body that a form may have.
const maxForm = httpd.MaxBody

var errNoPage = &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no page at this address."}

// visit is one request for a page with whoever makes it.
type visit struct {
	*console
	w      http.ResponseWriter
	r      *http.Request
	caller hallpass.Caller          // the zero Caller on pages that are open to all
	wrong  wrongs                   // with the form that was sent
	can    map[hallpass.Role]string // what basic roles permit, once it was looked up
}

// guard returns the handler of a page for those who are signed in. Others are
// sent to sign in, and back.
func (c *console) guard(pattern string, fn func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{console: c, w: w, r: r}
		e := httpd.EventOf(r.Context())
		e.Action = "page " + pattern
		var err error
		if v.caller, err = c.session(r); err != nil {
			if errors.Is(err, hallpass.Unauthenticated) {
				v.seeLogin()
				return
			}
			v.fail(err)
			return
		}
		e.SetCaller(v.caller)
		if err := v.serve(fn); err != nil {
			v.fail(err)
		}
	}
}

// open returns the handler of a page that anybody may see.
func (c *console) open(action string, fn func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{console: c, w: w, r: r}
		e := httpd.EventOf(r.Context())
		e.Action = action
		if caller, err := c.session(r); err == nil {
			v.caller = caller
			e.SetCaller(caller)
		}
		if err := v.serve(fn); err != nil {
			v.fail(err)
		}
	}
}

// unknown answers what no page takes: with a page to browsers, and in JSON to
// programs, which ask here for what other servers have.
func (c *console) unknown(w http.ResponseWriter, r *http.Request) {
	if httpd.WantsPage(r) {
		c.open("page.unknown", func(*visit) error { return errNoPage })(w, r)
		return
	}
	httpd.EventOf(r.Context()).Action = "page.unknown"
	httpd.WriteError(w, r, &hallpass.Error{Kind: hallpass.NotFound, Message: "Not found"})
}

// serve reads the form, if one comes, and calls fn.
func (v *visit) serve(fn func(*visit) error) error {
	if v.r.Method == http.MethodPost {
		if err := v.readForm(); err != nil {
			return err
		}
	}
	return fn(v)
}

// readForm reads the form of the body.
func (v *visit) readForm() error {
	if err := httpd.CheckBody(v.r, httpd.MediaForm); err != nil {
		return err
	}
	if err := v.parseForm(); err != nil {
		return err
	}
	for name, values := range v.r.PostForm {
		if strings.Contains(name, "assword") {
			continue // may hold what it likes
		}
		for _, value := range values {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "the form holds what is not text"}
			}
		}
	}
	return nil
}

// parseForm reads the form, in which each name stands once, save in a list.
func (v *visit) parseForm() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return httpd.Unreadable(err, maxForm)
	}
	for name, values := range v.r.PostForm {
		list := name == "role_uid" || name == "role" && strings.HasSuffix(v.r.URL.Path, "/roles")
		if len(values) > 1 && !list {
			return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "the form has a name twice"}
		}
	}
	return nil
}

// session returns the caller whose session cookie came with the request.
func (c *console) session(r *http.Request) (hallpass.Caller, error) {
	id, ok := c.o.Cookies.Session(r)
	if !ok {
		return hallpass.Caller{}, hallpass.Unauthenticated
	}
	return c.o.Verify.Session(r.Context(), id, 0, httpd.EventOf(r.Context()).From)
}

func (v *visit) seeLogin() {
	to := "/login"
	if v.r.Method == http.MethodGet && v.r.URL.RequestURI() != "/" {
		to += "?next=" + url.QueryEscape(v.r.URL.RequestURI())
	}
	v.seeOther(to)
}

// seeOther sends the browser on. to is a path of ours.
func (v *visit) seeOther(to string) {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
}

// show answers with a page; its view embeds a frame.
func (v *visit) show(page string, view any) error { return v.showStatus(http.StatusOK, page, view) }

func (v *visit) showStatus(status int, page string, view any) error {
	return v.write(status, page, "layout.html", view)
}

func (v *visit) write(status int, page, part string, view any) error {
	s, err := v.site()
	if err != nil {
		return err
	}
	b, err := s.pages.execute(page, part, view)
	if err == nil && v.wrong.lift(b) {
		b, err = s.pages.execute(page, part, view)
	}
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b) // a browser that went away is no news
	return nil
}

// errorView is the page about what went wrong.
type errorView struct {
	frame
	Status     int
	Heading    string
	Text       string
	Needs      string // the missing permission
	RequestID  string
	SignIn     bool
	RetryAfter bool
}

func (c *console) fail(w http.ResponseWriter, r *http.Request, err error) {
	(&visit{console: c, w: w, r: r}).fail(err)
}

// fail answers with the page about err and notes it in the request's event.
func (v *visit) fail(err error) {
	e := httpd.EventOf(v.r.Context())
	e.Err = err
	if errors.Is(err, hallpass.Unauthenticated) {
		v.seeLogin() // the session ended while it was used
		return
	}
	view := describe(err)
	view.frame = v.bareFrame(view.Heading)
	view.RequestID, view.SignIn = e.RequestID, v.caller.User() == 0
	httpd.SetErrorHeaders(v.w.Header(), err)
	if failed := v.showStatus(view.Status, "errors/error", view); failed != nil {
		e.Err = errors.Join(err, failed)
		http.Error(v.w, view.Heading, http.StatusInternalServerError)
	}
}

// describe says for people what went wrong. Of what is our own fault it tells
// nothing but that.
func describe(err error) errorView {
	view := errorView{Status: httpd.Status(err)}
	var e *hallpass.Error
	if errors.As(err, &e) {
		view.Text, view.Needs = messageOf(err), e.Needs
	}
	switch hallpass.KindOf(err) {
	case hallpass.NotFound:
		view.Heading = "Page not found"
	case hallpass.Denied:
		view.Heading = "Access denied"
	case hallpass.Unavailable:
		view.Heading, view.RetryAfter = "Not available right now", true
		if !errors.Is(err, secret.ErrBusy) {
			view.Text = "The server cannot reach its database. Nothing was changed; try again in a moment."
		}
	case hallpass.Limited:
		view.Heading = "Too much at once"
	case hallpass.Internal:
		view.Heading, view.Text = "Something went wrong", "This is the server's fault, not yours. The log has more under the request ID."
	default:
		view.Heading = "That did not work"
	}
	return view
}

// frame is what stands around every page.
type frame struct {
	Title   string
	Crumbs  []crumb
	Nav     nav
	Me      me
	Theme   string // "light", "dark" or "" for the system's
	Path    string // of this page, with its query
	Done    string // what has just been done
	Wrong   wrongs // with the form that was sent
	Version string
}

// crumb is a step of the way to a page; without a URL it is the page itself.
type crumb struct{ Label, URL string }

// nav says which places the sidebar offers.
type nav struct {
	Org             string
	Orgs            []orgChoice // to switch between; nil: there is but one
	Users           string      // address of the users; empty: not to be seen
	Teams           bool
	ServiceAccounts bool
	Roles           bool
	AllOrgs         bool
	Folders         bool
	Audit           bool
	Nodes           bool
	Here            string // "serviceaccounts", "audit", …
}

// Access and Admin report whether there is anything below these places.
func (n nav) Access() bool { return n.Users != "" || n.Teams || n.ServiceAccounts || n.Roles }
func (n nav) Admin() bool  { return n.Access() || n.AllOrgs || n.Audit || n.Nodes }

// orgChoice is an org that the user may work in.
type orgChoice struct {
	ID      hallpass.OrgID
	Name    string
	Current bool
}

// me is who is signed in.
type me struct{ Name, Login, Avatar string }

var (
	crumbHome   = crumb{"Home", "/"}
	crumbAdmin  = crumb{"Administration", "/admin"}
	crumbAccess = crumb{"Users and access", "/admin/access"}
	crumbList   = crumb{"Service accounts", "/org/serviceaccounts"}
)

// bareFrame returns the frame without what must be looked up.
func (v *visit) bareFrame(title string) frame {
	f := frame{
		Title: title, Theme: themeOf(v.r), Path: v.r.URL.RequestURI(), Version: v.o.Version,
		Crumbs: []crumb{crumbHome, {Label: title}}, Wrong: v.wrong,
	}
	if v.caller.User() == 0 {
		return f
	}
	p := v.caller.Principal
	f.Me = me{v.caller.Name, p.Login, avatarURL(p.Login)}
	if f.Me.Name == "" {
		f.Me.Name = p.Login
	}
	f.Nav.ServiceAccounts = v.caller.Can(hallpass.ServiceAccountsRead, "") || v.caller.Can(hallpass.ServiceAccountsCreate, "")
	f.Nav.Audit = v.caller.Can(hallpass.AuditRead, "")
	f.Nav.Teams = v.caller.Can(hallpass.TeamsRead, "") || v.caller.Can(hallpass.TeamsCreate, "")
	f.Nav.Roles = v.caller.Can(hallpass.RolesRead, "") && !v.caller.OrgMissing
	f.Nav.Nodes = v.caller.CanOnServer(hallpass.ServerStatsRead, "")
	f.Nav.AllOrgs = v.caller.CanOnServer(hallpass.OrgsRead, "")
	f.Nav.Folders = !v.caller.OrgMissing
	switch {
	case v.caller.CanOnServer(hallpass.UsersRead, ""):
		f.Nav.Users = "/admin/users"
	case v.caller.Can(hallpass.OrgUsersRead, ""):
		f.Nav.Users = "/org/users"
	}
	return f
}

// frame returns the frame of a page: where it is in the navigation, its title,
// and the steps to it.
func (v *visit) frame(here, title string, crumbs ...crumb) (frame, error) {
	f := v.bareFrame(title)
	f.Crumbs = append(append([]crumb{crumbHome}, crumbs...), crumb{Label: title})
	f.Nav.Here = here
	f.Done = v.said()
	if v.caller.Can(hallpass.OrgsRead, "") {
		org, err := v.o.Admin.Org(v.r.Context(), v.caller)
		if err != nil && !errors.Is(err, hallpass.NotFound) {
			return f, err
		}
		f.Nav.Org = org.Name
	}
	mine, err := v.o.Admin.UserOrgs(v.r.Context(), v.caller)
	if err != nil {
		return f, err
	}
	if len(mine) > 1 || len(mine) == 1 && mine[0].Org != v.caller.Org {
		for _, o := range mine {
			f.Nav.Orgs = append(f.Nav.Orgs, orgChoice{o.Org, o.Name, o.Org == v.caller.Org})
		}
	}
	return f, nil
}

const themeCookie = "hallpass_theme"

func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// setTheme is POST /theme.
func setTheme(v *visit) error {
	c := &http.Cookie{
		Name: themeCookie, Value: v.r.PostFormValue("theme"), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: httpd.EventOf(v.r.Context()).Secure,
	}
	if c.Value != "light" && c.Value != "dark" {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(v.w, c)
	v.seeOther(safeNext(v.r.PostFormValue("next")))
	return nil
}

// plainHost is a host that means nothing to a shell.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.\-\[\]:]+$`)

// rootURL returns the address under which browsers and programs reach us.
func (v *visit) rootURL() string {
	if v.o.RootURL != "" {
		return v.o.RootURL
	}
	scheme := "http"
	if httpd.EventOf(v.r.Context()).Secure {
		scheme = "https"
	}
	host := v.r.Host
	if !plainHost.MatchString(host) {
		host = "localhost"
	}
	return fmt.Sprintf("%s://%s", scheme, host)
}
