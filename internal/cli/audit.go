package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/client"
)

func audit() *cobra.Command {
	r := &remote{}
	cmd := r.noun("audit", "The audit: who did what, and what was refused", listAudit(r), exportAudit(r))
	cmd.Long = "Read the audit, newest first. An admin sees the own org, a server admin every one."
	return cmd
}

// auditFlags are the filters of the audit as a terminal has them.
type auditFlags struct {
	client.AuditFilter
	from, to string
}

func (f *auditFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Action, "action", "", "only this, as token.create or serviceaccounts:write")
	flags.StringVar(&f.Actor, "actor", "", "only what this login, or principal's id, did")
	flags.StringVar(&f.Target, "target", "", "only what was done to this, as token:7")
	flags.StringVar(&f.Outcome, "outcome", "", "only what ended so: ok or refused")
	flags.StringVar(&f.from, "from", "", "not before this day or time, as 2026-11-01 or 2026-11-01T12:00:00Z")
	flags.StringVar(&f.to, "to", "", "before this day or time")
	flags.Int64Var(&f.Org, "org", 0, "only of the org with this id, for server admins")
}

func (f *auditFlags) filter() (client.AuditFilter, error) {
	var err error
	if f.From, err = dayOrTime("--from", f.from); err != nil {
		return f.AuditFilter, err
	}
	f.To, err = dayOrTime("--to", f.to)
	return f.AuditFilter, err
}

// dayOrTime reads a UTC day or a time; empty is none.
func dayOrTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is a day or a time, as 2026-11-01 or 2026-11-01T12:00:00Z", flag)
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
			return fmt.Errorf("--limit is from 1 to %d; hallpass audit export writes all there is", maxAuditList)
		}
		list, err := s.Audit(s.ctx, filter, limit)
		if err != nil {
			return err
		}
		t := table{header: []string{"TIME", "WHO", "TOKEN", "ACTION", "TARGET", "OUTCOME", "REASON", "COUNT", "FROM"}}
		for _, e := range list {
			token := ""
			if e.TokenID != 0 {
				token = number(e.TokenID)
			}
			t.rows = append(t.rows, []string{moment(&e.Time), e.Actor, token, e.Action, e.Target, e.Outcome, e.Reason, number(e.Count), e.Address})
		}
		return s.print(list, t)
	})
	f.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "how many entries at most")
	return cmd
}

func exportAudit(r *remote) *cobra.Command {
	var f auditFlags
	cmd := r.verb("export", "Write all entries to stdout, a line of JSON each", func(s *session) error {
		filter, err := f.filter()
		if err != nil {
			return err
		}
		return s.ExportAudit(s.ctx, filter, s.out)
	})
	cmd.Long = "Write all entries, or those that the filters pick, to stdout: a line of JSON each,\nnewest first. Status 1 means that what was written is not whole."
	cmd.Example = "  hallpass audit export --to 2026-01-01 > audit-before-2026.ndjson"
	f.flags(cmd)
	return cmd
}
