package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Rotate says how a token is to be replaced. Zero values are the defaults.
type Rotate struct {
	Seconds *int64         // that the new token lives for, 0 for ever; nil: as long as the old one was made for
	Grace   *time.Duration // that the old one works on at most; 0: not at all; nil: Options.RotationGrace
	Quiet   *time.Duration // the old one ends earlier when nobody used it for so long and the new one was used; nil: hallpass.DefaultQuiet
	Reason  string         // for the audit
	Key     string         // Idempotency-Key of the request; empty: none
}

// Rotated is a new token, and the one that it replaces as it is from now on.
type Rotated struct {
	Issued
	Replaced hallpass.Token
}

// RotateToken makes a token that replaces one of the account's: with the same name,
// limits, owner and purpose, and another secret. The old one ends by itself when the new
// one was used and nobody uses the old one any more, and at the latest when its grace is
// over. Once this has returned, no node lets it work for longer than that. Whoever holds
// less than the account is Denied. A token that is paused or was ended, or that a live
// one replaces already, is a Conflict. With the key of a request before, it is the token
// of that, if its first answer was lost (repeated).
func (a *Admin) RotateToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID, in Rotate) (Rotated, error) {
	n := need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}
	return a.rotate(ctx, c, n, account, id, in, func(t *Turn, owner hallpass.ServiceAccount, _ hallpass.Token, next *hallpass.Token) error {
		return a.outranks(t.Tx, t.Caller, owner)
	})
}

// RotateItself is RotateToken for the token that the caller presents, which must be
// allowed to replace itself. The new one does not live longer than the old one was
// made for, nor beyond Token.RenewUntil.
func (a *Admin) RotateItself(ctx context.Context, c hallpass.Caller, in Rotate) (Rotated, error) {
	n := need{action: "token.rotate", scope: hallpass.Scope(target("token", int64(c.Token))), where: nowhere}
	if c.Token == 0 {
		return Rotated{}, a.refused(ctx, c, errTokensOnly, string(n.action), "token")
	}
	return a.rotate(ctx, c, n, c.ServiceAccount(), c.Token, in, func(_ *Turn, _ hallpass.ServiceAccount, old hallpass.Token, next *hallpass.Token) error {
		now := a.now()
		if !old.SelfRotate || !now.Before(old.RenewUntil) {
			return errNoSelfRotation
		}
		longest := old.Lifetime()
		if in.Seconds != nil && longest > 0 && (*in.Seconds == 0 || time.Duration(*in.Seconds)*time.Second > longest) {
			return hallpass.Invalidf("secondsToLive", "secondsToLive must not be longer than the %d seconds that the token was made for", int64(longest/time.Second))
		}
		if next.ExpiresAt.IsZero() || next.ExpiresAt.After(old.RenewUntil) {
			next.ExpiresAt = old.RenewUntil
		}
		return nil
	})
}

var (
	errTokensOnly     = &hallpass.Error{Kind: hallpass.Denied, ID: "token.only", Message: "Endpoint only available for tokens"}
	errNoSelfRotation = &hallpass.Error{Kind: hallpass.Denied, ID: "token.self-rotation-off", Message: "This token may not replace itself, or may not any more"}
)

