package api_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// events opens the stream of a token's events and returns its lines.
func events(t *testing.T, s *hallpasstest.Server, path string) <-chan string {
	t.Helper()
	return eventsAs(t, s, hallpasstest.Admin, path)
}

func eventsAs(t *testing.T, s *hallpasstest.Server, as hallpasstest.Credential, path string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	as(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if ct := res.Header.Get("Content-Type"); res.StatusCode != 200 || ct != "text/event-stream" {
		t.Fatalf("stream: %d %s", res.StatusCode, ct)
	}
	lines := make(chan string, 64)
	go func() {
		defer func() { _ = res.Body.Close() }() // the test has ended
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			lines <- scan.Text()
		}
		close(lines)
	}()
	return lines
}

// await reads lines until one has all of the texts.
func await(t *testing.T, lines <-chan string, says ...string) {
	t.Helper()
	timeout := time.After(hallpasstest.Patience)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the stream ended before %q", says)
			}
			found := true
			for _, s := range says {
				found = found && strings.Contains(line, s)
			}
			if found {
				return
			}
		case <-timeout:
			t.Fatalf("the stream never said %q", says)
		}
	}
}

// TestTokenEventsOfAnotherNode uses a token on one node and reads its events on
// another.
func TestTokenEventsOfAnotherNode(t *testing.T) {
	s := hallpasstest.New(t)
	other := s.Node()
	path := account(t, s, "ci", "Viewer")
	key := token(t, s, path, "t")
	lines := events(t, other, path+"/tokens/1/events")
	await(t, lines, ": waiting")
	expect(t, "used", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: curl/8"), 200)
	await(t, lines, "data:", `"kind":"first-use"`, `"userAgent":"curl/8"`)
}

func TestTokenEvents(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	key := token(t, s, path, "t")
	start := s.Clock.Now().Format(time.RFC3339)
	lines := events(t, s, path+"/tokens/1/events?since="+start)
	await(t, lines, ": waiting")
	expect(t, "refused", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "X-Grafana-Org-Id: 7"), 401)
	await(t, lines, "data:", `"kind":"refused"`, "organization-mismatch", `"address":"127.0.0.1"`)
	expect(t, "used", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", "", "User-Agent: curl/8"), 200)
	await(t, lines, "data:", `"kind":"first-use"`, `"userAgent":"curl/8"`)
	expect(t, "denied", s.Do(hallpasstest.Bearer(key), "PUT", "/api/org", `{"name":"x"}`), 403)
	await(t, lines, "data:", `"kind":"refused"`, "lacks orgs:write")
	await(t, events(t, s, path+"/tokens/1/events?since="+start), "data:", `"kind":"first-use"`)
	expect(t, "no such token", s.Do(hallpasstest.Admin, "GET", path+"/tokens/99/events", ""), 404)
	expect(t, "no time", s.Do(hallpasstest.Admin, "GET", path+"/tokens/1/events?since=yesterday", ""), 400)
}

func TestAudit(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	key := token(t, s, path, "t")
	for range 3 {
		expect(t, "denied", s.Do(hallpasstest.Bearer(key), "POST", "/api/serviceaccounts", `{"name":"x"}`), 403)
	}
	expect(t, "disable", s.Do(hallpasstest.Admin, "PATCH", path, `{"isDisabled":true}`), 200)
	expect(t, "dead token", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", ""), 401)
	expect(t, "wrong password", s.Do(hallpasstest.Basic("admin", "not the one"), "GET", "/api/org", ""), 401)
	expect(t, "delete", s.Do(hallpasstest.Admin, "DELETE", path, ""), 200)
	for _, says := range []string{
		`"action":"serviceaccount.create","target":"serviceaccount:2","outcome":"ok"`,
		`"action":"token.create","target":"token:1","outcome":"ok"`,
		`"action":"serviceaccount.disable","target":"serviceaccount:2","outcome":"ok"`,
		`"action":"serviceaccount.delete","target":"serviceaccount:2","outcome":"ok"`,
		`"actor":"sa-1-ci","actorId":2,"actorKind":"service account","tokenId":1,"action":"serviceaccounts:create","target":"","outcome":"refused","reason":"lacks serviceaccounts:create","address":"127.0.0.1","userAgent":"Go-http-client/1.1","count":3`,
		`"action":"token.verify","target":"token:1","outcome":"refused","reason":"identity.disabled"`,
		`"action":"password.verify","target":"user:1","outcome":"refused","reason":"password-auth.failed"`,
	} {
		expect(t, "audit", s.Do(hallpasstest.Admin, "GET", "/api/audit", ""), 200, says)
	}
	for query, n := range map[string]int{
		"action=token.create": 1, "actor=sa-1-ci": 2, "actor=2": 2, "target=token:1": 2, "outcome=refused": 3, "action=user.delete": 0, "action=prometheus:query": 0, "org=1&action=token.create": 1, "org=7": 0,
		"from=" + url.QueryEscape(s.Clock.Now().Add(time.Hour).Format(time.RFC3339)): 0, "to=2020-01-01T00:00:00Z": 0,
	} {
		r := s.Do(hallpasstest.Admin, "GET", "/api/audit?"+query, "")
		if got := strings.Count(r.Text, `"action":`); r.StatusCode != 200 || got != n {
			t.Errorf("%s: %d, %d entries, want %d: %s", query, r.StatusCode, got, n, r.Text)
		}
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "from=yesterday", "cursor=x", "cursor=1", "cursor=1-", "outcome=fine", "org=x", "format=xml"} {
		expect(t, query, s.Do(hallpasstest.Admin, "GET", "/api/audit?"+query, ""), 400)
	}
	for action, nearest := range map[string]string{"nosuch": "", "token.creat": "token.create", "serviceaccounts:wriet": "serviceaccounts:write", "user.deleted": "user.delete"} {
		expect(t, action, s.Do(hallpasstest.Admin, "GET", "/api/audit?action="+action, ""), 400, "did you mean "+nearest)
	}
	pages, cursor := 0, ""
	for seen := map[string]bool{}; ; pages++ {
		r := s.Do(hallpasstest.Admin, "GET", "/api/audit?limit=2&cursor="+cursor, "")
		if seen[r.Text] {
			t.Fatal("a page came twice")
		}
		seen[r.Text] = true
		_, cursor, _ = strings.Cut(r.Text, `"cursor":"`)
		if cursor = strings.Trim(cursor, `"}`); cursor == "" {
			break
		}
	}
	if pages < 3 {
		t.Errorf("%d pages of two, want more", pages)
	}
	viewer := s.User("viewer", hallpass.RoleViewer)
	expect(t, "viewer", s.Do(viewer, "GET", "/api/audit", ""), 403, "audit:read")
	expect(t, "viewer's export", s.Do(viewer, "GET", "/api/audit?format=ndjson", ""), 403, "audit:read")
	s.Do(hallpasstest.Admin, "POST", "/api/orgs", `{"name":"Second"}`)
	orgAdmin := s.User("org-admin", hallpass.RoleAdmin)
	expect(t, "own org", s.Do(orgAdmin, "GET", "/api/audit?org=1", ""), 200, "token.create")
	expect(t, "another org", s.Do(orgAdmin, "GET", "/api/audit?org=2", ""), 403)
}

// TestRefusalsAreBounded has a token ask for sixty things that it may not read. The audit
// gets only a few entries, whose counts have all refusals.
func TestRefusalsAreBounded(t *testing.T) {
	s := hallpasstest.New(t)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	for i := range 60 {
		expect(t, "denied", s.Do(hallpasstest.Bearer(key), "DELETE", account(t, s, fmt.Sprint("other-", i), "Viewer"), ""), 403)
	}
	var page struct {
		Entries []struct {
			Action, Target string
			Count          int
		}
	}
	r := s.Do(hallpasstest.Admin, "GET", "/api/audit?outcome=refused&actor=sa-1-ci", "")
	if err := json.Unmarshal([]byte(r.Text), &page); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range page.Entries {
		n += e.Count
	}
	if len(page.Entries) != 21 || n != 60 || page.Entries[0].Action != hallpass.MoreRefusals && page.Entries[20].Action != hallpass.MoreRefusals {
		t.Errorf("%d entries count %d refusals, want 21 for 60: %s", len(page.Entries), n, r.Text)
	}
}

// TestAuditExport exports the whole audit, a part of it and what filters pick, by the
// parameter and by the header. Each line has the same entry as the pages.
func TestAuditExport(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	for i := range 1100 { // more than one batch
		s.Store().RecordAudit(hallpass.AuditEntry{
			At: s.Clock.Now(), Org: 1, Action: "token.verify", Target: fmt.Sprint("token:", i), Outcome: hallpass.Refused, Actor: hallpass.Principal{ID: int64(i)},
		})
	}
	token(t, s, path, "t")
	all := s.Do(hallpasstest.Admin, "GET", "/api/audit?limit=1000", "").Text + s.Do(hallpasstest.Admin, "GET", "/api/audit?outcome=ok", "").Text
	for query, n := range map[string]int{"": -1, "limit=3": 3, "action=token.verify": 1100, "action=token.verify&limit=1050": 1050, "action=token.create": 1, "target=none": 0} {
		r := s.Do(hallpasstest.Admin, "GET", "/api/audit?format=ndjson&"+query, "")
		other := s.Do(hallpasstest.Admin, "GET", "/api/audit?"+query, "", "Accept: application/x-ndjson")
		if r.Text != other.Text || r.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s: asked for by header it is another answer, of type %s", query, r.Header.Get("Content-Type"))
		}
		lines := strings.Split(strings.TrimSuffix(r.Text, "\n"), "\n")
		if n == 0 {
			lines = lines[1:]
		}
		if n >= 0 && len(lines) != n || n < 0 && len(lines) < 1103 {
			t.Errorf("%s: %d lines, want %d", query, len(lines), n)
		}
		for i, line := range lines {
			if i < 900 && !strings.Contains(all, line) {
				t.Fatalf("%s: line %d is no entry: %s", query, i, line)
			}
		}
	}
	expect(t, "an unknown action", s.Do(hallpasstest.Admin, "GET", "/api/audit?format=ndjson&action=nosuch", ""), 400)
	table := s.Do(hallpasstest.Admin, "GET", "/api/audit?action=token.verify", "", "Accept: text/csv")
	lines, err := csv.NewReader(strings.NewReader(table.Text)).ReadAll()
	if err != nil || len(lines) != 1101 || lines[0][8] != "target" || !strings.HasPrefix(lines[1100][8], "token:") || !strings.HasPrefix(table.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("the table has %d lines, %v, %s", len(lines), err, table.Header.Get("Content-Type"))
	}
}

// TestChainExport exports the chain of the audit, whole and with filters, to those who may
// read the audit of every org.
func TestChainExport(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	token(t, s, path, "t")
	for range 2 {
		s.Store().RecordAudit(hallpass.AuditEntry{At: s.Clock.Now(), Org: 1, Action: "token.verify", Target: "token:1", Outcome: hallpass.Refused})
		if err := s.Store().FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	export := func(query string) (c wire.AuditChain, kinds map[string]int) {
		t.Helper()
		r := s.Do(hallpasstest.Admin, "GET", "/api/audit?format=chain&"+query, "")
		expect(t, query, r, 200)
		lines := strings.Split(strings.TrimSuffix(r.Text, "\n"), "\n")
		if err := json.Unmarshal([]byte(lines[0]), &c); err != nil {
			t.Fatal(err)
		}
		kinds = map[string]int{}
		var l wire.AuditLink
		for _, line := range lines[1:] {
			l = wire.AuditLink{}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if kinds[l.Link]++; l.Link == "sealed" && (l.Entry != nil || len(l.Content) != 65) {
				t.Errorf("%s: a sealed entry is %s", query, line)
			}
		}
		if c.Chain != wire.AuditChainForm || c.End != (wire.AuditMark{ID: l.ID, Digest: l.Digest}) {
			t.Errorf("%s: the chain is %+v and its last link %+v", query, c, l)
		}
		return c, kinds
	}
	if _, kinds := export(""); kinds["entry"] < 4 || kinds["repeat"] != 1 || kinds["sealed"] != 0 {
		t.Errorf("%v", kinds)
	}
	if _, kinds := export("action=token.create"); kinds["entry"] != 1 || kinds["repeat"] != 1 || kinds["sealed"] < 3 {
		t.Errorf("of one action: %v", kinds)
	}
	for query, says := range map[string]string{"limit=3": "no limit", "cursor=1-1": "cursor", "action=token.creat": "token.create", "from=x": "RFC 3339"} {
		expect(t, query, s.Do(hallpasstest.Admin, "GET", "/api/audit?format=chain&"+query, ""), 400, says)
	}
	orgAdmin := s.User("ada", hallpass.RoleAdmin)
	expect(t, "an admin of the org", s.Do(orgAdmin, "GET", "/api/audit?format=chain", ""), 403, "only server admins")
	expect(t, "the refusal", s.Do(hallpasstest.Admin, "GET", "/api/audit?action=audit:read&outcome=refused", ""), 200, `"actor":"ada"`)
	expect(t, "a viewer", s.Do(s.User("vic", hallpass.RoleViewer), "GET", "/api/audit?format=chain", ""), 403, "audit:read")
}

// TestExportEndsWithItsReader revokes the token with which somebody exports a long audit.
// The export is cut off so that the client notices.
func TestExportEndsWithItsReader(t *testing.T) {
	if hallpasstest.OnPostgres() {
		t.Skip("fills the audit through the file")
	}
	s := hallpasstest.New(t)
	path := account(t, s, "auditor", "Admin")
	key := token(t, s, path, "t")
	const rows = 60_000
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir, "hallpass.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`
		INSERT INTO audit (id, at_us, org_id, actor_kind, actor_id, actor_login, token_id, action, target, outcome, reason, address, user_agent, count)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT 1000 + i, i, 1, 1, 1, 'ana', 0, 'token.create', '', 'ok', hex(zeroblob(100)), '', '', 1 FROM n`, rows)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	hallpasstest.Eventually(t, "the server to notice what was written to its file", func() bool { // it ends the reads that are in progress
		return strings.Contains(s.Log(), "another process changed the database file")
	})
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/api/audit?format=ndjson", nil)
	if err != nil {
		t.Fatal(err)
	}
	hallpasstest.Bearer(key)(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(res.Body)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	expect(t, "revoke", s.Do(hallpasstest.Admin, "DELETE", path+"/tokens/1", ""), 200)
	rest, err := io.ReadAll(in)
	if lines := bytes.Count(rest, []byte("\n")); err == nil || lines >= rows-1 {
		t.Errorf("%d lines came after the revocation, and the end is %v: want it cut off", lines, err)
	}
	_ = res.Body.Close() // the body was read to its end
}

// TestParallelCreates has fifty callers create accounts of one name at the same time
// (SEC-36).
func TestParallelCreates(t *testing.T) {
	s := hallpasstest.New(t)
	path := account(t, s, "ci", "Viewer")
	for _, tt := range []struct {
		name, path, body string
		made             int
	}{
		{"accounts", "/api/serviceaccounts", `{"name":"same"}`, 201},
		{"tokens", path + "/tokens", `{"name":"same"}`, 200},
	} {
		var made, refused atomic.Int64
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				switch r := s.Do(hallpasstest.Admin, "POST", tt.path, tt.body); r.StatusCode {
				case tt.made:
					made.Add(1)
				case 400:
					refused.Add(1)
				default:
					t.Errorf("%s: %d %s", tt.name, r.StatusCode, r.Text)
				}
			})
		}
		callers.Wait()
		if made.Load() != 1 || refused.Load() != 49 {
			t.Errorf("%s: %d made and %d refused, want 1 and 49", tt.name, made.Load(), refused.Load())
		}
	}
}

// TestLockedDatabase has another process lock the database. Changes are answered with 503
// and change nothing; tokens are still verified (SEC-42).
func TestLockedDatabase(t *testing.T) {
	s := hallpasstest.New(t)
	key := token(t, s, account(t, s, "ci", "Viewer"), "t")
	expect(t, "before", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", ""), 200)
	unlock := s.LockDatabase()
	answer := make(chan hallpasstest.Response, 1)
	go func() { answer <- s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"late"}`) }()
	for range 5 {
		expect(t, "meanwhile", s.Do(hallpasstest.Bearer(key), "GET", "/api/org", ""), 200)
	}
	r := <-answer
	expect(t, "a change", r, 503)
	if r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	unlock()
	expect(t, "afterwards", s.Do(hallpasstest.Admin, "GET", "/api/serviceaccounts/search", ""), 200, `"totalCount":1`)
	expect(t, "the change again", s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"late"}`), 201)
}

func tokenOf(t *testing.T, s *hallpasstest.Server, role string) hallpasstest.Credential {
	t.Helper()
	return hallpasstest.Bearer(token(t, s, account(t, s, "with role "+role, role), "of "+role))
}

func disabledToken(t *testing.T, s *hallpasstest.Server) hallpasstest.Credential {
	t.Helper()
	path := account(t, s, "disabled", "Admin")
	key := token(t, s, path, "disabled")
	expect(t, "disable", s.Do(hallpasstest.Admin, "PATCH", path, `{"isDisabled":true}`), 200)
	return hallpasstest.Bearer(key)
}

// otherOrgToken makes a second org with an Admin account; no route does yet.
func otherOrgToken(t *testing.T, s *hallpasstest.Server) hallpasstest.Credential {
	t.Helper()
	text := secret.NewToken()
	now := s.Clock.Now()
	err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		org, err := tx.CreateOrg(hallpass.Org{Name: "Other", CreatedAt: now, UpdatedAt: now})
		if err != nil {
			return err
		}
		a, err := tx.CreateServiceAccount(hallpass.ServiceAccount{
			UID: secret.NewUID(), Org: org.ID, Name: "a", Login: hallpass.ServiceAccountLogin(org.ID, "a"), Role: hallpass.RoleAdmin, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return err
		}
		_, err = tx.CreateToken(hallpass.Token{Org: org.ID, ServiceAccount: a.ID, Name: "a", Hash: text.Hash(), LastFour: text.LastFour(), CreatedAt: now})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hallpasstest.Bearer(text.Reveal())
}
