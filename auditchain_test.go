package hallpass_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// TestAuditLinkVectors pins the bytes of the audit's chain: databases and exports hold
// its digests for good. The vectors were computed apart from this code.
func TestAuditLinkVectors(t *testing.T) {
	var gone [32]byte
	for i := range gone {
		gone[i] = byte(i)
	}
	ana := hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 7, Login: "ana"}
	var digest [32]byte
	for i, step := range []struct {
		link hallpass.AuditLink
		want string
	}{
		{hallpass.AuditLink{ID: 1, Kind: hallpass.EntryLink, Counted: true, Entry: hallpass.AuditEntry{
			At: time.UnixMicro(1763899200123456), Org: 1, Actor: ana, Token: 3, Action: "token.create", Target: "token:5", Outcome: hallpass.Done,
			Reason: "for sa-1-ci", From: hallpass.From{Address: "10.0.0.1", UserAgent: "curl/8"}, Count: 1,
		}}, "8cc0b4aa6d62db4016db1c5a9f683d7b1cda11b10bf42a73fd2316bf57b4b1b4"},
		{hallpass.AuditLink{ID: 2, Kind: hallpass.EntryLink, Entry: hallpass.AuditEntry{
			Action: "token.verify", Target: "token:5", Outcome: hallpass.Refused, Reason: "api-key.revoked", From: hallpass.From{UserAgent: "µ"}, Count: 9,
		}}, "e541934199b609d3a999146a153c22833b6b40e52de7cf6bad5bdfa092b412fc"},
		{hallpass.AuditLink{ID: 3, Kind: hallpass.RepeatLink, Of: 2, Count: 40}, "af74a5cf0c3f7390baf136185d1182074a50038cb9209702a4aba79d92667803"},
		{hallpass.AuditLink{ID: 4, Kind: hallpass.GoneLink, Gone: gone}, "70f3c6105ff3295f26d329006bdc1548dde7c22ec20601602161092ad98fb09d"},
	} {
		digest = step.link.Follow(digest)
		if got := hex.EncodeToString(digest[:]); got != step.want {
			t.Fatalf("digest of link %d = %s, want %s", i+1, got, step.want)
		}
	}
}

// changedFields changes one field of an entry each.
var changedFields = map[string]func(*hallpass.AuditEntry){
	"time":       func(e *hallpass.AuditEntry) { e.At = e.At.Add(time.Microsecond) },
	"org":        func(e *hallpass.AuditEntry) { e.Org++ },
	"actor kind": func(e *hallpass.AuditEntry) { e.Actor.Kind++ },
	"actor id":   func(e *hallpass.AuditEntry) { e.Actor.ID++ },
	"login":      func(e *hallpass.AuditEntry) { e.Actor.Login += "x" },
	"token":      func(e *hallpass.AuditEntry) { e.Token++ },
	"action":     func(e *hallpass.AuditEntry) { e.Action, e.Target = e.Action+e.Target[:1], e.Target[1:] },
	"target":     func(e *hallpass.AuditEntry) { e.Target += "0" },
	"outcome":    func(e *hallpass.AuditEntry) { e.Outcome = hallpass.Done },
	"reason":     func(e *hallpass.AuditEntry) { e.Reason = "" },
	"address":    func(e *hallpass.AuditEntry) { e.From.Address, e.From.UserAgent = e.From.UserAgent, e.From.Address },
	"user agent": func(e *hallpass.AuditEntry) { e.From.UserAgent += " " },
	"count":      func(e *hallpass.AuditEntry) { e.Count-- },
}

// chained is a chain of 20 links: the first five are from before it, 8 counts repeats of
// 7, 10 is gone, and 20 says so.
func chained() ([]hallpass.AuditLink, hallpass.AuditChain) {
	links := make([]hallpass.AuditLink, 20)
	var at [32]byte
	var gone hallpass.AuditGone
	for i := range links {
		l := hallpass.AuditLink{ID: hallpass.AuditID(i + 1), Kind: hallpass.EntryLink, Counted: i >= 5, Entry: hallpass.AuditEntry{
			At: time.UnixMicro(1763899200000000 + int64(i)), Org: 1, Actor: hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 7, Login: "ana"}, Token: 3,
			Action: "token.verify", Target: "token:5", Outcome: hallpass.Refused, Reason: "api-key.revoked", From: hallpass.From{Address: "10.0.0.1", UserAgent: "curl"}, Count: 3,
		}}
		switch l.ID {
		case 8:
			l = hallpass.AuditLink{ID: 8, Kind: hallpass.RepeatLink, Of: 7, Count: 4}
		case 10:
			l.Gone, l.Kind = l.Content(), hallpass.GoneLink
			gone.Add(l)
		case 20:
			l.Entry.Action, l.Entry.Outcome, l.Entry.Reason = hallpass.AuditPrune, hallpass.Done, "deleted 1 entries; "+hallpass.AuditPruning{Gone: gone}.String()
		}
		at = l.Follow(at)
		if i >= 5 {
			l.Digest = at
		}
		links[i] = l
	}
	return links, hallpass.AuditChain{End: hallpass.AuditMark{ID: 20, Digest: at}}
}

