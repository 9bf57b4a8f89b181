package verify

import (
	"context"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Token returns the caller that the token stands for. A zero org means the
// token's own; another org than that is refused. The error's Kind is
// Unauthenticated, or Unavailable when the token could not be checked; only
// the latter may be retried.
//
// A malformed token costs no look at the database, one that is known to be
// good neither, and no lock and no allocation either.
func (v *Verifier) Token(ctx context.Context, text string, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	hash, ok := secret.ParseToken(text)
	if !ok {
		v.counts.done(&hash, errInvalidToken)
		return hallpass.Caller{}, errInvalidToken
	}
	c, err := v.token(ctx, &hash, org, from)
	v.counts.done(&hash, err)
	return c, err
}

func (v *Verifier) token(ctx context.Context, hash *[32]byte, org hallpass.OrgID, from hallpass.From) (hallpass.Caller, error) {
	now, ok := v.current()
	if !ok {
		return hallpass.Caller{}, errStale
	}
	e := v.cache.get(hash)
	if e != nil {
		v.counts.hit(hash)
	} else {
		v.misses.Add(1)
		var err error
		if e, err = v.fetch(ctx, *hash, org, from); err != nil {
			return hallpass.Caller{}, err
		}
	}
	c := e.account.caller
	c.Token = e.token
	c.From = from
	switch {
	case e.expires != 0 && now.UnixMicro() >= e.expires:
		return hallpass.Caller{}, v.refuse(e.token, c, from, errExpired)
	case org != 0 && org != c.Org:
		return hallpass.Caller{}, v.refuse(e.token, c, from, errOrgMismatch)
	}
	v.use(ctx, e, now, from)
	return c, nil
}

// fetch reads the identity behind the hash from the database and keeps it if
// the token is good.
func (v *Verifier) fetch(ctx context.Context, hash [32]byte, org hallpass.OrgID, from hallpass.From) (*entry, error) {
	epoch := v.cache.epoch.Load()
	var t hallpass.Token
	var a hallpass.ServiceAccount
	var c hallpass.Caller
	err := v.db.Read(ctx, func(tx *store.Tx) (err error) {
		if err := v.recent(ctx, tx); err != nil {
			return err
		}
		if t, err = tx.TokenByHash(ctx, hash); err != nil {
			return err
		}
		if a, err = tx.ServiceAccount(ctx, t.Org, t.ServiceAccount); err != nil {
			return err
		}
		c, err = tx.ServiceAccountCaller(ctx, a)
		return err
	})
	if errors.Is(err, hallpass.NotFound) {
		return nil, errInvalidToken
	}
	if err != nil {
		return nil, unknowable(err)
	}
	switch now := v.now(); {
	case t.Expired(now):
		return nil, v.refuse(t.ID, c, from, errExpired)
	case !t.Live(now):
		return nil, v.refuse(t.ID, c, from, errRevoked)
	case org != 0 && org != c.Org: // before disabled: so the order of checks is (http-api.md 2.3)
		return nil, v.refuse(t.ID, c, from, errOrgMismatch)
	case a.Disabled:
		return nil, v.refuse(t.ID, c, from, errDisabled)
	}
	e := &entry{hash: hash, token: t.ID}
	if !t.ExpiresAt.IsZero() {
		e.expires = t.ExpiresAt.UnixMicro()
	}
	if !t.LastUse.At.IsZero() {
		e.used.Store(t.LastUse.At.UnixMicro())
	}
	return v.cache.put(epoch, e, c), nil
}
