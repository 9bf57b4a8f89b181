package console

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// enumerate joins names as a sentence does.
func enumerate(names []string) string { return hallpass.Enumerate(names) }

// roleCan says what a basic role permits in the org, as it is now, with what is
// given to everybody who has it. It is looked up once a visit.
func (v *visit) roleCan(r hallpass.Role) string {
	if text, ok := v.can[r]; ok {
		return text
	}
	power, err := v.o.Admin.RolePower(v.r.Context(), v.caller, r)
	text := ""
	if err == nil {
		text, err = v.powerOf(power)
	}
	switch {
	case err != nil:
		httpd.EventOf(v.r.Context()).Err = err
		text = "What it permits cannot be told now."
	case text == "":
		text = "Authenticates, and may do nothing by itself."
	}
	if v.can == nil {
		v.can = make(map[hallpass.Role]string)
	}
	v.can[r] = text
	return text
}

// powerOf says in short what the permissions let one do.
func (v *visit) powerOf(p *hallpass.Permissions) (string, error) {
	n, err := v.namesIn(p.List())
	if err != nil {
		return "", err
	}
	return p.Power(hallpass.Nobody, n.scopeName).Short(), nil
}

// setCan says in words what a role with the permissions lets one do.
func setCan(list []hallpass.Permission, name func(hallpass.Scope) string) string {
	can := hallpass.NewPermissions(list...).Power(hallpass.Nobody, name).Short()
	if can == "" {
		return "Permits nothing."
	}
	return can
}

// permissionsOf lists what is held, without where it comes from.
func permissionsOf(held []admin.Effective) []hallpass.Permission {
	list := make([]hallpass.Permission, 0, len(held))
	for _, e := range held {
		list = append(list, e.Permission)
	}
	return list
}

// powerText says what who can do: a token of an account that holds the
// permissions.
func powerText(who string, held *hallpass.Permissions, name func(hallpass.Scope) string) string {
	w := held.Power(hallpass.ServiceAccountPrincipal, name)
	out := w.Tell(who)
	if w.Changes {
		out += " If the job needs less, take roles or access from the account."
	}
	return out
}

// tokenCan says what a token of the account can do: all that the account holds,
// by its roles, its teams and the access it was given. Who may not see that is
// told what its basic role permits.
func (v *visit) tokenCan(id hallpass.ServiceAccountID, role hallpass.Role) (string, error) {
	const who = "This token"
	if v.caller.Can(hallpass.UsersPermissionsRead, hallpass.UserID(id).Scope()) {
		_, held, err := v.o.Admin.Effective(v.r.Context(), v.caller, idText(int64(id)))
		if err != nil {
			return "", err
		}
		list := permissionsOf(held)
		n, err := v.namesIn(list)
		return powerText(who, hallpass.NewPermissions(list...), n.scopeName), err
	}
	power, err := v.o.Admin.RolePower(v.r.Context(), v.caller, role)
	if err != nil {
		return "", err
	}
	n, err := v.namesIn(power.List())
	return powerText(who, power, n.scopeName) + " It may have more through roles and teams that you may not see.", err
}

// offText says before what an account can do that it can do none of it now.
func offText(disabled bool) string {
	if disabled {
		return "The service account is disabled: its tokens are refused until it is enabled. Then: "
	}
	return ""
}
