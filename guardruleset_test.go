package hallpass_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// ruleset returns the compiled rules of a guard that has them.
func ruleset(t testing.TB, rules ...hallpass.GuardRule) *hallpass.Ruleset {
	t.Helper()
	s, err := hallpass.NewRuleset(hallpass.Guard{Org: 1, Name: "g", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func needs(action hallpass.Action, scope string) hallpass.Need {
	return hallpass.Need{Kind: hallpass.NeedPermission, Action: action, Scope: scope}
}

var public = hallpass.Need{Kind: hallpass.NeedNothing}

func TestMatch(t *testing.T) {
	s := ruleset(t,
		hallpass.GuardRule{Methods: []string{"GET"}, Path: "/api/v1/query", Need: public},
		hallpass.GuardRule{Methods: []string{"POST"}, Path: "/api/{v}/query", Need: public},
		hallpass.GuardRule{Path: "/api/v1/admin/{rest...}", Need: public},
		hallpass.GuardRule{Methods: []string{"GET"}, Path: "/api/", Need: public},
		hallpass.GuardRule{Methods: []string{"PURGE", "GET"}, Path: "/{$}", Need: public},
	)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/api/v1/query", 1},
		{"HEAD", "/api/v1/query", 1},
		{"POST", "/api/v1/query", 2},
		{"POST", "/api/v2/query", 2},
		{"get", "/api/v1/query", 0},
		{"DELETE", "/api/v1/admin/x/y", 3},
		{"DELETE", "/api/v1/admin/", 3},
		{"GET", "/api/v1/admin", 4},
		{"GET", "/api/v2/query", 4},
		{"GET", "/api/", 4},
		{"GET", "/api", 0},
		{"PURGE", "/", 5},
		{"HEAD", "/", 5},
		{"POST", "/", 0},
		{"", "/", 0},
	} {
		got := 0
		if r := s.Match(tt.method, tt.path); r != nil {
			got = r.Number
		}
		if got != tt.want {
			t.Errorf("%s %s: rule %d, want %d", tt.method, tt.path, got, tt.want)
		}
	}
}

// FuzzMatch compares the tree of rules with a search through all of them.
func FuzzMatch(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, "GET", "/a/b")
		f.Add(seed, "POST", "/a/b/c/")
	}
	f.Fuzz(func(t *testing.T, seed uint64, method, path string) {
		path, ok := hallpass.CanonicalPath(path, 0)
		if !ok {
			return
		}
		s := drawnRules(t, rand.New(rand.NewPCG(seed, 1)))
		compareMatch(t, s, method, path)
		for range 20 {
			compareMatch(t, s, drawnMethod(rand.New(rand.NewPCG(seed, 2))), drawnPath(rand.New(rand.NewPCG(seed, 3))))
		}
	})
}

// TestMatchDrawn compares them for rules and paths that are alike.
func TestMatchDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		s := drawnRules(t, r)
		for range 100 {
			compareMatch(t, s, drawnMethod(r), drawnPath(r))
		}
	}
}

func compareMatch(t *testing.T, s *hallpass.Ruleset, method, path string) {
	t.Helper()
	want, got := 0, 0
	for _, r := range s.Rules() {
		p, err := hallpass.ParsePathPattern(r.Path, 0)
		if err != nil {
			t.Fatal(err)
		}
		if p.Matches(path) && takes(r.Methods, method) {
			want = r.Number
			break
		}
	}
	if r := s.Match(method, path); r != nil {
		got = r.Number
	}
	if got != want {
		var all []string
		for _, r := range s.Rules() {
			all = append(all, r.Request())
		}
		t.Errorf("%s %s: rule %d, want %d of\n%s", method, path, got, want, strings.Join(all, "\n"))
	}
}

func takes(methods []string, method string) bool {
	for _, m := range methods {
		if m == method || m == "GET" && method == "HEAD" {
			return true
		}
	}
	return len(methods) == 0
}

