package hallpass

import (
	"errors"
	"fmt"
	"time"
)

// A Kind says what sort of failure an error is, and so which status a door
// answers with. The list is closed. A Kind is itself an error, so that
// errors.Is(err, NotFound) holds through any wrapping.
type Kind uint8

// The kinds. Internal is the zero value: what nobody classified is our fault.
const (
	Internal        Kind = iota
	Invalid              // the input is malformed or breaks a rule of its form
	Unauthenticated      // no credential, or one that does not verify
	Denied               // a known caller that lacks a permission
	NotFound             // it does not exist, or the caller may not know that it does
	Conflict             // it clashes with what is there
	Limited              // too much or too often
	Unavailable          // cannot be answered now; trying again later may help
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "denied", "not found", "conflict", "limited", "unavailable"}

// Error returns the kind's name.
func (k Kind) Error() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// An Error is a classified failure. ID is the wire's messageId and may be
// empty, Message is written for the caller and holds nothing the caller may
// not see, Err is for the log alone.
type Error struct {
	Kind    Kind
	ID      string
	Message string
	Field   string // of an Invalid: the input field at fault, if one is
	Needs   string // of a Denied: the action that is missing
	NeedsOn Scope  // of a guard's Denied: the scope on which Needs is missing; "": on none in particular
	Err     error

	RetryAfter time.Duration // of a Limited or Unavailable: when to come again; 0: shortly. Of a Conflict that is over by itself: likewise
	Rate       RateStanding  // of a Limited: of the token that came too often
}

// Error returns the message for the log: the caller's text and the cause.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Message
	case e.Message == "":
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap yields the Kind and, if there is one, the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// KindOf returns the kind of the outermost classified error in err's tree,
// Internal if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	return Internal
}

// MalformedID is the ID of errors about input that breaks a rule of its form.
// The wire calls all of them "Bad request data" and tells the rest beside it.
const MalformedID = "request.malformed"

// Invalidf returns an Invalid error with MalformedID for the input field.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, ID: MalformedID, Field: field, Message: fmt.Sprintf(format, args...)}
}
