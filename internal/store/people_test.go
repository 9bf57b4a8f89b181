package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// references are the columns that name an org, a principal or what belongs to an
// org, by table. A table that is not here belongs to no org.
var references = map[string][]string{
	"orgs": {"org:id"}, "members": {"org:org_id", "user:user_id"}, "users": {"org:org_id", "user:id"},
	"service_accounts": {"org:org_id", "account:id"}, "tokens": {"org:org_id", "account:service_account_id"},
	"sessions": {"user:user_id"}, "identities": {"user:user_id"}, "known_places": {"user:user_id"}, "wrong_passwords": nil, "teams": {"org:org_id", "team:id"},
	"team_members": {"org:org_id", "team:team_id", "user:principal_id", "account:principal_id"}, "team_groups": {"team:team_id"},
	"roles": {"org:org_id"}, "role_permissions": {"role:role_id"},
	"role_assignments": {"org:org_id", "org:role_org", "user:grantee_id", "account:grantee_id", "team:team"},
	"grants":           {"org:org_id", "user:grantee_id", "account:grantee_id", "account:resource", "team:team", "folder:resource_id"},
	"folders":          {"org:org_id", "folder:uid"}, "dashboards": {"org:org_id", "folder:folder_uid"},
	"dashboard_versions": {"dashboard:dashboard_id"}, "preferences": {"org:org_id", "user:subject_id"},
	"guards": {"org:org_id"}, "provisioned": {"org:org_id"}, "guard_usage": nil, "guard_answers": nil, "channels": {"org:org_id"}, "outbox": {"org:org_id"},
	"token_policies": {"org:org_id"}, "stale_tokens": nil, "snoozes": {"org:org_id"},
	"token_days": nil, "token_places": nil, "token_actions": nil, "account_days": {"account:account_id"}, "account_actions": {"account:account_id"}, "spare_roles": {"account:account_id"}, "usage_begin": nil,
	"state": nil, "changes": nil, "counters": nil, "audit": nil, "audit_pruning": nil, "audit_repeats": nil, "audit_gone": nil, "audit_chain": nil, "nodes": nil, "node_keys": nil, "jobs": nil,
}

