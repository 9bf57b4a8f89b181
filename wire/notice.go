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

// Notifications is GET /api/org/notifications.
type Notifications struct {
	PublicKey string    `json:"publicKey"` // by which the signature v1a is verified, as "whpk_…"; "": there is no key
	Secret    bool      `json:"secret"`    // the signature v1 can be made
	Mail      bool      `json:"mail"`      // mails can be sent
	Slack     bool      `json:"slack"`     // the configuration has a URL for slack
	Days      []int     `json:"days"`      // before its end that a token is told of
	Events    []string  `json:"events"`    // that a channel can take
	Channels  []Channel `json:"channels"`
}

// Channel is one way in which an org is told notices.
type Channel struct {
	ID           int64      `json:"id"`
	Name         string     `json:"name"`
	Type         string     `json:"type"` // "webhook", "mail" or "slack"
	URL          string     `json:"url"`  // of slack its host alone, for the rest is a secret
	Signature    string     `json:"signature"`
	Addresses    []string   `json:"addresses"`
	Events       []string   `json:"events"`
	Disabled     bool       `json:"disabled"`
	OffReason    string     `json:"offReason"` // why the server disabled it; "": it did not
	Created      time.Time  `json:"created"`
	Updated      time.Time  `json:"updated"`
	LastSentAt   *time.Time `json:"lastSentAt"`   // null: never
	FailingSince *time.Time `json:"failingSince"` // null: the last attempt succeeded
	LastError    string     `json:"lastError"`
}

// WriteChannel is the body of POST /api/org/notifications and of PATCH
// /api/org/notifications/{channel}. What is absent is the default, or stays as it is.
type WriteChannel struct {
	Name      *string   `json:"name,omitempty"`
	Type      *string   `json:"type,omitempty"`
	URL       *string   `json:"url,omitempty"`
	Signature *string   `json:"signature,omitempty"` // absent: "v1a"
	Addresses *[]string `json:"addresses,omitempty"`
	Events    *[]string `json:"events,omitempty"` // absent: all but token.new_place
	Disabled  *bool     `json:"disabled,omitempty"`
}

// Delivery is one notice on its way to one channel.
type Delivery struct {
	ID        int64      `json:"id"`
	MessageID string     `json:"messageId"` // the webhook-id
	Type      string     `json:"type"`
	Text      string     `json:"text"`
	TokenID   int64      `json:"tokenId,omitempty"`
	Recipient string     `json:"recipient,omitempty"` // of mail
	State     string     `json:"state"`               // "due", "sent" or "dead"
	Attempts  int        `json:"attempts"`
	NextAt    *time.Time `json:"nextAt"` // null: it is not tried again
	LastError string     `json:"lastError"`
	Created   time.Time  `json:"created"`
	SentAt    *time.Time `json:"sentAt"` // null: not yet
}

// Deliveries is GET /api/org/notifications/{channel}/messages.
type Deliveries struct {
	Messages []Delivery `json:"messages"`
	Next     int64      `json:"next,omitempty"` // ?after= of the next page; absent: this is the last
}

// Retried is the answer to POST /api/org/notifications/{channel}/retry.
type Retried struct {
	Message string `json:"message"`
	Retried int64  `json:"retried"` // how many notices are on their way again
}
