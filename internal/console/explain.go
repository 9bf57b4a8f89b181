package console

import (
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// powerView is what an account can do.
type powerView struct {
	frame
	Heading string
	Lead    string
	Tabs    []tab
	Can     string
	Areas   []powerArea
	Total   int
	Action  string // asked about
	Scope   string
	Asked   bool
	Allowed bool
	Via     []string
	Would   []string
	Notes   []string
	Unknown bool // the action is perhaps a slip
}

// powerArea is what it can do in one area.
type powerArea struct {
	Name string
	Rows []powerRow
}

// powerRow is one permission, in words first.
type powerRow struct {
	Words   string
	Action  string
	Scope   string
	On      thing // what the scope is about, if that is one thing with a name
	Sources []string
}

// accountPower is GET /org/serviceaccounts/{ref}/access?action&scope.
func accountPower(v *visit) error {
	a, err := v.account()
	if err != nil {
		return err
	}
	_, held, err := v.o.Admin.Effective(v.r.Context(), v.caller, idText(int64(a.ID)))
	if err != nil {
		return err
	}
	n, err := v.namesIn(permissionsOf(held))
	if err != nil {
		return err
	}
	at := accountURL(a.UID)
	q := v.r.URL.Query()
	view := powerView{
		Heading: a.Name, Lead: "Everything its tokens can do, and where it comes from.", Tabs: v.accountTabs(a, "access"), Can: offText(a.Disabled) + powerText("A token of this account", hallpass.NewPermissions(permissionsOf(held)...), n.scopeName), Total: len(held),
		Action: strings.TrimSpace(q.Get("action")), Scope: strings.TrimSpace(q.Get("scope")), Areas: powerAreas(held, n),
	}
	if view.Action != "" {
		if err := v.ask(&view, a); err != nil {
			return err
		}
	}
	if view.frame, err = v.frame("serviceaccounts", "What can this account do?", crumbAdmin, crumbAccess, crumbList, crumb{a.Name, at}); err != nil {
		return err
	}
	return v.show("access/power", view)
}

// ask answers whether the account may do what the form asks about.
func (v *visit) ask(view *powerView, a hallpass.ServiceAccountSummary) error {
	e, err := v.o.Admin.Explain(v.r.Context(), v.caller, idText(int64(a.ID)), hallpass.Action(view.Action), hallpass.Scope(view.Scope))
	if hallpass.KindOf(err) == hallpass.Invalid && v.blame(err, "action", "scope") {
		return nil
	}
	if err != nil {
		return err
	}
	view.Asked, view.Allowed, view.Notes, view.Unknown = true, e.Allowed, e.Notes, e.Taken == admin.TakenUnknown
	for _, s := range e.Via {
		if text := sourceText(s); !slices.Contains(view.Via, text) {
			view.Via = append(view.Via, text)
		}
	}
	for _, r := range e.WouldAllow {
		view.Would = append(view.Would, roleTitle(r))
	}
	return nil
}

func powerAreas(held []admin.Effective, n names) []powerArea {
	index := make(map[string]int)
	var areas []powerArea
	for _, e := range held {
		area, words := areaOf(e.Permission, n.scopeName)
		i, ok := index[area]
		if !ok {
			i = len(areas)
			index[area] = i
			areas = append(areas, powerArea{Name: area})
		}
		row := powerRow{Words: words, Action: actionText(e.Action), Scope: string(e.Scope), On: n.about(e.Scope)}
		for _, s := range e.Sources {
			if text := sourceText(s); !slices.Contains(row.Sources, text) {
				row.Sources = append(row.Sources, text)
			}
		}
		areas[i].Rows = append(areas[i].Rows, row)
	}
	byName(areas, func(a powerArea) string { return a.Name })
	return areas
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

// permissionsOf lists what is held, without where it comes from.
func permissionsOf(held []admin.Effective) []hallpass.Permission {
	list := make([]hallpass.Permission, 0, len(held))
	for _, e := range held {
		list = append(list, e.Permission)
	}
	return list
}
