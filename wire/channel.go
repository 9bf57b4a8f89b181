package wire

import "time"

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
