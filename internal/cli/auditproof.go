package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// An AuditDatabase proves the audit of a database on this machine. A program without the
// server has none.
type AuditDatabase struct {
	Flags func(*cobra.Command) // adds --config and --data, which say which installation is meant

	// Prove proves the audit of the SQLite file at path, or of the installation that the
	// flags mean if path is empty.
	Prove func(ctx context.Context, path string, known []hallpass.AuditMark) (hallpass.AuditReport, error)
}

// broken is the exit status when the audit is not whole.
const broken = 1

func verifyAudit(r *remote, db *AuditDatabase) *cobra.Command {
	var known []string
	cmd := &cobra.Command{
		Use: "verify [FILE]", Short: "Prove that no entry was changed, added or taken away",
		Args: wordsOf("verify [FILE]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			marks, err := parseMarks(known)
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd, r.output)
			if err != nil {
				return err
			}
			report, err := r.prove(cmd, args, db, marks)
			if err != nil {
				return err
			}
			return p.tellProof(report)
		},
	}
	cmd.Long = `Follow the chain of the audit's digests from its beginning to its end. Without FILE,
read it from the server, for which you must be a server admin. FILE is an export,
which "hallpass audit export --chain" wrote (- for stdin)` + ofDatabase(db) + `

A chain that is whole has a last digest. Keep it where nobody can change it who can
write to the database: --known then proves that nothing up to there has changed, and
that the end was not cut off. Exit status 1 means that the audit is not whole.`
	cmd.Example = `  hallpass audit verify
  hallpass audit export --chain > audit.ndjson && hallpass audit verify audit.ndjson`
	if db != nil {
		db.Flags(cmd)
		cmd.Example += "\n  hallpass audit verify --data /var/lib/hallpass\n  hallpass audit verify /backup/hallpass-2026-11-23.db"
	}
	cmd.Flags().StringArrayVar(&known, "known", nil, "a last digest that an earlier run printed, and that was kept elsewhere; may be repeated")
	return cmd
}

// ofDatabase ends the sentence about FILE.
func ofDatabase(db *AuditDatabase) string {
	if db == nil {
		return "."
	}
	return `, or a SQLite
file, such as a backup. With --data or --config, read the database of the installation
on this machine, whether its server runs or not.`
}

func parseMarks(known []string) (marks []hallpass.AuditMark, err error) {
	for _, k := range known {
		m, ok := hallpass.ParseAuditMark(strings.TrimSpace(k))
		if !ok {
			return nil, errors.New(`--known must be a last digest as "hallpass audit verify" prints it: a number, a colon and 64 hexadecimal digits`)
		}
		marks = append(marks, m)
	}
	return marks, nil
}

// prove reads the chain from where the command line says and proves it.
func (r *remote) prove(cmd *cobra.Command, args []string, db *AuditDatabase, marks []hallpass.AuditMark) (report hallpass.AuditReport, err error) {
	here := db != nil && (cmd.Flags().Changed("data") || cmd.Flags().Changed("config"))
	switch {
	case here && len(args) > 0:
		return report, errors.New("give a FILE, or --data or --config, not both")
	case here:
		return db.Prove(cmd.Context(), "", marks)
	case len(args) > 0:
		return proveFile(cmd, args[0], db, marks)
	}
	s, err := r.open(cmd, nil)
	if err != nil {
		return report, err
	}
	err = s.ReadAuditChain(s.ctx, client.AuditFilter{}, func(body io.Reader) (err error) {
		report, err = proveExport(body, marks)
		return err
	})
	return report, s.told(err)
}

// sqliteHead begins every SQLite file.
const sqliteHead = "SQLite format 3\x00"

func proveFile(cmd *cobra.Command, path string, db *AuditDatabase, marks []hallpass.AuditMark) (report hallpass.AuditReport, err error) {
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path) // #nosec G304 -- the file that the user names
		if err != nil {
			return report, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	lines := bufio.NewReader(in)
	if head, _ := lines.Peek(len(sqliteHead)); string(head) == sqliteHead { // shorter: it is no database
		if db == nil || path == "-" {
			return report, errors.New("this is a database: a program with the server can read it, from a file")
		}
		return db.Prove(cmd.Context(), path, marks)
	}
	return proveExport(lines, marks)
}

// maxAuditLine is the longest line of an export, in bytes: six texts of 2,048 bytes, of
// which JSON may write each byte as six, and what is around them.
const maxAuditLine = 1 << 17

