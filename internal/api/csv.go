package api

import (
	"bytes"
	"encoding/csv"
	"strings"
	"unicode/utf8"
)

const textCSV = "text/csv"

// csvLines returns the lines as CSV (RFC 4180), each ended by CR LF. Every table of the API
// is written by it. No cell is taken for a formula.
func csvLines(lines ...[]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, line := range lines {
		cells := make([]string, len(line))
		for i, cell := range line {
			cells[i] = plainCell(cell)
		}
		_ = w.Write(cells) // a buffer takes everything
	}
	w.Flush()
	return b.Bytes()
}

// plainCell returns the text so that no program takes it for a formula: names come from
// people, and user agents from anybody. Programs also take the wide forms of the signs.
func plainCell(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first) {
		return "'" + s
	}
	return s
}
