package httpd

import (
	"net/http"
	"strings"
	"time"
)

// DefaultCookie is the session cookie's name ([auth] login_cookie_name).
const DefaultCookie = "grafana_session"

// Cookies sets and reads the session cookie. Over https its name begins with
// "__Host-", which binds it to this host and to https (SEC-16). Below a path of a host that
// others share it begins with "__Secure-" and has that path: "__Host-" would need the path
// "/", by which the browser would send the session to the others.
type Cookies struct {
	Name     string        // empty: DefaultCookie
	SameSite http.SameSite // zero: Lax
	Base     Base          // "": the whole host
}

func (c Cookies) name(secure bool) string {
	name := c.Name
	if name == "" {
		name = DefaultCookie
	}
	switch {
	case !secure:
		return name
	case c.Base != "":
		return securePrefix + name
	}
	return hostPrefix + name
}

// What the names of cookies begin with over https (RFC 6265bis, 4.1.3).
const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

// PlainCookie returns the name of a cookie without what says how the browser keeps it.
func PlainCookie(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, hostPrefix), securePrefix)
}

// Read returns the value of another cookie of ours, "" if the browser has none.
func (c Cookies) Read(r *http.Request, name string) string {
	cookie, err := r.Cookie(Cookies{Name: name, Base: c.Base}.name(EventOf(r.Context()).Secure))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Keep has the browser keep another cookie of ours for so many seconds; below 0 it forgets
// it.
func (c Cookies) Keep(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, Cookies{Name: name, SameSite: http.SameSiteLaxMode, Base: c.Base}.cookie(r, value, time.Time{}, maxAge))
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

// Clear removes the session id from the browser.
func (c Cookies) Clear(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, c.cookie(r, "", time.Time{}, -1))
}

// DeviceCookie is the name of the cookie by which we recognize a browser in which a
// user has signed in before. The cookie signs nobody in.
const DeviceCookie = "hallpass_device"

// Device returns the value of the browser's device cookie, or "" if it has none.
func (c Cookies) Device(r *http.Request) string {
	device := c.Read(r, DeviceCookie)
	if len(device) > maxDevice {
		return ""
	}
	return device
}

// maxDevice is longer than any value that we set, in bytes.
const maxDevice = 64

// SetDevice sends the device cookie, by which we recognize the browser later.
func (c Cookies) SetDevice(w http.ResponseWriter, r *http.Request, device string) {
	http.SetCookie(w, Cookies{Name: DeviceCookie, SameSite: c.SameSite, Base: c.Base}.cookie(r, device, time.Time{}, int(deviceAge.Seconds())))
}

// deviceAge is how long a browser keeps the cookie unless it signs in again.
const deviceAge = 90 * 24 * time.Hour

// AttemptCookie is the name of the cookie of a browser that went to sign in elsewhere.
const AttemptCookie = "hallpass_signin"

// attemptAge is how long the browser has to come back.
const attemptAge = 10 * time.Minute

// Attempt returns what SetAttempt gave the browser, "" if that is nothing.
func (c Cookies) Attempt(r *http.Request) string {
	return c.Read(r, AttemptCookie)
}

// SetAttempt gives the browser a value for as long as it signs in elsewhere; "" takes it
// back. The browser sends it also when a page of the other site leads it back here,
// whatever SameSite the session has.
func (c Cookies) SetAttempt(w http.ResponseWriter, r *http.Request, value string) {
	age := int(attemptAge.Seconds())
	if value == "" {
		age = -1
	}
	c.Keep(w, r, AttemptCookie, value, age)
}

func (c Cookies) cookie(r *http.Request, value string, expires time.Time, maxAge int) *http.Cookie {
	secure := EventOf(r.Context()).Secure
	sameSite := c.SameSite
	if sameSite == 0 {
		sameSite = http.SameSiteLaxMode
	}
	return &http.Cookie{
		Name: c.name(secure), Value: value, Path: c.Base.cookiePath(), Expires: expires, MaxAge: maxAge, Secure: secure, HttpOnly: true, SameSite: sameSite,
	}
}
