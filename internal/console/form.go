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

// wrongs are what is wrong with a form that was sent, by the field it is wrong
// with; "" is the form as a whole.
type wrongs map[string]string

// At returns what is wrong with the field; empty: nothing.
func (w wrongs) At(field string) string { return w[field] }

// lift moves what no field of the page tells to the form as a whole, where every
// page tells it, and reports whether there was any.
func (w wrongs) lift(page []byte) bool {
	lost := false
	for _, field := range slices.Sorted(maps.Keys(w)) {
		if field != "" && !bytes.Contains(page, []byte(`id="`+wrongID(field)+`"`)) {
			w[""] = strings.TrimSpace(w[""] + " " + w[field])
			delete(w, field)
			lost = true
		}
	}
	return lost
}

// wrongID is the id of the text that says what is wrong with the field.
func wrongID(field string) string { return "wrong-" + field }

// describe returns the attributes of a field: what describes it, and, when there
// is something wrong with it, that it is and that the focus goes there.
func (w wrongs) describe(field string, help ...string) template.HTMLAttr {
	attributes := ""
	if w[field] != "" {
		attributes = ` aria-invalid="true"`
	}
	return template.HTMLAttr(attributes) /* #nosec G203 -- a text of ours */ + w.beside(field, help...)
}

// beside is describe for what is no input: a button, a link, one of several
// choices.
func (w wrongs) beside(field string, help ...string) template.HTMLAttr {
	attributes := ""
	if w[field] != "" {
		help = append(help, wrongID(field))
		attributes = ` autofocus`
	}
	if len(help) > 0 {
		attributes += ` aria-describedby="` + template.HTMLEscapeString(strings.Join(help, " ")) + `"`
	}
	return template.HTMLAttr(attributes) // #nosec G203 -- texts of ours, and ids that are escaped
}

// fieldWrong is what the part "field-error" shows.
type fieldWrong struct{ ID, Text string }

func (w wrongs) show(field string) fieldWrong { return fieldWrong{wrongID(field), w[field]} }

// blame says on the page that follows what is wrong, beside the field of the
// form at fault: the one that err names, if it is among fields, else the first.
// It reports whether the form can be shown again: what is not for the one who
// filled it in has a page of its own.
func (v *visit) blame(err error, fields ...string) bool {
	text, ok := v.problem(err)
	if !ok {
		return false
	}
	field := fields[0]
	var e *hallpass.Error
	if errors.As(err, &e) && slices.Contains(fields, e.Field) {
		field = e.Field
	}
	v.tell(field, text)
	return true
}

// tell says beside the field what is wrong with it.
func (v *visit) tell(field, text string) {
	if v.wrong == nil {
		v.wrong = make(wrongs)
	}
	v.wrong[field] = text
}

// problem returns what a form shall say about err, if that is for the one who
// filled it in.
func (v *visit) problem(err error) (string, bool) {
	switch hallpass.KindOf(err) {
	case hallpass.Invalid, hallpass.Conflict, hallpass.NotFound, hallpass.Denied:
	default:
		return "", false
	}
	var e *hallpass.Error
	if errors.As(err, &e) && e.ID == "accesscontrol.Denied" {
		return "", false // the page is not for them
	}
	httpd.EventOf(v.r.Context()).Err = err
	if e != nil && ourWords[e.ID] != "" {
		return ourWords[e.ID], true
	}
	return messageOf(err), true
}

// doneCookie holds what the next page says was done. It is a cookie and not part
// of the address, so that nobody can make a link that lets a page say things.
const doneCookie = "hallpass_done"

// say has the next page of this browser tell what was done.
func (v *visit) say(text string) {
	for len(text) > 1000 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	v.setDone(base64.RawURLEncoding.EncodeToString([]byte(text)), 60)
}

// said returns what the page before has done, this once.
func (v *visit) said() string {
	c, err := v.r.Cookie(v.doneName())
	if err != nil {
		return ""
	}
	v.setDone("", -1)
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}

func (v *visit) doneName() string {
	if httpd.EventOf(v.r.Context()).Secure {
		return "__Host-" + doneCookie
	}
	return doneCookie
}

func (v *visit) setDone(value string, maxAge int) {
	http.SetCookie(v.w, &http.Cookie{
		Name: v.doneName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: httpd.EventOf(v.r.Context()).Secure,
	})
}
