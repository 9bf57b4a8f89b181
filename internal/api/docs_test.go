package api_test

import (
	"encoding/json"
	"net/http"
	"path"
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
		"<code>Idempotency-Key</code> <small>header</small>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// TestDocsHeaders finds, at each call of the page about the API, every header that the
// OpenAPI document says its answers may have.
func TestDocsHeaders(t *testing.T) {
	s := hallpasstest.New(t)
	page := s.Do(hallpasstest.Nobody, "GET", "/docs", "", "Accept: text/html").Text
	type answer struct {
		Ref     string `json:"$ref"`
		Headers map[string]any
	}
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Responses map[string]answer }
	}
	if err := json.Unmarshal([]byte(s.Do(hallpasstest.Nobody, "GET", "/openapi.json", "").Text), &doc); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int)
	for path, calls := range doc.Paths {
		for method, raw := range calls {
			if method == "parameters" {
				continue // of all calls of the path
			}
			var call struct{ Responses map[string]answer }
			if err := json.Unmarshal(raw, &call); err != nil {
				t.Fatal(err)
			}
			_, section, _ := strings.Cut(page, "<h3><span class=\"m "+strings.ToUpper(method)+"\">"+strings.ToUpper(method)+"</span> <code>"+path+"</code></h3>")
			section, _, _ = strings.Cut(section, "</section>")
			for status, r := range call.Responses {
				if r.Ref != "" {
					r = doc.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
				}
				for name := range r.Headers {
					if found[name]++; !regexp.MustCompile("<dt><code>" + name + "</code> <small>[0-9, ]*" + status).MatchString(section) {
						t.Errorf("%s %s says nothing of %s with %s", method, path, name, status)
					}
				}
			}
		}
	}
	for _, name := range []string{"RateLimit", "RateLimit-Policy", "Hallpass-Token-Expires", "Retry-After"} {
		if found[name] < 200 {
			t.Errorf("%s stands at %d answers", name, found[name])
		}
	}
}

// TestDocsAssets gets what the page and its style link to: assets of the console, whose
// names hold the hash of their content.
func TestDocsAssets(t *testing.T) {
	s := hallpasstest.New(t)
	for from, want := range map[string]struct{ link, kind string }{
		"/docs.css": {`url\("([^"]+)"\)`, "font/woff2"},
		"/docs":     {`<link rel="icon" href="([^"]+)"`, "image/svg+xml"},
	} {
		text := s.Do(hallpasstest.Nobody, "GET", from, "").Text
		link := regexp.MustCompile(want.link).FindStringSubmatch(text)
		if link == nil {
			t.Fatalf("%s has no link like %s", from, want.link)
		}
		at := link[1]
		if !strings.HasPrefix(at, "/") { // from the stylesheet, beside which the assets are
			at = path.Join(path.Dir(from), at)
		}
		if r := s.Do(hallpasstest.Nobody, "GET", at, ""); r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != want.kind {
			t.Errorf("%s links to %s: %d %s", from, link[1], r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
}
