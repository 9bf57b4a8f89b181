package admin_test

import (
	"slices"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// TestAdminKeepsForeignActions changes the basic role Admin twice: what other APIs
// ask for, which nobody can write into a role, stays in it.
func TestAdminKeepsForeignActions(t *testing.T) {
	w := newWorld(t, admin.Options{})
	boss := w.human("admin")
	foreign := hallpass.Permission{Action: "prometheus:query", Scope: "tenants:name:shop"}
	for _, keep := range []hallpass.Permission{{Action: hallpass.TeamsRead, Scope: "teams:*"}, {Action: hallpass.RolesRead, Scope: "roles:*"}} {
		role, err := w.Role(t.Context(), boss, hallpass.RoleAdmin.UID())
		if err != nil {
			t.Fatal(err)
		}
		role.Permissions, role.Version = []hallpass.Permission{keep}, 0
		if _, err := w.UpdateRole(t.Context(), boss, role, true); err != nil {
			t.Fatal(err)
		}
		power, err := w.RolePower(t.Context(), boss, hallpass.RoleAdmin)
		if err != nil {
			t.Fatal(err)
		}
		if !power.Has(foreign) || !power.Has(keep) || power.Has(hallpass.Permission{Action: hallpass.FoldersCreate, Scope: "folders:*"}) {
			t.Errorf("after %v was written into it, Admin permits %v", keep, power.List())
		}
		role, err = w.Role(t.Context(), boss, hallpass.RoleAdmin.UID())
		if err != nil || slices.ContainsFunc(role.Editable(), func(p hallpass.Permission) bool { return p.Action == hallpass.ForeignActions }) || len(role.Editable()) != 1 {
			t.Errorf("the role can be edited as %v, %v", role.Editable(), err)
		}
	}
}

// TestInvalidPermission asks which permissions a custom role cannot hold, on servers
// that take any form and on others.
func TestInvalidPermission(t *testing.T) {
	strict, loose := newWorld(t, admin.Options{}), newWorld(t, admin.Options{AnyPermission: true})
	good, odd := hallpass.Permission{Action: "teams:read", Scope: "teams:*"}, hallpass.Permission{Action: "Query Everything"}
	never := hallpass.Permission{Action: hallpass.ForeignActions, Scope: "*"}
	for _, tt := range []struct {
		name string
		w    *world
		list []hallpass.Permission
		want hallpass.Permission
		bad  bool
	}{
		{"none", strict, nil, hallpass.Permission{}, false},
		{"good ones", strict, []hallpass.Permission{good, {Action: "prometheus:query"}}, hallpass.Permission{}, false},
		{"an odd one", strict, []hallpass.Permission{good, odd, never}, odd, true},
		{"an odd one where any is taken", loose, []hallpass.Permission{good, odd}, hallpass.Permission{}, false},
		{"one that stands for all foreign ones", loose, []hallpass.Permission{odd, never}, never, true},
	} {
		if got, bad := tt.w.InvalidPermission(tt.list); got != tt.want || bad != tt.bad {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, got, bad, tt.want, tt.bad)
		}
	}
}
