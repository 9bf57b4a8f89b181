package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPlayedProxies plays to Hallpass what proxies ask that cannot be installed here, as
// their pages write it, once for each row of the pages' tables. The configurations of these
// pages name the door and the headers that Hallpass answers with.
func TestPlayedProxies(t *testing.T) {
	hp := newGuardServer(t, attackedGuard)
	tokens := map[string]string{"reader": hp.holder("app:read").key, "writer": hp.holder("app:read", "app:write").key, "bad": "glsa_nonsense"}
	for page, headers := range map[string][2]string{
		"traefik":       {"X-Forwarded-Method", "X-Forwarded-Uri"},
		"ingress-nginx": {"X-Original-Method", "X-Original-Url"},
	} {
		t.Run(page, func(t *testing.T) {
			text := manualPage(t, page+".md")
			example := regexp.MustCompile("(?s)```http\n(.*?)```").FindStringSubmatch(text)
			rows := regexp.MustCompile("(?m)^\\| (reader|writer|none|bad) \\| `+(.*?)`+ \\| `+(.*?)`+ \\| (\\d+) ?(\\S*) \\|$").FindAllStringSubmatch(text, -1)
			if example == nil || len(rows) < 10 {
				t.Fatalf("%d rows, example %v", len(rows), example)
			}
			for _, row := range rows {
				answeredAsWritten(t, hp, example[1], headers, tokens[row[1]], row[2], row[3], row[4], row[5])
			}
			config := manualFiles(t, page+".md")[0].Text
			for _, name := range identityNames {
				if n := len(regexp.MustCompile(name+`\b(?:[^-]|$)`).FindAllString(config, -1)); n != 1 {
					t.Errorf("the configuration has %s %d times", name, n)
				}
			}
			if !strings.Contains(config, ":3080/guard/"+page+"/app\n") {
				t.Error("the configuration does not name the door")
			}
		})
	}
}

// answeredAsWritten sends the example of a page with the values of a row of its table.
func answeredAsWritten(t *testing.T, hp *guardServer, example string, headers [2]string, token, method, target, status, reason string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(example), "\n")
	r, err := http.NewRequest(strings.Fields(lines[0])[0], hp.url+strings.Fields(lines[0])[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch key := http.CanonicalHeaderKey(name); {
		case key == "Host":
			r.Host = value
		case key == "Authorization" && token == "":
		case key == "Authorization":
			r.Header.Set(key, "Bearer "+token)
		case slices.Contains(headers[:], key):
			if replaced := map[string]string{headers[0]: method, headers[1]: target}[key]; replaced != "" {
				r.Header.Set(key, replaced)
			}
		default:
			r.Header.Set(key, value)
		}
	}
	res, err := quick.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	var said struct{ MessageID string }
	if res.StatusCode >= 400 && json.NewDecoder(res.Body).Decode(&said) != nil {
		t.Errorf("%s %s: no JSON", method, target)
	}
	if got := res.Header.Get("X-Hallpass-Reason"); fmt.Sprint(res.StatusCode) != status || got != reason || reason != "" && said.MessageID != reason {
		t.Errorf("%s %s: %d %s %s, and the page says %s %s", method, target, res.StatusCode, got, said.MessageID, status, reason)
	}
	for _, name := range identityNames {
		if n := len(res.Header[name]); (n == 1) != (res.StatusCode == http.StatusOK) {
			t.Errorf("%s %s: %d with %s %d times", method, target, res.StatusCode, name, n)
		}
	}
}