func proved(links []hallpass.AuditLink, c hallpass.AuditChain, known ...hallpass.AuditMark) hallpass.AuditReport {
	p := hallpass.NewAuditProof(c, known...)
	for _, l := range links {
		p.Add(l)
	}
	return p.End()
}

func TestAuditProofOfWhatIsWhole(t *testing.T) {
	links, c := chained()
	if r := proved(links, c, hallpass.AuditMark{}, hallpass.AuditMark{ID: 12, Digest: links[11].Digest}); !r.OK() || r.Entries != 18 || r.Early != 5 || r.Late != 0 {
		t.Errorf("%+v", r)
	}
	late := links[19]
	late.ID, late.Digest = 21, [32]byte{}
	if r := proved(append(links, late), c); !r.OK() || r.Late != 1 {
		t.Errorf("with an entry that is not linked yet: %+v", r)
	}
	c.Begin = hallpass.AuditMark{ID: 9, Digest: links[8].Digest}
	if r := proved(links[9:], c); r.OK() {
		t.Error("nobody told that entries 1 to 9 are gone")
	}
	c.Pruning = true
	if r := proved(links[9:], c); r.OK() || !r.Untold || len(r.Faults) > 0 {
		t.Errorf("while retention deletes: %+v", r)
	}
	if r := proved(nil, hallpass.AuditChain{}); !r.OK() || r.Entries != 0 {
		t.Errorf("of nothing: %+v", r)
	}
}

// TestAuditProofFindsEachField changes one field of one entry.
func TestAuditProofFindsEachField(t *testing.T) {
	for name, change := range changedFields {
		for _, i := range []int{5, 12, 18} {
			links, c := chained()
			change(&links[i].Entry)
			r := proved(links, c)
			if len(r.Faults) != 1 || r.Faults[0].Kind != hallpass.AuditChanged || r.Faults[0].From != hallpass.AuditID(i+1) {
				t.Errorf("%s of entry %d: %v", name, i+1, r.Faults)
			}
		}
		links, c := chained()
		change(&links[2].Entry)
		if r := proved(links, c); r.OK() == (name != "count") {
			t.Errorf("%s of an entry from before the chain: %v", name, r.Faults)
		}
	}
}

