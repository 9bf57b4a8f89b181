package hallpass

import "time"

// An AuditEntry records that somebody changed something, signed in, or was
// refused. Entries are written once and never changed, save the count of
// repeats within the entry's minute.
type AuditEntry struct {
	ID        AuditID
	At        time.Time
	Org       OrgID     // zero: no org's affair
	Actor     Principal // Nobody: the server itself, or a stranger
	Token     TokenID   // the token used, if one was
	Action    string    // "<noun>.<verb>" of a change; the action demanded of a denial
	Target    string    // what it was done to, as "serviceaccount:7"
	Outcome   Outcome
	Reason    string // of a refusal; for a change what it set
	From      From
	Count     int64 // how often within the minute; 1 for a change
	ActorName string
}

// An Outcome says how it ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "ok"
	Refused Outcome = "refused"
)

// An AuditFilter picks audit entries; zero fields pick all. From is included,
// To is not.
type AuditFilter struct {
	Org      OrgID // zero: every org
	Action   string
	Actor    string // a login or a principal's ID
	Target   string
	Outcome  Outcome
	From, To time.Time
	Before   AuditID // only entries older than this one; the cursor
	Limit    int
}
