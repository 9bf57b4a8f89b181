package api

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/wire"
)

// teamAdminPermission is the number of a team's admin on the wire; a plain member is 0.
const teamAdminPermission = 4

func teamRow(c call, t hallpass.Team) wire.Team {
	out := wire.Team{
		ID: int64(t.ID), UID: t.UID, OrgID: int64(t.Org), Name: t.Name, Email: t.Email, AvatarURL: avatarURL(t.Name + "@localhost"), MemberCount: t.Members, ProvisionedBy: t.File,
	}
	if c.caller.Can(hallpass.TeamsPermissionsWrite, t.ID.Scope()) {
		out.Permission = teamAdminPermission
	}
	if flag(c, "accesscontrol") {
		out.AccessControl = accessControl(c.caller, t.ID.Scope())
	}
	return out
}

func teamRows(c call, list []hallpass.Team) []wire.Team {
	out := make([]wire.Team, 0, len(list))
	for _, t := range list {
		out = append(out, teamRow(c, t))
	}
	return out
}

// createTeam is POST /api/teams.
func (a *API) createTeam(c call, in wire.CreateTeam) (wire.CreatedTeam, error) {
	t, err := a.admin.CreateTeam(c.Context(), c.caller, in.Name, in.Email)
	return wire.CreatedTeam{TeamID: int64(t.ID), UID: t.UID, Message: "Team created"}, err
}

// teams is GET /api/teams/search?query&name&page&perpage&teamId.
func (a *API) teams(c call, _ none) (wire.Teams, error) {
	p, err := page(c, "perpage", maxPerPage)
	if err != nil {
		return wire.Teams{}, err
	}
	text, err := searchText(c)
	if err != nil {
		return wire.Teams{}, err
	}
	if err := validateSort(c, "name-asc"); err != nil {
		return wire.Teams{}, err
	}
	list, total, err := a.admin.Teams(c.Context(), c.caller, admin.TeamFilter{Query: text, Name: query(c, "name"), IDs: numbers(c, "teamId"), Page: p})
	return wire.Teams{TotalCount: total, Teams: teamRows(c, list), Page: p.Number, PerPage: p.Size}, err
}

// onTeam resolves {team} and calls fn with it.
func onTeam[Out any](a *API, c call, fn func(hallpass.TeamID) (Out, error)) (Out, error) {
	id, err := a.admin.TeamID(c.Context(), c.caller, c.PathValue("team"))
	if err != nil {
		var zero Out
		return zero, err
	}
	return fn(id)
}

// team is GET /api/teams/{team}.
func (a *API) team(c call, _ none) (wire.Team, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Team, error) {
		t, err := a.admin.Team(c.Context(), c.caller, id)
		return teamRow(c, t), err
	})
}

// updateTeam is PUT /api/teams/{team}.
func (a *API) updateTeam(c call, in wire.CreateTeam) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		return wire.Message{Message: "Team updated"}, a.admin.UpdateTeam(c.Context(), c.caller, id, in.Name, in.Email)
	})
}

// deleteTeam is DELETE /api/teams/{team}.
func (a *API) deleteTeam(c call, _ none) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		return wire.Message{Message: "Team deleted"}, a.admin.DeleteTeam(c.Context(), c.caller, id)
	})
}

// teamMembers is GET /api/teams/{team}/members.
func (a *API) teamMembers(c call, _ none) ([]wire.TeamMember, error) {
	return onTeam(a, c, func(id hallpass.TeamID) ([]wire.TeamMember, error) {
		t, list, err := a.admin.TeamMembers(c.Context(), c.caller, id)
		out := make([]wire.TeamMember, 0, len(list))
		for _, m := range list {
			p := m.Principal
			row := wire.TeamMember{
				OrgID: int64(t.Org), TeamID: int64(id), TeamUID: t.UID, UserID: p.ID, UserUID: p.UID, UID: p.UID, Email: p.Email, Name: p.Name, Login: p.Login,
				AvatarURL: principalAvatar(p), Labels: []string{},
			}
			if m.Admin {
				row.Permission = teamAdminPermission
			}
			out = append(out, row)
		}
		return out, err
	})
}

func principalAvatar(p hallpass.PrincipalInfo) string {
	if p.Kind == hallpass.ServiceAccountPrincipal {
		return accountAvatarURL(p.Name)
	}
	return avatarURL(p.Email)
}

