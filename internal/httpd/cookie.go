package httpd

import (
	"net/http"
	"time"
)

// DefaultCookie is the session cookie's name ([auth] login_cookie_name).
const DefaultCookie = "grafana_session"

// Cookies sets and reads the session cookie. Over https its name begins with
// "__Host-", which binds it to this host and to https (SEC-16).
type Cookies struct {
	Name     string        // empty: DefaultCookie
	SameSite http.SameSite // zero: Lax
}

func (c Cookies) name(secure bool) string {
	name := c.Name
	if name == "" {
		name = DefaultCookie
	}
	if secure {
		return "__Host-" + name
	}
	return name
}

// Session returns the session id that the request's cookie holds, and whether
// it has one.
func (c Cookies) Session(r *http.Request) (id string, ok bool) {
	cookie, err := r.Cookie(c.name(EventOf(r.Context()).Secure))
	if err != nil {
		return "", false
	}
	return cookie.Value, true
}

// Set gives the browser a session id that ends at expires.
func (c Cookies) Set(w http.ResponseWriter, r *http.Request, id string, expires time.Time) {
	http.SetCookie(w, c.cookie(r, id, expires, 0))
}

// Clear takes the session id from the browser.
func (c Cookies) Clear(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, c.cookie(r, "", time.Time{}, -1))
}

func (c Cookies) cookie(r *http.Request, value string, expires time.Time, maxAge int) *http.Cookie {
	secure := EventOf(r.Context()).Secure
	sameSite := c.SameSite
	if sameSite == 0 {
		sameSite = http.SameSiteLaxMode
	}
	return &http.Cookie{
		Name: c.name(secure), Value: value, Path: "/", Expires: expires, MaxAge: maxAge, Secure: secure, HttpOnly: true, SameSite: sameSite,
	}
}
