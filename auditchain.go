package hallpass

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// An AuditLink is one link of the audit's chain: an entry, repeats that were added to
// the count of an entry, what is left of either when retention deleted it, or an entry
// that an export does not show. Links are numbered together, without gaps, in the order
// in which they were written.
type AuditLink struct {
	ID     AuditID
	Kind   AuditLinkKind
	Entry  AuditEntry // of an EntryLink, with the count that it was written with
	Of     AuditID    // of a RepeatLink: the entry
	Count  int64      // of a RepeatLink: how many repeats
	Gone   [32]byte   // of a GoneLink: the Content of what was deleted; of a SealedLink: of what is not shown
	Digest [32]byte   // as it is stored; zero: none is

	// Mistyped names a column in which a value stands that Hallpass cannot have written: one
	// of another type, which SQLite takes in every column. It may read like what was
	// written, so no digest tells, and be found by no search. Empty: there is none.
	Mistyped string

	// Counted says of an entry that its digest covers the count. That of an entry which
	// was written by a program that knew no chain does not: such a program adds repeats
	// and tells nobody.
	Counted bool
}

// An AuditLinkKind says what a link stands for.
type AuditLinkKind string

// The kinds of links.
const (
	EntryLink  AuditLinkKind = "entry"
	RepeatLink AuditLinkKind = "repeat"
	GoneLink   AuditLinkKind = "gone"
	SealedLink AuditLinkKind = "sealed" // only in exports: an entry that its filter does not pick
)

// Content returns the SHA-256 of what the link stands for, in a form that has one reading:
// a text is its length and its bytes, a number eight bytes, the highest first, a time is in
// microseconds since 1970. They are, of an entry: "entry", id, time, org, the actor's kind,
// ID and login, token, action, target, outcome, reason, address, user agent, and 1 and the
// count, or 0 and 0 if the count is not covered; of repeats: "repeat", id, the entry's id,
// how many.
func (l AuditLink) Content() [32]byte {
	var c canonical
	switch l.Kind {
	case GoneLink, SealedLink:
		return l.Gone
	case RepeatLink:
		c = c.text(string(l.Kind)).numbers(int64(l.ID), int64(l.Of), l.Count)
	default:
		e := l.Entry
		c = c.text(string(EntryLink)).numbers(int64(l.ID), micros(e), int64(e.Org), int64(e.Actor.Kind), e.Actor.ID).text(e.Actor.Login).
			numbers(int64(e.Token)).text(e.Action, e.Target, string(e.Outcome), e.Reason, e.From.Address, e.From.UserAgent)
		if l.Counted {
			c = c.numbers(1, e.Count)
		} else {
			c = c.numbers(0, 0)
		}
	}
	return sha256.Sum256(c)
}

// Seal returns the link without what it says: only its number, its Content and its digest.
func (l AuditLink) Seal() AuditLink {
	return AuditLink{ID: l.ID, Kind: SealedLink, Gone: l.Content(), Digest: l.Digest, Mistyped: l.Mistyped}
}

// Prunes reports whether l is the entry of a retention, which a proof reads.
func (l AuditLink) Prunes() bool {
	return l.Kind == EntryLink && l.Entry.Action == AuditPrune && l.Entry.Outcome == Done
}

// micros returns the time of e in microseconds since 1970, 0 for the zero time.
func micros(e AuditEntry) int64 {
	if e.At.IsZero() {
		return 0
	}
	return e.At.UnixMicro()
}

// canonical is a content in the making.
type canonical []byte

func (c canonical) numbers(list ...int64) canonical {
	for _, n := range list {
		c = binary.BigEndian.AppendUint64(c, uint64(n)) // #nosec G115 -- eight bytes are eight bytes
	}
	return c
}

func (c canonical) text(list ...string) canonical {
	for _, s := range list {
		c = append(c.numbers(int64(len(s))), s...)
	}
	return c
}

// Follow returns the digest of l as the link after the one with the digest before: the
// SHA-256 of before and l's Content. The first link of all follows 32 zero bytes.
func (l AuditLink) Follow(before [32]byte) [32]byte { return follow(before, l.Content()) }

func follow(before, content [32]byte) [32]byte {
	return sha256.Sum256(append(before[:], content[:]...))
}

// An AuditMark is a place in the audit's chain: a link, and its digest. The digest
// covers all that was written up to there. The zero AuditMark is the place before the
// first link.
type AuditMark struct {
	ID     AuditID
	Digest [32]byte
}

// String returns m as ParseAuditMark reads it: the link, a colon, its DigestText.
func (m AuditMark) String() string { return fmt.Sprintf("%d:%s", m.ID, DigestText(m.Digest)) }

// ParseAuditMark reads what String wrote; false if it is anything else.
func ParseAuditMark(s string) (m AuditMark, ok bool) {
	id, digest, _ := strings.Cut(s, ":")
	n, ok := ParseID(id)
	if !ok && id != "0" {
		return AuditMark{}, false
	}
	if m.Digest, ok = ParseDigestText(digest); !ok {
		return AuditMark{}, false
	}
	m.ID = AuditID(n)
	return m, true
}

// DigestText returns the digest in hex, in two halves with a hyphen between: 64 digits
// without a break would be taken for the id of a session, and redacted.
func DigestText(d [32]byte) string { return fmt.Sprintf("%x-%x", d[:16], d[16:]) }

// ParseDigestText reads what DigestText wrote; false if it is anything else. It also reads
// a digest without the hyphen.
func ParseDigestText(s string) (d [32]byte, ok bool) {
	b, err := hex.DecodeString(strings.Replace(s, "-", "", 1))
	if err != nil || len(b) != len(d) {
		return d, false
	}
	return [32]byte(b), true
}

// An AuditPruning is what the entry of a retention says about the chain: where it begins
// now, and what is gone after that place because it was older than what stands before it.
type AuditPruning struct {
	Begin AuditMark
	Gone  AuditGone
}

// AuditPrune is the action of the entry that tells what retention deleted.
const AuditPrune = "audit.prune"

const (
	pruningWords = "the chain goes on after "
	withoutWords = " without "
)

// String returns p as the words that end the entry's reason.
func (p AuditPruning) String() string {
	s := pruningWords + p.Begin.String()
	if p.Gone.Links > 0 {
		s += fmt.Sprintf(withoutWords+"%d later links "+DigestText(p.Gone.Digest), p.Gone.Links)
	}
	return s
}

// ParseAuditPruning reads what String wrote from the end of a reason; false if there is
// nothing of the kind, as in an entry of a program that knew no chain.
func ParseAuditPruning(reason string) (p AuditPruning, ok bool) {
	_, words, ok := strings.Cut(reason, pruningWords)
	if !ok {
		return p, false
	}
	mark, gone, more := strings.Cut(words, withoutWords)
	if p.Begin, ok = ParseAuditMark(mark); !ok || !more {
		return p, ok
	}
	links, digest, _ := strings.Cut(gone, " later links ")
	n, ok := ParseID(links)
	p.Gone.Links = n
	if ok {
		p.Gone.Digest, ok = ParseDigestText(digest)
	}
	return p, ok
}

// An AuditGone counts the links that are gone, in the order of their numbers. The zero
// AuditGone is none.
type AuditGone struct {
	Links  int64
	Digest [32]byte // each time the SHA-256 of the digest so far, 32 zero bytes at first, and of the link's number and Content
}

// Add counts a GoneLink.
func (g *AuditGone) Add(l AuditLink) {
	g.Links++
	g.Digest = sha256.Sum256(append(canonical(g.Digest[:]).numbers(int64(l.ID)), l.Gone[:]...))
}
