package admin

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// UpdateToken changes one of the account's tokens and returns what it is then. Once it
// has returned, a pause or a limit holds on every node. Whoever ends a pause, takes a
// limit away, or lets the token replace itself, must hold what the account holds. A
// token that has ended is a Conflict.
func (a *Admin) UpdateToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID, p hallpass.TokenPatch) (hallpass.Token, error) {
	if err := p.Tidy(); err != nil {
		return hallpass.Token{}, err
	}
	var after hallpass.Token
	err := a.change(ctx, c, need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}, "token.update", func(t *Turn) error {
		owner, err := t.ServiceAccount(t.Caller.Org, account)
		if err != nil {
			return err
		}
		before, err := t.Token(t.Caller.Org, account, id)
		if err != nil {
			return err
		}
		now := a.now()
		if !before.Live(now) {
			return &TokenError{&hallpass.Error{Kind: hallpass.Conflict, ID: "token.ended", Message: "This token has ended: it cannot be changed"}, before}
		}
		if after, err = a.patched(t, owner, before, p); err != nil {
			return err
		}
		if before.Owner != "" { // else it has the account's
			owner.Owner = before.Owner
		}
		if err := t.mayOwn(owner.Owner, after.Owner); err != nil {
			return err
		}
		if a.gives(before, after, now) {
			if err := a.outranks(t.Tx, t.Caller, owner); err != nil {
				return err
			}
		}
		return a.storeToken(t, before, after)
	})
	return after, err
}

// patched returns the token as the patch changes it; Invalid if it cannot be so.
func (a *Admin) patched(t *Turn, owner hallpass.ServiceAccount, before hallpass.Token, p hallpass.TokenPatch) (after hallpass.Token, err error) {
	after = p.Apply(before, a.now())
	if p.SelfRotate != nil && !*p.SelfRotate && p.RenewUntil == nil {
		after.RenewUntil = time.Time{}
	}
	if p.SelfRotate != nil || p.RenewUntil != nil {
		if err := a.validateRenewal(after); err != nil {
			return after, err
		}
	}
	switch {
	case p.Permissions != nil:
		after.Limits, err = a.limitsOf(t.Tx, owner, after.Limits)
	case !reflect.DeepEqual(before.Limits, after.Limits): // what the account has lost since they were listed stays listed
		err = after.Limits.Tidy()
	}
	return after, err
}

// gives reports whether after can do anything that before cannot.
func (a *Admin) gives(before, after hallpass.Token, now time.Time) bool {
	was, is := before.Pause, after.Pause
	sooner := was.Holds(now) && (!is.Holds(now) || !is.Until.IsZero() && (was.Until.IsZero() || is.Until.Before(was.Until)))
	return sooner || widens(before.Limits, after.Limits) || after.Limits.WithRate(a.o.Rate).Looser(before.Limits.WithRate(a.o.Rate)) ||
		after.SelfRotate && (!before.SelfRotate || after.RenewUntil.After(before.RenewUntil))
}

// storeToken writes the token after a change, with the audit entries that tell it.
func (a *Admin) storeToken(t *Turn, before, after hallpass.Token) error {
	limits := !reflect.DeepEqual(before.Limits, after.Limits)
	paused := before
	if paused.Pause = after.Pause; !reflect.DeepEqual(paused, after) { // more than its pause changes
		if err := t.unlocked("token.update", target("token", int64(after.ID))); err != nil {
			return err
		}
	}
	if before.Pause != after.Pause || limits {
		if err := t.declare(tokenChanged(before)...); err != nil {
			return err
		}
	}
	if before.Name != after.Name {
		if err := t.RenameToken(after, a.now()); err != nil {
			return err
		}
	} else if err := t.UpdateToken(after); err != nil {
		return err
	}
	if before.Pause != after.Pause && !before.Pause.Since.IsZero() && !after.Pause.Holds(a.now()) {
		if err := t.SetStaleness(after.ID, hallpass.Resumed(a.now())); err != nil { // the job may never see the pause
			return err
		}
	}
	var what string
	t.Action, what = describeToken(before, after, limits)
	return t.Audit("token", idText(after.ID), what)
}

// describeToken returns the audit's action and words for an update.
func describeToken(before, after hallpass.Token, limits bool) (action, what string) {
	action = "token.update"
	var parts []string
	tell := func(differs bool, format string, args ...any) {
		if differs {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	switch p := after.Pause; {
	case p == before.Pause:
	case p.Since.IsZero():
		action = "token.resume"
	default:
		action = "token.pause"
		tell(!p.Until.IsZero(), "until %s", p.Until.Format(time.RFC3339))
		tell(p.Reason != "", "%s", p.Reason)
	}
	tell(before.Name != after.Name, "name %s to %s", before.Name, after.Name)
	tell(before.Owner != after.Owner, "owner %s", after.Owner)
	tell(before.Purpose != after.Purpose, "purpose")
	tell(limits, "limits")
	tell(after.SelfRotate && (!before.SelfRotate || !after.RenewUntil.Equal(before.RenewUntil)), "may replace itself until %s", after.RenewUntil.Format(time.RFC3339))
	tell(before.SelfRotate && !after.SelfRotate, "may not replace itself")
	return action, strings.Join(parts, ", ")
}
