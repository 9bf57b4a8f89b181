package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/library"
)

var crumbFolders = crumb{"Folders and dashboards", "/dashboards"}

// folderURL is the address of the page with the permissions of a folder.
func folderURL(uid string) string { return "/dashboards/permissions/" + url.PathEscape(uid) }

// foldersView is the tree of folders and dashboards, or what a search found in it.
type foldersView struct {
	frame
	Query string
	Rows  []treeRow
	More  bool
}

// folderView is the page of one folder.
type folderView struct {
	frame
	Folder      hallpass.Folder
	Updated     timestamp
	Rows        []treeRow
	More        bool
	Permissions string // address; empty: the viewer may not see who has access
	Access      []grantGroup
	Edit        bool // the viewer may change who has
}

// treeRow is a folder or dashboard in the tree. The rows of what is in a folder come after it.
type treeRow struct {
	Title       string
	Folder      bool
	URL         string // empty: it has no page
	Permissions string // address; empty: the viewer may not see them
	Tags        []string
	UID         string
	Path        []crumb // of what a search found: the folders that it is in
	UpdatedBy   string
	Updated     timestamp
	Inside      string     // what is in the folder; empty: nothing, or it is not shown
	Close       []struct{} // for each folder that ends after this row
}

// treeLimit is how many folders and dashboards the tree shows.
const treeLimit = 2000

// folders is GET /dashboards?query.
func folders(req *request) error {
	_, text := req.listPage()
	hits, err := req.o.Library.Search(req.Context(), req.caller, library.SearchFilter{Text: text, Page: admin.Page{Number: 1, Size: treeLimit}})
	if err != nil {
		return err
	}
	view := foldersView{Query: text, More: len(hits) == treeLimit}
	if text == "" {
		view.Rows = req.treeRows(hits, "")
	} else {
		view.Rows = req.foundRows(hits)
	}
	if view.frame, err = req.frame("folders", "Folders and dashboards"); err != nil {
		return err
	}
	return req.show("folders/list", view)
}

// foundRows are the hits of a search, each with the folder that it is in.
func (req *request) foundRows(hits []library.Hit) (rows []treeRow) {
	sortByName(hits, hitTitle)
	slices.SortStableFunc(hits, foldersFirst)
	for _, h := range hits {
		row := req.treeRow(h)
		if h.In.UID != "" {
			row.Path = []crumb{{h.In.Title, h.In.URL()}}
		}
		rows = append(rows, row)
	}
	return rows
}

// treeRows puts the hits below the folders that they are in, and returns those below the
// folder top, which is "" for all. A hit whose folder cannot be seen is shown at the root.
func (req *request) treeRows(hits []library.Hit, top string) []treeRow {
	seen := make(map[string]bool)
	for _, h := range hits {
		if h.Folder != nil {
			seen[h.Folder.UID] = true
		}
	}
	below := make(map[string][]library.Hit)
	for _, h := range hits {
		above := h.In.UID
		if !seen[above] && above != top {
			above = ""
		}
		below[above] = append(below[above], h)
	}
	var rows []treeRow
	var walk func(uid string, depth int)
	walk = func(uid string, depth int) {
		sortByName(below[uid], hitTitle)
		slices.SortStableFunc(below[uid], foldersFirst)
		for _, h := range below[uid] {
			rows = append(rows, req.treeRow(h))
			if h.Folder == nil || depth > hallpass.MaxFolderDepth || len(below[h.Folder.UID]) == 0 {
				continue
			}
			rows[len(rows)-1].Inside = insideWords(below[h.Folder.UID])
			walk(h.Folder.UID, depth+1)
			rows[len(rows)-1].Close = append(rows[len(rows)-1].Close, struct{}{})
		}
	}
	walk(top, 0)
	return rows
}

// insideWords counts what is directly in a folder: "2 folders, 1 dashboard".
func insideWords(hits []library.Hit) string {
	folders := 0
	for _, h := range hits {
		if h.Folder != nil {
			folders++
		}
	}
	var parts []string
	if folders > 0 {
		parts = append(parts, hallpass.Counted(folders, "folder"))
	}
	if n := len(hits) - folders; n > 0 {
		parts = append(parts, hallpass.Counted(n, "dashboard"))
	}
	return strings.Join(parts, ", ")
}

func (req *request) treeRow(h library.Hit) treeRow {
	if d := h.Dashboard; d != nil {
		return treeRow{Title: d.Title, UID: d.UID, Tags: d.Tags, UpdatedBy: d.UpdatedBy, Updated: req.timestamp(d.UpdatedAt)}
	}
	f := h.Folder
	row := treeRow{Title: f.Title, Folder: true, URL: f.URL(), UID: f.UID, UpdatedBy: f.UpdatedBy, Updated: req.timestamp(f.UpdatedAt)}
	if h.ReadGrants {
		row.Permissions = folderURL(f.UID)
	}
	return row
}

func hitTitle(h library.Hit) string { return h.Title() }

func foldersFirst(a, b library.Hit) int {
	switch {
	case a.Folder != nil && b.Folder == nil:
		return -1
	case a.Folder == nil && b.Folder != nil:
		return 1
	}
	return 0
}

// folderPage is GET /dashboards/f/{folder}/{slug}, the address that the API gives a
// folder: what is in it, and who has access to it.
func folderPage(req *request) error {
	p, err := req.folderGrants()
	if err != nil {
		return err
	}
	if req.PathValue("slug") == "permissions" && hallpass.Slug(p.folder.Title) != "permissions" { // the console's own link, once
		req.seeOther(p.url)
		return nil
	}
	hits, err := req.o.Library.Search(req.Context(), req.caller, library.SearchFilter{Page: admin.Page{Number: 1, Size: treeLimit}})
	if err != nil {
		return err
	}
	view := folderView{
		Folder: p.folder.Folder, Updated: req.timestamp(p.folder.UpdatedAt), Rows: req.treeRows(hits, p.folder.UID), More: len(hits) == treeLimit, Edit: p.write,
	}
	if p.folder.Can[string(hallpass.FoldersPermissionsRead)] {
		view.Permissions = p.url
		if view.Access, err = req.grantGroups(p); err != nil {
			return err
		}
	}
	if view.frame, err = req.frame("folders", p.folder.Title, p.above...); err != nil {
		return err
	}
	return req.show("folders/detail", view)
}

func (req *request) folderGrants() (grantPage, error) {
	f, err := req.o.Library.Folder(req.Context(), req.caller, req.PathValue("folder"))
	p := grantPage{
		resource: hallpass.FolderResource, ref: f.UID, url: folderURL(f.UID), heading: f.Title,
		lead: "Who may use this folder and its contents, in addition to everybody whose role covers all folders.", here: "folders", above: []crumb{crumbFolders},
		write: f.Can[string(hallpass.FoldersPermissionsWrite)], names: make(map[string]string), folder: f,
	}
	for _, parent := range f.Parents {
		p.names[parent.UID] = parent.Title
		p.above = append(p.above, crumb{parent.Title, parent.URL()})
	}
	p.crumbs = append(slices.Clone(p.above), crumb{f.Title, f.URL()})
	return p, err
}

// folderPermissions is GET /dashboards/permissions/{folder}.
func folderPermissions(req *request) error {
	p, err := req.folderGrants()
	if err != nil {
		return err
	}
	return req.showGrants(http.StatusOK, p, grantsView{})
}

// setFolderPermission is POST on the same path.
func setFolderPermission(req *request) (change, error) {
	p, err := req.folderGrants()
	if err != nil {
		return change{}, err
	}
	return req.setGrant(p)
}
