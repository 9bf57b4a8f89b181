package httpd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestEqualASCII holds every letter that Unicode folds to one of ASCII against
// that one.
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
	if scheme, _ := httpd.SplitAuthorization("Ba\u017fic eDp5"); scheme != httpd.NoScheme {
		t.Error("a long s is taken for an s")
	}
}

// TestProtocolWords reads what the doors are made of: none compares words by the
// folding of Unicode, save what is no word of a protocol.
func TestProtocolWords(t *testing.T) {
	allowed := map[string]string{
		"../api/serviceaccount.go": "names of pictures, made of logins",
		"../api/docs.go":           "methods of our own document",
		"../console/landing.go":    "a sentence of ours",
	}
	folding := map[string]bool{"EqualFold": true, "ToLower": true, "ToUpper": true, "ToTitle": true}
	seen := 0
	for _, door := range []string{".", "../api", "../console", "../extauth", "../metrics", "../server"} {
		files, err := filepath.Glob(filepath.Join(door, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || allowed[filepath.ToSlash(name)] != "" {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok || !folding[sel.Sel.Name] {
					return true
				}
				if pkg, ok := sel.X.(*ast.Ident); ok && (pkg.Name == "strings" || pkg.Name == "bytes" || pkg.Name == "unicode") {
					t.Errorf("%s uses %s.%s: words of a protocol are compared by httpd.EqualASCII", name, pkg.Name, sel.Sel.Name)
				}
				return true
			})
		}
	}
	if seen < 50 {
		t.Errorf("only %d files were read", seen)
	}
}
