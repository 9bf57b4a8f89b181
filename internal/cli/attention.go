package cli

import (
	"errors"
	"fmt"
	"slices"
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

// maxCause is how much is shown of why a channel fails or a rule refuses, in characters.
const maxCause = 38

func attention() *cobra.Command {
	r := &remote{}
	var limit int
	cmd := r.verb("attention [SECTION]", "List what needs doing: what fails, ends soon, or is not used", func(s *session) error { return s.attention(limit) })
	cmd.Long = `List what somebody should do something about, the most urgent first, and the
command that does it: tokens that are refused and still tried, that end soon or
never, that nobody uses; APIs behind guards that answer with errors; accounts
without an owner or with more power than they use; channels of notices that fail;
rules of guards that refuse. Background work of the server that fails is told
first, to those who may see its nodes. With SECTION list the rows of that section
alone. -o csv writes all rows.

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
	todo, err := s.Attention(s.ctx, limitOr(limit, perSection))
	if err != nil {
		return err
	}
	return s.printAttention(todo)
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

// printAttention prints background work of the server that fails, and the sections that
// have rows. As JSON it prints the sections; the work is a message then.
func (s *session) printAttention(todo wire.Attention) error {
	if s.json {
		for _, line := range workText(todo.FailingWork) {
			if err := s.say("%s", line); err != nil {
				return err
			}
		}
		return s.printJSON(todo.Sections)
	}
	shown := 0
	for _, line := range workText(todo.FailingWork) {
		shown = 1
		if _, err := fmt.Fprintln(s.out, printable(line)); err != nil {
			return err
		}
	}
	for _, section := range todo.Sections {
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

// workText returns the lines that tell of background work that fails; none if it works.
func workText(list []wire.FailingJob) (lines []string) {
	for _, j := range list {
		lines = append(lines, "  "+j.Name+": "+j.Error)
	}
	if lines != nil {
		lines = append([]string{hallpass.FailingWork}, lines...)
	}
	return lines
}

// printSection prints each row as two lines: what is the matter, and the command that does
// something about it.
func (s *session) printSection(rows []wire.AttentionRow) error {
	if s.json {
		return s.printJSON(rows)
	}
	if len(rows) == 0 {
		return s.say("Nothing needs doing here.")
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(s.out, "  %s  %s\n      %s\n", printable(r.Subject), printable(aboutText(r)+whatText(r)), printable(s.doLine(r))); err != nil {
			return err
		}
	}
	return nil
}

// aboutText names what the row is about.
func aboutText(r wire.AttentionRow) string {
	switch {
	case r.Token != "":
		return r.Token + " of " + r.ServiceAccount + ": "
	case r.Channel != "":
		return "channel " + r.Channel + ": "
	case r.Rule > 0:
		return fmt.Sprintf("guard %s, rule %d: ", r.Guard, r.Rule)
	case r.Guard != "":
		return "guard " + r.Guard + ": "
	case r.ServiceAccount != "":
		return r.ServiceAccount + ": "
	}
	return ""
}

// whatText says what the row tells, with the times that belong to it. A long reason is cut:
// JSON and CSV have all of it.
func whatText(r wire.AttentionRow) string {
	text := r.What
	if text != "" {
		text = strings.ToLower(text[:1]) + text[1:]
	}
	used := "never used"
	if r.LastUsedAt != nil {
		used = "last used " + timeText(r.LastUsedAt)
	}
	switch hallpass.AttentionSection(r.Section) {
	case hallpass.AttentionFailing:
		return fmt.Sprintf("%s, %d× from %s", text, r.Count, r.Address)
	case hallpass.AttentionAPIs:
		return text + " since " + timeText(r.Since)
	case hallpass.AttentionExpiring:
		return "ends " + timeText(r.Expiration) + ", " + used
	case hallpass.AttentionOverlaps:
		return overlapText(r, text+", "+used)
	case hallpass.AttentionNeverUsed:
		return text + ", " + timeText(r.Created)
	case hallpass.AttentionIdle, hallpass.AttentionNeverEnds:
		return text + ", " + used
	case hallpass.AttentionAboveLimit:
		return "ends " + timeText(r.Expiration) + ", later than a new token may"
	case hallpass.AttentionChannels:
		return cut(text, maxCause)
	case hallpass.AttentionRefusals:
		return fmt.Sprintf("%d× %s", r.Count, cut(text, maxCause))
	}
	return text
}

// overlapText says what a rotation needs; otherwise is what it needs most often.
func overlapText(r wire.AttentionRow, otherwise string) string {
	switch hallpass.AttentionAction(r.Action) {
	case hallpass.ActionExtend:
		return "replaced, ends " + timeText(r.ClosesAt) + ", and is still used"
	case hallpass.ActionRotate:
		return "the new token has ended before it, ends " + timeText(r.ClosesAt)
	case hallpass.ActionResume:
		return "the new token, paused until the old one has ended"
	default:
		return otherwise
	}
}

// doLine returns the command that does what the row asks for. It may be pasted as it is.
func (s *session) doLine(r wire.AttentionRow) string {
	account := r.ServiceAccount
	if strings.Trim(account, "0123456789") == "" { // digits are an id
		account = number(r.ServiceAccountID)
	}
	switch do := hallpass.AttentionAction(r.Action); do {
	case hallpass.ActionEnable:
		return shellLine("serviceaccount", "enable", account)
	case hallpass.ActionSetOwner: // who it is nobody knows: without a name the command does nothing
		return strings.TrimSpace(shellLine("serviceaccount", "update", account, "--owner") + " " + s.used.User)
	case hallpass.ActionLowerRole:
		return shellLine("serviceaccount", "update", account, "--role", r.LowerRole)
	case hallpass.ActionLetEnd:
		return shellLine("attention", "snooze", r.Section, r.Subject, "--reason", "nobody uses it")
	case hallpass.ActionFixChannel:
		return shellLine("channel", "messages", r.Channel, "--state", "dead")
	case hallpass.ActionShowGuard:
		return shellLine("guard", "show", r.Guard)
	case hallpass.ActionTrustProxy: // no command writes the server's configuration
		return fmt.Sprintf("set [server] trusted_proxies = [%q] in the configuration file", r.Address)
	case hallpass.ActionCreate:
		return shellLine("token", "create", account, r.Token, "--ttl", "90d")
	default:
		if verb := s.tokenVerb(do, r); verb != nil {
			return shellLine(slices.Concat([]string{"token", verb[0], account, number(r.TokenID)}, verb[1:])...)
		}
		return do.Words()
	}
}

// tokenVerb returns the verb and the flags of the command about the row's token; nil for an
// action that is not about one.
func (s *session) tokenVerb(do hallpass.AttentionAction, r wire.AttentionRow) []string {
	switch do {
	case hallpass.ActionRotate, hallpass.ActionReissue:
		return []string{"rotate"}
	case hallpass.ActionSetEnd:
		ttl := "90d"
		if r.SecondsToLive > 0 { // a server of before that time does not say
			ttl = spanText(r.SecondsToLive)
		}
		return []string{"rotate", "--ttl", ttl}
	case hallpass.ActionRetire, hallpass.ActionPause, hallpass.ActionResume:
		return []string{string(do)}
	case hallpass.ActionExtend:
		return []string{"extend", "--grace", "24h"}
	case hallpass.ActionShowSuccessor:
		if r.ReplacedByID == 0 { // it was revoked, and another has its name
			return []string{"usage"}
		}
		return []string{"watch"}
	case hallpass.ActionShowTries:
		return []string{"usage"}
	case hallpass.ActionRevoke:
		return []string{"delete"}
	case hallpass.ActionSetNetworks:
		return append([]string{"narrow"}, s.networksWith(r)...)
	}
	return nil
}

// networksWith returns the flags that let the token be used from the address of the row
// too: those of the command replace the whole list.
func (s *session) networksWith(r wire.AttentionRow) (flags []string) {
	k, err := s.InventoryToken(s.ctx, r.TokenID)
	if err != nil { // the command then asks for the value
		return []string{"--network"}
	}
	for _, n := range append(k.Networks, r.Address) {
		flags = append(flags, "--network", n)
	}
	return flags
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
		return s.done(out, "Put off until %s. To end that: %s", exactText(&out.Until), shellLine("attention", "wake", s.args[0], s.args[1]))
	})
	cmd.Long = `Put a row of "attention" off. SECTION is the word in brackets after the title of the
section, SUBJECT the first word of the row, such as token:7.`
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
