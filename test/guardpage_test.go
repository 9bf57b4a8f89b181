package test_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// manualFile is a file that a page of the manual tells to make: a block whose first line
// is a comment with the file's path.
type manualFile struct{ path, text string }

var manualBlock = regexp.MustCompile("(?ms)^```[a-z]+\n((?:#|--) (/\\S+|[a-z-]+\\.(?:toml|yaml))\n.*?)^```$")

// manualFiles returns the files of a page of docs/guard.
func manualFiles(t *testing.T, page string) (files []manualFile) {
	t.Helper()
	for _, m := range manualBlock.FindAllStringSubmatch(manualPage(t, page), -1) {
		files = append(files, manualFile{m[2], m[1]})
	}
	if len(files) == 0 {
		t.Fatalf("%s has no file", page)
	}
	return files
}

func manualPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../docs/guard", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pasted writes the files of a proxy's page into a folder and returns its path. It replaces
// what the page tells to replace, and more, and each must be in the page; a file's path
// becomes the one that it has in the folder.
func pasted(t *testing.T, proxy string, b behind, replacements ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files := manualFiles(t, proxy+".md")
	replacements = append(replacements, "127.0.0.1:3080", b.hallpass, "127.0.0.1:8080", b.api, "/guard/"+proxy+"/app", "/guard/"+proxy+"/"+b.guard)
	all := ""
	for _, f := range files {
		all += f.text
		replacements = append(replacements, f.path, filepath.Join(dir, filepath.Base(f.path)))
	}
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(all, replacements[i]) {
			t.Errorf("%s has no %q", proxy, replacements[i])
		}
	}
	commented := regexp.MustCompile(`(?mi)^(\s*)(?:#|--) (.*` + b.header + `)`)
	if b.header != "" && !commented.MatchString(all) {
		t.Errorf("%s has no line for %s", proxy, b.header)
	}
	for _, f := range files {
		text := strings.NewReplacer(replacements...).Replace(f.text)
		if b.header != "" {
			text = commented.ReplaceAllString(text, "$1$2")
		}
		put(t, filepath.Join(dir, filepath.Base(f.path)), text)
	}
	return dir
}

// put writes a file that the user of a proxy can read too.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
