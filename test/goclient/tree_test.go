package goclient_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-openapi-client-go/client/access_control"
	"github.com/grafana/grafana-openapi-client-go/client/dashboards"
	"github.com/grafana/grafana-openapi-client-go/client/folders"
	"github.com/grafana/grafana-openapi-client-go/client/search"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/models"
)

// TestFolders makes folders in folders, renames, moves and deletes them.
func TestFolders(t *testing.T) {
	c := admin(serve(t))
	top := must(c.Folders.CreateFolder(&models.CreateFolderCommand{Title: "Top", UID: "top"}))(t, "make").Payload
	if top.UID != "top" || top.URL != "/dashboards/f/top/top" || top.ID == 0 || top.ParentUID != "" || top.Version != 1 {
		t.Errorf("made %+v", top)
	}
	must(c.Folders.CreateFolder(&models.CreateFolderCommand{Title: "Inner", UID: "inner", ParentUID: "top"}))(t, "make below")
	inner := must(c.Folders.GetFolderByUID("inner"))(t, "get").Payload
	if inner.ParentUID != "top" || len(inner.Parents) != 1 || inner.Parents[0].UID != "top" {
		t.Errorf("the inner folder is %+v", inner)
	}
	must(c.Folders.UpdateFolder("top", &models.UpdateFolderCommand{Title: "Renamed", Overwrite: true}))(t, "rename")
	again := must(c.Folders.GetFolderByUID("top"))(t, "get").Payload
	if again.Title != "Renamed" || again.Version != 2 || !time.Time(again.Created).Equal(time.Time(top.Created)) {
		t.Errorf("renamed: %+v, made at %s", again, top.Created)
	}
	refused(c.Folders.UpdateFolder("top", &models.UpdateFolderCommand{Title: "Stale", Version: 1}))(t, "an old version", 412)
	list := must(c.Folders.GetFolders(folders.NewGetFoldersParams().WithParentUID(ptr("top"))))(t, "list").Payload
	if len(list) != 1 || list[0].UID != "inner" || list[0].ID == 0 {
		t.Errorf("below top: %v", list)
	}
	if moved := must(c.Folders.MoveFolder("inner", &models.MoveFolderCommand{}))(t, "move to the root").Payload; moved.ParentUID != "" {
		t.Errorf("moved: %+v", moved)
	}
	if moved := must(c.Folders.MoveFolder("top", &models.MoveFolderCommand{ParentUID: "inner"}))(t, "move").Payload; moved.ParentUID != "inner" {
		t.Errorf("moved: %+v", moved)
	}
	if n := must(c.Folders.GetFolderDescendantCounts("inner"))(t, "counts").Payload; n["folder"] != 1 {
		t.Errorf("counts %v, want one folder", n)
	}
	must(c.Folders.DeleteFolder(folders.NewDeleteFolderParams().WithFolderUID("inner")))(t, "delete")
	refused(c.Folders.GetFolderByUID("inner"))(t, "a deleted folder", 404)
	refused(c.Folders.GetFolderByUID("top"))(t, "a folder in a deleted one", 404)
}

// TestTreePermissions gives and takes access to a folder and a dashboard, in
// the new form and in the old.
func TestTreePermissions(t *testing.T) {
	c := admin(serve(t))
	user := newUser(t, c, "eve")
	team, _ := newTeam(t, c, "crew")
	must(c.Folders.CreateFolder(&models.CreateFolderCommand{Title: "F", UID: "f"}))(t, "make folder")
	must(c.Dashboards.PostDashboard(&models.SaveDashboardCommand{Dashboard: map[string]any{"title": "D", "uid": "d"}}))(t, "make dashboard")
	for _, r := range []struct{ kind, uid string }{{"folders", "f"}, {"dashboards", "d"}} {
		permissionsOf(t, c, r.kind, r.uid, "View", user, team)
		must(c.AccessControl.SetResourcePermissionsForBuiltInRole(access_control.NewSetResourcePermissionsForBuiltInRoleParams().
			WithResource(r.kind).WithResourceID(r.uid).WithBuiltInRole("Viewer").WithBody(&models.SetPermissionCommand{Permission: "Edit"})))(t, "set for Viewer")
	}
	items := &models.UpdateDashboardACLCommand{Items: []*models.DashboardACLUpdateItem{{Role: "Viewer", Permission: 1}, {UserID: user, Permission: 4}, {TeamID: team, Permission: 2}}}
	check := func(what string, list []*models.DashboardACLInfoDTO) {
		t.Helper()
		var got []string
		for _, e := range list {
			got = append(got, fmt.Sprint(e.Role, e.UserLogin, e.Team, " ", e.PermissionName))
		}
		slices.Sort(got)
		if text := strings.Join(got, ", "); text != "Viewer View, crew Edit, eve Admin" {
			t.Errorf("%s: %s", what, text)
		}
	}
	must(c.Folders.UpdateFolderPermissions("f", items))(t, "set the folder's list")
	check("folder", must(c.Folders.GetFolderPermissionList("f"))(t, "the folder's list").Payload)
	must(c.Dashboards.UpdateDashboardPermissionsByUID("d", items))(t, "set the dashboard's list")
	check("dashboard", must(c.Dashboards.GetDashboardPermissionsListByUID("d"))(t, "the dashboard's list").Payload)
}

