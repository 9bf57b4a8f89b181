package api_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestDocsPage looks in the page about the API for what stands in no text that was
// meant: marks of the contract, types without a name, two full stops.
func TestDocsPage(t *testing.T) {
	s := hallpasstest.New(t)
	page := s.Do(hallpasstest.Nobody, "GET", "/docs", "", "Accept: text/html")
	if page.StatusCode != http.StatusOK {
		t.Fatalf("/docs: %d", page.StatusCode)
	}
	text := strings.ReplaceAll(page.Text, "{rest...}", "") // a pattern, as rules write it
	for _, wrong := range []string{"`", "&lt;nil&gt;", "<nil>", "..", ". .", "<code></code>"} {
		if i := strings.Index(text, wrong); i >= 0 {
			t.Errorf("the page has %q: %s", wrong, text[max(0, i-100):min(len(text), i+100)])
		}
	}
	for _, want := range []string{
		"Needs <code>guards:test</code>, and for serviceAccount also <code>users.permissions:read</code> on it. A token is",
		"Needs <code>serviceaccounts:read on serviceaccounts:id:{id}</code>.</p>",
		"<code>needs</code> <small>GuardNeed or null",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// TestDocsFont gets the font that the style of the page links to: it is an asset of
// the console, whose name holds the hash of its content.
func TestDocsFont(t *testing.T) {
	s := hallpasstest.New(t)
	css := s.Do(hallpasstest.Nobody, "GET", "/docs.css", "").Text
	link := regexp.MustCompile(`url\("([^"]+)"\)`).FindStringSubmatch(css)
	if link == nil {
		t.Fatalf("the style of the page links to no font: %s", css)
	}
	if r := s.Do(hallpasstest.Nobody, "GET", link[1], ""); r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "font/woff2" {
		t.Errorf("the font %s: %d %s", link[1], r.StatusCode, r.Header.Get("Content-Type"))
	}
}
