package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestNumbers asks for things by the numbers in answers. They lead to the same things as
// the uids, for every caller.
func TestNumbers(t *testing.T) {
	x := newSession(t)
	x.run(secondOrg)
	x.run(people...)
	x.run(
		step{"POST", "/api/folders", `{"uid":"f","title":"F"}`, 200, "", "f=id"}, step{"POST", "/api/folders", `{"uid":"id","title":"A folder called id"}`, 400, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"D"},"folderUid":"f"}`, 200, "", "d=id"},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"d","title":"D2"},"folderUid":"f","overwrite":true}`, 200, "", ""},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"hidden","title":"H"}}`, 200, "", "hidden=id"},
		step{"POST", "/api/access-control/dashboards/hidden", `{"permissions":[{"builtInRole":"Viewer"},{"builtInRole":"Editor"}]}`, 200, "", ""},
	)
	viewer, editor := x.by(x.s.User("vera", hallpass.RoleViewer)), x.by(x.s.User("ed", hallpass.RoleEditor))
	for _, by := range []*session{x, viewer, editor, x.in("<other>"), x.by(hallpasstest.Nobody)} {
		for _, pair := range [][2]string{
			{"/api/folders/id/<f>", "/api/folders/f"},
			{"/api/dashboards/id/<d>/versions", "/api/dashboards/uid/d/versions"}, {"/api/dashboards/id/<d>/versions?limit=1&start=1", "/api/dashboards/uid/d/versions?limit=1&start=1"},
			{"/api/dashboards/id/<d>/versions/1", "/api/dashboards/uid/d/versions/1"}, {"/api/dashboards/id/<d>/versions/9", "/api/dashboards/uid/d/versions/9"},
			{"/api/dashboards/id/<d>/permissions", "/api/dashboards/uid/d/permissions"}, {"/api/dashboards/id/<hidden>/permissions", "/api/dashboards/uid/hidden/permissions"},
			{"/api/dashboards/id/<hidden>/versions", "/api/dashboards/uid/hidden/versions"},
			{"/api/folders/id/999", "/api/folders/nosuch"}, {"/api/dashboards/id/999/versions", "/api/dashboards/uid/nosuch/versions"},
			{"/api/dashboards/id/0/permissions", "/api/dashboards/uid/nosuch/permissions"}, {"/api/dashboards/id/99999999999999999999/versions", "/api/dashboards/uid/nosuch/versions"},
		} {
			number, uid := by.send("GET", pair[0], ""), by.send("GET", pair[1], "")
			if number.StatusCode != uid.StatusCode || number.StatusCode < 300 && number.Text != uid.Text {
				t.Errorf("GET %s: %d %s\nGET %s: %d %s", pair[0], number.StatusCode, number.Text, pair[1], uid.StatusCode, uid.Text)
			}
		}
	}
	x.run(
		step{"PUT", "/api/folders/id/<f>", `{"title":"x"}`, 405, "", ""}, step{"GET", "/api/dashboards/id/x/versions", "", 400, "", ""},
		step{"POST", "/api/dashboards/id/<d>/permissions", `{"items":[{"role":"Viewer","permission":1}]}`, 200, "message string", ""},
		step{"GET", "/api/dashboards/uid/d/permissions", "", 200, "# 1; [role=Viewer].permission 1", ""},
		step{"POST", "/api/dashboards/id/<d>/restore", `{"version":1}`, 200, `uid "d"; title "D"; version 3`, ""},
	)
	for _, by := range []*session{viewer, editor} {
		by.run(
			step{"POST", "/api/dashboards/id/<hidden>/permissions", `{"items":[]}`, 403, "", ""}, step{"POST", "/api/dashboards/id/<hidden>/restore", `{"version":1}`, 403, "", ""},
		)
	}
	// Members of a team can be named by uid too.
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"robot","role":"Viewer"}`, 201, "", "robot=id"}, step{"POST", "/api/teams/<team>/members", `{"userId":<robot>}`, 200, "", ""},
		step{"POST", "/api/teams/<team>/members", `{"userId":<u>}`, 200, "", ""},
	)
	for _, id := range []string{"<u>", "<robot>"} {
		x.run(
			step{"GET", "/api/teams/<team>/members", "", 200, "", "member=[userId=" + id + "].uid"},
			step{"PUT", "/api/teams/<team>/members/<member>", `{"permission":4}`, 200, "", ""}, step{"GET", "/api/teams/<team>/members", "", 200, "[userId=" + id + "].permission 4", ""},
			step{"DELETE", "/api/teams/<team>/members/<member>", "", 200, "", ""}, step{"GET", "/api/teams/<team>/members", "", 200, "[userId=" + id + "] absent", ""},
		)
	}
	x.run(step{"DELETE", "/api/teams/<team>/members/nosuchuid", "", 404, "", ""}, step{"DELETE", "/api/teams/<team>/members/-1", "", 400, "", ""})
}

