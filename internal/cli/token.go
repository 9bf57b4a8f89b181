// Package cli is the door of the terminal. What talks to a server does so
// through package client; nothing here has another way.
package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// Token returns the command "token".
func Token() *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", Short: "Look at tokens", Args: noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "inspect",
		Short: "Say whether a token is well formed, without a server",
		Long: `Read a token from stdin and say whether it is well formed, and its fingerprint:
the beginning of its SHA-256 and its last four characters, by which a list tells
tokens apart. The token is never printed and never leaves this process. Whether
it is good is for the server to say.

It takes no argument: what stands on a command line stands in its history.`,
		Example: `  hallpass token inspect < token.txt
  read -rs T; printf %s "$T" | hallpass token inspect`,
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error { return inspect(cmd.InOrStdin(), cmd.OutOrStdout()) },
	})
	return cmd
}

// noVerb refuses what is no command of ours without repeating it: it may be a
// token given one word too early.
func noVerb(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("the only command on tokens is inspect: give the token on stdin, so that it stays out of the shell's history")
	}
	return nil
}

// noArgument refuses arguments without repeating them: one may be a token.
func noArgument(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("no argument is taken: give the token on stdin, so that it stays out of the shell's history")
	}
	return nil
}

const maxInput = 64 << 10

func inspect(in io.Reader, out io.Writer) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxInput)).ReadString('\n')
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

// flaw says what is wrong with a token, in words that do not repeat it.
func flaw(s string) string {
	switch {
	case s == "":
		return "nothing came on stdin"
	case !strings.HasPrefix(s, secret.Prefix):
		return "it does not begin with " + secret.Prefix
	case len(s) != secret.TokenLen:
		return fmt.Sprintf("it has %d characters, a token has %d", len(s), secret.TokenLen)
	case strings.Count(s, "_") != 2:
		return "it is not made of three parts with _ between"
	}
	return "its checksum is wrong: a character was changed or lost"
}
