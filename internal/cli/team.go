package cli

import (
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/wire"
)

// teamAdmin is what the API calls the admin of a team; a member is 0.
const teamAdmin = 4

func team() *cobra.Command {
	r := &remote{}
	cmd := r.noun("team", "List, create and delete teams, and change their members",
		listTeams(r),
		r.verb("get TEAM", "Show a team", func(s *session) error {
			t, err := s.FindTeam(s.ctx, s.args[0])
			if err != nil {
				return err
			}
			return s.printTeam(t)
		}),
		createTeam(r), deleteTeam(r),
		r.verb("members TEAM", "List the members of a team", (*session).teamMembers),
		addTeamMember(r),
		r.verb("remove-member TEAM MEMBER", "Remove a user or service account from a team", func(s *session) error {
			return s.onMember(func(t wire.Team, g grantee) error {
				m, err := s.RemoveTeamMember(s.ctx, t.ID, g.id)
				if err != nil {
					return err
				}
				return s.done(m, "Removed %s from %s.", g, t.Name)
			})
		}),
	)
	cmd.Long = "List, create and delete teams, and change their members. TEAM is an id, a uid or a\nname. MEMBER is a user, or a service account as serviceaccount:ci (or sa:ci)."
	return cmd
}

func listTeams(r *remote) *cobra.Command {
	var query string
	cmd := r.verb("list", "List the teams", func(s *session) error {
		list, err := s.Teams(s.ctx, query)
		if err != nil {
			return err
		}
		t := table{header: []string{"ID", "UID", "NAME", "EMAIL", "MEMBERS"}}
		for _, v := range list {
			t.rows = append(t.rows, []string{number(v.ID), v.UID, v.Name, v.Email, number(v.MemberCount)})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVarP(&query, "query", "q", "", "list only teams whose name or email address contains this text")
	return cmd
}

func (s *session) printTeam(t wire.Team) error {
	return s.print(t, declared(t.ProvisionedBy, table{rows: [][]string{
		{"id", number(t.ID)}, {"uid", t.UID}, {"name", t.Name}, {"email", t.Email}, {"org", number(t.OrgID)}, {"members", number(t.MemberCount)},
	}}))
}

func createTeam(r *remote) *cobra.Command {
	var email string
	cmd := r.verb("create NAME", "Create a team", func(s *session) error {
		t, err := s.CreateTeam(s.ctx, wire.CreateTeam{Name: s.args[0], Email: email})
		if err != nil {
			return err
		}
		return s.print(t, table{rows: [][]string{{"id", number(t.TeamID)}, {"uid", t.UID}, {"name", s.args[0]}}})
	})
	cmd.Flags().StringVar(&email, "email", "", "the email address of the team")
	return cmd
}

func deleteTeam(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete TEAM", "Delete a team", func(s *session) error {
		t, err := s.FindTeam(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the team %s (id %d, %d members)?", t.Name, t.ID, t.MemberCount); err != nil {
			return err
		}
		m, err := s.DeleteTeam(s.ctx, t.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the team %s (id %d).", t.Name, t.ID)
	}), &yes)
}

func (s *session) teamMembers() error {
	t, err := s.FindTeam(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	list, err := s.TeamMembers(s.ctx, t.ID)
	if err != nil {
		return err
	}
	out := table{header: []string{"ID", "LOGIN", "NAME", "PERMISSION"}}
	for _, m := range list {
		permission := "member"
		if m.Permission == teamAdmin {
			permission = "admin"
		}
		out.rows = append(out.rows, []string{number(m.UserID), m.Login, m.Name, permission})
	}
	return s.print(list, out)
}

func addTeamMember(r *remote) *cobra.Command {
	var admin bool
	cmd := r.verb("add-member TEAM MEMBER", "Add a user or service account to a team", func(s *session) error {
		return s.onMember(func(t wire.Team, g grantee) error {
			permission := int64(0)
			if admin {
				permission = teamAdmin
			}
			m, err := s.AddTeamMember(s.ctx, t.ID, g.id, permission)
			if err != nil {
				return err
			}
			return s.done(m, "Added %s to %s.", g, t.Name)
		})
	})
	cmd.Flags().BoolVar(&admin, "admin", false, "add the member as an admin of the team")
	return cmd
}

// onMember finds the team and the member that the arguments name.
func (s *session) onMember(fn func(wire.Team, grantee) error) error {
	t, err := s.FindTeam(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	g, err := s.grantee(s.args[1], "user")
	if err != nil {
		return err
	}
	if g.kind == "team" {
		return errTeamInTeam
	}
	return fn(t, g)
}
