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
	LiveFirst bool
	Page      Page // the zero Page: all of them
}

// picks reports whether the token's name holds the query and it is in the state, for
// an account that is disabled or not.
func (f TokenFilter) picks(t hallpass.Token, now time.Time, disabled bool) bool {
	return strings.Contains(hallpass.NameKey(t.Name), hallpass.NameKey(f.Query)) && (f.State == "" || f.State == t.State(now, disabled))
}

// A TokenPage is some of an account's tokens.
type TokenPage struct {
	Tokens   []hallpass.Token
	Total    int  // on all pages
	Disabled bool // the account is: none of them may be used
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
		p.Disabled = owner.Disabled
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
	if f.Query == "" {
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

// CreateToken makes a token for the account that lives for seconds, 0 for
// ever, and returns it with its secret, which exists nowhere else. It is on
// disk when this returns. Whoever holds less than the account is Denied, a name
// that a live token of the org has is a Conflict, and a lifetime that the
// policy does not allow Invalid.
func (a *Admin) CreateToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, name string, seconds int64) (hallpass.Token, secret.Text, error) {
	text := secret.NewToken()
	var made hallpass.Token
	err := a.change(ctx, c, need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}, "token.create", func(t *Turn) error {
		owner, err := t.ServiceAccount(t.Caller.Org, account)
		if err != nil {
			return err
		}
		if err := hallpass.TidyName("name", &name); err != nil {
			return err
		}
		now := a.now()
		expires, err := a.o.TokenPolicy.Expiry(now, seconds)
		if err != nil {
			return err
		}
		if err := a.outranks(t.Tx, t.Caller, owner); err != nil {
			return err
		}
		made, err = t.CreateToken(hallpass.Token{
			Org: t.Caller.Org, ServiceAccount: account, Name: name, Hash: text.Hash(), LastFour: text.LastFour(),
			CreatedAt: now, CreatedBy: t.Caller.Principal.Login, ExpiresAt: expires,
		})
		if err != nil {
			return err
		}
		return t.Audit("token", idText(made.ID), "for "+owner.Login)
	})
	if err != nil {
		return hallpass.Token{}, secret.Text{}, err
	}
	return made, text, nil
}

// DeleteToken ends the account's token for good. Once it has returned, the token is
// refused.
func (a *Admin) DeleteToken(ctx context.Context, c hallpass.Caller, account hallpass.ServiceAccountID, id hallpass.TokenID) error {
	n := need{action: hallpass.ServiceAccountsWrite, scope: account.Scope()}
	return a.change(ctx, c, n, "token.delete", func(t *Turn) error {
		token, err := t.Token(t.Caller.Org, account, id)
		if err != nil {
			return err
		}
		if err := t.declare(hallpass.Change{Kind: hallpass.TokenChanged, ID: int64(id), Hash: token.Hash}); err != nil {
			return err
		}
		if err := t.DeleteToken(t.Caller.Org, account, id); err != nil {
			return err
		}
		return t.Audit("token", idText(id), "name "+token.Name)
	})
}
