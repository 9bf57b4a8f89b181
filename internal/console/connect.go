package console

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// connectView is the page that leads to the provider.
type connectView struct {
	frame
	Provider, To string
}

// connectAccount is POST /profile/connect: it verifies the password, begins a session anew,
// and sends the browser to the provider. What comes back connects the account to the user
// only in that session.
func connectAccount(req *request) error {
	if req.o.Provider == nil {
		return errNoPage
	}
	status, err := req.ownPassword(req.PostForm.Get("password"), "connect")
	if err != nil {
		return err
	}
	if status != 0 {
		return req.showProfile(status)
	}
	a := federation.NewAttempt()
	to, err := req.o.Provider.Begin(req.Context(), a, req.rootURL()+outsideURL)
	if err != nil {
		return req.connectFailure(err)
	}
	view := connectView{req.bareFrame("Connect an account"), req.o.Provider.Name(), to}
	if err := req.fillHead(&view.Nav); err != nil {
		return err
	}
	s, id, err := req.o.Admin.StartSession(req.Context(), req.caller)
	if err != nil {
		return err
	}
	if err := req.o.Admin.EndOwnSession(req.Context(), req.caller, req.caller.Session); err != nil {
		return err
	}
	req.o.Cookies.Set(req.w, req.Request, id.Reveal(), s.ExpiresAt)
	next := base64.RawURLEncoding.EncodeToString([]byte(crumbProfile.URL))
	req.o.Cookies.SetAttempt(req.w, req.Request, a.Secret().Reveal()+"."+next+"."+connectMark(id, a))
	req.w.Header().Set("Refresh", "0; url="+to) // and no redirect: browsers let no form lead to another site
	return req.show("users/connect", view)
}

// connectMark binds an attempt to connect an account to the session with that id. Whoever does
// not know the id, which only the browser holds, cannot make it: a cookie that somebody planted
// has none that fits.
func connectMark(session secret.Text, a federation.Attempt) string {
	h := hmac.New(sha256.New, []byte(session.Reveal()))
	_, _ = h.Write([]byte("connect " + a.Secret().Reveal())) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// connects reports whether the browser's attempt is one to connect an account, and returns
// its mark.
func (req *request) connects() (mark string, is bool) {
	parts := strings.SplitN(req.o.Cookies.Attempt(req.Request), ".", 3)
	if len(parts) < 3 {
		return "", false
	}
	return parts[2], true
}

// endConnect connects the account of whom the provider names to the user who is signed in.
func (req *request) endConnect(a federation.Attempt, mark string, query url.Values) error {
	if req.caller.User() == 0 && req.o.Cookies.SameSite == http.SameSiteStrictMode && !query.Has("again") {
		query.Set("again", "true") // a strict cookie did not come with what another site led to
		return req.leadOn(outsideURL + "?" + query.Encode())
	}
	req.o.Cookies.SetAttempt(req.w, req.Request, "")
	id, _ := req.o.Cookies.Session(req.Request)
	if req.caller.User() == 0 || !hmac.Equal([]byte(mark), []byte(connectMark(secret.NewText(id), a))) {
		return federation.ErrOtherAttempt
	}
	ctx, cancel := context.WithTimeout(req.Context(), redeemTime)
	defer cancel()
	query.Del("again")
	u, err := req.o.Provider.Redeem(ctx, a, req.rootURL()+outsideURL, query)
	if err == nil {
		err = req.o.Admin.ConnectIdentity(req.Context(), req.caller, u)
	}
	if err != nil {
		return req.connectFailure(err)
	}
	req.flash("Your account at " + req.o.Provider.Name() + " is connected: you can sign in with it.")
	req.seeOther(crumbProfile.URL)
	return nil
}

// connectFailure shows on the profile why no account was connected. Other errors have their
// page.
func (req *request) connectFailure(err error) error {
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Kind != hallpass.Invalid && !strings.HasPrefix(e.ID, "federation.") {
		return err
	}
	httpd.EventOf(req.Context()).Err = err
	httpd.SetErrorHeaders(req.w.Header(), err)
	req.fieldError("connect", messageOf(err))
	return req.showProfile(httpd.Status(err))
}

// disconnectAccount is POST /profile/disconnect.
func disconnectAccount(req *request) (change, error) {
	issuer, subject := req.PostForm.Get("issuer"), req.PostForm.Get("subject")
	c := change{Cancel: crumbProfile.URL, here: "profile", crumbs: []crumb{crumbProfile}}
	c.again = func(err error) error {
		if !req.formError(err, "connect") {
			return err
		}
		return req.showProfile(httpd.Status(err))
	}
	list, err := req.o.Admin.Identities(req.Context(), req.caller)
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Disconnect account", "Disconnect", true
	c.Text = "You sign in with your password then."
	c.same = "Nothing changed: that account is not connected."
	for _, i := range list {
		if i.Issuer == issuer && i.Subject == subject {
			c.same, c.Steps = "", []step{{"Account " + subject + " at " + issuer, "signs in as you", "does not sign in as you"}}
		}
	}
	c.Facts = []string{"Sessions that began with it end."}
	c.done = "The account is disconnected."
	c.do = func() error { return req.o.Admin.DisconnectIdentity(req.Context(), req.caller, issuer, subject) }
	return c, nil
}
