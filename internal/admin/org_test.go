package admin_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestOrgAfterChanges reads the org's name after it was changed in the database
// and told by each kind of change that concerns it: nobody may be shown the old
// one from memory.
func TestOrgAfterChanges(t *testing.T) {
	w := newWorld(t, admin.Options{})
	c := w.human("admin")
	name := func() string {
		t.Helper()
		o, err := w.Org(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return o.Name
	}
	rename := func(to string, changes ...hallpass.Change) {
		t.Helper()
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			o, err := tx.Org(c.Org)
			if err != nil {
				return err
			}
			for _, change := range changes {
				if err := tx.Change(change); err != nil {
					return err
				}
			}
			o.Name = to
			return tx.UpdateOrg(o)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	before := name()
	for _, kind := range []hallpass.ChangeKind{hallpass.OrgChanged, hallpass.ChangedByHand, "of a newer version"} {
		if rename(string(kind), hallpass.Change{Kind: kind, ID: int64(c.Org)}); name() != string(kind) {
			t.Errorf("after a change of the kind %q it is called %q", kind, name())
		}
		before = name()
	}
	if rename("told of nobody"); name() != before {
		t.Fatalf("it is not in memory")
	}
	if w.db.AnnounceAll(); name() != "told of nobody" {
		t.Errorf("after anything may have changed it is called %q", name())
	}
}
