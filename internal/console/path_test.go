package console_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestNoNameIsAWordOfAPath gives folders, dashboards, roles and organizations the
// words that stand in the paths of the API and the console, as uid, name and
// title. What may have such a name is found at its address, which is not that of
// something else.
func TestNoNameIsAWordOfAPath(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	words := wordsOfPaths(t, s)
	if len(words) < 60 || !slices.Contains(words, "permissions") || !slices.Contains(words, "create") {
		t.Fatalf("the words of paths are %v", words)
	}
	create := func(path, body string) (made struct{ UID, URL string }, ok bool) {
		r := s.Send(hallpasstest.Admin, "POST", path, body)
		if r.StatusCode >= 300 {
			return made, false
		}
		if err := json.Unmarshal([]byte(r.Text), &made); err != nil {
			t.Fatal(err)
		}
		return made, true
	}
	leads := func(link, title string) {
		t.Helper()
		p := b.get(link)
		for range 3 {
			if p.status == http.StatusSeeOther {
				p = b.get(p.to)
			}
		}
		if p.status != http.StatusOK || !strings.Contains(p.text, title) {
			t.Errorf("%s does not lead to the page about %s: %d", link, title, p.status)
		}
	}
	reads := func(path, has string) {
		t.Helper()
		if r := s.Send(hallpasstest.Admin, "GET", path, ""); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, has) {
			t.Errorf("GET %s does not tell of %s: %d %s", path, has, r.StatusCode, r.Text)
		}
	}
	for i, word := range words {
		if f, ok := create("/api/folders", fmt.Sprintf(`{"uid":"titled-%d","title":%q}`, i, word)); ok {
			leads(f.URL, `<h1>`+word)
			if pattern := console.PatternOf(f.URL); pattern != "GET /dashboards/f/{folder}/{slug}" {
				t.Errorf("the link %s is that of %s", f.URL, pattern)
			}
		}
		title := fmt.Sprintf("by-uid-%d", i)
		if f, ok := create("/api/folders", fmt.Sprintf(`{"uid":%q,"title":%q}`, word, title)); ok {
			leads(f.URL, title)
			reads("/api/folders/"+word, title)
			reads("/api/access-control/folders/"+word, "[")
		}
		if _, ok := create("/api/dashboards/db", fmt.Sprintf(`{"dashboard":{"uid":%q,"title":%q}}`, word, title)); ok {
			reads("/api/dashboards/uid/"+word, title)
		}
		if _, ok := create("/api/access-control/roles", fmt.Sprintf(`{"uid":%q,"name":%q,"permissions":[]}`, word, title)); ok {
			leads("/admin/roles/"+word, title)
			leads("/admin/roles/"+word+"/edit", title)
			reads("/api/access-control/roles/"+word, title)
		}
		if _, ok := create("/api/orgs", fmt.Sprintf(`{"name":%q}`, word)); ok {
			reads("/api/orgs/name/"+word, fmt.Sprintf(`"name":%q`, word))
		}
	}
}

// wordsOfPaths lists the words that stand in paths of the API and the console.
func wordsOfPaths(t *testing.T, s *hallpasstest.Server) []string {
	t.Helper()
	var contract struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(s.Do(hallpasstest.Nobody, "GET", "/openapi.json", "").Text), &contract); err != nil {
		t.Fatal(err)
	}
	patterns := console.Patterns()
	for path := range contract.Paths {
		patterns = append(patterns, "GET "+path)
	}
	words := make(map[string]bool)
	for _, pattern := range patterns {
		_, path, _ := strings.Cut(pattern, " ")
		for part := range strings.SplitSeq(path, "/") {
			if part != "" && !strings.HasPrefix(part, "{") {
				words[part] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(words))
}

// TestOldLinks follows the links that were the console's own once.
func TestOldLinks(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	if r := s.Do(hallpasstest.Admin, "POST", "/api/folders", `{"uid":"shop","title":"Shop"}`); r.StatusCode != http.StatusOK {
		t.Fatal(r.Text)
	}
	for old, now := range map[string]string{"/admin/roles/create": "/admin/create/role", "/dashboards/f/shop/permissions": "/dashboards/permissions/shop"} {
		if p := b.get(old); p.status != http.StatusSeeOther || p.to != now {
			t.Errorf("%s leads to %q (%d), want %s", old, p.to, p.status, now)
		}
		b.want("where it leads", b.get(now), http.StatusOK)
	}
}
