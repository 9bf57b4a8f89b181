//go:build !client && !windows

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// differs is the status of a dry run that finds something to do.
const differs = 2

func (p *program) provision() *cobra.Command {
	var dry, prune bool
	cmd := p.installationFlags(&cobra.Command{
		Use:   "provision [FOLDER]",
		Short: "Apply the provisioning files, or show what that would change",
		Long: `Apply the files of FOLDER, or of [provisioning] path, to a stopped installation.
A server does the same when it starts, and on SIGHUP.

With --dry-run the command shows what would change, and changes nothing; the server
may run meanwhile. The exit status is 0 when there is nothing to do, 2 when there is
something, 1 when something is wrong. Where there is no installation yet, the files
are compared with a new one, so that a pipeline can check them without a server.`,
		Example: `  hallpass provision --dry-run --config /etc/hallpass/hallpass.toml
  hallpass provision --dry-run --data /var/lib/hallpass ./provisioning
  hallpass provision --config /etc/hallpass/hallpass.toml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				c.Provisioning.Path = args[0]
			}
			c.Provisioning.Prune = c.Provisioning.Prune || prune
			if c.Provisioning.Path == "" {
				return errors.New("no folder of provisioning files is known: name it as the argument, or set provisioning.path")
			}
			if !dry {
				return server.Provision(cmd.Context(), c, p.logger(c))
			}
			steps, err := server.PlanFiles(cmd.Context(), c)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(p.stdout, plan(steps)); err != nil {
				return err
			}
			if slices.ContainsFunc(steps, func(s hallpass.ProvisionStep) bool { return s.Do != "" }) {
				return &cli.ExitError{Status: differs}
			}
			return nil
		},
	})
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would change, and change nothing")
	cmd.Flags().BoolVar(&prune, "prune", false, "delete what left the files, as provisioning.prune does")
	cmd.AddCommand(p.provisionSecret())
	return cmd
}

// planSigns begin the lines of a plan.
var planSigns = map[hallpass.ProvisionVerb]string{
	hallpass.ProvisionCreate: "+", hallpass.ProvisionAdopt: "~", hallpass.ProvisionUpdate: "~", hallpass.ProvisionRotate: "~",
	hallpass.ProvisionDisable: "-", hallpass.ProvisionDelete: "-", hallpass.ProvisionRelease: "-", "": "!",
}

// planWords says what each verb does.
var planWords = map[hallpass.ProvisionVerb]string{
	hallpass.ProvisionAdopt:   "adopt: it is there already, and from now on this file declares it",
	hallpass.ProvisionRotate:  "rotate: a new token replaces the old one, which works on for the grace of a rotation",
	hallpass.ProvisionDisable: "disable: no file declares it any more",
	hallpass.ProvisionDelete:  "delete: no file declares it any more",
	hallpass.ProvisionRelease: "release: no file declares it any more, and it stays as it is",
}

// plan tells steps to people, file by file.
func plan(steps []hallpass.ProvisionStep) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	file, did := "", make(map[hallpass.ProvisionVerb]int)
	for i, s := range steps {
		if name := s.File(); i == 0 || name != file {
			file = name
			say("%s", name)
		}
		words := planWords[s.Do]
		if words == "" {
			words = string(s.Do)
		}
		if s.Do == "" {
			words = s.Note
		}
		did[s.Do]++
		say("  %s %s  %s", planSigns[s.Do], s.Section(), words)
		for _, c := range planFields(s) {
			say("      %s", c)
		}
		if s.Brings != "" {
			say("      ! it brings along %s", s.Brings)
		}
		if s.Do != "" && s.Note != "" {
			say("      ! %s", s.Note)
		}
	}
	say("%s", planSum(did))
	return b.String()
}

// planFields tells what a step sets.
func planFields(s hallpass.ProvisionStep) (lines []string) {
	if s.Do == hallpass.ProvisionCreate {
		for _, f := range s.Want.Fields() {
			if f.Value != "" && f.Value != "false" {
				lines = append(lines, fmt.Sprintf("%s = %q", f.Name, f.Value))
			}
		}
	}
	for _, c := range s.Changes {
		lines = append(lines, fmt.Sprintf("%s = %q, was %q", c.Name, c.Now, c.Was))
	}
	return lines
}

// planSum counts the steps.
func planSum(did map[hallpass.ProvisionVerb]int) string {
	var parts []string
	for _, verb := range []hallpass.ProvisionVerb{
		hallpass.ProvisionCreate, hallpass.ProvisionAdopt, hallpass.ProvisionUpdate, hallpass.ProvisionRotate, hallpass.ProvisionDisable, hallpass.ProvisionDelete, hallpass.ProvisionRelease,
	} {
		if n := did[verb]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n, verb))
		}
	}
	if len(parts) == 0 {
		return "There is nothing to do."
	}
	return strings.Join(parts, ", ") + ". Nothing was changed."
}

func (p *program) provisionSecret() *cobra.Command {
	return &cobra.Command{
		Use:   "secret FILE",
		Short: "Make the secret of a token, and its SHA-256 for a provisioning file",
		Long: `Make the secret of a token, write it to FILE, which is new and only you may read, and
print its SHA-256 as the line that a provisioning file needs. Nobody has to see the
secret: store FILE where the job finds it.

With - for FILE the secret goes to stdout, and the line to stderr.`,
		Example: `  hallpass provision secret /run/secrets/deploy-token
  hallpass provision secret - | vault kv put secret/deploy token=-`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text := secret.NewToken()
			line := fmt.Sprintf("sha256 = \"%x\"\n", text.Hash())
			if args[0] == "-" {
				_, err := fmt.Fprintln(p.stdout, text.Reveal())
				_, told := io.WriteString(p.stderr, line)
				return errors.Join(err, told)
			}
			if err := writeNew(args[0], text.Reveal()+"\n"); err != nil {
				return err
			}
			_, err := io.WriteString(p.stdout, line)
			return err
		},
	}
}

// writeNew writes a file that there was not, and that nobody else may read.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator named it
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}
