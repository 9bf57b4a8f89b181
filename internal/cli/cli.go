// Package cli is the door of the terminal. It calls servers through package
// client only.
package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hallpass-dev/hallpass/client"
)

// KnownHelp has root refuse an unknown word with the error of the command that does not
// know it, also where --help follows or "help" precedes it. Cobra would show the help of
// the command before and succeed. The error of --help is what the returned function
// returns after root was executed.
func KnownHelp(root *cobra.Command) (unknown func() error) {
	var err error
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if err = known(cmd, cmd.Flags().Args()); err == nil {
			show(cmd, args)
		}
	})
	root.InitDefaultHelpCmd()
	if help, _, found := root.Find([]string{"help"}); found == nil {
		help.Run = nil
		help.RunE = func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil {
				err = known(cmd, rest)
			}
			if err != nil {
				return err
			}
			return cmd.Help()
		}
	}
	return func() error { return err }
}

// known returns the error of a command that has commands and is given the name of none.
func known(cmd *cobra.Command, words []string) error {
	if !cmd.HasAvailableSubCommands() {
		return nil
	}
	return cmd.ValidateArgs(words)
}

// Commands returns the commands that work with a server: they call one, or keep the
// contexts. token inspect and version call none, and audit verify only if it is given
// nothing to read. db is nil in a program without the server.
func Commands(db *AuditDatabase) []*cobra.Command {
	return []*cobra.Command{
		login(), logout(), contextCommand(),
		serviceAccount(), token(), inventory(), attention(), role(), team(), user(), org(), guard(), explain(), audit(db), channel(), tokenPolicy(), versionCommand(),
	}
}

// An ExitError ends the process with a status and no message: the answer is on
// stdout.
type ExitError struct{ Status int }

// Error names the status.
func (e *ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// notAllowed is the status of an explain whose answer is no.
const notAllowed = 3

// A remote is what the commands on one noun share: the flags that say which
// server is called and how the answer is printed.
type remote struct{ context, server, output string }

func (r *remote) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&r.context, "context", "", "the context to use instead of the current one")
	f.StringVar(&r.server, "server", "", "the URL of a server that you are logged in to, instead of the current context's")
	outputFlag(cmd, &r.output)
	quietFlags(cmd)
	offers(cmd, "context", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return contextNames()
	})
}

// offers sets the function that completes the values of a flag in the shell.
func offers(cmd *cobra.Command, flag string, fn cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, fn); err != nil {
		panic(err) // the build is broken: the command has no such flag
	}
}

// offersWords offers the words as values of a flag in the shell.
func offersWords(cmd *cobra.Command, flag string, words []string) {
	offers(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func outputFlag(cmd *cobra.Command, v *string) {
	cmd.PersistentFlags().StringVarP(v, "output", "o", "table", "the output format: table or json")
}

// quietFlags leaves the value out of the error about an unknown flag: it may be a
// secret. The error names the flag that was meant, if there is one like it.
func quietFlags(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), " in -")
		if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
			if near := flagHint(cmd, name); near != "" {
				text += ": did you mean " + near + "?"
			}
		}
		return errors.New(text)
	})
}

// noun returns the command of a noun with its verbs.
func (r *remote) noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := group(use, short, verbs...)
	r.flags(cmd)
	return cmd
}

