package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Mask is what a Text prints, logs and marshals as.
const Mask = "[secret]"

// A Text is a secret in the clear that cannot slip out: every way of printing,
// logging or marshalling it yields Mask. Only Reveal shows it, and only the
// doors that show a secret once call that. The zero Text is empty.
type Text struct{ s string }

// NewText wraps s.
func NewText(s string) Text { return Text{s} }

// Reveal returns the secret.
func (t Text) Reveal() string { return t.s }

// Equal reports whether the secret is s, in a time that tells nothing about
// where they differ.
func (t Text) Equal(s string) bool {
	want, got := t.Hash(), NewText(s).Hash()
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// Empty reports whether there is nothing in t.
func (t Text) Empty() bool { return t.s == "" }

// String returns Mask.
func (t Text) String() string { return Mask }

// GoString returns Mask.
func (t Text) GoString() string { return Mask }

// Format writes Mask for every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue returns Mask.
func (t Text) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText returns Mask; JSON and TOML use it.
func (t Text) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// UnmarshalText takes the secret from a configuration file.
func (t *Text) UnmarshalText(b []byte) error {
	t.s = string(b)
	return nil
}