// rotate makes the token that replaces the old one, after allow has allowed it.
func (a *Admin) rotate(
	ctx context.Context, c hallpass.Caller, n need, account hallpass.ServiceAccountID, id hallpass.TokenID, in Rotate,
	allow func(t *Turn, owner hallpass.ServiceAccount, old hallpass.Token, next *hallpass.Token) error,
) (Rotated, error) {
	out := Rotated{Issued: Issued{Secret: secret.NewToken()}}
	if err := in.tidy(a.o.RotationGrace); err != nil {
		return Rotated{}, err
	}
	mark, err := newKeyMark(in.Key, struct {
		Token  hallpass.TokenID
		Action hallpass.Action // what a person asked for is not repeated to the token itself
		Rotate
	}{id, n.action, in})
	if err != nil {
		return Rotated{}, err
	}
	err = a.change(ctx, c, n, "token.rotate", func(t *Turn) error {
		out.Replayed = false
		owner, old, next, err := t.rotating(account, id)
		if err != nil {
			return err
		}
		made, err := a.successor(old, in)
		if err == nil {
			err = allow(t, owner, old, &made)
		}
		if err != nil {
			return err
		}
		if mark.repeats(next, a.now()) {
			out.Replayed, out.Replaced = true, old
			out.Token, err = t.repeat(next, mark, out.Secret)
			return err
		}
		if err := Rotatable(old, next, a.now()); err != nil {
			return err
		}
		made.Hash, made.LastFour, made.CreatedBy, made.Rotation.Key = out.Secret.Hash(), out.Secret.LastFour(), t.Caller.Principal.Login, mark
		out.Token, out.Replaced, err = t.replace(old, made, in)
		return err
	})
	if err != nil {
		return Rotated{}, err
	}
	return out, nil
}

// tidy sets the defaults; Invalid if a value breaks a rule.
func (in *Rotate) tidy(grace time.Duration) error {
	quiet := hallpass.DefaultQuiet
	if in.Quiet == nil {
		in.Quiet = &quiet
	}
	if in.Grace == nil {
		in.Grace = &grace
	}
	return errors.Join(hallpass.ValidateQuiet(*in.Quiet), hallpass.ValidateGrace(*in.Grace), hallpass.TidyReason("reason", &in.Reason))
}

// rotating reads the account, its token, and the token that replaces that; the zero
// Token if none does.
func (t *Turn) rotating(account hallpass.ServiceAccountID, id hallpass.TokenID) (owner hallpass.ServiceAccount, old, next hallpass.Token, err error) {
	if owner, err = t.ServiceAccount(t.Caller.Org, account); err != nil {
		return owner, old, next, err
	}
	if old, err = t.Token(t.Caller.Org, account, id); err != nil {
		return owner, old, next, err
	}
	next, err = t.replacing(old)
	return owner, old, next, err
}

// replacing reads the token that replaces the other; the zero Token if none does, or if
// that was deleted.
func (t *Turn) replacing(token hallpass.Token) (hallpass.Token, error) {
	if token.Rotation.Successor == 0 {
		return hallpass.Token{}, nil
	}
	next, err := t.Token(token.Org, token.ServiceAccount, token.Rotation.Successor)
	if hallpass.KindOf(err) == hallpass.NotFound {
		return hallpass.Token{}, nil
	}
	return next, err
}

// replaces reports whether next, which is what replacing has read, works at now.
func replaces(next hallpass.Token, now time.Time) bool { return next.ID != 0 && next.Live(now) }

// notReplaced returns a Conflict if next, which is what replacing has read, works at now:
// that rotation must be undone first.
func notReplaced(next hallpass.Token, now time.Time) error {
	if !replaces(next, now) {
		return nil
	}
	return &TokenError{&hallpass.Error{Kind: hallpass.Conflict, ID: "token.already-rotated", Message: fmt.Sprintf("The token %d replaces this token already", next.ID)}, next}
}

// Rotatable returns a Conflict if the token cannot be replaced at now: next, which is the
// zero Token if nothing replaces it, works and does that already, or it was ended or is
// paused. One that has expired can, and one whose successor was deleted.
func Rotatable(old, next hallpass.Token, now time.Time) error {
	if err := notReplaced(next, now); err != nil {
		return err
	}
	switch state := old.State(now, false); {
	case state == hallpass.TokenLive, state == hallpass.TokenOverlapping, state == hallpass.TokenExpired:
		return nil
	case state == hallpass.TokenRotated && next.ID == 0: // what replaced it was deleted
		return nil
	default:
		return &TokenError{&hallpass.Error{Kind: hallpass.Conflict, ID: "token.not-rotatable", Message: "This token cannot be replaced: it is " + state.Words()}, old}
	}
}

