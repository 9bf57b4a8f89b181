package wire

import (
	"time"
)

// User is GET /api/user and /api/users/{user}.
type User struct {
	ID                             int64           `json:"id"`
	UID                            string          `json:"uid"`
	Email                          string          `json:"email"`
	Name                           string          `json:"name"`
	Login                          string          `json:"login"`
	Theme                          string          `json:"theme"`
	OrgID                          int64           `json:"orgId"`
	IsGrafanaAdmin                 bool            `json:"isGrafanaAdmin"`
	IsDisabled                     bool            `json:"isDisabled"`
	IsExternal                     bool            `json:"isExternal"`
	IsExternallySynced             bool            `json:"isExternallySynced"`
	IsGrafanaAdminExternallySynced bool            `json:"isGrafanaAdminExternallySynced"`
	AuthLabels                     []string        `json:"authLabels"`
	UpdatedAt                      time.Time       `json:"updatedAt"`
	CreatedAt                      time.Time       `json:"createdAt"`
	AvatarURL                      string          `json:"avatarUrl"`
	IsProvisioned                  bool            `json:"isProvisioned"`
	AccessControl                  map[string]bool `json:"accessControl,omitempty"`
}

// UserRow is a row of GET /api/users.
type UserRow struct {
	ID            int64      `json:"id"`
	UID           string     `json:"uid"`
	Name          string     `json:"name"`
	Login         string     `json:"login"`
	Email         string     `json:"email"`
	AvatarURL     string     `json:"avatarUrl"`
	IsAdmin       bool       `json:"isAdmin"`
	IsDisabled    bool       `json:"isDisabled"`
	LastSeenAt    *time.Time `json:"lastSeenAt"`
	LastSeenAtAge string     `json:"lastSeenAtAge"`
	AuthLabels    []string   `json:"authLabels"`
	Created       time.Time  `json:"created"`
	IsProvisioned bool       `json:"isProvisioned"`
}

// Users is GET /api/users/search.
type Users struct {
	TotalCount int       `json:"totalCount"`
	Users      []UserRow `json:"users"`
	Page       int       `json:"page"`
	PerPage    int       `json:"perPage"`
}

// UserOrg is a row of GET /api/user/orgs.
type UserOrg struct {
	OrgID int64  `json:"orgId"`
	Name  string `json:"name"`
	Role  string `json:"role"`
}

// UpdateUser is PUT /api/user and /api/users/{user}.
type UpdateUser struct {
	Email string  `json:"email"`
	Name  string  `json:"name"`
	Login string  `json:"login"`
	Theme *string `json:"theme"`
}

// CreatedUser is the answer to POST /api/admin/users.
type CreatedUser struct {
	ID      int64  `json:"id"`
	UID     string `json:"uid"`
	Message string `json:"message"`
}

// UserPermissions is PUT /api/admin/users/{user}/permissions.
type UserPermissions struct {
	IsGrafanaAdmin bool `json:"isGrafanaAdmin"`
}

// Session is a row of the auth-token lists: a sign-in by browser.
type Session struct {
	ID                     int64     `json:"id"`
	IsActive               bool      `json:"isActive"` // the session of this request
	ClientIP               string    `json:"clientIp"`
	Browser                string    `json:"browser"`
	BrowserVersion         string    `json:"browserVersion"`
	OperatingSystem        string    `json:"os"`
	OperatingSystemVersion string    `json:"osVersion"`
	Device                 string    `json:"device"`
	CreatedAt              time.Time `json:"createdAt"`
	SeenAt                 time.Time `json:"seenAt"`
	UserAgent              string    `json:"userAgent"` // our own field
}

// RevokeSession is POST …/revoke-auth-token.
type RevokeSession struct {
	AuthTokenID int64 `json:"authTokenId"`
}
