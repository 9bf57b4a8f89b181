package guard_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// newGuard makes the guard.
func newGuard(t testing.TB, db *store.DB, g hallpass.Guard) hallpass.GuardID {
	t.Helper()
	return hallpasstest.NewGuard(t, db, g)
}

// changeGuard changes the guard, as a change that every verifier is told of.
func changeGuard(t testing.TB, db *store.DB, id hallpass.GuardID, change func(*hallpass.Guard)) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		all, err := tx.AllGuards()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(g hallpass.Guard) bool { return g.ID == id })
		change(&all[i])
		if err := tx.Change(hallpass.Change{Kind: hallpass.GuardChanged, ID: int64(id)}); err != nil {
			return err
		}
		return tx.UpdateGuard(all[i])
	})
	if err != nil {
		t.Fatal(err)
	}
}

// otherOrg makes another org.
func otherOrg(t testing.TB, db *store.DB) (id hallpass.OrgID) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		o, err := tx.CreateOrg(hallpass.Org{Name: "Other"})
		id = o.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// permit gives the account the permissions, by a role of its own.
func permit(t *testing.T, s *hallpasstest.Server, account, permissions string) {
	t.Helper()
	for _, call := range []struct{ path, body string }{
		{"/api/access-control/roles", fmt.Sprintf(`{"uid":"r%s","name":"custom:r%s","version":1,"permissions":[%s]}`, account, account, permissions)},
		{"/api/access-control/users/" + account + "/roles", fmt.Sprintf(`{"roleUid":"r%s"}`, account)},
	} {
		if r := s.Do(hallpasstest.Admin, "POST", call.path, call.body); r.StatusCode >= 300 {
			t.Fatalf("%s: %d %s", call.path, r.StatusCode, r.Text)
		}
	}
}

// audit returns the newest entries of the audit.
func audit(t *testing.T, s *hallpasstest.Server) []wire.AuditEntry {
	t.Helper()
	var page wire.Audit
	if err := json.Unmarshal([]byte(s.Do(hallpasstest.Admin, "GET", "/api/audit?limit=100", "").Text), &page); err != nil {
		t.Fatal(err)
	}
	return page.Entries
}
