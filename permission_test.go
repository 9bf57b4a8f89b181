package hallpass_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
)

func TestScopeValid(t *testing.T) {
	for _, tt := range []struct {
		scope hallpass.Scope
		want  bool
	}{
		{"", true},
		{"*", true},
		{"serviceaccounts:*", true},
		{"serviceaccounts:id:*", true},
		{"serviceaccounts:id:7", true},
		{"settings:auth.saml/*", true},
		{"service*", false},
		{"serviceaccounts:id:7*", false},
		{"serviceaccounts:*:7", false},
		{"*:id:7", false},
		{"**", false},
		{"serviceaccounts:**", false},
		{"serviceaccounts:*:*", false},
	} {
		if got := tt.scope.Valid(); got != tt.want {
			t.Errorf("Scope(%q).Valid() = %v, want %v", tt.scope, got, tt.want)
		}
	}
}

func TestPermissionCovers(t *testing.T) {
	const read, write = hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite
	for _, tt := range []struct {
		name         string
		held, demand hallpass.Permission
		want         bool
	}{
		{"the same", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, true},
		{"another action", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, hallpass.Permission{Action: read, Scope: "serviceaccounts:id:7"}, false},
		{"another thing", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:8"}, false},
		{"a longer number", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:77"}, false},
		{"below the star", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, true},
		{"a star one part up", hallpass.Permission{Action: write, Scope: "serviceaccounts:*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, true},
		{"a star below a star", hallpass.Permission{Action: write, Scope: "serviceaccounts:*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:*"}, true},
		{"the whole", hallpass.Permission{Action: write, Scope: "*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, true},
		{"another attribute", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:name:7"}, false},
		{"wider than held", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:*"}, false},
		{"all is wider than held", hallpass.Permission{Action: write, Scope: "serviceaccounts:*"}, hallpass.Permission{Action: write, Scope: "*"}, false},
		{"no scope demanded", hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, hallpass.Permission{Action: write}, true},
		{"no scope held nor demanded", hallpass.Permission{Action: write}, hallpass.Permission{Action: write}, true},
		{"no scope held", hallpass.Permission{Action: write}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, false},
		{"an invalid scope covers nothing below it", hallpass.Permission{Action: write, Scope: "service*"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:id:7"}, false},
		{"an invalid scope does not cover itself", hallpass.Permission{Action: write, Scope: "service*"}, hallpass.Permission{Action: write, Scope: "service*"}, false},
		{"an invalid scope does not give the action", hallpass.Permission{Action: write, Scope: "service*"}, hallpass.Permission{Action: write}, false},
		{"case matters", hallpass.Permission{Action: write, Scope: "serviceaccounts:uid:a"}, hallpass.Permission{Action: write, Scope: "serviceaccounts:uid:A"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.held.Covers(tt.demand); got != tt.want {
				t.Errorf("%v covers %v = %v, want %v", tt.held, tt.demand, got, tt.want)
			}
			if got := hallpass.NewPermissions(tt.held).Has(tt.demand); got != tt.want {
				t.Errorf("the set of %v has %v = %v, want %v", tt.held, tt.demand, got, tt.want)
			}
		})
	}
}

// naiveCovers says again, a byte at a time, what a scope covers.
func naiveCovers(held, demand string) bool {
	for i := range len(held) {
		if held[i] != '*' {
			if i == len(demand) || held[i] != demand[i] {
				return false
			}
			continue
		}
		atEnd, afterSeparator := i == len(held)-1, i == 0 || held[i-1] == ':' || held[i-1] == '/'
		return atEnd && afterSeparator
	}
	return held != "" && held == demand
}

func FuzzScopeCovers(f *testing.F) {
	for _, seed := range [][3]string{
		{"serviceaccounts:*", "serviceaccounts:id:*", "serviceaccounts:id:7"},
		{"*", "folders:uid:a/*", "folders:uid:a/b"},
		{"a*", "a*", "a"},
		{"a:*:b", "a:*:b", "a:"},
		{"", "", "*"},
		{"a:**", "a:*", "a:"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab := hallpass.Scope(a).Covers(hallpass.Scope(b))
		if want := naiveCovers(a, b); ab != want {
			t.Errorf("Scope(%q).Covers(%q) = %v, want %v", a, b, ab, want)
		}
		if s := hallpass.Scope(a); s.Covers(s) != (s.Valid() && a != "") {
			t.Errorf("Scope(%q).Covers(itself) = %v, Valid() = %v", a, s.Covers(s), s.Valid())
		}
		if ab && hallpass.Scope(b).Covers(hallpass.Scope(c)) && !hallpass.Scope(a).Covers(hallpass.Scope(c)) {
			t.Errorf("%q covers %q and that covers %q, but the first does not cover the last", a, b, c)
		}
	})
}

// randomPermissions returns up to n permissions over few enough actions,
// letters and lengths that they cover one another often.
func randomPermissions(r *rand.Rand, n int) []hallpass.Permission {
	actions := []hallpass.Action{"a:read", "a:write"}
	list := make([]hallpass.Permission, r.IntN(n+1))
	for i := range list {
		var scope strings.Builder
		for range r.IntN(5) {
			scope.WriteByte("xy:/*"[r.IntN(5)])
		}
		list[i] = hallpass.Permission{Action: actions[r.IntN(len(actions))], Scope: hallpass.Scope(scope.String())}
	}
	return list
}

// naiveHas says again, one permission at a time, what a list satisfies.
func naiveHas(held []hallpass.Permission, demand hallpass.Permission) bool {
	for _, h := range held {
		if h.Action == demand.Action && h.Scope.Valid() && (demand.Scope == "" || naiveCovers(string(h.Scope), string(demand.Scope))) {
			return true
		}
	}
	return false
}

func TestPermissionsHasAsOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	yes := 0
	for range 50_000 {
		held, demands := randomPermissions(r, 6), randomPermissions(r, 3)
		set := hallpass.NewPermissions(held...)
		all := true
		for _, d := range demands {
			want := naiveHas(held, d)
			if want {
				yes++
			}
			if got := set.Has(d); got != want {
				t.Fatalf("the set of %q has %q = %v, want %v", held, d, got, want)
			}
			all = all && (want || !d.Scope.Valid()) // an invalid scope is not handed out either
		}
		if got := set.HasAll(hallpass.NewPermissions(demands...)); got != all {
			t.Fatalf("the set of %q has all of %q = %v, want %v", held, demands, got, all)
		}
	}
	if yes < 10_000 {
		t.Errorf("only %d demands were satisfied: the lists no longer cover one another", yes)
	}
}

func TestPermissionsList(t *testing.T) {
	held := []hallpass.Permission{
		{Action: "b:read", Scope: "b:id:2"}, {Action: "b:read", Scope: "b:id:1"}, {Action: "a:read"},
		{Action: "b:read", Scope: "b:id:2"}, {Action: "b:read", Scope: "b:*:3"}, {Action: "b:read", Scope: "b:*"},
		{Action: "c:read", Scope: "c*"},
	}
	set := hallpass.NewPermissions(held...)
	want := []hallpass.Permission{
		{Action: "a:read"}, {Action: "b:read", Scope: "b:*"}, {Action: "b:read", Scope: "b:id:1"}, {Action: "b:read", Scope: "b:id:2"},
	}
	if diff := cmp.Diff(set.List(), want); diff != "" {
		t.Errorf("List (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(set.Scopes("b:read"), []hallpass.Scope{"b:*", "b:id:1", "b:id:2"}); diff != "" {
		t.Errorf("Scopes (-got +want):\n%s", diff)
	}
	if got := set.Scopes("c:read"); got != nil {
		t.Errorf("Scopes of an action held with invalid scopes alone = %q, want nil", got)
	}
	if got := set.Has(hallpass.Permission{Action: "c:read"}); got {
		t.Error("a set holds an action whose only scope is invalid")
	}
}

func TestPermissionsWith(t *testing.T) {
	few := hallpass.NewPermissions(hallpass.Permission{Action: "a:read"})
	if got := few.With(); got != few {
		t.Errorf("With() = %v, want the set itself", got.List())
	}
	more := few.With(hallpass.Permission{Action: "b:read"}, hallpass.Permission{Action: "a:read"})
	if diff := cmp.Diff(more.List(), []hallpass.Permission{{Action: "a:read"}, {Action: "b:read"}}); diff != "" {
		t.Errorf("With (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(few.List(), []hallpass.Permission{{Action: "a:read"}}); diff != "" {
		t.Errorf("the set that With was called on (-got +want):\n%s", diff)
	}
}

func TestNilPermissionsHoldNothing(t *testing.T) {
	var none *hallpass.Permissions
	if none.Has(hallpass.Permission{}) || none.Has(hallpass.Permission{Action: hallpass.OrgsRead}) {
		t.Error("the nil set satisfies a demand")
	}
	if list, scopes := none.List(), none.Scopes(hallpass.OrgsRead); list != nil || scopes != nil {
		t.Errorf("List() = %v, Scopes() = %v; want nil both", list, scopes)
	}
	if !none.HasAll(nil) || none.HasAll(hallpass.RoleViewer.Permissions()) {
		t.Error("the nil set must have all of nothing, and not of a Viewer's")
	}
	one := none.With(hallpass.Permission{Action: hallpass.OrgsRead})
	if !one.Has(hallpass.Permission{Action: hallpass.OrgsRead}) {
		t.Error("the nil set with a permission does not hold it")
	}
}

func TestPermissionString(t *testing.T) {
	for _, tt := range []struct {
		p    hallpass.Permission
		want string
	}{
		{hallpass.Permission{Action: "orgs:read"}, "orgs:read"},
		{hallpass.Permission{Action: "users:read", Scope: "global.users:*"}, "users:read on global.users:*"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("String() = %q, want %q", got, tt.want)
		}
	}
}

// managedAccount returns the permissions of the creator of the account.
func managedAccount(id int) []hallpass.Permission {
	return hallpass.Grant{Resource: hallpass.ServiceAccountResource, ResourceID: strconv.Itoa(id), Level: hallpass.LevelAdmin}.Permissions()
}

// creatorOf returns the permissions of an Editor who made n accounts.
func creatorOf(n int) *hallpass.Permissions {
	var granted []hallpass.Permission
	for id := range n {
		granted = append(granted, managedAccount(id+1)...)
	}
	return hallpass.RoleEditor.Permissions().With(granted...)
}

func TestPermissionsHasAllocatesNothing(t *testing.T) {
	exact, starred := creatorOf(1000), hallpass.RoleAdmin.Permissions()
	demand := hallpass.Permission{Action: hallpass.ServiceAccountsWrite, Scope: hallpass.ServiceAccountID(777).Scope()}
	if got := testing.AllocsPerRun(100, func() {
		if !exact.Has(demand) || !starred.Has(demand) {
			t.Fatal("a permission that is held is not found")
		}
	}); got != 0 {
		t.Errorf("Has allocates %v times, want none", got)
	}
}

func BenchmarkPermissionsHas(b *testing.B) {
	for _, n := range []int{1, 1000} {
		set := creatorOf(n)
		demand := hallpass.Permission{Action: hallpass.ServiceAccountsWrite, Scope: hallpass.ServiceAccountID(n).Scope()}
		b.Run(fmt.Sprintf("accounts=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !set.Has(demand) {
					b.Fatal("a permission that is held is not found")
				}
			}
		})
	}
}

// BenchmarkDecision decides for callers that hold one role and a hundred: the
// decision must not grow with the number of roles.
func BenchmarkDecision(b *testing.B) {
	for _, roles := range []int{1, 100} {
		var held []hallpass.Permission
		for i := range roles {
			held = append(held,
				hallpass.Permission{Action: "prometheus:query", Scope: hallpass.Scope(fmt.Sprintf("tenants:name:team-%d", i))},
				hallpass.Permission{Action: hallpass.DashboardsRead, Scope: hallpass.Scope(fmt.Sprintf("folders:uid:f%d", i))},
				hallpass.Permission{Action: "datasources:query", Scope: hallpass.Scope(fmt.Sprintf("datasources:uid:%d:*", i))})
		}
		set := hallpass.RoleViewer.Permissions().With(held...)
		admin := hallpass.RoleAdmin.Permissions()
		for _, d := range []struct {
			name string
			set  *hallpass.Permissions
			want hallpass.Permission
			has  bool
		}{
			{"exact", set, hallpass.Permission{Action: "prometheus:query", Scope: "tenants:name:team-0"}, true},
			{"starred", set, hallpass.Permission{Action: "datasources:query", Scope: "datasources:uid:0:x"}, true},
			{"denied", set, hallpass.Permission{Action: "prometheus:query", Scope: "tenants:name:other"}, false},
			{"foreign for an Admin", admin, hallpass.Permission{Action: "prometheus:query", Scope: "tenants:name:other"}, true},
			{"Admin", admin, hallpass.Permission{Action: hallpass.ServiceAccountsRead, Scope: "serviceaccounts:id:7"}, true},
		} {
			b.Run(fmt.Sprintf("%s/roles=%d", d.name, roles), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if d.set.Has(d.want) != d.has {
						b.Fatal("the decision is another")
					}
				}
			})
		}
	}
}

func BenchmarkNewPermissions(b *testing.B) {
	for _, n := range []int{1, 1000} {
		list := creatorOf(n).List()
		b.Run(fmt.Sprintf("accounts=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hallpass.NewPermissions(list...)
			}
		})
	}
}

func TestActionValid(t *testing.T) {
	for action, want := range map[hallpass.Action]bool{
		"serviceaccounts:read": true, "prometheus:query": true, "a:b": true, "a1.b-c:d2.e-f": true, "serviceaccounts.permissions:write": true,
		"": false, ":": false, "a:": false, ":a": false, "a": false, "A:b": false, "a:B": false, "1a:b": false, "a:1b": false, "a:b:c": false,
		"a :b": false, "a:b ": false, "a:*": false, "*": false, "a_b:c": false, "é:a": false, "-a:b": false, ".a:b": false,
	} {
		if got := action.Valid(); got != want {
			t.Errorf("%q.Valid() = %v, want %v", action, got, want)
		}
	}
}

func TestScopeWellFormed(t *testing.T) {
	for scope, want := range map[hallpass.Scope]bool{
		"": true, "*": true, "serviceaccounts:*": true, "serviceaccounts:id:7": true, "folders:uid:abc/*": true, "settings:auth.saml:*": true,
		"permissions:type:delegate": true,
		"serviceaccounts":           false, ":": false, "a::b": false, "a:": false, "a:*:b": false, "**": false, "a:b*": false, "a: b": false, "a:b\x00": false, "a:b\n": false,
	} {
		if got := scope.WellFormed(); got != want {
			t.Errorf("%q.WellFormed() = %v, want %v", scope, got, want)
		}
	}
}

// FuzzHas compares the compiled decision with the rule as it is written.
func FuzzHas(f *testing.F) {
	f.Add("teams:read", "teams:*", "teams:read", "teams:id:1")
	f.Add("*", "*", "prometheus:query", "a:b")
	f.Add("a:b", "a:b/*", "a:b", "a:b/c")
	f.Add("a:b", "", "a:b", "")
	f.Fuzz(func(t *testing.T, action, scope, wantAction, wantScope string) {
		held := hallpass.Permission{Action: hallpass.Action(action), Scope: hallpass.Scope(scope)}
		want := hallpass.Permission{Action: hallpass.Action(wantAction), Scope: hallpass.Scope(wantScope)}
		if got := hallpass.NewPermissions(held).Has(want); got != held.Covers(want) {
			t.Errorf("%v has %v = %v, and covers it: %v", held, want, got, held.Covers(want))
		}
	})
}
