package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// inOrg returns the caller with its permissions in the org that {org} names.
func (a *API) inOrg(c call) (hallpass.Caller, error) {
	id, ok := hallpass.ParseID(c.PathValue("org"))
	if !ok {
		return c.caller, errOrgID
	}
	return a.admin.In(c.Context(), c.caller, hallpass.OrgID(id))
}

var errOrgID = &hallpass.Error{Kind: hallpass.Invalid, ID: "org.invalid-id", Message: "orgId is invalid"}

// org is GET /api/org and /api/orgs/{org}.
func (a *API) org(c call, _ none) (encoded, error) {
	o, err := a.admin.Org(c.Context(), c.caller)
	if err != nil {
		return nil, err
	}
	return a.answers.encode(o)
}

// orgAnswers caches the JSON of orgs, because scripts call GET /api/org to test their
// tokens. It compares the whole org before it uses the cache, so a change needs no
// invalidation.
type orgAnswers struct {
	last sync.Map // hallpass.OrgID → orgAnswer
}

type orgAnswer struct {
	org  hallpass.Org
	json encoded
}

func (a *orgAnswers) encode(o hallpass.Org) (encoded, error) {
	if kept, ok := a.last.Load(o.ID); ok && kept.(orgAnswer).org == o {
		return kept.(orgAnswer).json, nil
	}
	b, err := json.Marshal(wire.Org{ID: int64(o.ID), Name: o.Name, Address: wire.Address(o.Address), ProvisionedBy: o.File})
	if err != nil {
		return nil, fmt.Errorf("api: encode org %d: %w", o.ID, err)
	}
	a.last.Store(o.ID, orgAnswer{o, b})
	return b, nil
}

// orgByName is GET /api/orgs/name/{name}.
func (a *API) orgByName(c call, _ none) (out encoded, err error) {
	if c.caller, err = a.admin.OrgByName(c.Context(), c.caller, c.PathValue("name")); err != nil {
		return out, err
	}
	return a.org(c, none{})
}

// orgs is GET /api/orgs?page&perpage&query&name. Its pages count from 0.
func (a *API) orgs(c call, _ none) ([]wire.OrgName, error) {
	p, err := page(c, "perpage", maxPerPage)
	if err != nil {
		return nil, err
	}
	n, err := number(c, "page", 0)
	if err != nil {
		return nil, err
	}
	p.Number = max(n, 0) + 1
	text := query(c, "query")
	name := query(c, "name")
	if text == "" {
		text = name
	}
	if err := hallpass.ValidateText("query", text, hallpass.MaxName); err != nil {
		return nil, err
	}
	list, err := a.admin.Orgs(c.Context(), c.caller, text, p)
	out := make([]wire.OrgName, 0, len(list))
	for _, o := range list {
		if name == "" || hallpass.NameKey(name) == hallpass.NameKey(o.Name) {
			out = append(out, wire.OrgName{ID: int64(o.ID), Name: o.Name, ProvisionedBy: o.File})
		}
	}
	return out, err
}

// createOrg is POST /api/orgs.
func (a *API) createOrg(c call, in wire.CreateOrg) (wire.CreatedOrg, error) {
	o, err := a.admin.CreateOrg(c.Context(), c.caller, in.Name)
	if errors.Is(err, hallpass.Conflict) {
		err = errOrgTaken
	}
	return wire.CreatedOrg{OrgID: int64(o.ID), Message: "Organization created"}, err
}

// errOrgTaken is a 409; a rename to a name in use is a 400. Clients expect both.
var errOrgTaken = &hallpass.Error{Kind: hallpass.Conflict, ID: "org.exists", Message: "Organization name taken"}

// renameOrg is PUT /api/org and /api/orgs/{org}.
func (a *API) renameOrg(c call, in wire.UpdateOrg) (wire.Message, error) {
	return wire.Message{Message: "Organization updated"}, a.admin.RenameOrg(c.Context(), c.caller, in.Name)
}

// setOrgAddress is PUT /api/org/address and /api/orgs/{org}/address.
func (a *API) setOrgAddress(c call, in wire.UpdateAddress) (wire.Message, error) {
	return wire.Message{Message: "Address updated"}, a.admin.SetOrgAddress(c.Context(), c.caller, hallpass.Address(in))
}