// proveExport proves what GET /api/audit?format=chain wrote.
func proveExport(in io.Reader, marks []hallpass.AuditMark) (report hallpass.AuditReport, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxAuditLine)
	if !lines.Scan() {
		return report, errors.Join(lines.Err(), errNoExport)
	}
	chain, err := readChain(lines.Bytes())
	if err != nil {
		return report, err
	}
	proof := hallpass.NewAuditProof(chain, marks...)
	for n := 2; lines.Scan(); n++ {
		l, err := readLink(lines.Bytes())
		if err != nil {
			return report, fmt.Errorf("line %d is no link of the audit, so it was changed or cut off: %w", n, err)
		}
		proof.Add(l)
	}
	if err := lines.Err(); err != nil {
		return report, fmt.Errorf("the export cannot be read to its end: %w", err)
	}
	return proof.End(), nil
}

var errNoExport = errors.New(`this is no export of the audit's chain: "hallpass audit export --chain" writes one`)

// decode reads one value and nothing else. A field that is there twice, or that nobody
// reads, could say something else to another program.
func decode(line []byte, v any) error {
	return json.Unmarshal(bytes.TrimSpace(line), v, json.RejectUnknownMembers(true))
}

func readChain(line []byte) (c hallpass.AuditChain, err error) {
	var in wire.AuditChain
	if err := decode(line, &in); err != nil || in.Chain == "" {
		return c, errNoExport
	}
	if in.Chain != wire.AuditChainForm {
		return c, fmt.Errorf("the export has the form %q, this program knows %q: use a newer program", in.Chain, wire.AuditChainForm)
	}
	c.Pruning, c.Broken = in.Pruning, in.Broken
	if c.Begin, err = readMark(in.Begin); err == nil {
		c.End, err = readMark(in.End)
	}
	return c, err
}

func readMark(m wire.AuditMark) (hallpass.AuditMark, error) {
	d, err := digest(m.Digest)
	return hallpass.AuditMark{ID: hallpass.AuditID(m.ID), Digest: d}, err
}

func digest(s string) ([32]byte, error) {
	d, ok := hallpass.ParseDigestText(s)
	if !ok {
		return d, fmt.Errorf("%q is no digest", s)
	}
	return d, nil
}

// readLink reads a line of an export.
func readLink(line []byte) (l hallpass.AuditLink, err error) {
	var in wire.AuditLink
	if err := decode(line, &in); err != nil {
		return l, err
	}
	l = hallpass.AuditLink{ID: hallpass.AuditID(in.ID), Kind: hallpass.AuditLinkKind(in.Link), Mistyped: in.Mistyped}
	if in.Digest != "" {
		if l.Digest, err = digest(in.Digest); err != nil {
			return l, err
		}
	}
	entry, repeat, content := in.Entry != nil, in.Of != 0 || in.Count != 0, in.Content != ""
	switch kind := l.Kind; {
	case kind == hallpass.EntryLink && entry && !repeat && !content && in.Entry.ID == in.ID:
		l.Counted = in.Counted
		l.Entry, err = readEntry(*in.Entry)
	case kind == hallpass.RepeatLink && repeat && !entry && !content && !in.Counted:
		l.Of, l.Count = hallpass.AuditID(in.Of), in.Count
	case (kind == hallpass.GoneLink || kind == hallpass.SealedLink) && content && !entry && !repeat && !in.Counted:
		l.Gone, err = digest(in.Content)
	default:
		err = fmt.Errorf("a link %q does not have these fields", in.Link)
	}
	return l, err
}

func readEntry(in wire.AuditEntry) (e hallpass.AuditEntry, err error) {
	e = hallpass.AuditEntry{
		ID: hallpass.AuditID(in.ID), At: in.Time.UTC(), Org: hallpass.OrgID(in.OrgID), Actor: hallpass.Principal{ID: in.ActorID, Login: in.Actor}, Token: hallpass.TokenID(in.TokenID),
		Action: in.Action, Target: in.Target, Outcome: hallpass.AuditOutcome(in.Outcome), Reason: in.Reason,
		From: hallpass.From{Address: in.Address, UserAgent: in.UserAgent}, Count: in.Count,
	}
	if at := in.Time; at.Nanosecond()%1000 != 0 {
		return e, errors.New("its time has parts of a microsecond")
	}
	for _, kind := range []hallpass.PrincipalKind{hallpass.Nobody, hallpass.UserPrincipal, hallpass.ServiceAccountPrincipal} {
		if kind.String() == in.ActorKind {
			e.Actor.Kind = kind
			return e, nil
		}
	}
	return e, fmt.Errorf("%q is no kind of actor", in.ActorKind)
}