// successor returns the token that would replace the old one now, without what its
// secret and its caller say.
func (a *Admin) successor(old hallpass.Token, in Rotate) (hallpass.Token, error) {
	now, policy := a.now(), a.o.TokenPolicy
	seconds := int64(old.Lifetime() / time.Second)
	if longest := policy.Longest(); in.Seconds == nil && longest > 0 && (seconds == 0 || seconds > longest) {
		seconds = longest
	}
	if in.Seconds != nil {
		seconds = *in.Seconds
	}
	expires, err := policy.Expiry(now, seconds)
	return hallpass.Token{
		Org: old.Org, ServiceAccount: old.ServiceAccount, Name: old.Name, CreatedAt: now, ExpiresAt: expires, Owner: old.Owner, Purpose: old.Purpose,
		Limits: old.Limits, SelfRotate: old.SelfRotate, RenewUntil: old.RenewUntil,
		Rotation: hallpass.Rotation{Chain: old.Rotation.First(old.ID), Generation: max(old.Rotation.Generation, 1) + 1, Predecessor: old.ID},
	}, err
}

// replace writes both tokens. An old one that has expired, or that gets no grace, ends
// at once.
func (t *Turn) replace(old, made hallpass.Token, in Rotate) (next, was hallpass.Token, err error) {
	if err := t.declare(tokenChanged(old)...); err != nil {
		return next, was, err
	}
	return t.replaceDeclared(old, made, in)
}

// replaceDeclared is replace after the change of the old one was declared.
func (t *Turn) replaceDeclared(old, made hallpass.Token, in Rotate) (next, was hallpass.Token, err error) {
	now := t.admin.now()
	if next, err = t.CreateToken(made); err != nil {
		return next, was, err
	}
	was, grace := old, *in.Grace
	was.Rotation.Successor, was.Rotation.At, was.Rotation.Quiet, was.Rotation.CloseAt = next.ID, now, *in.Quiet, now.Add(grace)
	if end := old.ExpiresAt; !end.IsZero() && end.Before(was.Rotation.CloseAt) {
		was.Rotation.CloseAt = end
	}
	if grace == 0 || old.Expired(now) {
		was = was.Retired(now)
	}
	if err := t.UpdateToken(was); err != nil {
		return next, was, err
	}
	if err := passOn(t.Tx, was, now); err != nil {
		return next, was, err
	}
	if err := t.admin.notifyReplaced(t.Tx, was, t.Caller.Principal.Login, in.Reason); err != nil {
		return next, was, err
	}
	what := fmt.Sprintf("by token %d, ends by %s", next.ID, was.EndsAt().Format(time.RFC3339))
	if in.Reason != "" {
		what += ": " + in.Reason
	}
	if err := t.Audit("token", idText(old.ID), what); err != nil {
		return next, was, err
	}
	t.Action = "token.create"
	return next, was, t.Audit("token", idText(next.ID), fmt.Sprintf("replaces token %d", old.ID))
}

var errNotOverlapping = &hallpass.Error{Kind: hallpass.Conflict, ID: "token.not-overlapping", Message: "This token and another that replaces it do not both work"}

// overlap makes a change of a token that another replaces, or was to replace, as long as
// the old one has not ended; Conflict if it has.
func (a *Admin) overlap(
	ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID, action string,
	fn func(t *Turn, owner hallpass.ServiceAccount, old, next hallpass.Token) error,
) error {
	return a.change(ctx, c, need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}, action, func(t *Turn) error {
		owner, old, next, err := t.rotating(account, id)
		if err != nil {
			return err
		}
		if !old.Rotating(next, a.now()) {
			return errNotOverlapping
		}
		return fn(t, owner, old, next)
	})
}

