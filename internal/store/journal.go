package store

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/hallpass-dev/hallpass"
)

// A Journal is the file in which a node keeps the changes of authority it
// applied, so that a database that comes back older than they are can be told
// of them. It holds no secrets. It is safe for concurrent use.
//
// Each line is a JSON object: first the installation it is about, then a change
// with its version, the digest of the history up to it, its subject, and what
// had become of that.
type Journal struct {
	mu    sync.Mutex
	file  *os.File
	path  string
	known State            // of the last line; guarded by mu
	size  int64            // guarded by mu
	given map[string]int64 // the last number that each counter of Numbered gave; guarded by mu
	torn  bool             // the last line was cut off
}

// A journalHead says where the history stands, whatever came before it.
type journalHead struct {
	Installation string           `json:"installation"`
	Version      hallpass.Version `json:"v"`
	Digest       string           `json:"digest"`
	Accepted     bool             `json:"accepted,omitempty"` // a person looked at the open entries before
	Given        map[string]int64 `json:"given,omitempty"`    // the last number of each counter of Numbered
}

// journalLimit is the size from which on the older half of a journal is let go
// at the next start.
const journalLimit = 32 << 20

// OpenJournal opens the journal in dir, or begins one. A last line that was cut
// off by a crash is dropped.
func OpenJournal(dir string) (*Journal, error) {
	path := filepath.Join(dir, "journal")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: open journal: %w", err)
	}
	j := &Journal{file: f, path: path}
	if err := j.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("store: open journal %s: %w", path, err), f.Close())
	}
	return j, nil
}

// load finds where the journal ends.
func (j *Journal) load() error {
	whole := int64(0)
	err := j.each(func(head *journalHead, e *JournalEntry, end int64) error {
		whole = end
		if head != nil {
			if head.Installation != j.known.Installation {
				j.given = nil
			}
			j.give(head.Given)
			return j.know(head.Installation, head.Version, head.Digest)
		}
		return j.know(j.known.Installation, e.Version, e.Digest)
	})
	if err != nil {
		return err
	}
	j.size = whole
	if info, err := j.file.Stat(); err == nil {
		j.torn = info.Size() > whole
	}
	if err := j.file.Truncate(whole); err != nil || whole <= journalLimit {
		return err
	}
	return j.halve()
}

// halve lets the older half of the file go. The newer half begins with a head,
// as every journal does: it says where the history stood.
func (j *Journal) halve() error {
	var kept bytes.Buffer
	out := json.NewEncoder(&kept)
	var before journalHead
	err := j.each(func(head *journalHead, e *JournalEntry, end int64) error {
		switch {
		case end > j.size/2 && head != nil:
			return out.Encode(head)
		case end > j.size/2 && kept.Len() == 0:
			return errors.Join(out.Encode(before), out.Encode(e))
		case end > j.size/2:
			return out.Encode(e)
		case head != nil:
			before = *head
			before.Given = j.given
		default:
			before.Version, before.Digest = e.Version, e.Digest
		}
		before.Accepted = false // it is about the half that goes
		return nil
	})
	if err != nil {
		return err
	}
	next := j.path + ".new"
	if err := os.WriteFile(next, kept.Bytes(), 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(next, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), os.Rename(next, j.path), j.file.Close()); err != nil {
		return errors.Join(err, f.Close())
	}
	j.file, j.size = f, int64(kept.Len())
	return nil
}

func (j *Journal) know(installation string, v hallpass.Version, digest string) error {
	d, err := hex.DecodeString(digest)
	if err != nil || len(d) != 32 {
		return fmt.Errorf("the digest of version %d is malformed", v)
	}
	j.known = State{Installation: installation, Version: v, Digest: [32]byte(d)}
	return nil
}

// each calls fn with every whole line, and the offset where it ends.
func (j *Journal) each(fn func(head *journalHead, e *JournalEntry, end int64) error) error {
	if _, err := j.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReader(j.file)
	for end := int64(0); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what is left was cut off
		}
		if err != nil {
			return err
		}
		begin := end
		end += int64(len(line))
		if bytes.HasPrefix(line, []byte(`{"installation"`)) {
			var head journalHead
			if err := json.Unmarshal(line, &head); err != nil {
				return fmt.Errorf("at byte %d: %w", begin, err)
			}
			err = fn(&head, nil, end)
		} else {
			var e JournalEntry
			if err := json.Unmarshal(line, &e); err != nil {
				return fmt.Errorf("at byte %d: %w", begin, err)
			}
			err = fn(nil, &e, end)
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", begin, err)
		}
	}
}

