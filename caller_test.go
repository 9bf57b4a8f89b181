package hallpass_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
)

func TestZeroCallerMayDoNothing(t *testing.T) {
	var c hallpass.Caller
	for _, p := range append(hallpass.RoleAdmin.Permissions().List(), hallpass.Permission{}) {
		if c.Can(p.Action, p.Scope) {
			t.Errorf("the zero Caller can %v", p)
		}
	}
	if c.User() != 0 || c.ServiceAccount() != 0 || c.Principal.Kind != hallpass.Nobody {
		t.Errorf("the zero Caller is user %d, service account %d, kind %d; want nobody", c.User(), c.ServiceAccount(), c.Principal.Kind)
	}
}

func TestCallerAuthorize(t *testing.T) {
	c := hallpass.ServiceAccountCaller(hallpass.ServiceAccount{ID: 7, Org: 1, Role: hallpass.RoleViewer}, hallpass.PrincipalAccess{Member: true, Role: hallpass.RoleViewer, Basic: hallpass.RoleViewer.Permissions()})
	if err := c.Authorize(hallpass.OrgsRead, ""); err != nil {
		t.Errorf("Authorize what is held = %v, want nil", err)
	}
	err := c.Authorize(hallpass.ServiceAccountsWrite, hallpass.ServiceAccountID(7).Scope())
	var e *hallpass.Error
	if !errors.As(err, &e) {
		t.Fatalf("Authorize what is not held = %v, want a *hallpass.Error", err)
	}
	want := hallpass.Error{
		Kind: hallpass.Denied, ID: "accesscontrol.Denied", Needs: "serviceaccounts:write",
		Message: "You'll need additional permissions to perform this action. Permissions needed: serviceaccounts:write",
	}
	if diff := cmp.Diff(*e, want); diff != "" {
		t.Errorf("the refusal (-got +want):\n%s", diff)
	}
}

func TestUserCaller(t *testing.T) {
	granted := hallpass.Grant{Resource: hallpass.ServiceAccountResource, ResourceID: "7", Level: hallpass.LevelAdmin}.Permissions()
	type can struct{ readOrg, writeOrg, writeAccount7, writeAccount8, setPasswords bool }
	for _, tt := range []struct {
		name        string
		serverAdmin bool
		role        hallpass.Role
		member      bool
		granted     []hallpass.Permission
		want        can
	}{
		{"a Viewer", false, hallpass.RoleViewer, true, nil, can{readOrg: true}},
		{"an Editor who made an account", false, hallpass.RoleEditor, true, granted, can{readOrg: true, writeAccount7: true}},
		{"an Admin", false, hallpass.RoleAdmin, true, nil, can{readOrg: true, writeOrg: true, writeAccount7: true, writeAccount8: true}},
		{"a member without a role", false, hallpass.RoleNone, true, granted, can{writeAccount7: true}},
		{"not a member", false, hallpass.RoleNone, false, nil, can{}},
		{"not a member any more", false, hallpass.RoleAdmin, false, granted, can{}},
		{"a server admin", true, hallpass.RoleViewer, true, nil, can{readOrg: true, writeOrg: true, setPasswords: true}},
		{"a server admin in another org", true, hallpass.RoleAdmin, false, granted, can{readOrg: true, writeOrg: true, setPasswords: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := hallpass.User{ID: 3, Login: "ana", Name: "Ana", ServerAdmin: tt.serverAdmin}
			given := hallpass.PrincipalAccess{Member: tt.member, Role: tt.role, Basic: tt.role.Permissions(), Held: tt.granted}
			if tt.serverAdmin {
				given.Server = hallpass.ServerAdminPermissions()
			}
			c := hallpass.UserCaller(u, 2, given)
			if c.CanOnServer(hallpass.UsersPasswordWrite, "global.users:id:3") != tt.serverAdmin {
				t.Errorf("on the server: %v", c.Server.List())
			}
			got := can{
				readOrg:       c.Can(hallpass.OrgsRead, ""),
				writeOrg:      c.Can(hallpass.OrgsWrite, ""),
				writeAccount7: c.Can(hallpass.ServiceAccountsWrite, "serviceaccounts:id:7"),
				writeAccount8: c.Can(hallpass.ServiceAccountsWrite, "serviceaccounts:id:8"),
				setPasswords:  c.Can(hallpass.UsersPasswordWrite, "global.users:id:3"),
			}
			if got != tt.want {
				t.Errorf("may %+v, want %+v", got, tt.want)
			}
			wantRole := tt.role
			if !tt.member {
				wantRole = hallpass.RoleNone
			}
			want := hallpass.Caller{
				Principal: hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 3, Login: "ana"},
				Name:      "Ana", Org: 2, OrgMissing: !tt.member, Role: wantRole, ServerAdmin: tt.serverAdmin,
			}
			c.Permissions, c.Server = nil, nil
			if diff := cmp.Diff(c, want); diff != "" {
				t.Errorf("UserCaller (-got +want):\n%s", diff)
			}
			if c.User() != 3 || c.ServiceAccount() != 0 {
				t.Errorf("User() = %d, ServiceAccount() = %d; want 3, 0", c.User(), c.ServiceAccount())
			}
		})
	}
}