// TestLenientFilters sends filters of lists with values that are not valid, which are
// ignored, and true in the forms of several programming languages.
func TestLenientFilters(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/folders", `{"uid":"f","title":"F"}`, 200, "", "f=id"},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"a","title":"A"},"folderUid":"f"}`, 200, "", "a=id"},
		step{"POST", "/api/dashboards/db", `{"dashboard":{"uid":"b","title":"B"}}`, 200, "", "b=id"},
		step{"POST", "/api/serviceaccounts", `{"name":"off","role":"Viewer","isDisabled":true}`, 201, "", ""}, step{"POST", "/api/serviceaccounts", `{"name":"on","role":"Viewer"}`, 201, "", ""},
		step{"POST", "/api/teams", `{"name":"other"}`, 200, "", ""},
	)
	search := func(query, want string) {
		t.Helper()
		var hits []struct{ UID string }
		if err := json.Unmarshal([]byte(x.do(step{"GET", "/api/search?type=dash-db&" + query, "", 200, "", ""})), &hits); err != nil {
			t.Fatal(err)
		}
		var uids []string
		for _, h := range hits {
			uids = append(uids, h.UID)
		}
		if d := cmp.Diff(want, strings.Join(uids, " ")); d != "" {
			t.Errorf("search %s: %s", query, d)
		}
	}
	for _, name := range []string{"dashboardIds", "folderIds"} {
		for _, odd := range []string{"[1]", "x", "", "1.5", "null", "%5B%5D", "[]", "1e3", ","} {
			search(name+"="+odd, "a b")
		}
	}
	for query, want := range map[string]string{
		"dashboardIds=<a>": "a", "dashboardIds=[9],<b>": "b", "dashboardIds=x&dashboardIds=<a>&dashboardIds=<b>": "a b", "dashboardids=<a>": "a", "dashboardIds=-1": "", "dashboardIds=999": "",
		"folderIds=<f>": "a", "folderIds=0": "b", "folderIds=[0]&folderIds=<f>": "a", "folderIds=-1": "",
		"dashboardUIDs=a": "a", "dashboardUIDs=b,nosuch": "b", "dashboardUID=a&dashboardUID=b": "a b", "folderuids=f": "a", "folderUIDs=general": "b",
		"starred=false": "a b", "starred=False": "a b", "starred=True": "", "starred=1": "", "starred=x": "a b", "permission=edit": "a b", "permission=VIEW": "a b",
	} {
		search(query, want)
	}
	for _, yes := range []string{"true", "True", "TRUE", "t", "1"} {
		x.run(
			step{"GET", "/api/serviceaccounts/search?disabled=" + yes, "", 200, `totalCount 1; serviceAccounts[0].name "off"`, ""},
			step{"GET", "/api/serviceaccounts/search?Disabled=" + yes, "", 200, `totalCount 1`, ""}, step{"GET", "/api/folders/f?accesscontrol=" + yes, "", 200, `accessControl object`, ""},
		)
	}
	for _, no := range []string{"false", "False", "0", "", "x"} {
		x.run(step{"GET", "/api/serviceaccounts/search?disabled=" + no, "", 200, `totalCount 2`, ""}, step{"GET", "/api/folders/f?accesscontrol=" + no, "", 200, `accessControl absent`, ""})
	}
	for ids, count := range map[string]int{"<team>": 1, "[<team>]": 2, "x": 2, "999": 0, "x&teamId=<team>": 1} {
		x.run(step{"GET", "/api/teams/search?teamId=" + ids, "", 200, fmt.Sprintf("totalCount %d", count), ""})
	}
}

