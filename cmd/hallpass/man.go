package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hallpass-dev/hallpass/internal/version"
)

// man returns the command that writes the manual pages. It is hidden: packages are made
// with it.
func man() *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the manual pages of all commands to a directory", Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("give one directory: \"hallpass man DIR\"")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { // #nosec G301 -- manual pages are for everybody
				return err
			}
			return writeManuals(args[0], cmd.Root())
		},
	}
}

// writeManuals writes the page of cmd and those of its commands.
func writeManuals(dir string, cmd *cobra.Command) error {
	page := filepath.Join(dir, pageName(cmd)+".1")
	if err := os.WriteFile(page, []byte(manual(cmd, version.Current())), 0o644); err != nil { // #nosec G306 -- as above
		return err
	}
	for _, sub := range documented(cmd) {
		if err := writeManuals(dir, sub); err != nil {
			return err
		}
	}
	return nil
}

// documented returns the commands of cmd that have a page.
func documented(cmd *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			list = append(list, sub)
		}
	}
	return list
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manual returns the page of cmd in the man macros of roff.
func manual(cmd *cobra.Command, v version.Info) string {
	var b strings.Builder
	date := ""
	if !v.Time.IsZero() {
		date = v.Time.Format("2006-01-02")
	}
	fmt.Fprintf(&b, ".TH \"%s\" \"1\" \"%s\" \"hallpass %s\" \"Hallpass Manual\"\n", roff(strings.ToUpper(pageName(cmd))), date, roff(v.Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n\\fB%s\\fR\n", roff(cmd.UseLine()))
	b.WriteString(".SH DESCRIPTION\n" + paragraphs(description(cmd)))
	cmd.InitDefaultHelpFlag()
	b.WriteString(options("OPTIONS", cmd.NonInheritedFlags()))
	b.WriteString(options("OPTIONS OF THE COMMANDS ABOVE", cmd.InheritedFlags()))
	if subs := documented(cmd); len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR(1)\n%s\n", roff(pageName(sub)), roff(sub.Short))
		}
	}
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n" + paragraphs(cmd.Example))
	}
	if cmd.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n\\fB%s\\fR(1)\n", roff(pageName(cmd.Parent())))
	}
	return b.String()
}

func description(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// paragraphs returns a text of the help. Its lines may be broken elsewhere, except for
// indented ones.
func paragraphs(text string) string {
	var b strings.Builder
	verbatim := false
	end := func() {
		if verbatim {
			b.WriteString(".fi\n.RE\n")
		}
		verbatim = false
	}
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			end()
			b.WriteString(".PP\n")
			continue
		case line[0] != ' ' && line[0] != '\t':
			end()
		case !verbatim:
			verbatim = true
			b.WriteString(".RS 4\n.nf\n")
		}
		b.WriteString(roff(strings.TrimSpace(line)) + "\n")
	}
	end()
	return b.String()
}

// options returns a section about flags; empty when there are none to show.
func options(title string, flags *pflag.FlagSet) string {
	if !flags.HasAvailableFlags() {
		return ""
	}
	var b strings.Builder
	b.WriteString(".SH " + title + "\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := `\fB` + roff("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			name = `\fB` + roff("-"+f.Shorthand) + `\fR, ` + name
		}
		if value != "" {
			name += ` \fI` + roff(value) + `\fR`
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && !strings.Contains(usage, "(default") {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(&b, ".TP\n%s\n%s\n", name, roff(usage))
	})
	return b.String()
}

// escapes are the characters that roff takes for something else.
var escapes = map[rune]string{'\\': `\e`, '-': `\-`, '"': `\(dq`, '\'': `\(aq`, '`': `\(ga`, '^': `\(ha`, '~': `\(ti`}

// roff escapes a line, so that none of it is taken for a request of roff. The result is
// ASCII.
func roff(s string) string {
	var b strings.Builder
	if strings.HasPrefix(s, ".") {
		b.WriteString(`\&`)
	}
	for _, r := range s {
		switch e, ok := escapes[r]; {
		case ok:
			b.WriteString(e)
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