// TestDashboards saves, reads, restores, imports and deletes dashboards.
func TestDashboards(t *testing.T) {
	c := admin(serve(t))
	must(c.Folders.CreateFolder(&models.CreateFolderCommand{Title: "F", UID: "f"}))(t, "make folder")
	save := func(model map[string]any, message string) *models.PostDashboardOKBody {
		t.Helper()
		return must(c.Dashboards.PostDashboard(&models.SaveDashboardCommand{Dashboard: model, FolderUID: "f", Message: message, Overwrite: true}))(t, "save").Payload
	}
	first := map[string]any{"title": "One", "uid": "one", "tags": []any{"red", "blue"}, "panels": []any{map[string]any{"id": json.Number("1")}}}
	made := save(first, "first")
	if *made.UID != "one" || *made.Version != 1 || *made.ID == 0 || *made.Title != "One" || *made.URL != "/d/one/one" || *made.Status != "success" {
		t.Errorf("saved %+v", made)
	}
	if again := save(map[string]any{"title": "Two", "id": *made.ID}, "second"); *again.UID != "one" || *again.Version != 2 || *again.ID != *made.ID {
		t.Errorf("saved by id %+v", again)
	}
	refused(c.Dashboards.PostDashboard(&models.SaveDashboardCommand{Dashboard: map[string]any{"title": "Stale", "uid": "one", "version": 1}, FolderUID: "f"}))(t, "an old version", 412)
	refused(c.Dashboards.PostDashboard(&models.SaveDashboardCommand{Dashboard: map[string]any{"uid": "none"}}))(t, "no title", 400)

	versions := must(c.Dashboards.GetDashboardVersionsByUID(dashboards.NewGetDashboardVersionsByUIDParams().WithUID("one")))(t, "versions").Payload.Versions
	if len(versions) != 2 || versions[0].Version != 2 || versions[0].Message != "second" || versions[1].Message != "first" || versions[0].CreatedBy != "admin" {
		t.Fatalf("versions %+v", versions)
	}
	old := must(c.Dashboards.GetDashboardVersionByUID("one", 1))(t, "version 1").Payload
	if data, ok := old.Data.(map[string]any); !ok || data["title"] != "One" {
		t.Errorf("version 1 is %v", old.Data)
	}
	if back := must(c.Dashboards.RestoreDashboardVersionByUID("one", &models.RestoreDashboardVersionCommand{Version: 1}))(t, "restore").Payload; *back.Version != 3 || *back.Title != "One" {
		t.Errorf("restored %+v", back)
	}
	got := must(c.Dashboards.GetDashboardByUID("one"))(t, "get").Payload
	model := got.Dashboard.(map[string]any)
	if fmt.Sprint(model["id"]) != fmt.Sprint(*made.ID) || fmt.Sprint(model["version"]) != "3" || model["uid"] != "one" {
		t.Errorf("id, uid, version: %v %v %v", model["id"], model["uid"], model["version"])
	}
	delete(model, "id")
	delete(model, "version")
	if want, is := fmt.Sprint(first), fmt.Sprint(model); is != want {
		t.Errorf("restored is %s, want %s", is, want)
	}
	if got.Meta.FolderUID != "f" || got.Meta.URL != "/d/one/one" || got.Meta.Slug != "one" || got.Meta.CreatedBy != "admin" {
		t.Errorf("meta %+v", got.Meta)
	}

	tags := must(c.Dashboards.GetDashboardTags())(t, "tags").Payload
	if len(tags) != 2 || tags[0].Count != 1 {
		t.Errorf("tags %v", tags)
	}
	imported := must(c.Dashboards.ImportDashboard(&models.ImportDashboardRequest{Dashboard: map[string]any{"title": "Brought", "uid": "brought"}, FolderUID: "f", Overwrite: true}))(t, "import").Payload
	if imported.UID != "brought" || !imported.Imported || imported.DashboardID == 0 {
		t.Errorf("imported %+v", imported)
	}
	must(c.Dashboards.GetHomeDashboard())(t, "home")
	if gone := must(c.Dashboards.DeleteDashboardByUID("one"))(t, "delete").Payload; *gone.Title != "One" || *gone.UID != "one" {
		t.Errorf("deleted %+v", gone)
	}
	refused(c.Dashboards.GetDashboardByUID("one"))(t, "a deleted dashboard", 404)
}

