package admin

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Tokens returns the account's tokens by name, dead ones too, and whether the
// account is disabled, so that none of them may be used; none when the caller's
// org has no such account.
func (a *Admin) Tokens(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID) (tokens []hallpass.Token, disabled bool, err error) {
	if err := a.Authorize(ctx, c, hallpass.ServiceAccountsRead, account.Scope()); err != nil {
		return nil, false, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		if tokens, err = tx.Tokens(c.Org, account); err != nil || len(tokens) == 0 {
			return err
		}
		owner, err := tx.ServiceAccount(c.Org, account)
		disabled = owner.Disabled
		return err
	})
	return tokens, disabled, err
}

// A TokenFilter picks tokens of an account; zero fields pick all.
type TokenFilter struct {
	Query     string // part of the name, whatever the case
	State     hallpass.TokenState
	Ends      time.Duration // those that end within so long and that no other replaces; 0: whenever they end
	LiveFirst bool
	Page      Page // the zero Page: all of them
}

// picks reports whether the token's name holds the query, it is in the state, for an
// account that is disabled or not, and it ends when it should.
func (f TokenFilter) picks(t hallpass.Token, now time.Time, disabled bool) bool {
	if end := t.EndsAt(); f.Ends > 0 && (!t.Live(now) || end.IsZero() || end.Sub(now) > f.Ends || t.Replaced(now)) {
		return false
	}
	return strings.Contains(hallpass.NameKey(t.Name), hallpass.NameKey(f.Query)) && (f.State == "" || f.State == t.State(now, disabled))
}

// A TokenPage is some of an account's tokens.
type TokenPage struct {
	Tokens   []hallpass.Token
	Total    int                     // on all pages
	Disabled bool                    // the account is: none of them may be used
	Account  hallpass.ServiceAccount // whose they are
}

// TokenPage is Tokens for those that f picks.
func (a *Admin) TokenPage(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, f TokenFilter) (p TokenPage, err error) {
	if err := a.Authorize(ctx, c, hallpass.ServiceAccountsRead, account.Scope()); err != nil {
		return p, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		owner, err := tx.ServiceAccount(c.Org, account)
		if hallpass.KindOf(err) == hallpass.NotFound {
			return nil // as its whole list
		}
		if err != nil {
			return err
		}
		p.Disabled, p.Account = owner.Disabled, owner
		p.Tokens, p.Total, err = a.tokenPage(tx, owner, f)
		return err
	})
	return p, err
}

func (a *Admin) tokenPage(tx *store.Tx, owner hallpass.ServiceAccount, f TokenFilter) ([]hallpass.Token, int, error) {
	now := a.now()
	if f.Page == (Page{}) {
		f.Page.Size = math.MaxInt32
	}
	if f.Query == "" && f.Ends == 0 {
		limit, offset := f.Page.limits()
		return tx.TokenPage(owner, f.State, f.LiveFirst, now, limit, offset)
	}
	list, _, err := tx.TokenPage(owner, "", f.LiveFirst, now, math.MaxInt32, 0)
	list = slices.DeleteFunc(list, func(t hallpass.Token) bool { return !f.picks(t, now, owner.Disabled) })
	return SlicePage(list, f.Page), len(list), err
}

// Token returns one of the account's tokens; NotFound when it has none with
// that ID.
func (a *Admin) Token(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID) (t hallpass.Token, err error) {
	if err := a.Authorize(ctx, c, hallpass.ServiceAccountsRead, account.Scope()); err != nil {
		return t, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		t, err = tx.Token(c.Org, account, id)
		return err
	})
	return t, err
}

// AccountOf returns the account of a token that the caller was shown; NotFound if it
// is gone.
func (a *Admin) AccountOf(ctx context.Context, t hallpass.Token) (account hallpass.ServiceAccount, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		account, err = tx.ServiceAccount(t.Org, t.ServiceAccount)
		return err
	})
	return account, err
}

// A NewToken is what a token is created from.
type NewToken struct {
	Name       string
	Seconds    int64  // that it lives for; 0: for ever
	Owner      string // empty: the account's
	Purpose    string // empty: the account's
	Limits     hallpass.TokenLimits
	SelfRotate bool
	RenewUntil time.Time // with SelfRotate: how long it may be replaced by itself
	Key        string    // Idempotency-Key of the request; empty: none
}

// An Issued is a token with its secret, which exists nowhere else.
type Issued struct {
	Token    hallpass.Token
	Secret   secret.Text
	Replayed bool // the request was repeated, and the secret replaced that of the first answer
}

