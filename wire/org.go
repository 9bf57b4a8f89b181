package wire

import "time"

// Org is GET /api/org and /api/orgs/{org}.
type Org struct {
	ID      int64   `json:"id"`
	Name    string  `json:"name"`
	Address Address `json:"address"`
	// ProvisionedBy is the provisioning file that declares it; absent: none does.
	ProvisionedBy string `json:"provisionedBy,omitempty"`
}

// OrgName is a row of GET /api/orgs.
type OrgName struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	ProvisionedBy string `json:"provisionedBy,omitempty"` // the provisioning file that declares it
}

// Address is the address inside an Org.
type Address struct {
	Address1 string `json:"address1"`
	Address2 string `json:"address2"`
	City     string `json:"city"`
	ZipCode  string `json:"zipCode"`
	State    string `json:"state"`
	Country  string `json:"country"`
}

// CreateOrg is POST /api/orgs.
type CreateOrg struct {
	Name string `json:"name"`
}

// CreatedOrg is the answer to CreateOrg.
type CreatedOrg struct {
	OrgID   int64  `json:"orgId"`
	Message string `json:"message"`
}

// UpdateOrg is PUT /api/org and /api/orgs/{org}.
type UpdateOrg struct {
	Name string `json:"name"`
}

// UpdateAddress is PUT /api/org/address. Names match in any case, so the zipcode of
// old clients and the zipCode of an Org are the same field.
type UpdateAddress struct {
	Address1 string `json:"address1"`
	Address2 string `json:"address2"`
	City     string `json:"city"`
	ZipCode  string `json:"zipcode"`
	State    string `json:"state"`
	Country  string `json:"country"`
}

// OrgUser is one member in GET /api/org/users.
type OrgUser struct {
	OrgID              int64           `json:"orgId"`
	UserID             int64           `json:"userId"`
	UID                string          `json:"uid"`
	Email              string          `json:"email"`
	Name               string          `json:"name"`
	AvatarURL          string          `json:"avatarUrl"`
	Login              string          `json:"login"`
	Role               string          `json:"role"`
	LastSeenAt         *time.Time      `json:"lastSeenAt"`
	LastSeenAtAge      string          `json:"lastSeenAtAge"`
	Created            time.Time       `json:"created"`
	AccessControl      map[string]bool `json:"accessControl,omitempty"`
	IsDisabled         bool            `json:"isDisabled"`
	AuthLabels         []string        `json:"authLabels"`
	IsExternallySynced bool            `json:"isExternallySynced"`
	IsProvisioned      bool            `json:"isProvisioned"`
}

// OrgUsers is GET /api/org/users/search.
type OrgUsers struct {
	TotalCount int       `json:"totalCount"`
	OrgUsers   []OrgUser `json:"orgUsers"`
	PerPage    int       `json:"perPage"`
	Page       int       `json:"page"`
}

// OrgUserLookup is a row of GET /api/org/users/lookup.
type OrgUserLookup struct {
	UserID    int64  `json:"userId"`
	UID       string `json:"uid"`
	Login     string `json:"login"`
	AvatarURL string `json:"avatarUrl"`
}

// AddOrgUser is POST /api/org/users. An empty Role means Viewer.
type AddOrgUser struct {
	LoginOrEmail string  `json:"loginOrEmail"`
	Role         *string `json:"role"`
}

// AddedOrgUser is the answer to AddOrgUser.
type AddedOrgUser struct {
	Message string `json:"message"`
	UserID  int64  `json:"userId"`
}

// UpdateOrgUser is PATCH /api/org/users/{user}.
type UpdateOrgUser struct {
	Role *string `json:"role"`
}

// Quota is a row of the quota lists. A Limit of -1 means none.
type Quota struct {
	OrgID  int64  `json:"org_id,omitempty"`
	UserID int64  `json:"user_id,omitempty"`
	Target string `json:"target"`
	Limit  int64  `json:"limit"`
	Used   int64  `json:"used"`
}

// Preferences is the answer to GET …/preferences.
type Preferences struct {
	Theme            string `json:"theme,omitempty"`
	HomeDashboardUID string `json:"homeDashboardUID,omitempty"`
	Timezone         string `json:"timezone,omitempty"`
	WeekStart        string `json:"weekStart,omitempty"`
	Language         string `json:"language,omitempty"`
}

// UpdatePreferences is PUT and PATCH …/preferences. A PUT clears the fields that it
// leaves out; a PATCH does not change them.
type UpdatePreferences struct {
	Theme            *string `json:"theme"`
	HomeDashboardUID *string `json:"homeDashboardUID"`
	Timezone         *string `json:"timezone"`
	WeekStart        *string `json:"weekStart"`
	Language         *string `json:"language"`
	HomeDashboardID  *int64  `json:"homeDashboardId"` // the older form of HomeDashboardUID
}
