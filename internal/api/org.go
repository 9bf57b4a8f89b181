package api

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// org is GET /api/org.
func (a *API) org(c call, _ none) (wire.Org, error) {
	o, err := a.admin.Org(c.Context(), c.caller)
	return wire.Org{ID: int64(o.ID), Name: o.Name, Address: wire.Address(o.Address)}, err
}

// renameOrg is PUT /api/org.
func (a *API) renameOrg(c call, in wire.UpdateOrg) (wire.Message, error) {
	return wire.Message{Message: "Organization updated"}, a.admin.RenameOrg(c.Context(), c.caller, in.Name)
}

// setOrgAddress is PUT /api/org/address.
func (a *API) setOrgAddress(c call, in wire.UpdateAddress) (wire.Message, error) {
	return wire.Message{Message: "Address updated"}, a.admin.SetOrgAddress(c.Context(), c.caller, hallpass.Address(in))
}

// orgUsers is GET /api/org/users?query&limit.
func (a *API) orgUsers(c call, _ none) ([]wire.OrgUser, error) {
	limit, err := number(c, "limit", 0)
	if err != nil {
		return nil, err
	}
	members, err := a.admin.OrgUsers(c.Context(), c.caller, c.URL.Query().Get("query"), limit)
	if err != nil {
		return nil, err
	}
	out := make([]wire.OrgUser, 0, len(members))
	for _, m := range members {
		u := wire.OrgUser{
			OrgID: int64(m.Org), UserID: int64(m.User.ID), UID: m.User.UID, Email: m.User.Email, Name: m.User.Name, Login: m.User.Login,
			AvatarURL: avatarURL(m.User.Email), Role: m.Role.String(), LastSeenAt: timeOrNil(m.User.SeenAt), LastSeenAtAge: age(a.admin.Now(), m.User.SeenAt),
			Created: m.User.CreatedAt, IsDisabled: m.User.Disabled, AuthLabels: []string{},
		}
		if flag(c, "accesscontrol") {
			u.AccessControl = accessControl(c.caller, hallpass.Scope("users:id:"+strconv.FormatInt(u.UserID, 10)))
		}
		out = append(out, u)
	}
	return out, nil
}

// age tells a time ago as Grafana does: in its largest unit, and "10 years" for
// never.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "10 years"
	}
	d := now.Sub(then)
	switch {
	case d < time.Minute:
		return "< 1 minute"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return plural(int(d/time.Hour), "hour")
	}
	return plural(int(d/(24*time.Hour)), "day")
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
