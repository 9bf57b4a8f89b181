//go:build !client && !windows

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/server"
)

func (p *program) backup() *cobra.Command {
	cmd := p.installationFlags(&cobra.Command{
		Use:   "backup FILE",
		Short: "Back up the database to one file, also while servers run",
		Long: `Write the present content of the database, SQLite or PostgreSQL, to FILE, a new
SQLite file that only you may read. Servers may run meanwhile. FILE appears when
it is complete, checked and on disk.

FILE has no usable secrets, but it has everybody's names and the audit. It does
not have the settings, nor the journal in the data directory.`,
		Example: `  hallpass backup --data /var/lib/hallpass /backup/hallpass-$(date +%F).db
  hallpass backup --config /etc/hallpass/hallpass.toml /backup/hallpass-$(date +%F).db`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			held, err := server.Backup(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if err := printTables(p.stdout, held); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "Backed up to %s.\n", args[0])
			return err
		},
	})
	cmd.Args = oneFile
	return cmd
}

func (p *program) restore() *cobra.Command {
	var force bool
	cmd := p.installationFlags(&cobra.Command{
		Use:   "restore FILE",
		Short: "Replace the database of a stopped server by a backup",
		Long: `Replace the configured database, SQLite or PostgreSQL, by the one in FILE, which
"hallpass backup" wrote. The server must be stopped.

Tokens, sessions, accounts and users that ended after the backup stay ended, as
far as the journal in the data directory knows. Keep that directory, or copy the
file "journal" of the lost one into the new one first. The journal cannot repeat
changes of permissions: if there were any, the server starts only after you
checked the permissions and ran "hallpass admin accept-history --yes".

An existing SQLite database is not replaced without --force, which keeps it under
another name. A PostgreSQL database must be empty.`,
		Example: `  hallpass restore --data /var/lib/hallpass /backup/hallpass-2026-11-23.db
  hallpass restore --data /var/lib/hallpass --force /backup/hallpass-2026-11-23.db
  hallpass restore --config /etc/hallpass/hallpass.toml /backup/hallpass-2026-11-23.db`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			r, err := server.Restore(cmd.Context(), c, args[0], force)
			if err != nil {
				return err
			}
			if err := printTables(p.stdout, r.Held); err != nil {
				return err
			}
			return p.tellRestored(args[0], r)
		},
	})
	cmd.Args = oneFile
	cmd.Flags().BoolVar(&force, "force", false, "replace an existing SQLite database, and keep it under another name")
	return cmd
}

// tellRestored prints what a restore did and what the operator must do next.
func (p *program) tellRestored(path string, r server.Restored) error {
	lines := []string{fmt.Sprintf("Restored %s.", path)}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if r.ReplacedPath != "" {
		say("The previous database is kept as %s.", r.ReplacedPath)
	}
	if r.JournalErr != nil {
		say("Its last changes could not be read (%v): what ended in its last seconds may be valid again.", r.JournalErr)
	}
	switch {
	case r.NoJournal:
		say("There is no journal here: what ended after the backup is valid again. Check users, accounts and tokens.")
	case r.Reapplied > 0:
		say("Ended again, because they had ended after the backup: %d. The audit names them (history.reapply).", r.Reapplied)
	case r.NeedsReview == nil:
		say("According to the journal nothing had ended after the backup.")
	}
	if len(r.Lost) > 0 {
		say("Created after the backup, and lost: %s. These numbers are not used again.", strings.Join(r.Lost, ", "))
	}
	if r.Torn {
		say("The last line of the journal is cut off: the change in it is not known.")
	}
	if r.NeedsReview != nil {
		say("The server will not start yet: %v.", r.NeedsReview)
	} else {
		say("Start the server.")
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(p.stdout, l); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) migrate() *cobra.Command {
	var from string
	cmd := p.installationFlags(&cobra.Command{
		Use:   "migrate",
		Short: "Move from SQLite to PostgreSQL",
		Long: `Copy a SQLite installation into the PostgreSQL database that the settings name,
which must be empty, and compare every table. When a row differs, nothing is kept
in PostgreSQL. Tokens, passwords and ids stay as they are.

Stop the server, set database.type and database.url, migrate, and start the server
with the same data directory. The SQLite file does not change; do not serve from
it again.`,
		Example: `  export HALLPASS_DATABASE_TYPE=postgres HALLPASS_DATABASE_URL=postgres://…
  hallpass migrate --data /var/lib/hallpass
  hallpass serve --data /var/lib/hallpass`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			if from == "" {
				from = c.SQLiteFile()
			}
			copied, err := server.Migrate(cmd.Context(), c, from)
			if err != nil {
				return err
			}
			if err := printTables(p.stdout, copied); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "Copied %s to PostgreSQL and compared it: both are the same. Start the server with these settings and the same --data.\n"+
				"Do not serve from %s again: tokens that are revoked from now on would be valid there.\n", from, from)
			return err
		},
	})
	cmd.Flags().StringVar(&from, "from", "", "the SQLite file (default hallpass.db in the data directory)")
	return cmd
}

// oneFile returns an error unless the command has one argument, the name of a file.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the name of one file: \"hallpass %s FILE\"", cmd.Name())
	}
	return nil
}

func printTables(w io.Writer, tables []server.Table) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, "TABLE\tROWS\tSHA-256"); err != nil {
		return err
	}
	for _, r := range tables {
		if _, err := fmt.Fprintf(t, "%s\t%d\t%x\n", r.Name, r.Rows, r.Digest[:8]); err != nil {
			return err
		}
	}
	return t.Flush()
}