// TestAuditProofFinds takes links away, puts others in and moves them.
func TestAuditProofFinds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tamper func([]hallpass.AuditLink, *hallpass.AuditChain) []hallpass.AuditLink
		want   []string
	}{
		{"one is deleted", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			return slices.Delete(l, 12, 13)
		}, []string{"entry 13 is missing"}},
		{"several are deleted", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			return slices.Delete(l, 12, 15)
		}, []string{"entries 13 to 15 are missing"}},
		{"repeats are deleted", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			return slices.Delete(l, 7, 8)
		}, []string{"entry 8 is missing"}},
		{"repeats are changed", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink { l[7].Count--; return l }, []string{"entry 8 is changed: it counts repeats of entry 7"}},
		{"one from before the chain is deleted", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			return slices.Delete(l, 1, 2)
		},
			[]string{"entry 6 is changed: or one of those before it, from before the chain"}},
		{"the end is cut off", func(l []hallpass.AuditLink, c *hallpass.AuditChain) []hallpass.AuditLink {
			c.Pruning = true
			return l[:17]
		}, []string{"entries 18 to 20 are missing: the end was cut off"}},
		{"two are swapped in place", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12].Entry, l[15].Entry = l[15].Entry, l[12].Entry
			return l
		}, []string{"entry 13 is out of order: what stands there was written at 16", "entry 16 is out of order: what stands there was written at 13"}},
		{"two are swapped with their digests", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12], l[15] = l[15], l[12]
			l[12].ID, l[15].ID = 13, 16
			return l
		}, []string{"entry 13 is out of order: what stands there was written at 16", "entry 16 is out of order: what stands there was written at 13"}},
		{"two neighbours are swapped with their digests", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12], l[13] = l[13], l[12]
			l[12].ID, l[13].ID = 13, 14
			return l
		}, []string{"entry 13 is out of order: what stands there was written at 14", "entry 14 is out of order: what stands there was written at 13"}},
		{"two lines are swapped", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12], l[13] = l[13], l[12]
			return l
		}, []string{"entry 13 is out of order: it comes after 14"}},
		{"one is added after the end", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			x := l[19]
			x.ID++
			return append(l, x)
		}, []string{"entry 21 is added: the chain ends at 20"}},
		{"the digest is removed", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12].Digest = [32]byte{}
			return l
		}, []string{"entry 13 is changed: it has no digest"}},
		{"one is changed with its digest", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12].Entry.Reason = "x"
			l[12].Digest = l[12].Follow(l[11].Digest)
			return l
		}, []string{"entry 14 is changed: or the digest of the one before it"}},
		{"one is made to look deleted", func(l []hallpass.AuditLink, _ *hallpass.AuditChain) []hallpass.AuditLink {
			l[12].Kind, l[12].Gone = hallpass.GoneLink, l[12].Content()
			return l
		}, []string{"entries 1 to 20 are missing: 2 entries among these are gone, and no entry of retention tells that it deleted them"}},
		{"the beginning is cut off", func(l []hallpass.AuditLink, c *hallpass.AuditChain) []hallpass.AuditLink {
			c.Begin = hallpass.AuditMark{ID: 7, Digest: l[6].Digest}
			return l[7:]
		}, []string{"entries 1 to 7 are missing: no entry of retention tells that it deleted them"}},
		{"what is gone is put back", func(l []hallpass.AuditLink, c *hallpass.AuditChain) []hallpass.AuditLink {
			c.Begin, c.Pruning = hallpass.AuditMark{ID: 7, Digest: l[6].Digest}, true
			return l[6:]
		}, []string{"entry 7 is added: all up to 7 was deleted by retention"}},
	} {
		links, c := chained()
		var got []string
		for _, f := range proved(tt.tamper(links, &c), c).Faults {
			got = append(got, f.String())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAuditProofFindsAdded puts an entry where a number was left out.
func TestAuditProofFindsAdded(t *testing.T) {
	var links []hallpass.AuditLink
	var at hallpass.AuditMark
	for _, id := range []hallpass.AuditID{1, 2, 4, 5} {
		l := hallpass.AuditLink{ID: id, Kind: hallpass.EntryLink, Counted: true}
		l.Digest = l.Follow(at.Digest)
		links, at = append(links, l), hallpass.AuditMark{ID: id, Digest: l.Digest}
	}
	c := hallpass.AuditChain{End: at}
	if r := proved(links, c); !r.OK() {
		t.Errorf("a number that was left out: %v", r.Faults)
	}
	x := hallpass.AuditLink{ID: 3, Kind: hallpass.EntryLink, Entry: hallpass.AuditEntry{Reason: "x"}, Digest: [32]byte{1}}
	for range 2 {
		r := proved(slices.Insert(slices.Clone(links), 2, x), c)
		if len(r.Faults) != 1 || r.Faults[0].Kind != hallpass.AuditAdded || r.Faults[0].From != 3 {
			t.Errorf("digest %x: %v", x.Digest, r.Faults)
		}
		x.Digest = [32]byte{} // and without a digest
	}
}

// TestAuditProofOfMarks compares a chain that was written anew with what was noted of the
// one before.
func TestAuditProofOfMarks(t *testing.T) {
	links, c := chained()
	mark := hallpass.AuditMark{ID: 12, Digest: links[11].Digest}
	at := links[9].Digest
	for i := 10; i < len(links); i++ {
		links[i].Entry.Org = 2
		links[i].Digest = links[i].Follow(at)
		at = links[i].Digest
	}
	c.End.Digest = at
	if r := proved(links, c); !r.OK() {
		t.Errorf("without a mark nobody can tell, but: %v", r.Faults)
	}
	if r := proved(links, c, mark); len(r.Faults) != 1 || r.Faults[0].From != 12 {
		t.Errorf("with a mark: %v", r.Faults)
	}
	if r := proved(links, c, hallpass.AuditMark{ID: 25}); len(r.Faults) != 1 || r.Faults[0].String() != "entries 21 to 25 are missing: the digest of one of them was noted" {
		t.Errorf("of an end that was cut off with its mark: %v", r.Faults)
	}
}

// TestAuditProofOfManyFaults bounds what is remembered.
func TestAuditProofOfManyFaults(t *testing.T) {
	links, _ := chained()
	p := hallpass.NewAuditProof(hallpass.AuditChain{End: hallpass.AuditMark{ID: 1000}})
	for i := range 1000 {
		l := links[12]
		l.ID = hallpass.AuditID(i + 1)
		p.Add(l)
	}
	if r := p.End(); len(r.Faults) == 0 || len(r.Faults) > 200 || int64(len(r.Faults))+r.Unnamed < 1000 {
		t.Errorf("%d faults and %d unnamed", len(r.Faults), r.Unnamed)
	}
}

func FuzzAuditProof(f *testing.F) {
	f.Add(uint8(12), uint8(3), "x")
	f.Fuzz(func(t *testing.T, at, field uint8, text string) {
		links, c := chained()
		i := int(at) % len(links)
		before := links[i].Content()
		switch e := &links[i].Entry; field % 4 {
		case 0:
			e.Reason = text
		case 1:
			e.Actor.Login, e.Action = e.Actor.Login+text, strings.TrimSuffix(e.Action, "y")
		case 2:
			e.Target, e.Reason = e.Target+e.Reason, text
		case 3:
			links[i].Digest = [32]byte([]byte(text + string(make([]byte, 32)))[:32])
			before = [32]byte{}
		}
		same := links[i].Content() == before || before == [32]byte{} && i < 5 && links[i].Digest == [32]byte{}
		if r := proved(links, c); r.OK() != same {
			t.Errorf("link %d: %v", i+1, r.Faults)
		}
	})
}

// TestAuditPruningSurvivesCleaning reads what an entry of retention says about the chain
// from an entry as it is stored.
func TestAuditPruningSurvivesCleaning(t *testing.T) {
	links, c := chained()
	for _, p := range []hallpass.AuditPruning{{Begin: c.End}, {Begin: c.End, Gone: hallpass.AuditGone{Links: 3, Digest: links[12].Digest}}} {
		e := hallpass.AuditEntry{Reason: "deleted 3 entries, SHA-256 " + hallpass.DigestText(c.End.Digest) + "; " + p.String()}
		if got, ok := hallpass.ParseAuditPruning(e.Clean().Reason); !ok || got != p || e.Clean() != e {
			t.Errorf("%v became %v: %s", p, got, e.Clean().Reason)
		}
	}
}

func FuzzParseAuditMark(f *testing.F) {
	f.Add("1:0000000000000000000000000000000000000000000000000000000000000000")
	f.Add("deleted 1 entries; the chain goes on after 1:0000000000000000000000000000000000000000000000000000000000000000 without 2 later links 0000000000000000000000000000000000000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := hallpass.ParseAuditMark(s); ok {
			if again, ok := hallpass.ParseAuditMark(m.String()); !ok || again != m {
				t.Errorf("%q is %v, which is not itself", s, m)
			}
		}
		if p, ok := hallpass.ParseAuditPruning(s); ok {
			if again, ok := hallpass.ParseAuditPruning("x; " + p.String()); !ok || again != p {
				t.Errorf("%q is %v, which is not itself", s, p)
			}
		}
	})
}

