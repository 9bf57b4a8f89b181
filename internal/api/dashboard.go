package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/wire"
)

// saveDashboard is POST /api/dashboards/db.
func (a *API) saveDashboard(c call, in wire.SaveDashboard) (wire.SavedDashboard, error) {
	if in.IsFolder {
		return wire.SavedDashboard{}, errSaveFolder
	}
	d, err := a.save(c, in.Dashboard, library.SaveDashboard{
		Folder: in.FolderUID, FolderID: hallpass.FolderID(in.FolderID), Message: in.Message, Overwrite: in.Overwrite,
	})
	return saved(d.Dashboard), err
}

func saved(d hallpass.Dashboard) wire.SavedDashboard {
	return wire.SavedDashboard{
		Status: "success", Slug: hallpass.Slug(d.Title), Title: d.Title, Version: d.Version, ID: int64(d.ID), UID: d.UID, URL: d.URL(), FolderUID: d.Folder,
	}
}

var errSaveFolder = &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.is-folder", Message: "Use folders endpoint for saving folders."}

func (a *API) save(c call, raw []byte, s library.SaveDashboard) (library.SavedDashboard, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return library.SavedDashboard{}, errNotDashboard
	}
	m, err := parseModel(raw)
	if err != nil {
		return library.SavedDashboard{}, err
	}
	s.ID, s.UID, s.Version, s.Title, s.Tags, s.Data = hallpass.DashboardID(m.id), m.uid, m.version, m.title, m.tags, m.data
	d, err := a.library.SaveDashboard(c.Context(), c.caller, s)
	if err == nil {
		c.did(d.Demanded)
	}
	return d, err
}

// importDashboard is POST /api/dashboards/import: the inputs that the dashboard names get
// their values, then the dashboard is saved.
func (a *API) importDashboard(c call, in wire.ImportDashboard) (wire.ImportedDashboard, error) {
	if in.Path != "" || in.PluginID != "" {
		return wire.ImportedDashboard{}, hallpass.Invalidf("pluginId", "dashboards of plugins are not served here")
	}
	raw, err := fillInputs(in.Dashboard, in.Inputs)
	if err != nil {
		return wire.ImportedDashboard{}, err
	}
	d, err := a.save(c, raw, library.SaveDashboard{Folder: in.FolderUID, FolderID: hallpass.FolderID(in.FolderID), Overwrite: in.Overwrite})
	return wire.ImportedDashboard{
		UID: d.UID, Title: d.Title, Imported: err == nil, ImportedURI: "db/" + hallpass.Slug(d.Title), ImportedURL: d.URL(), Slug: hallpass.Slug(d.Title),
		DashboardID: int64(d.ID), FolderID: int64(d.In.ID), FolderUID: d.Folder, ImportedRevision: d.Version, Revision: d.Version,
	}, err
}

// fillInputs replaces ${NAME} in every text of the dashboard by the value of the
// input NAME, and drops the list of inputs.
func fillInputs(raw []byte, inputs []wire.ImportInput) ([]byte, error) {
	if len(raw) == 0 {
		return nil, errNotDashboard
	}
	names, values, err := members(raw)
	if err != nil {
		return nil, err
	}
	var pairs []string
	given := make(map[string]bool)
	for _, in := range inputs {
		given[in.Name] = true
		pairs = append(pairs, "${"+in.Name+"}", in.Value)
	}
	fill := strings.NewReplacer(pairs...)
	var kept []int
	for i, name := range names {
		if name == "__inputs" {
			if err := allGiven(values[i], given); err != nil {
				return nil, err
			}
			continue
		}
		kept = append(kept, i)
		if len(pairs) == 0 {
			continue
		}
		if values[i], err = replaceTexts(values[i], fill); err != nil {
			return nil, errNotDashboard
		}
	}
	return joinMembers(names, values, kept), nil
}

