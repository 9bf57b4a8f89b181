//go:build !client && !windows

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

func (p *program) adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "admin", Short: "Maintain a stopped installation", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.resetPassword(), p.acceptHistory())
	return cmd
}

func (p *program) acceptHistory() *cobra.Command {
	var yes bool
	cmd := p.installationFlags(&cobra.Command{
		Use:   "accept-history",
		Short: "Accept a database that was replaced by an older copy",
		Long: `Accept the database as it is, after a failover to an older copy or a restore. The
server has ended again what had ended, with one exception: the journal knows that
permissions were changed, but not how. Check roles, teams and access first. The
server must be stopped.

Without --yes the command shows what would be accepted and changes nothing.`,
		Example: `  hallpass admin accept-history --data /var/lib/hallpass
  hallpass admin accept-history --data /var/lib/hallpass --yes`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			h, err := server.AcceptHistory(cmd.Context(), c, yes)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(p.stdout, histories(h)); err != nil {
				return err
			}
			switch {
			case h.Shared:
				return nil
			case !yes:
				return errors.New("nothing was changed: check what is listed above, then add --yes")
			}
			_, err = fmt.Fprintln(p.stdout, "The history is accepted. Start the server.")
			return err
		},
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "accept the database")
	return cmd
}

// histories tells of the two histories, and of what accepting gives up.
func histories(h server.Histories) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("Installation:  %s", h.Installation)
	say("The journal:   %s, up to change %d", h.Journal, h.Known)
	say("The database:  up to change %d", h.Now)
	if h.Shared {
		say("The database continues where the journal ends: there is nothing to accept.")
		return b.String()
	}
	say("The two have diverged: the database is an older copy, or continues one.")
	if !h.Whole {
		say("What ended before the journal begins is not known here and may be valid again: check users, accounts, tokens and roles.")
	}
	for _, o := range h.Open {
		say("A lost change of permissions (they are as before the change):  %s", o)
	}
	if len(h.Missing) > 0 {
		say("Created since, and lost:  %s", strings.Join(h.Missing, ", "))
	}
	return b.String()
}

func (p *program) resetPassword() *cobra.Command {
	var login string
	var generate bool
	cmd := p.installationFlags(&cobra.Command{
		Use:   "reset-password",
		Short: "Set a new password for a user and end the user's sessions",
		Long: `Set a new password for a user and end all sessions of the user. The server must be
stopped. No password is needed: who can write to the data directory controls all
accounts in it.

On a terminal the new password is asked for; otherwise it is the first line of
stdin.`,
		Example: `  hallpass admin reset-password
  hallpass admin reset-password --login ana --generate
  pass show hallpass/admin | hallpass admin reset-password`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			if login == "" {
				login = c.Security.AdminUser
			}
			password := secret.NewPassword()
			if !generate {
				if password, err = p.askPassword(login); err != nil {
					return err
				}
			}
			if err := server.ResetPassword(cmd.Context(), c, login, password); err != nil {
				return err
			}
			if generate {
				_, err = fmt.Fprintln(p.stdout, password.Reveal())
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "The password of %s was changed, and all sessions of this user were ended.\n", login)
			return err
		},
	})
	cmd.Flags().StringVar(&login, "login", "", "the user's login (default security.admin_user)")
	cmd.Flags().BoolVar(&generate, "generate", false, "make a random password and print it")
	return cmd
}

// askPassword reads a new password: twice and unseen from a terminal, else the
// first line of stdin.
func (p *program) askPassword(login string) (secret.Text, error) {
	f, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return secret.Text{}, fmt.Errorf("read the password: %w", err)
		}
		return secret.NewText(strings.TrimRight(line, "\r\n")), nil
	}
	var typed [2]secret.Text
	for i, prompt := range []string{"New password for " + login + ": ", "Repeat it: "} {
		if _, err := io.WriteString(p.stderr, prompt); err != nil {
			return secret.Text{}, err
		}
		b, err := term.ReadPassword(int(f.Fd()))
		if err != nil {
			return secret.Text{}, fmt.Errorf("read the password: %w", err)
		}
		if _, err := io.WriteString(p.stderr, "\n"); err != nil {
			return secret.Text{}, err
		}
		typed[i] = secret.NewText(string(b))
	}
	if typed[0] != typed[1] {
		return secret.Text{}, errors.New("the two passwords differ")
	}
	return typed[0], nil
}
