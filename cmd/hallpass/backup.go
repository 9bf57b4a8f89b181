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
	cmd := p.place(&cobra.Command{
		Use:   "backup FILE",
		Short: "Write the database into one file, while servers run",
		Long: `Write all that the database holds at this moment into FILE, a new SQLite file
that nobody else may read, whether the database is SQLite or PostgreSQL. Servers
may run meanwhile. FILE appears when it is whole, checked and on disk.

It holds no secret that works, but everybody's names and the audit. Settings and
the journal in the data folder are not in it.`,
		Example: `  hallpass backup --data /var/lib/hallpass /backup/hallpass-$(date +%F).db
  hallpass backup --config /etc/hallpass.toml /backup/hallpass-$(date +%F).db`,
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
	cmd := p.place(&cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of a stopped server's database",
		Long: `Put the database in FILE, which hallpass backup wrote, in the place of the
configured one, SQLite or PostgreSQL. The server must be stopped.

What ended after the backup (tokens, sessions, accounts, users) stays ended, as
far as the journal in the data folder tells: keep that folder, or bring the file
"journal" of the lost one into the new one first. A change of permissions the
journal cannot make again: then the server starts when you have looked at them
and run hallpass admin accept-history --yes.

A SQLite database that is there already is refused, or with --force kept under
another name. A PostgreSQL database must be empty.`,
		Example: `  hallpass restore --data /var/lib/hallpass /backup/hallpass-2026-11-23.db
  hallpass restore --data /var/lib/hallpass --force /backup/hallpass-2026-11-23.db
  hallpass restore --config /etc/hallpass.toml /backup/hallpass-2026-11-23.db`,
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
	cmd.Flags().BoolVar(&force, "force", false, "replace the SQLite database that is there, and keep it under another name")
	return cmd
}

func (p *program) tellRestored(path string, r server.Restored) error {
	lines := []string{fmt.Sprintf("Restored %s.", path)}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if r.Aside != "" {
		say("The database that was here is kept as %s.", r.Aside)
	}
	if r.Unread != nil {
		say("Its last changes could not be read (%v): what ended in its last seconds may be valid again.", r.Unread)
	}
	switch {
	case r.Alone:
		say("There is no journal here: what ended after the backup is valid again. Look at users, accounts and tokens.")
	case r.Again > 0:
		say("Ended again, for it had ended after the backup: %d. The audit names them (history.reapply).", r.Again)
	case r.Open == nil:
		say("Nothing that the journal knows had ended after the backup.")
	}
	if len(r.Lost) > 0 {
		say("Made after the backup, and lost: %s. These numbers are not given again.", strings.Join(r.Lost, ", "))
	}
	if r.Torn {
		say("The last line of the journal was cut off: the change in it is not known here.")
	}
	if r.Open != nil {
		say("The server will not start yet: %v.", r.Open)
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
	cmd := p.place(&cobra.Command{
		Use:   "migrate",
		Short: "Move from SQLite to PostgreSQL",
		Long: `Copy a SQLite installation into the PostgreSQL database that the settings name,
which must be empty, and compare: every table arrives with the same rows, or
nothing stays. Tokens, passwords and ids go on working as they are.

Stop the server, set database.type and database.url, migrate, start the server
with the same data folder. The SQLite file is left as it is; do not serve from
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
			_, err = fmt.Fprintf(p.stdout, "Copied %s into PostgreSQL; what arrived is the same. Start the server with these settings and the same --data.\n"+
				"Do not serve from %s again: what is revoked from now on would be valid there.\n", from, from)
			return err
		},
	})
	cmd.Flags().StringVar(&from, "from", "", "the SQLite file (default hallpass.db in the data folder)")
	return cmd
}

// oneFile wants the name of a file and nothing else.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the name of one file: hallpass %s FILE", cmd.Name())
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
