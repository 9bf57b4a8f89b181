package hallpass_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// TestRolePermissions holds the whole of what the basic roles carry: who may
// do what is decided here and nowhere else.
func TestRolePermissions(t *testing.T) {
	const none, viewer, editor, admin, server = 0, 1, 2, 4, 8
	allowed := map[hallpass.Permission]int{
		{Action: hallpass.OrgsRead}:  viewer | editor | admin | server,
		{Action: hallpass.OrgsWrite}: admin | server,

		{Action: hallpass.OrgUsersRead, Scope: "users:id:3"}:   admin | server,
		{Action: hallpass.OrgUsersAdd, Scope: "users:id:3"}:    admin | server,
		{Action: hallpass.OrgUsersWrite, Scope: "users:id:3"}:  admin | server,
		{Action: hallpass.OrgUsersRemove, Scope: "users:id:3"}: admin | server,

		{Action: hallpass.ServiceAccountsCreate}:                                          admin,
		{Action: hallpass.ServiceAccountsRead, Scope: "serviceaccounts:id:7"}:             admin,
		{Action: hallpass.ServiceAccountsWrite, Scope: "serviceaccounts:id:7"}:            admin,
		{Action: hallpass.ServiceAccountsDelete, Scope: "serviceaccounts:id:7"}:           admin,
		{Action: hallpass.ServiceAccountsPermissionsRead, Scope: "serviceaccounts:id:7"}:  admin,
		{Action: hallpass.ServiceAccountsPermissionsWrite, Scope: "serviceaccounts:id:7"}: admin,

		{Action: hallpass.UsersRead, Scope: "global.users:id:3"}:          server,
		{Action: hallpass.UsersPasswordWrite, Scope: "global.users:id:3"}: server,

		{Action: hallpass.AuditRead}: admin | server,

		{Action: "orgs:create"}: none,
		{Action: hallpass.OrgUsersWrite, Scope: "global.users:id:3"}: none,
		{Action: hallpass.UsersPasswordWrite, Scope: "users:id:3"}:   none,
		{Action: "", Scope: ""}: none,
	}
	for _, holder := range []struct {
		name string
		bit  int
		set  *hallpass.Permissions
	}{
		{"None", none, hallpass.RoleNone.Permissions()},
		{"Viewer", viewer, hallpass.RoleViewer.Permissions()},
		{"Editor", editor, hallpass.RoleEditor.Permissions()},
		{"Admin", admin, hallpass.RoleAdmin.Permissions()},
		{"server admin", server, hallpass.ServerAdminPermissions()},
		{"a role that does not exist", none, hallpass.Role(4).Permissions()},
	} {
		for p, who := range allowed {
			if got, want := holder.set.Has(p), who&holder.bit != 0; got != want {
				t.Errorf("%s has %v = %v, want %v", holder.name, p, got, want)
			}
			if elsewhere := (hallpass.Permission{Action: p.Action, Scope: "things:id:1"}); holder.set.Has(elsewhere) {
				t.Errorf("%s has %v, on things that the action is not about", holder.name, elsewhere)
			}
		}
		for _, p := range holder.set.List() {
			if !demanded(allowed, p) {
				t.Errorf("%s holds %v, which this table does not know", holder.name, p)
			}
		}
	}
}

// demanded reports whether p answers any demand of the table.
func demanded(table map[hallpass.Permission]int, p hallpass.Permission) bool {
	for want := range table {
		if p.Covers(want) {
			return true
		}
	}
	return false
}

func TestRolesGrow(t *testing.T) {
	roles := hallpass.Roles()
	if len(roles) != 4 || roles[0] != hallpass.RoleNone {
		t.Fatalf("Roles() = %v, want the four from None up", roles)
	}
	for i, weaker := range roles[:len(roles)-1] {
		stronger := roles[i+1]
		if stronger <= weaker {
			t.Errorf("%v stands after %v and is not above it", stronger, weaker)
		}
		if !stronger.Permissions().HasAll(weaker.Permissions()) {
			t.Errorf("%v lacks something that %v has", stronger, weaker)
		}
	}
}

func TestParseRole(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want hallpass.Role
		ok   bool
	}{
		{"None", hallpass.RoleNone, true},
		{"Viewer", hallpass.RoleViewer, true},
		{"Editor", hallpass.RoleEditor, true},
		{"Admin", hallpass.RoleAdmin, true},
		{"admin", hallpass.RoleAdmin, true},
		{"VIEWER", hallpass.RoleViewer, true},
		{"", hallpass.RoleNone, false},
		{" Admin", hallpass.RoleNone, false},
		{"Admin\x00", hallpass.RoleNone, false},
		{"Grafana Admin", hallpass.RoleNone, false},
		{"Admın", hallpass.RoleNone, false},
	} {
		if got, ok := hallpass.ParseRole(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("ParseRole(%q) = %v, %v; want %v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestRoleString(t *testing.T) {
	for _, r := range hallpass.Roles() {
		if got, ok := hallpass.ParseRole(r.String()); got != r || !ok {
			t.Errorf("ParseRole(%q) = %v, %v; want %v", r.String(), got, ok, r)
		}
	}
	if got := hallpass.Role(200).String(); got != "None" {
		t.Errorf("Role(200).String() = %q, want %q", got, "None")
	}
}
