package node_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// entry is a line of a journal about the token with the version's number.
func entry(v hallpass.Version) store.JournalEntry {
	var digest [32]byte
	digest[0], digest[1], digest[2], digest[3] = byte(v), byte(v>>8), byte(v>>16), 1
	return store.JournalEntry{Version: v, Digest: hex.EncodeToString(digest[:]), Kind: hallpass.TokenChanged, ID: int64(v), Subject: store.SubjectState{Ended: true}, At: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)}
}

// TestJournalAfterCrash opens journals that a crash, or something else, left in
// another state: a last line without its end is dropped, and anything else that
// is no line of ours is an error, for it may have told of a revocation.
func TestJournalAfterCrash(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func([]byte) []byte
		fails bool
		known hallpass.Version
	}{
		{"whole", func(b []byte) []byte { return b }, false, 3},
		{"no end of the last line", func(b []byte) []byte { return b[:len(b)-1] }, false, 2},
		{"half a last line", func(b []byte) []byte { return b[:len(b)-30] }, false, 2},
		{"a torn line after the last", func(b []byte) []byte { return append(b, `{"v":4,"dig`...) }, false, 3},
		{"nothing", func([]byte) []byte { return nil }, false, 0},
		{"half a head", func(b []byte) []byte { return b[:20] }, false, 0},
		{"garbage in the middle", func(b []byte) []byte { return bytes.Replace(b, []byte(`{"v":2,`), []byte(`{#v":2,`), 1) }, true, 0},
		{"zeros at the end", func(b []byte) []byte { return append(b, 0, 0, 0, '\n') }, true, 0},
		{"an empty line", func(b []byte) []byte { return append([]byte("\n"), b...) }, true, 0},
		{"a digest cut", func(b []byte) []byte { return bytes.Replace(b, []byte(entry(2).Digest), []byte("0200"), 1) }, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			j := hallpasstest.OpenJournal(t, dir)
			if err := j.Begin(store.State{Installation: "i"}, false); err != nil {
				t.Fatal(err)
			}
			if err := j.Append(entry(1), entry(2), entry(2), entry(1), entry(3)); err != nil { // one heard of twice is kept once
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "journal")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(text, []byte("\n")); n != 4 {
				t.Fatalf("%d lines", n)
			}
			if err := os.WriteFile(path, tt.spoil(text), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err = node.OpenJournal(dir)
			if tt.fails {
				if err == nil || !strings.Contains(err.Error(), "at byte") {
					t.Errorf("opened: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if known := j.Known(); known.Version != tt.known || (known.Installation == "") != (tt.known == 0) {
				t.Errorf("known is %+v, want version %d", known, tt.known)
			}
			// It goes on where it ends.
			if tt.known > 0 {
				if err := j.Append(entry(9)); err != nil {
					t.Fatal(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				if known := hallpasstest.OpenJournal(t, dir).Known(); known.Version != 9 {
					t.Errorf("after another line known is %+v", known)
				}
			}
		})
	}
}

// TestJournalHalved opens a journal that is too large: the newer half stays, is
// a journal by itself, and says where it begins.
func TestJournalHalved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	text := bytes.NewBufferString(`{"installation":"test","v":0,"digest":"` + strings.Repeat("0", 64) + `"}` + "\n")
	out := json.NewEncoder(text)
	last := hallpass.Version(0)
	for text.Len() <= 32<<20 {
		last++
		e := entry(last)
		e.Hash = strings.Repeat("0", 4000) // longer than any, so that there are fewer
		if err := out.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte("of one who was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := hallpasstest.OpenJournal(t, dir)
	if err := j.Append(entry(last + 1)); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Fatal(info, err)
		}
		return info.Size()
	}
	if n := size(); n > 17<<20 || n < 15<<20 {
		t.Errorf("it has %d bytes", n)
	}
	again := hallpasstest.OpenJournal(t, dir)
	if again.Known() != j.Known() || again.Known().Version != last+1 || again.Known().Installation != "test" {
		t.Errorf("known is %+v, then %+v", j.Known(), again.Known())
	}
	db := begun(t)
	entries, whole := hallpasstest.Since(t, db, again)
	if whole {
		t.Error("a database at the very beginning is said to be told all")
	}
	if n := len(entries); n < int(last)*4/9 || n > int(last)*5/9 || entries[n-1].Version != last+1 || entries[0].Version != last+2-hallpass.Version(n) {
		t.Errorf("%d entries of %d", n, last)
	}
}

// TestJournalSince asks journals what databases have lost: one that is as new,
// older, older than the journal begins, of another past, and another one.
func TestJournalSince(t *testing.T) {
	db := begun(t)
	// The present goes to version 4, with a copy at 2 and another future of it.
	present := begun(t)
	j, late := hallpasstest.OpenJournal(t, t.TempDir()), hallpasstest.OpenJournal(t, t.TempDir())
	if err := j.Begin(state(t, present), false); err != nil {
		t.Fatal(err)
	}
	for i := range int64(4) {
		if change(t, present, hallpass.OrgChanged, i); i < 2 {
			change(t, db, hallpass.OrgChanged, i)
		}
		if i == 2 {
			if err := late.Begin(state(t, present), false); err != nil {
				t.Fatal(err)
			}
		}
	}
	hallpasstest.Keep(t, present, j)
	hallpasstest.Keep(t, present, late)
	ask := func(name string, db *store.DB, j *node.Journal, want []hallpass.Version, wantWhole bool) {
		t.Helper()
		entries, whole := hallpasstest.Since(t, db, j)
		var got []hallpass.Version
		for _, e := range entries {
			got = append(got, e.Version)
		}
		if d := cmp.Diff(want, got); d != "" || whole != wantWhole {
			t.Errorf("%s: whole is %v, want %v; versions, want and got:\n%s", name, whole, wantWhole, d)
		}
	}
	ask("as new", present, j, nil, true)
	ask("older", db, j, []hallpass.Version{3, 4}, true)
	ask("older than the journal begins", db, late, []hallpass.Version{4}, false)
	change(t, db, hallpass.UserChanged, 1)
	change(t, db, hallpass.UserChanged, 1)
	change(t, db, hallpass.UserChanged, 1)
	ask("of another past", db, j, []hallpass.Version{3, 4}, true)
	ask("of another past before the journal begins", db, late, []hallpass.Version{4}, false)
	// The journal goes on in that past: what it knew stays known.
	if err := late.Begin(state(t, db), true); err != nil {
		t.Fatal(err)
	}
	ask("accepted", db, late, nil, true)
	change(t, db, hallpass.UserChanged, 1)
	hallpasstest.Keep(t, db, late)
	ask("accepted, and the first database again", present, late, []hallpass.Version{6}, true)

	fresh := hallpasstest.OpenJournal(t, t.TempDir())
	if err := fresh.Begin(store.State{Installation: "another", Version: 3}, false); err != nil {
		t.Fatal(err)
	}
	if err := fresh.Append(entry(4), entry(5)); err != nil {
		t.Fatal(err)
	}
	ask("another installation", db, fresh, nil, false)
	if err := fresh.Begin(state(t, db), false); err != nil {
		t.Fatal(err)
	}
	ask("this one after another", db, fresh, nil, true)
}

// TestJournalAccepted drops open entries that a person has looked at.
func TestJournalAccepted(t *testing.T) {
	db := begun(t)
	j := hallpasstest.OpenJournal(t, t.TempDir())
	if err := j.Begin(state(t, db), false); err != nil {
		t.Fatal(err)
	}
	open := entry(1)
	open.Subject = store.SubjectState{Open: true}
	if err := j.Append(open, entry(2)); err != nil {
		t.Fatal(err)
	}
	if entries, whole := hallpasstest.Since(t, db, j); len(entries) != 2 || !whole {
		t.Errorf("before: %+v, %v", entries, whole)
	}
	if err := j.Begin(store.State{Installation: "test", Version: 9, Digest: [32]byte{9}}, true); err != nil {
		t.Fatal(err)
	}
	if entries, whole := hallpasstest.Since(t, db, j); len(entries) != 1 || entries[0].Version != 2 || !whole {
		t.Errorf("after: %+v, %v", entries, whole)
	}
}

// TestCountAgain has the journal fail to keep the last numbers: the next count keeps
// them.
func TestCountAgain(t *testing.T) {
	db, dir := begun(t), t.TempDir()
	j := hallpasstest.OpenJournal(t, dir)
	n := hallpasstest.NewNodeOf(t, db, j, node.Options{})
	if _, err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	newToken(t, db, "t")
	mend, err := j.Break()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Count(t.Context()); err == nil {
		t.Error("a file that takes nothing took the numbers")
	}
	mend()
	if err := n.Count(t.Context()); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil || !strings.Contains(string(text), `"given":{`) {
		t.Errorf("the journal does not have the numbers: %s, %v", text, err)
	}
}
