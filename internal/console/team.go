package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbTeams = crumb{nounTeam.Title(), "/org/teams"}

func teamURL(t hallpass.Team) string { return crumbTeams.URL + "/" + t.UID }

// teamsView is the list of teams.
type teamsView struct {
	frame
	Query  string
	Rows   []teamRow
	Pager  pager
	Create bool
	Typed  string // into the form for a new team
	Email  string
}

// teamRow is one team.
type teamRow struct {
	Name, Email, URL string
	Members          string
	File             string // the provisioning file that declares it; empty: none does
}

// teams is GET /org/teams.
func teams(req *request) error { return req.showTeams(http.StatusOK, teamsView{}) }

func (req *request) showTeams(status int, view teamsView) error {
	p, text := req.listPage()
	view.Query, view.Create = text, req.caller.Can(hallpass.TeamsCreate, "")
	var list []hallpass.Team
	total := 0
	var err error
	if !view.Create || req.caller.Can(hallpass.TeamsRead, "") {
		list, total, err = pageByName(p, func(p admin.Page) ([]hallpass.Team, int, error) {
			return req.o.Admin.Teams(req.Context(), req.caller, admin.TeamFilter{Query: text, Page: p})
		}, func(t hallpass.Team) string { return t.Name })
		if err != nil {
			return err
		}
	}
	for _, t := range list {
		view.Rows = append(view.Rows, teamRow{t.Name, t.Email, teamURL(t), hallpass.Counted(int(t.Members), "member"), t.File})
	}
	view.Pager = pagerOf(req, "/org/teams", total, p.Number, nounTeam)
	if view.frame, err = req.frame("teams", crumbTeams.Label, crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return req.showStatus(status, "teams/list", view)
}

// createTeam is POST /org/teams.
func createTeam(req *request) error {
	name := strings.TrimSpace(req.PostForm.Get("name"))
	t, err := req.o.Admin.CreateTeam(req.Context(), req.caller, name, strings.TrimSpace(req.PostForm.Get("email")))
	if err == nil {
		req.flash("Team " + t.Name + " created.")
		req.seeOther(teamURL(t))
		return nil
	}
	if req.formError(err, "name", "email") {
		return req.showTeams(httpd.Status(err), teamsView{Typed: name, Email: req.PostForm.Get("email")})
	}
	return err
}

// teamView is the page of one team.
type teamView struct {
	frame
	Name, Email  string
	File         string // the provisioning file that declares it; empty: none does
	URL          string
	Members      []memberRow
	Roles        []string
	Write        bool
	SeeMembers   bool
	WriteMembers bool
	SeeRoles     bool
	Delete       bool
	Typed        string // into the form that adds a member
}

// NeedsWrite, NeedsMembers and NeedsDelete say why something cannot be done;
// empty: it can.
func (t teamView) NeedsWrite() string {
	return cmp.Or(needs(t.Write, hallpass.TeamsWrite), declaredBy(t.File))
}

func (t teamView) NeedsMembers() string { return needs(t.WriteMembers, hallpass.TeamsPermissionsWrite) }

func (t teamView) NeedsDelete() string {
	return cmp.Or(needs(t.Delete, hallpass.TeamsDelete), declaredBy(t.File))
}

// memberRow is somebody in a team.
type memberRow struct {
	ID      int64
	Name    string
	Login   string
	Avatar  string
	URL     string // of the page about them; empty: none that the viewer may see
	Account bool
	Level   string
	Levels  []levelOption
}

func (req *request) team() (hallpass.Team, error) {
	id, err := req.o.Admin.TeamID(req.Context(), req.caller, req.PathValue("team"))
	if err == nil {
		return req.o.Admin.Team(req.Context(), req.caller, id)
	}
	return hallpass.Team{}, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such team in this organization.", Err: err}
}

// teamPage is GET /org/teams/{team}.
func teamPage(req *request) error {
	t, err := req.team()
	if err != nil {
		return err
	}
	return req.showTeam(http.StatusOK, t, teamView{})
}

func (req *request) showTeam(status int, t hallpass.Team, view teamView) error {
	ctx, c, scope := req.Context(), req.caller, t.ID.Scope()
	view.Name, view.Email, view.File, view.URL = t.Name, t.Email, t.File, teamURL(t)
	view.Write, view.Delete = c.Can(hallpass.TeamsWrite, scope), c.Can(hallpass.TeamsDelete, scope)
	view.SeeMembers, view.WriteMembers = c.Can(hallpass.TeamsPermissionsRead, scope), c.Can(hallpass.TeamsPermissionsWrite, scope)
	view.SeeRoles = c.Can(hallpass.TeamsRolesRead, scope)
	if view.SeeMembers {
		_, list, err := req.o.Admin.TeamMembers(ctx, c, t.ID)
		if err != nil {
			return err
		}
		for _, m := range list {
			p := m.Principal
			view.Members = append(view.Members, memberRow{p.ID, displayName(p), p.Login, avatarOf(p.Login), req.principalURL(p), p.Kind == hallpass.ServiceAccountPrincipal, string(m.Level()), levelOptions(hallpass.TeamResource, m.Level())})
		}
	}
	sortByName(view.Members, func(m memberRow) string { return m.Name })
	if view.SeeRoles {
		list, err := req.o.Admin.RolesOfTeam(ctx, c, t.ID, true)
		if err != nil {
			return err
		}
		view.Roles = roleNames(list)
	}
	var err error
	if view.frame, err = req.frame("teams", t.Name, crumbAdmin, crumbAccess, crumbTeams); err != nil {
		return err
	}
	return req.showStatus(status, "teams/detail", view)
}

// teamChange authorizes the caller and begins a change of the team that the path
// names. An error is shown at the field.
func (req *request) teamChange(needs hallpass.Action, field string) (hallpass.Team, change, error) {
	t, err := req.team()
	if err != nil {
		return t, change{}, err
	}
	c := change{Cancel: teamURL(t), here: "teams", crumbs: []crumb{crumbAdmin, crumbAccess, crumbTeams, {t.Name, teamURL(t)}}}
	c.again = func(err error) error {
		if !req.formError(err, field) {
			return err
		}
		return req.showTeam(httpd.Status(err), t, teamView{Typed: req.PostForm.Get("member")})
	}
	return t, c, req.o.Admin.Authorize(req.Context(), req.caller, needs, t.ID.Scope())
}

// editTeam is POST /org/teams/{team}/edit.
func editTeam(req *request) error {
	t, err := req.team()
	if err != nil {
		return err
	}
	f := req.PostForm
	name := strings.TrimSpace(f.Get("name"))
	if err = hallpass.TidyName("name", &name); err == nil { // UpdateTeam would keep the old name for an empty one
		err = req.o.Admin.UpdateTeam(req.Context(), req.caller, t.ID, name, strings.TrimSpace(f.Get("email")))
	}
	if err == nil {
		req.flash("Saved: the name and email of the team " + name + ".")
		req.seeOther(teamURL(t))
		return nil
	}
	if req.formError(err, "name", "email") {
		return req.showTeam(httpd.Status(err), t, teamView{})
	}
	return err
}

// teamGives says which roles the members of a team have through it.
func (req *request) teamGives(t hallpass.Team) ([]string, error) {
	if !req.caller.Can(hallpass.TeamsRolesRead, t.ID.Scope()) {
		return nil, nil
	}
	roles, err := req.o.Admin.RolesOfTeam(req.Context(), req.caller, t.ID, true)
	if err != nil || len(roles) == 0 {
		return nil, err
	}
	return []string{"The team has " + hallpass.Counted(len(roles), "role") + ": " + hallpass.Enumerate(roleNames(roles)) + "."}, nil
}

// addTeamMember is POST /org/teams/{team}/members.
func addTeamMember(req *request) (change, error) {
	t, c, err := req.teamChange(hallpass.TeamsPermissionsWrite, "member")
	if err != nil {
		return c, err
	}
	who := strings.TrimSpace(req.PostForm.Get("member"))
	if who == "" {
		return c, hallpass.Invalidf("member", "enter the login or email of a user, or the name of a service account")
	}
	p, err := req.o.Admin.FindPrincipal(req.Context(), req.caller, who)
	if err != nil {
		return c, err
	}
	name := displayName(p)
	c.Question, c.Button = "Add member", "Add member"
	c.Text = named(name) + " gets all roles and access of the team " + named(t.Name) + " at once."
	c.Steps = []step{{name, "not in the team " + t.Name, "member of the team " + t.Name}}
	c.done = name + " is in the team " + t.Name + " now."
	c.do = func() error {
		return req.o.Admin.AddTeamMember(req.Context(), req.caller, t.ID, p.ID, hallpass.LevelMember)
	}
	c.Facts, err = req.teamGives(t)
	return c, err
}

// teamMember begins a change of the member of the team that the path names.
func (req *request) teamMember() (hallpass.Team, hallpass.TeamMember, change, error) {
	id, _ := hallpass.ParseID(req.PathValue("member"))
	t, c, err := req.teamChange(hallpass.TeamsPermissionsWrite, "member-"+idText(id))
	if err != nil {
		return t, hallpass.TeamMember{}, c, err
	}
	_, list, err := req.o.Admin.TeamMembers(req.Context(), req.caller, t.ID)
	for _, m := range list {
		if m.Principal.ID == id {
			return t, m, c, err
		}
	}
	if err == nil {
		err = &hallpass.Error{Kind: hallpass.NotFound, Message: "That user or service account is not in the team."}
	}
	return t, hallpass.TeamMember{}, c, err
}

// setTeamMember is POST /org/teams/{team}/members/{member}.
func setTeamMember(req *request) (change, error) {
	t, m, c, err := req.teamMember()
	if err != nil {
		return c, err
	}
	name, level := displayName(m.Principal), hallpass.Level(req.PostForm.Get("level"))
	if !slices.Contains(hallpass.TeamResource.Levels(), level) {
		return c, hallpass.Invalidf("level", "there is no such level in a team")
	}
	next := level == hallpass.LevelAdmin
	c.Question, c.Button, c.Destroys = "Change level in the team", "Change level", !next
	c.Text = "An admin of " + named(t.Name) + " may decide who is in the team. Members and admins have the same roles and access through it."
	if m.Admin != next {
		c.Steps = []step{{name, teamLevel(m.Level()) + " " + t.Name, teamLevel(level) + " " + t.Name}}
	}
	c.done, c.same = name+" is "+teamLevel(level)+" "+t.Name+" now.", "Nothing changed: "+name+" is "+teamLevel(level)+" already."
	c.do = func() error {
		return req.o.Admin.UpdateTeamMember(req.Context(), req.caller, t.ID, m.Principal.ID, level)
	}
	return c, nil
}

// removeTeamMember is POST /org/teams/{team}/members/{member}/remove.
func removeTeamMember(req *request) (change, error) {
	t, m, c, err := req.teamMember()
	if err != nil {
		return c, err
	}
	name := displayName(m.Principal)
	c.Question, c.Button, c.Destroys = "Remove from team", "Remove", true
	c.Text = named(name) + " loses all roles and access of the team " + named(t.Name) + " at once."
	c.Steps = []step{{name, teamLevel(m.Level()) + " " + t.Name, "not in the team " + t.Name}}
	c.done = name + " is no longer in the team " + t.Name + "."
	c.do = func() error { return req.o.Admin.RemoveTeamMember(req.Context(), req.caller, t.ID, m.Principal.ID) }
	c.Facts, err = req.teamGives(t)
	return c, err
}

// deleteTeam is GET and POST /org/teams/{team}/delete.
func deleteTeam(req *request) (change, error) {
	t, c, err := req.teamChange(hallpass.TeamsDelete, "")
	if err != nil {
		return c, err
	}
	members := hallpass.Counted(int(t.Members), "member")
	c.Question, c.Button, c.Destroys = "Delete team", "Delete team", true
	c.Text = "Are you sure you want to delete " + named(t.Name) + "? This cannot be undone."
	c.Steps = []step{{t.Name, "team with " + members, wordDeleted}}
	c.Facts, c.Alarm = []string{"It has " + members + ". They lose the roles and access of the team at once."}, t.Members > 0
	c.to, c.done = crumbTeams.URL, "The team "+t.Name+" is deleted."
	c.do = func() error { return req.o.Admin.DeleteTeam(req.Context(), req.caller, t.ID) }
	gives, err := req.teamGives(t)
	c.Facts = append(c.Facts, gives...)
	return c, err
}
