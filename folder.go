package hallpass

import (
	"strings"
	"time"
)

// RootFolder is the uid of the root in scopes. The root holds the folders and
// dashboards that are in no folder.
const RootFolder = "general"

// Bounds on how deep folders nest below a folder at the root. DefaultFolderDepth
// applies when nothing is set.
const (
	DefaultFolderDepth = 4
	MaxFolderDepth     = 7
)

// A Folder holds dashboards and other folders. Two folders in the same folder
// may have the same title. A Folder is a plain value.
type Folder struct {
	ID          FolderID
	UID         string // unique in the org
	Org         OrgID
	Parent      string // uid; empty: at the root
	Title       string
	Description string
	Version     int64
	CreatedBy   string // login
	UpdatedBy   string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// A Dashboard is JSON that is kept exactly as it was saved, with its versions.
// Hallpass stores, finds and guards it; it does not draw it. A Dashboard is a
// plain value.
type Dashboard struct {
	ID        DashboardID
	UID       string // unique in the org
	Org       OrgID
	Folder    string // uid; empty: at the root
	Title     string
	Tags      []string
	Version   int64
	Data      []byte // JSON without id, uid and version; nil in lists
	CreatedBy string // login
	UpdatedBy string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// A DashboardVersion is a dashboard as it was saved at one time.
type DashboardVersion struct {
	ID           int64
	Dashboard    DashboardID
	Version      int64
	Parent       int64 // the version it was made from; 0: none
	RestoredFrom int64 // the version that was restored; 0: it was saved
	Message      string
	Data         []byte
	CreatedBy    string // login
	CreatedAt    time.Time
}

// A TreeItem is a folder or a dashboard, with the folder that it is in.
type TreeItem struct {
	Folder    *Folder
	Dashboard *Dashboard // where there is no Folder
	In        Folder     // the zero Folder at the root
}

// Title returns the title of the folder or dashboard.
func (i TreeItem) Title() string {
	if i.Folder != nil {
		return i.Folder.Title
	}
	return i.Dashboard.Title
}

// MaxUID is the longest uid of a folder, dashboard or role that a client may
// choose.
const MaxUID = 40

// ValidChosenUID reports whether s may be the uid of a folder or dashboard:
// letters, digits, dashes and underscores.
func ValidChosenUID(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return !HoldsToken(s)
}

// Slug is the part of a URL made of a title: small ASCII letters and digits, a
// dash for whatever else stands between them.
func Slug(title string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(title) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
			continue
		}
		dash = true
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// URL returns the folder's path in the console.
func (f Folder) URL() string { return "/dashboards/f/" + f.UID + "/" + Slug(f.Title) }

// URL returns the dashboard's path in a console that draws it.
func (d Dashboard) URL() string { return "/d/" + d.UID + "/" + Slug(d.Title) }
