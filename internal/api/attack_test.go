package api_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// ofItself matches the parts of an error that differ for each request: its IDs, and the
// names that were asked for.
var ofItself = regexp.MustCompile(`"(traceID|accessErrorId)":"[^"]*",?`)

// TestOthersThings names things of another org. The answer has the same bytes as for
// things that do not exist, and nothing changes (SEC-12).
func TestOthersThings(t *testing.T) {
	s := hallpasstest.New(t)
	other := otherOrg(t, s)
	theirs := func(method, path, body string) hallpasstest.Response {
		return s.Do(hallpasstest.Admin, method, path, body, "X-Grafana-Org-Id: "+strconv.FormatInt(int64(other), 10))
	}
	a := made(t, theirs("POST", "/api/serviceaccounts", `{"name":"theirs"}`))
	tok := made(t, theirs("POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", a.ID), `{"name":"theirs"}`))
	var team struct{ TeamID int64 }
	into(t, theirs("POST", "/api/teams", `{"name":"theirs"}`), &team)
	for path, body := range map[string]string{
		"/api/access-control/roles": `{"uid":"theirs","name":"theirs","permissions":[{"action":"teams:read","scope":"teams:*"}]}`,
		"/api/folders":              `{"uid":"theirsfolder","title":"theirs"}`,
		"/api/dashboards/db":        `{"dashboard":{"uid":"theirsboard","title":"theirs"}}`,
	} {
		if r := theirs("POST", path, body); r.StatusCode > 201 {
			t.Fatalf("%s: %d %s", path, r.StatusCode, r.Text)
		}
	}
	boss := s.User("boss", hallpass.RoleAdmin)
	compare := func(method, path, body, real, none string) {
		t.Helper()
		answers := make([]string, 2)
		for i, id := range []string{real, none} {
			r := s.Do(boss, method, strings.ReplaceAll(path, "ID", id), strings.ReplaceAll(body, "ID", id))
			answers[i] = fmt.Sprint(r.StatusCode, " ", strings.ReplaceAll(ofItself.ReplaceAllString(r.Text, ""), id, "ID"))
			if r.StatusCode >= 500 || r.StatusCode < 300 && r.Text != "[]" && !strings.Contains(path, "search") {
				t.Errorf("%s %s with %s: %d %s", method, path, id, r.StatusCode, r.Text)
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s %s tells what another org has from what nobody has:\n%s\n%s", method, path, answers[0], answers[1])
		}
	}
	account, missing := strconv.FormatInt(a.ID, 10), "99999"
	for _, suffix := range []string{"GET ", "PATCH ", "DELETE ", "GET /tokens", "POST /tokens", "DELETE /tokens/" + strconv.FormatInt(tok.ID, 10)} {
		method, rest, _ := strings.Cut(suffix, " ")
		compare(method, "/api/serviceaccounts/ID"+rest, `{"name":"x"}`, account, missing)
		compare(method, "/api/serviceaccounts/ID"+rest, `{"name":"x"}`, a.UID, "zzzzzzzzzzzz")
	}
	compare("GET", "/api/access-control/serviceaccounts/ID", "", account, missing)
	compare("POST", "/api/access-control/serviceaccounts/ID/users/1", `{"permission":"Edit"}`, account, missing)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		compare(method, "/api/teams/ID", `{"name":"x"}`, strconv.FormatInt(team.TeamID, 10), missing)
		compare(method, "/api/access-control/roles/ID", `{"name":"x","version":2}`, "theirs", "nobodys")
		compare(method, "/api/folders/ID", `{"title":"x","version":1}`, "theirsfolder", "nobodysfolder")
	}
	compare("GET", "/api/teams/ID/members", "", strconv.FormatInt(team.TeamID, 10), missing)
	compare("POST", "/api/teams/ID/members", `{"userId":1}`, strconv.FormatInt(team.TeamID, 10), missing)
	compare("GET", "/api/folders/ID/permissions", "", "theirsfolder", "nobodysfolder")
	compare("POST", "/api/folders/ID/permissions", `{"items":[]}`, "theirsfolder", "nobodysfolder")
	compare("GET", "/api/dashboards/uid/ID", "", "theirsboard", "nobodysboard")
	compare("DELETE", "/api/dashboards/uid/ID", "", "theirsboard", "nobodysboard")
	compare("GET", "/api/dashboards/uid/ID/versions", "", "theirsboard", "nobodysboard")
	compare("GET", "/api/search?folderUIDs=ID", "", "theirsfolder", "nobodysfolder")
	compare("PUT", "/api/access-control/roles/ID/assignments", `{"users":[1]}`, "theirs", "nobodys")
	compare("POST", "/api/access-control/users/1/roles", `{"roleUid":"ID"}`, "theirs", "nobodys")
	compare("POST", "/api/folders", `{"title":"mine","parentUid":"ID"}`, "theirsfolder", "nobodysfolder")

	for _, path := range []string{"/api/serviceaccounts/" + account, fmt.Sprintf("/api/teams/%d", team.TeamID), "/api/access-control/roles/theirs", "/api/folders/theirsfolder", "/api/dashboards/uid/theirsboard"} {
		expect(t, "still there, "+path, theirs("GET", path, ""), 200, "theirs")
	}
	expect(t, "the token", s.Do(hallpasstest.Bearer(tok.Key), "GET", "/api/org", ""), 200)
}

