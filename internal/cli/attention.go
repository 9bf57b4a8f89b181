package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// Rows that are shown: of each section, and of one that is asked for.
const (
	perSection = 10
	perList    = 1000
)

func attention() *cobra.Command {
	r := &remote{}
	var limit int
	cmd := r.verb("attention [SECTION]", "List what needs doing: what fails, ends soon, or is not used", func(s *session) error { return s.attention(limit) })
	cmd.Long = `List what somebody should do something about, the most urgent first, and the command
that does it: tokens that are refused and still tried, that end soon or never, that
nobody uses; accounts without an owner or with more power than they use; channels of
notices that fail; rules of guards that refuse. With SECTION list the rows of that
section alone. -o csv writes all rows.

When it is done, the row is gone. What can wait is put off with "attention snooze".`
	cmd.Example = `  hallpass attention
  hallpass attention never-ends -o csv
  hallpass attention snooze never-ends token:7 --reason "moves to OIDC in March"`
	words := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 && !holdsToken(args[0]) {
			if err := knownSection(args[0]); err != nil {
				return err
			}
		}
		return words(cmd, args)
	}
	r.csvFlags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, fmt.Sprintf("the largest number of rows of a section (default %d, of one section %d)", perSection, perList))
	cmd.SuggestFor = []string{"todo", "home", "alerts", "issues", "warnings", "report"}
	for _, sub := range []*cobra.Command{snoozeRow(r), wakeRow(r), listSnoozes(r)} {
		sub.SuggestFor = otherVerbs[sub.Name()]
		cmd.AddCommand(sub)
	}
	return cmd
}

// attention prints what needs doing, or one section of it.
func (s *session) attention(limit int) error {
	section := ""
	if len(s.args) > 0 {
		section = s.args[0]
	}
	if s.csv {
		return s.ExportAttention(s.ctx, section, s.out)
	}
	if section != "" {
		rows, err := s.AttentionRows(s.ctx, section, limitOr(limit, perList))
		if err != nil {
			return err
		}
		return s.printSection(rows)
	}
	list, err := s.Attention(s.ctx, limitOr(limit, perSection))
	if err != nil {
		return err
	}
	return s.printAttention(list)
}

func limitOr(n, usual int) int {
	if n < 1 {
		return usual
	}
	return n
}

// knownSection returns an error unless there is a section of that name.
func knownSection(name string) error {
	var names []string
	for _, s := range hallpass.AttentionSections() {
		if string(s) == name {
			return nil
		}
		names = append(names, string(s))
	}
	if near := nearestName(name, append(names, "snooze", "wake", "snoozed")); near != "" {
		return errors.New("there is no such section: did you mean " + near + "?")
	}
	return errors.New("there is no such section: there are " + strings.Join(names, ", "))
}

// printAttention prints the sections that have rows.
func (s *session) printAttention(list []wire.AttentionSection) error {
	if s.json {
		return s.printJSON(list)
	}
	shown := 0
	for _, section := range list {
		if section.Total == 0 {
			continue
		}
		if shown++; shown > 1 {
			if _, err := fmt.Fprintln(s.out); err != nil {
				return err
			}
		}
		count, more := number(int64(section.Total)), ""
		if section.More {
			count += "+"
		}
		if section.Total > len(section.Rows) {
			more = ": " + shellLine("attention", section.Section) + " lists them"
		}
		if _, err := fmt.Fprintf(s.out, "%s (%s, %s)%s\n", printable(section.Title), section.Section, count, more); err != nil {
			return err
		}
		if err := s.printSection(section.Rows); err != nil {
			return err
		}
	}
	if shown == 0 {
		return s.say("Nothing needs doing.")
	}
	return nil
}

func (s *session) printSection(rows []wire.AttentionRow) error {
	t := table{header: []string{"SUBJECT", "NAME", "ACCOUNT", "WHAT", "LAST USED", "WHAT TO DO"}}
	for _, r := range rows {
		name := r.Token
		for _, other := range []string{r.Channel, r.Guard} {
			if name == "" {
				name = other
			}
		}
		t.rows = append(t.rows, []string{r.Subject, name, r.ServiceAccount, whatText(r), timeText(r.LastUsedAt), doLine(r)})
	}
	if !s.json && len(rows) == 0 {
		return s.say("Nothing needs doing here.")
	}
	return s.print(rows, t)
}

