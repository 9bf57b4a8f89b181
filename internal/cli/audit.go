package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/client"
)

func audit(db *AuditDatabase) *cobra.Command {
	r := &remote{}
	cmd := r.noun("audit", "List, export and prove the audit: who did what, and what was refused", listAudit(r), exportAudit(r), verifyAudit(r, db))
	cmd.Long = "Read the audit, newest entries first. An admin of an org sees the entries of that\norg, a server admin those of all orgs."
	return cmd
}

// auditFlags are the flags that filter the audit.
type auditFlags struct {
	client.AuditFilter
	from, to string
}

func (f *auditFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Action, "action", "", "only this action, such as token.create or serviceaccounts:write")
	flags.StringVar(&f.Actor, "actor", "", "only entries of this login, or of the principal with this id")
	flags.StringVar(&f.Target, "target", "", "only entries about this target, such as token:7")
	flags.StringVar(&f.Outcome, "outcome", "", "only entries with this outcome: ok or refused")
	flags.StringVar(&f.from, "from", "", "only entries from this day or time on, such as 2026-11-01 or 2026-11-01T12:00:00Z")
	flags.StringVar(&f.to, "to", "", "only entries before this day or time")
	flags.Int64Var(&f.Org, "org", 0, "only entries of the org with this id (for server admins)")
}

func (f *auditFlags) filter() (client.AuditFilter, error) {
	var err error
	if f.From, err = dayOrTime("--from", f.from); err != nil {
		return f.AuditFilter, err
	}
	f.To, err = dayOrTime("--to", f.to)
	return f.AuditFilter, err
}

// dayOrTime reads a UTC day or a time. The empty string is the zero time.
func dayOrTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s must be a day or a time, such as 2026-11-01 or 2026-11-01T12:00:00Z", flag)
}

const maxAuditList = 100_000

func listAudit(r *remote) *cobra.Command {
	var f auditFlags
	var limit int
	cmd := r.verb("list", "List the newest entries", func(s *session) error {
		filter, err := f.filter()
		if err != nil {
			return err
		}
		if limit < 1 || limit > maxAuditList {
			return fmt.Errorf("--limit must be from 1 to %d: \"hallpass audit export\" writes all entries", maxAuditList)
		}
		list, err := s.Audit(s.ctx, filter, limit)
		if err != nil {
			return err
		}
		t := table{header: []string{"TIME", "WHO", "TOKEN", "ACTION", "TARGET", "OUTCOME", "REASON", "COUNT", "FROM", "USER AGENT"}}
		for _, e := range list {
			token := ""
			if e.TokenID != 0 {
				token = number(e.TokenID)
			}
			t.rows = append(t.rows, []string{logTime(e.Time), e.Actor, token, e.Action, e.Target, e.Outcome, shortReason(e.Reason), number(e.Count), e.Address, shortAgent(e.UserAgent)})
		}
		return s.print(list, t)
	})
	cmd.Long = "List the newest entries. The table cuts long reasons; -o json writes them in full."
	f.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "the largest number of entries to list")
	return cmd
}

// maxAgent is how long the text of a user agent is in a table of several things; JSON and
// CSV have all of it, and so has "token usage".
const maxAgent = 20

func shortAgent(text string) string { return cut(text, maxAgent) }

const maxReason = 60 // characters of a reason in the table

// shortReason returns the reason for the table; JSON has all of it.
func shortReason(text string) string { return cut(text, maxReason) }

// cut returns the text with so many characters at most.
func cut(text string, most int) string {
	if list := []rune(text); len(list) > most {
		return string(list[:most-1]) + "…"
	}
	return text
}

func exportAudit(r *remote) *cobra.Command {
	var f auditFlags
	var chain bool
	cmd := r.verb("export", "Write all entries to stdout, one JSON object a line", func(s *session) error {
		filter, err := f.filter()
		if err != nil {
			return err
		}
		if chain {
			return s.ReadAuditChain(s.ctx, filter, func(body io.Reader) error {
				_, err := io.Copy(s.out, body)
				return err
			})
		}
		return s.ExportAudit(s.ctx, filter, s.out)
	})
	cmd.Long = "Write all entries, or those that the filters select, to stdout: one JSON object a\nline, newest first. Exit status 1 means that the output is incomplete.\n\nWith --chain, oldest first and with the digests that prove them: \"hallpass audit\nverify FILE\" checks the file. Entries that the filters do not select are in it as\ndigests alone. Only server admins may read the chain."
	cmd.Example = "  hallpass audit export --to 2026-01-01 > audit-before-2026.ndjson\n  hallpass audit export --chain > audit-chain.ndjson"
	f.flags(cmd)
	cmd.Flags().BoolVar(&chain, "chain", false, "with the digests that prove the entries")
	return cmd
}
