package test_test

import (
	"database/sql"
	"flag"
	"fmt"
	"net/http"

	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

var fixture = flag.String("fixture", "", "a program of hallpass: write the fixture of its schema to testdata/schema")

// TestMakeFixture has the program of -fixture lead a life, and keeps its database as the
// fixture of its schema. `make fixture` runs it with today's program, which whoever adds a
// migration does once.
func TestMakeFixture(t *testing.T) {
	if *fixture == "" {
		t.Skip("-fixture names no program: nothing is to be written")
	}
	data := t.TempDir()
	p := startProgram(t, *fixture, data)
	p.await()
	life := &life{t: t, p: p, tokens: map[string]string{}}
	life.lead()
	if err := p.stop(); err != nil {
		t.Fatalf("%v\n%s", err, p.out)
	}
	t.Log(hallpasstest.SaveFixture(t, filepath.Join(data, "hallpass.db"), life.tokens))
}

// A life is what happens to the server of a fixture. A version that does not know a thing
// yet answers 404, and the life goes on without it.
type life struct {
	t      *testing.T
	p      *process
	tokens map[string]string
}

type made struct {
	ID       int64
	UserID   int64 `json:"userId"`
	TeamID   int64 `json:"teamId"`
	UID, Key string
}

// do sends a request of the administrator's.
func (l *life) do(method, path, body string) (out made) {
	l.t.Helper()
	status, err := l.p.call(http.DefaultClient, "", method, path, body, &out)
	if err != nil || status >= 300 && status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		l.t.Fatalf("%s %s: %d, %v", method, path, status, err)
	}
	return out
}