// CreateToken makes a token for the account. It is on disk when this returns. Whoever
// holds less than the account is Denied, a name that a live token of the org has is a
// Conflict, and a lifetime that the policy does not allow Invalid. With the key of a
// request before, it is that token, if its first answer was lost (repeated).
func (a *Admin) CreateToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, in NewToken) (Issued, error) {
	out := Issued{Secret: secret.NewToken()}
	mark, err := newKeyMark(in.Key, struct {
		Account hallpass.ServiceAccountID
		NewToken
	}{account, in})
	if err != nil {
		return Issued{}, err
	}
	err = a.change(ctx, c, need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}, "token.create", func(t *Turn) error {
		owner, err := t.ServiceAccount(t.Caller.Org, account)
		if err != nil {
			return err
		}
		token, err := a.newToken(t.Tx, owner, in)
		if err != nil {
			return err
		}
		if err := a.outranks(t.Tx, t.Caller, owner); err != nil {
			return err
		}
		before, err := t.TokenByKey(owner, mark.key(), a.now().Add(-repeatFor))
		if err != nil {
			return err
		}
		if out.Replayed = before.ID != 0; out.Replayed {
			out.Token, err = t.repeat(before, mark, out.Secret)
			return err
		}
		if err := t.mayOwn(owner.Owner, token.Owner); err != nil {
			return err
		}
		token.Hash, token.LastFour, token.CreatedBy, token.Rotation.Key = out.Secret.Hash(), out.Secret.LastFour(), t.Caller.Principal.Login, mark
		if out.Token, err = t.CreateToken(token); err != nil {
			return err
		}
		return t.Audit("token", idText(out.Token.ID), "for "+owner.Login)
	})
	if err != nil {
		return Issued{}, err
	}
	return out, nil
}

// newToken returns the token that in describes, without what its secret and its caller
// say.
func (a *Admin) newToken(tx *store.Tx, owner hallpass.ServiceAccount, in NewToken) (hallpass.Token, error) {
	now := a.now()
	t := hallpass.Token{
		Org: owner.Org, ServiceAccount: owner.ID, Name: in.Name, CreatedAt: now, Owner: in.Owner, Purpose: in.Purpose, SelfRotate: in.SelfRotate, RenewUntil: in.RenewUntil,
	}
	err := hallpass.TidyName("name", &t.Name)
	if err == nil {
		t.ExpiresAt, err = a.o.TokenPolicy.Expiry(now, in.Seconds)
	}
	if err == nil {
		err = hallpass.TidyOwner(&t.Owner, &t.Purpose)
	}
	if err == nil {
		err = a.validateRenewal(t)
	}
	if err == nil {
		t.Limits, err = a.limitsOf(tx, owner, in.Limits)
	}
	return t, err
}

// validateRenewal returns an Invalid error unless the time until which the token may
// be replaced by itself is one: a stolen token must not live for ever.
func (a *Admin) validateRenewal(t hallpass.Token) error {
	now := a.now()
	latest := a.o.TokenPolicy.Latest(now)
	if latest.IsZero() {
		latest = now.AddDate(1, 0, 0)
	}
	switch until := t.RenewUntil; {
	case !t.SelfRotate && until.IsZero():
		return nil
	case !t.SelfRotate:
		return hallpass.Invalidf("renewUntil", "renewUntil needs selfRotate to be true")
	case until.IsZero():
		return hallpass.Invalidf("renewUntil", "selfRotate needs renewUntil, the time until which the token may be replaced by itself")
	case !until.After(now):
		return hallpass.Invalidf("renewUntil", "renewUntil is over")
	case until.After(latest):
		return hallpass.Invalidf("renewUntil", "renewUntil must not be later than %s", latest.Format(time.RFC3339))
	}
	return nil
}

// DeleteToken ends the account's token for good. Once it has returned, the token is
// refused. A token that it was replacing, and that still works, is as before that; one
// that replaces it works on.
func (a *Admin) DeleteToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID) error {
	n := need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}
	return a.change(ctx, c, n, "token.delete", func(t *Turn) error {
		token, err := t.Token(t.Caller.Org, account, id)
		if err != nil {
			return err
		}
		old, err := t.replacedBy(token, a.now())
		if err != nil {
			return err
		}
		if err := t.declare(tokenChanged(append(old, token)...)...); err != nil {
			return err
		}
		if err := t.DeleteToken(t.Caller.Org, account, id); err != nil {
			return err
		}
		if now := a.now(); token.Rotation.Successor != 0 && token.Live(now) { // as if it was retired
			if err := a.notifyRetired(t.Tx, token.Retired(now), t.Caller.Principal.Login, "deleted"); err != nil {
				return err
			}
		}
		for _, o := range old {
			if err := t.release(o, token); err != nil {
				return err
			}
		}
		return t.Audit("token", idText(id), "name "+token.Name)
	})
}
