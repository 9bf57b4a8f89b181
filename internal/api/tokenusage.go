package api

import (
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// usageDays reads ?days=.
func usageDays(c call, absent int) (int, error) {
	return numberFrom(c, "days", absent, 1, admin.MaxUsageDays)
}

// tokenUsage is GET /api/serviceaccounts/{id}/tokens/{token}/usage?days.
func (a *API) tokenUsage(c call, _ none) (wire.TokenUsage, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.TokenUsage{}, err
	}
	days, err := usageDays(c, 30)
	if err != nil {
		return wire.TokenUsage{}, err
	}
	u, err := a.admin.TokenUsage(c.Context(), c.caller, c.account, id, days)
	if err != nil {
		return wire.TokenUsage{}, err
	}
	out := wire.TokenUsage{Days: []wire.TokenDay{}, Places: []wire.TokenPlace{}, Actions: []wire.TokenAction{}}
	for _, d := range u.Days {
		out.Days = append(out.Days, wire.TokenDay{Day: d.Day.UTC().Format(time.DateOnly), OK: d.OK, Denied: d.Denied, Failed: d.Failed, Refused: d.Refused, Limited: d.Limited})
	}
	for _, p := range u.Places {
		out.Places = append(out.Places, wire.TokenPlace{
			Address: p.Address, UserAgent: p.UserAgent, Method: p.Route.Method, Route: p.Route.Pattern, Status: p.Status, FirstUsed: p.First, LastUsed: p.Last, Count: p.Count,
		})
	}
	for _, a := range u.Actions {
		out.Actions = append(out.Actions, actionRow(a))
	}
	return out, nil
}

func actionRow(a hallpass.TokenAction) wire.TokenAction {
	return wire.TokenAction{Action: string(a.Action), Scope: string(a.Scope), LastUsed: a.Last, Count: a.Count}
}

// usedPermissions is GET /api/serviceaccounts/{id}/permissions/used?days.
func (a *API) usedPermissions(c call, _ none) (wire.UsedPermissions, error) {
	days, err := usageDays(c, 90)
	if err != nil {
		return wire.UsedPermissions{}, err
	}
	u, err := a.admin.UsedPermissions(c.Context(), c.caller, c.account, days)
	if err != nil {
		return wire.UsedPermissions{}, err
	}
	out := wire.UsedPermissions{Window: wire.UsageWindow{From: u.From, To: u.To, Complete: u.Complete}, Granted: u.Granted, Used: u.Used, Unused: []wire.UnusedPermission{}}
	for _, s := range u.Unused {
		out.Unused = append(out.Unused, wire.UnusedPermission{Action: string(s.Permission.Action), Scope: string(s.Permission.Scope), From: sourceInWords(s)})
	}
	if s := u.Suggestion; s != nil {
		out.Suggestion = &wire.RoleSuggestion{Role: s.Role.String(), Also: append([]string{}, s.Also...)}
	}
	return out, nil
}

// sourceInWords says where a permission comes from.
func sourceInWords(s admin.Source) string {
	for _, r := range []hallpass.Role{hallpass.RoleNone, hallpass.RoleViewer, hallpass.RoleEditor, hallpass.RoleAdmin} {
		if s.RoleUID == r.UID() {
			return "role " + r.String()
		}
	}
	if s.RoleUID == "" {
		return "access to " + strings.TrimSuffix(string(s.Permission.Scope), ":*")
	}
	return "role " + s.Role
}

// impact is GET /api/serviceaccounts/{id}/impact?action&days.
func (a *API) impact(c call, _ none) (wire.Impact, error) {
	of, err := hallpass.ParseImpact(query(c, "action"))
	if err != nil {
		return wire.Impact{}, err
	}
	days, err := usageDays(c, 7)
	if err != nil {
		return wire.Impact{}, err
	}
	i, err := a.admin.Impact(c.Context(), c.caller, c.account, of, days)
	if err != nil {
		return wire.Impact{}, err
	}
	out := wire.Impact{WouldBreak: i.WouldBreak(), Clients: []wire.ImpactClient{}, LostActions: []wire.TokenAction{}, LastUse: timeOrNil(i.LastUse)}
	for _, p := range i.Clients {
		out.Clients = append(out.Clients, wire.ImpactClient{
			Token: int64(p.Token.ID), Name: p.Token.Name, Address: p.Address, UserAgent: p.UserAgent, Route: p.Route.Pattern, Count: p.Count, LastUsed: p.Last,
		})
	}
	for _, l := range i.Lost {
		out.LostActions = append(out.LostActions, actionRow(l))
	}
	return out, nil
}