// deleteOrg is DELETE /api/orgs/{org}.
func (a *API) deleteOrg(c call, _ none) (wire.Message, error) {
	return wire.Message{Message: "Organization deleted"}, a.admin.DeleteOrg(c.Context(), c.caller)
}

// quotaTargets are the targets that an org counts, in Grafana's order.
var quotaTargets = []string{"org_user", "org_dashboard", "org_api_key"}

// orgQuotas is GET /api/org/quotas and /api/orgs/{org}/quotas.
func (a *API) orgQuotas(c call, _ none) ([]wire.Quota, error) {
	used, err := a.admin.Quotas(c.Context(), c.caller)
	var out []wire.Quota
	for _, target := range quotaTargets {
		out = append(out, wire.Quota{OrgID: int64(c.caller.Org), Target: target, Limit: -1, Used: used[target]})
	}
	return out, err
}

// orgUsers is GET /api/org/users?query&limit and /api/orgs/{org}/users.
func (a *API) orgUsers(c call, _ none) ([]wire.OrgUser, error) {
	limit, err := number(c, "limit", 0)
	if err != nil {
		return nil, err
	}
	text, err := searchText(c)
	if err != nil {
		return nil, err
	}
	members, err := a.admin.OrgUsers(c.Context(), c.caller, text, limit)
	return a.orgUserRows(c, members), err
}

func searchText(c call) (string, error) {
	text := query(c, "query")
	return text, hallpass.ValidateText("query", text, hallpass.MaxName)
}

func (a *API) orgUserRows(c call, members []hallpass.Member) []wire.OrgUser {
	out := make([]wire.OrgUser, 0, len(members))
	for _, m := range members {
		u := wire.OrgUser{
			OrgID: int64(m.Org), UserID: int64(m.User.ID), UID: m.User.UID, Email: m.User.Email, Name: m.User.Name, Login: m.User.Login,
			AvatarURL: avatarURL(m.User.Email), Role: m.Role.String(), LastSeenAt: timeOrNil(m.User.SeenAt), LastSeenAtAge: age(a.admin.Now(), m.User.SeenAt),
			Created: m.User.CreatedAt, IsDisabled: m.User.Disabled, AuthLabels: authLabels(m.User),
		}
		if flag(c, "accesscontrol") {
			u.AccessControl = accessControl(c.caller, m.User.ID.Scope())
		}
		out = append(out, u)
	}
	return out
}

// searchOrgUsers is GET /api/org/users/search and /api/orgs/{org}/users/search.
func (a *API) searchOrgUsers(c call, _ none) (wire.OrgUsers, error) {
	p, err := page(c, "perpage", maxPerPage)
	if err != nil {
		return wire.OrgUsers{}, err
	}
	text, err := searchText(c)
	if err != nil {
		return wire.OrgUsers{}, err
	}
	if err := validateSort(c, "login-asc"); err != nil {
		return wire.OrgUsers{}, err
	}
	members, total, err := a.admin.OrgUsersPage(c.Context(), c.caller, text, p)
	return wire.OrgUsers{TotalCount: total, OrgUsers: a.orgUserRows(c, members), PerPage: p.Size, Page: p.Number}, err
}

// lookupOrgUsers is GET /api/org/users/lookup.
func (a *API) lookupOrgUsers(c call, _ none) ([]wire.OrgUserLookup, error) {
	users, err := a.orgUsers(c, none{})
	out := make([]wire.OrgUserLookup, 0, len(users))
	for _, u := range users {
		out = append(out, wire.OrgUserLookup{UserID: u.UserID, UID: u.UID, Login: u.Login, AvatarURL: u.AvatarURL})
	}
	return out, err
}

// addOrgUser is POST /api/org/users and /api/orgs/{org}/users.
func (a *API) addOrgUser(c call, in wire.AddOrgUser) (wire.AddedOrgUser, error) {
	role, err := memberRole(in.Role, hallpass.RoleViewer)
	if err != nil {
		return wire.AddedOrgUser{}, err
	}
	id, err := a.admin.AddOrgUser(c.Context(), c.caller, in.LoginOrEmail, role)
	return wire.AddedOrgUser{Message: "User added to organization", UserID: int64(id)}, err
}

