package httpd

import (
	"bytes"
	"encoding/csv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
)

// MediaCSV is the media type of a table (RFC 4180).
const MediaCSV = "text/csv"

// CSV returns the lines as CSV (RFC 4180), each ended by CR LF. Every table of the API and
// the console is written by it. No cell is taken for a formula.
func CSV(lines ...[]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, line := range lines {
		cells := make([]string, len(line))
		for i, cell := range line {
			cells[i] = PlainCell(cell)
		}
		_ = w.Write(cells) // a buffer takes everything
	}
	w.Flush()
	return b.Bytes()
}

// PlainCell returns the text so that no program takes it, or a part of it, for a formula:
// names come from people, and user agents from anybody. A program that takes ; or a tab
// for the end of a cell does so within quotes too, for a quote does not begin its cell.
func PlainCell(s string) string {
	if s == "" {
		return s
	}
	var b strings.Builder
	if strings.ContainsRune(cellEnds, rune(s[0])) {
		b.WriteByte('\'')
	}
	first := true // what stood since the cell began is not seen
	for _, r := range s {
		if first && beginsFormula(r) {
			b.WriteByte('\'')
		}
		first = strings.ContainsRune(cellEnds, r) || first && (r == '"' || !unicode.IsGraphic(r) || unicode.IsSpace(r))
		b.WriteRune(r)
	}
	return b.String()
}

// cellEnds are the signs at which programs end a cell or a line, apart from the comma.
const cellEnds = ";\t\r\n"

// beginsFormula reports whether programs take a cell that begins with r for a formula.
// They also take other forms of the four signs, as ＝ (U+FF1D) and ﹣ (U+FE63).
func beginsFormula(r rune) bool {
	sign, _ := utf8.DecodeRuneInString(hallpass.NameKey(string(r)))
	return strings.ContainsRune("=+-@", sign)
}
