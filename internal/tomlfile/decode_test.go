package tomlfile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// TestDecodeBoundsKeys refuses a line with keys of very many parts, and nothing else that
// has many dots.
func TestDecodeBoundsKeys(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("a.", 40_000)
	for _, tt := range []struct {
		text string
		line int // of the refused key; 0: the file is taken
	}{
		{"a.b.c = 1\n", 0},
		{"x = '" + deep + "'\n", 0},
		{`x = "` + deep + `\"` + deep + `"` + "\n", 0},
		{"# " + deep + "\nx = 1 # " + deep + "\n", 0},
		{"x = [" + strings.Repeat(`"10.0.0.0/8", `, 1000) + "]\n", 0},
		{"x = 1\n" + deep + "b = 1\n", 2},
		{"x = 1\n[" + deep + "b]\n", 2},
		{"[[" + deep + "b]]\n", 1},
		{"x = 1\n\nx.y = { " + deep + "b = 1 }\n", 3},
		{strings.Repeat(`"a" . `, 40_000) + "b = 1\n", 1},
		{`"\"".` + deep + "b = 1\n", 1},
		{`'\'.` + deep + "b = 1\n", 1},
	} {
		var tree map[string]any
		_, err := tomlfile.Decode(tt.text, &tree)
		var wrong toml.ParseError
		if errors.As(err, &wrong) != (tt.line > 0) || wrong.Position.Line != tt.line || err == nil && len(tree) == 0 {
			t.Errorf("%.40q: %v, want line %d", tt.text, err, tt.line)
		}
		if tt.line > 0 && tomlfile.SyntaxError(wrong) != "Key has more than 64 parts" {
			t.Errorf("%.40q: %s", tt.text, tomlfile.SyntaxError(wrong))
		}
	}
}
