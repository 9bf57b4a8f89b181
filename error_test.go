package hallpass_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
)

func TestKindOf(t *testing.T) {
	notFound := &hallpass.Error{Kind: hallpass.NotFound, Message: "no such token"}
	for _, tt := range []struct {
		name string
		err  error
		want hallpass.Kind
	}{
		{"nothing", nil, hallpass.Internal},
		{"unclassified", io.EOF, hallpass.Internal},
		{"cancelled", context.Canceled, hallpass.Internal},
		{"classified", notFound, hallpass.NotFound},
		{"wrapped", fmt.Errorf("store: token 7: %w", notFound), hallpass.NotFound},
		{"joined", errors.Join(io.EOF, notFound), hallpass.NotFound},
		{"a bare kind", hallpass.Conflict, hallpass.Conflict},
		{"a wrapped kind", fmt.Errorf("store: %w", hallpass.Limited), hallpass.Limited},
		{"the outer of two", &hallpass.Error{Kind: hallpass.Unavailable, Err: notFound}, hallpass.Unavailable},
		{"the zero error", &hallpass.Error{}, hallpass.Internal},
	} {
		if got := hallpass.KindOf(tt.err); got != tt.want {
			t.Errorf("%s: KindOf = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestErrorIsItsKindAndItsCause(t *testing.T) {
	err := fmt.Errorf("admin: %w", &hallpass.Error{Kind: hallpass.Unavailable, Message: "try again", Err: io.ErrUnexpectedEOF})
	for _, want := range []error{hallpass.Unavailable, io.ErrUnexpectedEOF} {
		if !errors.Is(err, want) {
			t.Errorf("errors.Is(%v, %v) = false", err, want)
		}
	}
	for _, not := range []error{hallpass.Internal, hallpass.NotFound, io.EOF} {
		if errors.Is(err, not) {
			t.Errorf("errors.Is(%v, %v) = true", err, not)
		}
	}
}

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  hallpass.Error
		want string
	}{
		{hallpass.Error{Message: "told"}, "told"},
		{hallpass.Error{Err: io.EOF}, "EOF"},
		{hallpass.Error{Message: "told", Err: io.EOF}, "told: EOF"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q, want %q", got, tt.want)
		}
	}
}

func TestKindText(t *testing.T) {
	for kind, want := range map[hallpass.Kind]string{
		hallpass.Internal: "internal", hallpass.Invalid: "invalid", hallpass.Unauthenticated: "unauthenticated", hallpass.Denied: "denied",
		hallpass.NotFound: "not found", hallpass.Conflict: "conflict", hallpass.Limited: "limited", hallpass.Unavailable: "unavailable", 9: "kind 9",
	} {
		if got := kind.Error(); got != want {
			t.Errorf("Kind(%d).Error() = %q, want %q", uint8(kind), got, want)
		}
	}
}

func TestInvalidf(t *testing.T) {
	got := *hallpass.Invalidf("name", "%s is required", "name")
	want := hallpass.Error{Kind: hallpass.Invalid, ID: hallpass.MalformedID, Field: "name", Message: "name is required"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Invalidf (-got +want):\n%s", diff)
	}
}
