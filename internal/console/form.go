package console

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html/template"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// fieldErrors are the errors of a form that was sent, by field; "" is the form as a
// whole.
type fieldErrors map[string]string

// At returns the error of the field; empty: none.
func (w fieldErrors) At(field string) string { return w[field] }

// liftUnshown moves errors that the page shows at no field to the form as a whole,
// which every page shows, and reports whether there were any.
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

// errorID is the id of the element with the error of the field.
func errorID(field string) string { return "error-" + field }

// describe returns the attributes of an input: the elements that describe it and,
// when it has an error, aria-invalid and the focus.
func (w fieldErrors) describe(field string, help ...string) template.HTMLAttr {
	attributes := ""
	if w[field] != "" {
		attributes = ` aria-invalid="true"`
	}
	return template.HTMLAttr(attributes) /* #nosec G203 -- a text of ours */ + w.describeControl(field, help...)
}

// describeControl is describe for a control that is no input, as a button or link.
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

// errorMessage is the view of the part "field-error".
type errorMessage struct{ ID, Text string }

func (w fieldErrors) message(field string) errorMessage {
	return errorMessage{errorID(field), w[field]}
}

// formError shows err at a field of the form: at the one that err names, if it is
// among fields, else at the first. It reports false when err is not about what was
// filled in: then the error has a page of its own.
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

// errorText returns what a form says about err; false when err is not about what
// was filled in.
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
	text := messageOf(err)
	if rest, named := strings.CutPrefix(text, "Url "); named { // the API's name of the field begins the sentence
		text = "URL " + rest
	}
	return text, true
}

// choice is an option of a form.
type choice struct {
	Value, Label string
	Selected     bool
}

// flashCookie holds the message that the next page shows. It is a cookie and not a
// parameter, so that nobody can write a link that puts text on a page.
const flashCookie = "hallpass_done"

// flash makes the next page of this browser show a message.
func (req *request) flash(text string) {
	for len(text) > 1000 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	req.setCookie(flashCookie, base64.RawURLEncoding.EncodeToString([]byte(text)), 60)
}

// takeFlash returns the message of the previous page and deletes it.
func (req *request) takeFlash() string {
	value := req.o.Cookies.Read(req.Request, flashCookie)
	if value == "" {
		return ""
	}
	req.setCookie(flashCookie, "", -1)
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}

// setCookie has the browser keep the cookie for so many seconds; below 0 it forgets it.
func (req *request) setCookie(name, value string, maxAge int) {
	req.o.Cookies.Keep(req.w, req.Request, name, value, maxAge)
}
