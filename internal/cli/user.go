package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

func user() *cobra.Command {
	r := &remote{}
	cmd := r.noun("user", "Users of the whole server",
		listUsers(r),
		r.verb("get USER", "Show one with their orgs", (*session).showUser),
		createUser(r), deleteUser(r),
		switchUser(r, "enable USER", "Let one in again", "Enabled", (*client.Client).EnableUser),
		switchUser(r, "disable USER", "Shut one out until they are enabled", "Disabled", (*client.Client).DisableUser),
	)
	cmd.Long = "Work on the users of the whole server, which a server admin may, logged in with\na password. USER is an id, a uid, a login or an e-mail address."
	return cmd
}

func listUsers(r *remote) *cobra.Command {
	var query string
	cmd := r.verb("list", "List them", func(s *session) error {
		list, err := s.Users(s.ctx, query)
		if err != nil {
			return err
		}
		t := table{header: []string{"ID", "UID", "LOGIN", "EMAIL", "NAME", "ADMIN", "DISABLED", "LAST SEEN"}}
		for _, u := range list {
			t.rows = append(t.rows, []string{number(u.ID), u.UID, u.Login, u.Email, u.Name, yesNo(u.IsAdmin), yesNo(u.IsDisabled), moment(u.LastSeenAt)})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVarP(&query, "query", "q", "", "only those whose login, e-mail address or name holds this")
	return cmd
}

func (s *session) showUser() error {
	u, err := s.FindUser(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	var orgs []string
	if !s.json {
		list, err := s.UserOrgs(s.ctx, u.ID)
		if err != nil {
			return err
		}
		for _, o := range list {
			orgs = append(orgs, number(o.OrgID)+" "+o.Name+" ("+o.Role+")")
		}
	}
	return s.print(u, table{rows: [][]string{
		{"id", number(u.ID)}, {"uid", u.UID}, {"login", u.Login}, {"email", u.Email}, {"name", u.Name}, {"server admin", yesNo(u.IsGrafanaAdmin)},
		{"disabled", yesNo(u.IsDisabled)}, {"orgs", strings.Join(orgs, ", ")}, {"created", moment(&u.CreatedAt)},
	}})
}

func createUser(r *remote) *cobra.Command {
	var in client.NewUser
	cmd := r.verb("create LOGIN", "Make one", func(s *session) error {
		in.Login = s.args[0]
		password, err := askSecret(s.cmd, "password", true)
		if err != nil {
			return err
		}
		in.Password = password.Reveal()
		u, err := s.CreateUser(s.ctx, in)
		if err != nil {
			return err
		}
		return s.print(u, table{rows: [][]string{{"id", number(u.ID)}, {"uid", u.UID}, {"login", in.Login}}})
	})
	cmd.Long = "Make a user. The password is asked for on a terminal; elsewhere it is the first\nline of stdin."
	cmd.Flags().StringVar(&in.Name, "name", "", "their name")
	cmd.Flags().StringVar(&in.Email, "email", "", "their e-mail address")
	cmd.Flags().Int64Var(&in.OrgID, "org", 0, "the id of the org they join (default the server's choice)")
	return cmd
}

func deleteUser(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete USER", "Delete one", func(s *session) error {
		u, err := s.FindUser(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the user %s (id %d)?", u.Login, u.ID); err != nil {
			return err
		}
		m, err := s.DeleteUser(s.ctx, u.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the user %s (id %d).", u.Login, u.ID)
	}), &yes)
}

func switchUser(r *remote, use, short, did string, change func(*client.Client, context.Context, int64) (wire.Message, error)) *cobra.Command {
	return r.verb(use, short, func(s *session) error {
		u, err := s.FindUser(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		m, err := change(s.Client, s.ctx, u.ID)
		if err != nil {
			return err
		}
		return s.done(m, did+" the user %s (id %d).", u.Login, u.ID)
	})
}