func (l *life) account(name, role string) int64 {
	return l.do("POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":%q,"role":%q}`, name, role)).ID
}

func (l *life) token(account int64, what, more string) int64 {
	m := l.do("POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", account), fmt.Sprintf(`{"name":%q%s}`, what, more))
	l.tokens[what] = m.Key
	return m.ID
}

func (l *life) lead() {
	deploy := l.account("deploy", "Editor")
	l.token(deploy, "live", "")
	l.token(deploy, "days", `,"secondsToLive":864000000`)
	l.do("DELETE", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d", deploy, l.token(deploy, "deleted", "")), "")
	l.do("POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens/%d/rotate", deploy, l.token(deploy, "rotated", "")), `{}`)

	off := l.account("switched off", "Viewer")
	l.token(off, "disabled", "")
	l.do("PATCH", fmt.Sprint("/api/serviceaccounts/", off), `{"isDisabled":true}`)

	reader := l.account("reader of teams", "None")
	l.token(reader, "narrow", "")
	role := l.do("POST", "/api/access-control/roles", `{"name":"team reader","permissions":[{"action":"teams:read","scope":"teams:*"}]}`)
	l.do("POST", fmt.Sprintf("/api/access-control/users/%d/roles", reader), fmt.Sprintf(`{"roleUid":%q}`, role.UID))

	team := l.do("POST", "/api/teams", `{"name":"Ops"}`).TeamID
	ada := l.do("POST", "/api/admin/users", `{"name":"Ada","login":"ada","email":"ada@example.com","password":"a long password of Ada"}`).ID
	l.do("POST", fmt.Sprintf("/api/teams/%d/members", team), fmt.Sprintf(`{"userId":%d}`, ada))
	l.do("POST", "/api/orgs", `{"name":"Second"}`)
	l.do("POST", "/api/folders", `{"uid":"plants","title":"Plants"}`)
	l.do("POST", "/api/dashboards/db", `{"dashboard":{"uid":"north","title":"North"},"folderUid":"plants"}`)
	l.do("POST", "/api/guards", `{"name":"prom","upstream":"http://127.0.0.1:9090","preset":"prometheus"}`)
	l.do("POST", "/api/org/notifications", `{"name":"pager","type":"webhook","url":"https://pager.example.com/hallpass","events":["token.expired"],"disabled":true}`)
	for _, what := range []string{"live", "narrow", "disabled", "deleted"} {
		if _, err := l.p.call(http.DefaultClient, l.tokens[what], "GET", "/api/org", "", nil); err != nil {
			l.t.Fatal(err)
		}
	}
}

// between are schemas that no database stopped at: they came with the next one.
var between = []int{4, 5, 8, 12, 20, 21}

// TestUpgrades starts today's server on what each earlier schema left: what worked works,
// what had ended has ended, the audit is whole, the schema is that of a new database, and
// life goes on.
func TestUpgrades(t *testing.T) {
	t.Parallel()
	newest := filepath.Join(t.TempDir(), "new.db")
	if err := hallpasstest.OpenSQLite(t, newest).Close(); err != nil {
		t.Fatal(err)
	}
	want, last := schema(t, newest)
	var have []int
	for _, f := range hallpasstest.Fixtures(t) {
		have = append(have, f.Schema)
		t.Run(fmt.Sprint(f.Schema), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "hallpass.db")
			f.Write(t, path)
			s := hallpasstest.New(t, func(c *server.Config) { c.Database.Path = path })
			upgraded(t, s, f)
			if got, _ := schema(t, path); got != want {
				t.Errorf("the schema is another than that of a new database:\n%s", cmp.Diff(want, got))
			}
		})
	}
	for v := 1; v <= last; v++ {
		if slices.Contains(have, v) == slices.Contains(between, v) {
			t.Errorf("schema %d: a fixture is there: %t; after a new migration run `make fixture`", v, slices.Contains(have, v))
		}
	}
}

func upgraded(t *testing.T, s *hallpasstest.Server, f hallpasstest.Fixture) {
	t.Helper()
	for what, status := range map[string]int{"live": 200, "days": 200, "narrow": 403, "deleted": 401, "disabled": 401} {
		if res := s.Do(hallpasstest.Bearer(f.Tokens[what]), "GET", "/api/org", ""); res.StatusCode != status {
			t.Errorf("the token %q: %d %s, want %d", what, res.StatusCode, res.Text, status)
		}
	}
	knowsRoles := f.Schema >= 2
	if res := s.Do(hallpasstest.Bearer(f.Tokens["narrow"]), "GET", "/api/teams/search", ""); (res.StatusCode == 200) != knowsRoles || knowsRoles && !strings.Contains(res.Text, `"Ops"`) {
		t.Errorf("the token of a role: %d %s", res.StatusCode, res.Text)
	}
	admin := hallpasstest.Basic("admin", adminPassword)
	found := s.Do(admin, "GET", "/api/serviceaccounts/search?perpage=10", "").Text
	for _, name := range []string{"deploy", "switched off", "reader of teams"} {
		if !strings.Contains(found, `"name":"`+name+`"`) {
			t.Errorf("no account %q in %s", name, found)
		}
	}
	if res := s.Do(admin, "POST", "/api/serviceaccounts", `{"name":"after","role":"Viewer"}`); res.StatusCode != 201 {
		t.Errorf("a new account: %d %s", res.StatusCode, res.Text)
	}
	if report, err := s.Store().ProveAudit(t.Context()); err != nil || !report.OK() {
		t.Errorf("the audit is not whole: %+v, %v", report, err)
	}
}

// schema returns the statements that make the database's tables and indexes, and its version.
func schema(t *testing.T, path string) (text string, version int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	if err := db.QueryRow(`SELECT group_concat(sql, ';' || char(10)) FROM (SELECT sql FROM sqlite_master WHERE name <> 'goose_db_version' ORDER BY name)`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`SELECT MAX(version_id) FROM goose_db_version`).Scan(&version); err != nil {
		t.Fatal(err)
	}
	return text, version
}

// startProgram starts another program than today's on the data directory.
func startProgram(t *testing.T, program, data string) *process {
	t.Helper()
	out := &lockedBuffer{}
	p := &process{t: t, data: data, out: out}
	p.run(program, out, nil, nil)
	return p
}
