package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbTeams = crumb{"Teams", "/org/teams"}

func teamURL(t hallpass.Team) string { return crumbTeams.URL + "/" + t.UID }

// teamsView is the list of teams.
type teamsView struct {
	frame
	Query   string
	Rows    []teamRow
	Pager   pager
	Create  bool
	Typed   string
	Problem string
}

// teamRow is one team.
type teamRow struct {
	Name, Email, URL string
	Members          string
}

// teams is GET /org/teams.
func teams(v *visit) error { return v.showTeams(http.StatusOK, teamsView{}) }

func (v *visit) showTeams(status int, view teamsView) error {
	p, text := v.listPage()
	view.Query, view.Create = text, v.caller.Can(hallpass.TeamsCreate, "")
	var list []hallpass.Team
	total := 0
	var err error
	if !view.Create || v.caller.Can(hallpass.TeamsRead, "") {
		if list, total, err = v.o.Admin.Teams(v.r.Context(), v.caller, admin.TeamFilter{Query: text, Page: p}); err != nil {
			return err
		}
	}
	for _, t := range list {
		view.Rows = append(view.Rows, teamRow{t.Name, t.Email, teamURL(t), count(int(t.Members), "member")})
	}
	view.Pager = pagerOf(v, "/org/teams", total, p.Number, "team", "teams")
	if view.frame, err = v.frame("teams", "Teams", crumbAdmin, crumbAccess); err != nil {
		return err
	}
	return v.showStatus(status, "teams/list", view)
}

// createTeam is POST /org/teams.
func createTeam(v *visit) error {
	name := strings.TrimSpace(v.r.PostForm.Get("name"))
	t, err := v.o.Admin.CreateTeam(v.r.Context(), v.caller, name, strings.TrimSpace(v.r.PostForm.Get("email")))
	if err == nil {
		v.seeOther(teamURL(t) + "?done=team-created")
		return nil
	}
	if text, ok := v.problem(err); ok && v.caller.Can(hallpass.TeamsCreate, "") {
		return v.showTeams(httpd.Status(err), teamsView{Problem: text, Typed: name})
	}
	return err
}

// teamView is the page of one team.
type teamView struct {
	frame
	Name, Email  string
	URL          string
	Members      []memberRow
	Roles        []string
	Write        bool
	SeeMembers   bool
	WriteMembers bool
	SeeRoles     bool
	Delete       bool
	Typed        string
	Problem      string
}

// NeedsWrite, NeedsMembers and NeedsDelete say why something cannot be done;
// empty: it can.
func (t teamView) NeedsWrite() string   { return needs(t.Write, hallpass.TeamsWrite) }
func (t teamView) NeedsMembers() string { return needs(t.WriteMembers, hallpass.TeamsPermissionsWrite) }
func (t teamView) NeedsDelete() string  { return needs(t.Delete, hallpass.TeamsDelete) }

// memberRow is somebody in a team.
type memberRow struct {
	ID      int64
	Name    string
	Login   string
	Avatar  string
	Account bool
	Admin   bool
}

func (v *visit) team() (hallpass.Team, error) {
	id, err := v.o.Admin.TeamID(v.r.Context(), v.caller, v.r.PathValue("team"))
	if err == nil {
		return v.o.Admin.Team(v.r.Context(), v.caller, id)
	}
	return hallpass.Team{}, &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no such team in this organization.", Err: err}
}

// teamPage is GET /org/teams/{team}.
func teamPage(v *visit) error {
	t, err := v.team()
	if err != nil {
		return err
	}
	return v.showTeam(http.StatusOK, t, teamView{})
}

