package hallpass_test

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// TestSecurityRequirements finds every number that code cites on the page that
// explains it, and no gap there.
func TestSecurityRequirements(t *testing.T) {
	page, err := os.ReadFile("docs/security-requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\| (SEC-\d+) \| .{20,} \|$`).FindAllStringSubmatch(string(page), -1) {
		explained[m[1]] = true
	}
	for n := 1; n <= len(explained); n++ {
		if name := "SEC-" + strconv.Itoa(n); !explained[name] {
			t.Errorf("%s is missing among %d", name, len(explained))
		}
	}
	cited := regexp.MustCompile(`SEC-\d+`)
	found := 0
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range cited.FindAllString(string(text), -1) {
			if found++; !explained[name] {
				t.Errorf("%s cites %s, which docs/security-requirements.md does not explain", path, name)
			}
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("%d citations, %v", found, err)
	}
}

// manual returns the paths of all pages for people.
func manual(t *testing.T) []string {
	t.Helper()
	pages := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md", "docs/*/*/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, more...)
	}
	return pages
}

// TestDocsName finds the files, headings and folders that the manual names.
func TestDocsName(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inside := regexp.MustCompile("`((?:internal|docs|test|testdata|client|cmd|tools)/[^`\\s]*)`")
	for _, page := range manual(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			path, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			} else if heading != "" && !hasHeading(t, target, heading) {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
		for _, m := range inside.FindAllStringSubmatch(string(text), -1) {
			if found, err := filepath.Glob(m[1]); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}

// TestDocsCite finds the Go files, tests and exported names that the manual cites
// without their folder: `dialect.go`, `api/token.go`, TestKill, `secret.Text`. A
// citation that ends with "…" is the beginning of a name.
func TestDocsCite(t *testing.T) {
	files, declared := goNames(t)
	goFile := regexp.MustCompile("`([\\w/]+\\.go)`")
	goName := regexp.MustCompile("\\b(Test|Benchmark|Fuzz)[A-Z]\\w*…?|`[a-z]+\\.[A-Z]\\w*`")
	cited := 0
	for _, page := range manual(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range goFile.FindAllStringSubmatch(string(text), -1) {
			if cited++; !strings.Contains(files, "/"+m[1]+"\n") {
				t.Errorf("%s cites %s, which is not there", page, m[1])
			}
		}
		for _, name := range goName.FindAllString(string(text), -1) {
			name = strings.Trim(name, "`")
			where, _, qualified := strings.Cut(name, ".")
			if qualified && !strings.Contains(declared, "\n"+where+".") {
				continue // of another module
			}
			want := "\n" + name + "\n"
			if start, found := strings.CutSuffix(name, "…"); found {
				want = "\n" + start
			}
			if cited++; !strings.Contains(declared, want) {
				t.Errorf("%s cites %s, which is not declared", page, name)
			}
		}
	}
	if cited == 0 {
		t.Error("no page cites a file or a name")
	}
}

// goNames returns the paths of all Go files, and what they declare, one a line:
// package and name of an export ("secret.Text"), the name alone of a test.
func goNames(t *testing.T) (files, declared string) {
	t.Helper()
	var paths, names strings.Builder
	declaration := regexp.MustCompile(`(?m)^(?:func|type|const|var|\t) ?([A-Z]\w*)`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		paths.WriteString("/" + path + "\n")
		in := regexp.MustCompile(`(?m)^package (\w+)`).FindSubmatch(text)
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			if strings.HasSuffix(path, "_test.go") {
				names.WriteString("\n" + string(m[1]) + "\n")
			} else if in != nil {
				names.WriteString("\n" + string(in[1]) + "." + string(m[1]) + "\n")
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths.String(), names.String()
}

// hasHeading reports whether the page has a heading with that anchor, as GitHub
// makes them.
func hasHeading(t *testing.T, page, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		if strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestTokenStateWords compares the words for the states of tokens with the pages that explain
// them.
func TestTokenStateWords(t *testing.T) {
	api, err := os.ReadFile("docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	cli, err := os.ReadFile("docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, s := range hallpass.TokenStates() {
		if line := "\n| `" + string(s) + "` | " + s.Word() + " | "; !strings.Contains(string(api), line) {
			t.Errorf("docs/http-api.md has no line %q", line)
		}
		words = append(words, "`"+s.Words()+"`")
	}
	last := len(words) - 1
	if list := "The state is " + strings.Join(words[:last], ", ") + " or " + words[last] + "."; !strings.Contains(string(cli), list) {
		t.Errorf("docs/cli.md does not say %q", list)
	}
}

// TestLimits compares the limits that docs/limits.md tells with the constants that it names.
func TestLimits(t *testing.T) {
	page, err := os.ReadFile("docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]int64{
		"": 1, "characters": 1, "bytes": 1, "levels": 1, "seconds": 1, "KiB": 1 << 10, "MiB": 1 << 20,
		"hour": int64(time.Hour), "hours": int64(time.Hour), "days": int64(24 * time.Hour),
	}
	rows := regexp.MustCompile("(?m)^\\| .* \\| (\\d+) ?(\\w*) \\| `(\\S+)` `(\\w+)` \\|$").FindAllStringSubmatch(string(page), -1)
	if n := strings.Count(string(page), ".go` "); len(rows) != n || n < 40 {
		t.Fatalf("%d of %d rows are well formed", len(rows), n)
	}
	for _, row := range rows {
		unit, known := units[row[2]]
		told, err := strconv.ParseInt(row[1], 10, 64)
		is, wrong := constantIn(row[3], row[4])
		if err := errors.Join(err, wrong); err != nil || !known || told*unit != is {
			t.Errorf("docs/limits.md tells %s %s for %s of %s, which is %d: %v", row[1], row[2], row[4], row[3], is, err)
		}
	}
}

// constantIn returns the value of a constant that is declared in a file.
func constantIn(file, name string) (int64, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return 0, err
	}
	value := constant.MakeUnknown()
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == name && len(spec.Values) == 1 {
			value = constantOf(spec.Values[0])
		}
		return true
	})
	if v, exact := constant.Int64Val(constant.ToInt(value)); exact {
		return v, nil
	}
	return 0, errors.New("its value is not one that this test can tell")
}

// constantOf evaluates numbers, units of time, and what is made of them by + - * and <<.
func constantOf(e ast.Expr) constant.Value {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0)
	case *ast.SelectorExpr:
		if unit, ok := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}[e.Sel.Name]; ok {
			return constant.MakeInt64(int64(unit))
		}
	case *ast.BinaryExpr:
		x, y := constantOf(e.X), constantOf(e.Y)
		if n, ok := constant.Uint64Val(y); ok && e.Op == token.SHL {
			return constant.Shift(x, e.Op, uint(n))
		}
		return constant.BinaryOp(x, e.Op, y)
	}
	return constant.MakeUnknown()
}
