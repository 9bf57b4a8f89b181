package wire

import "time"

// CreateToken is POST /api/serviceaccounts/{id}/tokens. If SecondsToLive is 0 or
// absent, the token does not expire, unless a longest lifetime is set.
type CreateToken struct {
	Name          string `json:"name"`
	SecondsToLive int64  `json:"secondsToLive"`
}

// NewToken is its answer, and the only struct that ever has a token's secret.
type NewToken struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Token is a row of GET /api/serviceaccounts/{id}/tokens.
type Token struct {
	ID                     int64      `json:"id"`
	Name                   string     `json:"name"`
	Created                time.Time  `json:"created"`
	LastUsedAt             *time.Time `json:"lastUsedAt"`
	Expiration             *time.Time `json:"expiration"`
	SecondsUntilExpiration float64    `json:"secondsUntilExpiration"`
	HasExpired             bool       `json:"hasExpired"`
	IsRevoked              bool       `json:"isRevoked"`
	// Our own fields, in addition to Grafana's.
	LastUsedAddress   *string `json:"lastUsedAddress"`
	LastUsedUserAgent *string `json:"lastUsedUserAgent"`
	LastFour          string  `json:"lastFour"`
	State             string  `json:"state"` // "live", "overlapping" (being replaced), "paused", "blocked" (its account is disabled), "expired", "rotated" (replaced) or "revoked"
}

// ListedToken is a row of GET /api/tokens, and the answer of GET /api/tokens/{token}.
type ListedToken struct {
	Token
	ServiceAccount TokenAccount `json:"serviceAccount"`
}

// TokenAccount is the service account of a token.
type TokenAccount struct {
	ID         int64  `json:"id"`
	UID        string `json:"uid"`
	Name       string `json:"name"`
	Login      string `json:"login"`
	Role       string `json:"role"`
	IsDisabled bool   `json:"isDisabled"`
}

// TokenInventory is GET /api/tokens.
type TokenInventory struct {
	Tokens []ListedToken `json:"tokens"`
	Next   string        `json:"next"` // the value of after for the next page; "": this is the last
}

// SelfToken is GET /api/tokens/self: the token that the request presents.
type SelfToken struct {
	ListedToken
	OrgID int64               `json:"orgId"`
	Held  map[string][]string `json:"held"` // what may be done with it: scopes by action
}

// TokenEvent is the data of one server-sent event of
// GET /api/serviceaccounts/{id}/tokens/{token}/events.
type TokenEvent struct {
	Kind      string    `json:"kind"` // "first-use" or "refused"
	At        time.Time `json:"at"`
	Address   string    `json:"address"`
	UserAgent string    `json:"userAgent"`
	Reason    string    `json:"reason,omitempty"`
}
