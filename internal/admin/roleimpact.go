package admin

import (
	"context"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// MaxRoleImpact is how many accounts RoleImpact looks at: those that were used last.
const MaxRoleImpact = 200

// A RoleImpact is what a change of the permissions of a role would break among the service
// accounts of an org, by what was used of late.
type RoleImpact struct {
	Accounts []AccountImpact // that would be refused, those that were used last first
	Partly   bool            // more accounts were used than were looked at
}

// An AccountImpact is what the change would break of one account.
type AccountImpact struct {
	Account hallpass.ServiceAccount
	Impact
}

// LastUse returns when the latest of the accounts was used; zero: there are none.
func (r RoleImpact) LastUse() (last time.Time) {
	for _, a := range r.Accounts {
		if a.LastUse.After(last) {
			last = a.LastUse
		}
	}
	return last
}

// RoleImpact returns what would break in the caller's org if the role permitted just the
// permissions of next, by the use of the last days, today included. It tells of those
// accounts that the caller may read. NotFound when the caller's org has no such role.
func (a *Admin) RoleImpact(ctx context.Context, c hallpass.Caller, uid string, next []hallpass.Permission, days int) (out RoleImpact, err error) {
	since := a.since(days)
	err = a.read(ctx, c, need{action: hallpass.RolesRead, scope: hallpass.NamedRole{UID: uid}.Scope()}, func(tx *store.Tx) error {
		was, err := tx.Role(c.Org, uid)
		if err != nil {
			return err
		}
		lost := slices.DeleteFunc(slices.Clone(was.Editable()), func(p hallpass.Permission) bool {
			return slices.ContainsFunc(next, func(n hallpass.Permission) bool { return n.Covers(p) })
		})
		if len(lost) == 0 {
			return nil
		}
		accounts, err := tx.UsedAccountsOf(c.Org, since, MaxRoleImpact+1)
		if err != nil {
			return err
		}
		if out.Partly = len(accounts) > MaxRoleImpact; out.Partly {
			accounts = accounts[:MaxRoleImpact]
		}
		for _, account := range accounts {
			if !c.Can(hallpass.ServiceAccountsRead, account.ID.Scope()) {
				continue
			}
			i, err := a.roleImpactOn(tx, account, was, next, since)
			if err != nil {
				return err
			}
			if i.WouldBreak() {
				out.Accounts = append(out.Accounts, AccountImpact{account, i})
			}
		}
		return nil
	})
	return out, err
}

// roleImpactOn returns what would break of one account.
func (a *Admin) roleImpactOn(tx *store.Tx, account hallpass.ServiceAccount, was hallpass.NamedRole, next []hallpass.Permission, since time.Time) (i Impact, err error) {
	p, err := a.powers(tx, account.Org, account.ID)
	if err != nil {
		return i, err
	}
	now, err := p.with(account.Role)
	if err != nil {
		return i, err
	}
	then := slices.DeleteFunc(slices.Clone(now), func(s Source) bool {
		return s.RoleUID == was.UID && s.Permission.Action != hallpass.ForeignActions && !slices.Contains(next, s.Permission)
	})
	if len(then) == len(now) { // it does not have the role, or what the role loses
		return i, nil
	}
	for _, n := range next {
		then = append(then, Source{Role: was.Name, RoleUID: was.UID, Permission: n})
	}
	tokens, err := a.liveTokens(tx, account)
	if err != nil {
		return i, err
	}
	return i, i.read(p, p.losingTo(now, then, account.Role), tokens, since)
}

// liveTokens returns the tokens of the account that may be used now.
func (a *Admin) liveTokens(tx *store.Tx, account hallpass.ServiceAccount) (map[hallpass.TokenID]hallpass.Token, error) {
	tokens, err := tx.Tokens(account.Org, account.ID)
	live := make(map[hallpass.TokenID]hallpass.Token)
	for _, t := range tokens {
		if t.Live(a.now()) {
			live[t.ID] = t
		}
	}
	return live, err
}

// RoleCount is how many have a role.
type RoleCount = store.RoleHolders

// RoleHolders returns to how many of the caller's org each role was given, by uid, and how
// many have each basic role. It takes what Caller.MayReadAssignments says.
func (a *Admin) RoleHolders(ctx context.Context, c hallpass.Caller) (holders map[string]RoleCount, err error) {
	err = a.read(ctx, c, need{action: hallpass.UsersRolesRead}, func(tx *store.Tx) error {
		if err := c.Authorize(hallpass.TeamsRolesRead, ""); err != nil {
			return err
		}
		holders, err = tx.CountRoleHolders(c.Org)
		return err
	})
	return holders, err
}

// MayGive reports for each of the permissions whether the caller may put it into a role of
// its org, or into a global one. Of what is not there, it may not.
func (a *Admin) MayGive(ctx context.Context, c hallpass.Caller, global bool, list []hallpass.Permission) (may []bool, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		for _, p := range list {
			err := a.mayGiveRolePermissions(tx, c, global, []hallpass.Permission{p})
			if kind := hallpass.KindOf(err); err != nil && kind != hallpass.Denied && kind != hallpass.NotFound {
				return err
			}
			may = append(may, err == nil)
		}
		return nil
	})
	return may, err
}