// TestParallelChanges has many callers change one thing at the same time. One of them
// wins, the others get an error, and no change is made in part.
func TestParallelChanges(t *testing.T) {
	const many = 12 // each waits for those before it, and must not time out on a busy machine
	s := hallpasstest.New(t)
	expect(t, "role", s.Do(hallpasstest.Admin, "POST", "/api/access-control/roles", `{"uid":"r","name":"r"}`), 201)
	expect(t, "folder", s.Do(hallpasstest.Admin, "POST", "/api/folders", `{"uid":"f","title":"f"}`), 200)
	expect(t, "dashboard", s.Do(hallpasstest.Admin, "POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"d"}}`), 200)
	for _, tt := range []struct {
		name, method, path, body string
		refused                  int
	}{
		{"teams", "POST", "/api/teams", `{"name":"same"}`, 409},
		{"roles", "POST", "/api/access-control/roles", `{"name":"same"}`, 409},
		{"orgs", "POST", "/api/orgs", `{"name":"same"}`, 409},
		{"folders", "POST", "/api/folders", `{"uid":"same","title":"same"}`, 409},
		{"dashboards", "POST", "/api/dashboards/db", `{"dashboard":{"uid":"same-d","title":"same"}}`, 412},
		{"a role's version", "PUT", "/api/access-control/roles/r", `{"name":"r","description":"%d","version":2}`, 409},
		{"a folder's version", "PUT", "/api/folders/f", `{"title":"f %d","version":1}`, 412},
		{"a dashboard's version", "POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"d %d","version":1}}`, 412},
	} {
		var won, told atomic.Int64
		var callers sync.WaitGroup
		for i := range many {
			callers.Go(func() {
				body := tt.body
				if strings.Contains(body, "%d") {
					body = fmt.Sprintf(body, i)
				}
				switch r := s.Do(hallpasstest.Admin, tt.method, tt.path, body); r.StatusCode {
				case 200, 201:
					won.Add(1)
				case tt.refused:
					told.Add(1)
				default:
					t.Errorf("%s: %d %s", tt.name, r.StatusCode, r.Text)
				}
			})
		}
		callers.Wait()
		if won.Load() != 1 || told.Load() != many-1 {
			t.Errorf("%s: %d won and %d were told, want 1 and %d", tt.name, won.Load(), told.Load(), many-1)
		}
	}
}

// TestTheLastAdmins has two admins take each other's role at the same time, again and
// again. One admin always remains (SEC-14).
func TestTheLastAdmins(t *testing.T) {
	s := hallpasstest.New(t)
	bob := s.User("bob", hallpass.RoleAdmin)
	var user struct{ ID int64 }
	into(t, s.Do(hallpasstest.Admin, "GET", "/api/users/lookup?loginOrEmail=bob", ""), &user)
	id := strconv.FormatInt(user.ID, 10)
	for _, tt := range []struct{ name, method, path, take, give string }{
		{"of the server", "PUT", "/api/admin/users/%s/permissions", `{"isGrafanaAdmin":false}`, `{"isGrafanaAdmin":true}`},
		{"of the org", "PATCH", "/api/org/users/%s", `{"role":"Viewer"}`, `{"role":"Admin"}`},
	} {
		if r := s.Do(hallpasstest.Admin, tt.method, fmt.Sprintf(tt.path, id), tt.give); r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", tt.name, r.StatusCode, r.Text)
		}
		for range 8 {
			var both sync.WaitGroup
			var taken atomic.Int64
			for who, as := range map[string]hallpasstest.Credential{id: hallpasstest.Admin, "1": bob} {
				both.Go(func() {
					if r := s.Do(as, tt.method, fmt.Sprintf(tt.path, who), tt.take); r.StatusCode == 200 {
						taken.Add(1)
					} else if r.StatusCode >= 500 {
						t.Errorf("%s: %d %s", tt.name, r.StatusCode, r.Text)
					}
				})
			}
			both.Wait()
			if taken.Load() > 1 {
				t.Fatalf("%s: two admins lost their power to each other", tt.name)
			}
			// The admin who remains gives the role back.
			for who, as := range map[string]hallpasstest.Credential{id: hallpasstest.Admin, "1": bob} {
				s.Do(as, tt.method, fmt.Sprintf(tt.path, who), tt.give)
			}
		}
	}
}

// TestGoneAndBack removes a member from the org and adds the user again. Nothing that the
// member had before comes back, and a new account with an old name inherits nothing
// (SEC-13).
func TestGoneAndBack(t *testing.T) {
	s := hallpasstest.New(t)
	x := newTargets(t, s, 1, "")
	eve := s.User("eve", hallpass.RoleNone)
	var user struct{ ID int64 }
	into(t, s.Do(hallpasstest.Admin, "GET", "/api/users/lookup?loginOrEmail=eve", ""), &user)
	id := strconv.FormatInt(user.ID, 10)
	do := func(method, path, body string) {
		t.Helper()
		if r := s.Do(hallpasstest.Admin, method, path, body); r.StatusCode > 201 {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
		}
	}
	do("POST", "/api/teams/"+x.team+"/members", `{"userId":`+id+`}`)
	do("POST", "/api/access-control/users/"+id+"/roles", `{"roleUid":"`+x.role+`"}`)
	do("POST", "/api/access-control/serviceaccounts/"+x.account+"/users/"+id, `{"permission":"Edit"}`)
	do("POST", "/api/access-control/folders/"+x.folder+"/users/"+id, `{"permission":"View"}`)
	do("POST", "/api/access-control/dashboards/"+x.dashboard+"/users/"+id, `{"permission":"Edit"}`)
	paths := []string{"/api/teams/search", "/api/teams/" + x.team, "/api/serviceaccounts/" + x.account, "/api/folders/" + x.folder, "/api/dashboards/uid/" + x.dashboard}
	for _, path := range paths {
		expect(t, "given, "+path, s.Do(eve, "GET", path, ""), 200)
	}
	do("DELETE", "/api/org/users/"+id, "")
	for _, path := range paths {
		if r := s.Do(eve, "GET", path, ""); r.StatusCode < 400 {
			t.Errorf("outside, %s: %d %s", path, r.StatusCode, r.Text)
		}
	}
	do("POST", "/api/org/users", `{"loginOrEmail":"eve","role":"None"}`)
	for _, path := range paths {
		if r := s.Do(eve, "GET", path, ""); r.StatusCode < 400 {
			t.Errorf("back again, %s: %d %s", path, r.StatusCode, r.Text)
		}
	}

	path := account(t, s, "worker", "None")
	old := path[strings.LastIndexByte(path, '/')+1:]
	key := hallpasstest.Bearer(token(t, s, path, "t"))
	do("POST", "/api/teams/"+x.team+"/members", `{"userId":`+old+`}`)
	do("POST", "/api/access-control/folders/"+x.folder+"/users/"+old, `{"permission":"View"}`)
	expect(t, "the account, given", s.Do(key, "GET", "/api/folders/"+x.folder, ""), 200)
	do("DELETE", path, "")
	expect(t, "its token", s.Do(key, "GET", "/api/folders/"+x.folder, ""), 401)
	heir := account(t, s, "worker", "None")
	for _, path := range paths {
		if r := s.Do(hallpasstest.Bearer(token(t, s, heir, path)), "GET", path, ""); r.StatusCode < 400 {
			t.Errorf("an account of the same name, %s: %d %s", path, r.StatusCode, r.Text)
		}
	}
}

// TestDeletedInUse deletes a role, a team and a folder from which a token has
// permissions. When the deletion is answered, the token has lost them.
func TestDeletedInUse(t *testing.T) {
	s := hallpasstest.New(t)
	for name, tt := range map[string]struct{ give, reads, remove string }{
		"a role":   {"POST /api/access-control/users/ACCOUNT/roles {\"roleUid\":\"ROLE\"}", "/api/teams/search", "DELETE /api/access-control/roles/ROLE?force=true"},
		"a team":   {"POST /api/teams/TEAM/members {\"userId\":ACCOUNT}", "/api/teams/TEAM", "DELETE /api/teams/TEAM"},
		"a folder": {"POST /api/access-control/folders/FOLDER/users/ACCOUNT {\"permission\":\"View\"}", "/api/folders/FOLDER", "DELETE /api/folders/FOLDER"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTargets(t, s, int(newNumber.Add(1)), "")
			path := account(t, s, "user of "+name, "None")
			key := hallpasstest.Bearer(token(t, s, path, "of "+name))
			fill := strings.NewReplacer("ACCOUNT", path[strings.LastIndexByte(path, '/')+1:], "ROLE", x.role, "TEAM", x.team, "FOLDER", x.folder).Replace
			call := func(what string) {
				t.Helper()
				parts := strings.SplitN(fill(what), " ", 3)
				body := ""
				if len(parts) == 3 {
					body = parts[2]
				}
				if r := s.Do(hallpasstest.Admin, parts[0], parts[1], body); r.StatusCode > 201 {
					t.Fatalf("%s: %d %s", what, r.StatusCode, r.Text)
				}
			}
			if r := s.Do(key, "GET", fill(tt.reads), ""); r.StatusCode < 400 && !strings.Contains(r.Text, `"teams":[]`) {
				t.Fatalf("before: %d %s", r.StatusCode, r.Text)
			}
			call(tt.give)
			expect(t, "given", s.Do(key, "GET", fill(tt.reads), ""), 200)
			call(tt.remove)
			if r := s.Do(key, "GET", fill(tt.reads), ""); r.StatusCode != 403 && r.StatusCode != 404 {
				t.Errorf("afterwards: %d %s", r.StatusCode, r.Text)
			}
		})
	}
}

var newNumber atomic.Int64
