package hallpass_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
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

// TestDocsName finds the files, headings and folders that the manual names.
func TestDocsName(t *testing.T) {
	pages := []string{"README.md", "CONTRIBUTING.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, more...)
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inside := regexp.MustCompile("`((?:internal|docs|test|testdata|client|cmd|tools)/[^`\\s]*)`")
	for _, page := range pages {
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