// tellProof prints the report. Its error has the exit status of an audit that is not whole.
func (p printer) tellProof(r hallpass.AuditReport) (err error) {
	if p.json {
		err = p.printJSON(proofOf(r))
	} else {
		_, err = fmt.Fprintln(p.out, printableLines(proofText(r)))
	}
	if err == nil && !r.OK() {
		err = &ExitError{broken}
	}
	return err
}

func printableLines(lines []string) string {
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return strings.Join(lines, "\n")
}

// proofText returns the report in sentences.
func proofText(r hallpass.AuditReport) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	span := ""
	if r.Entries > 0 {
		span = fmt.Sprintf(" from %s to %s", exactText(&r.First), exactText(&r.Last))
	}
	switch entries := counted(r.Entries, "entry", "entries"); {
	case r.OK() && r.Lacks():
		say("%s%s %s whole: nothing that is here was changed or added, and an entry of retention tells of all that is gone.", entries, span, isAre(r.Entries))
	case r.OK():
		say("%s%s %s whole: nothing was changed, added or taken away.", entries, span, isAre(r.Entries))
	default:
		say("The audit is NOT whole. Of %s%s:", entries, span)
		if r.Untold {
			say("  %s", hallpass.AuditUntold)
		}
		for _, f := range r.Faults {
			say("  %s", f)
		}
		if r.Unnamed > 0 {
			say("  and %s", counted(r.Unnamed, "further fault", "further faults"))
		}
	}
	if r.Sealed > 0 {
		say("%s here only as digests: the export's filters did not pick them.", counted(r.Sealed, "further entry is", "further entries are"))
	}
	for _, s := range r.Retention() {
		say("%s", s)
	}
	if r.Early > 0 {
		say("%s from before the chain: one digest covers them together, but not how often each was repeated.", counted(r.Early, "entry is", "entries are"))
	}
	if r.Late > 0 {
		say("%s not linked yet: the next entry links them.", counted(r.Late, "entry at the end is", "entries at the end are"))
	}
	return append(lines, proofEnd(r)...)
}

// proofEnd returns what the report says of the known marks, and what to do next.
func proofEnd(r hallpass.AuditReport) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	what := "Nothing"
	if r.Lacks() {
		what = "Nothing of what is left"
	}
	for _, m := range r.Agreed {
		say("%s up to entry %d has changed since its digest was noted.", what, m.ID)
	}
	for _, m := range r.Gone {
		say("The digest of entry %d cannot be compared: that entry is gone.", m.ID)
	}
	switch {
	case r.OK():
		say("The last digest, for --known; keep it elsewhere:")
		say("  %s", r.End)
	case len(r.Faults) == 0:
		say("What to do: run this again in some minutes. If it says the same after an hour, find out who can write to the database.")
	default:
		say(`What to do: keep this database as it is, find out who can write to it, and compare with a backup ("hallpass audit verify BACKUP").`)
	}
	return lines
}

func isAre(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// counted returns the number, with commas, and the word for it.
func counted(n int64, one, many string) string {
	word := many
	if n == 1 {
		word = one
	}
	s := number(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " " + word
}

// proofOf returns the report as programs read it.
func proofOf(r hallpass.AuditReport) wire.AuditProof {
	out := wire.AuditProof{
		Whole: r.OK(), Entries: r.Entries, First: timeOf(r.First), Last: timeOf(r.Last), Early: r.Early, Late: r.Late, Sealed: r.Sealed,
		Begin: int64(r.Begin.ID), Digest: r.End.String(), Agreed: []string{}, Gone: []string{}, Faults: []wire.AuditFault{}, Unlisted: r.Unnamed,
		Deleted: r.Deleted, Untold: r.Untold, Newer: []wire.AuditRetention{},
	}
	if r.Told.Entry != 0 {
		out.Told = &wire.AuditRetention{Entry: int64(r.Told.Entry), Time: r.Told.At}
	}
	for _, n := range r.Newer {
		out.Newer = append(out.Newer, wire.AuditRetention{Entry: int64(n.Entry), Time: n.At})
	}
	for _, m := range r.Agreed {
		out.Agreed = append(out.Agreed, m.String())
	}
	for _, m := range r.Gone {
		out.Gone = append(out.Gone, m.String())
	}
	for _, f := range r.Faults {
		out.Faults = append(out.Faults, wire.AuditFault{Kind: string(f.Kind), From: int64(f.From), To: int64(f.To), Text: f.String()})
	}
	return out
}

// timeOf returns nil for the zero time.
func timeOf(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
