package verify

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// Bearer returns the caller behind a credential that is presented as it is, with
// no name beside it: whoever bears it is the caller. Its form says what it is.
// Today it can be a token; anything else is as unknown as a token that nobody
// made.
//
// A zero org means the credential's own; another org than that is refused. The
// error's Kind is Unauthenticated, Denied when a token may not be used from the address,
// Limited when it is used too often, or Unavailable when the credential could not be
// checked; only the latter two may be retried.
//
// A malformed token costs no look at the database, one that is known to be
// good neither, and no lock and no allocation either.
func (v *Verifier) Bearer(ctx context.Context, text string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	c, err := v.bearer(ctx, text, org, from, false)
	if err != nil {
		return hallpass.Caller{}, err
	}
	return c, nil
}

// BearerOrHolder is Bearer for those who tell of refusals: with the refusal of a token that is
// known, the Caller says whose it is, and may do nothing. It has the Principal, Org, Token and
// From alone.
func (v *Verifier) BearerOrHolder(ctx context.Context, text string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	return v.bearer(ctx, text, org, from, false)
}

// BearerAgain is BearerOrHolder for a request that goes on, whose credential was verified when
// it came: it does not count against the rate of a token.
func (v *Verifier) BearerAgain(ctx context.Context, text string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	return v.bearer(ctx, text, org, from, true)
}

func (v *Verifier) bearer(ctx context.Context, text string, org hallpass.OrgID, from hallpass.From, goesOn bool) (hallpass.Caller, error) {
	hash, ok := secret.HashToken(text)
	if !ok {
		v.counts.done(&hash, errInvalidToken)
		return hallpass.Caller{}, errInvalidToken
	}
	c, err := v.token(ctx, text, &hash, org, from, goesOn)
	v.counts.done(&hash, err)
	return c, err
}

// token returns the caller that the token with the hash stands for. Whether the
// text is well-formed is asked where its hash is not in memory: what is there is
// a token's.
func (v *Verifier) token(ctx context.Context, text string, hash *[32]byte, org hallpass.OrgID, from hallpass.From, goesOn bool) (hallpass.Caller, error) {
	now, ok := v.node.MayAnswer()
	e := v.cache.get(hash)
	if (e == nil || !ok) && !secret.WellFormed(text) {
		return hallpass.Caller{}, errInvalidToken // also where nothing else may be said
	}
	if !ok {
		return hallpass.Caller{}, errStale
	}
	if e != nil {
		v.counts.hit(hash)
	} else {
		v.misses.Add(1)
		var err error
		var refused hallpass.Caller
		if e, refused, err = v.fetch(ctx, *hash, org, from); err != nil {
			return refused, err
		}
	}
	c := e.account.caller()
	c.Token = e.token
	c.From = from
	if e.ends != 0 {
		c.Expires = time.UnixMicro(e.ends).UTC()
	}
	switch us := now.UnixMicro(); {
	case e.ends != 0 && us >= e.ends:
		refusal := errExpired
		if e.rotated {
			refusal = errRotated(c.Expires)
		}
		return v.expired(c, now, refusal)
	case org != 0 && org != c.Org:
		return v.refuse(c, errOrgMismatch)
	case us < e.paused:
		return v.refuse(c, errPaused(e.paused))
	}
	if e.limits != nil {
		if refusal := v.apply(e, &c, now, goesOn); refusal != nil {
			return v.refuse(c, refusal)
		}
	}
	if e.ends != 0 {
		c.EndsSoon = v.ends.soon(e.token, e.ends, now.UnixMicro())
	}
	v.use(ctx, e, now, from)
	return c, nil
}

// fetch returns the identity behind a hash that is not in memory, if the token
// is good, and whose it is if it is refused.
func (v *Verifier) fetch(ctx context.Context, hash [32]byte, org hallpass.OrgID, from hallpass.From) (e *entry, refused hallpass.Caller, err error) {
	f, err := v.lookUps.find(ctx, hash)
	if errors.Is(err, hallpass.NotFound) {
		return nil, refused, errInvalidToken
	}
	if err != nil {
		return nil, refused, unknowable(err)
	}
	now, c := v.node.Now(), f.caller
	c.Token, c.From = f.token.ID, from
	switch refusal := f.refusal(now, org); {
	case refusal != nil && f.token.Expired(now):
		refused, err = v.expired(c, now, refusal)
	case refusal != nil:
		refused, err = v.refuse(c, refusal)
	case f.entry == nil:
		err = errStale // it was not good by the clock a moment ago, and the clock went back
	}
	return f.entry, refused, err
}

