package federation

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// An Attempt is one sign-in of one browser, from the moment it is sent to the provider
// until it comes back. It is a secret that only a cookie of the browser holds. State,
// nonce and code verifier are derived from it, so an answer of the provider that
// another browser began fits no cookie of this one: nobody can be signed in as somebody
// else by a link (RFC 6749, 10.12). The server keeps nothing, and any node can end
// what another began. The zero Attempt fits no answer.
type Attempt struct{ secret secret.Text }

// attemptLen is the length of a cookie: 32 bytes in base64.
const attemptLen = 43

// NewAttempt returns a fresh attempt of 256 random bits.
func NewAttempt() Attempt {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return Attempt{secret.NewText(base64.RawURLEncoding.EncodeToString(b[:]))}
}

// ParseAttempt reads what a cookie holds, and reports whether it is an attempt.
func ParseAttempt(s string) (Attempt, bool) {
	if b, err := base64.RawURLEncoding.DecodeString(s); len(s) != attemptLen || err != nil || len(b) != 32 {
		return Attempt{}, false
	}
	return Attempt{secret.NewText(s)}, true
}

// Secret returns what the browser's cookie is to hold.
func (a Attempt) Secret() secret.Text { return a.secret }

// Fits reports whether the provider's answer with that state belongs to the attempt.
func (a Attempt) Fits(state string) bool {
	return !a.secret.Empty() && subtle.ConstantTimeCompare([]byte(a.state()), []byte(state)) == 1
}

func (a Attempt) state() string    { return a.derive("state") }
func (a Attempt) nonce() string    { return a.derive("nonce") }
func (a Attempt) verifier() string { return a.derive("verifier") }

// derive returns a value of 256 bits, as base64, that tells nothing about the others.
func (a Attempt) derive(use string) string {
	h := hmac.New(sha256.New, []byte(a.secret.Reveal()))
	_, _ = h.Write([]byte(use)) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
