package store_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestHoldings counts accounts by basic role and by given role, of which one is of
// another org and one is global.
func TestHoldings(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		newOrg(t, db, "first")
		newOrg(t, db, "second")
		own, global, elsewhere := hallpass.NamedRole{Org: 1, UID: "own", Name: "own"}, hallpass.NamedRole{UID: "global", Name: "global"}, hallpass.NamedRole{Org: 2, UID: "own", Name: "own"}
		write(t, db, func(tx *store.Tx) error {
			for i, role := range []hallpass.Role{hallpass.RoleNone, hallpass.RoleNone, hallpass.RoleViewer, hallpass.RoleAdmin} {
				name := string(rune('a' + i))
				a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: "u" + name, Org: 1, Name: name, Login: name, Role: role, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}
				for _, as := range [][]store.Assignment{{{Org: 1, To: to, RoleOrg: 1, RoleUID: "own"}, {Org: 0, To: to, RoleUID: "global"}}, {{Org: 2, To: to, RoleOrg: 2, RoleUID: "own"}}, {{Org: 0, To: to, RoleUID: "global"}}, nil}[i] {
					if _, err := tx.Assign(as, noon); err != nil {
						return err
					}
				}
			}
			return nil
		})
		list := []store.Holding{
			{}, {Basic: []hallpass.Role{hallpass.RoleAdmin, hallpass.RoleViewer}}, {Roles: []hallpass.NamedRole{own}}, {Roles: []hallpass.NamedRole{global}}, {Roles: []hallpass.NamedRole{elsewhere}},
			{Basic: []hallpass.Role{hallpass.RoleViewer}, Roles: []hallpass.NamedRole{own, global}},
		}
		want := []int{0, 2, 1, 2, 0, 2}
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			counts, err := tx.CountHoldings(1, list, 2)
			for i, h := range list {
				if err != nil || counts[i] != want[i] {
					t.Errorf("%+v: %v, %v; want %v", h, counts, err, want)
					break
				}
				_, total, err := tx.ServiceAccounts(store.ServiceAccountQuery{Org: 1, Holding: &h, Now: noon, Limit: 10})
				if err != nil || total != want[i] {
					t.Errorf("%+v lists %d, %v", h, total, err)
				}
			}
			if one, err := tx.CountHoldings(1, list[1:2], 1); err != nil || one[0] != 1 {
				t.Errorf("up to one: %v, %v", one, err)
			}
			if none, err := tx.CountHoldings(1, nil, 1); err != nil || len(none) > 0 {
				t.Errorf("of nothing: %v, %v", none, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
