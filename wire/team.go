package wire

// Team is GET /api/teams/{team} and a row of a search.
type Team struct {
	ID            int64           `json:"id"`
	UID           string          `json:"uid"`
	OrgID         int64           `json:"orgId"`
	Name          string          `json:"name"`
	Email         string          `json:"email"`
	ExternalUID   string          `json:"externalUID"`
	IsProvisioned bool            `json:"isProvisioned"`
	AvatarURL     string          `json:"avatarUrl"`
	MemberCount   int64           `json:"memberCount"`
	ProvisionedBy string          `json:"provisionedBy,omitempty"` // the provisioning file that declares it
	Permission    int64           `json:"permission"`              // the caller's: 0 member, 4 admin
	AccessControl map[string]bool `json:"accessControl,omitempty"`
}

// Teams is GET /api/teams/search.
type Teams struct {
	TotalCount int    `json:"totalCount"`
	Teams      []Team `json:"teams"`
	Page       int    `json:"page"`
	PerPage    int    `json:"perPage"`
}

// CreateTeam is POST /api/teams and PUT /api/teams/{team}.
type CreateTeam struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// CreatedTeam is the answer to POST /api/teams.
type CreatedTeam struct {
	TeamID  int64  `json:"teamId"`
	UID     string `json:"uid"`
	Message string `json:"message"`
}

// TeamMember is a row of GET /api/teams/{team}/members: a user, or a service account.
// UserID has the id of either.
type TeamMember struct {
	OrgID      int64    `json:"orgId"`
	TeamID     int64    `json:"teamId"`
	TeamUID    string   `json:"teamUID"`
	UserID     int64    `json:"userId"`
	UserUID    string   `json:"userUID"`
	UID        string   `json:"uid"`
	AuthModule string   `json:"auth_module"`
	Email      string   `json:"email"`
	Name       string   `json:"name"`
	Login      string   `json:"login"`
	AvatarURL  string   `json:"avatarUrl"`
	Labels     []string `json:"labels"`
	Permission int64    `json:"permission"` // 0 member, 4 admin
}

// AddTeamMember is POST /api/teams/{team}/members. Permission is as in
// UpdateTeamMember.
type AddTeamMember struct {
	UserID     int64 `json:"userId"`
	Permission int64 `json:"permission,omitempty"`
}

// UpdateTeamMember is PUT /api/teams/{team}/members/{user}. An absent Permission means
// a plain member.
type UpdateTeamMember struct {
	Permission int64 `json:"permission"`
}

// SetTeamMembers is PUT /api/teams/{team}/members: all members, by e-mail address.
type SetTeamMembers struct {
	Members []string `json:"members"`
	Admins  []string `json:"admins"`
}

// TeamGroup is a row of GET /api/teams/{team}/groups, and the body of a POST that adds
// one.
type TeamGroup struct {
	OrgID   int64  `json:"orgId,omitempty"`
	TeamID  int64  `json:"teamId,omitempty"`
	GroupID string `json:"groupId"`
}