// Path returns where the file is.
func (j *Journal) Path() string { return j.path }

// Known returns where the history stood at the journal's last line; the zero
// State of a new journal.
func (j *Journal) Known() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.known
}

// Begin has the journal stand at s, whatever came before: of a new
// installation, or of a history that has parted from this one. With accepted,
// its open entries count as looked at.
func (j *Journal) Begin(s State, accepted bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s.Installation != j.known.Installation {
		j.given = nil
	}
	if err := j.write(journalHead{s.Installation, s.Version, hex.EncodeToString(s.Digest[:]), accepted, j.given}); err != nil {
		return err
	}
	j.known = s
	return nil
}

// Numbered names the counters whose last numbers a journal keeps: what was made
// since an older copy is lost with it, and nothing but its number tells of it.
var Numbered = []string{"principal", "token", "org", "team", "role", "folder", "dashboard"}

// Given returns the last numbers that the journal knows to have been given.
func (j *Journal) Given() map[string]int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.given)
}

// Torn reports whether the last line was cut off when the journal was opened: the
// change in it is not known.
func (j *Journal) Torn() bool { return j.torn }

// Count keeps the last numbers of the counters of Numbered, if one is higher than
// what the journal knows. A journal that has not begun keeps none.
func (j *Journal) Count(counters map[string]int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.known.Installation == "" || !j.give(counters) {
		return nil
	}
	return j.write(journalHead{j.known.Installation, j.known.Version, hex.EncodeToString(j.known.Digest[:]), false, j.given})
}

// give takes over numbers that are higher than the known ones, and reports whether
// there were any.
func (j *Journal) give(counters map[string]int64) (news bool) {
	for _, name := range Numbered {
		if counters[name] <= j.given[name] {
			continue
		}
		if j.given == nil {
			j.given = make(map[string]int64)
		}
		j.given[name], news = counters[name], true
	}
	return news
}

// Append keeps the entries, which follow those before. They survive the death of
// this process at once, and that of the machine when the system has written
// them.
func (j *Journal) Append(entries ...JournalEntry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		if e.Version <= j.known.Version {
			continue // this node's own change, heard of once more
		}
		if err := j.write(e); err != nil {
			return err
		}
		if err := j.know(j.known.Installation, e.Version, e.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) write(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("store: write journal: %w", err)
	}
	text = append(text, '\n')
	if _, err := j.file.Write(text); err != nil {
		return errors.Join(fmt.Errorf("store: write journal: %w", err), j.file.Truncate(j.size)) // no half a line
	}
	j.size += int64(len(text))
	return nil
}

// Since returns the entries that the database in tx has not gone through, or
// has not come to: those after the last moment that it shares with the journal.
// When they share none, the journal begins too late to tell all that is lost,
// and whole is false.
func (j *Journal) Since(tx *Tx) (entries []JournalEntry, whole bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now, err := tx.State()
	if err != nil {
		return nil, false, err
	}
	moments, err := j.moments(now.Installation)
	if err != nil {
		return nil, false, fmt.Errorf("store: read journal: %w", err)
	}
	for _, m := range slices.Backward(moments) {
		if m.version <= now.Version {
			digest, err := tx.digestAt(m.version)
			if err != nil {
				return nil, false, err
			}
			if hex.EncodeToString(digest[:]) == m.digest {
				whole = true
				break
			}
		}
		if m.entry != nil {
			entries = append(entries, *m.entry)
		}
	}
	slices.Reverse(entries)
	return entries, whole, nil
}

// A moment is where the history stood at a line of the journal.
type moment struct {
	version hallpass.Version
	digest  string
	entry   *JournalEntry // nil: the line is a head
}

// moments returns those of the installation's history, without open entries
// that a person has looked at.
func (j *Journal) moments(installation string) (list []moment, err error) {
	here := false // whether the lines are about the installation
	err = j.each(func(head *journalHead, e *JournalEntry, _ int64) error {
		if head == nil {
			if here {
				list = append(list, moment{e.Version, e.Digest, e})
			}
			return nil
		}
		if here = head.Installation == installation; !here {
			list = nil
			return nil
		}
		if head.Accepted {
			list = slices.DeleteFunc(list, func(m moment) bool { return m.entry != nil && m.entry.Open() })
		}
		list = append(list, moment{head.Version, head.Digest, nil})
		return nil
	})
	return list, err
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