// memberRole reads a member's role; nil and "" are absent.
func memberRole(s *string, absent hallpass.Role) (hallpass.Role, error) {
	if s == nil || *s == "" {
		return absent, nil
	}
	role, ok := hallpass.ParseRole(*s)
	if !ok {
		return role, errMemberRole
	}
	return role, nil
}

var errMemberRole = &hallpass.Error{Kind: hallpass.Invalid, ID: "org.invalid-role", Field: "role", Message: "Invalid role specified"}

// updateOrgUser is PATCH /api/org/users/{user} and /api/orgs/{org}/users/{user}.
func (a *API) updateOrgUser(c call, in wire.UpdateOrgUser) (wire.Message, error) {
	id, err := a.admin.UserID(c.Context(), c.PathValue("user"))
	if err != nil {
		return wire.Message{}, err
	}
	if in.Role == nil || *in.Role == "" {
		return wire.Message{}, errMemberRole
	}
	role, err := memberRole(in.Role, hallpass.RoleNone)
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "Organization user updated"}, a.admin.SetOrgUserRole(c.Context(), c.caller, id, role)
}

// removeOrgUser is DELETE on the same paths.
func (a *API) removeOrgUser(c call, _ none) (wire.Message, error) {
	id, err := a.admin.UserID(c.Context(), c.PathValue("user"))
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Message{Message: "User removed from organization"}, a.admin.RemoveOrgUser(c.Context(), c.caller, id)
}

// age says how long ago a time was, as Grafana does: in its largest unit, and "10 years"
// for never.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "10 years"
	}
	d := now.Sub(then)
	switch {
	case d < time.Minute:
		return "< 1 minute"
	case d < time.Hour:
		return hallpass.Counted(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return hallpass.Counted(int(d/time.Hour), "hour")
	}
	return hallpass.Counted(int(d/(24*time.Hour)), "day")
}

// page reads the page of a list that the caller asks for. A number below 1 is the first
// page. A size that is absent, below 1 or above longest is longest.
func page(c call, size string, longest int) (admin.Page, error) {
	n, err := number(c, "page", 1)
	if err != nil {
		return admin.Page{}, err
	}
	per, err := number(c, size, longest)
	if err != nil {
		return admin.Page{}, err
	}
	if per <= 0 || per > longest {
		per = longest
	}
	return admin.Page{Number: max(n, 1), Size: per}, nil
}

// ownPage reads the page of a list that Grafana does not have: strict, as all of these are.
func ownPage(c call) (p admin.Page, err error) {
	if p.Number, err = numberFrom(c, "page", 1, 1, math.MaxInt32); err == nil {
		p.Size, err = numberFrom(c, "perpage", maxPerPage, 1, maxPerPage)
	}
	return p, err
}

// validateSort returns an error for a sort order that the list does not have (SEC-30).
func validateSort(c call, known ...string) error {
	s := query(c, "sort")
	if s == "" {
		return nil
	}
	for _, k := range known {
		if s == k {
			return nil
		}
	}
	return hallpass.Invalidf("sort", "sort must be %s", strings.Join(known, " or "))
}

// preferences is the answer of every …/preferences.
func preferences(p hallpass.Preferences, err error) (wire.Preferences, error) {
	return wire.Preferences(p), err
}

func preferencesPatch(in wire.UpdatePreferences) admin.PreferencesPatch {
	return admin.PreferencesPatch(in)
}

const preferencesUpdated = "Preferences updated"

// orgPreferences is GET /api/org/preferences.
func (a *API) orgPreferences(c call, _ none) (wire.Preferences, error) {
	return preferences(a.admin.OrgPreferences(c.Context(), c.caller))
}

// setOrgPreferences is PUT /api/org/preferences, patchOrgPreferences PATCH.
func (a *API) setOrgPreferences(c call, in wire.UpdatePreferences) (wire.Message, error) {
	return wire.Message{Message: preferencesUpdated}, a.admin.SetOrgPreferences(c.Context(), c.caller, preferencesPatch(in), true)
}

func (a *API) patchOrgPreferences(c call, in wire.UpdatePreferences) (wire.Message, error) {
	return wire.Message{Message: preferencesUpdated}, a.admin.SetOrgPreferences(c.Context(), c.caller, preferencesPatch(in), false)
}
