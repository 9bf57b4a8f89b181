package wire

import (
	"encoding/json"
	"time"
)

// SaveDashboard is POST /api/dashboards/db.
type SaveDashboard struct {
	Dashboard json.RawMessage `json:"dashboard"`
	FolderUID string          `json:"folderUid"`
	FolderID  int64           `json:"folderId"`
	Message   string          `json:"message"`
	Overwrite bool            `json:"overwrite"`
	IsFolder  bool            `json:"isFolder"`
}

// SavedDashboard is the answer to SaveDashboard.
type SavedDashboard struct {
	Status    string `json:"status"` // "success"
	Slug      string `json:"slug"`
	Title     string `json:"title"`
	Version   int64  `json:"version"`
	ID        int64  `json:"id"`
	UID       string `json:"uid"`
	URL       string `json:"url"`
	FolderUID string `json:"folderUid"`
}

// ImportDashboard is POST /api/dashboards/import.
type ImportDashboard struct {
	Dashboard json.RawMessage `json:"dashboard"`
	FolderUID string          `json:"folderUid"`
	FolderID  int64           `json:"folderId"`
	Overwrite bool            `json:"overwrite"`
	Inputs    []ImportInput   `json:"inputs"`
	PluginID  string          `json:"pluginId"`
	Path      string          `json:"path"`
}

// ImportInput gives a value to one of the inputs that a dashboard names.
type ImportInput struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	PluginID string `json:"pluginId"`
	Value    string `json:"value"`
}

// ImportedDashboard is the answer to ImportDashboard.
type ImportedDashboard struct {
	UID              string `json:"uid"`
	PluginID         string `json:"pluginId"`
	Title            string `json:"title"`
	Imported         bool   `json:"imported"`
	ImportedURI      string `json:"importedUri"`
	ImportedURL      string `json:"importedUrl"`
	Slug             string `json:"slug"`
	DashboardID      int64  `json:"dashboardId"`
	FolderID         int64  `json:"folderId"`
	FolderUID        string `json:"folderUid"`
	ImportedRevision int64  `json:"importedRevision"`
	Revision         int64  `json:"revision"`
	Description      string `json:"description"`
	Path             string `json:"path"`
	Removed          bool   `json:"removed"`
}

// Dashboard is GET /api/dashboards/uid/{dashboard}: the JSON as it was posted,
// with id, uid and version, and facts about the dashboard.
type Dashboard struct {
	Dashboard json.RawMessage `json:"dashboard"`
	Meta      DashboardMeta   `json:"meta"`
}

// DashboardMeta has facts about a dashboard.
type DashboardMeta struct {
	Type                   string          `json:"type"` // "db"
	CanSave                bool            `json:"canSave"`
	CanEdit                bool            `json:"canEdit"`
	CanAdmin               bool            `json:"canAdmin"`
	CanStar                bool            `json:"canStar"`
	CanDelete              bool            `json:"canDelete"`
	Slug                   string          `json:"slug"`
	URL                    string          `json:"url"`
	Expires                time.Time       `json:"expires"`
	Created                time.Time       `json:"created"`
	Updated                time.Time       `json:"updated"`
	UpdatedBy              string          `json:"updatedBy"`
	CreatedBy              string          `json:"createdBy"`
	Version                int64           `json:"version"`
	HasACL                 bool            `json:"hasAcl"`
	IsFolder               bool            `json:"isFolder"`
	FolderID               int64           `json:"folderId"`
	FolderUID              string          `json:"folderUid"`
	FolderTitle            string          `json:"folderTitle"`
	FolderURL              string          `json:"folderUrl"`
	Provisioned            bool            `json:"provisioned"`
	ProvisionedExternalID  string          `json:"provisionedExternalId"`
	PublicDashboardEnabled bool            `json:"publicDashboardEnabled"`
	APIVersion             string          `json:"apiVersion,omitempty"`
	AccessControl          map[string]bool `json:"accessControl,omitempty"`
}

// DeletedDashboard is the answer to DELETE /api/dashboards/uid/{dashboard}.
type DeletedDashboard struct {
	Title   string `json:"title"`
	Message string `json:"message"`
	UID     string `json:"uid"`
	ID      int64  `json:"id"`
}

// DashboardVersions is GET /api/dashboards/uid/{dashboard}/versions.
type DashboardVersions struct {
	ContinueToken string             `json:"continueToken"`
	Versions      []DashboardVersion `json:"versions"`
}

// DashboardVersion is one of them. It has Data only when it is requested alone.
type DashboardVersion struct {
	ID            int64           `json:"id"`
	DashboardID   int64           `json:"dashboardId"`
	UID           string          `json:"uid"`
	ParentVersion int64           `json:"parentVersion"`
	RestoredFrom  int64           `json:"restoredFrom"`
	Version       int64           `json:"version"`
	Created       time.Time       `json:"created"`
	CreatedBy     string          `json:"createdBy"`
	Message       string          `json:"message"`
	Data          json.RawMessage `json:"data,omitempty"`
}

// RestoreDashboard is POST /api/dashboards/uid/{dashboard}/restore.
type RestoreDashboard struct {
	Version int64 `json:"version"`
}

// Tag is a row of GET /api/dashboards/tags.
type Tag struct {
	Term  string `json:"term"`
	Count int    `json:"count"`
}

// HomeDashboard is GET /api/dashboards/home.
type HomeDashboard struct {
	Dashboard   json.RawMessage `json:"dashboard,omitempty"`
	Meta        *DashboardMeta  `json:"meta,omitempty"`
	RedirectURI string          `json:"redirectUri,omitempty"`
}

// Hit is a row of GET /api/search.
type Hit struct {
	ID          int64    `json:"id"`
	UID         string   `json:"uid"`
	OrgID       int64    `json:"orgId"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	URI         string   `json:"uri"`
	URL         string   `json:"url"`
	Slug        string   `json:"slug"`
	Type        string   `json:"type"` // "dash-db" or "dash-folder"
	Tags        []string `json:"tags"`
	IsStarred   bool     `json:"isStarred"`
	FolderID    int64    `json:"folderId,omitempty"`
	FolderUID   string   `json:"folderUid,omitempty"`
	FolderTitle string   `json:"folderTitle,omitempty"`
	FolderURL   string   `json:"folderUrl,omitempty"`
	SortMeta    int64    `json:"sortMeta"`
	IsDeleted   bool     `json:"isDeleted"`
}

// Sorting is GET /api/search/sorting.
type Sorting struct {
	SortOptions []SortOption `json:"sortOptions"`
}

// SortOption is one value of the parameter sort.
type SortOption struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
	Meta        string `json:"meta"`
}
