package api

import (
	"crypto/md5" // #nosec G501 -- names a picture, as Grafana does; protects nothing
	"encoding/hex"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

const maxPerPage = 1000

// createServiceAccount is POST /api/serviceaccounts.
func (a *API) createServiceAccount(c call, in wire.CreateServiceAccount) (wire.ServiceAccount, error) {
	role, err := parseRole(in.Role)
	if err != nil {
		return wire.ServiceAccount{}, err
	}
	s, err := a.admin.CreateServiceAccount(c.Context(), c.caller, admin.NewServiceAccount{Name: in.Name, Role: role, Disabled: in.IsDisabled, Roles: in.RoleUIDs, Owner: in.Owner, Purpose: in.Purpose})
	if err != nil {
		return wire.ServiceAccount{}, err
	}
	out := serviceAccountRow(hallpass.ServiceAccountSummary{ServiceAccount: s})
	out.AvatarURL = "" // Grafana leaves it empty in this answer
	return out, nil
}

// parseRole reads a role; nil stays nil, and "" is Viewer.
func parseRole(s *string) (*hallpass.Role, error) {
	if s == nil {
		return nil, nil
	}
	role := hallpass.RoleViewer
	if *s != "" {
		var ok bool
		if role, ok = hallpass.ParseRole(*s); !ok {
			return nil, hallpass.Invalidf("role", "role must be one of None, Viewer, Editor, Admin")
		}
	}
	return &role, nil
}

// serviceAccounts is GET /api/serviceaccounts/search.
func (a *API) serviceAccounts(c call, _ none) (wire.ServiceAccounts, error) {
	p, err := page(c, "perpage", maxPerPage)
	if err != nil {
		return wire.ServiceAccounts{}, err
	}
	text, err := searchText(c)
	if err != nil {
		return wire.ServiceAccounts{}, err
	}
	if err := validateSort(c, "login-asc"); err != nil {
		return wire.ServiceAccounts{}, err
	}
	f := admin.ServiceAccountFilter{Query: text, Page: p.Number, PerPage: p.Size, DisabledOnly: flag(c, "disabled")}
	f.ExpiredOnly = !f.DisabledOnly && flag(c, "expiredTokens")
	list, total, err := a.admin.ServiceAccounts(c.Context(), c.caller, f)
	if err != nil {
		return wire.ServiceAccounts{}, err
	}
	out := wire.ServiceAccounts{TotalCount: total, ServiceAccounts: make([]wire.ServiceAccount, 0, len(list)), Page: p.Number, PerPage: p.Size}
	for _, s := range list {
		row := serviceAccountRow(s)
		if flag(c, "accesscontrol") {
			row.AccessControl = accessControl(c.caller, s.ID.Scope())
		}
		out.ServiceAccounts = append(out.ServiceAccounts, row)
	}
	return out, nil
}

// serviceAccount is GET /api/serviceaccounts/{id}.
func (a *API) serviceAccount(c call, _ none) (wire.ServiceAccountProfile, error) {
	s, err := a.admin.ServiceAccount(c.Context(), c.caller, c.account)
	if err != nil {
		return wire.ServiceAccountProfile{}, err
	}
	return a.profile(c, s)
}

// updateServiceAccount is PATCH /api/serviceaccounts/{id}.
func (a *API) updateServiceAccount(c call, in wire.UpdateServiceAccount) (wire.UpdatedServiceAccount, error) {
	role, err := parseRole(in.Role)
	if err != nil {
		return wire.UpdatedServiceAccount{}, err
	}
	s, err := a.admin.UpdateServiceAccount(c.Context(), c.caller, c.account, hallpass.ServiceAccountPatch{Name: in.Name, Role: role, Disabled: in.IsDisabled, Owner: in.Owner, Purpose: in.Purpose})
	if err != nil {
		return wire.UpdatedServiceAccount{}, err
	}
	p, err := a.profile(c, s)
	return wire.UpdatedServiceAccount{Message: "Service account updated", ID: int64(s.ID), Name: s.Name, ServiceAccount: p}, err
}

// deleteServiceAccount is DELETE /api/serviceaccounts/{id}.
func (a *API) deleteServiceAccount(c call, _ none) (wire.Message, error) {
	return wire.Message{Message: "Service account deleted"}, a.admin.DeleteServiceAccount(c.Context(), c.caller, c.account)
}

func serviceAccountRow(s hallpass.ServiceAccountSummary) wire.ServiceAccount {
	return wire.ServiceAccount{
		ID: int64(s.ID), UID: s.UID, Name: s.Name, Login: s.Login, OrgID: int64(s.Org), IsDisabled: s.Disabled, Role: s.Role.String(),
		Tokens: s.Tokens, AvatarURL: accountAvatarURL(s.Name), Given: givenRow(s.Given), Ownership: ownership(s.ServiceAccount),
	}
}

func ownership(a hallpass.ServiceAccount) wire.Ownership {
	return wire.Ownership{Owner: a.Owner, Purpose: a.Purpose, CreatedBy: a.CreatedBy, ProvisionedBy: a.File}
}

func givenRow(g hallpass.Given) wire.Given {
	return wire.Given{MoreRoles: g.MoreRoles, AccessGrants: g.AccessGrants}
}

func (a *API) profile(c call, s hallpass.ServiceAccountSummary) (wire.ServiceAccountProfile, error) {
	p := wire.ServiceAccountProfile{
		ID: int64(s.ID), UID: s.UID, Name: s.Name, Login: s.Login, OrgID: int64(s.Org), IsDisabled: s.Disabled, CreatedAt: s.CreatedAt,
		UpdatedAt: s.UpdatedAt, AvatarURL: accountAvatarURL(s.Name), Role: s.Role.String(), Tokens: s.Tokens, Given: givenRow(s.Given), Ownership: ownership(s.ServiceAccount),
	}
	if flag(c, "accesscontrol") {
		p.AccessControl = accessControl(c.caller, s.ID.Scope())
	}
	teams, err := a.admin.TeamsOf(c.Context(), c.caller, int64(s.ID))
	for _, t := range teams {
		p.Teams = append(p.Teams, t.Name)
	}
	return p, err
}

// accessControl lists the caller's actions on the scope.
func accessControl(c hallpass.Caller, scope hallpass.Scope) map[string]bool {
	can := make(map[string]bool)
	for _, p := range c.Permissions.List() {
		if p.Scope.Covers(scope) {
			can[string(p.Action)] = true
		}
	}
	return can
}

// avatarURL returns the address of the picture for an e-mail address, as Grafana makes
// it.
func avatarURL(email string) string {
	sum := md5.Sum([]byte(strings.ToLower(email))) // #nosec G401 -- names a picture
	return "/avatar/" + hex.EncodeToString(sum[:])
}

// accountAvatarURL returns the address of the picture for a service account's name, as
// Grafana makes it.
func accountAvatarURL(name string) string {
	return avatarURL(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name)) + "@localhost")
}
