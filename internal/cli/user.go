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
	cmd := r.noun("user", "List, create, disable and delete users of the server",
		listUsers(r),
		r.verb("get USER", "Show a user with the user's orgs", (*session).showUser),
		createUser(r), deleteUser(r),
		switchUser(r, "enable USER", "Enable a user, who can sign in again", "Enabled", (*client.Client).EnableUser),
		switchUser(r, "disable USER", "Disable a user, who cannot sign in until enabled", "Disabled", (*client.Client).DisableUser),
	)
	cmd.Long = "List, create, disable and delete users of the server. Only a server admin who is\nlogged in with a password may do so. USER is an id, a uid, a login or an email\naddress."
	return cmd
}

func listUsers(r *remote) *cobra.Command {
	var query string
	cmd := r.verb("list", "List the users of the server", func(s *session) error {
		list, err := s.Users(s.ctx, query)
		if err != nil {
			return err
		}
		t := table{header: []string{"ID", "UID", "LOGIN", "EMAIL", "NAME", "ADMIN", "DISABLED", "LAST SEEN"}}
		for _, u := range list {
			t.rows = append(t.rows, []string{number(u.ID), u.UID, u.Login, u.Email, u.Name, yesNo(u.IsAdmin), yesNo(u.IsDisabled), timeText(u.LastSeenAt)})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVarP(&query, "query", "q", "", "list only users whose login, email address or name contains this text")
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
		{"disabled", yesNo(u.IsDisabled)}, {"orgs", strings.Join(orgs, ", ")}, {"created", exactText(&u.CreatedAt)},
	}})
}

func createUser(r *remote) *cobra.Command {
	var in client.NewUser
	cmd := r.verb("create LOGIN", "Create a user", func(s *session) error {
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
	cmd.Long = "Create a user. On a terminal the password is asked for; otherwise it is the first\nline of stdin."
	cmd.Flags().StringVar(&in.Name, "name", "", "the name of the user")
	cmd.Flags().StringVar(&in.Email, "email", "", "the email address of the user")
	cmd.Flags().Int64Var(&in.OrgID, "org", 0, "the id of the user's org (default chosen by the server)")
	return cmd
}

func deleteUser(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete USER", "Delete a user", func(s *session) error {
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
