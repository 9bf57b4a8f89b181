package hallpass_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
)

// TestEveryActionIsInTheTable looks for constants of the type Action in the
// source: one that the table does not hold would be taken for an action of
// another API, which every Admin holds.
func TestEveryActionIsInTheTable(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := make(map[hallpass.Action]string)
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST && !strings.HasSuffix(name, "_test.go") {
				actionConstants(t, g, declared)
			}
		}
	}
	if len(declared) < 70 {
		t.Fatalf("only %d constants were found: %v", len(declared), declared)
	}
	for action, name := range declared {
		if _, ok := action.Info(); !ok && action != hallpass.ForeignActions {
			t.Errorf("%s (%s) is in no row of the table of actions", name, action)
		}
	}
	for _, row := range hallpass.Actions() {
		if _, ok := declared[row.Action]; !ok {
			t.Errorf("the table holds %s, which is no constant", row.Action)
		}
	}
}

// actionConstants adds the constants of type Action that g declares.
func actionConstants(t *testing.T, g *ast.GenDecl, declared map[hallpass.Action]string) {
	t.Helper()
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Action" {
			continue
		}
		for i, name := range v.Names {
			if i >= len(v.Values) {
				t.Fatalf("%s has no value of its own", name.Name)
			}
			lit, ok := v.Values[i].(*ast.BasicLit)
			if !ok {
				t.Fatalf("the value of %s is no plain text", name.Name)
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			declared[hallpass.Action(text)] = name.Name
		}
	}
}

// TestActionTable holds what each row must have.
func TestActionTable(t *testing.T) {
	words := make(map[string]hallpass.Action)
	for _, row := range hallpass.Actions() {
		if row.Verb == "" || row.Object == "" || row.Level == 0 || !slices.Contains(hallpass.Areas(), row.Area) {
			t.Errorf("the row of %s is not whole: %+v", row.Action, row)
		}
		if !row.Action.Valid() || row.Action.Foreign() {
			t.Errorf("%s is no action, or a foreign one", row.Action)
		}
		if other, twice := words[row.Words()]; twice {
			t.Errorf("%s and %s have the same words: %s", row.Action, other, row.Words())
		}
		words[row.Words()] = row.Action
		if looks := row.Level == hallpass.Reads; looks != slices.Contains([]string{"read", "query", "explore", "test"}, row.Verb) {
			t.Errorf("%s is told as %q and has the level %d", row.Action, row.Words(), row.Level)
		}
		for _, s := range row.Scopes {
			if !s.WellFormed() {
				t.Errorf("%s takes the scope %q, which is none", row.Action, s)
			}
		}
	}
}

// TestEveryActionIsTold gives a principal each action alone, on each scope it
// takes, on one thing of it and on everything: what is said of it names it.
func TestEveryActionIsTold(t *testing.T) {
	for _, row := range hallpass.Actions() {
		for _, s := range append(slices.Clone(row.Scopes), "", "*", "things:id:1", one(row.Scopes)) {
			for _, kind := range []hallpass.PrincipalKind{hallpass.Nobody, hallpass.UserPrincipal, hallpass.ServiceAccountPrincipal} {
				w := hallpass.NewPermissions(hallpass.Permission{Action: row.Action, Scope: s}).Power(kind, nil)
				if len(w.Can) > 0 && (len(w.Areas) != 1 || !slices.Equal(w.Areas[0].Can, w.Can) || w.Areas[0].Area != row.Area || w.Areas[0].Part != strings.Contains(w.Can[0], "(only ")) {
					t.Errorf("of a %q that holds %s on %q the areas are %+v", kind, row.Action, s, w.Areas)
				}
				for _, text := range []string{w.Sentences("It"), w.Short()} {
					if !names(text, row.Action, false) {
						t.Errorf("of a %q that holds %s on %q it is said: %s", kind, row.Action, s, text)
					}
				}
			}
		}
	}
	if got, want := hallpass.NewPermissions().Power(hallpass.ServiceAccountPrincipal, nil).Sentences("It"), "It can authenticate, and nothing more."; got != want {
		t.Errorf("of who holds nothing it is said %q, want %q", got, want)
	}
}

