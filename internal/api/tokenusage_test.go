package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestTokenUsage uses a token at the API and behind a guard: the days, clients and
// actions are told, and no path, query or secret is.
func TestTokenUsage(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
	hallpasstest.NewGuard(t, s.Store(), hallpass.Guard{Name: "app", Org: 1, Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/app/{name}", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}},
		{Methods: []string{"DELETE"}, Path: "/app/{name}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "app:delete", Scope: "apps:{name}"}},
	}})
	one := account(t, s, "one", "Viewer")
	minted := made(t, s.Do(hallpasstest.Admin, "POST", one+"/tokens", `{"name":"t"}`))
	as := hallpasstest.Bearer(minted.Key)
	expect(t, "org", s.Do(as, "GET", "/api/org?secret=hush1", ""), 200)
	expect(t, "denied", s.Do(as, "POST", "/api/serviceaccounts", `{"name":"x"}`), 403)
	expect(t, "missing", s.Do(as, "GET", "/api/dashboards/uid/hush2", ""), 404)
	expect(t, "verify", s.Do(as, "GET", "/guard/verify", ""), 200)
	for method, status := range map[string]int{"GET": 200, "DELETE": 403, "PUT": 403} {
		expect(t, method, s.Do(as, "GET", "/guard/nginx/app", "", "X-Original-Method: "+method, "X-Original-Uri: /app/hush3?q=hush4", "User-Agent: curl/8"), status)
	}
	expect(t, "another org", s.Do(as, "GET", "/api/org", "", "X-Grafana-Org-Id: 2"), 401)

	path := fmt.Sprintf("%s/tokens/%d/usage", one, minted.ID)
	var u wire.TokenUsage
	var text string
	hallpasstest.Eventually(t, "all requests in the usage", func() bool {
		text = s.Do(hallpasstest.Admin, "GET", path, "").Text
		u = wire.TokenUsage{}
		return json.Unmarshal([]byte(text), &u) == nil && len(u.Days) == 1 && u.Days[0].OK+u.Days[0].Denied+u.Days[0].Failed+u.Days[0].Refused == 8
	})
	if d := u.Days[0]; d.OK != 3 || d.Denied != 3 || d.Failed != 1 || d.Refused != 1 || d.Limited != 0 {
		t.Errorf("days: %+v", d)
	}
	counts := make(map[string]int64)
	for _, p := range u.Places {
		counts[p.UserAgent] = p.Count
	}
	if counts["curl/8"] != 3 || counts["Go-http-client/1.1"] != 4 {
		t.Errorf("places: %+v", u.Places)
	}
	actions := make(map[string]int64)
	for _, a := range u.Actions {
		actions[a.Action] = a.Count
	}
	if len(actions) != 2 || actions["orgs:read"] != 1 || actions["role:Viewer"] != 1 {
		t.Errorf("actions: %+v", u.Actions)
	}
	last := `"lastUsedUserAgent":"Go-http-client/1.1","lastUsedRoute":"/guard/verify"` // the clock stands still: of uses at one time the first stays
	for _, list := range []string{one + "/tokens", "/api/tokens", fmt.Sprintf("/api/tokens/%d", minted.ID)} {
		expect(t, "route of the last use in "+list, s.Do(hallpasstest.Admin, "GET", list, ""), 200, last)
	}
	if strings.Contains(text, "hush") || strings.Contains(text, minted.Key) {
		t.Errorf("a path, a query or a secret is told: %s", text)
	}
	for query, field := range map[string]string{"?days=0": "days", "?days=401": "days", "?days=x": "days"} {
		expect(t, query, s.Do(hallpasstest.Admin, "GET", path+query, ""), 400, field)
	}
	expect(t, "no such token", s.Do(hallpasstest.Admin, "GET", one+"/tokens/999/usage", ""), 404, "ErrTokenNotFound")
	expect(t, "not for the token itself", s.Do(as, "GET", path, ""), 403)
}

// TestUsageOfScopes calls routes that demand a permission on one thing, wherever the request
// names it: the usage has the very scope, also where the body alone tells it.
func TestUsageOfScopes(t *testing.T) {
	s := hallpasstest.New(t)
	hallpasstest.NewGuard(t, s.Store(), hallpass.Guard{Name: "app", Org: 1})
	one := account(t, s, "one", "Admin")
	minted := made(t, s.Do(hallpasstest.Admin, "POST", one+"/tokens", `{"name":"t"}`))
	as := hallpasstest.Bearer(minted.Key)
	for _, r := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/api/folders", `{"uid":"f","title":"F"}`, 200}, {"POST", "/api/folders", `{"uid":"g","title":"G","parentUid":"f"}`, 200}, {"GET", "/api/folders/g", "", 200},
		{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"D"},"folderUid":"f"}`, 200}, {"POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"E"},"folderUid":"f","overwrite":true}`, 200},
		{"GET", "/api/dashboards/uid/d", "", 200}, {"GET", "/api/dashboards/uid/nosuch", "", 404}, {"GET", "/api/folders/f/permissions", "", 200}, {"GET", "/api/guards/app", "", 200},
		{"GET", fmt.Sprint("/api/tokens/", minted.ID), "", 200}, {"GET", "/api/search", "", 200}, {"POST", "/api/folders", `{"uid":"f","title":""}`, 400},
	} {
		expect(t, r.method+" "+r.path, s.Do(as, r.method, r.path, r.body), r.status)
	}
	want := []string{
		"dashboards:create folders:uid:f", "dashboards:read ", "dashboards:read dashboards:uid:d", "dashboards:write dashboards:uid:d", "folders.permissions:read folders:uid:f",
		"folders:create ", "folders:create folders:uid:f", "folders:create folders:uid:general", "folders:read folders:uid:g", "guards:read guards:uid:app",
		"serviceaccounts:read " + strings.Replace(one, "/api/serviceaccounts/", "serviceaccounts:id:", 1),
	}
	var got []string
	hallpasstest.Eventually(t, "all calls in the usage", func() bool {
		var u wire.TokenUsage
		into(t, s.Do(hallpasstest.Admin, "GET", fmt.Sprintf("%s/tokens/%d/usage", one, minted.ID), ""), &u)
		got = nil
		for _, a := range u.Actions {
			got = append(got, a.Action+" "+a.Scope)
		}
		return len(got) >= len(want)
	})
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("actions, want:\n%s", d)
	}
}

