package library

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A SearchFilter picks folders and dashboards; zero fields pick all.
type SearchFilter struct {
	Text          string
	Tags          []string // all of them
	FoldersOnly   bool
	DashboardOnly bool
	UIDs          []string // of dashboards
	IDs           []int64  // of dashboards
	In            []string // uids of folders; RootFolder is the root
	Edit          bool     // only what the caller may change
	Descending    bool
	Page          admin.Page
}

// A Hit is a folder or dashboard that a search found, without data.
type Hit struct {
	hallpass.TreeItem
	ReadGrants bool // the caller may read who was given access to the folder
}

// Search returns a page of the folders and dashboards that f picks and the
// caller may read, folders first, by title.
func (l *Library) Search(ctx context.Context, c hallpass.Caller, f SearchFilter) (page []Hit, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.DashboardsRead, "", func(tx *store.Tx, r admin.Reach) error {
		folders, err := tx.Folders(c.Org)
		if err != nil {
			return err
		}
		t := newTree(folders)
		var hits []Hit
		if !f.DashboardOnly && len(f.Tags)+len(f.UIDs)+len(f.IDs) == 0 {
			hits = f.folders(r, t, folders)
		}
		if !f.FoldersOnly {
			dashboards, err := tx.Dashboards(c.Org, f.Text)
			if err != nil {
				return err
			}
			hits = append(hits, f.dashboards(r, t, dashboards)...)
		}
		if f.Descending {
			slices.Reverse(hits)
		}
		page = admin.SlicePage(hits, f.Page)
		return nil
	})
	return page, err
}

func (f SearchFilter) folders(r admin.Reach, t tree, list []hallpass.Folder) (hits []Hit) {
	action := hallpass.FoldersRead
	if f.Edit {
		action = hallpass.FoldersWrite
	}
	text := hallpass.NameKey(f.Text)
	for i := range list {
		g := &list[i]
		if !strings.Contains(hallpass.NameKey(g.Title), text) || !f.in(g.Parent) {
			continue
		}
		if scopes := admin.FolderScopes(t.chain(g.UID)); r.Can(action, scopes) {
			hits = append(hits, Hit{TreeItem: hallpass.TreeItem{Folder: g, In: t[g.Parent]}, ReadGrants: r.Can(hallpass.FoldersPermissionsRead, scopes)})
		}
	}
	return hits
}

func (f SearchFilter) dashboards(r admin.Reach, t tree, list []hallpass.Dashboard) (hits []Hit) {
	action := hallpass.DashboardsRead
	if f.Edit {
		action = hallpass.DashboardsWrite
	}
	for i := range list {
		d := &list[i]
		named := len(f.UIDs) == 0 || slices.Contains(f.UIDs, d.UID)
		numbered := len(f.IDs) == 0 || slices.Contains(f.IDs, int64(d.ID))
		tagged := !slices.ContainsFunc(f.Tags, func(tag string) bool { return !slices.Contains(d.Tags, tag) })
		if named && numbered && tagged && f.in(d.Folder) && r.Can(action, admin.DashboardScopes(d.UID, t.chain(d.Folder))) {
			hits = append(hits, Hit{TreeItem: hallpass.TreeItem{Dashboard: d, In: t[d.Folder]}})
		}
	}
	return hits
}

// in reports whether what is in the folder with that uid is asked for.
func (f SearchFilter) in(folder string) bool {
	if folder == "" {
		folder = hallpass.RootFolder
	}
	return len(f.In) == 0 || slices.Contains(f.In, folder)
}

// FolderUIDs returns the uids of the folders of the caller's org with those
// numbers; 0 is the root.
func (l *Library) FolderUIDs(ctx context.Context, c hallpass.Caller, ids []int64) (uids []string, err error) {
	err = l.admin.ReadTree(ctx, c, hallpass.FoldersRead, "", func(tx *store.Tx, _ admin.Reach) error {
		for _, id := range ids {
			if id == 0 {
				uids = append(uids, hallpass.RootFolder)
				continue
			}
			f, err := tx.FolderByID(c.Org, hallpass.FolderID(id))
			if hallpass.KindOf(err) == hallpass.NotFound {
				uids = append(uids, " ") // no folder can have this uid: nothing is in it
				continue
			}
			if err != nil {
				return err
			}
			uids = append(uids, f.UID)
		}
		return nil
	})
	return uids, err
}

// A Tag is how many dashboards that the caller may read have the term.
type Tag struct {
	Term  string
	Count int
}

// Tags returns the tags of the dashboards that the caller may read, by term.
func (l *Library) Tags(ctx context.Context, c hallpass.Caller) ([]Tag, error) {
	hits, err := l.Search(ctx, c, SearchFilter{DashboardOnly: true, Page: admin.Page{Number: 1, Size: 1 << 30}})
	counts := make(map[string]int)
	for _, h := range hits {
		for _, t := range h.Dashboard.Tags {
			counts[t]++
		}
	}
	tags := make([]Tag, 0, len(counts))
	for term, n := range counts {
		tags = append(tags, Tag{term, n})
	}
	slices.SortFunc(tags, func(x, y Tag) int { return strings.Compare(x.Term, y.Term) })
	return tags, err
}
