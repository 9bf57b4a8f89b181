package hallpass_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

func TestParseImpact(t *testing.T) {
	for text, want := range map[string]hallpass.ImpactOf{
		"disable": {Do: hallpass.ImpactDisable}, "delete": {Do: hallpass.ImpactDelete}, "role:Viewer": {Do: hallpass.ImpactRole, Role: hallpass.RoleViewer}, "role:None": {Do: hallpass.ImpactRole},
		"token:7:revoke": {Do: hallpass.ImpactToken, Token: 7}, "token:7:pause": {Do: hallpass.ImpactPause, Token: 7}, "pause": {Do: hallpass.ImpactPause}, "token:7:delete": {Do: hallpass.ImpactToken, Token: 7}, "token:7:retire": {Do: hallpass.ImpactToken, Token: 7},
	} {
		if got, err := hallpass.ParseImpact(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "disable:", "delete:7", "enable", "role", "role:", "role:Owner", "token", "token:7", "token:7:", "token:7:create", "token:-7:revoke", "token:7:revoke:now"} {
		if got, err := hallpass.ParseImpact(text); hallpass.KindOf(err) != hallpass.Invalid {
			t.Errorf("%q: %+v, %v, want Invalid", text, got, err)
		}
	}
}

func TestNeededBy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		scope hallpass.Scope
		held  hallpass.Permission
		want  bool
	}{
		{"the same", "folders:uid:a", hallpass.Permission{Action: "folders:read", Scope: "folders:uid:a"}, true},
		{"wider", "folders:uid:a", hallpass.Permission{Action: "folders:read", Scope: "folders:*"}, true},
		{"another thing", "folders:uid:a", hallpass.Permission{Action: "folders:read", Scope: "folders:uid:b"}, false},
		{"another action", "folders:uid:a", hallpass.Permission{Action: "folders:write", Scope: "folders:*"}, false},
		{"scopes that are not told", hallpass.AnyScope, hallpass.Permission{Action: "folders:read", Scope: "folders:uid:b"}, true},
		{"no scope", "", hallpass.Permission{Action: "folders:read", Scope: "folders:uid:b"}, true},
	} {
		if got := (hallpass.TokenAction{Action: "folders:read", Scope: tt.scope}).NeededBy(tt.held); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestRoutesOfRules names what the rules of a guard ask for, without what comes from a
// path.
func TestRoutesOfRules(t *testing.T) {
	rules, err := hallpass.NewRuleset(hallpass.Guard{Name: "app", Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/a/{name}", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleEditor}},
		{Methods: []string{"GET"}, Path: "/b/{name}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "app:read", Scope: "apps:{name}"}},
		{Methods: []string{"GET"}, Path: "/c", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "app:read", Scope: "apps:c"}},
		{Methods: []string{"GET"}, Path: "/d", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]hallpass.TokenRoute{
		"/a/x": {Pattern: "/a/{name}", Guard: "app", Action: "role:Editor"}, "/b/x": {Pattern: "/b/{name}", Guard: "app", Action: "app:read"},
		"/c": {Pattern: "/c", Guard: "app", Action: "app:read", Scope: "apps:c"}, "/d": {Pattern: "/d", Guard: "app"}, "/e": {Guard: "app"},
	} {
		j := rules.Judge(hallpass.GuardRequest{Method: "GET", Target: path})
		if got := rules.Route(j.Rule); *got != want {
			t.Errorf("%s: %+v, want %+v", path, *got, want)
		}
	}
	for want, got := range map[string]string{
		"GET /api/org": hallpass.TokenRoute{Pattern: "GET /api/org"}.Asked("GET"), "GET /c (guard app)": hallpass.TokenRoute{Pattern: "/c", Guard: "app"}.Asked("GET"),
		"/c (guard app)": hallpass.TokenRoute{Pattern: "/c", Guard: "app"}.Asked(""), "POST (guard app, no rule)": hallpass.TokenRoute{Guard: "app"}.Asked("POST"),
	} {
		if got != want {
			t.Errorf("a request asked for %q, want %q", got, want)
		}
	}
	if role, ok := (hallpass.TokenAction{Action: "role:Editor"}).Role(); !ok || role != hallpass.RoleEditor {
		t.Errorf("role:Editor stands for %v, %t", role, ok)
	}
}

// TestAskedScopes adds scopes: each is there once, the first twenty-one apart and the others as
// one.
func TestAskedScopes(t *testing.T) {
	var a hallpass.AskedScopes
	a.Add("")
	if !a.None() {
		t.Error("an empty scope is none")
	}
	want := []hallpass.Scope{"a", hallpass.AnyScope}
	for _, s := range []hallpass.Scope{"a", "a", hallpass.Scope(strings.Repeat("x", 256)), "a"} {
		a.Add(s)
	}
	if got := slices.Collect(a.All); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	a = hallpass.AskedScopes{}
	for i := range 100 {
		a.Add(hallpass.Scope(fmt.Sprint("shops:", i)))
	}
	got := slices.Collect(a.All)
	if len(got) != hallpass.MaxActionScopes+1 || got[19] != "shops:19" || got[20] != hallpass.AnyScope {
		t.Errorf("%v", got)
	}
	for range a.All {
		break
	}
}
