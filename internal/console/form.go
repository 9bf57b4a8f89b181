package console

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// fieldErrors are what is wrong with a form that was sent, by the field it is wrong
// with; "" is the form as a whole.
type fieldErrors map[string]string

// At returns what is wrong with the field; empty: nothing.
func (w fieldErrors) At(field string) string { return w[field] }

// liftUnshown moves what no field of the page tells to the form as a whole, where every
// page tells it, and reports whether there was any.
func (w fieldErrors) liftUnshown(page []byte) bool {
	lost := false
	for _, field := range slices.Sorted(maps.Keys(w)) {
		if field != "" && !bytes.Contains(page, []byte(`id="`+errorID(field)+`"`)) {
			w[""] = strings.TrimSpace(w[""] + " " + w[field])
			delete(w, field)
			lost = true
		}
	}
	return lost
}

// errorID is the id of the text that says what is wrong with the field.
func errorID(field string) string { return "error-" + field }

// describe returns the attributes of a field: what describes it, and, when there
// is something wrong with it, that it is and that the focus goes there.
func (w fieldErrors) describe(field string, help ...string) template.HTMLAttr {
	attributes := ""
	if w[field] != "" {
		attributes = ` aria-invalid="true"`
	}
	return template.HTMLAttr(attributes) /* #nosec G203 -- a text of ours */ + w.describeControl(field, help...)
}

// describeControl is describe for what is no input: a button, a link, one of several
// choices.
func (w fieldErrors) describeControl(field string, help ...string) template.HTMLAttr {
	attributes := ""
	if w[field] != "" {
		help = append(help, errorID(field))
		attributes = ` autofocus`
	}
	if len(help) > 0 {
		attributes += ` aria-describedby="` + template.HTMLEscapeString(strings.Join(help, " ")) + `"`
	}
	return template.HTMLAttr(attributes) // #nosec G203 -- texts of ours, and ids that are escaped
}

// errorMessage is what the part "field-error" shows.
type errorMessage struct{ ID, Text string }

func (w fieldErrors) message(field string) errorMessage {
	return errorMessage{errorID(field), w[field]}
}

// formError says on the page that follows what is wrong, beside the field of the
// form at fault: the one that err names, if it is among fields, else the first.
// It reports whether the form can be shown again: what is not for the one who
// filled it in has a page of its own.
func (req *request) formError(err error, fields ...string) bool {
	text, ok := req.errorText(err)
	if !ok {
		return false
	}
	field := fields[0]
	var e *hallpass.Error
	if errors.As(err, &e) && slices.Contains(fields, e.Field) {
		field = e.Field
	}
	req.fieldError(field, text)
	return true
}

// fieldError shows text as the error of the field.
func (req *request) fieldError(field, text string) {
	if req.errors == nil {
		req.errors = make(fieldErrors)
	}
	req.errors[field] = text
}

// errorText returns what a form shall say about err, if that is for the one who
// filled it in.
func (req *request) errorText(err error) (string, bool) {
	switch hallpass.KindOf(err) {
	case hallpass.Invalid, hallpass.Conflict, hallpass.NotFound, hallpass.Denied:
	default:
		return "", false
	}
	var e *hallpass.Error
	if errors.As(err, &e) && e.ID == "accesscontrol.Denied" {
		return "", false // the page is not for them
	}
	httpd.EventOf(req.Context()).Err = err
	if e != nil && errorWords[e.ID] != "" {
		return errorWords[e.ID], true
	}
	return messageOf(err), true
}

// choice is an option of a form.
type choice struct {
	Value, Label string
	Selected     bool
}

// flashCookie holds what the next page says was done. It is a cookie and not part
// of the address, so that nobody can make a link that lets a page say things.
const flashCookie = "hallpass_done"

// flash has the next page of this browser tell what was done.
func (req *request) flash(text string) {
	for len(text) > 1000 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	req.setFlash(base64.RawURLEncoding.EncodeToString([]byte(text)), 60)
}

// takeFlash returns what the page before has done, this once.
func (req *request) takeFlash() string {
	c, err := req.Cookie(req.flashName())
	if err != nil {
		return ""
	}
	req.setFlash("", -1)
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}

func (req *request) flashName() string {
	if httpd.EventOf(req.Context()).Secure {
		return "__Host-" + flashCookie
	}
	return flashCookie
}

func (req *request) setFlash(value string, maxAge int) {
	http.SetCookie(req.w, &http.Cookie{
		Name: req.flashName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: httpd.EventOf(req.Context()).Secure,
	})
}