// drawnRules returns rules of which each can match.
func drawnRules(t *testing.T, r *rand.Rand) *hallpass.Ruleset {
	t.Helper()
	var rules []hallpass.GuardRule
	for range 1 + r.IntN(12) {
		var path strings.Builder
		for i, n := 0, r.IntN(4); i < n; i++ {
			path.WriteString([]string{"/a", "/b", "/c", fmt.Sprintf("/{x%d}", i)}[r.IntN(4)])
		}
		path.WriteString([]string{"/a", "/b", "/", "/{$}", "/{rest...}", "/{y}"}[r.IntN(6)])
		next := append(rules, hallpass.GuardRule{Methods: [][]string{nil, {"GET"}, {"POST"}, {"POST", "GET"}}[r.IntN(4)], Path: path.String(), Need: public})
		if _, err := hallpass.NewRuleset(hallpass.Guard{Rules: next}); err == nil {
			rules = next
		}
	}
	return ruleset(t, rules...)
}

func drawnMethod(r *rand.Rand) string {
	return []string{"GET", "HEAD", "POST", "PUT"}[r.IntN(4)]
}

func drawnPath(r *rand.Rand) string {
	var path strings.Builder
	for i, n := 0, r.IntN(5); i < n; i++ {
		path.WriteString([]string{"/a", "/b", "/c", "/d"}[r.IntN(4)])
	}
	return path.String() + []string{"/", "/a"}[r.IntN(2)]
}

// TestShadowed draws rules: one is refused as never matching only if no path that it
// matches reaches it.
func TestShadowed(t *testing.T) {
	for _, tt := range []struct {
		before, rule hallpass.GuardRule
		shadowed     bool
	}{
		{hallpass.GuardRule{Path: "/{rest...}"}, hallpass.GuardRule{Path: "/a"}, true},
		{hallpass.GuardRule{Path: "/"}, hallpass.GuardRule{Path: "/{x}/b"}, true},
		{hallpass.GuardRule{Methods: []string{"GET"}, Path: "/{rest...}"}, hallpass.GuardRule{Path: "/a"}, false},
		{hallpass.GuardRule{Methods: []string{"GET", "POST"}, Path: "/a/"}, hallpass.GuardRule{Methods: []string{"GET"}, Path: "/a/b"}, true},
		{hallpass.GuardRule{Methods: []string{"GET"}, Path: "/a"}, hallpass.GuardRule{Methods: []string{"GET", "PUT"}, Path: "/a"}, false},
		{hallpass.GuardRule{Path: "/a/{x}"}, hallpass.GuardRule{Path: "/a/b"}, true},
		{hallpass.GuardRule{Path: "/a/b"}, hallpass.GuardRule{Path: "/a/{x}"}, false},
		{hallpass.GuardRule{Path: "/a/{x}"}, hallpass.GuardRule{Path: "/a/{$}"}, false},
		{hallpass.GuardRule{Path: "/a/"}, hallpass.GuardRule{Path: "/a/{$}"}, true},
		{hallpass.GuardRule{Path: "/a/"}, hallpass.GuardRule{Path: "/a"}, false},
		{hallpass.GuardRule{Path: "/a/{$}"}, hallpass.GuardRule{Path: "/a/"}, false},
		{hallpass.GuardRule{Path: "/{x}"}, hallpass.GuardRule{Path: "/{y}"}, true},
	} {
		tt.before.Need, tt.rule.Need = public, public
		_, err := hallpass.NewRuleset(hallpass.Guard{Rules: []hallpass.GuardRule{tt.before, tt.rule}})
		if (err != nil) != tt.shadowed {
			t.Errorf("%s before %s: %v", tt.before.Request(), tt.rule.Request(), err)
		}
		if err != nil && (!strings.Contains(err.Error(), tt.before.Request()) || !strings.Contains(err.Error(), tt.rule.Request())) {
			t.Errorf("the error does not name both rules: %v", err)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	var rules []hallpass.GuardRule
	for i := range 100 {
		rules = append(rules, hallpass.GuardRule{Methods: []string{"GET"}, Path: fmt.Sprintf("/api/v1/things%d/{id}/parts", i), Need: needs("things:read", "")})
	}
	s := ruleset(b, rules...)
	caller := hallpass.Caller{Org: 1, Permissions: hallpass.NewPermissions(hallpass.Permission{Action: "things:read"})}
	b.ReportAllocs()
	for b.Loop() {
		j := s.Judge(hallpass.GuardRequest{Method: "GET", Target: "/api/v1/things99/17/parts?x=1"})
		if s.Permit(&j, caller) != nil {
			b.Fatal(j.Err)
		}
	}
}
