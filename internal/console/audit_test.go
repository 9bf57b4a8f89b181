package console_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestAuditOfTheRoot reads of a refusal at the root of the folders: the root has
// no row in the database, and is there all the same.
func TestAuditOfTheRoot(t *testing.T) {
	s := hallpasstest.New(t)
	if r := s.Do(s.User("vi", hallpass.RoleViewer), "POST", "/api/folders", `{"title":"Shop"}`); r.StatusCode != 403 {
		t.Fatalf("create a folder: %d %s", r.StatusCode, r.Text)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	p := b.get("/admin/audit?outcome=refused")
	b.want("the audit", p, 200, "the root of the folders")
	if strings.Contains(p.text, "not available") {
		t.Error("the audit says of the root that it is not available")
	}
}

// TestAuditOfGuard reads of a guard with long rules: the list folds the reason, which
// has maps as the configuration file writes them.
func TestAuditOfGuard(t *testing.T) {
	s := hallpasstest.New(t)
	guard := `{"name":"loki","rules":[{"methods":["GET","POST"],"path":"/loki/api/v1/{rest...}","action":"loki:read","scope":"loki:tenants:{tenant}","captures":{"tenant":"header:X-Scope-OrgID"},"split":"|"}]}`
	if r := s.Do(hallpasstest.Admin, "POST", "/api/guards", guard); r.StatusCode != 201 {
		t.Fatalf("create a guard: %d %s", r.StatusCode, r.Text)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("the audit", b.get("/admin/audit?action=guard.create"), 200,
		`<details class="fold">`, `captures = {tenant = "header:X-Scope-OrgID"} split = "|"`)
}

// TestAuditOfTheDeleted reads of a team that was deleted, and of a guard that never was.
func TestAuditOfTheDeleted(t *testing.T) {
	s := hallpasstest.New(t)
	var team struct{ TeamID int64 }
	made := s.Do(hallpasstest.Admin, "POST", "/api/teams", `{"name":"Shop crew"}`)
	if err := json.Unmarshal([]byte(made.Text), &team); err != nil {
		t.Fatalf("create a team: %d %s", made.StatusCode, made.Text)
	}
	if r := s.Do(hallpasstest.Admin, "DELETE", fmt.Sprint("/api/teams/", team.TeamID), ""); r.StatusCode != 200 {
		t.Fatalf("delete the team: %d %s", r.StatusCode, r.Text)
	}
	if r := s.Do(s.User("vi", hallpass.RoleViewer), "GET", "/api/guards/nosuch", ""); r.StatusCode != 403 {
		t.Fatalf("read no guard: %d %s", r.StatusCode, r.Text)
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	for _, action := range []string{"team.create", "team.delete"} {
		p := b.get("/admin/audit?action=" + action)
		b.want("the audit of "+action, p, 200, `, deleted">Shop crew</b>`)
		if strings.Contains(p.text, "not available") {
			t.Errorf("%s: the team is only not available", action)
		}
	}
	b.want("the refusal", b.get("/admin/audit?outcome=refused"), 200, "guard, not available")
}

// adaOf returns the browser of an admin of org 1.
func adaOf(t *testing.T, s *hallpasstest.Server) *browser {
	t.Helper()
	s.User("ada", hallpass.RoleAdmin)
	return signedIn(t, s, "ada", hallpasstest.UserPassword)
}

// TestAuditFilters lists by who, what and when, offers what there is, and exports what is
// listed.
func TestAuditFilters(t *testing.T) {
	s := hallpasstest.New(t)
	s.Do(hallpasstest.Admin, "POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`)
	s.Clock.Wind(3 * time.Hour)
	s.Do(hallpasstest.Admin, "POST", "/api/teams", `{"name":"Shop crew"}`)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	all := b.get("/admin/audit")
	b.want("all", all, 200, ">Today <span", `<option value="team.create">`, `<option value="admin">`, `<option value="7d">Last 7 days`, ">Shop crew</a>", ">ci</a>",
		`href="/api/audit?format=csv" download`, `href="/api/audit?format=ndjson" download`, `href="/api/audit?format=chain" download`)
	recent := b.get("/admin/audit?range=1h&actor=admin")
	b.want("of the last hour", recent, 200, ">Shop crew</a>", "format=csv&from=20", `<option value="1h" selected>`, `value="admin" list="actors"`)
	if strings.Contains(recent.text, ">ci</a>") {
		t.Error("the last hour has what was three hours ago")
	}
	b.want("about a team", b.get("/admin/audit?target=team:1"), 200, "About <b>Shop crew</b>", `href="/admin/audit?"`, `name="target" value="team:1"`)
	link := regexp.MustCompile(`href="([^"]*format=csv[^"]*)"`).FindStringSubmatch(b.get("/admin/audit?action=team.create").text)
	if link == nil {
		t.Fatal("the page exports nothing")
	}
	if table := b.get(html.UnescapeString(link[1])); strings.Count(table.text, "\n") != 2 || !strings.Contains(table.text, "team.create") {
		t.Errorf("the export is %s", table.text)
	}
	ada := adaOf(t, s)
	if p := ada.get("/admin/audit"); strings.Contains(p.text, "format=chain") || strings.Contains(p.text, "/admin/audit/prove") || !strings.Contains(p.text, "format=csv") {
		t.Error("an admin of the org is offered what is for server admins, or not what is for both")
	}
}

// TestAuditEntry shows an entry in full beside the list, to those who may see it.
func TestAuditEntry(t *testing.T) {
	s := hallpasstest.New(t)
	for _, e := range []hallpass.AuditEntry{
		{Org: 1, Action: "team.create", Target: "team:77", Outcome: hallpass.Done, Reason: `name <script>alert(1)</script> "x`, From: hallpass.From{Address: "10.0.0.9", UserAgent: `<img src=x onerror=alert(1)>`}},
		{Org: 2, Action: "team.create", Target: "team:78", Outcome: hallpass.Done, Reason: "name Elsewhere"},
	} {
		e.At, e.Actor = s.Clock.Now(), hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 99, Login: `"><b>mallory`}
		s.Store().RecordAudit(e)
		if err := s.Store().FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	p := b.get("/admin/audit?action=team.create")
	links := regexp.MustCompile(`href="(/admin/audit\?action=team.create&amp;entry=(\d+))"`).FindAllStringSubmatch(p.text, -1)
	if len(links) != 2 {
		t.Fatalf("%d entries have a link", len(links))
	}
	hostile := b.get(html.UnescapeString(links[1][1]))
	b.want("the entry", hostile, 200, "Entry "+links[1][2], "team:77", "10.0.0.9", "All by ", "All about this", `href="/admin/audit?action=team.create" aria-label="Close"`, `class="chosen"`)
	for _, raw := range []string{"<script>alert", "<img src=x", "><b>mallory"} {
		if strings.Contains(hostile.text, raw) {
			t.Errorf("the page has %s", raw)
		}
	}
	b.want("an entry of another page", b.get("/admin/audit?action=org.create&entry="+links[0][2]), 200, "Entry "+links[0][2], "Elsewhere")
	for _, id := range []string{"999999", "x", "-1", "1e9"} {
		if p := b.get("/admin/audit?entry=" + id); p.status != 200 || strings.Contains(p.text, "drawer") {
			t.Errorf("entry %s: %d", id, p.status)
		}
	}
	ada := adaOf(t, s)
	ada.want("an entry of another org", ada.get("/admin/audit?entry="+links[0][2]), 200, "There is no entry "+links[0][2])
	if p := ada.get("/admin/audit?entry=" + links[0][2]); strings.Contains(p.text, "Elsewhere") {
		t.Error("an admin sees an entry of another org")
	}
}

// TestAuditProof proves the audit on its page, and says what is wrong with it.
func TestAuditProof(t *testing.T) {
	s := hallpasstest.New(t)
	s.Do(hallpasstest.Admin, "POST", "/api/teams", `{"name":"Shop crew"}`)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	b.want("after the proof", b.post("/admin/audit/prove"), 303)
	p := b.get("/admin/audit")
	b.want("whole", p, 200, "The audit is whole.", "Whole: nothing was changed, added or taken away since ", " entries.", "Last proved", "hallpass audit verify --known ")
	ada := adaOf(t, s)
	ada.want("to an admin of the org", ada.get("/admin/audit"), 200, "Whole: nothing was changed")
	if p := ada.get("/admin/audit"); strings.Contains(p.text, "--known") || strings.Contains(p.text, " entries.") {
		t.Error("an admin of the org is told of all orgs")
	}
	ada.want("the proof by an admin of the org", ada.post("/admin/audit/prove"), 403)
	driver, source := "sqlite", "file:"+filepath.Join(s.Dir, "hallpass.db")+"?_pragma=busy_timeout(5000)"
	if hallpasstest.OnPostgres() {
		driver, source = "pgx", s.DatabaseURL()
	}
	db, err := sql.Open(driver, source)
	if err == nil {
		_, err = db.Exec(`UPDATE audit SET address = '10.9.9.9' WHERE action = 'team.create'`)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	b.want("after the proof", b.post("/admin/audit/prove"), 303)
	b.want("not whole", b.get("/admin/audit"), 200, "The audit is not whole.", " is changed: ", "hallpass audit verify BACKUP", "Keep the database as it is")
	ada.want("to an admin of the org", ada.get("/admin/audit"), 200, "The audit is not whole. Tell a server admin.")
}

// TestAuditProofAfterRetention says on the page of the audit what retention deleted.
func TestAuditProofAfterRetention(t *testing.T) {
	s := hallpasstest.New(t)
	b, now := signedIn(t, s, "admin", hallpasstest.AdminPassword), s.Clock.Now()
	if _, err := s.Store().PruneAudit(t.Context(), "x", now, now.Add(time.Hour), 1); err != nil {
		t.Fatal(err)
	}
	b.want("after the proof", b.post("/admin/audit/prove"), 303)
	b.want("while retention is at work", b.get("/admin/audit"), 200, "The audit is not whole for now: retention is at work, or was stopped", "run this again")
	if err := s.Store().Write(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Pruned("x", now)
		if err == nil {
			_, err = tx.Audit(hallpass.AuditEntry{At: now, Action: hallpass.AuditPrune, Outcome: hallpass.Done, Reason: p.Chain.String()})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b.want("after the proof", b.post("/admin/audit/prove"), 303)
	b.want("after retention", b.get("/admin/audit"), 200, "Whole, without what retention deleted: nothing else was changed or added since ", "The audit begins after entry 1: the retention entry ")
	ada := adaOf(t, s)
	ada.want("to an admin of the org", ada.get("/admin/audit"), 200, "Whole, without what retention deleted")
	if p := ada.get("/admin/audit"); strings.Contains(p.text, "the retention entry") {
		t.Error("an admin of the org is told of all orgs")
	}
}
