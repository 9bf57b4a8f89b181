package wire

import "time"

// CreateToken is POST /api/serviceaccounts/{id}/tokens. If SecondsToLive is 0 or
// absent, the token does not expire, unless a longest lifetime is set. All but these
// two are our own.
type CreateToken struct {
	Name          string     `json:"name"`
	SecondsToLive int64      `json:"secondsToLive"`
	Owner         string     `json:"owner,omitempty"`
	Purpose       string     `json:"purpose,omitempty"`
	SelfRotate    bool       `json:"selfRotate,omitempty"`
	RenewUntil    *time.Time `json:"renewUntil,omitempty"` // with SelfRotate

	ReadOnly    bool          `json:"readOnly,omitempty"`
	MaxRole     string        `json:"maxRole,omitempty"`
	Permissions *[]Permission `json:"permissions,omitempty"` // nil: all that the account holds; empty: nothing
	Networks    []string      `json:"networks,omitempty"`
	RateLimit   *RateLimit    `json:"rateLimit,omitempty"`
}

// NewToken is its answer. Only it and RotatedToken ever have a token's secret.
type NewToken struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Key      string `json:"key"`
	Replayed bool   `json:"replayed,omitempty"` // the request was repeated: this secret replaced that of the first answer
}

// UpdateToken is PATCH /api/serviceaccounts/{id}/tokens/{token}. A field that is
// absent is not changed; one that is null is cleared.
type UpdateToken struct {
	Name        Field[string]       `json:"name,omitzero"`
	Owner       Field[string]       `json:"owner,omitzero"`
	Purpose     Field[string]       `json:"purpose,omitzero"`
	ReadOnly    Field[bool]         `json:"readOnly,omitzero"`
	MaxRole     Field[string]       `json:"maxRole,omitzero"`
	Permissions Field[[]Permission] `json:"permissions,omitzero"`
	Networks    Field[[]string]     `json:"networks,omitzero"`
	RateLimit   Field[RateLimit]    `json:"rateLimit,omitzero"`
	SelfRotate  Field[bool]         `json:"selfRotate,omitzero"`
	RenewUntil  Field[time.Time]    `json:"renewUntil,omitzero"`
	Paused      Field[bool]         `json:"paused,omitzero"`
	PausedFor   Field[int64]        `json:"pausedFor,omitzero"` // seconds; Paused is then true
	PauseReason string              `json:"pauseReason,omitempty"`
}

// RateLimit is how many requests a token may make in a time, and how many more at once
// after a rest.
type RateLimit struct {
	Requests int64 `json:"requests"`
	Seconds  int64 `json:"seconds"`
	Burst    int64 `json:"burst"`
}

// Token is a row of GET /api/serviceaccounts/{id}/tokens.
type Token struct {
	ID                     int64      `json:"id"`
	Name                   string     `json:"name"`
	Created                time.Time  `json:"created"`
	LastUsedAt             *time.Time `json:"lastUsedAt"`
	Expiration             *time.Time `json:"expiration"` // while another replaces it: when it ends at the latest
	SecondsUntilExpiration float64    `json:"secondsUntilExpiration"`
	HasExpired             bool       `json:"hasExpired"`
	IsRevoked              bool       `json:"isRevoked"` // somebody ended it; false of one that another replaced
	// Our own fields, in addition to Grafana's.
	LastUsedAddress   *string       `json:"lastUsedAddress"`
	LastUsedUserAgent *string       `json:"lastUsedUserAgent"`
	LastUsedRoute     *string       `json:"lastUsedRoute"` // the pattern of the route, or of the rule of a guard, some seconds late; null: not known, or not yet
	LastFour          string        `json:"lastFour"`
	State             string        `json:"state"`        // "live", "overlapping" (being replaced), "paused", "blocked" (its account is disabled), "expired", "rotated" (replaced) or "revoked"
	Generation        int           `json:"generation"`   // 1, and one more for each token that the chain has had before
	ChainID           int64         `json:"chainId"`      // the first token of the chain
	ReplacesID        *int64        `json:"replacesId"`   // the token that it replaced
	ReplacedByID      *int64        `json:"replacedById"` // the token that replaced it
	ClosesAt          *time.Time    `json:"closesAt"`     // when it ends at the latest, since it was replaced
	QuietSeconds      *int64        `json:"quietSeconds"` // it ends earlier when nobody used it for so long and its successor was used
	Paused            *TokenPause   `json:"paused"`
	ReadOnly          bool          `json:"readOnly"`
	MaxRole           *string       `json:"maxRole"`
	Permissions       *[]Permission `json:"permissions"` // null: all that the account holds
	Networks          []string      `json:"networks"`
	RateLimit         *RateLimit    `json:"rateLimit"`
	SelfRotate        bool          `json:"selfRotate"`
	RenewUntil        *time.Time    `json:"renewUntil"`
	Owner             string        `json:"owner"`   // of its own, or the account's
	Purpose           string        `json:"purpose"` // likewise
	CreatedBy         string        `json:"createdBy"`
	ProvisionedBy     string        `json:"provisionedBy,omitempty"` // the provisioning file that declares it
	Warnings          []string      `json:"warnings,omitempty"`      // of the change that was just made, in sentences
}

// TokenPause says since when a token is paused, until when, and why.
type TokenPause struct {
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until"` // null: until somebody ends the pause
	Reason string     `json:"reason"`
}

// RotateToken is POST /api/serviceaccounts/{id}/tokens/{token}/rotate and POST
// /api/tokens/self/rotate.
type RotateToken struct {
	SecondsToLive *int64 `json:"secondsToLive,omitempty"` // nil: as long as the old one was made for
	GraceSeconds  *int64 `json:"graceSeconds,omitempty"`  // that the old one works on at most; 0: not at all; nil: the server's default
	QuietSeconds  *int64 `json:"quietSeconds,omitempty"`  // 0: it ends when the new one is first used; nil: 600
	Reason        string `json:"reason,omitempty"`
}

// RotatedToken is its answer. Only it and NewToken ever have a token's secret.
type RotatedToken struct {
	ID         int64         `json:"id"`
	Name       string        `json:"name"`
	Key        string        `json:"key"`
	Generation int           `json:"generation"`
	Expiration *time.Time    `json:"expiration"`
	Replaces   ReplacedToken `json:"replaces"`
	Replayed   bool          `json:"replayed,omitempty"` // the request was repeated: this secret replaced that of the first answer
}

// ReplacedToken is the token that a rotation replaced.
type ReplacedToken struct {
	ID           int64     `json:"id"`
	LastFour     string    `json:"lastFour"`
	ClosesAt     time.Time `json:"closesAt"`
	QuietSeconds int64     `json:"quietSeconds"`
}

// ExtendRotation is POST /api/serviceaccounts/{id}/tokens/{token}/rotation/extend.
type ExtendRotation struct {
	GraceSeconds int64 `json:"graceSeconds"` // that the old token works on at most, from now
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