// refusal returns why the token is refused at now, nil if it is good.
func (f *found) refusal(now time.Time, org hallpass.OrgID) *hallpass.Error {
	t := &f.token
	switch {
	case t.State(now, f.disabled) == hallpass.TokenRotated:
		return errRotated(cmp.Or(t.RevokedAt, t.EndsAt()))
	case t.Expired(now):
		return errExpired
	case !t.Live(now):
		return errRevoked
	case org != 0 && org != f.caller.Org: // before disabled: so the order of checks is (http-api.md 2.3)
		return errOrgMismatch
	case f.disabled:
		return errDisabled
	case t.Pause.Holds(now):
		if t.Pause.Until.IsZero() {
			return errPaused(forever)
		}
		return errPaused(t.Pause.Until.UnixMicro())
	}
	return nil
}

// Try looks at a token as Peek does, and tells apart why the token is no good, then it
// has no caller, and why the look-up failed.
func (v *Verifier) Try(ctx context.Context, text string) (caller *hallpass.Caller, refused *hallpass.Error, err error) {
	c, _, err := v.Peek(ctx, text)
	if errors.Is(err, hallpass.Unauthenticated) && errors.As(err, &refused) {
		return nil, refused, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return &c, nil, nil
}

// Peek returns the caller behind a token as Bearer does, and of the token its ID, Org,
// ServiceAccount, CreatedAt and when it ends. It leaves no trace: this is no use of the
// token, and a refusal is not recorded. It always looks at the database. It is for
// those who ask about a token, not for requests that present one.
func (v *Verifier) Peek(ctx context.Context, text string) (hallpass.Caller, hallpass.Token, error) {
	hash, ok := secret.HashToken(text)
	if !ok || !secret.WellFormed(text) {
		return hallpass.Caller{}, hallpass.Token{}, errInvalidToken
	}
	now, ok := v.node.MayAnswer()
	if !ok {
		return hallpass.Caller{}, hallpass.Token{}, errStale
	}
	f, err := v.lookUps.find(ctx, hash)
	switch {
	case errors.Is(err, hallpass.NotFound):
		return hallpass.Caller{}, hallpass.Token{}, errInvalidToken
	case err != nil:
		return hallpass.Caller{}, hallpass.Token{}, unknowable(err)
	}
	if refusal := f.refusal(now, 0); refusal != nil {
		if f.token.Expired(now) {
			v.node.NotBefore(now)
		}
		return hallpass.Caller{}, hallpass.Token{}, refusal
	}
	c := f.caller.Under(f.ceiling)
	c.Token, c.Expires = f.token.ID, f.token.EndsAt()
	return c, f.token, nil
}

// expired refuses a token whose time was over at now, which is then never told
// to be earlier again.
func (v *Verifier) expired(c hallpass.Caller, now time.Time, refusal *hallpass.Error) (hallpass.Caller, error) {
	v.node.NotBefore(now)
	return v.refuse(c, refusal)
}

// The IDs of refusals whose words tell a time.
const (
	rotatedID = "api-key.rotated"
	pausedID  = "api-key.paused"
)

// errRotated refuses a token that ended because another had replaced it.
func errRotated(at time.Time) *hallpass.Error {
	return &hallpass.Error{
		Kind: hallpass.Unauthenticated, ID: rotatedID,
		Message: "This API key was replaced by a newer one on " + at.UTC().Format(time.RFC3339),
	}
}

// errPaused refuses a token that is paused until then, in UTC microseconds.
func errPaused(until int64) *hallpass.Error {
	message := "This API key is paused"
	if until != forever {
		message += " until " + time.UnixMicro(until).UTC().Format(time.RFC3339)
	}
	return &hallpass.Error{Kind: hallpass.Unauthenticated, ID: pausedID, Message: message}
}
