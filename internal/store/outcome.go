package store

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A JournalEntry is one line of the journal.
type JournalEntry struct {
	Version hallpass.Version    `json:"v"`
	Digest  string              `json:"digest"` // of the history up to Version, hex
	Kind    hallpass.ChangeKind `json:"kind"`
	ID      int64               `json:"id"`
	Hash    string              `json:"hash,omitempty"` // the first half of a token's or session's hash, hex
	Outcome Outcome             `json:"outcome"`
	At      time.Time           `json:"at"`
}

// An Outcome is what had become of a change's subject. Zero values give the
// least.
type Outcome struct {
	Ended       bool              `json:"ended,omitempty"` // gone, revoked or disabled
	Role        string            `json:"role,omitempty"`
	ServerAdmin bool              `json:"serverAdmin,omitempty"`
	Password    string            `json:"password,omitempty"` // a mark of its hash: only to tell one from another
	Members     map[string]string `json:"members,omitempty"`  // role by org
	Open        bool              `json:"open,omitempty"`     // that permissions changed is known, and not how
}

func newJournalEntry(r ChangeRow, o Outcome) JournalEntry {
	e := JournalEntry{Version: r.Version, Digest: hex.EncodeToString(r.Digest[:]), Kind: r.Change.Kind, ID: r.Change.ID, Outcome: o, At: time.Now().UTC()}
	if r.Change.Hash != [32]byte{} {
		e.Hash = hex.EncodeToString(r.Change.Hash[:16])
	}
	return e
}

// passwordMark tells one password hash from another and gives nothing away: the
// hash holds a random salt.
func passwordMark(hash string) string {
	sum := sha256.Sum256([]byte("journal:" + hash))
	return hex.EncodeToString(sum[:8])
}