// allGiven returns an error if the dashboard names an input for which the import has no
// value.
func allGiven(list json.RawMessage, given map[string]bool) error {
	var wanted []struct{ Name string }
	if json.Unmarshal(list, &wanted) != nil {
		return errNotDashboard
	}
	for _, w := range wanted {
		if !given[w.Name] {
			return &hallpass.Error{Kind: hallpass.Invalid, ID: "dashboard.input-missing", Field: "inputs", Message: "a value is missing for one of the dashboard's inputs"}
		}
	}
	return nil
}

// replaceTexts applies fill to every text in the value, but not to names of members.
func replaceTexts(v json.RawMessage, fill *strings.Replacer) (json.RawMessage, error) {
	d := jsontext.NewDecoder(bytes.NewReader(v))
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b)
	for {
		depth := d.StackDepth()
		kind, length := d.StackIndex(depth)
		isName := kind == '{' && length%2 == 0
		t, err := d.ReadToken()
		if err != nil {
			break
		}
		if t.Kind() == '"' && !isName {
			t = jsontext.String(fill.Replace(t.String()))
		}
		if err := e.WriteToken(t); err != nil {
			return nil, err
		}
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// dashboard is GET /api/dashboards/uid/{dashboard}.
func (a *API) dashboard(c call, _ none) (wire.Dashboard, error) {
	v, err := a.library.Dashboard(c.Context(), c.caller, c.PathValue("dashboard"))
	if err != nil {
		return wire.Dashboard{}, err
	}
	m := wire.DashboardMeta{
		Type: "db", CanSave: v.Can[string(hallpass.DashboardsWrite)], CanEdit: v.Can[string(hallpass.DashboardsWrite)],
		CanAdmin: v.Can[string(hallpass.DashboardsPermissionsWrite)], CanDelete: v.Can[string(hallpass.DashboardsDelete)], Slug: hallpass.Slug(v.Title),
		URL: v.URL(), Expires: time.Time{}, Created: v.CreatedAt, Updated: v.UpdatedAt, CreatedBy: v.CreatedBy, UpdatedBy: v.UpdatedBy, Version: v.Version,
		HasACL: v.HasACL, FolderID: int64(v.In.ID), FolderUID: v.Folder, FolderTitle: "General",
	}
	if v.Folder != "" {
		m.FolderTitle, m.FolderURL = v.In.Title, v.In.URL()
	}
	if flag(c, "accesscontrol") {
		m.AccessControl = v.Can
	}
	return wire.Dashboard{Dashboard: withIdentity(v.Dashboard, v.Version, v.Data), Meta: m}, nil
}

// byNumber wraps fn, which takes the uid of a dashboard from the path value name, for a
// path that has the number of the dashboard instead.
func byNumber[In, Out any](a *API, name string, fn func(call, In) (Out, error)) func(call, In) (Out, error) {
	return func(c call, in In) (Out, error) {
		uid, err := a.library.DashboardUID(c.Context(), c.caller, c.PathValue("number"))
		if err != nil {
			var zero Out
			return zero, err
		}
		c.SetPathValue(name, uid)
		return fn(c, in)
	}
}

// deleteDashboard is DELETE /api/dashboards/uid/{dashboard}.
func (a *API) deleteDashboard(c call, _ none) (wire.DeletedDashboard, error) {
	d, err := a.library.DeleteDashboard(c.Context(), c.caller, c.PathValue("dashboard"))
	return wire.DeletedDashboard{Title: d.Title, Message: "Dashboard " + d.Title + " deleted", UID: d.UID, ID: int64(d.ID)}, err
}

// dashboardVersions is GET /api/dashboards/uid/{dashboard}/versions?limit&start.
func (a *API) dashboardVersions(c call, _ none) (wire.DashboardVersions, error) {
	out := wire.DashboardVersions{Versions: []wire.DashboardVersion{}}
	limit, err := number(c, "limit", maxPerPage)
	if err != nil {
		return out, err
	}
	start, err := number(c, "start", 0)
	if err != nil {
		return out, err
	}
	if limit <= 0 || limit > maxPerPage {
		limit = maxPerPage
	}
	d, list, err := a.library.DashboardVersions(c.Context(), c.caller, c.PathValue("dashboard"), limit, max(start, 0))
	for _, v := range list {
		out.Versions = append(out.Versions, versionRow(d, v))
	}
	return out, err
}

func versionRow(d hallpass.Dashboard, v hallpass.DashboardVersion) wire.DashboardVersion {
	return wire.DashboardVersion{
		ID: v.ID, DashboardID: int64(d.ID), UID: d.UID, ParentVersion: v.Parent, RestoredFrom: v.RestoredFrom, Version: v.Version, Created: v.CreatedAt,
		CreatedBy: v.CreatedBy, Message: v.Message,
	}
}

// dashboardVersion is GET /api/dashboards/uid/{dashboard}/versions/{version}.
func (a *API) dashboardVersion(c call, _ none) (wire.DashboardVersion, error) {
	n, ok := hallpass.ParseID(c.PathValue("version"))
	if !ok {
		return wire.DashboardVersion{}, hallpass.Invalidf("version", "version is not a number")
	}
	d, v, err := a.library.DashboardVersion(c.Context(), c.caller, c.PathValue("dashboard"), n)
	if err != nil {
		return wire.DashboardVersion{}, err
	}
	out := versionRow(d, v)
	out.Data = withIdentity(d, v.Version, v.Data)
	return out, nil
}

// restoreDashboard is POST /api/dashboards/uid/{dashboard}/restore.
func (a *API) restoreDashboard(c call, in wire.RestoreDashboard) (wire.SavedDashboard, error) {
	d, err := a.library.RestoreDashboard(c.Context(), c.caller, c.PathValue("dashboard"), in.Version, func(data []byte) (string, []string) {
		m, err := parseModel(data)
		if err != nil {
			return "", nil // an empty title is refused
		}
		return m.title, m.tags
	})
	return saved(d), err
}

// tags is GET /api/dashboards/tags.
func (a *API) tags(c call, _ none) ([]wire.Tag, error) {
	list, err := a.library.Tags(c.Context(), c.caller)
	out := make([]wire.Tag, 0, len(list))
	for _, t := range list {
		out = append(out, wire.Tag(t))
	}
	return out, err
}

// homeDashboard is GET /api/dashboards/home: the dashboard that the org's preferences
// name, or an empty one.
func (a *API) homeDashboard(c call, _ none) (wire.HomeDashboard, error) {
	d, err := a.library.HomeDashboard(c.Context(), c.caller)
	if errors.Is(err, hallpass.NotFound) || errors.Is(err, hallpass.Denied) {
		return wire.HomeDashboard{Dashboard: json.RawMessage(`{"title":"Home"}`), Meta: &wire.DashboardMeta{Type: "db", Slug: "home", FolderTitle: "General"}}, nil
	}
	return wire.HomeDashboard{RedirectURI: d.URL()}, err
}

// maxHits is the most hits that one page of a search has.
const maxHits = 5000

// search is GET /api/search.
func (a *API) search(c call, _ none) ([]wire.Hit, error) {
	f, err := a.searchFilter(c)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return []wire.Hit{}, nil
	}
	list, err := a.library.Search(c.Context(), c.caller, *f)
	out := make([]wire.Hit, 0, len(list))
	for _, h := range list {
		out = append(out, hitRow(c, h))
	}
	return out, err
}

