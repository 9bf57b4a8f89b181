package cli

import (
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/wire"
)

func org() *cobra.Command {
	r := &remote{}
	cmd := r.noun("org", "List, create and delete orgs, and change their members",
		r.verb("list", "List the orgs of the server", func(s *session) error {
			list, err := s.Orgs(s.ctx)
			if err != nil {
				return err
			}
			t := table{header: []string{"ID", "NAME"}}
			for _, o := range list {
				t.rows = append(t.rows, []string{number(o.ID), o.Name})
			}
			return s.print(list, t)
		}),
		r.verb("current", "Show the org of the context", func(s *session) error {
			o, _, err := s.Org(s.ctx)
			if err != nil {
				return err
			}
			return s.print(o, table{rows: [][]string{{"id", number(o.ID)}, {"name", o.Name}}})
		}),
		r.verb("create NAME", "Create an org; you become its Admin", func(s *session) error {
			o, err := s.CreateOrg(s.ctx, wire.CreateOrg{Name: s.args[0]})
			if err != nil {
				return err
			}
			return s.print(o, table{rows: [][]string{{"id", number(o.OrgID)}, {"name", s.args[0]}}})
		}),
		deleteOrg(r),
		r.verb("members [ORG]", "List the members of an org", (*session).orgMembers),
		addOrgMember(r),
		r.verb("remove-member ORG USER", "Remove a user from an org", (*session).removeOrgMember),
	)
	cmd.Long = `List, create and delete orgs, and change their members. ORG is an id or a name;
"members" without ORG lists the members of the context's org. USER is a login, an
email address, an id or a uid.`
	return cmd
}

func deleteOrg(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete ORG", "Delete an org with everything in it", func(s *session) error {
		o, err := s.FindOrg(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the org %s (id %d) with everything in it?", o.Name, o.ID); err != nil {
			return err
		}
		m, err := s.DeleteOrg(s.ctx, o.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the org %s (id %d).", o.Name, o.ID)
	}), &yes)
}

func (s *session) orgMembers() error {
	var id int64 // 0: the org of the context
	if len(s.args) > 0 {
		o, err := s.FindOrg(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		id = o.ID
	}
	list, err := s.OrgUsers(s.ctx, id, "")
	if err != nil {
		return err
	}
	t := table{header: []string{"ID", "LOGIN", "EMAIL", "NAME", "ROLE", "DISABLED"}}
	for _, u := range list {
		t.rows = append(t.rows, []string{number(u.UserID), u.Login, u.Email, u.Name, u.Role, yesNo(u.IsDisabled)})
	}
	return s.print(list, t)
}

func addOrgMember(r *remote) *cobra.Command {
	var role string
	cmd := r.verb("add-member ORG USER", "Add a user, named by login or email address, to an org", func(s *session) error {
		o, err := s.FindOrg(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		m, err := s.AddOrgUser(s.ctx, o.ID, wire.AddOrgUser{LoginOrEmail: s.args[1], Role: &role})
		if err != nil {
			return err
		}
		return s.done(m, "Added %s (id %d) to %s with the role %s.", s.args[1], m.UserID, o.Name, role)
	})
	cmd.Flags().StringVar(&role, "role", "Viewer", "the role in the org: None, Viewer, Editor or Admin")
	return cmd
}

func (s *session) removeOrgMember() error {
	o, err := s.FindOrg(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	u, err := s.FindOrgUser(s.ctx, o.ID, s.args[1])
	if err != nil {
		return err
	}
	m, err := s.RemoveOrgUser(s.ctx, o.ID, u.UserID)
	if err != nil {
		return err
	}
	return s.done(m, "Removed %s (id %d) from %s.", u.Login, u.UserID, o.Name)
}
