package admin

import (
	"context"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

var errTeamID = &hallpass.Error{Kind: hallpass.Invalid, ID: "team.invalid-id", Message: "teamId is invalid"}

// TeamID reads a team's ID from a path, which has a decimal ID, of a team that need
// not exist, or the uid of a team of the caller's org.
func (a *Admin) TeamID(ctx context.Context, c hallpass.Caller, ref string) (id hallpass.TeamID, err error) {
	if n, ok := hallpass.ParseID(ref); ok {
		return hallpass.TeamID(n), nil
	}
	if !hallpass.ValidUID(ref) {
		return 0, errTeamID
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		t, err := tx.TeamByUID(c.Org, ref)
		id = t.ID
		return err
	})
	return id, err
}

// CreateTeam makes a team in the caller's org. A human creator is its admin. A
// name that is taken is a Conflict.
func (a *Admin) CreateTeam(ctx context.Context, c hallpass.Caller, name, email string) (team hallpass.Team, err error) {
	if err := hallpass.TidyTeam(&name, email); err != nil {
		return team, err
	}
	now := a.now()
	err = a.change(ctx, c, need{action: hallpass.TeamsCreate}, "team.create", func(t *Turn) error {
		team, err = t.CreateTeam(hallpass.Team{UID: secret.NewUID(), Org: t.Caller.Org, Name: name, Email: email, CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return err
		}
		if t.Caller.User() != 0 && !t.Caller.OrgMissing {
			m := hallpass.TeamMember{Team: team.ID, Principal: hallpass.PrincipalInfo{Principal: t.Caller.Principal}, Admin: true, JoinedAt: now}
			if _, err := t.SetTeamMember(t.Caller.Org, m); err != nil {
				return err
			}
			team.Members = 1
		}
		return t.Audit("team", idText(team.ID), "name "+team.Name)
	})
	return team, err
}

// A TeamFilter picks teams; zero fields pick all.
type TeamFilter struct {
	Query string // part of the name or e-mail, whatever the case
	Name  string // the whole name, whatever the case
	IDs   []int64
	Page  Page
}

// Teams returns a page of the teams that the caller may read, by name, and how
// many there are on all pages.
func (a *Admin) Teams(ctx context.Context, c hallpass.Caller, f TeamFilter) (page []hallpass.Team, total int, err error) {
	err = a.read(ctx, c, need{action: hallpass.TeamsRead}, func(tx *store.Tx) error {
		if f.Name == "" && len(f.IDs) == 0 && c.Can(hallpass.TeamsRead, "teams:id:*") {
			limit, offset := f.Page.limits()
			page, total, err = tx.Teams(c.Org, f.Query, limit, offset)
			return err
		}
		all, _, err := tx.Teams(c.Org, f.Query, 0, 0)
		visible := all[:0]
		for _, t := range all {
			if f.picks(t) && c.Can(hallpass.TeamsRead, t.ID.Scope()) {
				visible = append(visible, t)
			}
		}
		page, total = SlicePage(visible, f.Page), len(visible)
		return err
	})
	return page, total, err
}

func (f TeamFilter) picks(t hallpass.Team) bool {
	if f.Name != "" && hallpass.NameKey(f.Name) != hallpass.NameKey(t.Name) {
		return false
	}
	return len(f.IDs) == 0 || slices.Contains(f.IDs, int64(t.ID))
}

// Team returns the team; NotFound when the caller's org has none with that ID.
func (a *Admin) Team(ctx context.Context, c hallpass.Caller, id hallpass.TeamID) (t hallpass.Team, err error) {
	err = a.readTeam(ctx, c, hallpass.TeamsRead, id, func(tx *store.Tx, team hallpass.Team) error {
		t = team
		return nil
	})
	return t, err
}

// readTeam authorizes action on the team and reads it.
func (a *Admin) readTeam(ctx context.Context, c hallpass.Caller, action hallpass.Action, id hallpass.TeamID, fn func(*store.Tx, hallpass.Team) error) error {
	return a.read(ctx, c, need{action: action, scope: id.Scope()}, func(tx *store.Tx) error {
		t, err := tx.Team(c.Org, id)
		if err != nil {
			return err
		}
		return fn(tx, t)
	})
}

// changeTeam authorizes action on the team and changes it as fn does, which
// returns what the audit says of it.
func (a *Admin) changeTeam(ctx context.Context, c hallpass.Caller, action hallpass.Action, id hallpass.TeamID, what string, fn func(*Turn, hallpass.Team) (detail string, err error)) error {
	return a.change(ctx, c, need{action: action, scope: id.Scope()}, what, func(t *Turn) error {
		team, err := t.Team(t.Caller.Org, id)
		if err != nil {
			return err
		}
		detail, err := fn(t, team)
		if err != nil {
			return err
		}
		return t.Audit("team", idText(id), detail)
	})
}

// TeamsOf returns the teams of the caller's org that the principal is in.
func (a *Admin) TeamsOf(ctx context.Context, c hallpass.Caller, principal int64) (list []hallpass.Team, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.TeamsOf(c.Org, principal)
		return err
	})
	return list, err
}

