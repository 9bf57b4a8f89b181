package store_test

import (
	"errors"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestLoginsAreTaken creates users whose login or e-mail another principal has,
// as either: each name leads to one principal.
func TestLoginsAreTaken(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Main Org.")
		account := newAccount(t, db, org.ID, "ci")
		create := func(uid, login, email string) error {
			return db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.CreateUser(hallpass.User{UID: uid, Login: login, Email: email, Org: org.ID, CreatedAt: noon, UpdatedAt: noon})
				return err
			})
		}
		if err := create("u1", "ana", "ana@example.com"); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ name, login, email string }{
			{"login", "Ana", "x@example.com"},
			{"e-mail", "bob", "ANA@example.com"},
			{"another's e-mail as login", "ana@example.com", "x@example.com"},
			{"another's login as e-mail", "bob", "ana"},
			{"an account's login", account.Login, "x@example.com"},
			{"an account's login as e-mail", "bob", account.Login},
		} {
			if err := create("u2", tt.login, tt.email); !errors.Is(err, hallpass.Conflict) {
				t.Errorf("%s: %v, want a conflict", tt.name, err)
			}
		}
		if err := create("u2", "bob", "bob"); err != nil {
			t.Errorf("a login that is the e-mail too: %v", err)
		}
	})
}