// group returns a command that does nothing by itself and has verbs.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	var names []string
	for _, v := range verbs {
		names = append(names, v.Name())
		v.SuggestFor = append(v.SuggestFor, otherVerbs[v.Name()]...)
	}
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 { // the error does not repeat it: it may be a secret that was typed one word too early
				if holdsToken(args[0]) {
					return errTokenArgument
				}
				if near := Suggestions(cmd, args[0]); len(near) > 0 {
					return fmt.Errorf("%s has no such command: did you mean %s?", use, strings.Join(near, " or "))
				}
				return fmt.Errorf("%s has no such command: it has %s", use, strings.Join(names, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// A session is one run of a command that calls a server.
type session struct {
	*client.Client
	printer
	ctx  context.Context
	cmd  *cobra.Command
	args []string
	name string // of the context
	used entry
}

// verb returns a command that calls a server. The words after its name in use
// say which arguments it takes.
func (r *remote) verb(use, short string, fn func(*session) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: wordsOf(use), ValidArgsFunction: r.complete(use),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := r.open(cmd, args)
			if err != nil {
				return err
			}
			return s.told(fn(s))
		},
	}
}

func (r *remote) open(cmd *cobra.Command, args []string) (*session, error) {
	p, err := newPrinter(cmd, r.output)
	if err != nil {
		return nil, err
	}
	file, err := loadContexts()
	if err != nil {
		return nil, err
	}
	name, e, err := file.pick(r.context, r.server)
	if err != nil {
		return nil, err
	}
	return &session{Client: e.client(), printer: p, ctx: cmd.Context(), cmd: cmd, args: args, name: name, used: e}, nil
}

// wordsOf returns the check of the arguments that a usage line describes: "get
// ACCOUNT" takes one argument, "explain ACTION [SCOPE]" one or two, and "assign ROLE
// TO..." two or more. The check refuses a token as an argument, and its errors
// repeat no argument. It refuses a flag without its value too.
func wordsOf(use string) cobra.PositionalArgs {
	words := strings.Fields(use)[1:]
	least, most := 0, len(words)
	for _, w := range words {
		if !strings.HasPrefix(w, "[") {
			least++
		}
		if strings.HasSuffix(w, "...") {
			most = 1 << 10
		}
	}
	return func(cmd *cobra.Command, args []string) error {
		for _, a := range args {
			if holdsToken(a) {
				return errTokenArgument
			}
			if a == "" {
				return errors.New("an argument is empty")
			}
		}
		if err := filled(cmd); err != nil {
			return err
		}
		if len(args) < least || len(args) > most {
			if most == 0 {
				return fmt.Errorf("%s takes no arguments", cmd.CommandPath())
			}
			return fmt.Errorf("%s takes %s", cmd.CommandPath(), strings.Join(words, " "))
		}
		return nil
	}
}

// texts are the flags that take a text for people, which may be empty. Of the inventory,
// --owner is a filter and may not.
var texts = map[string]bool{"owner": true, "purpose": true, "reason": true, "description": true, "display-name": true, "group": true, "email": true, "name": true}

// filled returns an error if a flag was given an empty value, as by the variable of a script
// that was never set: a filter that is empty would select everything.
func filled(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		empty := f.Value.Type() == "string" && f.Value.String() == ""
		if list, several := f.Value.(pflag.SliceValue); several {
			empty = slices.Contains(list.GetSlice(), "")
		}
		if empty && (!texts[f.Name] || cmd.Name() == "inventory") {
			err = fmt.Errorf("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// A toldError is an error with a text for the terminal.
type toldError struct {
	text string
	err  error
}

func (e *toldError) Error() string { return e.text }
func (e *toldError) Unwrap() error { return e.err }

// told turns the error of a call into one line that says what to do.
func (s *session) told(err error) error {
	return tell(err, s.used.Server, s.cmd)
}

// tell is told for a command that has no session.
func tell(err error, server string, cmd *cobra.Command) error {
	var answer *client.Error
	var way *url.Error
	var before *toldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &before): // with what was added since
		return &toldError{printable(err.Error()), err}
	case errors.Is(err, context.Canceled):
		return &toldError{"interrupted", err}
	case errors.As(err, &answer):
		return &toldError{printable(strings.Replace(err.Error(), answer.Error(), answerText(*answer, cmd), 1)), err}
	case errors.As(err, &way):
		return &toldError{printable(strings.Replace(err.Error(), way.Error(), fmt.Sprintf("cannot reach %s: %v", server, way.Err), 1)), err}
	}
	return &toldError{printable(err.Error()), err}
}

// hints say what to do about answers whose message does not say it.
var hints = map[string]string{
	"token.already-rotated":     `"hallpass token watch" shows both, "hallpass token undo" takes the rotation back`,
	"token.rotation-used":       `to get another secret, rotate the new token`,
	"token.rotation-key-reused": `run the command as before, or without --idempotency-key`,
	"token.self-rotation-off":   `an administrator allows it with "hallpass token update ACCOUNT TOKEN --self-rotate 90d"`,
}

// answerText returns the answer in one line, with what to do about it. It names the
// flags of the command, not the fields of the API that they set.
func answerText(e client.Error, cmd *cobra.Command) string {
	e.Message, e.Detail = inFlags(e.Message, cmd), inFlags(e.Detail, cmd)
	if hint := hints[e.MessageID]; hint != "" {
		return e.Error() + ": " + hint
	}
	if noun := takenNouns[e.MessageID]; noun != "" {
		return e.Error() + takenHint(noun, cmd)
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return e.Error() + ": log in again with \"hallpass login\""
	case http.StatusForbidden:
		_, needed, ok := strings.Cut(e.Message, "Permissions needed: ")
		if !ok {
			break
		}
		if strings.Contains(needed, " ") { // any one of several permissions
			return "403: permission needed: " + needed
		}
		return fmt.Sprintf("403: permission needed: %s (\"hallpass explain %s\" lists the roles that give it)", needed, needed)
	}
	return e.Error()
}
