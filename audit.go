package hallpass

import (
	"crypto/sha256"
	"fmt"
	"slices"
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
	Org       OrgID     // zero: it concerns no org
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

// maxAuditText is the longest text of an entry, in bytes. An index row of PostgreSQL
// holds 2,704 bytes, and a stranger can choose the target.
const maxAuditText = 2048

// Clean returns the entry with every text cleaned, so that it may be stored and
// shown. Strangers choose some of these texts.
func (e AuditEntry) Clean() AuditEntry {
	for _, text := range []*string{&e.Actor.Login, &e.Action, &e.Target, &e.Reason, &e.From.Address, &e.From.UserAgent} {
		*text = Clean(*text, maxAuditText)
	}
	return e
}

// Digest returns the SHA-256 of before and e's columns, each followed by a zero byte: id,
// time in microseconds since 1970, org, the actor's kind, ID and login, token, action,
// target, outcome, reason, address, user agent and count. Of several entries each goes on
// from the digest of the one before it, the first from 32 zero bytes.
func (e AuditEntry) Digest(before [32]byte) [32]byte {
	b := before[:]
	for _, column := range []any{
		e.ID, e.At.UnixMicro(), e.Org, int(e.Actor.Kind), e.Actor.ID, e.Actor.Login, e.Token, e.Action, e.Target, e.Outcome, e.Reason, e.From.Address, e.From.UserAgent, e.Count,
	} {
		b = fmt.Append(b, column)
		b = append(b, 0)
	}
	return sha256.Sum256(b)
}

// An AuditOutcome says whether the action succeeded or was refused.
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
	About    *AuditAbout // nil: anything
	Outcome  AuditOutcome
	From, To time.Time
	Before   AuditCursor // only entries older than this position; zero: start with the newest
	Limit    int
}

// An AuditAbout picks the entries about things: what was done to any of the targets, and
// what the actor did or was refused.
type AuditAbout struct {
	Targets []string
	Actor   int64   // a principal's ID; zero: nobody
	Token   TokenID // with which the actor did it; zero: with any or none
}

// Picks reports whether a picks e.
func (a *AuditAbout) Picks(e AuditEntry) bool {
	return slices.Contains(a.Targets, e.Target) || a.Actor != 0 && e.Actor.ID == a.Actor && (a.Token == 0 || e.Token == a.Token)
}

// Picks reports whether f picks e. It ignores Before and Limit.
func (f AuditFilter) Picks(e AuditEntry) bool {
	return (f.Org == 0 || e.Org == f.Org) &&
		(f.Action == "" || e.Action == f.Action) &&
		(f.Actor == "" || e.Actor.Login == f.Actor || strconv.FormatInt(e.Actor.ID, 10) == f.Actor) &&
		(f.Target == "" || e.Target == f.Target) &&
		(f.About == nil || f.About.Picks(e)) &&
		(f.Outcome == "" || e.Outcome == f.Outcome) &&
		(f.From.IsZero() || !e.At.Before(f.From)) &&
		(f.To.IsZero() || e.At.Before(f.To))
}

// An AuditPage is a part of the audit, newest first. Next is the cursor of the
// next page, zero at the end. A page with a Next may have fewer entries than the
// limit: a search stops after it has read a bounded number of rows.
type AuditPage struct {
	Entries []AuditEntry
	Next    AuditCursor
}

// An AuditCursor is the position of an entry in the audit, which is ordered by time.
type AuditCursor struct {
	At time.Time
	ID AuditID
}

// Cursor returns the position of e in the audit.
func (e AuditEntry) Cursor() AuditCursor { return AuditCursor{e.At, e.ID} }

// IsZero reports whether p is the zero cursor.
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
