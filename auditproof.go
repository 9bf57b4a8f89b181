package hallpass

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// An AuditProof follows the audit's chain from link to link and finds what does not
// fit. It reads each link once and remembers only what is wrong. It is not safe for
// concurrent use.
//
// A chain proves that what stands in it is what was written, and in which order, as far
// as its end is known to be true: who can write to the database can write a whole chain
// anew. A mark that was kept elsewhere shows that.
type AuditProof struct {
	chain    AuditChain
	known    []AuditMark // not yet come to
	report   AuditReport
	at       [32]byte // digest of the link before
	last     AuditID  // its number
	linked   bool     // a link had a digest
	suspects []auditSuspect
	gone     AuditGone
	pruned   AuditPruning   // what the newest entry of retention says
	told     AuditRetention // that entry
	noted    AuditID        // the newest of the marks that were kept elsewhere; zero: there are none
}

// An AuditChain says where the chain of an audit begins and ends.
type AuditChain struct {
	Begin   AuditMark // retention deleted what was up to here
	End     AuditMark // the last link
	Pruning bool      // retention is at work, or was killed: the entry that tells what is gone is still to come. No digest covers this

	// Broken says what is wrong with the rows that say this, or with the tables of the
	// audit as a whole. Empty: nothing is.
	Broken string
}

// An AuditRetention names the entry of a retention. The zero AuditRetention is none.
type AuditRetention struct {
	Entry AuditID
	At    time.Time
}

// String returns r as a part of a sentence.
func (r AuditRetention) String() string {
	return fmt.Sprintf("the retention entry %d of %s", r.Entry, r.At.UTC().Format("2 January 2006"))
}

// An AuditReport is what an AuditProof found.
type AuditReport struct {
	AuditChain
	Entries int64
	Early   int64       // of the entries, those from before the chain: covered together by the link after them, without their counts
	Late    int64       // entries after the end, which the next entry will link
	Sealed  int64       // links of an export that do not show their entry
	First   time.Time   // of the entry that happened first; zero: there is none
	Last    time.Time   // of the entry that happened last
	Agreed  []AuditMark // marks that were kept elsewhere, and agree: nothing up to there has changed since
	Gone    []AuditMark // marks that can no longer be compared: retention deleted what they cover
	Deleted int64       // links after Begin of which only digests are left

	Told    AuditRetention   // tells of all that is gone; zero: nothing is, or no entry tells of it
	Untold  bool             // Pruning, and no entry tells yet of all that is gone
	Newer   []AuditRetention // entries of retention that are newer than all known marks: somebody could have written them since
	Faults  []AuditFault
	Unnamed int64 // faults beyond those
}

// AuditUntold says of a report that is Untold what is the matter.
const AuditUntold = "retention is at work, or was stopped: what it deleted so far is told by no entry yet; run this again"

// OK reports whether nothing is wrong, and an entry of retention tells of all that is gone.
func (r AuditReport) OK() bool { return len(r.Faults) == 0 && !r.Untold }

// Lacks reports whether anything is gone, for whatever reason.
func (r AuditReport) Lacks() bool { return r.Begin.ID > 0 || r.Deleted > 0 }

// Retention returns sentences about what is gone, and about entries of retention that
// somebody could have written after the known marks; none if there is nothing to say.
func (r AuditReport) Retention() (says []string) {
	tells := func(what string) string {
		if r.Told == (AuditRetention{}) {
			return "."
		}
		return fmt.Sprintf(": %s tells that it deleted %s.", r.Told, what)
	}
	if r.Begin.ID > 0 {
		says = append(says, fmt.Sprintf("The audit begins after entry %d", r.Begin.ID)+tells("what was up to there"))
	}
	switch {
	case r.Deleted == 1:
		says = append(says, "1 entry among these is gone"+tells("it"))
	case r.Deleted > 1:
		says = append(says, fmt.Sprintf("%d entries among these are gone", r.Deleted)+tells("them"))
	}
	for _, n := range r.Newer {
		says = append(says, fmt.Sprintf("T%s is newer than the digest that was noted: whoever can write to the database could have written it since.", n.String()[1:]))
	}
	return says
}

