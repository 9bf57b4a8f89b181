package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// maxForm is the longest body that a form may have.
const maxForm = httpd.MaxBody

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
