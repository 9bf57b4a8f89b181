package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// defaultServer is where hallpass serve listens by default.
const defaultServer = "http://127.0.0.1:3080"

func login() *cobra.Command {
	var name, user string
	var org int64
	cmd := &cobra.Command{
		Use: "login [URL]", Short: "Log in to a server and keep the credential as a context",
		Long: `Test a credential with GET /api/org on the server and keep it as a context, which
becomes the current one. Without URL the server is ` + defaultServer + `.
The context stays in the org in which it was tested, also when the user chooses
another one in the console.

The secret is the token of a service account, or with --user the password of that
user. On a terminal it is asked for and not shown; otherwise it is the first line
of stdin. It is never an argument: arguments are visible in the shell's history
and in the list of processes.`,
		Example: `  hallpass login https://hallpass.example.com
  hallpass login --user admin --org 2 --name second
  vault read -field=token ci/hallpass | hallpass login https://hallpass.example.com`,
		Args: loginArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			server := defaultServer
			if len(args) > 0 {
				server = args[0]
			}
			if name != "" {
				if err := checkContextName(name); err != nil {
					return err
				}
			}
			return logIn(cmd, name, entry{Server: server, User: user, Org: org})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the name of the context (default the server's host)")
	f.StringVar(&user, "user", "", "log in as this user with a password instead of a token")
	f.Int64Var(&org, "org", 0, "the id of the org to work in (default the org of the token, or the one that the user is in now)")
	quietFlags(cmd)
	return cmd
}

// loginArgument takes one URL. Its errors do not repeat the argument, which may be a
// secret.
func loginArgument(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return errors.New("login takes one URL: the secret is asked for, or read from stdin")
	}
	for _, a := range args {
		if _, err := cleanURL(a); err != nil {
			return err
		}
	}
	return filled(cmd)
}

func logIn(cmd *cobra.Command, name string, e entry) error {
	var err error
	if e.Server, err = cleanURL(e.Server); err != nil {
		return err
	}
	if e.Org < 0 {
		return errors.New("--org must be the id of an org")
	}
	file, err := loadContexts() // before the secret is asked for: if contexts cannot be kept, nobody types it in vain
	if err != nil {
		return err
	}
	if plain(e.Server) {
		if _, err := fmt.Fprintln(cmd.ErrOrStderr(), plainWarning); err != nil {
			return err
		}
	}
	if e.Secret, err = loginSecret(cmd, e.User); err != nil {
		return tell(err, e.Server, cmd)
	}
	where, err := e.prove(cmd.Context())
	if err != nil {
		return loginError(err, e.Server, cmd)
	}
	if name == "" {
		name = nameOf(e.Server)
	}
	file.Contexts[name], file.Current = e, name
	if err := file.save(); err != nil {
		return err
	}
	p := printer{messages: cmd.ErrOrStderr()}
	return p.say("Logged in to %s as %s, %s. The context %s is kept in %s.", e.Server, e.who(), where, name, file.path)
}

// plain reports whether the connection to the server is not encrypted and leaves
// this machine.
func plain(server string) bool {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

const plainWarning = "Warning: http:// sends the secret over the network unencrypted."

// loginSecret reads the password of a user, or a token.
func loginSecret(cmd *cobra.Command, user string) (string, error) {
	if user != "" {
		t, err := askSecret(cmd, "password", false)
		return t.Reveal(), err
	}
	t, err := askSecret(cmd, "token", false)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(t.Reveal())
	if _, ok := secret.ParseToken(text); !ok && (strings.HasPrefix(text, secret.Prefix) || text == "") {
		return "", fmt.Errorf("not a well-formed token: %s", flaw(text))
	}
	return text, nil
}

// prove checks the credential and says in which org it is valid. It keeps that org in e: a
// request that names none is in the org that the person last chose in the console. A
// credential that may not read its org is valid if it can read its own permissions, which
// every known caller can.
func (e *entry) prove(ctx context.Context) (string, error) {
	c := e.client()
	org, _, err := c.Org(ctx)
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		e.Org = org.ID
		return fmt.Sprintf("in org %d (%s)", org.ID, org.Name), err
	}
	if _, err := c.Permissions(ctx); err != nil {
		return "", err
	}
	const unread = "that it may not read (it lacks orgs:read)"
	if e.User == "" { // a token is in its one org
		return "in an org " + unread, nil
	}
	self, err := c.Self(ctx)
	e.Org = self.OrgID
	return fmt.Sprintf("in org %d, %s", self.OrgID, unread), err
}

// loginError is told without the advice to log in.
func loginError(err error, server string, cmd *cobra.Command) error {
	var refused *client.Error
	if errors.As(err, &refused) {
		return &toldError{printable("the login failed: " + refused.Error()), err}
	}
	return tell(err, server, cmd)
}

// nameOf returns the default name of a server's context: its host, and the path below which
// it is, if there is one.
func nameOf(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return "default"
	}
	name := u.Host + strings.ReplaceAll(strings.TrimRight(u.Path, "/"), "/", "-")
	if checkContextName(name) != nil {
		return "default"
	}
	return name
}

func logout() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "logout", Short: "Delete the current context with its secret from this machine",
		Long: `Delete the current context, or the one that --context names, with its secret from
this machine. The secret still works: to end a token use "hallpass token delete".`,
		Args: wordsOf("logout"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadContexts()
			if err != nil {
				return err
			}
			picked, _, err := c.pick(name, "")
			if err != nil {
				return err
			}
			return c.forget(cmd, picked)
		},
	}
	cmd.Flags().StringVar(&name, "context", "", "the context to delete instead of the current one")
	quietFlags(cmd)
	return cmd
}
