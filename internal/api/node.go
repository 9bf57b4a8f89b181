package api

import (
	"time"

	"github.com/hallpass-dev/hallpass/wire"
)

// nodes is GET /api/admin/nodes.
func (a *API) nodes(c call, _ none) ([]wire.Node, error) {
	list, err := a.node.Peers(c.Context())
	if err != nil {
		return nil, err
	}
	out := make([]wire.Node, 0, len(list))
	for _, n := range list {
		out = append(out, wire.Node{
			Name: n.Name, Address: n.Address, Version: n.Version, Self: n.Self, Started: n.StartedAt, Beat: n.HeartbeatAt, Applied: int64(n.Applied),
			Behind: int64(n.Behind), LagMS: n.Silent.Milliseconds(), LeaseMS: n.LeaseLeft.Milliseconds(),
			AckMS: float64(n.Acknowledged) / float64(time.Millisecond), State: string(n.State),
		})
	}
	return out, nil
}

// adminStats is GET /api/admin/stats.
func (a *API) adminStats(c call, _ none) (wire.AdminStats, error) {
	t, err := a.admin.Totals(c.Context(), c.caller)
	return wire.AdminStats{
		Orgs: t.Orgs, Dashboards: t.Dashboards, Folders: t.Folders, Tags: t.Tags, Users: t.Users, Admins: t.Admins, Editors: t.Editors, Viewers: t.Viewers,
		ActiveUsers: t.Active, ActiveAdmins: t.ActiveAdmins, ActiveEditors: t.ActiveEditors, ActiveViewers: t.ActiveViewers, ActiveSessions: t.Sessions,
		DailyActiveUsers: t.ActiveToday, MonthlyActiveUsers: t.Active, ServiceAccounts: t.ServiceAccounts, Tokens: t.Tokens, Teams: t.Teams,
	}, err
}

// adminSettings is GET /api/admin/settings.
func (a *API) adminSettings(c call, _ none) (map[string]map[string]string, error) {
	return a.admin.Settings(c.Context(), c.caller)
}
