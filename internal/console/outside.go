package console

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// outsideURL is where a browser goes to sign in at the provider, and where it comes back
// to. Grafana has the same address, so that a provider needs no other.
const outsideURL = "/login/generic_oauth"

// stay, in a query of the sign-in page, keeps a browser here that would be sent to the
// provider at once. stayURL is the sign-in page with it.
const (
	stay    = "disableAutoLogin"
	stayURL = "/login?" + stay + "=true"
)

// redeemTime is how long it may take to learn from the provider who somebody is: less
// than an answer may take.
const redeemTime = 20 * time.Second

// signInOutside is GET /login/generic_oauth. A link leads here, and no form: browsers
// let no form lead to another site (form-action).
func signInOutside(req *request) error {
	query := req.URL.Query()
	switch {
	case req.o.Provider == nil:
		return errNoPage
	case query.Has("code") || query.Has("error") || query.Has("state"):
		return req.outsideFailure(req.endOutside(query))
	}
	return req.outsideFailure(req.beginOutside(safeNext(query.Get("next"))))
}

// beginOutside sends the browser to the provider. Its cookie says where it is led then.
func (req *request) beginOutside(next string) error {
	a := federation.NewAttempt()
	to, err := req.o.Provider.Begin(req.Context(), a, req.rootURL()+outsideURL)
	if err != nil {
		return err
	}
	req.o.Cookies.SetAttempt(req.w, req.Request, a.Secret().Reveal()+"."+base64.RawURLEncoding.EncodeToString([]byte(next)))
	req.seeOther(to)
	return nil
}

// attempt returns the attempt that the browser holds, and where it is led then.
func (req *request) attempt() (a federation.Attempt, next string) {
	text, rest, _ := strings.Cut(req.o.Cookies.Attempt(req.Request), ".")
	path, _, _ := strings.Cut(rest, ".")
	a, _ = federation.ParseAttempt(text) // one that is none fits no answer
	to, err := base64.RawURLEncoding.DecodeString(path)
	if err != nil {
		return a, "/"
	}
	return a, safeNext(string(to))
}

// endOutside signs in whom the provider names. An attempt serves once.
func (req *request) endOutside(query url.Values) error {
	a, next := req.attempt()
	if mark, is := req.connects(); is && a.Fits(query.Get("state")) {
		return req.endConnect(a, mark, query)
	}
	if req.caller.User() != 0 && !a.Fits(query.Get("state")) {
		req.seeOther("/") // the browser has signed in by another tab, or by the same answer
		return nil
	}
	req.o.Cookies.SetAttempt(req.w, req.Request, "")
	ctx, cancel := context.WithTimeout(req.Context(), redeemTime)
	defer cancel()
	u, err := req.o.Provider.Redeem(ctx, a, req.rootURL()+outsideURL, query)
	if err != nil {
		return err
	}
	e := httpd.EventOf(req.Context())
	in, err := req.o.Admin.SignInOutside(req.Context(), u, e.From)
	if err != nil {
		return err
	}
	e.SetCaller(in.Caller)
	req.o.Cookies.Set(req.w, req.Request, in.ID.Reveal(), in.Session.ExpiresAt)
	if req.o.Cookies.SameSite == http.SameSiteStrictMode {
		return req.leadOn(next)
	}
	req.seeOther(next)
	return nil
}

// leadOn answers with a page that leads on. A browser does not send a cookie that is
// strict to where a page of the provider redirects it, but it does to where our page does.
func (req *request) leadOn(next string) error {
	req.w.Header().Set("Refresh", "0; url="+req.o.Base.Link(next))
	return req.show("sessions/signedin", signedInView{req.bareFrame("Signed in"), req.o.Provider.Name(), next})
}

// signedInView is the page between the provider and the page that was asked for.
type signedInView struct {
	frame
	Provider, Next string
}

// outsideFailure shows on the sign-in page why nobody was signed in. Other errors have
// their page.
func (req *request) outsideFailure(err error) error {
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Kind != hallpass.Invalid && !strings.HasPrefix(e.ID, "federation.") {
		return err
	}
	httpd.EventOf(req.Context()).Err = err
	req.fieldError("login", messageOf(err))
	httpd.SetErrorHeaders(req.w.Header(), err)
	_, next := req.attempt()
	return req.showStatus(httpd.Status(err), "sessions/login", req.loginPage(next))
}

// signInURL is the page to which people are led who signed out. It does not sign them in
// again.
func (req *request) signInURL() string {
	if req.o.Provider != nil && req.o.AutoLogin {
		return stayURL
	}
	return "/login"
}

// signedOutView is the page after signing out of a session that began at the provider.
type signedOutView struct {
	frame
	Provider string
	SignOut  string // address that signs out there; empty: none is known
	SignIn   string
}

// signedOut answers who has signed out of a session that began at the provider. The page
// leads there, and no redirect: browsers let no form lead to another site.
func (req *request) signedOut() error {
	req.caller = hallpass.Caller{}
	view := signedOutView{frame: req.bareFrame("Signed out"), Provider: req.o.Provider.Name(), SignOut: req.o.SignOutURL, SignIn: req.signInURL()}
	if view.SignOut != "" {
		req.w.Header().Set("Refresh", "0; url="+view.SignOut)
	} else {
		view.SignOut = req.o.Provider.SignOutURL(req.Context(), req.rootURL()+"/login")
	}
	return req.show("sessions/signedout", view)
}