// addTeamMember is POST /api/teams/{team}/members.
func (a *API) addTeamMember(c call, in wire.AddTeamMember) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		if in.UserID <= 0 {
			return wire.Message{}, hallpass.Invalidf("userId", "userId is required")
		}
		level, err := teamLevel(in.Permission)
		if err != nil {
			return wire.Message{}, err
		}
		return wire.Message{Message: "Member added to Team"}, a.admin.AddTeamMember(c.Context(), c.caller, id, in.UserID, level)
	})
}

// teamLevel reads the number of a member's permission.
func teamLevel(permission int64) (hallpass.Level, error) {
	switch permission {
	case 0:
		return hallpass.LevelMember, nil
	case teamAdminPermission:
		return hallpass.LevelAdmin, nil
	}
	return "", hallpass.Invalidf("permission", "permission is neither 0 (member) nor 4 (admin)")
}

// setTeamMembers is PUT /api/teams/{team}/members.
func (a *API) setTeamMembers(c call, in wire.SetTeamMembers) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		return wire.Message{Message: "Team memberships have been updated"}, a.admin.SetTeamMembers(c.Context(), c.caller, id, in.Members, in.Admins)
	})
}

// updateTeamMember is PUT /api/teams/{team}/members/{user}.
func (a *API) updateTeamMember(c call, in wire.UpdateTeamMember) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		level, err := teamLevel(in.Permission)
		if err != nil {
			return wire.Message{}, err
		}
		user, err := a.principalID(c)
		if err != nil {
			return wire.Message{}, err
		}
		return wire.Message{Message: "Team member updated"}, a.admin.UpdateTeamMember(c.Context(), c.caller, id, user, level)
	})
}

// removeTeamMember is DELETE /api/teams/{team}/members/{user}.
func (a *API) removeTeamMember(c call, _ none) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		user, err := a.principalID(c)
		if err != nil {
			return wire.Message{}, err
		}
		return wire.Message{Message: "Team Member removed"}, a.admin.RemoveTeamMember(c.Context(), c.caller, id, user)
	})
}

// principalID reads {user} as the ID or uid of a user or service account.
func (a *API) principalID(c call) (int64, error) {
	return a.admin.PrincipalID(c.Context(), c.caller, c.PathValue("user"))
}

// teamPreferences is GET /api/teams/{team}/preferences.
func (a *API) teamPreferences(c call, _ none) (wire.Preferences, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Preferences, error) {
		return preferences(a.admin.TeamPreferences(c.Context(), c.caller, id))
	})
}

// setTeamPreferences is PUT /api/teams/{team}/preferences.
func (a *API) setTeamPreferences(c call, in wire.UpdatePreferences) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		return wire.Message{Message: preferencesUpdated}, a.admin.SetTeamPreferences(c.Context(), c.caller, id, preferencesPatch(in), true)
	})
}

// teamGroups is GET /api/teams/{team}/groups.
func (a *API) teamGroups(c call, _ none) ([]wire.TeamGroup, error) {
	return onTeam(a, c, func(id hallpass.TeamID) ([]wire.TeamGroup, error) {
		list, err := a.admin.TeamGroups(c.Context(), c.caller, id)
		out := make([]wire.TeamGroup, 0, len(list))
		for _, g := range list {
			out = append(out, wire.TeamGroup{OrgID: int64(c.caller.Org), TeamID: int64(id), GroupID: g})
		}
		return out, err
	})
}

// addTeamGroup is POST /api/teams/{team}/groups.
func (a *API) addTeamGroup(c call, in wire.TeamGroup) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		return wire.Message{Message: "Group added to Team"}, a.admin.AddTeamGroup(c.Context(), c.caller, id, in.GroupID)
	})
}

// deleteTeamGroup is DELETE /api/teams/{team}/groups?groupId=.
func (a *API) deleteTeamGroup(c call, _ none) (wire.Message, error) {
	return onTeam(a, c, func(id hallpass.TeamID) (wire.Message, error) {
		group := query(c, "groupId")
		if group == "" {
			group = c.PathValue("group")
		}
		if group == "" {
			return wire.Message{}, hallpass.Invalidf("groupId", "groupId is required")
		}
		return wire.Message{Message: "Team Group removed"}, a.admin.DeleteTeamGroup(c.Context(), c.caller, id, group)
	})
}
