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

// request is one request for a page, with its caller.
type request struct {
	*console
	w http.ResponseWriter
	*http.Request
	caller    hallpass.Caller          // the zero Caller on pages without a session
	errors    fieldErrors              // of the form that was sent
	roleTexts map[hallpass.Role]string // what basic roles permit, filled in by roleWords
}

// guard returns the handler of a page that needs a session. Without one, the browser
// is sent to the sign-in page, which sends it back.
func (c *console) guard(pattern string, fn func(*request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req := &request{console: c, w: w, Request: r}
		e := httpd.EventOf(r.Context())
		e.Action = "page " + pattern
		var err error
		if req.caller, err = c.session(r); err != nil {
			if errors.Is(err, hallpass.Unauthenticated) {
				req.seeLogin()
				return
			}
			req.fail(err)
			return
		}
		e.SetCaller(req.caller)
		if err := req.serve(fn); err != nil {
			req.fail(err)
		}
	}
}

// open returns the handler of a page that anybody may see.
func (c *console) open(action string, fn func(*request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req := &request{console: c, w: w, Request: r}
		e := httpd.EventOf(r.Context())
		e.Action = action
		if caller, err := c.session(r); err == nil {
			req.caller = caller
			e.SetCaller(caller)
		}
		if err := req.serve(fn); err != nil {
			req.fail(err)
		}
	}
}

// unknown answers requests that match no route: with a page to browsers, and in JSON
// to programs.
func (c *console) unknown(w http.ResponseWriter, r *http.Request) {
	if httpd.WantsPage(r) {
		c.open("page.unknown", func(*request) error { return errNoPage })(w, r)
		return
	}
	httpd.EventOf(r.Context()).Action = "page.unknown"
	httpd.WriteError(w, r, &hallpass.Error{Kind: hallpass.NotFound, Message: "Not found"})
}

// serve reads the form of a POST and calls fn.
func (req *request) serve(fn func(*request) error) error {
	if req.Method == http.MethodPost {
		if err := req.readForm(); err != nil {
			return err
		}
	}
	return fn(req)
}

// readForm reads the form of the body.
func (req *request) readForm() error {
	if err := httpd.CheckBody(req.Request, httpd.MediaForm); err != nil {
		return err
	}
	if err := req.parseForm(); err != nil {
		return err
	}
	for name, values := range req.PostForm {
		if strings.Contains(name, "assword") {
			continue // may hold any bytes
		}
		for _, value := range values {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "the form holds what is not text"}
			}
		}
	}
	return nil
}

// parseForm reads the form. Each name may come once, except the names of lists.
func (req *request) parseForm() error {
	req.Body = http.MaxBytesReader(req.w, req.Body, maxForm)
	if err := req.ParseForm(); err != nil {
		return httpd.Unreadable(err, maxForm)
	}
	for name, values := range req.PostForm {
		list := name == "role_uid" || name == "account" || name == "event" || name == "role" && strings.HasSuffix(req.URL.Path, "/roles")
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

func (req *request) seeLogin() {
	to := "/login"
	if req.Method == http.MethodGet && req.URL.RequestURI() != "/" {
		to += "?next=" + url.QueryEscape(req.URL.RequestURI())
	}
	req.seeOther(to)
}

// seeOther sends the browser to a path of this server, or to the provider.
func (req *request) seeOther(to string) {
	req.w.Header().Set("Location", req.o.Base.Link(to))
	req.w.WriteHeader(http.StatusSeeOther)
}

// show answers with a page. Its view embeds a frame.
func (req *request) show(page string, view any) error {
	return req.showStatus(http.StatusOK, page, view)
}

func (req *request) showStatus(status int, page string, view any) error {
	return req.write(status, page, layout, view)
}

func (req *request) write(status int, page, part string, view any) error {
	s, err := req.site()
	if err != nil {
		return err
	}
	b, err := s.pages.execute(page, part, view)
	if err == nil && req.errors.liftUnshown(b) {
		b, err = s.pages.execute(page, part, view)
	}
	if err != nil {
		return err
	}
	req.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	req.w.WriteHeader(status)
	_, _ = req.w.Write(req.o.Base.Links(b)) // #nosec G705 -- html/template has escaped it; a browser that went away is no news
	return nil
}

// plainHost matches a host without characters that a shell interprets.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.\-\[\]:]+$`)

// rootURL returns the address under which browsers and programs reach us.
func (req *request) rootURL() string {
	if req.o.RootURL != "" {
		return req.o.RootURL
	}
	scheme := "http"
	if httpd.EventOf(req.Context()).Secure {
		scheme = "https"
	}
	host := req.Host
	if !plainHost.MatchString(host) {
		host = "localhost"
	}
	return fmt.Sprintf("%s://%s", scheme, host)
}