// one is the scope of one thing of the first kind.
func one(kinds []hallpass.Scope) hallpass.Scope {
	if len(kinds) == 0 {
		return ""
	}
	if kind, ok := strings.CutSuffix(string(kinds[0]), ":*"); ok {
		return hallpass.Scope(kind + ":7")
	}
	return kinds[0]
}

// names reports whether the text names the action: in its words, or as it is
// written. With fully, what it can be done to must not be narrowed.
func names(text string, a hallpass.Action, fully bool) bool {
	if !fully && strings.Contains(text, string(a)) {
		return true
	}
	for clause := range strings.SplitSeq(strings.TrimSuffix(text, "."), "; ") {
		clause, rest, narrowed := strings.Cut(clause, " (only ")
		if narrowed && fully && strings.Contains(rest, ")") {
			continue
		}
		for _, row := range hallpass.Actions() {
			if row.Action != a {
				continue
			}
			if strings.Contains(strings.ToLower(clause), "do everything with") && strings.Contains(clause, areaWords(row.Area)) {
				return true
			}
			all := strings.Contains(clause, row.Object)
			for verb := range strings.SplitSeq(row.Verb, " and ") {
				all = all && strings.Contains(strings.ToLower(clause), verb)
			}
			if all {
				return true
			}
		}
	}
	return false
}

// areaWords is how a sentence names a whole area.
func areaWords(a hallpass.Area) string {
	return map[hallpass.Area]string{
		hallpass.AreaAccounts: "service accounts and their tokens", hallpass.AreaMembers: "members of the organization", hallpass.AreaTeams: "teams",
		hallpass.AreaRoles: "roles and who has them", hallpass.AreaOrganization: "the organization", hallpass.AreaUsers: "users of the server",
		hallpass.AreaFolders: "folders", hallpass.AreaDashboards: "dashboards", hallpass.AreaSources: "data sources", hallpass.AreaOther: "nothing",
	}[a]
}

// TestEverythingIsEverything takes one action after the other from all that there
// are: nobody who lacks one is said to do everything with what it is about.
func TestEverythingIsEverything(t *testing.T) {
	for _, lacking := range hallpass.Actions() {
		var list []hallpass.Permission
		for _, row := range hallpass.Actions() {
			if row.Action != lacking.Action {
				list = append(list, hallpass.Permission{Action: row.Action, Scope: "*"})
			}
		}
		for _, kind := range []hallpass.PrincipalKind{hallpass.Nobody, hallpass.ServiceAccountPrincipal} {
			for _, clause := range hallpass.NewPermissions(list...).Power(kind, nil).Can {
				things, all := strings.CutPrefix(clause, "do everything with ")
				if all && slices.Contains(strings.Split(strings.ReplaceAll(things, ", and ", ", "), ", "), areaWords(lacking.Area)) {
					t.Errorf("without %s it is said: %s", lacking.Action, clause)
				}
			}
		}
	}
}

// TestPowerOfRandomSets compares what is said with what is held, for sets made
// up: every action held is named, and one that is named is held.
func TestPowerOfRandomSets(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7)) // #nosec G404 -- a test must be the same each time
		var list []hallpass.Permission
		held := make(map[hallpass.Action]bool)
		for range rng.IntN(25) {
			row := hallpass.Actions()[rng.IntN(len(hallpass.Actions()))]
			scopes := append(slices.Clone(row.Scopes), "*", one(row.Scopes), "things:id:1")
			list = append(list, hallpass.Permission{Action: row.Action, Scope: scopes[rng.IntN(len(scopes))]})
			held[row.Action] = true
		}
		w := hallpass.NewPermissions(list...).Power(hallpass.ServiceAccountPrincipal, nil)
		var told []hallpass.Action
		for _, row := range hallpass.Actions() {
			inWords := slices.ContainsFunc(w.Can, func(clause string) bool { return names(clause, row.Action, false) })
			listed := slices.Contains(w.NoEffect, row.Action) || slices.Contains(w.Foreign, row.Action)
			if held[row.Action] && !inWords && !listed {
				t.Errorf("seed %d: %s is held and not told: %+v", seed, row.Action, w)
			}
			if !held[row.Action] && listed {
				t.Errorf("seed %d: %s is told and not held: %+v", seed, row.Action, w)
			}
			if inWords {
				told = append(told, row.Action)
			}
		}
		if len(held) > 0 && strings.Contains(w.Sentences("It"), "nothing more") {
			t.Errorf("seed %d: of who holds %v it is said: %s", seed, list, w.Sentences("It"))
		}
		if len(told) == 0 && len(w.Can) > 0 {
			t.Errorf("seed %d: %v names no action", seed, w.Can)
		}
	}
}

