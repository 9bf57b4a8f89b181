package console

import (
	"net/http"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// pickerView is where the roles of somebody are chosen.
type pickerView struct {
	frame
	Whose  string
	Basic  string // the basic role, which is chosen elsewhere; empty: there is none
	Groups []roleGroup
	Action string
	Back   string
	Write  bool
	Needs  string
	Chosen int
}

// Field is the form's field for the roles.
func (pickerView) Field() string { return "role" }

// pick is somebody whose roles are chosen.
type pick struct {
	here, whose, basic, back string
	crumbs                   []crumb
	to                       hallpass.Grantee
	now                      []admin.GivenRole
	add, remove              hallpass.Action
}

// showPicker shows the roles that can be given, those that are given chosen.
func (v *visit) showPicker(status int, p pick, chosen []string) error {
	c := v.caller
	groups, err := v.pickable(chosen)
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
	view := pickerView{Groups: groups, Whose: p.whose, Basic: p.basic, Action: p.back + "/roles", Back: p.back}
	view.Write = c.Can(p.add, hallpass.ScopeDelegate) && c.Can(p.remove, hallpass.ScopeDelegate)
	view.Needs = needs(view.Write, p.add)
	for _, g := range groups {
		for _, r := range g.Rows {
			if r.Chosen {
				view.Chosen++
			}
		}
	}
	if view.frame, err = v.frame(p.here, "Roles", p.crumbs...); err != nil {
		return err
	}
	return v.showStatus(status, "roles/picker", view)
}

// pickable returns the roles that are shown, those with the given uids chosen,
// and those locked that the viewer may not give.
func (v *visit) pickable(chosen []string) ([]roleGroup, error) {
	all, err := v.o.Admin.Roles(v.r.Context(), v.caller, admin.RoleFilter{})
	if err != nil {
		return nil, err
	}
	mine, err := v.o.Admin.Roles(v.r.Context(), v.caller, admin.RoleFilter{Delegatable: true})
	if err != nil {
		return nil, err
	}
	groups, _, err := v.groupRoles(all, "")
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		for i := range g.Rows {
			r := &g.Rows[i]
			r.Chosen = slices.Contains(chosen, r.UID)
			r.Locked = !slices.ContainsFunc(mine, func(m hallpass.NamedRole) bool { return m.UID == r.UID })
		}
	}
	return groups, nil
}

// picker returns the handlers of a page where roles are chosen.
func picker(who func(*visit) (pick, error)) (show func(*visit) error, save func(*visit) (change, error)) {
	show = func(v *visit) error {
		p, err := who(v)
		if err != nil {
			return err
		}
		return v.showPicker(http.StatusOK, p, uidsOf(p.now))
	}
	save = func(v *visit) (change, error) {
		p, err := who(v)
		if err != nil {
			return change{}, err
		}
		return v.changeRoles(p)
	}
	return show, save
}

// changeRoles is the change that the form of a picker makes.
func (v *visit) changeRoles(p pick) (change, error) {
	chosen := v.r.PostForm["role"]
	if v.r.PostForm.Get("clear") == "yes" {
		chosen = nil
	}
	for _, r := range p.now { // what the page did not show stays
		if r.Hidden && !r.Everywhere {
			chosen = append(chosen, r.UID)
		}
	}
	c := change{Cancel: p.back, here: p.here, crumbs: append(slices.Clone(p.crumbs), crumb{"Roles", p.back + "/roles"})}
	c.again = func(err error) error {
		if !v.blame(err, "") {
			return err
		}
		return v.showPicker(httpd.Status(err), p, chosen)
	}
	c.Question, c.Button = "Change roles", "Change roles"
	c.Text = "What " + p.whose + " can do changes at once."
	c.done, c.same = "Roles changed of "+p.whose+": ", "Nothing changed: "+p.whose+" has these roles already."
	c.do = func() error { return v.o.Admin.SetRoles(v.r.Context(), v.caller, p.to, chosen, false) }
	had := uidsOf(p.now)
	var said []string
	for _, r := range p.now {
		if !r.Everywhere && !slices.Contains(chosen, r.UID) {
			c.Steps, c.Destroys = append(c.Steps, step{"Role " + roleTitle(r.NamedRole), "given", "not given"}), true
			said = append(said, roleTitle(r.NamedRole)+" taken")
		}
	}
	for i, uid := range chosen {
		if slices.Contains(had, uid) || slices.Contains(chosen[:i], uid) {
			continue
		}
		r, err := v.o.Admin.Role(v.r.Context(), v.caller, uid)
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, step{"Role " + roleTitle(r), "not given", "given"})
		said = append(said, roleTitle(r)+" given")
		if can := setCan(r.Permissions, nil); can != "" {
			c.Facts = append(c.Facts, roleTitle(r)+": "+can)
		}
	}
	c.done += enumerate(said) + "."
	return c, nil
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

func accountPick(v *visit) (pick, error) {
	a, err := v.account()
	if err != nil {
		return pick{}, err
	}
	now, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, idText(int64(a.ID)), true)
	return pick{
		"serviceaccounts", "the service account " + a.Name, a.Role.String(), accountURL(a.UID), []crumb{crumbAdmin, crumbAccess, crumbList, {a.Name, accountURL(a.UID)}},
		hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}, now, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove,
	}, err
}

func teamPick(v *visit) (pick, error) {
	t, err := v.team()
	if err != nil {
		return pick{}, err
	}
	now, err := v.o.Admin.RolesOfTeam(v.r.Context(), v.caller, t.ID, true)
	return pick{
		"teams", "the team " + t.Name, "", teamURL(t), []crumb{crumbAdmin, crumbAccess, crumbTeams, {t.Name, teamURL(t)}},
		hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(t.ID)}, now, hallpass.TeamsRolesAdd, hallpass.TeamsRolesRemove,
	}, err
}

func userPick(v *visit) (pick, error) {
	id, err := v.userID()
	if err != nil {
		return pick{}, err
	}
	who, err := v.principal(int64(id))
	if err != nil {
		return pick{}, err
	}
	name := displayName(who)
	now, err := v.o.Admin.RolesOf(v.r.Context(), v.caller, idText(int64(id)), true)
	back := userURL(id)
	return pick{
		"users", "the user " + name, "", back, []crumb{crumbAdmin, crumbAccess, crumbUsers, {name, back}},
		hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(id)}, now, hallpass.UsersRolesAdd, hallpass.UsersRolesRemove,
	}, err
}
