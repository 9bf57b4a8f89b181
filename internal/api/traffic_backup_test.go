package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// The calls of grafana-backup-tool. It saves a server thing by thing, and restores the same
// JSON into another one. It accepts only 200 as success, and its searches end in a slash.

var backupHeaders = []string{"User-Agent: python-requests/2.32.3", "Accept-Encoding: gzip, deflate", "Accept: */*"}

// backupTool is the tool with its token for an org, and the admin's password
// for what no token reaches.
func backupTool(t *testing.T) (token, password *session) {
	t.Helper()
	x := newSession(t, func(c *server.Config) { c.Auth.Basic.PasswordPolicy = false }) // it restores users with the password 00000000
	x.headers = backupHeaders
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"backup","role":"Admin"}`, 201, "", "backup=id"},
		step{"POST", "/api/serviceaccounts/<backup>/tokens", `{"name":"backup"}`, 200, "", "key=key"},
	)
	return x.by(hallpasstest.Bearer(x.vars["key"])).in(""), x.in("")
}

// saved has what the tool stores: files of JSON, by kind.
type saved map[string][]map[string]any

func (s saved) keep(kind string, thing map[string]any) { s[kind] = append(s[kind], thing) }

// list reads an array of objects. field has the array; "@" is the whole answer.
func (x *session) list(path, field string) []map[string]any {
	x.t.Helper()
	v, found := at(x.t, x.do(step{"GET", path, "", 200, field + " list", ""}), field)
	if !found {
		x.t.Fatalf("GET %s: no %s", path, field)
	}
	var list []map[string]any
	for _, e := range v.([]any) {
		list = append(list, e.(map[string]any))
	}
	return list
}

// object reads one object.
func (x *session) object(path string) map[string]any {
	x.t.Helper()
	return parse(x.t, x.do(step{"GET", path, "", 200, "@ object", ""})).(map[string]any)
}

func body(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// save does what the tool does first: it tests whether the server works, and then saves
// everything that it knows.
func save(token, password *session) saved {
	token.t.Helper()
	s := make(saved)
	token.run(
		step{"GET", "/api/health", "", 200, "version string", ""}, step{"GET", "/api/auth/keys", "", 200, "@ list", ""},
		step{"GET", "/api/search/?type=dash-db&limit=1&page=1", "", 200, "[0].uid string", ""}, step{"GET", "/api/datasources", "", 200, "@ list", ""},
	)
	one, two := token.list("/api/search/?type=dash-db&limit=1&page=1", "@"), token.list("/api/search/?type=dash-db&limit=1&page=2", "@")
	if cmp.Equal(one, two) {
		token.t.Error("the search has no pages")
	}
	for _, f := range token.list("/api/search/?type=dash-folder", "@") {
		uid := f["uid"].(string)
		s.keep("folder", token.object("/api/folders/"+uid))
		s.keep("folder_permission", map[string]any{"items": token.list("/api/folders/"+uid+"/permissions", "@")})
	}
	for page := 1; ; page++ {
		hits := token.list(fmt.Sprintf("/api/search/?type=dash-db&limit=5000&page=%d", page), "@")
		if len(hits) == 0 {
			break
		}
		for _, h := range hits {
			s.keep("dashboard", token.object("/api/dashboards/uid/"+h["uid"].(string)))
			s.keep("version", token.object(fmt.Sprintf("/api/dashboards/id/%v/versions/1", h["id"])))
		}
	}
	for _, path := range []string{
		"/api/alert-notifications", "/api/dashboard/snapshots", "/api/annotations?type=annotation&limit=5000&from=1700000000000&to=1800000000000", "/api/v1/provisioning/alert-rules",
		"/api/v1/provisioning/contact-points",
	} {
		token.run(step{"GET", path, "", 200, "# 0", ""})
	}
	token.run(step{"GET", "/api/library-elements?perPage=5000", "", 200, "result.elements []", ""})
	for _, team := range token.list("/api/teams/search", "teams") {
		s.keep("team", team)
		for _, m := range token.list(fmt.Sprintf("/api/teams/%v/members", team["id"]), "@") {
			s.keep("team_member", m)
		}
	}
	for _, o := range password.list("/api/orgs", "@") {
		s.keep("organization", password.object(fmt.Sprintf("/api/orgs/%v", o["id"])))
	}
	for _, u := range password.list("/api/users?perpage=5000&page=1", "@") {
		maps.Copy(u, password.object(fmt.Sprintf("/api/users/%v", u["id"])))
		u["orgs"] = password.list(fmt.Sprintf("/api/users/%v/orgs", u["id"]), "@")
		s.keep("user", u)
	}
	return s
}

// restore posts what was saved, without changes.
func restore(token, password *session, s saved) {
	t := token.t
	t.Helper()
	for _, f := range s["folder"] {
		token.run(step{"POST", "/api/folders", body(t, f), 200, fmt.Sprintf(`uid "%s"`, f["uid"]), ""})
	}
	for _, o := range s["organization"] {
		if fmt.Sprint(o["id"]) == "1" {
			password.run(step{"PUT", "/api/orgs/1", body(t, o), 200, "", ""})
			continue
		}
		password.run(step{"POST", "/api/orgs", body(t, o), 200, "orgId number", ""})
	}
	for _, u := range s["user"] {
		if u["login"] == "admin" {
			continue
		}
		u["password"] = "00000000"
		password.run(step{"POST", "/api/admin/users", body(t, u), 200, "id number", ""})
		for _, o := range u["orgs"].([]map[string]any) {
			status := 200
			if fmt.Sprint(o["orgId"]) == "1" {
				status = 409 // as a new user is made a member there
			}
			password.run(step{"POST", fmt.Sprintf("/api/orgs/%v/users", o["orgId"]), body(t, map[string]any{"loginOrEmail": u["login"], "role": o["role"]}), status, "", ""})
		}
	}
	teams := make(map[string]string)
	for _, team := range s["team"] {
		token.do(step{"POST", "/api/teams", body(t, team), 200, "teamId number", "team=teamId"})
		teams[fmt.Sprint(team["id"])] = token.vars["team"]
	}
	for _, m := range s["team_member"] {
		if m["login"] == "admin" || strings.HasPrefix(m["login"].(string), "sa-") {
			continue
		}
		password.run(step{"GET", "/api/users/lookup?loginOrEmail=" + strings.ReplaceAll(m["email"].(string), "@", "%40"), "", 200, "id number", "member=id"})
		token.run(step{"POST", "/api/teams/" + teams[fmt.Sprint(m["teamId"])] + "/members", `{"userId":` + password.vars["member"] + `}`, 200, "", ""})
	}
	for _, p := range s["folder_permission"] {
		items := p["items"].([]map[string]any)
		items = slices.DeleteFunc(items, func(e map[string]any) bool { return fmt.Sprint(e["userId"]) != "0" }) // numbers of the other server
		token.run(step{"POST", fmt.Sprintf("/api/folders/%s/permissions", items[0]["uid"]), body(t, map[string]any{"items": items}), 200, "", ""})
	}
	for _, d := range s["dashboard"] {
		meta, model := d["meta"].(map[string]any), maps.Clone(d["dashboard"].(map[string]any))
		model["id"] = nil
		folder := any(0)
		if uid := meta["folderUid"].(string); uid != "" {
			folder = token.object("/api/folders/" + uid)["id"]
		}
		token.run(step{"POST", "/api/dashboards/db", body(t, map[string]any{"dashboard": model, "folderId": folder, "overwrite": true}), 200, fmt.Sprintf(`uid "%s"; status "success"`, model["uid"]), ""})
	}
}

// TestTrafficBackup saves one server and restores it into another, which then
// saves the same.
func TestTrafficBackup(t *testing.T) {
	token, password := backupTool(t)
	password.in("1").run(
		step{"POST", "/api/orgs", `{"name":"Branch"}`, 200, "", ""},
		step{"POST", "/api/admin/users", `{"email":"tess@example.com","login":"tess","name":"Tess","password":"00000000"}`, 200, "", "tess=id"},
		step{"POST", "/api/orgs/2/users", `{"loginOrEmail":"tess","role":"Editor"}`, 200, "", ""},
		step{"POST", "/api/teams", `{"name":"crew","email":"crew@example.com"}`, 200, "", "crew=teamId"}, step{"POST", "/api/teams/<crew>/members", `{"userId":<tess>}`, 200, "", ""},
		step{"POST", "/api/folders", `{"uid":"a-top","title":"A top"}`, 200, "", ""}, step{"POST", "/api/folders", `{"uid":"b-inner","title":"B inner","parentUid":"a-top"}`, 200, "", ""},
		step{"POST", "/api/folders/b-inner/permissions", `{"items":[{"role":"Editor","permission":1},{"userId":<tess>,"permission":4}]}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"one","title":"One","panels":[{"id":1,"type":"stat"}],"tags":["x"]},"folderUid":"b-inner"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"two","title":"Two","schemaVersion":39}}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"apiVersion":"dashboard.grafana.app/v1beta1","kind":"Dashboard","metadata":{"name":"three"},"spec":{"title":"Three","panels":[]}},"folderUid":"a-top"}`, 200, "", ""},
	)
	kept := save(token, password)
	token2, password2 := backupTool(t)
	restore(token2, password2, kept)
	again := save(token2, password2)
	kept["team_member"] = slices.DeleteFunc(kept["team_member"], func(m map[string]any) bool { return m["login"] == "admin" }) // who made the team there
	for kind, fields := range map[string][]string{
		"folder": {"uid", "title", "parentUid", "url"}, "organization": {"name"}, "user": {"login", "email", "name"}, "team": {"name", "email", "orgId"}, "team_member": {"email", "permission"},
	} {
		if d := cmp.Diff(pick(kept[kind], fields), pick(again[kind], fields)); d != "" {
			t.Errorf("%s, saved and saved again: %s", kind, d)
		}
	}
	for i, d := range kept["dashboard"] {
		was, is := d["dashboard"].(map[string]any), again["dashboard"][i]["dashboard"].(map[string]any)
		for _, own := range []string{"id", "version"} {
			delete(was, own)
			delete(is, own)
		}
		if d := cmp.Diff(was, is); d != "" {
			t.Errorf("a dashboard, saved and saved again: %s", d)
		}
		where := []string{"folderUid", "folderTitle", "url"}
		if d := cmp.Diff(pick([]map[string]any{d["meta"].(map[string]any)}, where), pick([]map[string]any{again["dashboard"][i]["meta"].(map[string]any)}, where)); d != "" {
			t.Errorf("its place: %s", d)
		}
	}
	if len(kept["dashboard"]) != 3 || len(kept["folder"]) != 2 || len(kept["user"]) != 2 || len(kept["organization"]) != 2 {
		t.Errorf("saved %d dashboards, %d folders, %d users, %d orgs", len(kept["dashboard"]), len(kept["folder"]), len(kept["user"]), len(kept["organization"]))
	}
}

// pick keeps only some fields of things.
func pick(list []map[string]any, fields []string) []map[string]any {
	var out []map[string]any
	for _, thing := range list {
		cut := make(map[string]any)
		for _, f := range fields {
			cut[f] = thing[f]
		}
		out = append(out, cut)
	}
	return out
}

// TestTrafficBackupDelete makes the calls with which the tool empties a server.
func TestTrafficBackupDelete(t *testing.T) {
	token, password := backupTool(t)
	password.in("1").run(
		step{"POST", "/api/teams", `{"name":"crew"}`, 200, "", "crew=teamId"}, step{"POST", "/api/folders", `{"uid":"f","title":"F"}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"D"},"folderUid":"f"}`, 200, "", ""},
	)
	token.run(
		step{"GET", "/api/search/?type=dash-db&limit=5000&page=1", "", 200, `[0].uid "d"`, ""}, step{"DELETE", "/api/dashboards/uid/d", "", 200, "", ""},
		step{"GET", "/api/search/?type=dash-folder", "", 200, `[0].uid "f"`, ""}, step{"DELETE", "/api/folders/f", "", 200, "", ""},
		step{"GET", "/api/teams/search", "", 200, `teams[0].id <crew>`, ""}, step{"GET", "/api/teams/<crew>/members", "", 200, `@ list`, "admin=[login=admin].userId"},
		step{"DELETE", "/api/teams/<crew>/members/<admin>", "", 200, "", ""}, step{"DELETE", "/api/teams/<crew>", "", 200, "", ""},
	)
}

// TestTrafficExternalSecrets makes the calls of external-secrets' generator. It creates a
// token for every secret, and its account if there is none, and deletes the token later.
func TestTrafficExternalSecrets(t *testing.T) {
	for _, as := range []string{"token", "password"} {
		t.Run(as, func(t *testing.T) {
			x := terraform(t)
			x.headers = []string{"User-Agent: Go-http-client/1.1"}
			generator := x.in("")
			if as == "token" {
				generator = withToken(x)
			}
			const name = "eso generated"
			generator.run(
				step{"GET", "/api/serviceaccounts/search?query=eso+generated", "", 200, "serviceAccounts []; totalCount 0", ""},
				step{"POST", "/api/serviceaccounts", `{"name":"` + name + `","role":"Viewer"}`, 201, `id number; login "sa-1-eso-generated"; role "Viewer"`, "sa=id"},
				step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"9ad0d4ba-1d2c-4b7e-9b3e-1f9a3a5a0001"}`, 200, "id number; key string", "first=id"},
				step{"GET", "/api/serviceaccounts/search?query=eso+generated", "", 200, `serviceAccounts.# 1; serviceAccounts[0].id <sa>; serviceAccounts[0].name "` + name + `"; serviceAccounts[0].login "sa-1-eso-generated"`, ""},
				step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"9ad0d4ba-1d2c-4b7e-9b3e-1f9a3a5a0002"}`, 200, "id number; key string", "key=key"},
				step{"DELETE", "/api/serviceaccounts/<sa>/tokens/<first>", "", 200, "message string", ""},
				step{"DELETE", "/api/serviceaccounts/<sa>/tokens/<first>", "", 404, `message "service account token not found"`, ""}, // taken as done
			)
			x.by(hallpasstest.Bearer(x.vars["key"])).in("").run(step{"GET", "/api/org", "", 200, "id 1", ""}, step{"GET", "/api/user", "", 200, `id <sa>`, ""})
		})
	}
}