// TestAuditProofOfSealed proves an export that shows a part of the entries: what is shown
// cannot be changed, and what is not cannot be left out.
func TestAuditProofOfSealed(t *testing.T) {
	sealed := func() ([]hallpass.AuditLink, hallpass.AuditChain) {
		links, c := chained()
		for _, i := range []int{1, 2, 11, 12, 14} {
			links[i] = links[i].Seal()
		}
		return links, c
	}
	links, c := sealed()
	if r := proved(links, c); !r.OK() || r.Sealed != 5 || r.Entries != 13 {
		t.Errorf("%+v", r)
	}
	for name, change := range changedFields {
		links, c := sealed()
		change(&links[13].Entry)
		if r := proved(links, c); len(r.Faults) != 1 || r.Faults[0].From != 14 {
			t.Errorf("%s between sealed entries: %v", name, r.Faults)
		}
	}
	if r := proved(slices.Delete(links, 12, 13), c); len(r.Faults) != 1 || r.Faults[0].String() != "entry 13 is missing" {
		t.Errorf("without a sealed entry: %v", r.Faults)
	}
	links, c = sealed()
	links[11].Gone[0]++
	if r := proved(links, c); len(r.Faults) != 1 || r.Faults[0].From != 12 {
		t.Errorf("with a sealed entry that was changed: %v", r.Faults)
	}
}

