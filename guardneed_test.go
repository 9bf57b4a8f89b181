package hallpass_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// TestAddRule reads what rules need, as it is written down, and writes it again.
func TestAddRule(t *testing.T) {
	for _, tt := range []struct {
		name                string
		public              bool
		role, action, scope string
		want                hallpass.Need
		refused             string // a part of the error; "": none
	}{
		{name: "public", public: true, want: hallpass.Need{Kind: hallpass.NeedNothing}},
		{name: "a role, in small letters", role: "viewer", want: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}},
		{name: "an action", action: "loki:read", want: hallpass.Need{Kind: hallpass.NeedPermission, Action: "loki:read"}},
		{name: "an action with a scope", action: "loki:read", scope: "loki:tenants:{t}",
			want: hallpass.Need{Kind: hallpass.NeedPermission, Action: "loki:read", Scope: "loki:tenants:{t}"}},
		{name: "nothing", refused: "exactly one of"},
		{name: "a scope alone", scope: "loki:tenants:a", refused: "exactly one of"},
		{name: "public and a role", public: true, role: "Viewer", refused: "exactly one of"},
		{name: "a role and an action", role: "Viewer", action: "loki:read", refused: "exactly one of"},
		{name: "all", public: true, role: "Viewer", action: "loki:read", refused: "exactly one of"},
		{name: "no such role", role: "Boss", refused: `"Boss" is no basic role`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g hallpass.Guard
			var got hallpass.Need
			written := hallpass.WrittenRule{Methods: []string{"GET"}, Path: "/", Public: tt.public, Role: tt.role, Action: tt.action, Scope: tt.scope, Split: "|"}
			err := g.AddRule(written)
			if err == nil {
				got = g.Rules[0].Need
				if written.Role = got.Role.String(); got.Kind != hallpass.NeedRole {
					written.Role = ""
				}
				if again := g.Rules[0].Written(); !reflect.DeepEqual(again, written) {
					t.Errorf("written again: %+v, want %+v", again, written)
				}
			}
			if got != tt.want || (err != nil) != (tt.refused != "") || err != nil && !strings.Contains(err.Message, tt.refused) {
				t.Errorf("%+v, %v; want %+v, an error with %q", got, err, tt.want, tt.refused)
			}
		})
	}
}

// TestRuleErrorNamesItsRule makes the same mistake in two rules: each error names its
// own rule.
func TestRuleErrorNamesItsRule(t *testing.T) {
	for i, want := range []string{"rules[0].action", "rules[1].action"} {
		rules := []hallpass.GuardRule{
			{Path: "/a", Need: hallpass.Need{Kind: hallpass.NeedNothing}}, {Path: "/b", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
		}
		rules[i].Need = hallpass.Need{}
		err := hallpass.Guard{Name: "app", Rules: rules}.Validate()
		if e, ok := err.(*hallpass.Error); !ok || e.Field != want || strings.Count(e.Message, "Rule ") != 1 {
			t.Errorf("%v, want an error about %s", err, want)
		}
	}
}