// tables returns what the tables of the server's database hold, as text, by name.
func tables(t *testing.T, s *hallpasstest.Server) map[string]string {
	t.Helper()
	driver, at, names := "sqlite", filepath.Join(s.Dir, "hallpass.db"), `SELECT name FROM sqlite_master WHERE type = 'table'`
	if hallpasstest.OnPostgres() {
		driver, at, names = "pgx", s.DatabaseURL(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	all := make(map[string]string)
	for _, line := range queried(t, db, names) {
		name := strings.Trim(line, " []")
		all[name] = strings.Join(queried(t, db, `SELECT * FROM `+name), "\n")
	}
	return all
}

// queried returns the rows that the query answers with, each as text.
func queried(t *testing.T, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // it was read whole
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if b, is := v.([]byte); is {
				values[i] = string(b)
			}
		}
		lines = append(lines, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestUsageKeepsNoPath sends words in the paths, queries and headers of requests that are
// permitted, denied, refused and about nothing, at the API and behind a guard, and tokens in
// the User-Agent. Then it looks for them in every table of the database: what is recorded of
// a use is the pattern of its route.
func TestUsageKeepsNoPath(t *testing.T) {
	s := hallpasstest.New(t, func(c *server.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
	hallpasstest.NewGuard(t, s.Store(), hallpass.Guard{Name: "app", Org: 1, Rules: []hallpass.GuardRule{
		{Methods: []string{"GET"}, Path: "/open/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}},
		{Methods: []string{"DELETE"}, Path: "/shut/{name}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "app:delete", Scope: "apps:all"}}, // what a rule takes into its scope is recorded on purpose
	}})
	one := account(t, s, "one", "Viewer")
	minted := made(t, s.Do(hallpasstest.Admin, "POST", one+"/tokens", `{"name":"t"}`))
	leaked := made(t, s.Do(hallpasstest.Admin, "POST", one+"/tokens", `{"name":"leaked"}`)).Key
	as, n := hallpasstest.Bearer(minted.Key), 0
	word := func() string {
		n++
		return fmt.Sprint("hush", n, "zz")
	}
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/api/org?token=WORD", ""}, {"GET", "/api/dashboards/uid/WORD", ""}, {"GET", "/api/folders/WORD?q=WORD", ""}, {"GET", "/api/search?query=WORD&tag=WORD", ""},
		{"GET", "/api/serviceaccounts/search?query=WORD", ""}, {"POST", "/api/serviceaccounts?x=WORD", `{"name":"WORD"}`}, {"GET", "/guard/verify?secret=WORD", ""}, {"GET", "/api/WORD", ""},
	} {
		s.Send(as, r.method, strings.ReplaceAll(r.path, "WORD", word()), strings.ReplaceAll(r.body, "WORD", word()),
			"User-Agent: curl/8 "+leaked, "Referer: https://example.com/"+word(), "Cookie: a="+word(), "X-Request-Id: "+word(), "X-Api-Key: "+word(), "Forwarded: for="+word(), "X-Forwarded-For: "+word())
	}
	for _, r := range []struct{ method, path string }{{"GET", "/open/WORD/WORD?q=WORD"}, {"DELETE", "/shut/WORD?q=WORD"}, {"PUT", "/WORD/x?q=WORD"}, {"GET", "/open/..%2fWORD"}} {
		s.Send(as, "GET", "/guard/nginx/app", "", "X-Original-Method: "+r.method, "X-Original-Uri: "+strings.ReplaceAll(r.path, "WORD", word()), "User-Agent: "+leaked, "X-Tenant: "+word())
	}
	s.Send(as, "GET", "/api/org?x="+word(), "", "X-Grafana-Org-Id: 2", "User-Agent: "+leaked)

	hallpasstest.Eventually(t, "the usage of all requests but the one without a route, and the audit of the refusal", func() bool {
		u := wire.TokenUsage{}
		into(t, s.Do(hallpasstest.Admin, "GET", fmt.Sprintf("%s/tokens/%d/usage", one, minted.ID), ""), &u)
		audit := s.Do(hallpasstest.Admin, "GET", "/api/audit?action=token.verify", "").Text
		return len(u.Days) == 1 && u.Days[0].OK+u.Days[0].Denied+u.Days[0].Failed+u.Days[0].Refused == 12 && u.Days[0].Failed > 0 && u.Days[0].Refused == 1 && strings.Contains(audit, "mismatch")
	})
	all := tables(t, s)
	for name, holds := range map[string]string{"token_days": " ", "token_places": "GET GET (guard app, no rule)", "token_actions": "orgs:read", "audit": "token.verify"} {
		if !strings.Contains(all[name], holds) {
			t.Errorf("the table %s is %q", name, all[name])
		}
	}
	for name, text := range all {
		for _, secret := range []string{"hush", leaked[5:37], minted.Key[5:37]} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("the table %s holds %s: …%s…", name, secret, text[max(0, i-200):min(len(text), i+40)])
			}
		}
	}
}
