package httpd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestEqualASCII compares every letter that Unicode folds to an ASCII letter with
// that letter.
func TestEqualASCII(t *testing.T) {
	folds := 0
	for c := rune(0x80); c <= unicode.MaxRune; c++ {
		for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
			if f < 0x80 {
				folds++
				if httpd.EqualASCII(string(c), string(f)) || httpd.LowerASCII(string(c)) == string(f) {
					t.Errorf("%q is taken for %q", c, f)
				}
			}
		}
	}
	if folds == 0 {
		t.Error("nothing folds to ASCII: this test does not look where it should")
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"Basic", "bASIC", true}, {"", "", true}, {"Basic", "Basi", false}, {"Basic", "Basid", false}, {"@", "`", false}, {"[", "{", false}, {"Ba\u017fic", "Basic", false}} {
		if got := httpd.EqualASCII(tt.a, tt.b); got != tt.want {
			t.Errorf("EqualASCII(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
	if got := httpd.LowerASCII("TEXT/HTML;q=É"); got != "text/html;q=É" {
		t.Errorf("LowerASCII: %q", got)
	}
	if c := httpd.ReadAuthorization([]string{"Ba\u017fic eDp5"}); c.Form != httpd.OtherScheme {
		t.Error("a long s is taken for an s")
	}
}

// TestProtocolWords reads the source of the doors: none compares words by the folding
// of Unicode. Folding a text for another purpose is allowed.
func TestProtocolWords(t *testing.T) {
	seen := 0
	for _, door := range []string{".", "../api", "../console", "../guard", "../metrics", "../server"} {
		files, err := filepath.Glob(filepath.Join(door, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			for _, call := range foldedComparisons(f) {
				t.Errorf("%s compares by %s: words of a protocol are compared by httpd.EqualASCII", name, call)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d files were read", seen)
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", `package p
		func f() bool {
			switch strings.ToLower(a) { case "b": }
			_ = strings.ToLower(name) + "@localhost"
			return strings.EqualFold(a, b) || strings.ToUpper(a) == "B" || strings.Contains(bytes.ToLower(a), "b")
		}`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := foldedComparisons(f); len(got) != 4 {
		t.Errorf("of four comparisons %v were found", got)
	}
}

// foldedComparisons returns the calls that fold a text which is then compared.
func foldedComparisons(f *ast.File) (found []string) {
	folds := func(n ast.Node, names ...string) {
		ast.Inspect(n, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
				found = append(found, sel.Sel.Name)
			}
			return true
		})
	}
	cases := []string{"ToLower", "ToUpper", "ToTitle"}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				folds(n, cases...)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil {
				folds(n.Tag, cases...)
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			switch {
			case !ok:
			case sel.Sel.Name == "EqualFold":
				found = append(found, sel.Sel.Name)
			case slices.Contains([]string{"Contains", "HasPrefix", "HasSuffix", "Index"}, sel.Sel.Name):
				for _, arg := range n.Args {
					folds(arg, cases...)
				}
			}
		}
		return true
	})
	return found
}
