package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// limitsOf returns the limits of a token of the account in the form in which they are
// kept. It is an Invalid error if they break a rule of their form, or if they list a
// permission that the account does not hold now: that would be a slip, and silently allow
// nothing. What the account loses later stays listed, and is not allowed.
func (a *Admin) limitsOf(tx *store.Tx, account hallpass.ServiceAccount, l hallpass.TokenLimits) (hallpass.TokenLimits, error) {
	if err := l.Tidy(); err != nil || len(l.Permissions) == 0 {
		return l, err
	}
	them, err := tx.ServiceAccountCaller(account)
	if err != nil {
		return l, err
	}
	reach, err := a.reach(tx, them)
	if err != nil {
		return l, err
	}
	for i, p := range l.Permissions {
		near, err := nearest(tx, account.Org, p.Action)
		if err != nil {
			return l, err
		}
		if near != "" && len(them.Permissions.Scopes(p.Action)) == 0 {
			return l, hallpass.Invalidf(fmt.Sprintf("permissions[%d].action", i), "permissions[%d].action: %s", i, p.Action.Suggestion(near))
		}
		held, err := reach.holds(tx, p)
		if err != nil {
			return l, err
		}
		if !held {
			return l, hallpass.Invalidf(fmt.Sprintf("permissions[%d]", i), "permissions[%d] is not held by the account", i)
		}
	}
	return l, nil
}

// warnedClients is how many clients of a token are looked at before its networks change.
const warnedClients = 3

// NetworkWarnings says, after the token was given networks, that none of the clients that
// used it last is in them: most likely a network is wrong, or a proxy is not trusted. It
// says nothing to a caller who may not read the account.
func (a *Admin) NetworkWarnings(ctx context.Context, c hallpass.Caller, t hallpass.Token) (list []string, err error) {
	if len(t.Limits.Networks) == 0 || !c.Can(hallpass.ServiceAccountsRead, t.ServiceAccount.Scope()) {
		return nil, nil
	}
	var usage hallpass.TokenUsage
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		usage, err = tx.TokenUsage(t.ID, a.now())
		return err
	})
	slices.SortFunc(usage.Places, func(x, y hallpass.TokenPlace) int { return y.Last.Compare(x.Last) })
	var clients []string
	for _, p := range usage.Places {
		if len(clients) == warnedClients || slices.Contains(clients, p.Address) {
			continue
		}
		if hallpass.InNetworks(t.Limits.Networks, p.Address) {
			return nil, err
		}
		clients = append(clients, p.Address)
	}
	switch len(clients) {
	case 0:
		return nil, err
	case 1:
		return []string{"the last client (" + clients[0] + ") is not in these networks"}, err
	}
	return []string{fmt.Sprintf("the last %d clients (%s) are not in these networks", len(clients), strings.Join(clients, ", "))}, err
}

// holds reports whether the caller holds p: without a scope, on anything.
func (r Reach) holds(tx *store.Tx, p hallpass.Permission) (bool, error) {
	if r.Caller.Permissions.Has(p) {
		return true, nil
	}
	if p.Scope == "" {
		for g := range r.granted {
			if g.Action == p.Action {
				return true, nil
			}
		}
		return false, nil
	}
	resource, id, ok := p.Scope.ResourceOf()
	if !ok || !inTree(resource) {
		return false, nil
	}
	scopes, err := treeScopes(tx, r.Caller.Org, resource, id)
	return err == nil && r.Can(p.Action, scopes), err
}

// widens reports whether a token with the limits after may do something that one with
// those before may not, whatever its account holds: to allow that is to give it.
func widens(before, after hallpass.TokenLimits) bool {
	switch {
	case before.ReadOnly && !after.ReadOnly, before.MaxRole != nil && (after.MaxRole == nil || *after.MaxRole > *before.MaxRole):
		return true
	case before.Permissions == nil:
		return false
	case after.Permissions == nil:
		return true
	}
	return !hallpass.ListedPermissions(before.Permissions).HasAll(hallpass.ListedPermissions(after.Permissions))
}
