package api_test

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// The calls of Ansible's community.grafana. Its modules accept 200 and, for things that do
// not exist, 404. They send a content type with reads too, and the dashboard modules write
// its charset without a dash.

const (
	ansibleJSON = "Content-Type: application/json"
	ansibleUTF8 = "Content-Type: application/json; charset=utf8"
)

// ansible is the collection under the admin's password, and under a token.
func ansible(t *testing.T) (password, token *session) {
	t.Helper()
	x := terraform(t)
	x.headers = []string{"User-Agent: ansible-httpget", ansibleJSON}
	return x.in(""), withToken(x)
}

func (x session) speaking(contentType string) *session {
	x.headers = []string{"User-Agent: ansible-httpget", contentType}
	return &x
}

// version reads what modules read before they begin: three whole numbers.
func (x *session) version() {
	x.t.Helper()
	text, _ := at(x.t, x.do(step{"GET", "/api/health", "", 200, "version string", ""}), "version")
	var major, minor, patch int
	if n, err := fmt.Sscanf(text.(string)+".", "%d.%d.%d.", &major, &minor, &patch); n != 3 || err != nil || major < 12 {
		x.t.Errorf("the version is %s", text)
	}
}

func TestTrafficAnsibleFolder(t *testing.T) {
	password, token := ansible(t)
	for i, x := range []*session{password, token} {
		title := fmt.Sprintf("Ops: möre %d", i)
		find := "/api/search?type=dash-folder&query=" + url.PathEscape(title)
		x.version()
		x.run(
			step{"GET", find, "", 200, "# 0", ""}, step{"POST", "/api/folders", `{"title":"` + title + `"}`, 200, "uid string; id number", ""},
			step{"GET", find, "", 200, `# 1; [0].title "` + title + `"; [0].type "dash-folder"; [0].id number`, "uid=[0].uid"},
			step{"POST", "/api/folders", `{"parentUid":"<uid>","title":"Inner","uid":"inner"}`, 200, `parentUid "<uid>"`, ""},
			step{"GET", "/api/folders?parentUid=<uid>", "", 200, `# 1; [0].title "Inner"; [0].uid "inner"`, ""},
			step{"DELETE", "/api/folders/<uid>", "", 200, "message string", ""}, step{"GET", find, "", 200, "# 0", ""}, step{"GET", "/api/folders/inner", "", 404, "", ""},
		)
	}
}

// TestTrafficAnsibleFolderPermission makes the calls of the module: it reads the list,
// changes one entry, and posts all entries.
func TestTrafficAnsibleFolderPermission(t *testing.T) {
	x, _ := ansible(t)
	const path = "/api/folders/ops/permissions"
	x.version()
	x.run(
		step{"POST", "/api/folders", `{"title":"Ops","uid":"ops"}`, 200, "", ""}, step{"GET", "/api/search?type=dash-folder&query=Ops", "", 200, `[0].uid "ops"`, ""},
		step{"GET", "/api/teams/search?name=crew", "", 200, "totalCount 1; teams[0].id <crew>", ""}, step{"GET", "/api/users/lookup?loginOrEmail=u", "", 200, "id <u>", ""},
	)
	items := func(change ...string) string {
		var list []string
		for _, e := range x.list(path, "@") {
			item := fmt.Sprintf(`"permission":%v`, e["permission"])
			if fmt.Sprint(e["userId"]) != "0" {
				item += fmt.Sprintf(`,"userId":%v`, e["userId"])
			}
			if fmt.Sprint(e["teamId"]) != "0" {
				item += fmt.Sprintf(`,"teamId":%v`, e["teamId"])
			}
			if role, ok := e["role"]; ok {
				item += fmt.Sprintf(`,"role":"%v"`, role)
			}
			list = append(list, "{"+item+"}")
		}
		return `{"items":[` + strings.Join(append(list, change...), ",") + `]}`
	}
	x.run(step{"POST", path, items(`{"teamId":<crew>,"permission":2}`), 200, "message string", ""})
	x.run(step{"GET", path, "", 200, `# 4; [teamId=<crew>].permission 2; [teamId=<crew>].folderId number; [teamId=<crew>].title "Ops"; [role=Viewer].permission 1`, ""})
	x.run(step{"POST", path, items(`{"userId":<u>,"permission":4}`), 200, "", ""}, step{"GET", path, "", 200, `# 5; [userId=<u>].permission 4; [userId=<u>].userLogin "u"`, ""})
}