func (v *visit) showTeam(status int, t hallpass.Team, view teamView) error {
	ctx, c, scope := v.r.Context(), v.caller, t.ID.Scope()
	view.Name, view.Email, view.URL = t.Name, t.Email, teamURL(t)
	view.Write, view.Delete = c.Can(hallpass.TeamsWrite, scope), c.Can(hallpass.TeamsDelete, scope)
	view.SeeMembers, view.WriteMembers = c.Can(hallpass.TeamsPermissionsRead, scope), c.Can(hallpass.TeamsPermissionsWrite, scope)
	view.SeeRoles = c.Can(hallpass.TeamsRolesRead, scope)
	if view.SeeMembers {
		_, list, err := v.o.Admin.TeamMembers(ctx, c, t.ID)
		if err != nil {
			return err
		}
		for _, m := range list {
			p := m.Principal
			view.Members = append(view.Members, memberRow{p.ID, displayName(p), p.Login, avatarURL(p.Login), p.Kind == hallpass.ServiceAccountPrincipal, m.Admin})
		}
	}
	if view.SeeRoles {
		list, err := v.o.Admin.RolesOfTeam(ctx, c, t.ID, true)
		if err != nil {
			return err
		}
		view.Roles = roleNames(list)
	}
	var err error
	if view.frame, err = v.frame("teams", t.Name, crumbAdmin, crumbAccess, crumbTeams); err != nil {
		return err
	}
	return v.showStatus(status, "teams/detail", view)
}

// onTeam returns the handler of a form on a team's page.
func onTeam(code string, fn func(*visit, hallpass.Team) error) func(*visit) error {
	return func(v *visit) error {
		t, err := v.team()
		if err != nil {
			return err
		}
		err = fn(v, t)
		if err == nil {
			to := teamURL(t)
			if code == "team-deleted" {
				to = crumbTeams.URL
			}
			v.seeOther(to + "?done=" + code)
			return nil
		}
		if text, ok := v.problem(err); ok {
			return v.showTeam(httpd.Status(err), t, teamView{Problem: text, Typed: v.r.PostForm.Get("member")})
		}
		return err
	}
}

func editTeam(v *visit, t hallpass.Team) error {
	f := v.r.PostForm
	return v.o.Admin.UpdateTeam(v.r.Context(), v.caller, t.ID, strings.TrimSpace(f.Get("name")), strings.TrimSpace(f.Get("email")))
}

func addTeamMember(v *visit, t hallpass.Team) error {
	p, err := v.o.Admin.FindPrincipal(v.r.Context(), v.caller, v.r.PostForm.Get("member"))
	if err != nil {
		return err
	}
	return v.o.Admin.AddTeamMember(v.r.Context(), v.caller, t.ID, p.ID)
}

func setTeamMember(v *visit, t hallpass.Team) error {
	id, _ := hallpass.ParseID(v.r.PathValue("member"))
	level := hallpass.LevelMember
	if v.r.PostForm.Get("level") == string(hallpass.LevelAdmin) {
		level = hallpass.LevelAdmin
	}
	return v.o.Admin.UpdateTeamMember(v.r.Context(), v.caller, t.ID, id, level)
}

func removeTeamMember(v *visit, t hallpass.Team) error {
	id, _ := hallpass.ParseID(v.r.PathValue("member"))
	return v.o.Admin.RemoveTeamMember(v.r.Context(), v.caller, t.ID, id)
}

func deleteTeam(v *visit, t hallpass.Team) error {
	return v.o.Admin.DeleteTeam(v.r.Context(), v.caller, t.ID)
}

// deleteTeamForm is GET /org/teams/{team}/delete.
func deleteTeamForm(v *visit) error {
	t, err := v.team()
	if err != nil {
		return err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, hallpass.TeamsDelete, t.ID.Scope()); err != nil {
		return err
	}
	facts := []string{"It has " + count(int(t.Members), "member") + ", who lose what they have through it, at once."}
	if v.caller.Can(hallpass.TeamsRolesRead, t.ID.Scope()) {
		roles, err := v.o.Admin.RolesOfTeam(v.r.Context(), v.caller, t.ID, true)
		if err != nil {
			return err
		}
		if len(roles) > 0 {
			facts = append(facts, "It has "+count(len(roles), "role")+": "+enumerate(roleNames(roles))+".")
		}
	}
	return v.confirm("teams", confirmView{
		Question: "Delete team", Button: "Delete team", Text: "Are you sure you want to delete “" + t.Name + "”? This cannot be undone.",
		Facts: facts, Alarm: t.Members > 0, Action: teamURL(t) + "/delete", Cancel: teamURL(t),
	}, crumb{t.Name, teamURL(t)})
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
