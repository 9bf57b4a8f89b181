package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
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
	cmd := r.noun("token", "List, create, replace, pause, limit and delete tokens of service accounts",
		listTokens(r), getToken(r), createToken(r), updateToken(r), narrowToken(r),
		rotateToken(r), watchToken(r), retireToken(r), extendToken(r), undoToken(r),
		pauseToken(r), resumeToken(r), tokenUsage(r), deleteToken(r), pruneTokens(r), inspectToken())
	cmd.Long = `List, create, replace, pause, limit and delete tokens.

ACCOUNT is an id, a uid or a name. TOKEN is an id or a name. Of several tokens with
one name it is the one that works and that no other replaces. While one replaces the
other and both work, commands that show a token take the new one and say so, watch,
retire, extend and undo take both, and those that change a token ask for the id.`
	cmd.SuggestFor = []string{"key", "keys", "apikey", "secret"}
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
		t := table{header: []string{"ID", "NAME", "STATE", "EXPIRES", "LAST USED", "FROM", "USER AGENT", "LAST FOUR"}}
		for _, k := range list {
			t.rows = append(t.rows, []string{number(k.ID), k.Name, stateText(k, a.IsDisabled), timeText(k.Expiration), timeText(k.LastUsedAt), text(k.LastUsedAddress), shortAgent(text(k.LastUsedUserAgent)), k.LastFour})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVar(&f.Query, "query", "", "list only tokens whose name contains this text")
	cmd.Flags().StringVar(&f.State, "state", "", "list only tokens in this state: "+stateList())
	offersWords(cmd, "state", stateWords())
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

// stateText is stateOf for a list, where nothing else says until when a token is paused.
func stateText(k wire.Token, disabled bool) string {
	text := stateOf(k, disabled)
	if hallpass.TokenState(k.State) == hallpass.TokenPaused && k.Paused != nil && k.Paused.Until != nil {
		text += " (over " + timeText(k.Paused.Until) + ")"
	}
	return text
}

// createFlags are the flags of token create.
type createFlags struct {
	ttl, key string
	about    aboutFlags
	limits   limitFlags
}

func createToken(r *remote) *cobra.Command {
	var f createFlags
	cmd := r.verb("create ACCOUNT NAME", "Create a token and print its secret once", func(s *session) error { return s.createToken(f) })
	cmd.Long = `Create a token. Only its secret is written to stdout; the server keeps no copy. The
token may do what its account may, and no more than the flags here allow. "token
narrow" changes them later.`
	cmd.Example = `  hallpass token create ci deploy --ttl 30d
  hallpass token create ci deploy --ttl 12h | gh secret set DEPLOY_TOKEN
  hallpass token create ci report --ttl 90d --read-only --network 10.0.0.0/8 --owner ana@example.com`
	cmd.Flags().StringVar(&f.ttl, "ttl", "", "the lifetime of the token: 30d, 12h or never (required)")
	cmd.Flags().StringVar(&f.key, "idempotency-key", "", "ask again for the answer to an earlier run that used this key (default a new key)")
	f.about.flags(cmd)
	f.limits.flags(cmd)
	return cmd
}

// input returns the body of the request.
func (f createFlags) input(s *session) (in wire.CreateToken, err error) {
	in = wire.CreateToken{Name: s.args[1], Owner: f.about.owner, Purpose: f.about.purpose}
	if in.SecondsToLive, err = parseTTL(f.ttl); err != nil {
		return in, err
	}
	if err := f.limits.create(s, &in); err != nil {
		return in, err
	}
	in.RenewUntil, err = f.about.renewal(time.Now())
	in.SelfRotate = in.RenewUntil != nil
	return in, err
}

func (s *session) createToken(f createFlags) error {
	in, err := f.input(s)
	if err != nil {
		return err
	}
	a, err := s.FindServiceAccount(s.ctx, s.args[0])
	if err != nil {
		return err
	}
	k, key, err := onceMore(s, f.key, func(key string) (wire.NewToken, error) { return s.CreateTokenOnce(s.ctx, a.ID, in, key) })
	if err != nil {
		return s.tokenTaken(err, in.Name)
	}
	if s.json {
		return s.printJSON(k)
	}
	if err := s.printSecret(k.Key, fmt.Sprintf("the token %s (id %d)", k.Name, k.ID), key); err != nil {
		return err
	}
	return s.say("Created the token %s (id %d) of %s. %s Its secret is not shown again.", k.Name, k.ID, a.Name, expiryText(in.SecondsToLive))
}

// expiryText says when a token that was just made expires.
func expiryText(seconds int64) string {
	if seconds == 0 {
		return "It never expires."
	}
	now := time.Now()
	return "It expires at " + ExactTime(now.Add(time.Duration(seconds)*time.Second), now) + "."
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

// findToken returns the account's token with that id or name. Several tokens may have
// the same name: then it is an error, because what comes next cannot be undone. Tokens
// that have ended do not count beside one of the same rotations that works.
func (s *session) findToken(account int64, ref string) (wire.Token, error) {
	list, err := s.Tokens(s.ctx, account)
	if err != nil {
		return wire.Token{}, err
	}
	found := matching(list, ref)
	rest := slices.DeleteFunc(slices.Clone(found), func(k wire.Token) bool {
		return ended(k) && k.ChainID != 0 && slices.ContainsFunc(found, func(other wire.Token) bool { return other.ChainID == k.ChainID && !ended(other) })
	})
	if len(rest) > 1 {
		return wire.Token{}, s.several(rest, rest[len(rest)-1].ID)
	}
	return onlyToken(list, rest, ref)
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