func TestTrafficAnsibleDashboard(t *testing.T) {
	password, token := ansible(t)
	for i, x := range []*session{password.speaking(ansibleUTF8), token.speaking(ansibleUTF8)} {
		uid := fmt.Sprintf("ans%d", i)
		posted := fmt.Sprintf(`{"annotations":{"list":[]},"panels":[],"tags":["ansible"],"title":"Ansible %d","uid":"%s","version":0}`, i, uid)
		begin := func() {
			if i == 0 {
				x.run(step{"GET", "/api/user/orgs", "", 200, `[orgId=1].name "Main Org."`, ""}, step{"POST", "/api/user/using/1", "", 200, "message string", ""})
			}
			x.run(step{"GET", "/api/frontend/settings", "", 200, `buildInfo.version string`, ""})
		}
		begin()
		x.run(
			step{"GET", "/api/folders", "", 200, "# " + fmt.Sprint(i), ""}, step{"POST", "/api/folders", fmt.Sprintf(`{"title":"Folder%d"}`, i), 200, "", ""},
			step{"GET", "/api/folders", "", 200, fmt.Sprintf(`[title=Folder%d].id number`, i), fmt.Sprintf("folder=[title=Folder%d].id", i)},
			step{"GET", "/api/dashboards/uid/" + uid, "", 404, "", ""},
			step{"POST", "/api/dashboards/db", `{"dashboard":` + posted + `,"folderId":<folder>}`, 200, `uid "` + uid + `"`, ""},
		)
		begin()
		model := x.object("/api/dashboards/uid/" + uid)["dashboard"].(map[string]any)
		want := parse(t, posted).(map[string]any)
		for _, m := range []map[string]any{model, want} {
			maps.DeleteFunc(m, func(name string, _ any) bool { return name == "id" || name == "version" })
		}
		if d := cmp.Diff(want, model); d != "" {
			t.Errorf("the module would change the dashboard again: %s", d)
		}
		x.run(
			step{"POST", "/api/dashboards/db", `{"dashboard":` + strings.Replace(posted, `"panels":[]`, `"panels":[{"id":1}]`, 1) + `,"folderId":<folder>,"overwrite":true,"message":"Updated by ansible"}`, 200, `uid "` + uid + `"; version 2`, ""},
			step{"GET", "/api/search?folderIds=<folder>&query=Ansible+" + fmt.Sprint(i) + "&type=dash-db", "", 200, `# 1; [0].uid "` + uid + `"; [0].title "Ansible ` + fmt.Sprint(i) + `"`, ""},
			step{"GET", "/api/search?folderIds=0&query=Ansible&type=dash-db", "", 200, `# 0`, ""},
			step{"GET", "/api/search/", "", 200, `[uid=` + uid + `].title string`, ""}, step{"GET", "/api/search?query=ansible", "", 200, `[uid=` + uid + `].title string`, ""}, // the look-up plugin
			step{"DELETE", "/api/dashboards/uid/" + uid, "", 200, "message string", ""}, step{"GET", "/api/dashboards/uid/" + uid, "", 404, "", ""},
		)
	}
}

func TestTrafficAnsibleOrganization(t *testing.T) {
	x, _ := ansible(t)
	x.run(
		step{"GET", "/api/orgs/name/Branch%20Two", "", 404, "", ""}, step{"POST", "/api/orgs", `{"name":"Branch Two"}`, 200, "", ""},
		step{"GET", "/api/orgs/name/Branch%20Two", "", 200, `name "Branch Two"; address.city ""`, "org=id"},
		step{"GET", "/api/orgs/<org>/users", "", 200, "# 1", ""}, step{"POST", "/api/orgs/<org>/users", `{"loginOrEmail":"u@example.com","role":"Viewer"}`, 200, "", ""},
		step{"GET", "/api/orgs/<org>/users", "", 200, `[email=u@example.com].role "Viewer"; [email=u@example.com].userId <u>; [email=u@example.com].name "U"`, ""},
		step{"POST", "/api/orgs/<org>/users", `{"loginOrEmail":"u@example.com","role":"Editor"}`, 409, "", ""},
		step{"PATCH", "/api/orgs/<org>/users/<u>", `{"role":"Editor"}`, 200, "", ""}, step{"GET", "/api/orgs/<org>/users", "", 200, `[email=u@example.com].role "Editor"`, ""},
		step{"DELETE", "/api/orgs/<org>/users/<u>", "", 200, "", ""}, step{"GET", "/api/orgs/<org>/users", "", 200, `[email=u@example.com] absent`, ""},
		step{"DELETE", "/api/orgs/<org>", "", 200, "message string", ""}, step{"GET", "/api/orgs/name/Branch%20Two", "", 404, "", ""},
	)
}