// TestNothingIsLeft deletes an org, a user, an account, a team and a folder that
// everything refers to: no row that names them stays behind, in any table.
func TestNothingIsLeft(t *testing.T) {
	for name, remove := range map[string]func(*store.Tx, everything) error{
		"org":  func(tx *store.Tx, e everything) error { return tx.DeleteOrg(e.org) },
		"user": func(tx *store.Tx, e everything) error { return tx.DeleteUser(e.user) },
		"account": func(tx *store.Tx, e everything) error {
			return tx.DeleteServiceAccount(e.org, e.account)
		},
		"team": func(tx *store.Tx, e everything) error { return tx.DeleteTeam(e.org, e.team) },
		"folder": func(tx *store.Tx, e everything) error {
			return tx.DeleteFolders(e.org, []string{"f"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			db, err := store.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			newOrg(t, db, "Main Org.")
			e := newEverything(t, db)
			raw, err := sql.Open("sqlite", "file:"+path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = raw.Close() }() // it only reads
			before := mentions(t, raw, name, e)
			if len(before) < 2 {
				t.Fatalf("before it only %v name it: this test does not look where it should", before)
			}
			write(t, db, func(tx *store.Tx) error { return remove(tx, e) })
			if after := mentions(t, raw, name, e); len(after) > 0 {
				t.Errorf("rows that name it still: %v", after)
			}
			if name == "org" {
				for table, of := range map[string]string{"role_permissions": "role_id FROM role_permissions WHERE role_id NOT IN (SELECT id FROM roles)", "dashboard_versions": "dashboard_id FROM dashboard_versions", "guard_usage": "guard_id FROM guard_usage", "guard_answers": "guard_id FROM guard_answers"} {
					var n int
					if err := raw.QueryRow("SELECT COUNT(*) FROM (SELECT " + of + ")").Scan(&n); err != nil || n > 0 {
						t.Errorf("%s: %d rows of nothing, %v", table, n, err)
					}
				}
			}
		})
	}
}

// mentions counts the rows of each table that name the thing.
func mentions(t *testing.T, raw *sql.DB, what string, e everything) map[string]int {
	t.Helper()
	tables, err := raw.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := errors.Join(tables.Err(), tables.Close()); err != nil {
		t.Fatal(err)
	}
	id := map[string]any{"org": e.org, "user": e.user, "account": e.account, "team": e.team, "folder": "f"}[what]
	found := make(map[string]int)
	for _, table := range names {
		columns, known := references[table]
		if !known {
			t.Errorf("the table %s is not in this test's list: say there whom its rows name", table)
		}
		for _, c := range columns {
			of, column, _ := strings.Cut(c, ":")
			if of != what {
				continue
			}
			condition := column + " = $1"
			switch {
			case column == "grantee_id":
				condition += " AND kind = 'principal'"
			case column == "team":
				condition = "kind = 'team' AND grantee_id = $1"
			case column == "resource":
				condition = "resource = 'serviceaccounts' AND resource_id = CAST($1 AS TEXT)"
			case column == "subject_id":
				condition += " AND kind = 'user'"
			case table == "grants" && of == "folder":
				condition += " AND resource = 'folders'"
			}
			var n int
			if err := raw.QueryRow("SELECT COUNT(*) FROM "+table+" WHERE "+condition, id).Scan(&n); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
			if n > 0 {
				found[table+"."+column] = n
			}
		}
	}
	return found
}

type everything struct {
	org     hallpass.OrgID
	user    hallpass.UserID
	account hallpass.ServiceAccountID
	team    hallpass.TeamID
}

// newEverything makes an org in which everything refers to everything.
func newEverything(t *testing.T, db *store.DB) (e everything) {
	t.Helper()
	e.org = newOrg(t, db, "Second").ID
	a := newAccount(t, db, e.org, "ci")
	e.account = a.ID
	if _, err := createToken(db, t.Context(), a, "t", noon, noon); err != nil {
		t.Fatal(err)
	}
	var guard hallpass.GuardID
	write(t, db, func(tx *store.Tx) error {
		u, err := tx.CreateUser(hallpass.User{UID: "u", Login: "ana", Email: "ana@example.com", Org: e.org, CreatedAt: noon, UpdatedAt: noon})
		if err != nil {
			return err
		}
		e.user = u.ID
		team, err := tx.CreateTeam(hallpass.Team{UID: "t", Org: e.org, Name: "t", CreatedAt: noon, UpdatedAt: noon})
		if err != nil {
			return err
		}
		e.team = team.ID
		_, err = tx.CreateSession(hallpass.Session{User: u.ID, Hash: [32]byte{1}, CreatedAt: noon, SeenAt: noon, ExpiresAt: noon})
		errs := []error{err, tx.SetMember(hallpass.Member{Org: e.org, User: u, Role: hallpass.RoleViewer, JoinedAt: noon}), tx.AddTeamGroup(team.ID, "g"),
			tx.CreateRole(hallpass.NamedRole{Org: e.org, UID: "r", Name: "r", Version: 1, Permissions: []hallpass.Permission{{Action: "a:b", Scope: "*"}}, CreatedAt: noon, UpdatedAt: noon}),
			tx.SetPreferences(store.PreferencesOf{Org: e.org, Kind: "user", ID: int64(u.ID)}, hallpass.Preferences{Theme: "dark"})}
		f, err := tx.CreateFolder(hallpass.Folder{UID: "f", Org: e.org, Title: "f", Version: 1, CreatedAt: noon, UpdatedAt: noon})
		errs = append(errs, err)
		d, err := tx.CreateDashboard(hallpass.Dashboard{UID: "d", Org: e.org, Folder: f.UID, Title: "d", Version: 1, Data: []byte("{}"), CreatedAt: noon, UpdatedAt: noon})
		errs = append(errs, err, tx.AddDashboardVersion(hallpass.DashboardVersion{Dashboard: d.ID, Version: 1, Data: []byte("{}"), CreatedAt: noon}))
		for _, to := range []hallpass.Grantee{{Kind: hallpass.ToPrincipal, ID: int64(u.ID)}, {Kind: hallpass.ToPrincipal, ID: int64(e.account)}, {Kind: hallpass.ToTeam, ID: int64(team.ID)}} {
			_, err := tx.Assign(store.Assignment{Org: e.org, To: to, RoleOrg: e.org, RoleUID: "r"}, noon)
			errs = append(errs, err)
			for resource, id := range map[hallpass.Resource]string{"serviceaccounts": fmt.Sprint(e.account), "folders": "f", "dashboards": "d"} {
				errs = append(errs, tx.SetGrant(hallpass.Grant{Org: e.org, Resource: resource, ResourceID: id, To: to, Level: "Edit", CreatedAt: noon}))
			}
		}
		for _, principal := range []int64{int64(u.ID), int64(e.account)} {
			_, err := tx.SetTeamMember(e.org, hallpass.TeamMember{Team: team.ID, Principal: hallpass.PrincipalInfo{Principal: hallpass.Principal{ID: principal}}, JoinedAt: noon})
			errs = append(errs, err)
		}
		g, err := tx.CreateGuard(hallpass.Guard{Org: e.org, Name: "app", ManagedBy: hallpass.ManagedByAPI, Version: 1, CreatedAt: noon, UpdatedAt: noon})
		guard = g.ID
		channel, failed := tx.CreateChannel(hallpass.Channel{Org: e.org, Name: "chat", Kind: hallpass.SlackChannel, URL: "https://chat.example.org/hook", CreatedAt: noon, UpdatedAt: noon})
		errs = append(errs, failed, tx.NotifyChannel(channel, hallpass.Notice{Kind: hallpass.NoticeExpired, Org: e.org, At: noon}))
		return errors.Join(append(errs, err)...)
	})
	addUsage(t, db, e)
	if err := db.AddGuardUsage(t.Context(), []hallpass.GuardUse{{Guard: guard, Day: noon, Outcome: "allowed", Count: 1}}, 10); err != nil {
		t.Fatal(err)
	}
	if err := db.AddGuardAnswers(t.Context(), []hallpass.GuardAnswers{{Guard: guard, Minute: noon, Count: 1}}); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestCreatorsKeepTheirs migrates a database of the first schema: whoever held
// all the permissions of an account's creator is its Admin, and nobody else is
// anything.
func TestCreatorsKeepTheirs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	old, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := firstSchema(old); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		grants, err := tx.Grants(1, "serviceaccounts", "2", "3")
		want := []hallpass.Grant{{ID: 1, Org: 1, Resource: "serviceaccounts", ResourceID: "2", To: hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: 1}, Level: "Admin"}}
		if d := cmp.Diff(grants, want); d != "" {
			t.Errorf("grants, want:\n%s", d)
		}
		if err != nil {
			return err
		}
		_, total, err := tx.ServiceAccounts(store.ServiceAccountQuery{Org: 1, Now: noon, Limit: 10})
		if total != 2 {
			t.Errorf("%d accounts are counted, want 2", total)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// firstSchema fills a database as the first release left it: accounts 2 and 3,
// of which user 1 made the one, and user 9, who has left, the other.
func firstSchema(db *sql.DB) error {
	schema, err := firstMigration()
	if err != nil {
		return err
	}
	_, err = db.Exec(schema + `
		CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1);
		INSERT INTO orgs VALUES (1, 'Main Org.', 'main org.', '', '', '', '', '', '', 1, 1);
		INSERT INTO users VALUES (1, 'u', 'ana', 'ana', 'a@x', 'a@x', '', '', '', TRUE, FALSE, 1, 1, 1, 0);
		INSERT INTO members VALUES (1, 1, 'Admin', 1);
		INSERT INTO service_accounts VALUES (2, 's2', 1, 'a', 'a', 'sa-1-a', 'sa-1-a', 'Viewer', FALSE, 1, 1), (3, 's3', 1, 'b', 'b', 'sa-1-b', 'sa-1-b', 'Viewer', FALSE, 1, 1);
		INSERT INTO permissions VALUES (1, 1, 'serviceaccounts:read', 'serviceaccounts:id:2'), (1, 1, 'serviceaccounts.permissions:write', 'serviceaccounts:id:2'),
		                               (1, 9, 'serviceaccounts.permissions:write', 'serviceaccounts:id:3');`)
	return err
}

func firstMigration() (string, error) {
	text, err := os.ReadFile("migrations/0001_begin.sql")
	return string(text), err
}

// TestOrgsHeldBy gives a user something in each org in another way: all of them
// are told, also where the user is no member, and none of another's.
func TestOrgsHeldBy(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *store.Tx) error {
			var users [2]hallpass.User
			for i := range users {
				login := fmt.Sprintf("user%d", i)
				u, err := tx.CreateUser(hallpass.User{UID: login, Login: login, Email: login})
				if err != nil {
					return err
				}
				users[i] = u
			}
			to := hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(users[0].ID)}
			orgs := make([]hallpass.OrgID, 0, 5)
			for i := range 5 {
				o, err := tx.CreateOrg(hallpass.Org{Name: fmt.Sprintf("held %d", i)})
				if err != nil {
					return err
				}
				orgs = append(orgs, o.ID)
			}
			team, err := tx.CreateTeam(hallpass.Team{UID: "held", Org: orgs[2], Name: "held"})
			if err != nil {
				return err
			}
			_, inTeam := tx.SetTeamMember(orgs[2], hallpass.TeamMember{Team: team.ID, Principal: hallpass.PrincipalInfo{Principal: hallpass.Principal{ID: to.ID}}})
			_, assigned := tx.Assign(store.Assignment{Org: orgs[1], RoleUID: "fixed_x", To: to}, time.Time{})
			_, everywhere := tx.Assign(store.Assignment{RoleUID: "fixed_y", To: to}, time.Time{})
			err = errors.Join(inTeam, assigned, everywhere,
				tx.SetMember(hallpass.Member{Org: orgs[0], User: users[0]}),
				tx.SetGrant(hallpass.Grant{Org: orgs[3], Resource: hallpass.FolderResource, ResourceID: "f", To: to, Level: hallpass.LevelView}),
				tx.SetMember(hallpass.Member{Org: orgs[4], User: users[1]}),
			)
			if err != nil {
				return err
			}
			got, err := tx.OrgsHeldBy(users[0].ID)
			if d := cmp.Diff(got, orgs[:4]); d != "" {
				t.Errorf("the orgs (got, want):\n%s", d)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestGiven counts what accounts were given by themselves, through teams, and
// twice.
func TestGiven(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		org := newOrg(t, db, "Main Org.").ID
		var ids []int64
		err := db.Write(ctx, func(tx *store.Tx) error {
			for _, name := range []string{"nothing", "itself", "team", "both"} {
				a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{UID: name, Org: org, Name: name, Login: name})
				if err != nil {
					return err
				}
				ids = append(ids, int64(a.ID))
			}
			crew, err := tx.CreateTeam(hallpass.Team{UID: "crew", Org: org, Name: "crew"})
			if err != nil {
				return err
			}
			toTeam := hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(crew.ID)}
			to := func(id int64) hallpass.Grantee { return hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: id} }
			for _, as := range []store.Assignment{
				{Org: org, To: to(ids[1]), RoleUID: "fixed_a"}, {Org: 0, To: to(ids[1]), RoleUID: "fixed_a"}, {Org: org, To: to(ids[3]), RoleUID: "fixed_b"},
				{Org: org, To: toTeam, RoleUID: "fixed_b"}, {Org: org, To: toTeam, RoleUID: "fixed_c"},
			} {
				if _, err := tx.Assign(as, time.Time{}); err != nil {
					return err
				}
			}
			for _, g := range []hallpass.Grant{{ResourceID: "f", To: to(ids[1])}, {ResourceID: "f", To: toTeam}, {ResourceID: "f", To: to(ids[3])}, {ResourceID: "g", To: to(ids[3])}} {
				g.Org, g.Resource, g.Level = org, hallpass.FolderResource, hallpass.LevelView
				if err := tx.SetGrant(g); err != nil {
					return err
				}
			}
			for _, id := range ids[2:] {
				m := hallpass.TeamMember{Team: crew.ID, Principal: hallpass.PrincipalInfo{Principal: hallpass.Principal{ID: id}}}
				if _, err := tx.SetTeamMember(org, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]hallpass.Given{ids[1]: {MoreRoles: 1, AccessGrants: 1}, ids[2]: {MoreRoles: 2, AccessGrants: 1}, ids[3]: {MoreRoles: 2, AccessGrants: 2}}
		err = db.Read(ctx, func(tx *store.Tx) error {
			got, err := tx.Given(org, ids)
			if d := cmp.Diff(got, want); d != "" {
				t.Errorf("what was given is counted otherwise (got, want):\n%s", d)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
