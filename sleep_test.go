package hallpass_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoBareSleep looks through all tests for a fixed pause without a reason: a
// test waits for what should happen (hallpasstest.Eventually), or has the time
// of testing/synctest. Where time itself is tested, or a load has a pace, a
// comment says so on the line of the pause or on the line above.
func TestNoBareSleep(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && notOurs(name, d.Name()):
			return filepath.SkipDir
		case !strings.HasSuffix(name, "_test.go") && (filepath.Ext(name) != ".go" || !isProof(filepath.ToSlash(filepath.Dir(name)))):
			return nil
		}
		files++
		for _, pos := range bareSleeps(t, name, nil) {
			t.Errorf("%s: a pause without a reason: wait for what should happen with hallpasstest.Eventually, or say in a comment why the time matters", pos)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("only %d files were seen: this test does not look where it should", files)
	}
}

func isProof(dir string) bool {
	room := roomOf(dir)
	return room == "test" || room == "internal/hallpasstest"
}

// bareSleeps returns where the file pauses for a fixed time, outside of
// testing/synctest and without a comment.
func bareSleeps(t *testing.T, name string, src any) []token.Position {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[int]bool) // by line
	for _, group := range f.Comments {
		end := files.Position(group.End()).Line
		reasons[end], reasons[end+1] = true, true
	}
	var bare []token.Position
	ast.Inspect(f, func(n ast.Node) bool {
		if isCall(n, "synctest", "Test") {
			return false
		}
		if wait, ok := n.(*ast.UnaryExpr); isCall(n, "time", "Sleep") || ok && wait.Op == token.ARROW && isCall(wait.X, "time", "After") && !fails(f, wait) {
			if at := files.Position(n.Pos()); !reasons[at.Line] {
				bare = append(bare, at)
			}
		}
		return true
	})
	return bare
}

// isCall reports whether the node calls that function of that package.
func isCall(n ast.Node, pkg, name string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fn.Sel.Name != name {
		return false
	}
	of, ok := fn.X.(*ast.Ident)
	return ok && of.Name == pkg
}

// fails reports whether the receive is a case of a select that is a limit, not a
// pause: it fails the test, or ends what did not end by itself.
func fails(f *ast.File, receive ast.Expr) (limit bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CommClause)
		if !ok || c.Comm == nil || c.Comm.Pos() > receive.Pos() || receive.End() > c.Comm.End() {
			return true
		}
		for _, s := range c.Body {
			ast.Inspect(s, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					switch sel.Sel.Name {
					case "Fatal", "Fatalf", "Error", "Errorf", "Kill":
						limit = true
					}
				}
				return true
			})
		}
		return true
	})
	return limit
}

// TestNoBareSleepFinds proves that the rule bites.
func TestNoBareSleepFinds(t *testing.T) {
	for _, tt := range []struct {
		body string
		want int
	}{
		{"time.Sleep(time.Second)", 1},
		{"time.Sleep(time.Second) // the lease runs out", 0},
		{"// The lease runs out.\ntime.Sleep(time.Second)", 0},
		{"// Something else.\n\ntime.Sleep(time.Second)", 1},
		{"for !ok() { time.Sleep(1) }", 1},
		{"for end := now(); !ok(); time.Sleep(1) {\n}", 1},
		{"<-time.After(time.Second)", 1},
		{"select { case <-done: case <-time.After(1): t.Fatal(\"it goes on\") }", 0},
		{"select { case <-done: case <-time.After(1): use() }", 1},
		{"synctest.Test(t, func(t *testing.T) { time.Sleep(time.Hour) })", 0},
		{"synctest.Wait(); time.Sleep(time.Hour)", 1},
	} {
		if got := bareSleeps(t, "x_test.go", "package x\nfunc f() {\n"+tt.body+"\n}"); len(got) != tt.want {
			t.Errorf("%s\nhas %d bare pauses, want %d", tt.body, len(got), tt.want)
		}
	}
}
