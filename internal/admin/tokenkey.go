package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// The answer to a request that makes a token is the only place where its secret is. If
// the answer is lost, the client sends the request again with the same Idempotency-Key,
// and the token gets another secret: the answer that is received last has the one that
// works. Nothing that could give a secret away is kept.

// Times of a request that is repeated. Two that come at once through two nodes must not
// both be answered with a secret, for the first of these would not work any more.
const (
	repeatFor    = 10 * time.Minute // so long it is one, from when its token was made
	repeatNotYet = 2 * time.Second  // so long the answer may still be on its way, from when the token got its secret
)

// A keyMark is what is kept of a request with an Idempotency-Key: half a SHA-256 of the
// key, and half a SHA-256 of what was asked for. The zero keyMark is no key.
type keyMark [32]byte

// key returns the half that is about the key.
func (m keyMark) key() []byte {
	if m == (keyMark{}) {
		return nil
	}
	return m[:16]
}

// repeats reports whether a request with the mark at now is the one that made the
// token, or another with its key.
func (m keyMark) repeats(made hallpass.Token, now time.Time) bool {
	return m != (keyMark{}) && made.ID != 0 && bytes.Equal(m.key(), made.Rotation.Key[:len(m.key())]) && made.RevokedAt.IsZero() && now.Sub(made.CreatedAt) < repeatFor
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`)

// newKeyMark returns the mark of a request that asks for in; Invalid if the key has
// another form.
func newKeyMark(key string, in any) (m keyMark, err error) {
	if key == "" {
		return m, nil
	}
	if !keyForm.MatchString(key) {
		return m, hallpass.Invalidf("Idempotency-Key", "Idempotency-Key is 1 to 64 letters, digits, dots, dashes, underscores and tildes")
	}
	body, err := json.Marshal(in)
	if err != nil {
		return m, fmt.Errorf("admin: mark of a request: %w", err)
	}
	of := sha256.Sum256([]byte(key))
	copy(m[:16], of[:])
	of = sha256.Sum256(body)
	copy(m[16:], of[:])
	return m, nil
}

// A TokenError is a Conflict about a token that another request made.
type TokenError struct {
	Conflict *hallpass.Error
	Token    hallpass.Token // the one that there is
}

// Error returns the message for the log.
func (e *TokenError) Error() string { return e.Conflict.Error() }

// Unwrap returns the Conflict.
func (e *TokenError) Unwrap() error { return e.Conflict }

var errRepeatNotYet = &hallpass.Error{
	Kind: hallpass.Conflict, ID: "token.rotation-in-flight", RetryAfter: repeatNotYet, Message: "A request with this Idempotency-Key may still be answered, try again shortly",
}

// repeat answers a request whose token was made before: it gives the token the secret,
// if nobody has used the first one.
func (t *Turn) repeat(made hallpass.Token, mark keyMark, text secret.Text) (hallpass.Token, error) {
	now := t.admin.now()
	switch {
	case made.Rotation.Key != mark:
		return made, &hallpass.Error{
			Kind: hallpass.Conflict, ID: "token.rotation-key-reused", Field: "Idempotency-Key", Message: "This Idempotency-Key was used for a request with another body",
		}
	case now.Sub(made.CreatedAt) < repeatNotYet:
		return made, errRepeatNotYet
	case !made.LastUse.At.IsZero():
		return made, &TokenError{&hallpass.Error{
			Kind: hallpass.Conflict, ID: "token.rotation-used", Message: "The token of this Idempotency-Key was made and used: somebody has its secret",
		}, made}
	case now.Sub(made.Rotation.ReissuedAt) < repeatNotYet:
		return made, errRepeatNotYet
	}
	if err := t.declare(tokenChanged(made)...); err != nil {
		return made, err
	}
	made.Hash, made.LastFour, made.Rotation.ReissuedAt = text.Hash(), text.LastFour(), now
	if err := t.UpdateToken(made); err != nil {
		return made, err
	}
	t.Action = "token.reissue"
	return made, t.Audit("token", idText(made.ID), "the request was repeated, and the token has another secret")
}

// tokenChanged is the change of the tokens.
func tokenChanged(tokens ...hallpass.Token) []hallpass.Change {
	list := make([]hallpass.Change, len(tokens))
	for i, t := range tokens {
		list[i] = hallpass.Change{Kind: hallpass.TokenChanged, ID: int64(t.ID), Hash: t.Hash}
	}
	return list
}
