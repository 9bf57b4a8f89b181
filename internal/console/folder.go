package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/library"
)

var crumbFolders = crumb{"Folders and dashboards", "/dashboards"}

func folderURL(uid string) string { return "/dashboards/permissions/" + url.PathEscape(uid) }

// foldersView is the tree of folders and dashboards.
type foldersView struct {
	frame
	Rows   []treeRow
	More   bool
	Create bool
}

// treeRow is a folder or dashboard in the tree.
type treeRow struct {
	Depth     int
	Title     string
	Folder    bool
	URL       string // of a folder's permissions; empty: the viewer may not see them
	Tags      []string
	UID       string
	UpdatedBy string
	Updated   timestamp
}

// Level is the depth in the tree, as the style sheet counts it.
func (t treeRow) Level() string { return idText(int64(min(t.Depth, 5))) }

// treeLimit is how many folders and dashboards the tree shows.
const treeLimit = 2000

// folders is GET /dashboards.
func folders(req *request) error {
	hits, err := req.o.Library.Search(req.Context(), req.caller, library.SearchFilter{Page: admin.Page{Number: 1, Size: treeLimit}})
	if err != nil {
		return err
	}
	view := foldersView{Rows: req.treeRows(hits), More: len(hits) == treeLimit}
	if view.frame, err = req.frame("folders", "Folders and dashboards"); err != nil {
		return err
	}
	return req.show("folders/list", view)
}

// treeRows puts the hits below the folders that they are in. A hit whose folder
// cannot be seen is shown at the root.
func (req *request) treeRows(hits []library.Hit) []treeRow {
	seen := make(map[string]bool)
	for _, h := range hits {
		if h.Folder != nil {
			seen[h.Folder.UID] = true
		}
	}
	below := make(map[string][]library.Hit)
	for _, h := range hits {
		above := h.In.UID
		if !seen[above] {
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
			rows = append(rows, req.treeRow(h, depth))
			if h.Folder != nil && depth <= hallpass.MaxFolderDepth {
				walk(h.Folder.UID, depth+1)
			}
		}
	}
	walk("", 0)
	return rows
}

func (req *request) treeRow(h library.Hit, depth int) treeRow {
	if d := h.Dashboard; d != nil {
		return treeRow{Depth: depth, Title: d.Title, UID: d.UID, Tags: d.Tags, UpdatedBy: d.UpdatedBy, Updated: req.timestamp(d.UpdatedAt)}
	}
	f := h.Folder
	row := treeRow{Depth: depth, Title: f.Title, Folder: true, UID: f.UID, UpdatedBy: f.UpdatedBy, Updated: req.timestamp(f.UpdatedAt)}
	if h.ReadGrants {
		row.URL = folderURL(f.UID)
	}
	return row
}

func hitTitle(h library.Hit) string {
	if h.Folder != nil {
		return h.Folder.Title
	}
	return h.Dashboard.Title
}

func foldersFirst(a, b library.Hit) int {
	switch {
	case a.Folder != nil && b.Folder == nil:
		return -1
	case a.Folder == nil && b.Folder != nil:
		return 1
	}
	return 0
}

func (req *request) folderGrants() (grantPage, error) {
	f, err := req.o.Library.Folder(req.Context(), req.caller, req.PathValue("folder"))
	p := grantPage{
		resource: hallpass.FolderResource, ref: f.UID, url: folderURL(f.UID), heading: f.Title,
		lead: "Who may use this folder and its contents, in addition to everybody whose role covers all folders.", here: "folders", crumbs: []crumb{crumbFolders},
		write: f.Can[string(hallpass.FoldersPermissionsWrite)], names: make(map[string]string),
	}
	for _, above := range f.Parents {
		p.names[above.UID] = above.Title
		p.crumbs = append(p.crumbs, crumb{above.Title, folderURL(above.UID)})
	}
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

// folderPage is GET /dashboards/f/{folder}/{slug}, the address that the API
// gives a folder.
func folderPage(req *request) error {
	req.seeOther(folderURL(req.PathValue("folder")))
	return nil
}
