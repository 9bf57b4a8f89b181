package console_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// awaited are classes of the stylesheet for pages that are still to come.
var awaited []string

// hooks are classes without a style: the script and the tests find elements by them.
var hooks = strings.Fields(`last-used`)

var (
	classInStyle  = regexp.MustCompile(`\.([a-z][a-z0-9-]*)`)
	classInMarkup = regexp.MustCompile(`class="([^"]*)"`)
	classInScript = regexp.MustCompile("(?:className = |classList\\.\\w+\\()[\"`]([^\"`]*)[\"`]|\"(good|bad|lit|proved|refused|primary|destructive)\"")
	action        = regexp.MustCompile(`\{\{[^}]*\}\}`)
	notSelector   = regexp.MustCompile(`(?s)/\*.*?\*/|\{[^{}]*\}|url\([^)]*\)`)
)

// TestEveryClassHasItsStyle compares the classes of the stylesheet with those that
// templates, the script and drawings use. Neither side has one that the other lacks.
func TestEveryClassHasItsStyle(t *testing.T) {
	css, script := readFile(t, "assets/console.css"), readFile(t, "assets/console.js")
	styled := make(map[string]bool)
	for _, m := range classInStyle.FindAllStringSubmatch(notSelector.ReplaceAllString(css, " "), -1) {
		styled[m[1]] = true
	}
	used := make(map[string]bool)
	use := func(names string) {
		for _, name := range strings.Fields(names) {
			used[name] = true
		}
	}
	for _, m := range classInScript.FindAllStringSubmatch(script, -1) {
		use(strings.ReplaceAll(m[1], "${kind}", "") + m[2])
	}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err != nil || ext != ".html" && ext != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, m := range classInMarkup.FindAllStringSubmatch(withoutActions(readFile(t, path)), -1) {
			use(strings.ReplaceAll(m[1], "h%d %s", "h1 h2 h3 l"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	use("good warn bad")    // classes of badges
	use("read write admin") // levels of the matrix of roles
	for class := range styled {
		if !used[class] && !slices.Contains(awaited, class) {
			t.Errorf("the stylesheet has .%s, which nothing uses", class)
		}
	}
	for class := range used {
		if !styled[class] && !slices.Contains(hooks, class) && !strings.HasSuffix(class, "-") { // the rest of the name comes from the view
			t.Errorf("the class %s is used, and the stylesheet has nothing for it", class)
		}
	}
	for _, class := range awaited {
		if !styled[class] {
			t.Errorf(".%s is awaited, and the stylesheet does not have it", class)
		}
	}
}

// withoutActions removes the actions of a template and keeps the text between them.
func withoutActions(template string) string {
	return action.ReplaceAllStringFunc(template, func(a string) string {
		if strings.HasPrefix(a, "{{if") || strings.HasPrefix(a, "{{with") || strings.HasPrefix(a, "{{end") || strings.HasPrefix(a, "{{else") {
			return " "
		}
		return ""
	})
}

// TestEveryVariableIsUsed compares the variables of the stylesheet with their uses.
func TestEveryVariableIsUsed(t *testing.T) {
	css := readFile(t, "assets/console.css")
	set := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(--[a-z0-9-]+):`).FindAllStringSubmatch(css, -1) {
		set[m[1]] = true
		if !strings.Contains(css, "var("+m[1]+")") {
			t.Errorf("%s is set and not used", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`var\((--[a-z0-9-]+)`).FindAllStringSubmatch(css, -1) {
		if !set[m[1]] {
			t.Errorf("%s is used and not set", m[1])
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
