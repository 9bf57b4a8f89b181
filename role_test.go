package hallpass_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
)

// TestRolePermissions holds what the basic roles are for.
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

		{Action: hallpass.OrgsCreate}:                                server,
		{Action: hallpass.TeamsCreate}:                               admin,
		{Action: "prometheus:query"}:                                 admin,
		{Action: hallpass.OrgUsersWrite, Scope: "global.users:id:3"}: none,
		{Action: hallpass.UsersPasswordWrite, Scope: "users:id:3"}:   none,
		{Action: "", Scope: ""}:                                      none,
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
			if elsewhere := (hallpass.Permission{Action: p.Action, Scope: "things:id:1"}); holder.set.Has(elsewhere) && !p.Action.Foreign() {
				t.Errorf("%s has %v, on things that the action is not about", holder.name, elsewhere)
			}
		}
	}
}

var update = flag.Bool("update", false, "write the golden files")

// TestRoleTable holds what every basic and fixed role permits to the table that
// is checked in: a change of it is to be seen.
func TestRoleTable(t *testing.T) {
	var b strings.Builder
	for _, r := range append(hallpass.BasicRoles(), hallpass.FixedRoles()...) {
		fmt.Fprintf(&b, "%s (%s)\n", r.Name, r.UID)
		for _, p := range hallpass.NewPermissions(r.Permissions...).List() {
			fmt.Fprintf(&b, "    %s\n", p)
		}
	}
	path := filepath.Join("testdata", "roles.golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(want)); diff != "" {
		t.Errorf("what the roles permit is another (got, want; -update writes it):\n%s", diff)
	}
}

// TestFixedRoleUIDs compares some uids with those that Grafana documents.
func TestFixedRoleUIDs(t *testing.T) {
	for name, uid := range map[string]string{
		"fixed:serviceaccounts:reader":  "fixed_QFjJAZ88iawMLInYOxPA1DB1w6I",
		"fixed:org.users:writer":        "fixed_VERj5nayasjgf_Yh0sWqqCkxWlw",
		"fixed:teams:read":              "fixed_Z8pB0GQlrqRt8IZBCJQxPWvJPgQ",
		"fixed:folders.general:reader":  "fixed_rSASbkg8DvpG_gTX5s41d7uxRvI",
		"fixed:datasources.id:reader":   "fixed_entg--fHmDqWY2-69N0ocawK0Os",
		"fixed:dashboards:writer":       "fixed_OK2YOQGIoI1G031hVzJB6rAJQAs",
		"fixed:roles:writer":            "fixed_W5aFaw8isAM27x_eWfElBhZ0iOc",
		"fixed:organization:maintainer": "fixed_CMm-uuBaPUBf4r8XG3jIvxo55bg",
	} {
		if r, ok := hallpass.FixedRole(uid); !ok || r.Name != name {
			t.Errorf("FixedRole(%s) is %q, %v; want %s", uid, r.Name, ok, name)
		}
	}
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
