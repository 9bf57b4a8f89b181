package tomlfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/tomlfile"
)

// TestFindLines finds keys in whatever form a file has them.
func TestFindLines(t *testing.T) {
	got := tomlfile.FindLines(`# a comment = 1
top = "#[no.table]"
[guard.prom] # "
upstream = 'a\' # comment
"with space" = """
one = 1
\"""" # two
a.b . c = 1
list = [
  "x", # y = 2
  { k = 1, l = { m = 2 } }, {
    k = 3 },
]
[[guard.prom.rule]]
path = '''
'''''
[[guard.prom.rule]]

path = "/b"
[guard.prom.rule.captures]
tenant = 1
["d.e".f]
g = {h = 1979-05-27 07:32:00Z, i = []}
`)
	want := tomlfile.Lines{
		"top": 2, "guard.prom": 3, "guard.prom.upstream": 4, "guard.prom.with space": 5, "guard.prom.a.b.c": 8,
		"guard.prom.list": 9, "guard.prom.list[2].k": 11, "guard.prom.list[2].l": 11, "guard.prom.list[2].l.m": 11, "guard.prom.list[3].k": 12,
		"guard.prom.rule[1]": 14, "guard.prom.rule[1].path": 15, "guard.prom.rule[2]": 17, "guard.prom.rule[2].path": 19,
		"guard.prom.rule[2].captures": 20, "guard.prom.rule[2].captures.tenant": 21, "d.e.f": 22, "d.e.f.g": 23, "d.e.f.g.h": 23, "d.e.f.g.i": 23,
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("got, want:\n%s", d)
	}
	for key, line := range map[string]int{"guard.prom.missing": 3, "guard.prom.rule[2].split": 17, "guard.prom.rule[2].captures.x": 20, "guard.prom.a": 8, "guard.prom.rule": 14, "guard": 3, "nothing": 0, "": 0} {
		if n := want.Of(key); n != line {
			t.Errorf("%s is in line %d, want %d", key, n, line)
		}
	}
}

// FuzzFindLines takes whatever is TOML apart, and finds each key that the parser has found.
func FuzzFindLines(f *testing.F) {
	f.Add("a.b = 1\n[c]\n\"d\\u0065\" = {e = [1, {f = ''}]}\n[[g]]\nh = '''x'''\n")
	f.Add("[a\n]]b={[=\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		lines := tomlfile.FindLines(text)
		var tree map[string]any
		meta, err := toml.Decode(text, &tree)
		if err != nil {
			return
		}
		known := make(map[string]bool)
		for key := range lines {
			known[withoutNumbers(key)] = true
		}
		for _, key := range meta.Keys() {
			if slices.Contains(key, "") || strings.ContainsAny(strings.Join(key, ""), "[]") {
				continue // no key of ours is empty or has brackets
			}
			if name := strings.Join(key, "."); !known[name] {
				t.Errorf("%q is not found in %q, but %v", name, text, lines)
			}
		}
		for key, line := range lines {
			if line < 1 || line > strings.Count(text, "\n")+1 {
				t.Errorf("%q is in line %d of %q", key, line, text)
			}
		}
	})
}

// withoutNumbers returns the key as the parser writes it, which does not count tables.
func withoutNumbers(key string) string {
	var b strings.Builder
	depth := 0
	for _, r := range key {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}
