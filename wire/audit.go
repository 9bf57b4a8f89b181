package wire

import "time"

// Audit is GET /api/audit: entries, newest first, and the cursor of the next page,
// which is "" on the last page.
type Audit struct {
	Entries []AuditEntry `json:"entries"`
	Cursor  string       `json:"cursor"`
}

// AuditEntry is one entry of an Audit.
type AuditEntry struct {
	ID        int64     `json:"id"`
	Time      time.Time `json:"time"`
	OrgID     int64     `json:"orgId"`
	Actor     string    `json:"actor"` // login; "" for the server itself
	ActorID   int64     `json:"actorId"`
	ActorKind string    `json:"actorKind"`
	TokenID   int64     `json:"tokenId"`
	Action    string    `json:"action"`
	Target    string    `json:"target"`
	Outcome   string    `json:"outcome"` // "ok" or "refused"
	Reason    string    `json:"reason"`
	Address   string    `json:"address"`
	UserAgent string    `json:"userAgent"`
	Count     int64     `json:"count"`
}
