package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// An InventoryFilter picks a page of the org's tokens; zero fields pick all, in the
// order of ByName. The fields Org, Among and Now are set by Inventory.
type InventoryFilter = store.TokenQuery

// An InventoryPage is some of an org's tokens.
type InventoryPage struct {
	Tokens []hallpass.TokenOfAccount
	Next   hallpass.TokenCursor // where the next page begins; zero: this is the last
}

// Inventory returns a page of the tokens of all accounts of the caller's org that it
// may read, dead tokens too.
func (a *Admin) Inventory(ctx context.Context, c hallpass.Caller, f InventoryFilter) (p InventoryPage, err error) {
	f.Org, f.Among, f.Now = c.Org, readable(c), a.now()
	if f.Order == "" {
		f.Order = hallpass.ByName
	}
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		p.Tokens, p.Next, err = tx.OrgTokens(f)
		return err
	})
	return p, err
}

// TokenOfAccount returns a token of whichever account of the caller's org; NotFound
// when there is none with that ID.
func (a *Admin) TokenOfAccount(ctx context.Context, c hallpass.Caller, id hallpass.TokenID) (t hallpass.TokenOfAccount, err error) {
	n := need{action: hallpass.ServiceAccountsRead, target: hallpass.Scope(target("tokens:id", int64(id))), where: afterLookUp}
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		if t, err = tx.TokenOfAccount(c.Org, id); err != nil {
			return err
		}
		n.scope = t.Account.ID.Scope()
		return c.Authorize(n.action, n.scope)
	})
	if err == nil {
		a.permitted(ctx, n)
	}
	return t, err
}

var errNoTokenPresented = &hallpass.Error{Kind: hallpass.NotFound, ID: "token.not-presented", Message: "The request presents no token of its own: there is no record to show"}

// OwnToken returns the token that the caller presented, with its account; NotFound for
// a caller who presented none.
func (a *Admin) OwnToken(ctx context.Context, c hallpass.Caller) (t hallpass.TokenOfAccount, err error) {
	if c.Token == 0 {
		return t, errNoTokenPresented
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		t, err = tx.TokenOfAccount(c.Org, c.Token)
		return err
	})
	return t, err
}
