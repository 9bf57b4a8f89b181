package store_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestRefold has names in the database whose keys were made when case alone was
// folded: each gets the key of today, but for one that has a twin.
func TestRefold(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		ids := make(map[string]hallpass.OrgID)
		for _, name := range []string{"Main Org.", "plain", "cafe\u0301", "ab", "a\u200bb", "  wide  "} {
			err := db.Write(ctx, func(tx *store.Tx) error {
				o, err := tx.CreateOrg(hallpass.Org{Name: "new " + name, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				ids[name] = o.ID
				return tx.SetNameKey(o.ID, name)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		twins, err := db.Refold(ctx)
		if err != nil || len(twins) != 1 || twins[0] != (store.Twin{Table: "orgs", ID: int64(ids["a\u200bb"])}) {
			t.Fatalf("Refold returns %v, %v; want the twin of ab", twins, err)
		}
		for name, is := range map[string]string{"caf\u00e9": "cafe\u0301", "AB": "ab", "wide": "  wide  ", "main  org.": "Main Org.", "a\u200bb": "ab"} {
			err := db.Read(ctx, func(tx *store.Tx) error {
				o, err := tx.OrgByName(name)
				if err == nil && o.ID != ids[is] {
					t.Errorf("%q is org %d, want %d", name, o.ID, ids[is])
				}
				return err
			})
			if err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
		if again, err := db.Refold(ctx); err != nil || len(again) != 1 {
			t.Errorf("again: %v, %v", again, err)
		}
	})
}

// TestRefoldOnce brings keys up to date: after that a start reads no names, until
// the rule is another.
func TestRefoldOnce(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		refold := func(key string) string {
			t.Helper()
			o := newOrg(t, db, "new "+key)
			write(t, db, func(tx *store.Tx) error { return tx.SetNameKey(o.ID, key) })
			if _, err := db.Refold(t.Context()); err != nil {
				t.Fatal(err)
			}
			found := "kept"
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				_, err := tx.OrgByName(key)
				if err == nil {
					found = "made anew"
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		if got := refold("cafe\u0301"); got != "made anew" {
			t.Errorf("an old key at the first start is %s", got)
		}
		if got := refold("the\u0301"); got != "kept" {
			t.Errorf("an old key that appears later is %s", got)
		}
		write(t, db, func(tx *store.Tx) error { return tx.SetNameRule("another") })
		if got := refold("blase\u0301"); got != "made anew" {
			t.Errorf("an old key under another rule is %s", got)
		}
	})
}
