package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
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
		b.want("the audit of "+action, p, 200, ">Shop crew</span>", ">team, deleted</span>")
		if strings.Contains(p.text, "not available") {
			t.Errorf("%s: the team is only not available", action)
		}
	}
	b.want("the refusal", b.get("/admin/audit?outcome=refused"), 200, "guard, not available")
}
