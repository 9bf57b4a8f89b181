package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestAdminStats counts what was made; a token may not ask.
func TestAdminStats(t *testing.T) {
	x := newSession(t)
	const fresh = `orgs 1; users 1; admins 1; editors 0; viewers 0; dashboards 0; folders 0; tags 0; serviceAccounts 0; tokens 0; teams 0; datasources 0; alerts 0`
	x.run(step{"GET", "/api/admin/stats", "", 200, fresh, ""})
	x.run(secondOrg)
	x.run(people...)
	x.run(
		step{"POST", "/api/folders", `{"uid":"f","title":"F"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"a","title":"A","tags":["x","y"]}}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"b","title":"B","tags":["y","z"]}}`, 200, "", ""},
		step{"POST", "/api/serviceaccounts", `{"name":"boss","role":"Admin"}`, 201, "", "sa=id"}, step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"t"}`, 200, "", "key=key"},
		step{"POST", "/api/orgs/<other>/users", `{"loginOrEmail":"u","role":"Editor"}`, 200, "", ""},
		step{"GET", "/api/admin/stats", "", 200, `orgs 2; users 2; admins 1; editors 1; viewers 1; dashboards 2; folders 1; tags 3; serviceAccounts 1; tokens 1; teams 1`, ""},
	)
	for _, path := range []string{"/api/admin/stats", "/api/admin/settings"} {
		x.by(hallpasstest.Bearer(x.vars["key"])).run(step{"GET", path, "", 403, "", ""})
		x.by(x.s.User("admin-of-"+strings.TrimPrefix(path, "/api/admin/"), hallpass.RoleAdmin)).run(step{"GET", path, "", 403, `title "Access denied"`, ""})
	}
}

// TestAdminSettings shows what holds to those who may see it, section by
// section, and no secret to anybody.
func TestAdminSettings(t *testing.T) {
	x := newSession(t, func(c *server.Config) { c.ServiceAccounts.TokenExpirationDayLimit = 90 })
	text := x.do(step{"GET", "/api/admin/settings", "", 200,
		`service_accounts.token_expiration_day_limit "90"; security.admin_user "admin"; security.admin_password "*********"; rbac.permission_validation_enabled "true"; folder.max_nested_folder_depth "4"`, ""})
	if strings.Contains(text, hallpasstest.AdminPassword) {
		t.Errorf("a password is in %s", text)
	}
	for name, tt := range map[string]struct {
		scope    string
		sections []string
	}{
		"section": {"settings:auth.basic:*", []string{"auth.basic"}}, "key": {"settings:log:level", []string{"log"}}, "none": {"settings:nosuch:*", nil},
	} {
		who := x.s.User(name, hallpass.RoleNone)
		x.run(
			step{"POST", "/api/access-control/roles", fmt.Sprintf(`{"uid":"%s","name":"%s","global":true,"permissions":[{"action":"settings:read","scope":"%s"}]}`, name, name, tt.scope), 201, "", ""},
			step{"GET", "/api/users/lookup?loginOrEmail=" + name, "", 200, "", "who=id"},
			step{"POST", "/api/access-control/users/<who>/roles", fmt.Sprintf(`{"roleUid":"%s","global":true}`, name), 200, "", ""},
		)
		all, _ := at(t, x.by(who).do(step{"GET", "/api/admin/settings", "", 200, "@ object", ""}), "@")
		var got []string
		for section := range all.(map[string]any) {
			got = append(got, section)
		}
		if slices.Sort(got); !slices.Equal(got, tt.sections) {
			t.Errorf("%s: sees %v, want %v", tt.scope, got, tt.sections)
		}
	}
}

// TestAvatars: each picture that an answer names can be had by whoever reads the
// answer, who has no session.
func TestAvatars(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"Zoë","role":"Viewer"}`, 201, "", "sa=id"}, step{"POST", "/api/teams/<team>/members", `{"userId":<sa>}`, 200, "", ""},
		step{"POST", "/api/folders", `{"uid":"f","title":"F"}`, 200, "", ""}, step{"POST", "/api/access-control/folders/f", `{"permissions":[{"userId":<u>,"permission":"View"},{"teamId":<team>,"permission":"View"}]}`, 200, "", ""},
	)
	seen := make(map[string]bool)
	for _, path := range []string{
		"/api/user", "/api/users", "/api/users/search", "/api/users/<u>", "/api/org/users", "/api/org/users/search", "/api/org/users/lookup", "/api/teams/search", "/api/teams/<team>", "/api/teams/<team>/members",
		"/api/serviceaccounts/search", "/api/serviceaccounts/<sa>", "/api/folders/f/permissions", "/api/access-control/folders/f", "/api/access-control/teams/<team>",
	} {
		for _, url := range avatars(parse(t, x.do(step{"GET", path, "", 200, "", ""}))) {
			seen[url] = true
		}
	}
	if len(seen) < 4 {
		t.Errorf("only %d pictures", len(seen))
	}
	for url := range seen {
		r := x.s.Do(hallpasstest.Nobody, "GET", url, "")
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/svg+xml" || len(r.Header.Values("Set-Cookie")) > 0 {
			t.Errorf("GET %s: %d %s", url, r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
	one, other := x.s.Do(hallpasstest.Nobody, "GET", "/avatar/00ff", ""), x.s.Do(hallpasstest.Nobody, "GET", "/avatar/00fe", "")
	if one.StatusCode != 200 || one.Text == other.Text {
		t.Error("a picture of nobody is not drawn as any other, so pictures tell who is there")
	}
}

// avatars finds every avatarUrl in an answer.
func avatars(v any) (urls []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			urls = append(urls, avatars(e)...)
		}
	case map[string]any:
		for name, e := range v {
			if url, ok := e.(string); ok && url != "" && strings.HasSuffix(strings.ToLower(name), "avatarurl") {
				urls = append(urls, url)
			}
			urls = append(urls, avatars(e)...)
		}
	}
	return urls
}
