package test_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// metric returns the value of the one sample of the node's metrics that begins
// with name, as "hallpass_view_version" or `…{node="a"`; NaN never: no sample
// fails the test.
func (p *process) metric(name string) float64 {
	p.t.Helper()
	for line := range strings.Lines(get(p.t, p.url+"/metrics")) {
		if !strings.HasPrefix(line, name) {
			continue
		}
		fields := strings.Fields(line)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			p.t.Fatal(err)
		}
		return v
	}
	p.t.Fatalf("the node has no metric %s", name)
	return 0
}

// roleAlone gives the account of a new credential a custom role and no other, by the
// function give.
func roleAlone(p *process, give func(c credential, role string)) credential {
	p.t.Helper()
	c := p.mint()
	var role struct{ UID string }
	p.must(201, "POST", "/api/access-control/roles", fmt.Sprintf(`{"name":"r-%d","permissions":[{"action":"orgs:read"}]}`, c.token), &role)
	give(c, role.UID)
	p.must(200, "PATCH", fmt.Sprintf("/api/serviceaccounts/%d", c.account), `{"role":"None"}`, nil)
	return c
}

func givenDirectly(p *process) credential {
	return roleAlone(p, func(c credential, role string) {
		p.must(200, "POST", fmt.Sprintf("/api/access-control/users/%d/roles", c.account), fmt.Sprintf(`{"roleUid":%q}`, role), nil)
	})
}

func givenByTeam(p *process) credential {
	return roleAlone(p, func(c credential, role string) {
		var team struct{ TeamID int64 }
		p.must(200, "POST", "/api/teams", fmt.Sprintf(`{"name":"t-%d"}`, c.token), &team)
		p.must(200, "POST", fmt.Sprintf("/api/teams/%d/members", team.TeamID), fmt.Sprintf(`{"userId":%d}`, c.account), nil)
		p.must(200, "POST", fmt.Sprintf("/api/access-control/teams/%d/roles", team.TeamID), fmt.Sprintf(`{"roleUid":%q}`, role), nil)
	})
}

// byHand is a statement with which an operator changes the database, so that a credential
// loses what it may do.
var byHand = []struct {
	statement string // %d is the token for tokens, else the account
	made      func(p *process) credential
	status    int
}{
	{`DELETE FROM tokens WHERE id = %d`, (*process).mint, 401},
	{`UPDATE tokens SET revoked_us = 1 WHERE id = %d`, (*process).mint, 401},
	{`UPDATE tokens SET expires_us = 1 WHERE id = %d`, (*process).mint, 401},
	{`UPDATE service_accounts SET disabled = TRUE WHERE id = %d`, (*process).mint, 401},
	{`UPDATE service_accounts SET role = 'None' WHERE id = %d`, (*process).mint, 403},
	{`DELETE FROM role_assignments WHERE kind = 'principal' AND grantee_id = %d`, givenDirectly, 403},
	{`DELETE FROM role_permissions USING roles r JOIN role_assignments a ON a.role_uid = r.uid WHERE r.id = role_id AND a.kind = 'principal' AND a.grantee_id = %d`, givenDirectly, 403},
	{`DELETE FROM role_assignments USING team_members m WHERE kind = 'team' AND grantee_id = m.team_id AND m.principal_id = %d`, givenByTeam, 403},
	{`DELETE FROM team_members WHERE principal_id = %d`, givenByTeam, 403},
}

// TestDatabaseWrittenByHand has somebody write to PostgreSQL beside three nodes:
// each refuses what that ended, whatever it remembered, and the log and the audit
// say what was done. So it is for every table but those that say nothing about
// what a credential is worth.
func TestDatabaseWrittenByHand(t *testing.T) {
	db := newPostgres(t)
	all := nodes(t, 3, db.url())
	for i, tt := range byHand {
		c := tt.made(all[i%3])
		for n, p := range all {
			if status := p.use(c.key); status != http.StatusOK {
				t.Fatalf("%s: before it, node %d answers %d", tt.statement, n, status)
			}
		}
		id := c.account
		if strings.Contains(tt.statement, " tokens ") {
			id = c.token
		}
		db.exec(fmt.Sprintf(tt.statement, id))
		for n, p := range all {
			hallpasstest.Eventually(t, fmt.Sprintf("%s: node %d answers %d", tt.statement, n, tt.status), func() bool { return p.use(c.key) == tt.status })
		}
	}
	for table, column := range watchedTables(t, db) {
		before := all[0].metric("hallpass_view_version ")
		db.exec(fmt.Sprintf(`UPDATE %s SET %s = %s`, table, column, column))
		for n, p := range all {
			hallpasstest.Eventually(t, fmt.Sprintf("node %d hears of a write to %s", n, table), func() bool { return p.metric("hallpass_view_version ") > before })
		}
	}
	for n, p := range all {
		if !strings.Contains(p.out.String(), "wrote to the database beside Hallpass") {
			t.Errorf("node %d does not say that somebody wrote to the database\n%s", n, p.out)
		}
	}
	var page struct {
		Entries []struct{ Target, ActorLogin, Reason string }
	}
	all[0].must(200, "GET", "/api/audit?action=database.write&limit=1000", "", &page)
	if !slices.ContainsFunc(page.Entries, func(e struct{ Target, ActorLogin, Reason string }) bool {
		return e.Target == "table:tokens" && e.Reason == "delete"
	}) {
		t.Errorf("the audit does not tell of it: %+v", page.Entries)
	}
	// Hallpass does not take its own writes for writes of others.
	before := db.count("SELECT COUNT(*) FROM audit WHERE action = 'database.write'")
	c := all[0].mint()
	all[1].use(c.key)
	all[2].end(0, c)
	if n := db.count("SELECT COUNT(*) FROM audit WHERE action = 'database.write'"); n != before {
		t.Errorf("%d changes of our own were taken for another's", n-before)
	}
}

// watchedTables returns the tables whose rows say what a credential may do, each with
// a column.
func watchedTables(t *testing.T, db *postgres) map[string]string {
	t.Helper()
	tables := make(map[string]string)
	db.as(func(ctx context.Context, conn *sql.DB) error {
		rows, err := conn.QueryContext(ctx, `
			SELECT table_name, MIN(column_name) FROM information_schema.columns
			WHERE  table_schema = 'public' AND table_name NOT IN ('state', 'changes', 'counters', 'nodes', 'jobs', 'audit', 'audit_repeats', 'audit_gone', 'audit_chain', 'goose_db_version',
			       'token_days', 'token_places', 'token_actions', 'account_days', 'account_actions', 'usage_begin', 'spare_roles') GROUP BY table_name`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // rows.Err below has what matters
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				return err
			}
			tables[table] = column
		}
		return rows.Err()
	})
	if len(tables) < 12 {
		t.Fatalf("only %d tables", len(tables))
	}
	return tables
}
