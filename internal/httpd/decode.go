package httpd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/hallpass-dev/hallpass"
)

// MaxBody is the longest body of every request but those with a dashboard, in
// bytes (SEC-8).
const MaxBody = 1 << 20

// A JSONBody says how a body is read.
type JSONBody struct {
	Limit    int64               // the longest one, in bytes
	Optional bool                // a request without a body is one whose body is {}
	Edit     func([]byte) []byte // if not nil, may change the body before it is read
}

// DecodeJSON reads the JSON body into v. The body holds one value. Unknown names
// are ignored, and a name that is there twice, in any case of ASCII, is an error.
func DecodeJSON(w http.ResponseWriter, r *http.Request, how JSONBody, v any) error {
	if err := CheckBody(r, MediaJSON); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, how.Limit))
	if err != nil {
		return Unreadable(err, how.Limit)
	}
	if how.Optional && len(body) == 0 {
		return nil
	}
	if how.Edit != nil {
		body = how.Edit(body)
	}
	if err := plainNames(body, how.Edit != nil); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v, json.MatchCaseInsensitiveNames(true), json.WithUnmarshalers(noNUL)); err != nil {
		return malformed(err)
	}
	return nil
}

// Unreadable returns the error that tells the client why its body could not be read.
func Unreadable(err error, limit int64) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &hallpass.Error{Kind: hallpass.Limited, ID: "request.too-large", Message: fmt.Sprintf("Request body is larger than %d MiB", limit>>20)}
	}
	return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "the body could not be read", Err: err}
}

// lookalikes are the characters outside of ASCII that fold to a letter of it.
const lookalikes = "\u017f\u212a" // of s and k

// plainNames refuses names that are not ASCII but would match ours, because they
// fold to ASCII letters. If shallow, it checks only the first level: what is below
// is then kept as it was sent.
func plainNames(body []byte, shallow bool) error {
	if !bytes.ContainsAny(body, lookalikes) && !bytes.Contains(body, []byte(`\u`)) {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		kind, length := d.StackIndex(d.StackDepth())
		t, err := d.ReadToken()
		if err != nil {
			return nil // json.Unmarshal reports it
		}
		if kind == '{' && length%2 == 0 && t.Kind() == '"' && (d.StackDepth() == 1 || !shallow) && strings.ContainsAny(t.String(), lookalikes) {
			return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "the body has a name that is not ASCII"}
		}
	}
}

// errNUL says that a text holds a NUL, which PostgreSQL does not store.
var errNUL = errors.New("holds a NUL character")

// noNUL reads every string of a body. It does not see passwords, which are
// secret.Text, nor the JSON of a dashboard, which is kept as it was sent: both may
// hold a NUL.
var noNUL = json.UnmarshalFromFunc(func(d *jsontext.Decoder, s *string) error {
	if d.PeekKind() != '"' {
		return errors.ErrUnsupported // null, or a type that the default refuses
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if *s = t.String(); strings.ContainsRune(*s, 0) {
		return errNUL
	}
	return nil
})

// malformed tells the client what is wrong with its body.
func malformed(err error) error {
	const twice = "is there twice"
	var field jsontext.Pointer
	what := "is not valid JSON"
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic):
		field = semantic.JSONPointer
		what = "has the wrong type"
		if errors.Is(err, errNUL) {
			what = "holds a control character"
		}
	case errors.As(err, &syntactic):
		field = syntactic.JSONPointer
		if errors.Is(err, jsontext.ErrDuplicateName) {
			what = twice
		}
	}
	// The decoder's error is not kept, and a name that the client made up is not
	// repeated: either may hold a secret, which would reach the log.
	name := strings.TrimPrefix(string(field), "/")
	if name == "" || len(name) > maxFieldName || strings.ContainsAny(name, "/_") {
		if what == twice {
			what = "has a name twice"
		}
		return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Message: "the body " + what}
	}
	return &hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Field: name, Message: name + " " + what}
}

// maxFieldName is longer than any name the API knows.
const maxFieldName = 24
