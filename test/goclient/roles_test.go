package goclient_test

import (
	"fmt"
	"testing"

	"github.com/grafana/grafana-openapi-client-go/client/access_control"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/models"
)

// TestRoles makes a role, changes it, gives it to a user, a team and an
// account, sees it work, and deletes it.
func TestRoles(t *testing.T) {
	address := serve(t)
	c := admin(address)
	ac := c.AccessControl
	user := newUser(t, c, "fay")
	team, _ := newTeam(t, c, "crew")
	account := newAccount(t, c, "robot", "None")
	key := must(c.ServiceAccounts.CreateToken(service_accounts.NewCreateTokenParams().WithServiceAccountID(account).
		WithBody(&models.AddServiceAccountTokenCommand{Name: "t"})))(t, "make token").Payload.Key

	made := must(ac.CreateRole(&models.CreateRoleForm{UID: "reader", Name: "reader", DisplayName: "Reader", Group: "ours", Hidden: true, Permissions: []*models.Permission{
		{Action: "serviceaccounts:read", Scope: "serviceaccounts:*"},
	}}))(t, "make").Payload
	if *made.Version != 1 || *made.UID != "reader" || made.Global || !made.Hidden {
		t.Errorf("made %+v", made)
	}
	refused(ac.CreateRole(&models.CreateRoleForm{Name: "fixed:mine"}))(t, "a reserved name", 400)
	refused(ac.GetRole("nosuchrole"))(t, "no such role", 404)
	listed := func(hidden bool) (found bool) {
		t.Helper()
		for _, r := range must(ac.ListRoles(access_control.NewListRolesParams().WithIncludeHidden(&hidden)))(t, "list").Payload {
			found = found || *r.UID == "reader"
		}
		return found
	}
	if listed(false) || !listed(true) {
		t.Errorf("a hidden role is listed %v, and with the hidden ones %v", listed(false), listed(true))
	}

	reads := func() error {
		_, err := withToken(address, key).ServiceAccounts.RetrieveServiceAccount(account)
		return err
	}
	if reads() == nil {
		t.Error("the account reads accounts without a role")
	}
	must(ac.SetRoleAssignments("reader", &models.SetRoleAssignmentsCommand{Users: []int64{user}, Teams: []int64{team}, ServiceAccounts: []int64{account}}))(t, "assign")
	a := must(ac.GetRoleAssignments("reader"))(t, "assignments").Payload
	if a.RoleUID != "reader" || fmt.Sprint(a.Users, a.Teams, a.ServiceAccounts) != fmt.Sprint([]int64{user}, []int64{team}, []int64{account}) {
		t.Errorf("assigned %+v", a)
	}
	if err := reads(); err != nil {
		t.Errorf("the account does not read accounts with the role: %v", err)
	}
	updated := must(ac.UpdateRole("reader", &models.UpdateRoleCommand{Name: "reader", Description: ptr("reads nothing")}))(t, "update").Payload
	if *updated.Version != 2 || len(updated.Permissions) != 0 || *updated.Description != "reads nothing" {
		t.Errorf("updated %+v", updated)
	}
	if reads() == nil {
		t.Error("the account reads accounts with an emptied role")
	}
	must(ac.SetRoleAssignments("reader", &models.SetRoleAssignmentsCommand{}))(t, "assign to nobody")
	if a := must(ac.GetRoleAssignments("reader"))(t, "assignments").Payload; len(a.Users)+len(a.Teams)+len(a.ServiceAccounts) != 0 {
		t.Errorf("assigned %+v, want nobody", a)
	}
	userRoles(t, address, user)
	teamRoles(t, address, team)
	must(ac.DeleteRole(access_control.NewDeleteRoleParams().WithRoleUID("reader")))(t, "delete")
	refused(ac.GetRole("reader"))(t, "a deleted role", 404)
	// GetAccessControlStatus is not called: the client's model takes a number
	// where the API, and Grafana's, answers {"enabled":true}.
}

func userRoles(t *testing.T, address string, user int64) {
	t.Helper()
	ac := admin(address).AccessControl
	count := func(what string, want int) {
		t.Helper()
		n := 0
		for _, r := range must(ac.ListUserRoles(user))(t, what).Payload {
			if *r.UID == "reader" {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: the role is there %d times, want %d", what, n, want)
		}
	}
	must(ac.AddUserRole(user, &models.AddUserRoleCommand{RoleUID: "reader"}))(t, "add to the user")
	must(ac.UpdateRole("reader", &models.UpdateRoleCommand{Name: "reader"}))(t, "show it")
	count("added", 1)
	found := must(ac.ListUsersRoles(&models.RolesSearchQuery{UserIds: []int64{user}, OrgID: 1}))(t, "roles of users").Payload
	if list := found[fmt.Sprint(user)]; len(list) == 0 {
		t.Errorf("roles of users: %v", found)
	}
	must(ac.RemoveUserRole(access_control.NewRemoveUserRoleParams().WithUserID(user).WithRoleUID("reader")))(t, "remove from the user")
	count("removed", 0)
	must(ac.SetUserRoles(user, &models.SetUserRolesCommand{RoleUids: []string{"reader"}}))(t, "set the user's roles")
	count("set", 1)
	must(ac.SetUserRoles(user, &models.SetUserRolesCommand{RoleUids: []string{}}))(t, "set none")
	count("set to none", 0)
}

// teamRoles lists by a search: the client's own list of a team's roles takes no
// array, which is what Grafana answers.
func teamRoles(t *testing.T, address string, team int64) {
	t.Helper()
	ac := admin(address).AccessControl
	count := func(what string, want int) {
		t.Helper()
		found := must(ac.ListTeamsRoles(&models.RolesSearchQuery{TeamIds: []int64{team}, OrgID: 1}))(t, what).Payload
		if n := len(found[fmt.Sprint(team)]); n != want {
			t.Errorf("%s: %d roles, want %d", what, n, want)
		}
	}
	must(ac.AddTeamRole(team, &models.AddTeamRoleCommand{RoleUID: "reader"}))(t, "add to the team")
	count("added", 1)
	must(ac.RemoveTeamRole(team, "reader"))(t, "remove from the team")
	count("removed", 0)
	must(ac.SetTeamRoles(team, &models.SetTeamRolesCommand{RoleUids: []string{"reader"}}))(t, "set the team's roles")
	count("set", 1)
	must(ac.SetTeamRoles(team, &models.SetTeamRolesCommand{RoleUids: []string{}}))(t, "set none")
	count("set to none", 0)
}
