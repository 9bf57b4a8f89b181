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
		Use: "admin", Short: "Work on a stopped installation", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.resetPassword(), p.acceptHistory())
	return cmd
}

func (p *program) acceptHistory() *cobra.Command {
	var yes bool
	cmd := p.place(&cobra.Command{
		Use:   "accept-history",
		Short: "Take the database as it is after it came back older",
		Long: `Take the database as it is, after it failed over to an older copy or was
restored. Everything that had ended was ended again by the server, save changes
of permissions, of which its journal knows only that there were some: look at
roles, teams and access first. The server must be stopped.

Without --yes it says what would be accepted, and changes nothing.`,
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
				return errors.New("nothing was changed: look at what is named above, then add --yes")
			}
			_, err = fmt.Fprintln(p.stdout, "The history is accepted. Start the server.")
			return err
		},
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "accept it")
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
		say("The database goes on from where the journal ends: there is nothing to accept.")
		return b.String()
	}
	say("The two have parted: the database is an older copy, or went on from one.")
	if !h.Whole {
		say("What ended before the journal begins is not known here, and may be valid again: look at users, accounts, tokens and roles.")
	}
	for _, o := range h.Open {
		say("A change of permissions that is lost; they are as they were before it:  %s", o)
	}
	if len(h.Missing) > 0 {
		say("Made since and lost:  %s", strings.Join(h.Missing, ", "))
	}
	return b.String()
}

func (p *program) resetPassword() *cobra.Command {
	var login string
	var generate bool
	cmd := p.place(&cobra.Command{
		Use:   "reset-password",
		Short: "Give a user another password and end their sessions",
		Long: `Give a user another password and end every session of theirs. The server must
be stopped: whoever holds the data folder holds the accounts in it.

The new password is asked for, or read from stdin when that is no terminal.`,
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
			_, err = fmt.Fprintf(p.stdout, "The password of %s was changed and every session of theirs ended.\n", login)
			return err
		},
	})
	cmd.Flags().StringVar(&login, "login", "", "whose password (default security.admin_user)")
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
	for i, prompt := range []string{"New password for " + login + ": ", "Once more: "} {
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
