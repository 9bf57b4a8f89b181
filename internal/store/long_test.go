package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestLongLists gives lists that are longer than a statement has places for.
func TestLongLists(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Main Org.")
		a := newAccount(t, db, org.ID, "ci")
		ids, uids := []int64{int64(a.ID)}, []string{""}
		places := 70_000 // PostgreSQL has 65,535
		if strings.HasSuffix(t.Name(), "/sqlite") {
			places = 35_000 // SQLite has 32,766
		}
		for i := range places {
			ids, uids = append(ids, int64(1000+i)), append(uids, fmt.Sprint("f", i))
		}
		write(t, db, func(tx *store.Tx) error {
			found, err := tx.PrincipalsByID(ids)
			if err != nil || len(found) != 1 || found[int64(a.ID)].Kind != hallpass.ServiceAccountPrincipal {
				t.Errorf("%v, %v; want the account", found, err)
			}
			if _, _, err := tx.FolderCounts(org.ID, uids); err != nil {
				t.Error(err)
			}
			return tx.DeleteFolders(org.ID, uids)
		})
	})
}