func TestServiceAccountCaller(t *testing.T) {
	a := hallpass.ServiceAccount{ID: 7, Org: 2, Name: "dashboard sync", Login: "sa-2-dashboard-sync", Role: hallpass.RoleViewer}
	c := hallpass.ServiceAccountCaller(a, hallpass.PrincipalAccess{
		Member: true, Role: a.Role, Basic: a.Role.Permissions(), Held: []hallpass.Permission{{Action: hallpass.AuditRead}},
	})
	if !c.Can(hallpass.OrgsRead, "") || !c.Can(hallpass.AuditRead, "") || c.Can(hallpass.OrgsWrite, "") {
		t.Errorf("permissions = %v, want a Viewer's and what was granted", c.Permissions.List())
	}
	if c.User() != 0 || c.ServiceAccount() != 7 {
		t.Errorf("User() = %d, ServiceAccount() = %d; want 0, 7", c.User(), c.ServiceAccount())
	}
	c.Permissions = nil
	want := hallpass.Caller{
		Principal: hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: 7, Login: "sa-2-dashboard-sync"},
		Name:      "dashboard sync", Org: 2, Role: hallpass.RoleViewer,
	}
	if diff := cmp.Diff(c, want); diff != "" {
		t.Errorf("ServiceAccountCaller (-got +want):\n%s", diff)
	}
	if hallpass.RoleViewer.Permissions().Has(hallpass.Permission{Action: hallpass.AuditRead}) {
		t.Error("what one account was granted went into the shared role")
	}
}

func TestPrincipalKindString(t *testing.T) {
	for kind, want := range map[hallpass.PrincipalKind]string{
		hallpass.Nobody: "", hallpass.UserPrincipal: "user", hallpass.ServiceAccountPrincipal: "service account", 9: "",
	} {
		if got := kind.String(); got != want {
			t.Errorf("PrincipalKind(%d).String() = %q, want %q", kind, got, want)
		}
	}
}

func TestHighestMemberRole(t *testing.T) {
	for _, role := range hallpass.Roles() {
		if got := (hallpass.Caller{Role: role}).HighestMemberRole(); got != role {
			t.Errorf("a %s may give %s", role, got)
		}
		if got := (hallpass.Caller{Role: role, ServerAdmin: true}).HighestMemberRole(); got != hallpass.RoleAdmin {
			t.Errorf("a %s who is a server admin may give %s, want Admin", role, got)
		}
	}
}

func TestCallerWithRoles(t *testing.T) {
	delegate := func(actions ...hallpass.Action) *hallpass.Permissions {
		var list []hallpass.Permission
		for _, a := range actions {
			list = append(list, hallpass.Permission{Action: a, Scope: hallpass.ScopeDelegate})
		}
		return hallpass.NewPermissions(list...)
	}
	writer, deleter := hallpass.Caller{Permissions: delegate(hallpass.RolesWrite)}, hallpass.Caller{Permissions: delegate(hallpass.RolesDelete)}
	server := hallpass.Caller{Permissions: delegate(), Server: delegate(hallpass.RolesWrite, hallpass.RolesDelete)}
	custom, global := hallpass.NamedRole{Org: 1, UID: "r"}, hallpass.NamedRole{UID: "g"}
	fixed, basic := hallpass.FixedRoles()[0], hallpass.BasicRoles()[0]
	for _, tt := range []struct {
		name           string
		caller         hallpass.Caller
		role           hallpass.NamedRole
		change, delete bool
	}{
		{"custom, by who may change roles", writer, custom, true, false},
		{"custom, by who may delete roles", deleter, custom, false, true},
		{"custom, by who may on the server alone", server, custom, false, false},
		{"global, by who may in the org", writer, global, false, false},
		{"global, by who may on the server", server, global, true, true},
		{"fixed, by who may on the server", server, fixed, false, false},
		{"basic, by who may on the server", server, basic, true, false},
		{"basic, by who may in the org", writer, basic, false, false},
	} {
		if change, del := tt.caller.MayChangeRole(tt.role), tt.caller.MayDeleteRole(tt.role); change != tt.change || del != tt.delete {
			t.Errorf("%s: change %v, delete %v; want %v, %v", tt.name, change, del, tt.change, tt.delete)
		}
	}
	both := hallpass.NewPermissions(hallpass.Permission{Action: hallpass.UsersRolesRead, Scope: "users:*"}, hallpass.Permission{Action: hallpass.TeamsRolesRead, Scope: "teams:*"})
	one := hallpass.NewPermissions(hallpass.Permission{Action: hallpass.UsersRolesRead, Scope: "users:*"})
	if !(hallpass.Caller{Permissions: both}).MayReadAssignments() || (hallpass.Caller{Permissions: one}).MayReadAssignments() {
		t.Error("who has which role is read with both permissions, and not with one")
	}
}

func TestBasicGrantee(t *testing.T) {
	for name, want := range map[string]bool{"Viewer": true, "admin": true, "None": false, "none": false, "": false, "King": false} {
		if to, ok := hallpass.BasicGrantee(name); ok != want || ok && !strings.EqualFold(hallpass.Role(to.ID).String(), name) {
			t.Errorf("%q is the grantee %v, %v; want %v", name, to, ok, want)
		}
	}
}
