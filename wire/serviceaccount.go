package wire

import "time"

// CreateServiceAccount is POST /api/serviceaccounts. A nil or empty Role means
// Viewer. RoleUIDs are further roles of the account: the account is created with
// all of them or not at all.
type CreateServiceAccount struct {
	Name       string   `json:"name"`
	Role       *string  `json:"role"`
	IsDisabled bool     `json:"isDisabled"`
	RoleUIDs   []string `json:"roleUids,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	Purpose    string   `json:"purpose,omitempty"`
}

// UpdateServiceAccount is PATCH /api/serviceaccounts/{id}; a nil field
// is not changed.
type UpdateServiceAccount struct {
	Name       *string `json:"name"`
	Role       *string `json:"role"`
	IsDisabled *bool   `json:"isDisabled"`
	Owner      *string `json:"owner,omitempty"`   // empty: nobody is named
	Purpose    *string `json:"purpose,omitempty"` // likewise
}

// ServiceAccount is the answer to a create and a row of a search.
type ServiceAccount struct {
	ID            int64           `json:"id"`
	UID           string          `json:"uid"`
	Name          string          `json:"name"`
	Login         string          `json:"login"`
	OrgID         int64           `json:"orgId"`
	IsDisabled    bool            `json:"isDisabled"`
	Role          string          `json:"role"`
	Tokens        int             `json:"tokens"`
	AvatarURL     string          `json:"avatarUrl"`
	AccessControl map[string]bool `json:"accessControl,omitempty"`
	Given
	Ownership
}

// ServiceAccounts is GET /api/serviceaccounts/search.
type ServiceAccounts struct {
	TotalCount      int              `json:"totalCount"`
	ServiceAccounts []ServiceAccount `json:"serviceAccounts"`
	Page            int              `json:"page"`
	PerPage         int              `json:"perPage"`
}

// ServiceAccountProfile is GET /api/serviceaccounts/{id}.
type ServiceAccountProfile struct {
	ID            int64           `json:"id"`
	UID           string          `json:"uid"`
	Name          string          `json:"name"`
	Login         string          `json:"login"`
	OrgID         int64           `json:"orgId"`
	IsDisabled    bool            `json:"isDisabled"`
	CreatedAt     time.Time       `json:"createdAt"`
	UpdatedAt     time.Time       `json:"updatedAt"`
	AvatarURL     string          `json:"avatarUrl"`
	Role          string          `json:"role"`
	Teams         []string        `json:"teams"` // null when there are none
	Tokens        int             `json:"tokens,omitempty"`
	AccessControl map[string]bool `json:"accessControl,omitempty"`
	Given
	Ownership
}

// UpdatedServiceAccount is the answer to a PATCH.
type UpdatedServiceAccount struct {
	Message        string                `json:"message"`
	ID             int64                 `json:"id"`
	Name           string                `json:"name"`
	ServiceAccount ServiceAccountProfile `json:"serviceaccount"`
}

// Given counts what an account has besides its basic role, by itself and through its
// teams. Grafana does not have these fields.
type Given struct {
	MoreRoles    int `json:"moreRoles,omitempty"`
	AccessGrants int `json:"accessGrants,omitempty"` // to single accounts, folders and dashboards
}

// Ownership says who answers for an account, what it is for, and who made it. Grafana
// does not have these fields.
type Ownership struct {
	Owner     string `json:"owner,omitempty"`
	Purpose   string `json:"purpose,omitempty"`
	CreatedBy string `json:"createdBy,omitempty"`
	// ProvisionedBy is the provisioning file that declares the account; absent: none does.
	ProvisionedBy string `json:"provisionedBy,omitempty"`
}
