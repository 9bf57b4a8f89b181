package api

import (
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// idempotencyKey is the header by which a client says that a request is one that it
// has sent before (draft-ietf-httpapi-idempotency-key-header).
const idempotencyKey = "Idempotency-Key"

// rotateToken is POST /api/serviceaccounts/{id}/tokens/{token}/rotate.
func (a *API) rotateToken(c call, in wire.RotateToken) (wire.RotatedToken, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.RotatedToken{}, err
	}
	how, err := rotate(c, in)
	if err != nil {
		return wire.RotatedToken{}, err
	}
	r, err := a.admin.RotateToken(c.Context(), c.caller, c.account, id, how)
	return a.rotated(c, r, err)
}

// rotateSelf is POST /api/tokens/self/rotate.
func (a *API) rotateSelf(c call, in wire.RotateToken) (wire.RotatedToken, error) {
	how, err := rotate(c, in)
	if err != nil {
		return wire.RotatedToken{}, err
	}
	r, err := a.admin.RotateItself(c.Context(), c.caller, how)
	return a.rotated(c, r, err)
}

// rotate reads how a token is to be replaced.
func rotate(c call, in wire.RotateToken) (how admin.Rotate, err error) {
	how = admin.Rotate{Seconds: in.SecondsToLive, Reason: in.Reason}
	if how.Key, err = oneKey(c); err != nil {
		return how, err
	}
	if how.Grace, err = secondsOrNil("graceSeconds", in.GraceSeconds); err != nil {
		return how, err
	}
	how.Quiet, err = secondsOrNil("quietSeconds", in.QuietSeconds)
	return how, err
}

func secondsOrNil(field string, n *int64) (*time.Duration, error) {
	if n == nil {
		return nil, nil
	}
	d, err := seconds(field, *n)
	return &d, err
}

// rotated is the answer to a rotation.
func (a *API) rotated(c call, r admin.Rotated, err error) (wire.RotatedToken, error) {
	if err != nil {
		return wire.RotatedToken{}, a.tokenError(c, err)
	}
	old := r.Replaced
	return wire.RotatedToken{
		ID: int64(r.Token.ID), Name: r.Token.Name, Key: r.Secret.Reveal(), Generation: r.Token.Rotation.Generation, Expiration: timeOrNil(r.Token.ExpiresAt),
		Replaces: wire.ReplacedToken{ID: int64(old.ID), LastFour: old.LastFour, ClosesAt: old.EndsAt(), QuietSeconds: int64(old.Rotation.Quiet / time.Second)},
		Replayed: r.Replayed,
	}, nil
}

// retireToken is POST /api/serviceaccounts/{id}/tokens/{token}/retire.
func (a *API) retireToken(c call, _ none) (wire.Message, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.Message{}, err
	}
	if err := a.admin.RetireToken(c.Context(), c.caller, c.account, id); err != nil {
		return wire.Message{}, a.tokenError(c, err)
	}
	return wire.Message{Message: "Service account token retired"}, nil
}

// extendRotation is POST /api/serviceaccounts/{id}/tokens/{token}/rotation/extend.
func (a *API) extendRotation(c call, in wire.ExtendRotation) (wire.Token, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.Token{}, err
	}
	grace, err := seconds("graceSeconds", in.GraceSeconds)
	if err != nil {
		return wire.Token{}, err
	}
	t, err := a.admin.ExtendRotation(c.Context(), c.caller, c.account, id, grace)
	return a.changedToken(c, t, err)
}

// undoRotation is POST /api/serviceaccounts/{id}/tokens/{token}/rotation/undo: the token
// is the new one, and the answer the old one.
func (a *API) undoRotation(c call, _ none) (wire.Token, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.Token{}, err
	}
	t, err := a.admin.UndoRotation(c.Context(), c.caller, c.account, id)
	return a.changedToken(c, t, err)
}

// changedToken is the answer to a change of a token.
func (a *API) changedToken(c call, t hallpass.Token, err error) (wire.Token, error) {
	if err != nil {
		return wire.Token{}, a.tokenError(c, err)
	}
	return a.tokenAnswer(c, t)
}
