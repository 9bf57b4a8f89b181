package httpd_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestCells has texts as they stand in a cell of a table. No program takes one, or a part of
// one that it takes for a cell, for a formula.
func TestCells(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "ci": "ci", "a=b": "a=b", "a - b": "a - b", "7": "7", "Mozilla/5.0 (X11; Linux x86_64)": "Mozilla/5.0 (X11; Linux x86_64)", "ops@example.com; ada@example.com": "ops@example.com; ada@example.com",
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": "'\t'=1", "\r": "'\r", "\n": "'\n", " =1": " '=1", "\u200b=1": "\u200b'=1", `"=1"`: `"'=1"`,
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠1": "'＠1", "\ufe66": "'\ufe66", "\ufe62": "'\ufe62", "\ufe63": "'\ufe63", "\ufe6b": "'\ufe6b", "⁺1": "'⁺1", "₌1": "'₌1", "\ufb29": "'\ufb29",
		";=1": "';'=1", ";x": "';x", "a;=1": "a;'=1", "a; -v": "a; '-v", "a;;@x": "a;;'@x", `a;"=1`: `a;"'=1`, "a\t=1": "a\t'=1", "a\n+1": "a\n'+1", "a;＝1": "a;'＝1", "a;\ufe66": "a;'\ufe66",
	} {
		if got := httpd.PlainCell(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
