package wire

import "time"

// NoticeEvent is the body of a webhook (Standard Webhooks 1.0.0): what happened, when,
// and to what.
type NoticeEvent struct {
	Type      string     `json:"type"` // as "token.expiring"
	Timestamp time.Time  `json:"timestamp"`
	Data      NoticeData `json:"data"`
}

// NoticeData says what a notice is about. It holds no secret.
type NoticeData struct {
	Org            NoticeOrg      `json:"org"`
	Token          *NoticeToken   `json:"token,omitempty"`          // absent: it is about no token
	ServiceAccount *NoticeAccount `json:"serviceAccount,omitempty"` // the token's
	Owner          string         `json:"owner,omitempty"`          // the token's, or else the account's
	Purpose        string         `json:"purpose,omitempty"`        // likewise
	InUse          bool           `json:"inUse"`                    // the token was used within the 24 hours before the notice
	Days           int            `json:"days,omitempty"`           // within how many days the token ends
	Actor          string         `json:"actor,omitempty"`          // login of who did it; absent: the server did
	Reason         string         `json:"reason,omitempty"`
	From           *NoticeFrom    `json:"from,omitempty"` // where a try came from
	Text           string         `json:"text"`           // the same in a sentence, for people
}

// NoticeOrg is the org of a notice.
type NoticeOrg struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// NoticeToken is the token of a notice, as it was when the notice was written.
type NoticeToken struct {
	ID                int64      `json:"id"`
	Name              string     `json:"name"`
	LastFour          string     `json:"lastFour"`
	State             string     `json:"state"`
	Generation        int        `json:"generation"`
	Expiration        *time.Time `json:"expiration"` // null: never
	LastUsedAt        *time.Time `json:"lastUsedAt"` // null: never
	LastUsedAddress   string     `json:"lastUsedAddress"`
	LastUsedUserAgent string     `json:"lastUsedUserAgent"`
	ReplacedByID      int64      `json:"replacedById,omitempty"`
}

// NoticeAccount is the service account of a token.
type NoticeAccount struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Login string `json:"login"`
	URL   string `json:"url,omitempty"` // its page; absent: the server does not know its own address
}

// NoticeFrom is where a request came from.
type NoticeFrom struct {
	Address   string `json:"address"`
	UserAgent string `json:"userAgent"`
}
