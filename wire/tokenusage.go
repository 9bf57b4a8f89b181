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
	Route     string    `json:"route"` // as "GET /api/org" or "guard:loki rule 3"
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
