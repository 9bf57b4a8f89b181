package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/wire"
)

func token() *cobra.Command {
	r := &remote{}
	cmd := r.noun("token", "List, create, delete and inspect tokens of service accounts", listTokens(r), createToken(r), deleteToken(r), inspectToken())
	cmd.Long = "List, create, delete and inspect tokens. ACCOUNT is an id, a uid or a name. TOKEN\nis an id or a name."
	cmd.Args = noVerb
	return cmd
}

func listTokens(r *remote) *cobra.Command {
	var f client.TokenFilter
	cmd := r.verb("list ACCOUNT", "List the tokens of an account", func(s *session) error {
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		list, err := s.TokensWhere(s.ctx, a.ID, f)
		if err != nil {
			return err
		}
		t := table{header: []string{"ID", "NAME", "STATE", "EXPIRES", "LAST USED", "FROM", "LAST FOUR"}}
		for _, k := range list {
			from := ""
			if k.LastUsedAddress != nil {
				from = *k.LastUsedAddress
			}
			t.rows = append(t.rows, []string{number(k.ID), k.Name, stateOf(k, a.IsDisabled), timeText(k.Expiration), timeText(k.LastUsedAt), from, k.LastFour})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVar(&f.Query, "query", "", "list only tokens whose name contains this text")
	cmd.Flags().StringVar(&f.State, "state", "", "list only live, blocked, expired or revoked tokens")
	return cmd
}

// stateOf says whether the token may be used. disabled says whether its account is
// disabled. A server that is Grafana has no field for the state.
func stateOf(k wire.Token, disabled bool) string {
	state := hallpass.TokenState(k.State)
	switch {
	case state != "":
	case k.IsRevoked:
		state = hallpass.TokenRevoked
	case k.HasExpired:
		state = hallpass.TokenExpired
	case disabled:
		state = hallpass.TokenBlocked
	default:
		state = hallpass.TokenLive
	}
	return state.Words()
}

func createToken(r *remote) *cobra.Command {
	var ttl string
	cmd := r.verb("create ACCOUNT NAME", "Create a token and print its secret once", func(s *session) error {
		seconds, err := parseTTL(ttl)
		if err != nil {
			return err
		}
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		k, err := s.CreateToken(s.ctx, a.ID, wire.CreateToken{Name: s.args[1], SecondsToLive: seconds})
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(k)
		}
		if _, err := fmt.Fprintln(s.out, k.Key); err != nil { // only the secret goes to stdout, so that it can be piped into a secret store
			return fmt.Errorf("the token %s (id %d) was created, but its secret could not be written: delete the token: %w", k.Name, k.ID, err)
		}
		return s.say("Created the token %s (id %d) of %s. %s Its secret is not shown again.", k.Name, k.ID, a.Name, expiryText(seconds))
	})
	cmd.Long = `Create a token. Only its secret is written to stdout; the server keeps no copy.`
	cmd.Example = `  hallpass token create ci deploy --ttl 30d
  hallpass token create ci deploy --ttl 12h | gh secret set DEPLOY_TOKEN`
	cmd.Flags().StringVar(&ttl, "ttl", "", "the lifetime of the token: 30d, 12h or never (required)")
	return cmd
}

const maxTTLDays = 36500 // a century, which fits 32 bits of seconds

// parseTTL returns a lifetime in seconds. "never" is 0, as in the API.
func parseTTL(s string) (int64, error) {
	if s == "" {
		return 0, errors.New("--ttl is required: the lifetime of the token, such as 30d, 12h or never")
	}
	if s == "never" {
		return 0, nil
	}
	rest, days := s, 0
	if before, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.Atoi(before)
		if err != nil || n < 0 || n > maxTTLDays {
			return 0, errTTL
		}
		days, rest = n, after
	}
	d := time.Duration(0)
	if rest != "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil || d < 0 || d > maxTTLDays*24*time.Hour {
			return 0, errTTL
		}
	}
	seconds := int64(days)*24*60*60 + int64(d/time.Second)
	if seconds < 1 || d%time.Second != 0 {
		return 0, errTTL
	}
	return seconds, nil
}