func TestTrafficAnsibleTeam(t *testing.T) {
	x, _ := ansible(t)
	const find = "/api/teams/search?name=grafana%20working%20group"
	x.version()
	x.run(
		step{"GET", find, "", 200, "totalCount 0; teams []", ""}, step{"POST", "/api/teams", `{"email":"foo.bar@example.com","name":"grafana working group"}`, 200, "", ""},
		step{"GET", find, "", 200, `totalCount 1; teams[0].name "grafana working group"; teams[0].email "foo.bar@example.com"; teams[0].memberCount 1; teams[0].orgId 1; teams[0].avatarUrl string`, "team=teams[0].id"},
		step{"GET", "/api/teams/<team>/members", "", 200, "@ list", ""}, step{"GET", "/api/users/lookup?loginOrEmail=u@example.com", "", 200, "id <u>", ""},
		step{"POST", "/api/teams/<team>/members", `{"userId":<u>}`, 200, "", ""}, step{"GET", find, "", 200, "teams[0].memberCount 2", ""},
		step{"GET", "/api/teams/<team>/members", "", 200, `[email=u@example.com].userId <u>`, ""}, step{"DELETE", "/api/teams/<team>/members/<u>", "", 200, "", ""},
		step{"PUT", "/api/teams/<team>", `{"email":"other@example.com","name":"grafana working group"}`, 200, "", ""}, step{"GET", find, "", 200, `teams[0].email "other@example.com"`, ""},
		step{"DELETE", "/api/teams/<team>", "", 200, "message string", ""}, step{"GET", find, "", 200, "totalCount 0", ""},
	)
}

func TestTrafficAnsibleUser(t *testing.T) {
	x, _ := ansible(t)
	const find = "/api/users/lookup?loginOrEmail=batman"
	x.run(
		step{"GET", find, "", 404, "", ""}, step{"POST", "/api/admin/users", `{"email":"bruce@example.com","login":"batman","name":"Bruce","password":"robin hums at midnight"}`, 200, "", ""},
		step{"GET", find, "", 200, `email "bruce@example.com"; name "Bruce"; login "batman"; isGrafanaAdmin false; isDisabled false; orgId 1; authLabels []`, "bat=id"},
		step{"PUT", "/api/admin/users/<bat>/permissions", `{"isGrafanaAdmin":true}`, 200, "", ""},
		step{"PUT", "/api/users/<bat>", `{"email":"bw@example.com","login":"batman","name":"Bruce Wayne"}`, 200, "", ""},
		step{"GET", find, "", 200, `email "bw@example.com"; name "Bruce Wayne"; isGrafanaAdmin true`, ""}, step{"DELETE", "/api/admin/users/<bat>", "", 200, "message string", ""}, step{"GET", find, "", 404, "", ""},
	)
}

// TestTrafficAnsibleDataSource reads and creates a data source. There are none: a read finds
// nothing, and none can be created.
func TestTrafficAnsibleDataSource(t *testing.T) {
	x, token := ansible(t)
	x.run(step{"POST", "/api/user/using/1", "", 200, "", ""})
	for _, x := range []*session{x, token} {
		x.run(
			step{"GET", "/api/datasources/name/My%20Prometheus%2F1", "", 404, `message "Data source not found"`, ""}, step{"GET", "/api/datasources/uid/abc", "", 404, "", ""},
			step{"POST", "/api/datasources", `{"name":"My Prometheus/1","type":"prometheus","access":"proxy"}`, 404, "", ""}, step{"DELETE", "/api/datasources/name/My%20Prometheus%2F1", "", 404, "", ""},
		)
	}
	x.by(hallpasstest.Nobody).run(step{"GET", "/api/datasources/name/x", "", 401, "", ""})
}