// TestPowerSaysScopesOfOtherAPIs tells on which scopes the actions of other APIs are held:
// one that is held on everything, or needs no scope, stands alone.
func TestPowerSaysScopesOfOtherAPIs(t *testing.T) {
	for _, tt := range []struct {
		held []hallpass.Permission
		want string
	}{
		{[]hallpass.Permission{{"loki:read", "loki:tenants:a"}}, "loki:read (only loki:tenants:a)"},
		{[]hallpass.Permission{{"loki:read", "loki:tenants:b"}, {"loki:read", "loki:tenants:a"}, {"loki:read", ""}, {"loki:push", ""}}, "loki:push, and loki:read (only loki:tenants:a and loki:tenants:b)"},
		{[]hallpass.Permission{{"loki:read", "loki:tenants:a"}, {"loki:read", "*"}}, "loki:read"},
		{[]hallpass.Permission{{"loki:read", ""}}, "loki:read"},
	} {
		w := hallpass.NewPermissions(tt.held...).Power(hallpass.Nobody, nil)
		if got := w.Short(); got != "In other APIs: "+tt.want+"." {
			t.Errorf("%v: %s", tt.held, got)
		}
		if got := w.Sentences("It"); !strings.Contains(got, "In other APIs it holds "+tt.want+".") {
			t.Errorf("%v: %s", tt.held, got)
		}
	}
}

