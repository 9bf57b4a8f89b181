package wire

import "time"

// TokenUsage is GET /api/serviceaccounts/{id}/tokens/{token}/usage.
type TokenUsage struct {
	Days    []TokenDay    `json:"days"`    // those with requests, oldest first
	Places  []TokenPlace  `json:"places"`  // the latest first
	Actions []TokenAction `json:"actions"` // by action and scope
}

// TokenDay is how many requests with a token there were on one day, in UTC.
type TokenDay struct {
	Day     string `json:"day"` // as "2026-11-26"
	OK      int64  `json:"ok"`
	Denied  int64  `json:"denied"`  // a permission was missing
	Failed  int64  `json:"failed"`  // for another reason
	Refused int64  `json:"refused"` // the token was not accepted
	Limited int64  `json:"limited"` // it was used too often
}

// TokenPlace is a client that used a token. Method, Route and Status are those of its
// latest request.
type TokenPlace struct {
	Address   string    `json:"address"`
	UserAgent string    `json:"userAgent"`
	Method    string    `json:"method"`
	Route     string    `json:"route"` // as "GET /api/org" or "GET /loki/api/v1/query (guard loki)"
	Status    int       `json:"status"`
	FirstUsed time.Time `json:"firstUsed"`
	LastUsed  time.Time `json:"lastUsed"`
	Count     int64     `json:"count"`
}

// TokenAction is what a token was used for.
type TokenAction struct {
	Action   string    `json:"action"`
	Scope    string    `json:"scope"` // "": the action has none, or nobody tells it
	LastUsed time.Time `json:"lastUsed"`
	Count    int64     `json:"count"`
}

// UsedPermissions is GET /api/serviceaccounts/{id}/permissions/used.
type UsedPermissions struct {
	Window     UsageWindow        `json:"window"`
	Granted    int                `json:"granted"` // permissions that the account holds
	Used       int                `json:"used"`    // of those, that requests may have needed
	Unused     []UnusedPermission `json:"unused"`
	Suggestion *RoleSuggestion    `json:"suggestion"` // null while the window is not complete
}

// UsageWindow is the time that usage was looked at.
type UsageWindow struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Complete bool      `json:"complete"` // usage is recorded, and the account is there, since from or before
}

// UnusedPermission is a permission that no request needed.
type UnusedPermission struct {
	Action string `json:"action"`
	Scope  string `json:"scope"`
	From   string `json:"from"` // as "role Editor"
}

// RoleSuggestion is the least basic role that covers all that was used, beside the other
// roles in also, which the account has already and still needs.
type RoleSuggestion struct {
	Role string   `json:"role"`
	Also []string `json:"also"`
}

// Impact is GET /api/serviceaccounts/{id}/impact.
type Impact struct {
	WouldBreak  bool           `json:"wouldBreak"`
	Clients     []ImpactClient `json:"clients"`     // that would fail, the latest first
	LostActions []TokenAction  `json:"lostActions"` // that were used and could not be any more
	LastUse     *time.Time     `json:"lastUse"`     // of the clients; null: there are none
}

// ImpactClient is a client of a token that works now.
type ImpactClient struct {
	Token     int64     `json:"token"`
	Name      string    `json:"name"` // of the token
	Address   string    `json:"address"`
	UserAgent string    `json:"userAgent"`
	Route     string    `json:"route"`
	Count     int64     `json:"count"`
	LastUsed  time.Time `json:"lastUsed"`
}
