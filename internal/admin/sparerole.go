package admin

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// spareDays is for how many days an account must not have needed a role that it is said
// not to need; spareBatch is how many accounts are looked at in one transaction.
const (
	spareDays  = 90
	spareBatch = 50
)

// FindSpareRoles notes of which accounts, of all orgs, a lower basic role would do for all
// that their tokens did on the last 90 days. An account that is younger, whose usage is not
// recorded for so long, or that did nothing is left out. It rests twice as long as it
// works. It asks for no caller: it is a job of the server.
func (a *Admin) FindSpareRoles(ctx context.Context) error {
	since := a.since(spareDays)
	for after := hallpass.ServiceAccountID(0); after < math.MaxInt64; {
		began := time.Now()
		var found, noted []store.SpareRole
		last := hallpass.ServiceAccountID(math.MaxInt64)
		err := a.db.Read(ctx, func(tx *store.Tx) error {
			some, err := usedAccounts(tx, since, after)
			if err != nil {
				return err
			}
			if len(some) == spareBatch {
				last = some[len(some)-1].ID
			}
			if found, err = a.spareRoles(tx, some, since); err != nil {
				return err
			}
			noted, err = tx.SpareRoles(after, last)
			return err
		})
		if err == nil && !slices.Equal(found, noted) {
			err = a.db.SetSpareRoles(ctx, after, last, found)
		}
		if err != nil {
			return err
		}
		after = last
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Since(began)):
		}
	}
	return nil
}

// usedAccounts returns the next accounts to look at, none while usage is not recorded for
// long enough.
func usedAccounts(tx *store.Tx, since time.Time, after hallpass.ServiceAccountID) ([]hallpass.ServiceAccount, error) {
	began, err := tx.UsageBegan()
	if err != nil || began.IsZero() || began.After(since) {
		return nil, err
	}
	return tx.UsedAccounts(since, after, spareBatch)
}

// spareRoles returns those of the accounts for which a lower role would do.
func (a *Admin) spareRoles(tx *store.Tx, accounts []hallpass.ServiceAccount, since time.Time) (found []store.SpareRole, err error) {
	for _, account := range accounts {
		p, err := a.powers(tx, account.Org, account.ID)
		if err != nil {
			return nil, err
		}
		done, err := tx.AccountActions(account.ID, since)
		if err != nil {
			return nil, err
		}
		s, err := p.suggest(done)
		if err != nil {
			return nil, err
		}
		if s.Role < account.Role {
			found = append(found, store.SpareRole{Account: account.ID, Role: account.Role, Enough: s.Role})
		}
	}
	return found, nil
}