func TestNearestAction(t *testing.T) {
	for in, want := range map[hallpass.Action]hallpass.Action{
		"dashbord:reed": hallpass.DashboardsRead, "team:read": hallpass.TeamsRead, "teams:reed": hallpass.TeamsRead, "folder:delete": hallpass.FoldersDelete,
		"serviceaccount:write": hallpass.ServiceAccountsWrite, "folder.permission:read": hallpass.FoldersPermissionsRead, "org:read": hallpass.OrgsRead,
		"Teams:Read": hallpass.TeamsRead, "teams:view": hallpass.TeamsRead, "datasource:query": "datasources:query",
		"teams:read": "", "prometheus:query": "", "loki:push": "", "a:b": "", "x:y": "", "*": "", "": "", ":": "", "alert.rules:write": "",
		"annotations:read": "", "library.panels:read": "",
	} {
		got, ok := in.Nearest()
		if ok != (want != "") || strings.Split(string(got), ":")[0] != strings.Split(string(want), ":")[0] || ok && in != "teams:view" && got != want {
			t.Errorf("the nearest to %q is %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestEnumerate(t *testing.T) {
	for want, in := range map[string][]string{
		"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}, "a and b, and c": {"a and b", "c"},
	} {
		if got := hallpass.Enumerate(in); got != want {
			t.Errorf("%v reads %q, want %q", in, got, want)
		}
	}
}

// TestManualOfActions holds the manual's table of actions to the table they are
// made in (-update writes it).
func TestManualOfActions(t *testing.T) {
	sameInManual(t, filepath.Join("docs", "permissions.md"), "<!-- actions: made by go test -run TestManualOfActions . -update -->\n", "<!-- end of actions -->\n", manualOfActions())
}

// TestManualOfPresets holds the manual's tables of presets to their rules (-update writes
// them).
func TestManualOfPresets(t *testing.T) {
	var b strings.Builder
	for _, name := range hallpass.GuardPresetNames() {
		preset, _ := hallpass.GuardPresetByName(name)
		b.WriteString("\n## `" + name + "`\n\n| rule | request | needs |\n|---|---|---|\n")
		for i, r := range preset.Rules {
			fmt.Fprintf(&b, "| %d | `%s` | %s |\n", i+1, r.Request(), r.Need)
		}
	}
	sameInManual(t, filepath.Join("docs", "guard", "presets.md"), "<!-- presets: made by go test -run TestManualOfPresets . -update -->\n", "<!-- end of presets -->\n", b.String()+"\n")
}

// sameInManual compares what stands between two lines of a page with what was made.
func sameInManual(t *testing.T, path, begin, end, made string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	old, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("the manual has no place for the table")
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+made+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		old = made
	}
	if diff := cmp.Diff(old, made); diff != "" {
		t.Errorf("the manual tells something else (manual, table; -update writes it):\n%s", diff)
	}
}

func manualOfActions() string {
	var b strings.Builder
	who := map[hallpass.Usability]string{
		hallpass.UsableNowhere: "other APIs only", hallpass.UsableByAll: "users, accounts", hallpass.UsableByUsers: "users", hallpass.UsableOnServer: "users, on the server",
	}
	b.WriteString("| area | action | lets one | scopes | level | of use to |\n|---|---|---|---|---|---|\n")
	for _, area := range hallpass.Areas() {
		for _, row := range hallpass.Actions() {
			if row.Area != area {
				continue
			}
			scopes := "none"
			if len(row.Scopes) > 0 {
				var list []string
				for _, s := range row.Scopes {
					list = append(list, "`"+string(s)+"`")
				}
				scopes = strings.Join(list, ", ")
			}
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", area, row.Action, row.Words(), scopes, row.Level, who[row.Usable])
		}
	}
	return b.String()
}

// TestLevelWords gives each level of access and compares what is said of it with
// what it permits.
func TestLevelWords(t *testing.T) {
	for _, r := range []hallpass.Resource{hallpass.ServiceAccountResource, hallpass.TeamResource, hallpass.FolderResource, hallpass.DashboardResource} {
		for _, l := range r.Levels() {
			text := r.LevelWords(l)
			for _, row := range hallpass.Actions() {
				if held := slices.Contains(r.Actions(l), row.Action); held && !names(text, row.Action, false) {
					t.Errorf("of %s on %s it is not said that one may %s: %s", l, r, row.Words(), text)
				}
			}
			if !strings.Contains(text, " (only this ") || strings.Contains(text, "everything") {
				t.Errorf("of %s on one of %s it is said: %s", l, r, text)
			}
		}
	}
	if got := hallpass.FolderResource.LevelWords(hallpass.LevelMember); got != "" {
		t.Errorf("a level that folders do not have is told as %q", got)
	}
}

// TestForeignWords says what actions of other APIs let one do: what follows the colon is
// often no verb.
func TestForeignWords(t *testing.T) {
	for _, tt := range []struct {
		action hallpass.Action
		scope  hallpass.Scope
		want   string
	}{
		{"prometheus:query", "", "query prometheus"},
		{"loki:read", "loki:tenants:a", "read loki (only loki:tenants:a)"},
		{"loki:read", "*", "read loki"},
		{"prometheus:labels", "", "prometheus: labels"},
		{"prometheus:admin", "", "prometheus: admin"},
		{"alertmanager:silence", "alertmanager:team:a", "alertmanager: silence (only alertmanager:team:a)"},
		{"shop:orders:read", "", "shop: orders:read"},
		{"shop", "", "shop"},
	} {
		if got := (hallpass.Permission{Action: tt.action, Scope: tt.scope}).Words(func(hallpass.Scope) string { return "" }); got != tt.want {
			t.Errorf("%s on %q: %q, want %q", tt.action, tt.scope, got, tt.want)
		}
	}
}