// An AuditFault is something in the audit that is not as it was written.
type AuditFault struct {
	Kind     AuditFaultKind
	From, To AuditID // the links that it is about, both included
	Detail   string  // what else is known; may be empty
}

// An AuditFaultKind says how the audit is wrong.
type AuditFaultKind string

// The kinds of faults.
const (
	AuditChanged    AuditFaultKind = "changed"      // it says something else than what was written
	AuditMissing    AuditFaultKind = "missing"      // it was written, and is not there
	AuditAdded      AuditFaultKind = "added"        // it is there, and was not written by Hallpass
	AuditOutOfOrder AuditFaultKind = "out of order" // it stands at another place than it was written at
	AuditBroken     AuditFaultKind = "broken"       // it is about no entry alone: From and To are 0
)

// String returns the fault as a sentence without its full stop.
func (f AuditFault) String() string {
	if f.Kind == AuditBroken {
		return f.Detail
	}
	s := fmt.Sprintf("entry %d is %s", f.From, f.Kind)
	if f.From != f.To {
		s = fmt.Sprintf("entries %d to %d are %s", f.From, f.To, f.Kind)
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}

// maxAuditFaults is how many faults are remembered. What does not fit is compared with
// all else that does not.
const maxAuditFaults = 200

// An auditSuspect is a link that does not follow the one before it.
type auditSuspect struct {
	link    AuditLink
	content [32]byte
	before  [32]byte
	missing AuditID // the first number that is missing before it; zero: none is
	kind    AuditFaultKind
	from    AuditID // of what is out of order: where it was written
	covers  bool    // it is the first with a digest, after entries without
}

// NewAuditProof returns an AuditProof of the chain. known are marks that were kept
// elsewhere.
func NewAuditProof(c AuditChain, known ...AuditMark) *AuditProof {
	p := &AuditProof{chain: c, at: c.Begin.Digest, last: c.Begin.ID, report: AuditReport{AuditChain: c}}
	if c.Broken != "" {
		p.fault(AuditFault{Kind: AuditBroken, Detail: c.Broken})
	}
	for _, m := range known {
		p.noted = max(p.noted, m.ID)
		switch {
		case m.ID > c.End.ID:
			p.fault(AuditFault{AuditMissing, c.End.ID + 1, m.ID, "the digest of one of them was noted"})
		case m.ID > c.Begin.ID:
			p.known = append(p.known, m)
		case m.ID < c.Begin.ID:
			p.report.Gone = append(p.report.Gone, m)
		default:
			p.compareMark(m, c.Begin.Digest)
		}
	}
	slices.SortFunc(p.known, func(a, b AuditMark) int { return cmp.Compare(a.ID, b.ID) })
	return p
}

const notNoted = "its digest is not the one that was noted, so the chain up to here was written anew"

func (p *AuditProof) fault(f AuditFault) {
	if len(p.report.Faults) >= maxAuditFaults {
		p.report.Unnamed++
		return
	}
	p.report.Faults = append(p.report.Faults, f)
}

// Add takes the next link. Links come in the order of their numbers.
func (p *AuditProof) Add(l AuditLink) {
	p.count(l)
	if l.Mistyped != "" {
		p.fault(AuditFault{AuditChanged, l.ID, l.ID, fmt.Sprintf("its %s is not a value that Hallpass writes there", l.Mistyped)})
	}
	switch {
	case l.ID <= p.chain.Begin.ID:
		p.fault(AuditFault{AuditAdded, l.ID, l.ID, fmt.Sprintf("all up to %d was deleted by retention", p.chain.Begin.ID)})
	case l.ID <= p.last:
		p.fault(AuditFault{AuditOutOfOrder, l.ID, l.ID, fmt.Sprintf("it comes after %d", p.last)})
	case l.ID > p.chain.End.ID && l.Digest == [32]byte{}:
		p.report.Late++
	case l.ID > p.chain.End.ID:
		p.fault(AuditFault{AuditAdded, l.ID, l.ID, fmt.Sprintf("the chain ends at %d", p.chain.End.ID)})
	default:
		p.follow(l)
	}
}

func (p *AuditProof) count(l AuditLink) {
	if l.Kind == SealedLink {
		p.report.Sealed++
	}
	if l.Kind != EntryLink {
		return
	}
	p.report.Entries++
	if at := l.Entry.At; p.report.First.IsZero() || at.Before(p.report.First) {
		p.report.First = at
	}
	if at := l.Entry.At; at.After(p.report.Last) {
		p.report.Last = at
	}
}

// follow compares l with the link before it.
func (p *AuditProof) follow(l AuditLink) {
	s := auditSuspect{link: l, content: l.Content(), before: p.at, covers: !p.linked && p.report.Early > 0}
	if l.ID > p.last+1 {
		s.missing = p.last + 1
	}
	none, want := l.Digest == [32]byte{}, follow(p.at, s.content)
	switch early := none && !p.linked && !l.Counted && l.Kind != RepeatLink; {
	case early && l.Kind != GoneLink:
		p.report.Early++
	case !early && l.Digest != want:
		p.suspect(s)
	}
	p.last, p.at, p.linked = l.ID, l.Digest, p.linked || !none
	if none {
		p.at = want
	}
	p.passKnown(l.ID, p.at)
	p.pruning(l)
}

// pruning remembers what l says about what is gone.
func (p *AuditProof) pruning(l AuditLink) {
	if l.Kind == GoneLink {
		p.gone.Add(l)
	}
	if !l.Prunes() {
		return
	}
	said, ok := ParseAuditPruning(l.Entry.Reason)
	if !ok {
		return
	}
	p.pruned, p.told = said, AuditRetention{l.ID, l.Entry.At}
	if p.noted > 0 && l.ID > p.noted {
		p.report.Newer = append(p.report.Newer, p.told)
	}
}

func (p *AuditProof) suspect(s auditSuspect) {
	if len(p.suspects) >= maxAuditFaults {
		p.report.Unnamed++
		return
	}
	p.suspects = append(p.suspects, s)
}

// passKnown compares the link and its digest with the marks that were kept elsewhere.
func (p *AuditProof) passKnown(link AuditID, digest [32]byte) {
	for len(p.known) > 0 && p.known[0].ID <= link {
		m := p.known[0]
		p.known = p.known[1:]
		if m.ID < link {
			p.fault(AuditFault{AuditMissing, m.ID, m.ID, "its digest was noted"})
			continue
		}
		p.compareMark(m, digest)
	}
}

func (p *AuditProof) compareMark(m AuditMark, digest [32]byte) {
	if m.Digest != digest {
		p.fault(AuditFault{AuditChanged, m.ID, m.ID, notNoted})
		return
	}
	p.report.Agreed = append(p.report.Agreed, m)
}

// End says that there are no more links, and returns what was found.
func (p *AuditProof) End() AuditReport {
	end := p.chain.End
	p.resolve()
	switch wrong := len(p.suspects) > 0 && p.suspects[len(p.suspects)-1].link.ID == p.last; {
	case end.ID > p.last:
		p.fault(AuditFault{AuditMissing, p.last + 1, end.ID, "the end was cut off"})
	case end.Digest != p.at && !wrong && p.report.Broken == "": // the mark of a broken chain may be lost
		p.fault(AuditFault{AuditChanged, p.last, p.last, "its digest is not that of the chain's end"})
	}
	p.checkPruning()
	return p.sorted()
}

// checkPruning compares what is gone with what the newest entry of retention says.
func (p *AuditProof) checkPruning() {
	p.report.Deleted = p.gone.Links
	if p.pruned == (AuditPruning{p.chain.Begin, p.gone}) {
		p.report.Told = p.told
		return
	}
	if p.report.Pruning {
		p.report.Untold = true
		return
	}
	const untold = "no entry of retention tells that it deleted them"
	switch from := p.pruned.Begin.ID + 1; {
	case p.chain.Begin.ID >= from:
		p.fault(AuditFault{AuditMissing, from, p.chain.Begin.ID, untold})
	case p.gone != p.pruned.Gone:
		p.fault(AuditFault{AuditMissing, p.chain.Begin.ID + 1, p.last, fmt.Sprintf("%d entries among these are gone, and %s", p.gone.Links, untold)})
	default:
		p.fault(AuditFault{AuditChanged, p.chain.Begin.ID, p.chain.Begin.ID, "where the chain begins is not where retention says"})
	}
}

// sorted returns the report with its faults in the order of the links. What is out of
// order is not missing too.
func (p *AuditProof) sorted() AuditReport {
	var moved []AuditID
	for _, f := range p.report.Faults {
		if f.Kind == AuditOutOfOrder {
			moved = append(moved, f.From)
		}
	}
	p.report.Faults = slices.DeleteFunc(p.report.Faults, func(f AuditFault) bool {
		return f.Kind == AuditMissing && f.From == f.To && slices.Contains(moved, f.From)
	})
	slices.SortStableFunc(p.report.Faults, func(a, b AuditFault) int { return cmp.Compare(a.From, b.From) })
	return p.report
}

// resolve says of each suspect what is wrong with it. One whose digest follows another
// link than the one that stands before it is as it was written.
func (p *AuditProof) resolve() {
	sound := make([]bool, len(p.suspects))
	for i := range p.suspects {
		for j := range p.suspects {
			if i != j {
				sound[i] = compare(&p.suspects[i], &p.suspects[j]) || sound[i]
			}
		}
	}
	for i, s := range p.suspects {
		if sound[i] && s.kind != AuditOutOfOrder {
			continue
		}
		if f := s.wrong(); f.Kind != AuditChanged || s.link.Mistyped == "" { // else Add has told it
			p.fault(f)
		}
	}
}

// compare finds what x tells of s and s of x, and reports whether s is sound.
func compare(s, x *auditSuspect) (sound bool) {
	if x.fitsAt(*s) {
		s.kind, s.from = AuditOutOfOrder, x.link.ID
		if x.kind != AuditOutOfOrder {
			x.kind, x.from = AuditOutOfOrder, s.link.ID
		}
	}
	if x.link.ID < s.link.ID && s.follows(x.before) {
		x.kind = cmp.Or(x.kind, AuditAdded)
		return true
	}
	return s.follows(x.link.Digest)
}

// follows reports whether s follows the link with the digest before.
func (s auditSuspect) follows(before [32]byte) bool {
	return s.link.Digest != [32]byte{} && follow(before, s.content) == s.link.Digest
}

// fitsAt reports whether what s says was written at the place of x.
func (s auditSuspect) fitsAt(x auditSuspect) bool {
	if s.link.Kind == GoneLink || s.link.Kind == SealedLink {
		return false
	}
	s.link.ID = x.link.ID
	d := s.link.Follow(x.before)
	return d == x.link.Digest || d == s.link.Digest
}

// wrong returns what is wrong with s.
func (s auditSuspect) wrong() AuditFault {
	id := s.link.ID
	switch {
	case s.kind == AuditOutOfOrder:
		return AuditFault{s.kind, id, id, fmt.Sprintf("what stands there was written at %d", s.from)}
	case s.kind == AuditAdded:
		return AuditFault{s.kind, id, id, "the entry after it follows the one before it"}
	case s.missing != 0:
		return AuditFault{AuditMissing, s.missing, id - 1, ""}
	case s.link.Digest == [32]byte{}:
		return AuditFault{AuditChanged, id, id, "it has no digest"}
	case s.covers:
		return AuditFault{AuditChanged, id, id, "or one of those before it, from before the chain"}
	case s.link.Kind == RepeatLink:
		return AuditFault{AuditChanged, id, id, fmt.Sprintf("it counts repeats of entry %d", s.link.Of)}
	}
	return AuditFault{AuditChanged, id, id, "or the digest of the one before it"}
}