// UpdateTeam gives the team another name and e-mail; an empty name stays as it
// is.
func (a *Admin) UpdateTeam(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, name, email string) error {
	return a.changeTeam(ctx, c, hallpass.TeamsWrite, id, "team.update", func(t *Turn, team hallpass.Team) (string, error) {
		if name == "" {
			name = team.Name
		} else if err := hallpass.TidyName("name", &name); err != nil {
			return "", err
		}
		if err := hallpass.ValidateText("email", email, hallpass.MaxName); err != nil {
			return "", err
		}
		team.Name, team.Email, team.UpdatedAt = name, email, a.now()
		return "name " + name, t.UpdateTeam(team)
	})
}

// DeleteTeam removes the team. Once it has returned, its members no longer hold
// what the team was given.
func (a *Admin) DeleteTeam(ctx context.Context, c hallpass.Caller, id hallpass.TeamID) error {
	return a.changeTeam(ctx, c, hallpass.TeamsDelete, id, "team.delete", func(t *Turn, team hallpass.Team) (string, error) {
		if err := t.declare(permissionsChanged(team.Org)...); err != nil {
			return "", err
		}
		return "name " + team.Name, t.DeleteTeam(team.Org, id)
	})
}

// TeamMembers returns the team's members, by login.
func (a *Admin) TeamMembers(ctx context.Context, c hallpass.Caller, id hallpass.TeamID) (t hallpass.Team, list []hallpass.TeamMember, err error) {
	err = a.readTeam(ctx, c, hallpass.TeamsPermissionsRead, id, func(tx *store.Tx, team hallpass.Team) error {
		t = team
		list, err = tx.TeamMembers(id)
		return err
	})
	return t, list, err
}

// givenTo returns what the grantee itself was given in org: what its roles permit
// and its access.
func (a *Admin) givenTo(tx *store.Tx, org hallpass.OrgID, to hallpass.Grantee) ([]hallpass.Permission, error) {
	var power []hallpass.Permission
	assigned, err := tx.AssignmentsTo(org, to)
	if err != nil {
		return nil, err
	}
	for _, as := range assigned {
		r, err := tx.Role(org, as.RoleUID)
		if err != nil {
			return nil, err
		}
		power = append(power, r.Permissions...)
	}
	grants, err := tx.GrantsTo(org, to)
	for _, g := range grants {
		power = append(power, g.Permissions()...)
	}
	return power, err
}

// teamPower returns what membership of the team brings.
func (a *Admin) teamPower(tx *store.Tx, org hallpass.OrgID, id hallpass.TeamID, level hallpass.Level) ([]hallpass.Permission, error) {
	power, err := a.givenTo(tx, org, hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(id)})
	membership := hallpass.Grant{Resource: hallpass.TeamResource, ResourceID: idText(id), Level: level}
	return append(power, membership.Permissions()...), err
}

// mayJoin returns nil if the caller may put somebody in the team at that level:
// it holds all that comes with it.
func (a *Admin) mayJoin(tx *store.Tx, c hallpass.Caller, id hallpass.TeamID, level hallpass.Level) error {
	power, err := a.teamPower(tx, c.Org, id, level)
	if err != nil {
		return err
	}
	return a.mayGive(tx, c, power)
}

var errInTeam = &hallpass.Error{Kind: hallpass.Invalid, ID: "team.member-exists", Message: "User is already added to this team"}

// AddTeamMember puts a member or service account of the org in the team, at that
// level. Who is in it already is Invalid.
func (a *Admin) AddTeamMember(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, principal int64, level hallpass.Level) error {
	return a.setTeamMember(ctx, c, id, principal, level, func(was bool) error {
		if was {
			return errInTeam
		}
		return nil
	})
}

// UpdateTeamMember makes somebody in the team its admin or a plain member;
// NotFound when they are not in it.
func (a *Admin) UpdateTeamMember(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, principal int64, level hallpass.Level) error {
	return a.setTeamMember(ctx, c, id, principal, level, func(was bool) error {
		if !was {
			return errNotInTeam
		}
		return nil
	})
}

var errNotInTeam = &hallpass.Error{Kind: hallpass.NotFound, ID: "team.member-not-found", Message: "Team member not found"}

func (a *Admin) setTeamMember(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, principal int64, level hallpass.Level, allowed func(was bool) error) error {
	return a.changeMember(ctx, c, id, principal, "team.member.set", func(t *Turn, p hallpass.PrincipalInfo) (string, error) {
		if err := a.mayJoin(t.Tx, t.Caller, id, level); err != nil {
			return "", err
		}
		m := hallpass.TeamMember{Team: id, Principal: p, Admin: level == hallpass.LevelAdmin, JoinedAt: a.now()}
		was, err := t.SetTeamMember(t.Caller.Org, m)
		if err == nil {
			err = allowed(was)
		}
		return string(level) + " " + p.Login, err
	})
}

