package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// What quickstart makes.
const (
	quickstartAccount = "dashboard-sync"
	quickstartToken   = "quickstart"
	quickstartPurpose = "Made by quickstart, to try a token"
	quickstartSeconds = 90 * 24 * 60 * 60
)

// A QuickstartResult is what Quickstart made, or found from an earlier time.
type QuickstartResult struct {
	Created bool // now; else Secret is empty, for it was shown then
	Account hallpass.ServiceAccount
	Token   hallpass.Token // zero if somebody has deleted it since
	Secret  secret.Text
}

// Quickstart makes the account dashboard-sync with the role Viewer and a token
// for it, as the first admin, who is its owner, unless the account is there already. The
// token ends after 90 days, or before that where a limit binds.
func (s *Server) Quickstart(ctx context.Context) (QuickstartResult, error) {
	c, err := s.firstAdmin(ctx)
	if err != nil {
		return QuickstartResult{}, err
	}
	viewer := hallpass.RoleViewer
	account, err := s.admin.CreateServiceAccount(ctx, c, admin.NewServiceAccount{Name: quickstartAccount, Role: &viewer, Owner: s.config.Security.AdminUser, Purpose: quickstartPurpose})
	if errors.Is(err, hallpass.Conflict) {
		return s.foundQuickstart(ctx, c)
	}
	if err != nil {
		return QuickstartResult{}, err
	}
	seconds, now := int64(quickstartSeconds), s.admin.Now()
	if latest := s.admin.TokenPolicy().Latest(now); !latest.IsZero() {
		seconds = min(seconds, int64(latest.Sub(now).Seconds()))
	}
	made, err := s.admin.CreateToken(ctx, c, account.ID, admin.NewToken{Name: quickstartToken, Seconds: seconds})
	return QuickstartResult{Created: true, Account: account, Token: made.Token, Secret: made.Secret}, err
}

func (s *Server) foundQuickstart(ctx context.Context, c hallpass.Caller) (QuickstartResult, error) {
	page, _, err := s.admin.ServiceAccounts(ctx, c, admin.ServiceAccountFilter{Query: quickstartAccount, PerPage: 1000})
	if err != nil {
		return QuickstartResult{}, err
	}
	for _, a := range page {
		if a.Login != hallpass.ServiceAccountLogin(c.Org, quickstartAccount) {
			continue
		}
		r := QuickstartResult{Account: a.ServiceAccount}
		tokens, _, err := s.admin.Tokens(ctx, c, a.ID)
		for _, t := range tokens {
			if t.Name == quickstartToken && t.Live(s.admin.Now()) {
				r.Token = t
			}
		}
		return r, err
	}
	return QuickstartResult{}, fmt.Errorf("the login %s is taken by somebody else: make an account in the console", hallpass.ServiceAccountLogin(c.Org, quickstartAccount))
}

// firstAdmin returns the caller that the configured first admin is in the
// first org.
func (s *Server) firstAdmin(ctx context.Context) (c hallpass.Caller, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByLogin(s.config.Security.AdminUser)
		if err != nil {
			return err
		}
		c, err = tx.UserCaller(u, hallpass.FirstOrg)
		return err
	})
	if errors.Is(err, hallpass.NotFound) {
		return c, fmt.Errorf("there is no user %q to set things up as: name an admin with security.admin_user", s.config.Security.AdminUser)
	}
	return c, err
}
