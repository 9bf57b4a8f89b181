package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// rolePickerView is the page on which the roles of a user, account or team are
// chosen.
type rolePickerView struct {
	frame
	Whose  string
	Basic  string // the basic role, which has a form of its own; empty: none
	Groups []roleGroup
	Action string
	Back   string
	Write  bool
	Needs  string
	Chosen int
	Given  string // the title of a role that is chosen because the address says so; empty: none
}

// Field is the form's field for the roles.
func (rolePickerView) Field() string { return "role" }

// roleHolder is the user, account or team whose roles are chosen.
type roleHolder struct {
	here, whose, basic, back string
	name                     string
	crumbs                   []crumb
	to                       hallpass.Grantee
	now                      []admin.GivenRole
	add, remove              hallpass.Action
	account                  hallpass.ServiceAccountID // whose use is looked at; 0: it is no account
	file                     string                    // the provisioning file that says which roles it has; empty: none does
}

// showPicker shows the roles that can be given. Those with the given uids are
// selected.
func (req *request) showPicker(status int, p roleHolder, chosen []string) error {
	c := req.caller
	groups, err := req.assignableRoles(chosen)
	if err != nil {
		return err
	}
	for _, g := range groups {
		for i := range g.Rows {
			r := &g.Rows[i]
			r.Everywhere = slices.ContainsFunc(p.now, func(n admin.GivenRole) bool { return n.Everywhere && n.UID == r.UID })
			r.Chosen = r.Chosen || r.Everywhere
		}
	}
	view := rolePickerView{Groups: groups, Whose: p.whose, Basic: p.basic, Action: p.back + "/roles", Back: p.back}
	view.Write = c.Can(p.add, hallpass.ScopeDelegate) && c.Can(p.remove, hallpass.ScopeDelegate)
	if view.Needs = needs(view.Write, p.add); view.Needs != "" {
		view.Needs += " to change these"
	}
	if view.Needs == "" {
		view.Needs = declaredBy(p.file)
		view.Write = view.Needs == ""
	}
	if view.Write {
		view.Given = choose(groups, req.URL.Query().Get("give"))
	}
	for _, g := range groups {
		for _, r := range g.Rows {
			if r.Chosen {
				view.Chosen++
			}
		}
	}
	if view.frame, err = req.frame(p.here, nounRole.Title(), p.crumbs...); err != nil {
		return err
	}
	return req.showStatus(status, "roles/picker", view)
}

// choose has the role with that uid chosen, unless it is already or the viewer may not
// give it, and returns its title.
func choose(groups []roleGroup, uid string) string {
	for _, g := range groups {
		for i := range g.Rows {
			if r := &g.Rows[i]; r.UID == uid && !r.Chosen && !r.Locked {
				r.Chosen, r.New = true, true
				return r.Title
			}
		}
	}
	return ""
}

// assignableRoles returns the roles that can be chosen. Those with the given uids are
// selected; those that the viewer may not give are locked.
func (req *request) assignableRoles(chosen []string) ([]roleGroup, error) {
	all, err := req.o.Admin.Roles(req.Context(), req.caller, admin.RoleFilter{})
	if err != nil {
		return nil, err
	}
	mine, err := req.o.Admin.Roles(req.Context(), req.caller, admin.RoleFilter{Delegatable: true})
	if err != nil {
		return nil, err
	}
	groups, _, err := req.groupRoles(all, "")
	if err != nil {
		return nil, err
	}
	groups = slices.DeleteFunc(groups, func(g roleGroup) bool { return g.kind == nounBasicRole })
	for _, g := range groups {
		for i := range g.Rows {
			r := &g.Rows[i]
			r.Chosen = slices.Contains(chosen, r.UID)
			r.Locked = !slices.ContainsFunc(mine, func(m hallpass.NamedRole) bool { return m.UID == r.UID })
		}
	}
	return groups, nil
}

// rolePicker returns the handlers of a page where roles are chosen.
func rolePicker(who func(*request) (roleHolder, error)) (show func(*request) error, save func(*request) (change, error)) {
	show = func(req *request) error {
		p, err := who(req)
		if err != nil {
			return err
		}
		return req.showPicker(http.StatusOK, p, uidsOf(p.now))
	}
	save = func(req *request) (change, error) {
		p, err := who(req)
		if err != nil {
			return change{}, err
		}
		return req.changeRoles(p)
	}
	return show, save
}