var (
	errBothKinds = &hallpass.Error{Kind: hallpass.Invalid, ID: "search.uids-and-ids", Message: "search supports UIDs or IDs, not both"}
	errTooMany   = &hallpass.Error{Kind: hallpass.Invalid, ID: "search.limit", Message: "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit"}
	errDeleted   = &hallpass.Error{Kind: hallpass.Invalid, ID: "search.deleted", Message: "deleted dashboards are not kept"}
)

// searchFilter reads the filter of a search; nil when nothing can fit it.
func (a *API) searchFilter(c call) (*library.SearchFilter, error) {
	q := c.URL.Query()
	f := library.SearchFilter{Tags: q["tag"], UIDs: append(values(c, "dashboardUIDs"), values(c, "dashboardUID")...), In: values(c, "folderUIDs")}
	var err error
	if f.Text, err = searchText(c); err != nil {
		return nil, err
	}
	limit, err := number(c, "limit", maxPerPage)
	if err != nil {
		return nil, err
	}
	if limit > maxHits {
		return nil, errTooMany
	}
	if f.Page, err = page(c, "limit", maxHits); err != nil {
		return nil, err
	}
	if query(c, "limit") == "" || limit <= 0 {
		f.Page.Size = maxPerPage
	}
	switch query(c, "type") {
	case "":
	case "dash-db":
		f.DashboardOnly = true
	case "dash-folder":
		f.FoldersOnly = true
	default:
		return nil, hallpass.Invalidf("type", "type is neither dash-db nor dash-folder")
	}
	if err := validateSort(c, sortAscending, sortDescending); err != nil {
		return nil, err
	}
	f.Descending = query(c, "sort") == sortDescending
	action, err := wantedPermission(c, hallpass.DashboardsRead, hallpass.DashboardsWrite)
	if err != nil {
		return nil, err
	}
	f.Edit = action == hallpass.DashboardsWrite
	if flag(c, "deleted") {
		return nil, errDeleted
	}
	return a.searchIDs(c, &f)
}

