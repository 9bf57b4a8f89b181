package wire

import "time"

// Folder is the answer to most calls on folders.
type Folder struct {
	ID            int64           `json:"id"`
	UID           string          `json:"uid"`
	OrgID         int64           `json:"orgId"`
	Title         string          `json:"title"`
	Description   string          `json:"description,omitempty"`
	URL           string          `json:"url"`
	HasACL        bool            `json:"hasAcl"`
	CanSave       bool            `json:"canSave"`
	CanEdit       bool            `json:"canEdit"`
	CanAdmin      bool            `json:"canAdmin"`
	CanDelete     bool            `json:"canDelete"`
	CreatedBy     string          `json:"createdBy"`
	Created       time.Time       `json:"created"`
	UpdatedBy     string          `json:"updatedBy"`
	Updated       time.Time       `json:"updated"`
	Version       int64           `json:"version"`
	ParentUID     string          `json:"parentUid,omitempty"`
	Parents       []Folder        `json:"parents,omitempty"` // from the root down
	AccessControl map[string]bool `json:"accessControl,omitempty"`
}

// FolderHit is a row of GET /api/folders.
type FolderHit struct {
	ID        int64  `json:"id"`
	UID       string `json:"uid"`
	Title     string `json:"title"`
	ParentUID string `json:"parentUid,omitempty"`
}

// CreateFolder is POST /api/folders.
type CreateFolder struct {
	UID         string `json:"uid"`
	Title       string `json:"title"`
	ParentUID   string `json:"parentUid"`
	Description string `json:"description"`
}

// UpdateFolder is PUT /api/folders/{folder}. Version must be the stored one, unless
// Overwrite is true.
type UpdateFolder struct {
	Title       string  `json:"title"`
	Description *string `json:"description"`
	Version     int64   `json:"version"`
	Overwrite   bool    `json:"overwrite"`
}

// MoveFolder is POST /api/folders/{folder}/move; an empty ParentUID is the
// root.
type MoveFolder struct {
	ParentUID string `json:"parentUid"`
}

// DeletedFolder is the answer to DELETE /api/folders/{folder}.
type DeletedFolder struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// ACLEntry is a row in the legacy permission lists of folders and dashboards.
type ACLEntry struct {
	ID             int64     `json:"id,omitempty"`
	DashboardID    int64     `json:"dashboardId"`
	FolderID       int64     `json:"folderId"`
	Created        time.Time `json:"created"`
	Updated        time.Time `json:"updated"`
	UserID         int64     `json:"userId"`
	UserUID        string    `json:"userUid,omitempty"`
	UserLogin      string    `json:"userLogin"`
	UserEmail      string    `json:"userEmail"`
	UserAvatarURL  string    `json:"userAvatarUrl"`
	TeamID         int64     `json:"teamId"`
	TeamUID        string    `json:"teamUid,omitempty"`
	TeamEmail      string    `json:"teamEmail"`
	TeamAvatarURL  string    `json:"teamAvatarUrl"`
	Team           string    `json:"team"`
	Role           string    `json:"role,omitempty"`
	Permission     int64     `json:"permission"` // 1 View, 2 Edit, 4 Admin
	PermissionName string    `json:"permissionName"`
	UID            string    `json:"uid"`
	Title          string    `json:"title"`
	Slug           string    `json:"slug"`
	IsFolder       bool      `json:"isFolder"`
	URL            string    `json:"url"`
	Inherited      bool      `json:"inherited"`
}

// SetACL is POST on the legacy permission lists: it replaces all entries.
type SetACL struct {
	Items []SetACLEntry `json:"items"`
}

// SetACLEntry is one entry of a SetACL.
type SetACLEntry struct {
	UserID     int64  `json:"userId"`
	TeamID     int64  `json:"teamId"`
	Role       string `json:"role"`
	Permission int64  `json:"permission"`
}
