package api

import (
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// usageDays reads ?days=.
func usageDays(c call, absent int) (int, error) {
	days, err := number(c, "days", absent)
	if err == nil && (days < 1 || days > admin.MaxUsageDays) {
		err = hallpass.Invalidf("days", "days is not between 1 and %d", admin.MaxUsageDays)
	}
	return days, err
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