// searchIDs reads the numbers by which old clients name dashboards and folders.
func (a *API) searchIDs(c call, f *library.SearchFilter) (*library.SearchFilter, error) {
	dashboards, folders := numbers(c, "dashboardIds"), numbers(c, "folderIds")
	if len(dashboards) > 0 && len(f.UIDs) > 0 || len(folders) > 0 && len(f.In) > 0 {
		return nil, errBothKinds
	}
	f.IDs = dashboards
	if len(folders) > 0 {
		var err error
		if f.In, err = a.library.FolderUIDs(c.Context(), c.caller, folders); err != nil {
			return nil, err
		}
	}
	if flag(c, "starred") {
		return nil, nil // Hallpass has no stars
	}
	return f, nil
}

// values reads a parameter whose name may be in any case. It may come several times, or
// once with commas, as Grafana's Go client sends it.
func values(c call, name string) []string {
	var list []string
	for key, all := range c.URL.Query() {
		if !httpd.EqualASCII(key, name) {
			continue
		}
		for _, v := range all {
			for part := range strings.SplitSeq(v, ",") {
				if part != "" {
					list = append(list, part)
				}
			}
		}
	}
	return list
}

// numbers reads such a parameter as numbers. Clients write these lists in many forms, so
// it ignores a value that is not a number, as Grafana does.
func numbers(c call, name string) []int64 {
	var list []int64
	for _, s := range values(c, name) {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			list = append(list, n)
		}
	}
	return list
}

func hitRow(c call, h library.Hit) wire.Hit {
	out := wire.Hit{OrgID: int64(c.caller.Org), Title: h.Title(), Tags: []string{}, URI: "db/" + hallpass.Slug(h.Title())}
	if f := h.Folder; f != nil {
		out.ID, out.UID, out.Type, out.URL, out.Description = int64(f.ID), f.UID, "dash-folder", f.URL(), f.Description
	} else {
		d := h.Dashboard
		out.ID, out.UID, out.Type, out.URL = int64(d.ID), d.UID, "dash-db", d.URL()
		out.Tags = append(out.Tags, d.Tags...)
	}
	if h.In.UID != "" {
		out.FolderID, out.FolderUID, out.FolderTitle, out.FolderURL = int64(h.In.ID), h.In.UID, h.In.Title, h.In.URL()
	}
	return out
}

const (
	sortAscending  = "alpha-asc"
	sortDescending = "alpha-desc"
)

// sorting is GET /api/search/sorting.
func (a *API) sorting(call, none) (wire.Sorting, error) {
	return wire.Sorting{SortOptions: []wire.SortOption{
		{Name: sortAscending, DisplayName: "Alphabetically (A–Z)", Description: "Sort results in an alphabetically ascending order"},
		{Name: sortDescending, DisplayName: "Alphabetically (Z–A)", Description: "Sort results in an alphabetically descending order"},
	}}, nil
}
