package hallpass_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// written returns a guard whose rules are written as "GET,POST /path need", where the
// need is public, a role, or an action perhaps with "@" and a scope.
func written(t *testing.T, rules ...string) hallpass.Guard {
	t.Helper()
	g := hallpass.Guard{Name: "app"}
	for _, text := range rules {
		part := strings.Fields(text)
		w := hallpass.WrittenRule{Path: part[1], Public: part[2] == "public"}
		if part[0] != "any" {
			w.Methods = strings.Split(part[0], ",")
		}
		if action, scope, _ := strings.Cut(part[2], "@"); strings.Contains(action, ":") {
			w.Action, w.Scope = action, scope
		} else if !w.Public {
			w.Role = part[2]
		}
		if err := g.AddRule(w); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func compiled(t *testing.T, g hallpass.Guard) *hallpass.Ruleset {
	t.Helper()
	s, err := hallpass.NewRuleset(g)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func needOf(r *hallpass.CompiledRule) string {
	if r == nil {
		return "refused"
	}
	return r.Need.String()
}

// TestShifts compares sets of rules by what requests need.
func TestShifts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		was, now []string
		want     []string
	}{
		{name: "nothing", was: []string{"GET /a public"}, now: []string{"GET /a public"}},
		{name: "a new rule", now: []string{"GET,POST /a public"}, want: []string{"GET, POST /a: refused, nothing"}},
		{name: "a rule less", was: []string{"any /a/{rest...} Viewer"}, want: []string{"any /a/{rest...}: the role Viewer, refused"}},
		{name: "another need", was: []string{"GET /a public"}, now: []string{"GET /a loki:read"}, want: []string{"GET /a: nothing, the permission loki:read"}},
		{name: "a method less", was: []string{"GET,POST /a public"}, now: []string{"GET /a public"}, want: []string{"POST /a: nothing, refused"}},
		{name: "any method", was: []string{"GET /a public"}, now: []string{"any /a public"}, want: []string{"any but GET /a: refused, nothing"}},
		{name: "a narrower rule before", was: []string{"any /{rest...} Viewer"}, now: []string{"any /a public", "any /{rest...} Viewer"}, want: []string{"any /a: the role Viewer, nothing"}},
		{name: "an order that is none", was: []string{"GET /a public", "GET /b Viewer"}, now: []string{"GET /b Viewer", "GET /a public"}},
		{name: "an order that decides", was: []string{"any /a/{x} public", "any /{y}/b Admin"}, now: []string{"any /{y}/b Admin", "any /a/{x} public"}, want: []string{"any /a/b: nothing, the role Admin"}},
		{name: "the end of the rest", was: []string{"any /a/{rest...} public"}, now: []string{"any /a/{x}/{y...} public", "any /a/{rest...} Viewer"},
			want: []string{"any /a/{rest...}: nothing, the role Viewer"}},
		{name: "the root alone", was: []string{"any /{$} public", "any /{rest...} Viewer"}, now: []string{"any /{rest...} Viewer"}, want: []string{"any /{$}: nothing, the role Viewer"}},
		{name: "two ways to say the same", was: []string{"GET /a public", "POST /a public"}, now: []string{"GET,POST /a public"}},
		{name: "another place in the path", was: []string{"any /{t}/{u} loki:read@loki:tenants:{t}"}, now: []string{"any /{u}/{t} loki:read@loki:tenants:{t}"},
			want: []string{"any /{t}/{u}: the permission loki:read on loki:tenants:{t}, the permission loki:read on loki:tenants:{t}"}},
		{name: "a capture by another name", was: []string{"any /{a} Viewer"}, now: []string{"any /{b} Viewer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range compiled(t, written(t, tt.was...)).Shifts(compiled(t, written(t, tt.now...))) {
				got = append(got, fmt.Sprintf("%s: %s, %s", s.Request(), needOf(s.Was), needOf(s.Now)))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestShiftsLeaveNothingOut asks sets of rules of random patterns about every short path:
// what they treat otherwise is in a shift, and every shift has such a request.
func TestShiftsLeaveNothingOut(t *testing.T) {
	paths := []string{"/"}
	for range 4 {
		for _, p := range slices.Clone(paths) {
			for _, s := range []string{"a", "b", "c"} {
				paths = append(paths, strings.TrimSuffix(p, "/")+"/"+s, strings.TrimSuffix(p, "/")+"/"+s+"/")
			}
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
	}
	random := rand.New(rand.NewPCG(1, 2))
	shifts, alike := 0, 0
	for range 1000 {
		was, now := drawRules(t, random), drawRules(t, random)
		list := was.Shifts(now)
		hit := make([]bool, len(list))
		shifts += len(list)
		for _, path := range paths {
			for _, method := range []string{"GET", "POST", "PUT"} {
				before, after := was.Match(method, path), now.Match(method, path)
				i := slices.IndexFunc(list, func(s hallpass.RuleShift) bool {
					return s.Was == before && s.Now == after && slices.Contains(s.Methods, method) != s.ButNot && matchesPath(t, s.Path, path)
				})
				switch {
				case needOf(before) == needOf(after) && i < 0:
					alike++
				case i < 0:
					t.Fatalf("%s %s: %s, then %s, and no shift says so\n%s\n%s", method, path, needOf(before), needOf(after), requests(was), requests(now))
				case needOf(before) == needOf(after):
					t.Fatalf("%s %s: a shift that is none\n%s\n%s", method, path, requests(was), requests(now))
				default:
					hit[i] = true
				}
			}
		}
		if i := slices.Index(hit, false); i >= 0 {
			t.Fatalf("no request is in the shift %s: %s, %s\n%s\n%s", list[i].Request(), needOf(list[i].Was), needOf(list[i].Now), requests(was), requests(now))
		}
	}
	if shifts < 1000 || alike < 1000 {
		t.Errorf("%d shifts and %d requests alike: this test does not look where it should", shifts, alike)
	}
}

// drawRules returns a few random rules.
func drawRules(t *testing.T, random *rand.Rand) *hallpass.Ruleset {
	t.Helper()
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for {
		var rules []string
		for range random.IntN(5) {
			path, names := "", map[string]bool{}
			for range 1 + random.IntN(2) {
				if s := pick("a", "b", "{x}", "{y}"); !names[s] || len(s) == 1 {
					path, names[s] = path+"/"+s, true
				}
			}
			path += pick("", "", "/", "/{$}", "/{rest...}")
			rules = append(rules, pick("any", "any", "GET", "POST", "GET,POST")+" "+path+" "+pick("public", "Viewer", "Admin", "loki:read"))
		}
		if s, err := hallpass.NewRuleset(written(t, rules...)); err == nil { // some rules can never match
			return s
		}
	}
}

func matchesPath(t *testing.T, pattern, path string) bool {
	t.Helper()
	p, err := hallpass.ParsePathPattern(strings.NewReplacer("/{x}/{x}", "/{x}/{y}", "/{y}/{y}", "/{x}/{y}").Replace(pattern), 0)
	if err != nil {
		t.Fatal(err)
	}
	return p.Matches(path)
}

func requests(s *hallpass.Ruleset) (list []string) {
	for _, r := range s.Rules() {
		list = append(list, r.Request()+" needs "+r.Need.String())
	}
	return list
}

// TestShiftsOfPresets compares the rules of presets with themselves and with none.
func TestShiftsOfPresets(t *testing.T) {
	none := compiled(t, hallpass.Guard{Name: "app"})
	for _, name := range hallpass.GuardPresetNames() {
		one := compiled(t, hallpass.Guard{Name: "app", Preset: name})
		if list := one.Shifts(one); list != nil {
			t.Errorf("%s differs from itself: %v", name, list)
		}
		var rules []*hallpass.CompiledRule
		for _, s := range none.Shifts(one) {
			rules = append(rules, s.Now)
		}
		if !reflect.DeepEqual(rules, one.Rules()) {
			t.Errorf("%s: %d rules shift, want %d", name, len(rules), len(one.Rules()))
		}
	}
}

// TestShiftsOpenAndClose reads from two rules whether requests pass that did not, or the
// other way round.
func TestShiftsOpenAndClose(t *testing.T) {
	for _, tt := range []struct {
		was, now      string // "": none
		opens, closes bool
	}{
		{"", "any /a public", true, false},
		{"", "any /a loki:read", true, false},
		{"any /a public", "", false, true},
		{"any /a Viewer", "any /a Admin", false, true},
		{"any /a Admin", "any /a Viewer", true, false},
		{"any /a Viewer", "any /a public", true, false},
		{"any /a None", "any /a loki:read", false, true},
		{"any /a Viewer", "any /a loki:read", true, true},
		{"any /a loki:read", "any /a loki:write", true, true},
		{"any /a loki:read@loki:id:7", "any /a loki:read", true, false},
		{"any /a loki:read", "any /a loki:read@loki:id:7", false, true},
		{"any /a loki:read@loki:id:7", "any /a loki:read@loki:id:8", true, true},
		{"any /{t}/{u} loki:read@loki:id:{t}", "any /{u}/{t} loki:read@loki:id:{t}", true, true},
		{"any /{t} loki:read@loki:id:{t}", "any /{t} loki:read", true, false},
	} {
		rules := func(rule string) *hallpass.Ruleset {
			if rule == "" {
				return compiled(t, written(t))
			}
			return compiled(t, written(t, rule))
		}
		shifts := rules(tt.was).Shifts(rules(tt.now))
		if len(shifts) != 1 || shifts[0].Opens() != tt.opens || shifts[0].Closes() != tt.closes {
			t.Errorf("%q to %q: %+v, want opens %v, closes %v", tt.was, tt.now, shifts, tt.opens, tt.closes)
		}
	}
}

// TestShiftsTellAllThatOpens has callers send requests to pairs of rules: one that passes
// by the second rule alone is of a shift that opens.
func TestShiftsTellAllThatOpens(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 5))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	random1 := func() hallpass.Guard {
		w := hallpass.WrittenRule{Path: pick("/{t}/{u}", "/{u}/{t}")}
		switch pick("public", "role", "action", "action") {
		case "public":
			w.Public = true
		case "role":
			w.Role = pick("None", "Viewer", "Admin")
		default:
			w.Action, w.Scope = pick("l:read", "l:write"), pick("", "l:id:a", "l:id:{t}", "l:id:{h}")
		}
		if w.Scope != "l:id:{h}" && pick("set", "") == "set" {
			w.Set = map[string]string{"X-A": pick("{t}", "{h}")}
		}
		if w.Scope == "l:id:{h}" || w.Set["X-A"] == "{h}" {
			w.Captures, w.Split = map[string]string{"h": "header:" + pick("X-H", "X-I")}, pick("", "|", "-")
		}
		g := hallpass.Guard{Org: 1, Name: "g"}
		if pick("rule", "rule", "rule", "none") == "rule" {
			if err := g.AddRule(w); err != nil {
				t.Fatal(err)
			}
		}
		return g
	}
	seen := 0
	for range 20000 {
		was, now := compiled(t, random1()), compiled(t, random1())
		q := hallpass.GuardRequest{Method: "GET", Target: "/" + pick("a", "b", "a:b") + "/" + pick("a", "b"), Header: map[string][]string{}}
		for _, name := range []string{"X-H", "X-I"} {
			if value := pick("", "a", "b", "a|b", "a-b"); value != "" {
				q.Header[name] = []string{value}
			}
		}
		caller := hallpass.Caller{Org: 1, Role: hallpass.Roles()[random.IntN(4)], Permissions: hallpass.NewPermissions(hallpass.Permission{
			Action: hallpass.Action(pick("l:read", "l:write")), Scope: hallpass.Scope(pick("l:id:a", "l:id:b", "l:id:*"))})}
		passes := func(s *hallpass.Ruleset) bool {
			j := s.Judge(q)
			return s.Permit(&j, caller) == nil
		}
		if passes(was) || !passes(now) {
			continue
		}
		seen++
		if shifts := was.Shifts(now); !slices.ContainsFunc(shifts, hallpass.RuleShift.Opens) {
			t.Fatalf("%v passes by %+v and not by %+v: %+v", q, now.Guard.Rules, was.Guard.Rules, shifts)
		}
		if shifts := now.Shifts(was); !slices.ContainsFunc(shifts, hallpass.RuleShift.Closes) {
			t.Fatalf("%v passes by %+v and not by %+v: %+v", q, now.Guard.Rules, was.Guard.Rules, shifts)
		}
	}
	if seen < 100 {
		t.Errorf("only %d requests told something", seen)
	}
}