// whatText says what the row tells, with the times that belong to it.
func whatText(r wire.AttentionRow) string {
	text := r.What
	if r.Address != "" {
		text += " from " + r.Address
	}
	if r.Count > 0 {
		text += fmt.Sprintf(", %d×", r.Count)
	}
	switch hallpass.AttentionSection(r.Section) {
	case hallpass.AttentionExpiring, hallpass.AttentionAboveLimit:
		text += ": " + timeText(r.Expiration)
	case hallpass.AttentionOverlaps:
		if r.ClosesAt != nil { // of the old token
			text += ": ends " + timeText(r.ClosesAt)
		}
	}
	return text
}

// doLine returns the command that does what the row asks for.
func doLine(r wire.AttentionRow) string {
	account, token := r.ServiceAccount, number(r.TokenID)
	if account == "" {
		account = number(r.ServiceAccountID)
	}
	switch do := hallpass.AttentionAction(r.Action); do {
	case hallpass.ActionRotate, hallpass.ActionReissue:
		return shellLine("token", "rotate", account, token)
	case hallpass.ActionSetEnd:
		ttl := "90d"
		if r.SecondsToLive > 0 { // a server of before that time does not say
			ttl = spanText(r.SecondsToLive)
		}
		return shellLine("token", "rotate", account, token, "--ttl", ttl)
	case hallpass.ActionRetire, hallpass.ActionPause, hallpass.ActionResume:
		return shellLine("token", r.Action, account, token)
	case hallpass.ActionExtend:
		return shellLine("token", "extend", account, token, "--grace", "24h")
	case hallpass.ActionShowSuccessor:
		return shellLine("token", "watch", account, token)
	case hallpass.ActionRevoke:
		return shellLine("token", "delete", account, token)
	case hallpass.ActionSetNetworks:
		return shellLine("token", "narrow", account, token, "--network", "ADDRESS")
	case hallpass.ActionEnable:
		return shellLine("serviceaccount", "enable", account)
	case hallpass.ActionSetOwner:
		return shellLine("serviceaccount", "update", account, "--owner", "NAME")
	case hallpass.ActionLowerRole:
		return shellLine("serviceaccount", "update", account, "--role", r.LowerRole)
	case hallpass.ActionLetEnd:
		return shellLine("attention", "snooze", r.Section, r.Subject)
	case hallpass.ActionFixChannel:
		return shellLine("channel", "messages", r.Channel, "--state", "dead")
	case hallpass.ActionShowGuard:
		return shellLine("guard", "show", r.Guard)
	case hallpass.ActionTrustProxy: // no command writes the server's configuration
		return fmt.Sprintf("write trusted_proxies = [%q] under [server] in the configuration file", r.Address)
	default:
		return do.Words()
	}
}

func snoozeRow(r *remote) *cobra.Command {
	var in wire.SetSnooze
	cmd := r.verb("snooze SECTION SUBJECT", "Put a row off for a while", func(s *session) error {
		if err := knownSection(s.args[0]); err != nil {
			return err
		}
		out, err := s.Snooze(s.ctx, s.args[0], s.args[1], in)
		if err != nil {
			return err
		}
		return s.done(out, "Put off until %s. To end that: %s", timeText(&out.Until), shellLine("attention", "wake", s.args[0], s.args[1]))
	})
	cmd.Long = `Put a row of "attention" off. SECTION is the word in brackets after the title of the
section, SUBJECT the first column, such as token:7.`
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why it can wait, for others to read (required)")
	cmd.Flags().Int64Var(&in.Days, "days", 30, "for how many days, 1 to 90")
	return cmd
}

func wakeRow(r *remote) *cobra.Command {
	return r.verb("wake SECTION SUBJECT", "Let a row that was put off come back", func(s *session) error {
		if err := knownSection(s.args[0]); err != nil {
			return err
		}
		m, err := s.EndSnooze(s.ctx, s.args[0], s.args[1])
		if err != nil {
			return err
		}
		return s.done(m, "%s is not put off any more.", s.args[1])
	})
}

func listSnoozes(r *remote) *cobra.Command {
	return r.verb("snoozed", "List what is put off, until when and why", func(s *session) error {
		list, err := s.Snoozes(s.ctx)
		if err != nil {
			return err
		}
		t := table{header: []string{"SECTION", "SUBJECT", "UNTIL", "BY", "REASON"}}
		for _, z := range list {
			t.rows = append(t.rows, []string{z.Section, z.Subject, timeText(&z.Until), z.By, z.Reason})
		}
		return s.print(list, t)
	})
}