// Retirable returns a Conflict if a token must not be retired at now, because next, which
// replaces it, does not work, or is not there: nothing would work then.
func Retirable(next hallpass.Token, now time.Time) error {
	refuse := func(id, why string) error {
		return &TokenError{&hallpass.Error{
			Kind: hallpass.Conflict, ID: id, Message: fmt.Sprintf("The token %d that replaces it %s. To end this token all the same, delete it", next.ID, why),
		}, next}
	}
	switch {
	case next.ID == 0:
		return errNotOverlapping
	case !next.Live(now):
		return refuse("token.successor-ended", "has ended, so nothing would work: undo the rotation, or rotate this token again")
	case next.Pause.Holds(now):
		return refuse("token.successor-paused", "is paused, so nothing would work: resume that first")
	}
	return nil
}

// RetireToken ends a token that another replaces, at once: once this has returned, it is
// refused. Conflict if no token replaces it, if that does not work, or it has ended.
func (a *Admin) RetireToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID) error {
	return a.overlap(ctx, c, account, id, "token.retire", func(t *Turn, _ hallpass.ServiceAccount, old, next hallpass.Token) error {
		if err := Retirable(next, a.now()); err != nil {
			return err
		}
		return t.retire(old, fmt.Sprintf("token %d replaces it", next.ID))
	})
}

// retire ends the token, which another replaces.
func (t *Turn) retire(old hallpass.Token, why string) error {
	if err := t.declare(tokenChanged(old)...); err != nil {
		return err
	}
	now := t.admin.now()
	old = old.Retired(now)
	if err := t.UpdateToken(old); err != nil {
		return err
	}
	if err := passOn(t.Tx, old, now); err != nil {
		return err
	}
	if err := t.admin.notifyRetired(t.Tx, old, t.Caller.Principal.Login, why); err != nil {
		return err
	}
	return t.Audit("token", idText(old.ID), why)
}

// ExtendRotation has a token that another replaces end at the latest when grace is over,
// from now on, and returns it. It is no later than it expires, and 30 days after it was
// replaced. Conflict if no token was to replace it, or it has ended.
func (a *Admin) ExtendRotation(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID, grace time.Duration) (hallpass.Token, error) {
	if grace <= 0 {
		return hallpass.Token{}, hallpass.Invalidf("graceSeconds", "graceSeconds must be at least 1: to end the token now, retire it")
	}
	if err := hallpass.ValidateGrace(grace); err != nil {
		return hallpass.Token{}, err
	}
	var after hallpass.Token
	err := a.overlap(ctx, c, account, id, "token.extend", func(t *Turn, owner hallpass.ServiceAccount, old, _ hallpass.Token) error {
		closes := a.now().Add(grace)
		if latest := old.Rotation.At.Add(hallpass.MostGrace); closes.After(latest) {
			return hallpass.Invalidf("graceSeconds", "the token ends by %s at the latest, 30 days after it was replaced", latest.Format(time.RFC3339))
		}
		if end := old.ExpiresAt; !end.IsZero() && end.Before(closes) {
			closes = end
		}
		if closes.After(old.Rotation.CloseAt) {
			if err := a.outranks(t.Tx, t.Caller, owner); err != nil {
				return err
			}
		}
		if err := t.declare(tokenChanged(old)...); err != nil {
			return err
		}
		after = old
		after.Rotation.CloseAt = closes
		if err := t.UpdateToken(after); err != nil {
			return err
		}
		return t.Audit("token", idText(old.ID), "ends by "+closes.Format(time.RFC3339))
	})
	return after, err
}

