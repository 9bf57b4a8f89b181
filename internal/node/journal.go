package node

import (
	"bufio"
	"bytes"
	"context"
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
	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A Journal is the file in which a node keeps the changes of authority that it
// applied. A database that comes back older is told them again. The file holds no
// secrets. It is safe for concurrent use.
//
// Each line is a JSON object: a head names the installation and where its history
// stands, an entry is a change with its version, the digest of the history up to it,
// its subject, and what had become of that.
type Journal struct {
	mu    sync.Mutex
	file  *os.File
	path  string
	known store.State      // of the last line; guarded by mu
	size  int64            // guarded by mu
	given map[string]int64 // the last number that each counter of numbered gave; guarded by mu
	torn  bool             // the last line was cut off
}

// A journalHead says where the history stands, whatever the lines before it say.
type journalHead struct {
	Installation string           `json:"installation"`
	Version      hallpass.Version `json:"v"`
	Digest       string           `json:"digest"`
	Accepted     bool             `json:"accepted,omitempty"` // a person looked at the open entries before
	Given        map[string]int64 `json:"given,omitempty"`    // the last number of each counter of numbered
}

// journalLimit is the size above which a journal loses its older half at the next
// start.
const journalLimit = 32 << 20

// OpenJournal opens the journal in dir, or begins one. A last line that was cut
// off by a crash is dropped.
func OpenJournal(dir string) (*Journal, error) {
	path := filepath.Join(dir, "journal")
	f, _, err := plainfile.Open(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("node: open journal: %w", err)
	}
	j := &Journal{file: f, path: path}
	if err := j.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("node: open journal %s: %w", path, err), f.Close())
	}
	return j, nil
}

// load finds where the journal ends.
func (j *Journal) load() error {
	whole := int64(0)
	err := j.each(func(head *journalHead, e *store.JournalEntry, end int64) error {
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

// halve drops the older half of the file. The newer half begins with a head, as
// every journal does.
func (j *Journal) halve() error {
	var kept bytes.Buffer
	out := json.NewEncoder(&kept)
	var before journalHead
	err := j.each(func(head *journalHead, e *store.JournalEntry, end int64) error {
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
	if err := plainfile.Write(next, kept.Bytes(), 0o600); err != nil {
		return err
	}
	f, _, err := plainfile.Open(next, os.O_RDWR|os.O_APPEND, 0o600)
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
	j.known = store.State{Installation: installation, Version: v, Digest: [32]byte(d)}
	return nil
}

// each calls fn with every whole line, and the offset where it ends.
func (j *Journal) each(fn func(head *journalHead, e *store.JournalEntry, end int64) error) error {
	if _, err := j.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReader(j.file)
	for end := int64(0); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // the rest is a line that was cut off
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
			var e store.JournalEntry
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
func (j *Journal) Known() store.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.known
}

// Begin writes that the history stands at s, whatever came before: it is of a new
// installation, or has diverged from the one before. With accepted, a person has
// looked at the open entries before it.
func (j *Journal) Begin(s store.State, accepted bool) error {
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

// numbers returns the last numbers that the journal knows to have been given.
func (j *Journal) numbers() map[string]int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.given)
}

// Torn reports whether the last line was cut off when the journal was opened: the
// change in it is not known.
func (j *Journal) Torn() bool { return j.torn }

// count keeps the last numbers of the counters of numbered, if one is higher than
// what the journal knows. A journal that has not begun keeps none.
func (j *Journal) count(counters map[string]int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := maps.Clone(j.given)
	if j.known.Installation == "" || !j.give(counters) {
		return nil
	}
	err := j.write(journalHead{j.known.Installation, j.known.Version, hex.EncodeToString(j.known.Digest[:]), false, j.given})
	if err != nil {
		j.given = before // the next count tries again
	}
	return err
}

// give takes over numbers that are higher than the known ones, and reports whether
// there were any.
func (j *Journal) give(counters map[string]int64) (news bool) {
	for _, n := range numbered {
		if counters[n.counter] <= j.given[n.counter] {
			continue
		}
		if j.given == nil {
			j.given = make(map[string]int64)
		}
		j.given[n.counter], news = counters[n.counter], true
	}
	return news
}

// Append writes the entries, which follow those before. From then on they survive
// the end of this process; they survive that of the machine when its system has
// written them to the disk.
func (j *Journal) Append(entries ...store.JournalEntry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		if e.Version <= j.known.Version {
			continue // it is written already
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
		return fmt.Errorf("node: write journal: %w", err)
	}
	text = append(text, '\n')
	if _, err := j.file.Write(text); err != nil {
		return errors.Join(fmt.Errorf("node: write journal: %w", err), j.file.Truncate(j.size)) // no half a line
	}
	j.size += int64(len(text))
	return nil
}

// Since returns the entries that the database in tx does not know: those after the
// last point of the history that it shares with the journal. When they share none,
// the journal begins too late to tell all that is lost, and whole is false.
func (j *Journal) Since(tx *store.Tx) (entries []store.JournalEntry, whole bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now, err := tx.State()
	if err != nil {
		return nil, false, err
	}
	points, err := j.points(now.Installation)
	if err != nil {
		return nil, false, fmt.Errorf("node: read journal: %w", err)
	}
	for _, m := range slices.Backward(points) {
		if m.version <= now.Version {
			digest, err := tx.DigestAt(m.version)
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

// point is where the history stood at a line of the journal.
type point struct {
	version hallpass.Version
	digest  string
	entry   *store.JournalEntry // nil: the line is a head
}

// points returns those of the installation's history, without the open entries that
// a person has looked at.
func (j *Journal) points(installation string) (list []point, err error) {
	here := false // whether the lines are about the installation
	err = j.each(func(head *journalHead, e *store.JournalEntry, _ int64) error {
		if head == nil {
			if here {
				list = append(list, point{e.Version, e.Digest, e})
			}
			return nil
		}
		if here = head.Installation == installation; !here {
			list = nil
			return nil
		}
		if head.Accepted {
			list = slices.DeleteFunc(list, func(m point) bool { return m.entry != nil && m.entry.Open() })
		}
		list = append(list, point{head.Version, head.Digest, nil})
		return nil
	})
	return list, err
}

// keep writes the changes, with what has become of their subjects in db by now.
func (j *Journal) keep(ctx context.Context, db *store.DB, rows []store.ChangeRow) error {
	if len(rows) == 0 {
		return nil
	}
	return j.Append(db.JournalEntries(ctx, rows)...)
}

// catchUp writes the changes in db that the journal does not have yet.
func (j *Journal) catchUp(ctx context.Context, db *store.DB) error {
	var rows []store.ChangeRow
	err := db.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Changes(j.Known().Version)
		return err
	})
	if err != nil {
		return err
	}
	return j.keep(ctx, db, rows)
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
