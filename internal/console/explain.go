package console

import (
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// explainView is what an account or a user can do.
type explainView struct {
	frame
	Head    accountHead // of the account; without an ID: it is about a user
	Heading string      // about a user
	Lead    string
	Can     string
	Uses    usesView
	Areas   []powerArea
	Open    bool // there are few
	Total   int
	Action  string // that the form asks about
	Scope   string
	Asked   bool
	Allowed bool
	Via     []string
	Would   []string
	Notes   []string
	Unknown bool // the action may be a typing error
}

// explainRow is one permission.
type explainRow struct {
	Words   string
	Action  string
	Scope   string
	On      link // what the scope is about, if it is one thing with a name
	Sources []string
	Unused  bool // no request needed it in 90 days
}

// explainAccount is GET /org/serviceaccounts/{ref}/access?action&scope.
func explainAccount(req *request) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	ref := idText(int64(a.ID))
	held, n, err := req.effective(ref)
	if err != nil {
		return err
	}
	var view explainView
	power := hallpass.NewPermissions(permissionsOf(held)...).Power(hallpass.ServiceAccountPrincipal, n.scopeName)
	view.Can = disabledWords(a.Disabled) + accountPowerWords(power.Overview("A token of this account"), power)
	if view.Uses, err = req.usesView(a); err != nil {
		return err
	}
	if err := req.explain(&view, ref, held, n, power); err != nil {
		return err
	}
	if view.Head, err = req.accountHead(a, tabAccess); err != nil {
		return err
	}
	if view.frame, err = req.frame("serviceaccounts", "Access", crumbAdmin, crumbAccess, crumbAccounts, crumb{a.Name, view.Head.Account.URL}); err != nil {
		return err
	}
	return req.show("explain/account", view)
}

// effective returns what the principal holds, and the names of what its scopes stand for.
func (req *request) effective(ref string) ([]admin.Effective, names, error) {
	_, held, err := req.o.Admin.Effective(req.Context(), req.caller, ref)
	if err != nil {
		return nil, names{}, err
	}
	n, err := req.namesIn(permissionsOf(held))
	return held, n, err
}

// explain fills in what the principal holds, and answers whether it may do what the form
// asks about.
func (req *request) explain(view *explainView, ref string, held []admin.Effective, n names, power hallpass.Power) error {
	q := req.URL.Query()
	view.Total, view.Open, view.Areas = len(held), len(held) <= openPowers, explainAreas(held, n, view.Uses.unused, power)
	view.Action, view.Scope = strings.TrimSpace(q.Get("action")), strings.TrimSpace(q.Get("scope"))
	if view.Action == "" {
		return nil
	}
	e, err := req.o.Admin.Explain(req.Context(), req.caller, ref, hallpass.Action(view.Action), hallpass.Scope(view.Scope))
	if hallpass.KindOf(err) == hallpass.Invalid && req.formError(err, "action", "scope") {
		return nil
	}
	if err != nil {
		return err
	}
	view.Asked, view.Allowed, view.Notes, view.Unknown = true, e.Allowed, e.Notes, e.Taken == admin.TakenUnknown
	for _, s := range e.Via {
		if text := sourceWords(s); !slices.Contains(view.Via, text) {
			view.Via = append(view.Via, text)
		}
	}
	for _, r := range e.WouldAllow {
		view.Would = append(view.Would, roleTitle(r))
	}
	return nil
}

// explainAreas are the areas of the power, with what is held in each.
func explainAreas(held []admin.Effective, n names, unused map[hallpass.Permission]bool, power hallpass.Power) []powerArea {
	areas := powerAreas(power)
	for _, e := range held {
		name, words := areaOf(e.Permission, n.scopeName)
		area := areaIn(&areas, name)
		row := explainRow{Words: words, Action: actionText(e.Action), Scope: string(e.Scope), On: n.linkTo(e.Scope), Unused: unused[e.Permission]}
		for _, s := range e.Sources {
			if text := sourceWords(s); !slices.Contains(row.Sources, text) {
				row.Sources = append(row.Sources, text)
			}
		}
		if row.Unused {
			area.Unused++
		}
		area.Held = append(area.Held, row)
	}
	return areas
}

// accountPowerWords ends what is said of the power of an account's tokens.
func accountPowerWords(said string, w hallpass.Power) string {
	if w.Changes {
		said += " If the job needs less, remove roles or access from the account."
	}
	return said
}

// tokenPower is what tokens of an account can do, as far as the viewer may see it.
type tokenPower struct {
	req     *request
	account hallpass.ServiceAccountID
	held    *hallpass.Permissions
	partly  bool // the viewer may see only what the basic role permits
	name    func(hallpass.Scope) string
}

// tokenPower returns what tokens of the account can do: everything that the account holds
// through roles, teams and access. A viewer who may not see that learns what the basic
// role permits.
func (req *request) tokenPower(id hallpass.ServiceAccountID, role hallpass.Role) (p tokenPower, err error) {
	p = tokenPower{req: req, account: id}
	var list []hallpass.Permission
	if req.caller.Can(hallpass.UsersPermissionsRead, hallpass.UserID(id).Scope()) {
		_, held, err := req.o.Admin.Effective(req.Context(), req.caller, idText(int64(id)))
		if err != nil {
			return p, err
		}
		list = permissionsOf(held)
		p.held = hallpass.NewPermissions(list...)
	} else {
		p.partly = true
		if p.held, err = req.o.Admin.RolePower(req.Context(), req.caller, role); err != nil {
			return p, err
		}
		list = p.held.List()
	}
	n, err := req.namesIn(list)
	p.name = n.scopeName
	return p, err
}

// under returns what is left of the power under the limits.
func (p tokenPower) under(l hallpass.TokenLimits) (tokenPower, error) {
	var role *hallpass.Permissions
	if l.MaxRole != nil {
		var err error
		if role, err = p.req.o.Admin.RolePower(p.req.Context(), p.req.caller, *l.MaxRole); err != nil {
			return p, err
		}
	}
	p.held = p.held.Whole().Under(hallpass.NewCeiling(l, role), p.account.Scope())
	return p, nil
}

// words tells the power in sentences.
func (p tokenPower) words() string {
	w := p.held.Power(hallpass.ServiceAccountPrincipal, p.name)
	out := accountPowerWords(w.Sentences("This token"), w)
	if p.partly {
		out += " It may have more through roles and teams that you may not see."
	}
	return out
}

// lost lists what the power allows and the other does not, a phrase for each.
func (p tokenPower) lost(other tokenPower) []string {
	list := p.held.List()
	list = slices.DeleteFunc(list, func(h hallpass.Permission) bool { return other.held.Has(h) })
	w := hallpass.NewPermissions(list...).Power(hallpass.ServiceAccountPrincipal, p.name)
	for _, a := range w.Foreign {
		w.Can = append(w.Can, "use "+string(a)+" of other APIs")
	}
	return w.Can
}

// permissionsOf lists the permissions without their sources.
func permissionsOf(held []admin.Effective) []hallpass.Permission {
	list := make([]hallpass.Permission, 0, len(held))
	for _, e := range held {
		list = append(list, e.Permission)
	}
	return list
}