// UndoRotation ends a token that replaces another, unless it has ended already, and
// returns the other, which is as it was before; its ID stands behind its name if another
// token has that by now. Conflict if the other has ended, or a third replaces the one to
// be ended.
func (a *Admin) UndoRotation(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID) (hallpass.Token, error) {
	var back hallpass.Token
	err := a.change(ctx, c, need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}, "token.undo", func(t *Turn) error {
		next, err := t.Token(t.Caller.Org, account, id)
		if err != nil {
			return err
		}
		now := a.now()
		owner, old, _, err := t.rotating(account, next.Rotation.Predecessor)
		if hallpass.KindOf(err) == hallpass.NotFound || err == nil && !old.Rotating(next, now) {
			return errNotOverlapping
		}
		var third hallpass.Token
		if err == nil {
			third, err = t.replacing(next)
		}
		if err == nil {
			err = notReplaced(third, now)
		}
		if err == nil {
			err = a.outranks(t.Tx, t.Caller, owner)
		}
		if err == nil {
			err = t.declare(tokenChanged(old, next)...)
		}
		if err != nil {
			return err
		}
		if next.Live(now) {
			if err := t.RevokeToken(next.Org, next.ID, now); err != nil {
				return err
			}
		}
		if back, err = t.GiveNameBack(alone(old), now); err != nil {
			return err
		}
		if err := a.notifyUndone(t.Tx, back, next.ID, t.Caller.Principal.Login); err != nil {
			return err
		}
		return t.Audit("token", idText(old.ID), fmt.Sprintf("token %d, which replaced it, is ended", next.ID))
	})
	return back, err
}

// release is what becomes of a token, which works, when the one that replaces it was
// deleted: another that replaces the deleted one replaces it. Without one, it is as it was
// before the rotation if the caller holds what the account holds, else its end stays.
func (t *Turn) release(old, deleted hallpass.Token) error {
	third, err := t.replacing(deleted)
	if err != nil {
		return err
	}
	if replaces(third, t.admin.now()) {
		return pair(t.Tx, old, third)
	}
	owner, err := t.ServiceAccount(old.Org, old.ServiceAccount)
	if err != nil {
		return err
	}
	end := old.EndsAt()
	old = alone(old)
	switch err := t.admin.outranks(t.Tx, t.Caller, owner); {
	case hallpass.KindOf(err) == hallpass.Denied:
		old.ExpiresAt = end
	case err != nil:
		return err
	}
	_, err = t.GiveNameBack(old, t.admin.now())
	return err
}

// pair stores that next replaces old.
func pair(tx *store.Tx, old, next hallpass.Token) error {
	old.Rotation.Successor, next.Rotation.Predecessor = next.ID, old.ID
	if err := tx.UpdateToken(old); err != nil {
		return err
	}
	return tx.UpdateToken(next)
}

// passOn is for when a token was retired that both replaces a token and is replaced: of the
// other two, the one that replaces it then replaces the one that it replaced, if that has
// not ended. It does nothing while the retired token still works.
func passOn(tx *store.Tx, retired hallpass.Token, now time.Time) error {
	r := retired.Rotation
	if r.Predecessor == 0 || r.Successor == 0 || retired.Live(now) {
		return nil
	}
	old, err := tx.Token(retired.Org, retired.ServiceAccount, r.Predecessor)
	if err == nil && !old.Rotating(retired, now) {
		return nil
	}
	var next hallpass.Token
	if err == nil {
		next, err = tx.Token(retired.Org, retired.ServiceAccount, r.Successor)
	}
	if hallpass.KindOf(err) == hallpass.NotFound { // deleted
		return nil
	}
	if err != nil {
		return err
	}
	return pair(tx, old, next)
}

// alone returns the token as it is when no other replaces it.
func alone(t hallpass.Token) hallpass.Token {
	r := &t.Rotation
	r.Successor, r.SuccessorEnd, r.At, r.CloseAt, r.Quiet = 0, time.Time{}, time.Time{}, time.Time{}, 0
	return t
}

// replacedBy returns the token that the other replaces, if it still works at now.
func (t *Turn) replacedBy(next hallpass.Token, now time.Time) ([]hallpass.Token, error) {
	old, err := t.Token(next.Org, next.ServiceAccount, next.Rotation.Predecessor)
	switch {
	case hallpass.KindOf(err) == hallpass.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case old.Rotation.Successor != next.ID || !old.Live(now):
		return nil, nil
	}
	return []hallpass.Token{old}, nil
}
