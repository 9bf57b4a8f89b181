package hallpass

import (
	"strconv"
	"strings"
	"time"
)

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
	Outcome   AuditOutcome
	Reason    string // of a refusal; for a change what it set
	From      From
	Count     int64 // how often within the minute; 1 for a change
	ActorName string
}

// maxAuditText is the longest text of an entry, in bytes. A row of an index of
// PostgreSQL holds 2,704, and what a stranger asked for is a target too.
const maxAuditText = 2048

// Clean returns the entry with its texts as they may be stored and shown,
// whoever chose them.
func (e AuditEntry) Clean() AuditEntry {
	for _, text := range []*string{&e.Actor.Login, &e.Action, &e.Target, &e.Reason, &e.From.Address, &e.From.UserAgent} {
		*text = Clean(*text, maxAuditText)
	}
	return e
}

// An AuditOutcome says how it ended.
type AuditOutcome string

// The outcomes.
const (
	Done    AuditOutcome = "ok"
	Refused AuditOutcome = "refused"
)

// An AuditFilter picks audit entries; zero fields pick all. From is included,
// To is not.
type AuditFilter struct {
	Org      OrgID // zero: every org
	Action   string
	Actor    string // a login or a principal's ID
	Target   string
	Outcome  AuditOutcome
	From, To time.Time
	Before   AuditCursor // only entries before this place; zero: from the newest on
	Limit    int
}

// Picks reports whether f picks e, but for the place and the limit.
func (f AuditFilter) Picks(e AuditEntry) bool {
	return (f.Org == 0 || e.Org == f.Org) &&
		(f.Action == "" || e.Action == f.Action) &&
		(f.Actor == "" || e.Actor.Login == f.Actor || strconv.FormatInt(e.Actor.ID, 10) == f.Actor) &&
		(f.Target == "" || e.Target == f.Target) &&
		(f.Outcome == "" || e.Outcome == f.Outcome) &&
		(f.From.IsZero() || !e.At.Before(f.From)) &&
		(f.To.IsZero() || e.At.Before(f.To))
}

// An AuditPage is a part of the audit, newest first. Next is where to go on,
// zero at the end. A page that has fewer entries than were asked for, and a
// Next, ends because enough was looked through: what is wanted is rare.
type AuditPage struct {
	Entries []AuditEntry
	Next    AuditCursor
}

// An AuditCursor is a place in the audit, which is in the order of time.
type AuditCursor struct {
	At time.Time
	ID AuditID
}

// Cursor returns where e stands.
func (e AuditEntry) Cursor() AuditCursor { return AuditCursor{e.At, e.ID} }

// IsZero reports whether p is no place.
func (p AuditCursor) IsZero() bool { return p == AuditCursor{} }

// String returns p as ParseAuditCursor reads it, "" for none.
func (p AuditCursor) String() string {
	if p.IsZero() {
		return ""
	}
	return strconv.FormatInt(p.At.UnixMicro(), 10) + "-" + strconv.FormatInt(int64(p.ID), 10)
}

// ParseAuditCursor reads what String wrote.
func ParseAuditCursor(s string) (AuditCursor, bool) {
	at, id, _ := strings.Cut(s, "-")
	us, ok := ParseID(at)
	n, also := ParseID(id)
	if !ok || !also {
		return AuditCursor{}, false
	}
	return AuditCursor{time.UnixMicro(us).UTC(), AuditID(n)}, true
}
