package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// maxInput bounds what is read from stdin and from files, in bytes.
const maxInput = 1 << 20

// terminal returns stdin and true if stdin is a terminal.
func terminal(cmd *cobra.Command) (*os.File, bool) {
	f, ok := cmd.InOrStdin().(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// askSecret reads a secret. On a terminal the text is not shown, and a new secret is
// asked for twice. Without a terminal, the secret is the first line of stdin.
func askSecret(cmd *cobra.Command, what string, fresh bool) (secret.Text, error) {
	f, ok := terminal(cmd)
	if !ok {
		line, err := firstLine(cmd.InOrStdin())
		if err == nil && line == "" {
			err = fmt.Errorf("stdin has no %s", what)
		}
		return secret.NewText(line), err
	}
	prompts := []string{strings.ToUpper(what[:1]) + what[1:] + ": "}
	if fresh {
		prompts = append(prompts, "Repeat it: ")
	}
	var typed []secret.Text
	for _, prompt := range prompts {
		t, err := unseen(cmd, f, prompt)
		if err != nil {
			return secret.Text{}, err
		}
		typed = append(typed, t)
	}
	switch {
	case typed[0].Empty():
		return secret.Text{}, fmt.Errorf("no %s was entered", what)
	case typed[0] != typed[len(typed)-1]:
		return secret.Text{}, errors.New("the two entries differ")
	}
	return typed[0], nil
}

func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, maxInput)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read stdin: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// unseen reads a line that the terminal does not show.
func unseen(cmd *cobra.Command, f *os.File, prompt string) (secret.Text, error) {
	if _, err := io.WriteString(cmd.ErrOrStderr(), prompt); err != nil {
		return secret.Text{}, err
	}
	fd := int(f.Fd())
	was, err := term.GetState(fd)
	if err != nil {
		return secret.Text{}, err
	}
	typed, err := unlessEnded(cmd.Context(), func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if err != nil {
		return secret.Text{}, errors.Join(err, term.Restore(fd, was)) // after Ctrl-C: the terminal shows typed text again
	}
	_, err = io.WriteString(cmd.ErrOrStderr(), "\n")
	return secret.NewText(typed), err
}

// unlessEnded runs read and waits for it, or for the end of ctx. Ctrl-C ends ctx, but
// does not end a read.
func unlessEnded(ctx context.Context, read func() (string, error)) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := read()
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// confirm asks before a change that cannot be undone. Without a terminal, the flag
// --yes is required.
func confirm(cmd *cobra.Command, yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	f, ok := terminal(cmd)
	if !ok {
		return errors.New("cannot ask for confirmation without a terminal: add --yes to confirm")
	}
	if _, err := io.WriteString(cmd.ErrOrStderr(), printable(fmt.Sprintf(format, args...))+" [y/N] "); err != nil {
		return err
	}
	answer, err := unlessEnded(cmd.Context(), func() (string, error) { return firstLine(f) })
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("cancelled: nothing was changed")
}

func yesFlag(cmd *cobra.Command, yes *bool) *cobra.Command {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}
