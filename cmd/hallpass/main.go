// Command hallpass gives automation its own credentials and stands guard with
// them in front of any HTTP API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	status := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// program is one run of the command, which tests can start.
type program struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	environ []string
	installation
}

// run runs the command line and returns the exit status: 0, 1 with a reason on
// stderr, or the one that an explain which says no asks for.
func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	unknown := cli.KnownHelp(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = unknown()
	}
	if exit := (*cli.ExitError)(nil); errors.As(err, &exit) {
		return exit.Status
	}
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "hallpass: %s\n", withoutTokens(err.Error(), args)) // nobody is left to tell
		return 1
	}
	return 0
}

// withoutTokens masks the arguments that hold a token in the text of an error, so that
// a token given in the wrong place is not printed.
func withoutTokens(text string, args []string) string {
	for _, a := range args {
		if strings.Contains(a, secret.Prefix) {
			text = strings.ReplaceAll(text, a, secret.Mask)
		}
	}
	return text
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:          "hallpass",
		Short:        "Credentials for automation, and a guard that verifies them",
		Long:         about,
		SilenceUsage: true, SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if near := cli.Suggestions(cmd, args[0]); len(near) > 0 {
				return fmt.Errorf("there is no such command: did you mean %s?", strings.Join(near, " or "))
			}
			return errors.New("there is no such command: run \"hallpass --help\" to list the commands")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(cli.Commands(p.auditDatabase())...)
	root.AddCommand(p.installationCommands()...)
	root.AddCommand(man())
	return root
}