// TestSearch finds folders and dashboards, as an admin and as a Viewer's token.
func TestSearch(t *testing.T) {
	address := serve(t)
	c := admin(address)
	must(c.Folders.CreateFolder(&models.CreateFolderCommand{Title: "Ops", UID: "ops"}))(t, "make folder")
	must(c.Folders.CreateFolder(&models.CreateFolderCommand{Title: "Inner", UID: "inner", ParentUID: "ops"}))(t, "make folder")
	for _, name := range []string{"c", "a", "b"} {
		model := map[string]any{"title": name, "uid": "d-" + name, "tags": []string{"t", "t" + name}}
		must(c.Dashboards.PostDashboard(&models.SaveDashboardCommand{Dashboard: model, FolderUID: "ops"}))(t, "save "+name)
	}
	account := newAccount(t, c, "reader", "Viewer")
	key := must(c.ServiceAccounts.CreateToken(service_accounts.NewCreateTokenParams().WithServiceAccountID(account).
		WithBody(&models.AddServiceAccountTokenCommand{Name: "t"})))(t, "make token").Payload.Key
	reader := withToken(address, key)
	for _, tt := range []struct {
		name   string
		params *search.SearchParams
		want   string
	}{
		{"dashboards in order", search.NewSearchParams().WithType(ptr("dash-db")).WithSort(ptr("alpha-asc")), "d-a d-b d-c"},
		{"second page", search.NewSearchParams().WithType(ptr("dash-db")).WithSort(ptr("alpha-asc")).WithLimit(ptr(int64(2))).WithPage(ptr(int64(2))), "d-c"},
		{"past the end", search.NewSearchParams().WithType(ptr("dash-db")).WithLimit(ptr(int64(2))).WithPage(ptr(int64(3))), ""},
		{"folders", search.NewSearchParams().WithType(ptr("dash-folder")).WithSort(ptr("alpha-asc")), "inner ops"},
		{"in a folder", search.NewSearchParams().WithFolderUIDs([]string{"ops"}).WithSort(ptr("alpha-desc")).WithType(ptr("dash-db")), "d-c d-b d-a"},
		{"both tags", search.NewSearchParams().WithTag([]string{"t", "tb"}), "d-b"},
		{"text", search.NewSearchParams().WithQuery(ptr("INN")), "inner"},
		{"uids", search.NewSearchParams().WithDashboardUIDs([]string{"d-a", "d-c"}).WithSort(ptr("alpha-asc")), "d-a d-c"},
	} {
		for name, who := range map[string]interface {
			Search(*search.SearchParams, ...search.ClientOption) (*search.SearchOK, error)
		}{"admin": c.Search, "reader": reader.Search} {
			var got []string
			for _, h := range must(who.Search(tt.params))(t, tt.name).Payload {
				got = append(got, h.UID)
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("%s, %s: %s, want %s", tt.name, name, text, tt.want)
			}
		}
	}
	must(reader.Dashboards.GetDashboardByUID("d-a"))(t, "the reader reads")
	refused(reader.Dashboards.DeleteDashboardByUID("d-a"))(t, "the reader deletes", 403)
	refused(reader.Folders.CreateFolder(&models.CreateFolderCommand{Title: "No"}))(t, "the reader makes a folder", 403)
	refused(reader.Dashboards.PostDashboard(&models.SaveDashboardCommand{Dashboard: map[string]any{"title": "a", "uid": "d-a"}, Overwrite: true}))(t, "the reader saves", 403)
}