// changeRoles is the change that the form of a picker makes.
func (req *request) changeRoles(p roleHolder) (change, error) {
	chosen := req.chosenRoles(p)
	c := change{Cancel: p.back, here: p.here, crumbs: append(slices.Clone(p.crumbs), crumb{nounRole.Title(), p.back + "/roles"})}
	c.again = func(err error) error {
		if !req.formError(err, "") {
			return err
		}
		return req.showPicker(httpd.Status(err), p, chosen)
	}
	c.Question, c.Button = "Change roles", "Change roles"
	c.Text = "This changes at once what " + p.whose + " can do."
	c.done, c.same = "Roles of "+p.whose+" changed: ", "Nothing changed: "+p.whose+" has these roles already."
	c.do = func() error { return req.o.Admin.SetRoles(req.Context(), req.caller, p.to, chosen, false) }
	had := uidsOf(p.now)
	var said []string
	for _, r := range p.now {
		if !r.Everywhere && !slices.Contains(chosen, r.UID) {
			c.Steps, c.Destroys = append(c.Steps, step{"Role " + roleTitle(r.NamedRole), wordGiven, wordNotGiven}), true
			said = append(said, roleTitle(r.NamedRole)+" removed")
		}
	}
	for i, uid := range chosen {
		if slices.Contains(had, uid) || slices.Contains(chosen[:i], uid) {
			continue
		}
		r, err := req.o.Admin.Role(req.Context(), req.caller, uid)
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, step{"Role " + roleTitle(r), wordNotGiven, wordGiven})
		said = append(said, roleTitle(r)+" given")
		if can := permissionsWords(r.Permissions, nil); can != "" {
			c.Facts = append(c.Facts, roleTitle(r)+": "+can)
		}
	}
	c.done += hallpass.Enumerate(said) + "."
	if !c.Destroys || p.account == 0 {
		return c, nil
	}
	return c, req.rolesImpact(&c, p, chosen)
}

// rolesImpact says what an account used of late that it cannot do any more with the chosen
// roles. It is an alarm when it did so in the last 24 hours.
func (req *request) rolesImpact(c *change, p roleHolder, chosen []string) error {
	i, err := req.impactFacts(c, p.account, hallpass.ImpactOf{Do: hallpass.ImpactRoles, Roles: chosen})
	c.Alarm = i.WouldBreak() && i.LastUse.After(req.o.Admin.Now().Add(-24*time.Hour))
	c.inUse(p.name)
	return err
}

// chosenRoles returns the uids that the form of a picker has. Hidden roles are not
// on the page, and stay.
func (req *request) chosenRoles(p roleHolder) []string {
	chosen := req.PostForm["role"]
	if req.PostForm.Get("clear") == "yes" {
		chosen = nil
	}
	for _, r := range p.now {
		if r.Hidden && !r.Everywhere {
			chosen = append(chosen, r.UID)
		}
	}
	return chosen
}

// uidsOf lists the roles that are given in this org.
func uidsOf(list []admin.GivenRole) []string {
	var uids []string
	for _, r := range list {
		if !r.Everywhere {
			uids = append(uids, r.UID)
		}
	}
	return uids
}

func accountHolder(req *request) (roleHolder, error) {
	a, err := req.account()
	if err != nil {
		return roleHolder{}, err
	}
	now, err := req.o.Admin.RolesOf(req.Context(), req.caller, idText(int64(a.ID)), true)
	return roleHolder{
		"serviceaccounts", "the service account " + a.Name, a.Role.String(), accountURL(a.UID), a.Name, []crumb{crumbAdmin, crumbAccess, crumbAccounts, {a.Name, accountURL(a.UID)}},
		hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}, now, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove, a.ID, a.File,
	}, err
}

func teamHolder(req *request) (roleHolder, error) {
	t, err := req.team()
	if err != nil {
		return roleHolder{}, err
	}
	now, err := req.o.Admin.RolesOfTeam(req.Context(), req.caller, t.ID, true)
	return roleHolder{
		"teams", "the team " + t.Name, "", teamURL(t), t.Name, []crumb{crumbAdmin, crumbAccess, crumbTeams, {t.Name, teamURL(t)}},
		hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(t.ID)}, now, hallpass.TeamsRolesAdd, hallpass.TeamsRolesRemove, 0, t.File,
	}, err
}

func userHolder(req *request) (roleHolder, error) {
	id, err := req.userID()
	if err != nil {
		return roleHolder{}, err
	}
	who, err := req.principal(int64(id))
	if err != nil {
		return roleHolder{}, err
	}
	name := displayName(who)
	now, err := req.o.Admin.RolesOf(req.Context(), req.caller, idText(int64(id)), true)
	back := userURL(id)
	return roleHolder{
		"users", "the user " + name, "", back, name, []crumb{crumbAdmin, crumbAccess, crumbUsers, {name, back}},
		hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(id)}, now, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove, 0, "",
	}, err
}
