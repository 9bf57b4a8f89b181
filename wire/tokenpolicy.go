package wire

import "time"

// TokenPolicy is what an org does about tokens that nobody uses: GET and PUT
// /api/org/token-policy, and the body of POST /api/org/token-policy/preview. With
// staleAfterDays 0 it does nothing; a body has to say so.
type TokenPolicy struct {
	StaleAfterDays        int      `json:"staleAfterDays"`
	WarnDays              []int    `json:"warnDays"`              // so many days before something happens there is a warning
	Pause                 bool     `json:"pause"`                 // false: there are warnings alone
	DeleteAfterPausedDays int      `json:"deleteAfterPausedDays"` // then it is revoked; 0: never
	Exempt                []string `json:"exempt"`                // "owner:…" and "account:…"

	// When and by whom it was set; ignored in a request.
	Updated   *time.Time `json:"updated,omitempty"`
	UpdatedBy string     `json:"updatedBy,omitempty"`
}

// StalePreview is the answer of POST /api/org/token-policy/preview: what the policy
// would do to which tokens, if nobody used or resumed them meanwhile.
type StalePreview struct {
	Policy TokenPolicy  `json:"policy"`
	Until  time.Time    `json:"until"`
	Tokens []StaleToken `json:"tokens"`
	Next   string       `json:"next"` // gives the next tokens as "after"; "": there are none
}

// StaleToken is a token of a StalePreview.
type StaleToken struct {
	TokenID          int64       `json:"tokenId"`
	Token            string      `json:"token"` // its name
	LastFour         string      `json:"lastFour"`
	State            string      `json:"state"`
	ServiceAccountID int64       `json:"serviceAccountId"`
	ServiceAccount   string      `json:"serviceAccount"` // its name
	Owner            string      `json:"owner"`
	LastUsedAt       *time.Time  `json:"lastUsedAt"`
	Steps            []StaleStep `json:"steps"`
}

// StaleStep is what happens to a token, and when.
type StaleStep struct {
	At   time.Time `json:"at"`
	Do   string    `json:"do"`             // "warn", "pause", "revoke", or "resume" of a token that was used just before it was paused
	Days int       `json:"days,omitempty"` // of a warning
}

// TokenRules is GET /api/serviceaccounts/token-policy: what holds for new tokens, and
// for those that nobody uses.
type TokenRules struct {
	ExpirationRequired bool        `json:"expirationRequired"`
	MaxSecondsToLive   int64       `json:"maxSecondsToLive"` // 0: no limit
	LatestExpiration   *time.Time  `json:"latestExpiration"` // of a token that is made now; null: no limit
	DayLimit           int         `json:"tokenExpirationDayLimit"`
	Stale              TokenPolicy `json:"stale"`
}

// DeletedTokens is the answer of DELETE /api/serviceaccounts/{id}/tokens?state=dead.
type DeletedTokens struct {
	Message string `json:"message"`
	Deleted int    `json:"deleted"` // how many
}
