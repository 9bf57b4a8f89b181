package test_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	manual "github.com/hallpass-dev/hallpass/docs/guard"
)

// manualFiles returns the files of a page of docs/guard.
func manualFiles(t *testing.T, page string) []manual.File {
	t.Helper()
	files := manual.Files(manualPage(t, page))
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
	replacements = append(replacements, b.replaced...)
	replacements = append(replacements, "127.0.0.1:3080", b.hallpass, "127.0.0.1:8080", b.api, "/guard/"+proxy+"/app", "/guard/"+proxy+"/"+b.guard)
	all := ""
	for _, f := range files {
		all += f.Text
		replacements = append(replacements, f.Path, filepath.Join(dir, filepath.Base(f.Path)))
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
		text := strings.NewReplacer(replacements...).Replace(f.Text)
		if b.header != "" {
			text = commented.ReplaceAllString(text, "$1$2")
		}
		put(t, filepath.Join(dir, filepath.Base(f.Path)), text)
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
