package wire

import "time"

// Org is GET /api/org.
type Org struct {
	ID      int64   `json:"id"`
	Name    string  `json:"name"`
	Address Address `json:"address"`
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

// UpdateOrg is PUT /api/org.
type UpdateOrg struct {
	Name string `json:"name"`
}

// UpdateAddress is PUT /api/org/address; names match whatever their case, so
// the zipcode of old clients and the zipCode of an Org are one.
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
