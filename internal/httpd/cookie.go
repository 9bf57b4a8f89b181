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

// Clear removes the session id from the browser.
func (c Cookies) Clear(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, c.cookie(r, "", time.Time{}, -1))
}

// DeviceCookie is the name of the cookie by which we recognize a browser in which a
// user has signed in before. The cookie signs nobody in.
const DeviceCookie = "hallpass_device"

// Device returns the value of the browser's device cookie, or "" if it has none.
func (c Cookies) Device(r *http.Request) string {
	cookie, err := r.Cookie(Cookies{Name: DeviceCookie}.name(EventOf(r.Context()).Secure))
	if err != nil || len(cookie.Value) > maxDevice {
		return ""
	}
	return cookie.Value
}

// maxDevice is longer than any value that we set, in bytes.
const maxDevice = 64

// SetDevice sends the device cookie, by which we recognize the browser later.
func (c Cookies) SetDevice(w http.ResponseWriter, r *http.Request, device string) {
	http.SetCookie(w, Cookies{Name: DeviceCookie, SameSite: c.SameSite}.cookie(r, device, time.Time{}, int(deviceAge.Seconds())))
}

// deviceAge is how long a browser keeps the cookie unless it signs in again.
const deviceAge = 90 * 24 * time.Hour

// AttemptCookie is the name of the cookie of a browser that went to sign in elsewhere.
const AttemptCookie = "hallpass_signin"

// attemptAge is how long the browser has to come back.
const attemptAge = 10 * time.Minute

// Attempt returns what SetAttempt gave the browser, "" if that is nothing.
func (c Cookies) Attempt(r *http.Request) string {
	cookie, err := r.Cookie(Cookies{Name: AttemptCookie}.name(EventOf(r.Context()).Secure))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetAttempt gives the browser a value for as long as it signs in elsewhere; "" takes it
// back. The browser sends it also when a page of the other site leads it back here,
// whatever SameSite the session has.
func (c Cookies) SetAttempt(w http.ResponseWriter, r *http.Request, value string) {
	age := int(attemptAge.Seconds())
	if value == "" {
		age = -1
	}
	http.SetCookie(w, Cookies{Name: AttemptCookie, SameSite: http.SameSiteLaxMode}.cookie(r, value, time.Time{}, age))
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