// TestFilled reads every kind of answer. Each field for something that the server knows has
// a value.
func TestFilled(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	const folder, dashboard = `"/dashboards/f/f/ops"`, `"/d/d/disks"`
	x.run(
		step{"POST", "/api/folders", `{"uid":"f","title":"Ops"}`, 200, "", "f=id"},
		step{"POST", "/api/dashboards/import", `{"dashboard":{"uid":"d","title":"Disks"},"folderUid":"f","overwrite":true,"inputs":[]}`, 200,
			`folderId <f>; folderUid "f"; dashboardId number; imported true; slug "disks"; importedUrl ` + dashboard, "d=dashboardId"},
		step{"POST", "/api/dashboards/import", `{"dashboard":{"uid":"e","title":"E"},"folderId":<f>,"overwrite":true,"inputs":[]}`, 200, `folderId <f>; folderUid "f"`, ""},
		step{"POST", "/api/dashboards/import", `{"dashboard":{"uid":"r","title":"R"},"inputs":[]}`, 200, `folderId 0; folderUid ""`, ""},
		step{"GET", "/api/dashboards/uid/d", "", 200, `meta.folderId <f>; meta.folderUid "f"; meta.folderTitle "Ops"; meta.folderUrl ` + folder +
			`; meta.createdBy "admin"; meta.updatedBy "admin"; meta.canSave true; meta.canAdmin true; meta.canDelete true; meta.canEdit true; meta.hasAcl true; meta.version 1`, ""},
		step{"GET", "/api/search?query=Disks", "", 200, `[0].id <d>; [0].folderId <f>; [0].folderUid "f"; [0].folderTitle "Ops"; [0].folderUrl ` + folder, ""},
		step{"GET", "/api/folders/f/permissions", "", 200, `[role=Viewer].folderId <f>; [role=Viewer].dashboardId 0; [role=Viewer].uid "f"; [role=Viewer].title "Ops"; [role=Viewer].slug "ops"; ` +
			`[role=Viewer].isFolder true; [role=Viewer].url ` + folder, ""},
		step{"POST", "/api/dashboards/uid/d/permissions", `{"items":[{"role":"Viewer","permission":1},{"userId":<u>,"permission":2},{"teamId":<team>,"permission":4}]}`, 200, "", ""},
		step{"GET", "/api/dashboards/uid/d/permissions", "", 200, `[0].dashboardId <d>; [0].folderId <f>; [0].uid "d"; [0].title "Disks"; [0].slug "disks"; [0].isFolder false; [0].url ` + dashboard +
			`; [userId=<u>].userLogin "u"; [userId=<u>].userEmail "u@example.com"; [userId=<u>].userUid string; [teamId=<team>].team "crew"; [teamId=<team>].teamUid string`, ""},
		step{"GET", "/api/folders/general?accesscontrol=true", "", 200, `canSave true; canEdit true; canAdmin true; accessControl object`, ""},
		step{"POST", "/api/teams/<team>/members", `{"userId":<u>}`, 200, "", ""},
		step{"GET", "/api/teams/<team>?accesscontrol=true", "", 200, `memberCount 2; permission 4; accessControl object`, ""},
		step{"GET", "/api/teams/search", "", 200, `teams[0].memberCount 2`, ""}, step{"GET", "/api/users/<u>/teams", "", 200, `[0].memberCount 2`, ""},
		step{"GET", "/api/dashboards/uid/d/versions", "", 200, `versions[0].dashboardId <d>; versions[0].uid "d"; versions[0].createdBy "admin"; versions[0].id number`, ""},
		step{"DELETE", "/api/dashboards/uid/d", "", 200, `id <d>; uid "d"; title "Disks"`, ""}, step{"DELETE", "/api/folders/f", "", 200, `id <f>; title "Ops"`, ""},
	)
}

// TestRolesByUID gives roles by paths that name the user, account or team by uid.
func TestRolesByUID(t *testing.T) {
	x := newSession(t)
	x.run(people...)
	x.run(
		step{"POST", "/api/access-control/roles", `{"uid":"r","name":"r","permissions":[{"action":"teams:read","scope":"teams:*"}]}`, 201, "", ""},
		step{"POST", "/api/serviceaccounts", `{"name":"robot","role":"Viewer"}`, 201, "", "sa=uid"}, step{"GET", "/api/users/<u>", "", 200, "", "user=uid"},
	)
	for _, who := range []string{"<sa>", "<user>"} {
		path := "/api/access-control/users/" + who + "/roles"
		x.run(
			step{"POST", path, `{"roleUid":"r"}`, 200, "", ""}, step{"GET", path, "", 200, `[uid=r].name "r"`, ""},
			step{"DELETE", path + "/r", "", 200, "", ""}, step{"GET", path, "", 200, `[uid=r] absent`, ""},
			step{"PUT", path, `{"roleUids":["r"]}`, 200, "", ""}, step{"GET", path, "", 200, `[uid=r].name "r"`, ""},
		)
	}
	x.run(step{"POST", "/api/access-control/users/nosuchuid/roles", `{"roleUid":"r"}`, 404, "", ""}, step{"POST", "/api/access-control/users/5x/roles", `{"roleUid":"r"}`, 400, "", ""})
}
