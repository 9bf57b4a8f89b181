package store

import (
	"context"

	"github.com/hallpass-dev/hallpass"
)

// UserCaller returns the caller that the user is in org, by default the one
// the user works in.
func (tx *Tx) UserCaller(ctx context.Context, u hallpass.User, org hallpass.OrgID) (hallpass.Caller, error) {
	if org == 0 {
		org = u.Org
	}
	role, member, err := tx.MemberRole(ctx, org, u.ID)
	if err != nil {
		return hallpass.Caller{}, err
	}
	granted, err := tx.Granted(ctx, org, int64(u.ID))
	if err != nil {
		return hallpass.Caller{}, err
	}
	return hallpass.UserCaller(u, org, role, member, granted), nil
}

// ServiceAccountCaller returns the caller that the account is in its org.
func (tx *Tx) ServiceAccountCaller(ctx context.Context, a hallpass.ServiceAccount) (hallpass.Caller, error) {
	granted, err := tx.Granted(ctx, a.Org, int64(a.ID))
	if err != nil {
		return hallpass.Caller{}, err
	}
	return hallpass.ServiceAccountCaller(a, granted), nil
}
