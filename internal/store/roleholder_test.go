package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestRoleHolders counts who has roles of the org, finds who may give roles in it, and which
// of its accounts were used.
func TestRoleHolders(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		newOrg(t, db, "first")
		newOrg(t, db, "second")
		write(t, db, func(tx *store.Tx) error {
			team, err := tx.CreateTeam(hallpass.Team{UID: "crew", Org: 1, Name: "crew", CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			given := []hallpass.Grantee{{Kind: hallpass.ToTeam, ID: int64(team.ID)}, {Kind: hallpass.ToBasicRole, ID: int64(hallpass.RoleEditor)}}
			for i, role := range []hallpass.Role{hallpass.RoleAdmin, hallpass.RoleViewer, hallpass.RoleViewer, hallpass.RoleAdmin} {
				login := string(rune('a' + i))
				u, err := tx.CreateUser(hallpass.User{UID: "u" + login, Login: login, Email: login + "@x", Org: 1, Disabled: i == 3, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				if err := tx.SetMember(hallpass.Member{Org: 1, User: u, Role: role, JoinedAt: noon}); err != nil {
					return err
				}
				if i == 1 {
					given = append(given, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(u.ID)})
				}
			}
			a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: "sa", Org: 1, Name: "sa", Login: "sa", Role: hallpass.RoleNone, CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			for _, to := range append(given, hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}) {
				if _, err := tx.Assign(store.Assignment{Org: 1, To: to, RoleUID: "global"}, noon); err != nil {
					return err
				}
			}
			return nil
		})
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			got, err := tx.CountRoleHolders(1)
			want := map[string]store.RoleHolders{
				"global": {Users: 1, ServiceAccounts: 1, Teams: 1, BasicRoles: 1}, "basic_admin": {Users: 2}, "basic_viewer": {Users: 2}, "basic_none": {ServiceAccounts: 1},
			}
			if diff := cmp.Diff(got, want); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
			if got, err := tx.CountRoleHolders(2); len(got) > 0 || err != nil {
				t.Errorf("in another org: %v, %v", got, err)
			}
			for limit, want := range map[int][]string{5: {"a", "b"}, 1: {"a"}} {
				list, err := tx.LikelyGivers(1, limit)
				var logins []string
				for _, u := range list {
					logins = append(logins, u.Login)
				}
				if diff := cmp.Diff(logins, want); diff != "" || err != nil {
					t.Errorf("%d: %v %s", limit, err, diff)
				}
			}
			used, err := tx.UsedAccountsOf(1, noon.Add(-time.Hour), 5)
			if err != nil || len(used) > 0 {
				t.Errorf("used: %v, %v", used, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
