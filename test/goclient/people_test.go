package goclient_test

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"

	gapi "github.com/grafana/grafana-openapi-client-go/client"
	"github.com/grafana/grafana-openapi-client-go/client/access_control"
	"github.com/grafana/grafana-openapi-client-go/client/org"
	"github.com/grafana/grafana-openapi-client-go/client/orgs"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/client/sync_team_groups"
	"github.com/grafana/grafana-openapi-client-go/client/teams"
	"github.com/grafana/grafana-openapi-client-go/client/users"
	"github.com/grafana/grafana-openapi-client-go/models"
)

// must returns what a call answered; the test ends if it was refused.
func must[T any](v T, err error) func(*testing.T, string) T {
	return func(t *testing.T, what string) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return v
	}
}

// refused fails the test unless the call was refused with that status.
func refused[T any](_ T, err error) func(*testing.T, string, int) {
	return func(t *testing.T, what string, status int) {
		t.Helper()
		coded, ok := err.(interface{ IsCode(int) bool })
		if !ok || !coded.IsCode(status) {
			t.Errorf("%s: %v, want %d", what, err, status)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// newUser makes a user and returns its number.
func newUser(t *testing.T, c *gapi.GrafanaHTTPAPI, login string) int64 {
	t.Helper()
	return must(c.AdminUsers.AdminCreateUser(&models.AdminCreateUserForm{
		Login: login, Email: login + "@example.com", Name: "Name of " + login, Password: password,
	}))(t, "make user "+login).Payload.ID
}

// newTeam makes a team and returns its number, as the client takes it.
func newTeam(t *testing.T, c *gapi.GrafanaHTTPAPI, name string) (int64, string) {
	t.Helper()
	id := must(c.Teams.CreateTeam(&models.CreateTeamCommand{Name: &name}))(t, "make team "+name).Payload.TeamID
	return id, strconv.FormatInt(id, 10)
}

// newAccount makes a service account and returns its number.
func newAccount(t *testing.T, c *gapi.GrafanaHTTPAPI, name, role string) int64 {
	t.Helper()
	return must(c.ServiceAccounts.CreateServiceAccount(service_accounts.NewCreateServiceAccountParams().
		WithBody(&models.CreateServiceAccountForm{Name: name, Role: role})))(t, "make account "+name).Payload.ID
}

func as(address, login, word string) *gapi.GrafanaHTTPAPI {
	return gapi.NewHTTPClientWithConfig(nil, &gapi.TransportConfig{Host: address, BasePath: "/api", Schemes: []string{"http"}, BasicAuth: url.UserPassword(login, word), OrgID: 1})
}

// TestUsers makes, finds, changes and deletes users.
func TestUsers(t *testing.T) {
	address := serve(t)
	c := admin(address)
	id := newUser(t, c, "ann")
	refused(c.AdminUsers.AdminCreateUser(&models.AdminCreateUserForm{Login: "Ann", Password: password}))(t, "the same login again", 412)
	got := must(c.Users.GetUserByID(id))(t, "get").Payload
	if got.ID != id || got.Login != "ann" || got.Email != "ann@example.com" || got.Name != "Name of ann" || got.IsGrafanaAdmin || got.OrgID != 1 {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{"ANN", "ann@EXAMPLE.com"} {
		if found := must(c.Users.GetUserByLoginOrEmail(text))(t, "look up "+text).Payload; found.ID != id {
			t.Errorf("%s is %d, want %d", text, found.ID, id)
		}
	}
	refused(c.Users.GetUserByLoginOrEmail("nobody"))(t, "look up nobody", 404)
	if list := must(c.Users.SearchUsers(users.NewSearchUsersParams().WithPage(ptr(int64(1))).WithPerpage(ptr(int64(1000)))))(t, "list").Payload; len(list) != 2 {
		t.Errorf("%d users, want 2", len(list))
	}
	if page := must(c.Users.SearchUsersWithPaging())(t, "search").Payload; page.TotalCount != 2 {
		t.Errorf("%d users found, want 2", page.TotalCount)
	}
	must(c.Users.UpdateUser(id, &models.UpdateUserCommand{Login: "anna", Email: "anna@example.com", Name: "Anna"}))(t, "update")
	must(c.AdminUsers.AdminUpdateUserPassword(id, &models.AdminUpdateUserPasswordForm{Password: "indigo lamps hum at dusk"}))(t, "set password")
	must(c.AdminUsers.AdminUpdateUserPermissions(id, &models.AdminUpdateUserPermissionsForm{IsGrafanaAdmin: true}))(t, "make server admin")
	self := must(as(address, "anna", "indigo lamps hum at dusk").SignedInUser.GetSignedInUser())(t, "signed in").Payload
	if self.ID != id || self.Name != "Anna" || !self.IsGrafanaAdmin {
		t.Errorf("signed in as %+v", self)
	}
	if in := must(c.Users.GetUserOrgList(id))(t, "orgs").Payload; len(in) != 1 || in[0].Role != "Viewer" {
		t.Errorf("orgs %v, want one as Viewer", in)
	}
	must(c.AdminUsers.AdminDisableUser(id))(t, "disable")
	refused(as(address, "anna", "indigo lamps hum at dusk").SignedInUser.GetSignedInUser())(t, "a disabled user", 401)
	must(c.AdminUsers.AdminEnableUser(id))(t, "enable")
	must(c.AdminUsers.AdminDeleteUser(id))(t, "delete")
	refused(c.Users.GetUserByID(id))(t, "a deleted user", 404)
}

// TestOrgs makes an org, fills it, renames it and deletes it.
func TestOrgs(t *testing.T) {
	c := admin(serve(t))
	user := newUser(t, c, "bob")
	id := *must(c.Orgs.CreateOrg(&models.CreateOrgCommand{Name: "Branch"}))(t, "make").Payload.OrgID
	refused(c.Orgs.CreateOrg(&models.CreateOrgCommand{Name: "Branch"}))(t, "the same name again", 409)
	must(c.Orgs.AddOrgUser(id, &models.AddOrgUserCommand{LoginOrEmail: "bob@example.com", Role: "Viewer"}))(t, "add user")
	must(c.Orgs.UpdateOrgUser(orgs.NewUpdateOrgUserParams().WithOrgID(id).WithUserID(user).WithBody(&models.UpdateOrgUserCommand{Role: "Editor"})))(t, "change role")
	roles := make(map[string]string)
	for _, m := range must(c.Orgs.GetOrgUsers(id))(t, "users").Payload {
		roles[m.Login] = m.Role
	}
	if len(roles) != 2 || roles["admin"] != "Admin" || roles["bob"] != "Editor" {
		t.Errorf("members %v", roles)
	}
	must(c.Orgs.UpdateOrg(id, &models.UpdateOrgForm{Name: "Branch Two"}))(t, "rename")
	if got := must(c.Orgs.GetOrgByName("Branch Two"))(t, "by name").Payload; got.ID != id {
		t.Errorf("found org %d, want %d", got.ID, id)
	}
	if list := must(c.Orgs.SearchOrgs(orgs.NewSearchOrgsParams()))(t, "list").Payload; len(list) != 2 {
		t.Errorf("%d orgs, want 2", len(list))
	}
	inside := c.Clone().WithOrgID(id)
	must(inside.Org.UpdateOrgPreferences(&models.UpdatePrefsCmd{Theme: "dark", WeekStart: "monday"}))(t, "set preferences")
	if p := must(inside.Org.GetOrgPreferences())(t, "preferences").Payload; p.Theme != "dark" || p.WeekStart != "monday" {
		t.Errorf("preferences %+v", p)
	}
	if p := must(c.Clone().WithOrgID(1).Org.GetOrgPreferences())(t, "org 1's preferences").Payload; p.Theme != "" {
		t.Errorf("org 1 took the theme %s", p.Theme)
	}
	must(inside.Org.UpdateOrgPreferences(&models.UpdatePrefsCmd{}))(t, "clear preferences")
	if p := must(inside.Org.GetOrgPreferences())(t, "preferences").Payload; p.Theme != "" || p.WeekStart != "" {
		t.Errorf("cleared preferences %+v", p)
	}
	must(c.Orgs.RemoveOrgUser(user, id))(t, "remove user")
	must(c.Orgs.DeleteOrgByID(id))(t, "delete")
	refused(c.Orgs.GetOrgByID(id))(t, "a deleted org", 404)
	if found := must(c.Org.GetOrgUsersForCurrentOrg(org.NewGetOrgUsersForCurrentOrgParams().WithQuery(ptr("bob@"))))(t, "users of org 1").Payload; len(found) != 1 || found[0].UserID != user {
		t.Errorf("found %v, want bob", found)
	}
}

// TestTeams makes a team, changes its members, preferences and groups, and
// deletes it.
func TestTeams(t *testing.T) {
	c := admin(serve(t))
	user := newUser(t, c, "cat")
	number, id := newTeam(t, c, "crew")
	refused(c.Teams.CreateTeam(&models.CreateTeamCommand{Name: ptr("crew")}))(t, "the same name again", 409)
	got := must(c.Teams.GetTeamByID(teams.NewGetTeamByIDParams().WithTeamID(id)))(t, "get").Payload
	if *got.ID != number || *got.Name != "crew" || *got.UID == "" || *got.OrgID != 1 || got.MemberCount == nil {
		t.Errorf("got %+v", got)
	}
	must(c.Teams.AddTeamMember(id, &models.AddTeamMemberCommand{UserID: &user}))(t, "add member")
	for _, level := range []models.PermissionType{4, 0} {
		must(c.Teams.UpdateTeamMember(teams.NewUpdateTeamMemberParams().WithTeamID(id).WithUserID(user).WithBody(&models.UpdateTeamMemberCommand{Permission: level})))(t, "change member")
		var found *models.TeamMemberDTO
		for _, m := range must(c.Teams.GetTeamMembers(id))(t, "members").Payload {
			if m.UserID == user {
				found = m
			}
		}
		if found == nil || found.Permission != level || found.Email != "cat@example.com" {
			t.Fatalf("the member is %+v, want permission %d", found, level)
		}
	}
	if in := must(c.Users.GetUserTeams(user))(t, "teams of the user").Payload; len(in) != 1 || *in[0].ID != number {
		t.Errorf("teams %v", in)
	}
	must(c.Teams.SetTeamMemberships(id, &models.SetTeamMembershipsCommand{Admins: []string{"cat@example.com"}, Members: []string{}}))(t, "set members")
	if list := must(c.Teams.GetTeamMembers(id))(t, "members").Payload; len(list) != 1 || list[0].Permission != 4 {
		t.Errorf("members %v", list)
	}
	must(c.Teams.RemoveTeamMember(user, id))(t, "remove member")
	must(c.Teams.UpdateTeamPreferences(id, &models.UpdatePrefsCmd{Theme: "light"}))(t, "set preferences")
	if p := must(c.Teams.GetTeamPreferences(id))(t, "preferences").Payload; p.Theme != "light" {
		t.Errorf("preferences %+v", p)
	}
	must(c.SyncTeamGroups.AddTeamGroupAPI(number, &models.TeamGroupMapping{GroupID: "cn=ops,dc=x"}))(t, "add group")
	if list := must(c.SyncTeamGroups.GetTeamGroupsAPI(number))(t, "groups").Payload; len(list) != 1 || list[0].GroupID != "cn=ops,dc=x" {
		t.Errorf("groups %v", list)
	}
	must(c.SyncTeamGroups.RemoveTeamGroupAPIQuery(sync_team_groups.NewRemoveTeamGroupAPIQueryParams().WithTeamID(number).WithGroupID(ptr("cn=ops,dc=x"))))(t, "remove group")
	if list := must(c.SyncTeamGroups.GetTeamGroupsAPI(number))(t, "groups").Payload; len(list) != 0 {
		t.Errorf("groups %v, want none", list)
	}
	must(c.Teams.UpdateTeam(id, &models.UpdateTeamCommand{Name: "crew two", Email: "crew@example.com"}))(t, "update")
	page := must(c.Teams.SearchTeams(teams.NewSearchTeamsParams().WithQuery(ptr("TWO"))))(t, "search").Payload
	if page.TotalCount != 1 || *page.Teams[0].Name != "crew two" || page.Teams[0].Email != "crew@example.com" {
		t.Errorf("found %+v", page)
	}
	must(c.Teams.DeleteTeamByID(id))(t, "delete")
	refused(c.Teams.GetTeamByID(teams.NewGetTeamByIDParams().WithTeamID(id)))(t, "a deleted team", 404)
}

// TestAccountPermissions gives and takes access to a service account.
func TestAccountPermissions(t *testing.T) {
	c := admin(serve(t))
	id := strconv.FormatInt(newAccount(t, c, "ci", "Viewer"), 10)
	user := newUser(t, c, "dan")
	team, _ := newTeam(t, c, "crew")
	permissionsOf(t, c, "serviceaccounts", id, "Edit", user, team)
	d := must(c.AccessControl.GetResourceDescription("serviceaccounts"))(t, "description").Payload
	if fmt.Sprint(d.Permissions) != "[Edit Admin]" || !d.Assignments.Users || !d.Assignments.Teams || d.Assignments.BuiltInRoles {
		t.Errorf("described as %+v", d)
	}
}

// permissionsOf gives a user and a team access to a resource, one by one and in
// bulk, and takes it away; low is the level that gives least.
func permissionsOf(t *testing.T, c *gapi.GrafanaHTTPAPI, kind, id, low string, user, team int64) {
	t.Helper()
	ac := c.AccessControl
	holds := func(what, ofUser, ofTeam string) {
		t.Helper()
		got := make(map[string]string)
		for _, p := range must(ac.GetResourcePermissions(id, kind))(t, what).Payload {
			if p.IsManaged && !p.IsInherited {
				got[fmt.Sprint(p.UserID, p.TeamID)] = p.Permission
			}
		}
		if u, m := got[fmt.Sprint(user, 0)], got[fmt.Sprint(0, team)]; u != ofUser || m != ofTeam {
			t.Errorf("%s: the user has %q and the team %q, want %q and %q", what, u, m, ofUser, ofTeam)
		}
	}
	set := func(items ...*models.SetResourcePermissionCommand) {
		t.Helper()
		must(ac.SetResourcePermissions(access_control.NewSetResourcePermissionsParams().WithResource(kind).WithResourceID(id).
			WithBody(&models.SetPermissionsCommand{Permissions: items})))(t, "set permissions")
	}
	toUser := func(level string) {
		t.Helper()
		must(ac.SetResourcePermissionsForUser(access_control.NewSetResourcePermissionsForUserParams().WithResource(kind).WithResourceID(id).
			WithUserID(user).WithBody(&models.SetPermissionCommand{Permission: level})))(t, "set for the user")
	}
	toTeam := func(level string) {
		t.Helper()
		must(ac.SetResourcePermissionsForTeam(access_control.NewSetResourcePermissionsForTeamParams().WithResource(kind).WithResourceID(id).
			WithTeamID(team).WithBody(&models.SetPermissionCommand{Permission: level})))(t, "set for the team")
	}
	toUser("Admin")
	toTeam(low)
	holds("one by one", "Admin", low)
	toUser("Edit")
	holds("set again", "Edit", low)
	set(&models.SetResourcePermissionCommand{UserID: user}, &models.SetResourcePermissionCommand{TeamID: team, Permission: "Admin"})
	holds("in bulk", "", "Admin")
	set()
	holds("an empty list", "", "Admin")
	toTeam("")
	holds("taken away", "", "")
	refused(ac.SetResourcePermissionsForUser(access_control.NewSetResourcePermissionsForUserParams().WithResource(kind).WithResourceID(id).
		WithUserID(user).WithBody(&models.SetPermissionCommand{Permission: "Query"})))(t, "an unknown level", 400)
}
