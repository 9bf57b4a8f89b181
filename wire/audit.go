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

// AuditChain is the first line of GET /api/audit?format=chain: where the chain of the
// audit begins and ends. Each line after it is an AuditLink, in the order of the numbers.
type AuditChain struct {
	Chain   string    `json:"chain"`            // AuditChainForm
	Begin   AuditMark `json:"begin"`            // retention deleted what was up to here
	End     AuditMark `json:"end"`              // the last link
	Pruning bool      `json:"pruning"`          // no digest covers it
	Broken  string    `json:"broken,omitempty"` // what somebody did to the rows that say this, or to the tables
}

// AuditChainForm names the form of the lines of an AuditChain. Another form gets another
// name.
const AuditChainForm = "hallpass-audit-1"

// AuditMark is a link of the audit's chain and its digest, which covers all up to there.
// Digests are in hex, in two halves with a hyphen between.
type AuditMark struct {
	ID     int64  `json:"id"`
	Digest string `json:"digest"`
}

// AuditLink is one link of the audit's chain. Digest is the SHA-256 of the digest before it
// and of the link's content, "" of what was written before the chain.
type AuditLink struct {
	Link    string      `json:"link"` // "entry", "repeat", "gone" or "sealed"
	ID      int64       `json:"id"`
	Entry   *AuditEntry `json:"entry,omitempty"`   // of an entry, with the count that it was written with
	Counted bool        `json:"counted,omitempty"` // of an entry: the digest covers the count
	Of      int64       `json:"of,omitempty"`      // of a repeat: the entry
	Count   int64       `json:"count,omitempty"`   // of a repeat: how many
	Content string      `json:"content,omitempty"` // of what is gone or sealed: the SHA-256 of its content
	Digest  string      `json:"digest"`

	Mistyped string `json:"mistyped,omitempty"` // the column in which a value stands that Hallpass does not write
}

// AuditProof is what "hallpass audit verify -o json" prints.
type AuditProof struct {
	Whole    bool         `json:"whole"`
	Entries  int64        `json:"entries"`
	First    *time.Time   `json:"first"` // null: there is no entry
	Last     *time.Time   `json:"last"`
	Early    int64        `json:"early"`  // entries from before the chain
	Late     int64        `json:"late"`   // entries that the next one will link
	Sealed   int64        `json:"sealed"` // entries of which the export has only digests
	Begin    int64        `json:"begin"`  // retention deleted what was up to here
	Digest   string       `json:"digest"` // of the end, to be kept elsewhere: for --known
	Agreed   []string     `json:"agreed"` // of --known: nothing up to there has changed
	Gone     []string     `json:"gone"`   // of --known: retention deleted what they cover
	Faults   []AuditFault `json:"faults"`
	Unlisted int64        `json:"unlisted"` // further faults

	Deleted int64            `json:"deleted"` // links after Begin that are gone
	Told    *AuditRetention  `json:"told"`    // tells of all that is gone; null: nothing is, or no entry tells of it
	Untold  bool             `json:"untold"`  // retention is at work, or was stopped, so that it is not whole: run it again
	Newer   []AuditRetention `json:"newer"`   // newer than each --known: somebody could have written them since
}

// AuditRetention is the entry of a retention in an AuditProof.
type AuditRetention struct {
	Entry int64     `json:"entry"`
	Time  time.Time `json:"time"`
}

// AuditFault is one fault of an AuditProof: From and To are the first and the last entry
// that it is about, 0 of the kind "broken", which is about no entry alone.
type AuditFault struct {
	Kind string `json:"kind"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Text string `json:"text"`
}