// changeMember changes, as fn does, what a principal of the caller's org is in the
// team. fn returns what the audit says of it.
func (a *Admin) changeMember(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, principal int64, action string, fn func(*Turn, hallpass.PrincipalInfo) (detail string, err error)) error {
	n := need{action: hallpass.TeamsPermissionsWrite, scope: id.Scope()}
	return a.change(ctx, c, n, action, func(t *Turn) error {
		p, err := a.principal(t.Tx, t.Caller.Org, idText(principal))
		if err != nil {
			return err
		}
		if _, err := t.Team(t.Caller.Org, id); err != nil {
			return err
		}
		if err := t.accountUnlocked(p.ID); err != nil {
			return err
		}
		if err := t.declare(principalChanged(p.Principal)); err != nil {
			return err
		}
		detail, err := fn(t, p)
		if err != nil {
			return err
		}
		return t.Audit("team", idText(id), detail)
	})
}

// RemoveTeamMember takes somebody out of the team; NotFound when they are not in
// it. Once it has returned, they no longer hold what the team was given.
func (a *Admin) RemoveTeamMember(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, principal int64) error {
	return a.changeMember(ctx, c, id, principal, "team.member.remove", func(t *Turn, p hallpass.PrincipalInfo) (string, error) {
		return p.Login, t.DeleteTeamMember(id, principal)
	})
}

// SetTeamMembers makes the users with those e-mails or logins the team's members
// and admins, and takes every other user out. Service accounts stay.
func (a *Admin) SetTeamMembers(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, members, admins []string) error {
	return a.changeTeam(ctx, c, hallpass.TeamsPermissionsWrite, id, "team.members.set", func(t *Turn, _ hallpass.Team) (string, error) {
		wanted := make(map[int64]hallpass.Level)
		for level, list := range map[hallpass.Level][]string{hallpass.LevelMember: members, hallpass.LevelAdmin: admins} {
			if len(list) > 0 {
				if err := a.mayJoin(t.Tx, t.Caller, id, level); err != nil {
					return "", err
				}
			}
			for _, login := range list {
				u, err := t.UserByLogin(login)
				if err != nil {
					return "", err
				}
				if _, err := t.Principal(t.Caller.Org, int64(u.ID)); err != nil {
					return "", err
				}
				if wanted[int64(u.ID)] != hallpass.LevelAdmin {
					wanted[int64(u.ID)] = level
				}
			}
		}
		return "", a.replaceTeamMembers(t, id, wanted)
	})
}

// replaceTeamMembers makes those wanted the members, and takes other users out.
func (a *Admin) replaceTeamMembers(t *Turn, id hallpass.TeamID, wanted map[int64]hallpass.Level) error {
	now, err := t.TeamMembers(id)
	if err != nil {
		return err
	}
	if err := t.declare(permissionsChanged(t.Caller.Org)...); err != nil {
		return err
	}
	for _, m := range now {
		if _, keep := wanted[m.Principal.ID]; keep || m.Principal.Kind == hallpass.ServiceAccountPrincipal {
			continue
		}
		if err := t.DeleteTeamMember(id, m.Principal.ID); err != nil {
			return err
		}
	}
	for principal, level := range wanted {
		m := hallpass.TeamMember{Team: id, Admin: level == hallpass.LevelAdmin, JoinedAt: a.now()}
		m.Principal.ID = principal
		if _, err := t.SetTeamMember(t.Caller.Org, m); err != nil {
			return err
		}
	}
	return nil
}

// TeamGroups returns the outside groups that the team is matched with.
func (a *Admin) TeamGroups(ctx context.Context, c hallpass.Caller, id hallpass.TeamID) (list []string, err error) {
	err = a.readTeam(ctx, c, hallpass.TeamsPermissionsRead, id, func(tx *store.Tx, _ hallpass.Team) error {
		list, err = tx.TeamGroups(id)
		return err
	})
	return list, err
}

// AddTeamGroup matches the team with an outside group.
func (a *Admin) AddTeamGroup(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, group string) error {
	return a.changeTeam(ctx, c, hallpass.TeamsPermissionsWrite, id, "team.group.add", func(t *Turn, _ hallpass.Team) (string, error) {
		if err := hallpass.TidyGroup(&group); err != nil {
			return "", err
		}
		return group, t.AddTeamGroup(id, group)
	})
}

// DeleteTeamGroup ends the match.
func (a *Admin) DeleteTeamGroup(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, group string) error {
	return a.changeTeam(ctx, c, hallpass.TeamsPermissionsWrite, id, "team.group.remove", func(t *Turn, _ hallpass.Team) (string, error) {
		return group, t.DeleteTeamGroup(id, group)
	})
}
