package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// A printer writes answers: the data to stdout, messages to stderr.
type printer struct {
	out, messages io.Writer
	json, csv     bool // neither: tables
}

// takesCSV is the annotation of a command that can write CSV too.
const takesCSV = "csv"

func newPrinter(cmd *cobra.Command, output string) (printer, error) {
	csv := cmd.Annotations[takesCSV] != ""
	switch {
	case output == "table", output == "json", output == "csv" && csv:
	case csv:
		return printer{}, errors.New("--output must be table, json or csv")
	default:
		return printer{}, errors.New("--output must be table or json")
	}
	return printer{out: cmd.OutOrStdout(), messages: cmd.ErrOrStderr(), json: output == "json", csv: output == "csv"}, nil
}

// A table is an answer as it is shown to a person. Without a header, each row is a
// name and its value.
type table struct {
	header []string
	rows   [][]string
}

// print writes the answer as JSON, or the table.
func (p printer) print(answer any, t table) error {
	if p.json {
		return p.printJSON(answer)
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	if t.header != nil {
		t.rows = append([][]string{t.header}, t.rows...)
	}
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = printable(cell)
			if row[i] == "" {
				row[i] = "-" // an empty cell would leave blanks at the end of a line
			}
		}
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (p printer) printJSON(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// done reports a change. As JSON it prints the answer, else the message.
func (p printer) done(answer any, format string, args ...any) error {
	if p.json {
		return p.printJSON(answer)
	}
	return p.say(format, args...)
}

// say writes a message.
func (p printer) say(format string, args ...any) error {
	_, err := fmt.Fprintln(p.messages, printable(fmt.Sprintf(format, args...)))
	return err
}

// printable removes what could control the terminal from a text of the server.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Times have one form. In a table of several things they are relative: "3m ago", "in
// 30d". The record of one thing, and a sentence, have the exact time in UTC with that in
// brackets. A line of a log begins with the exact time. JSON and CSV have exact times.

// timeText returns the time as a table of several things shows it, "never" for nil.
func timeText(t *time.Time) string { return relative(t, time.Now()) }

// exactText returns the time as the record of one thing, or a sentence, shows it; "never"
// for nil.
func exactText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "never"
	}
	return ExactTime(*t, time.Now())
}

// ExactTime returns the time as records and sentences show it: "2026-11-30T17:50:00Z (in
// 7d)".
func ExactTime(t, now time.Time) string { return logTime(t) + " (" + relative(&t, now) + ")" }

// logTime returns the time as lines of a log begin.
func logTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
