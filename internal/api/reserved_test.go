package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestNoUIDIsAWordOfAPath finds the words in the route table that are in the same position
// as a uid of another route. Nobody could read a thing with such a uid, so clients may not
// choose it.
func TestNoUIDIsAWordOfAPath(t *testing.T) {
	s := hallpasstest.New(t)
	words := make(map[string]map[string]bool) // by parameter
	split := func(pattern string) (string, []string) {
		method, route, _ := strings.Cut(pattern, " ")
		return method, strings.Split(route, "/")
	}
	for _, one := range api.Patterns() {
		method, parts := split(one)
		for i, part := range parts {
			if part == "{ref}" && (strings.Contains(one, "folders") || strings.Contains(one, "dashboards")) {
				part = map[bool]string{true: "{folder}", false: "{dashboard}"}[strings.Contains(one, "folders")]
			}
			if part != "{folder}" && part != "{dashboard}" && part != "{role}" {
				continue
			}
			for _, other := range api.Patterns() {
				if m, others := split(other); m == method && len(others) == len(parts) && !strings.HasPrefix(others[i], "{") && meet(parts, others) {
					if words[part] == nil {
						words[part] = make(map[string]bool)
					}
					words[part][others[i]] = true
				}
			}
		}
	}
	if len(words) == 0 {
		t.Error("no word was found: this test does not look where it should")
	}
	for parameter, list := range words {
		for word := range list {
			path, body := map[string]string{"{folder}": "/api/folders", "{dashboard}": "/api/dashboards/db", "{role}": "/api/access-control/roles"}[parameter], map[string]string{
				"{folder}": `{"uid":%q,"title":"x"}`, "{dashboard}": `{"dashboard":{"uid":%q,"title":"x"}}`, "{role}": `{"uid":%q,"name":"x"}`,
			}[parameter]
			if r := s.Do(hallpasstest.Admin, "POST", path, fmt.Sprintf(body, word)); r.StatusCode != 400 {
				t.Errorf("%s may be %q, which a path takes for a word: %d %s", parameter, word, r.StatusCode, r.Text)
			}
		}
	}
}

// meet reports whether there is a path that both routes could take.
func meet(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") && !strings.HasPrefix(b[i], "{") {
			return false
		}
	}
	return true
}
