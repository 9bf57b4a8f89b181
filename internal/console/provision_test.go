package console_test

import (
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestDeclaredThingsAreShownLocked reads the pages of things that a provisioning file
// declares: each names the file and offers nothing that the file alone can change. What
// takes power away, and what no file declares, is still offered.
func TestDeclaredThingsAreShownLocked(t *testing.T) {
	s := hallpasstest.New(t, hallpasstest.Declared(t, "ci.toml"))
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	hand := b.create("by hand", "Viewer")
	if made := s.Do(hallpasstest.Admin, "POST", "/api/teams", `{"name":"free"}`); made.StatusCode != 200 {
		t.Fatal(made.Text)
	}
	declared := b.get("/org/serviceaccounts/ci").text
	_, after, _ := strings.Cut(declared, `data-token-id="`)
	id, _, _ := strings.Cut(after, `"`)
	ops := uidOfTeam(t, s, "ops")
	const held = ` disabled title="The provisioning file ci.toml declares this: change it there"`
	for _, page := range []struct {
		path     string
		has, not []string
	}{
		{"/org/serviceaccounts", []string{"ci.toml</span>", "/ci/disable", hand + "/delete?"}, []string{"/ci/delete"}},
		{"/org/serviceaccounts/ci", []string{
			"ci.toml</span>", "declares this account", `/ci/disable"`, `id="add-token"`, `data-role` + held, `class="button destructive"` + held, "/tokens/" + id + "/pause", "/tokens/" + id + "/delete", "See roles", "by its SHA-256",
		}, []string{`/ci/delete"`, `/ci/owner"`, "edit=name", "/rotate", "/narrow", "/rename", "data-role-save"}},
		{"/org/serviceaccounts/ci?edit=name", nil, []string{`id="edit-name"`}},
		{"/org/serviceaccounts/ci/roles", []string{"ci.toml declares this"}, []string{`id="picker-update"`}},
		{"/org/serviceaccounts/ci/tokens/" + id, []string{"ci.toml</span>", "declares this token", "/pause", "/delete", held}, []string{`/rotate"`, `/narrow"`}},
		{"/org/serviceaccounts/ci/tokens/" + id + "/rotate", []string{"ci.toml declares this"}, []string{`<form method="post" action="/org/serviceaccounts/ci/tokens`}},
		{"/org/serviceaccounts/ci/tokens/" + id + "/narrow", []string{"ci.toml declares this", `id="token-go" disabled`}, nil},
		{"/org/serviceaccounts/ci/tokens/" + id + "/rename", []string{"ci.toml declares this", `id="token-go" disabled`}, nil},
		{"/org/tokens", []string{"ci.toml</span>", "/tokens/" + id + "/pause"}, []string{"/rotate", "/narrow", "/rename"}},
		{"/org/teams", []string{"ci.toml</span>"}, nil},
		{"/org/teams/" + ops, []string{"ci.toml</span>", "declares this team", `id="member"`, held}, []string{ops + `/delete"`, ">Save<"}},
		{"/org/teams/" + ops + "/roles", []string{"ci.toml declares this"}, []string{`id="picker-update"`}},
		{"/org/teams/" + uidOfTeam(t, s, "free"), []string{`/delete"`, ">Save<"}, []string{"declares this"}},
		{"/admin/roles", []string{"ci.toml</span>"}, nil},
		{"/admin/roles?view=list", []string{"ci.toml</span>"}, nil},
		{"/admin/roles/deployer", []string{"ci.toml</span>", "declares this role", held}, []string{`deployer/edit"`, `deployer/delete"`}},
		{"/admin/orgs", []string{"ci.toml</span>"}, nil},
		{"/admin/orgs/1", []string{"ci.toml</span>", "declares this organization", held}, []string{">Rename<", `1/delete"`}},
	} {
		p := b.get(page.path)
		b.want(page.path, p, 200, page.has...)
		for _, text := range page.not {
			if strings.Contains(p.text, text) {
				t.Errorf("%s has %s", page.path, text)
			}
		}
	}
}

// uidOfTeam returns the uid of the team with that name.
func uidOfTeam(t *testing.T, s *hallpasstest.Server, name string) string {
	t.Helper()
	text := s.Do(hallpasstest.Admin, "GET", "/api/teams/search?name="+name, "").Text
	_, after, found := strings.Cut(text, `"uid":"`)
	uid, _, _ := strings.Cut(after, `"`)
	if !found {
		t.Fatalf("no team %s: %s", name, text)
	}
	return uid
}