// TestAuditProofTellsOfMarks says of each mark what it proves.
func TestAuditProofTellsOfMarks(t *testing.T) {
	links, c := chained()
	mark := func(i int) hallpass.AuditMark { return hallpass.AuditMark{ID: links[i].ID, Digest: links[i].Digest} }
	if r := proved(links, c, mark(19), mark(11)); !r.OK() || !slices.Equal(r.Agreed, []hallpass.AuditMark{mark(11), mark(19)}) || len(r.Gone) != 0 {
		t.Errorf("%+v", r)
	}
	early := hallpass.AuditMark{}
	for _, l := range links[:5] { // the end of a chain to which nothing was added yet
		early = hallpass.AuditMark{ID: l.ID, Digest: l.Follow(early.Digest)}
	}
	if r := proved(links, c, early); !r.OK() || !slices.Equal(r.Agreed, []hallpass.AuditMark{early}) {
		t.Errorf("of a mark before the first digest: %+v", r)
	}
	first, eighth := mark(6), mark(7)
	c.Begin, c.Pruning = eighth, true
	if r := proved(links[8:], c, first, eighth); r.OK() || !r.Untold || len(r.Faults) > 0 || !slices.Equal(r.Gone, []hallpass.AuditMark{first}) || !slices.Equal(r.Agreed, []hallpass.AuditMark{eighth}) {
		t.Errorf("of marks that retention came past: %+v", r)
	}
	eighth.Digest[0]++
	if r := proved(links[8:], c, eighth); r.OK() {
		t.Error("a beginning with another digest agrees with a mark")
	}
	links, c = chained()
	at := links[10].Digest
	for i := 12; i < len(links); i++ { // the chain was written anew without 12, and leaves its number out
		links[i].Digest = links[i].Follow(at)
		at = links[i].Digest
	}
	noted := mark(11)
	c.End.Digest = at
	if r := proved(slices.Delete(links, 11, 12), c, noted); len(r.Faults) != 1 || r.Faults[0].String() != "entry 12 is missing: its digest was noted" {
		t.Errorf("of a mark whose number is left out: %v", r.Faults)
	}
}

// TestAuditProofTellsWhatIsGone hides an entry as retention would, in the ways that are open
// to whoever can write to the database: the report is not whole, or it says which entry of
// retention to look at.
func TestAuditProofTellsWhatIsGone(t *testing.T) {
	hidden := func() ([]hallpass.AuditLink, hallpass.AuditChain, hallpass.AuditMark) {
		links, c := chained()
		links[12].Kind, links[12].Gone = hallpass.GoneLink, links[12].Content()
		return links, c, c.End
	}
	links, c, known := hidden()
	c.Pruning = true
	if r := proved(links, c, known); r.OK() || !r.Untold || !slices.Equal(r.Retention(), []string{"2 entries among these are gone."}) {
		t.Errorf("a pruning that never was: %+v", r)
	}
	links, c, known = hidden()
	c.Begin, c.Pruning = hallpass.AuditMark{ID: 15, Digest: links[14].Digest}, true
	if r := proved(links[15:], c, known); r.OK() || !r.Untold || !slices.Equal(r.Retention(), []string{"The audit begins after entry 15."}) {
		t.Errorf("a beginning that was moved: %+v", r)
	}
	links, c, known = hidden()
	var gone hallpass.AuditGone
	gone.Add(links[9])
	gone.Add(links[12])
	told := links[19]
	told.ID, told.Entry.Reason = 21, hallpass.AuditPruning{Gone: gone}.String()
	told.Digest = told.Follow(c.End.Digest)
	links, c.End = append(links, told), hallpass.AuditMark{ID: 21, Digest: told.Digest}
	want := []string{
		"2 entries among these are gone: the retention entry 21 of 23 November 2025 tells that it deleted them.",
		"The retention entry 21 of 23 November 2025 is newer than the digest that was noted: whoever can write to the database could have written it since.",
	}
	if r := proved(links, c, known); !r.OK() || !slices.Equal(r.Retention(), want) || len(r.Newer) != 1 || r.Told != r.Newer[0] {
		t.Errorf("an entry that was written afterwards: %+v, %q", r, r.Retention())
	}
	if r := proved(links, c, c.End); !r.OK() || len(r.Newer) != 0 || len(r.Retention()) != 1 {
		t.Errorf("with a mark that covers the entry: %+v", r)
	}
}