var errTTL = errors.New("--ttl must be a lifetime such as 30d, 12h, 1d12h or never, in whole seconds")

// expiryText says when a token that was just made expires.
func expiryText(seconds int64) string {
	if seconds == 0 {
		return "It never expires."
	}
	return "It expires at " + time.Now().Add(time.Duration(seconds)*time.Second).UTC().Format(time.RFC3339) + "."
}

func deleteToken(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete ACCOUNT TOKEN", "Delete a token: it is refused for good", func(s *session) error {
		a, err := s.FindServiceAccount(s.ctx, s.args[0])
		if err != nil {
			return err
		}
		k, err := s.findToken(a.ID, s.args[1])
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the token %s (id %d, last used %s) of %s?", k.Name, k.ID, timeText(k.LastUsedAt), a.Name); err != nil {
			return err
		}
		m, err := s.DeleteToken(s.ctx, a.ID, k.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the token %s (id %d) of %s.", k.Name, k.ID, a.Name)
	}), &yes)
}

// findToken returns the account's token with that id or name. A text of digits is an
// id. Several tokens may have the same name, but only one of them is live.
func (s *session) findToken(account int64, ref string) (wire.Token, error) {
	list, err := s.Tokens(s.ctx, account)
	if err != nil {
		return wire.Token{}, err
	}
	id, notNumber := strconv.ParseInt(ref, 10, 64)
	var found []wire.Token
	for _, k := range list {
		if notNumber == nil && k.ID == id || notNumber != nil && k.Name == ref {
			found = append(found, k)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return wire.Token{}, fmt.Errorf("the account has no token %q", ref)
	}
	return wire.Token{}, fmt.Errorf("%d tokens of the account have the name %q: give the id of one", len(found), ref)
}

func inspectToken() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect",
		Short: "Check offline whether a token is well formed",
		Long: `Read a token from stdin and check whether it is well formed. Print the beginning
of its SHA-256 and its last four characters, which "token list" shows too. The
token is not printed and not sent anywhere. Only the server knows whether it is
valid.

The token is not an argument: arguments are kept in the shell's history.`,
		Example: `  hallpass token inspect < token.txt
  read -rs T; printf %s "$T" | hallpass token inspect`,
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error { return inspect(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
}

// noVerb refuses an unknown command. Its error does not repeat the word, which may
// be a token that was typed one word too early.
func noVerb(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("token has the commands list, create, delete and inspect; to inspect one, give the token on stdin, so that it does not get into the shell's history")
	}
	return nil
}

// noArgument refuses arguments. Its error does not repeat them: one may be a token.
func noArgument(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("inspect takes no arguments: give the token on stdin, so that it does not get into the shell's history")
	}
	return nil
}

const maxTokenInput = 64 << 10

func inspect(in io.Reader, out io.Writer) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxTokenInput)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the token: %w", err)
	}
	text := strings.TrimSpace(line)
	hash, ok := secret.ParseToken(text)
	if !ok {
		return fmt.Errorf("not a well-formed token: %s", flaw(text))
	}
	_, err = fmt.Fprintf(out, "well formed   yes\nlast four     %s\nsha-256       %x…\n", secret.NewText(text).LastFour(), hash[:8])
	return err
}

// flaw says what is wrong with a token, without repeating it.
func flaw(s string) string {
	switch {
	case s == "":
		return "stdin is empty"
	case !strings.HasPrefix(s, secret.Prefix):
		return "it does not begin with " + secret.Prefix
	case len(s) != secret.TokenLen:
		return fmt.Sprintf("it has %d characters, a token has %d", len(s), secret.TokenLen)
	case strings.Count(s, "_") != 2:
		return "it does not have three parts separated by _"
	}
	return "its checksum is wrong: a character is missing or changed"
}
