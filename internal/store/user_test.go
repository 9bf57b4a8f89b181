package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// TestUserSummaries lists the users of the server and the members of one org, with what
// they are there.
func TestUserSummaries(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org, other := newOrg(t, db, "Main Org."), newOrg(t, db, "Shop")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			for i, login := range []string{"ana", "bob", "cleo"} {
				u, err := tx.CreateUser(hallpass.User{UID: "u" + login, Login: login, Email: login + "@example.com", Org: org.ID, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				where := []hallpass.OrgID{org.ID, other.ID, org.ID}[i]
				if err := tx.SetMember(hallpass.Member{Org: where, User: u, Role: hallpass.RoleEditor, JoinedAt: noon}); err != nil {
					return err
				}
				team, err := tx.CreateTeam(hallpass.Team{UID: "t" + login, Org: where, Name: "Team " + login, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				if _, err := tx.SetTeamMember(where, hallpass.TeamMember{Team: team.ID, Principal: hallpass.PrincipalInfo{Principal: hallpass.Principal{ID: int64(u.ID)}}, JoinedAt: noon}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			text        string
			membersOnly bool
			want        string
		}{
			{"", false, "ana Editor [Team ana], bob - [], cleo Editor [Team cleo]"},
			{"", true, "ana Editor [Team ana], cleo Editor [Team cleo]"},
			{"CLEO@", false, "cleo Editor [Team cleo]"},
			{"_", false, ""},
		} {
			var got []string
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				list, err := tx.UserSummaries(org.ID, tt.text, tt.membersOnly)
				if err != nil {
					return err
				}
				for _, u := range list {
					role := "-"
					if u.Member {
						role = u.Role.String()
					}
					teams, err := tx.UserTeams(org.ID, []hallpass.UserID{u.ID})
					if err != nil {
						return err
					}
					var names []string
					for _, team := range teams {
						names = append(names, team.Team.Name)
					}
					got = append(got, fmt.Sprint(u.Login, " ", role, " ", names))
				}
				return nil
			})
			if slices.Sort(got); err != nil || strings.Join(got, ", ") != tt.want {
				t.Errorf("%q, members only %v: %q, %v, want %q", tt.text, tt.membersOnly, strings.Join(got, ", "), err, tt.want)
			}
		}
	})
}
