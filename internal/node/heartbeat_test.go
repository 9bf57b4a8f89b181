package node_test

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// begun returns a database with an installation in it.
func begun(t *testing.T) *store.DB {
	t.Helper()
	db := hallpasstest.OpenStore(t)
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Begin("test") }); err != nil {
		t.Fatal(err)
	}
	return db
}

// state returns where the history of db stands.
func state(t *testing.T, db *store.DB) store.State {
	t.Helper()
	now, err := db.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// change makes a change of the kind in db.
func change(t *testing.T, db *store.DB, kind hallpass.ChangeKind, id int64) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Change(hallpass.Change{Kind: kind, ID: id}) })
	if err != nil {
		t.Error(err)
	}
}

// TestRegisterContinues registers a node with a database that has not gone through
// what the node remembers: it is refused there, as it would be later.
func TestRegisterContinues(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	db := begun(t)
	change(t, db, hallpass.OrgChanged, 1)
	now := state(t, db)
	ahead, other, elsewhere := now, now, now
	ahead.Version++
	other.Digest[0]++
	elsewhere.Installation = "another"
	for name, known := range map[string]store.State{"an older copy": ahead, "another past": other, "another installation": elsewhere} {
		j := hallpasstest.OpenJournal(t, t.TempDir())
		n := hallpasstest.NewNodeOf(t, db, j, node.Options{Name: "later"})
		if err := j.Begin(known, false); err != nil {
			t.Fatal(err)
		}
		if err := n.Join(t.Context()); !errors.Is(err, store.ErrDiverged) {
			t.Errorf("%s: %v, want diverged", name, err)
		}
		if err := n.Heartbeat(t.Context()); !errors.Is(err, store.ErrDiverged) {
			t.Errorf("%s, once more: %v, want diverged", name, err)
		}
		if err := j.Begin(now, false); err != nil {
			t.Fatal(err)
		}
		if err := n.Join(t.Context()); err != nil {
			t.Errorf("%s, settled: %v", name, err)
		}
		n.Leave(t.Context())
	}
}

// TestJoinAgain has another session lock the list of nodes for longer than a
// heartbeat may take: joining fails, and the log tells nothing of a lease that this
// node never had. When the lock is gone the node joins.
func TestJoinAgain(t *testing.T) {
	url := hallpasstest.Postgres(t)
	db := hallpasstest.OpenPostgres(t, url)
	write(t, db, func(tx *store.Tx) error { return tx.Begin("test") })
	var log bytes.Buffer
	n := hallpasstest.NewNode(t, db, node.Options{MaxStaleness: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))})
	unlock := hallpasstest.Hold(t, "pgx", url.Reveal(), "BEGIN; LOCK TABLE nodes IN ACCESS EXCLUSIVE MODE")
	if err := n.Join(t.Context()); !errors.Is(err, hallpass.Unavailable) {
		t.Errorf("joined a list that is locked: %v", err)
	}
	unlock()
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.MayAnswer(); !ok || log.Len() > 0 {
		t.Errorf("joined, and may answer: %v; the log says\n%s", ok, &log)
	}
}

// TestLease has time go on without heartbeats: this node may answer until its lease
// is over, counted from when the last heartbeat began, and again after the next one.
func TestLease(t *testing.T) {
	db := begun(t)
	const lease = time.Minute
	boot := time.Hour
	n := hallpasstest.NewNode(t, db, node.Options{MaxStaleness: lease, Boot: func() time.Duration { return boot }})
	want := func(when string, ok bool, left time.Duration) {
		t.Helper()
		if !db.Shared() {
			ok, left = true, 0 // there is no lease
		}
		_, may := n.MayAnswer()
		if s := n.Status(); may != ok || s.Leased != ok || s.LeaseLeft != left {
			t.Errorf("%s: may answer is %v, want %v; leased %v, left %s, want %s", when, may, ok, s.Leased, s.LeaseLeft, left)
		}
	}
	want("before it joined", false, 0)
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("joined", true, lease)
	boot += lease - 1
	want("at the last moment", true, 1)
	boot++
	want("after a lease", false, 0)
	if !db.Shared() {
		return
	}
	for when, beat := range map[string]func() error{
		"a heartbeat later": func() error { return n.Heartbeat(t.Context()) },
		"removed, and registered again": func() error {
			n.Leave(t.Context())
			err := n.Heartbeat(t.Context()) // finds no row
			want("removed", false, 0)
			return errors.Join(err, n.Heartbeat(t.Context()))
		},
	} {
		if err := beat(); err != nil {
			t.Fatal(err)
		}
		want(when, true, lease)
	}
}

// TestAnnounced has another node change something: the heartbeat announces it, and
// acknowledges it with the next. To register announces that anything may have changed.
func TestAnnounced(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	url := hallpasstest.Postgres(t)
	here, there := hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
	if err := there.Write(t.Context(), func(tx *store.Tx) error { return tx.Begin("test") }); err != nil {
		t.Fatal(err)
	}
	var all int
	var heard []hallpass.Change
	here.Subscribe(func(n store.ChangeEvent) {
		for _, c := range n.Changes {
			switch {
			case n.Phase == store.Coming:
			case c == hallpass.Change{}:
				all++
			default:
				heard = append(heard, c)
			}
		}
	})
	n := hallpasstest.NewNode(t, here, node.Options{})
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all == 0 || heard != nil {
		t.Errorf("joining announced everything %d times, and %v", all, heard)
	}
	var changing sync.WaitGroup
	defer changing.Wait()
	changing.Go(func() { change(t, there, hallpass.OrgChanged, 7) }) // it waits until this node has acknowledged it
	all = 0
	for n.Applied() < 1 {
		if err := n.Heartbeat(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []hallpass.Change{{Kind: hallpass.OrgChanged, ID: 7}}; !slices.Equal(heard, want) || all != 0 {
		t.Errorf("announced %v, want %v; everything %d times", heard, want, all)
	}
	if err := n.Heartbeat(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestJournalMissesNothing has another node revoke tokens before this one's first
// heartbeat and while it is off the list, as after a freeze, with more other changes
// than the journal gets at once: it gets them all, also when the database falls back to
// an older copy before that.
func TestJournalMissesNothing(t *testing.T) {
	url := hallpasstest.Postgres(t)
	here, there := hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
	write(t, there, func(tx *store.Tx) error { return tx.Begin("test") })
	first, second := newToken(t, there, "first"), newToken(t, there, "second")
	j := hallpasstest.OpenJournal(t, t.TempDir())
	n := hallpasstest.NewNodeOf(t, here, j, node.Options{MaxStaleness: time.Hour})
	if _, err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	revoke(t, there, first) // nobody is on the list
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := j.Known().Version; v != 1 {
		t.Errorf("joined, and the journal knows version %d, want 1", v)
	}
	n.Leave(t.Context())
	const others = 1100
	write(t, there, func(tx *store.Tx) error {
		for i := range int64(others) {
			if err := tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: 900 + i}); err != nil {
				return err
			}
		}
		return nil
	})
	revoke(t, there, second)
	before := j.Known().Version
	for range 2 { // the first registers
		if err := n.Heartbeat(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := j.Known().Version; v <= before || v == 2+others {
			t.Errorf("the journal knew version %d, and %d after another heartbeat", before, v)
		}
		before = j.Known().Version
	}
	fallBack(t, url)
	if err := n.Heartbeat(t.Context()); !errors.Is(err, store.ErrDiverged) {
		t.Error(err)
	}
	if entries, whole := hallpasstest.Since(t, there, j); len(entries) != 2+others || !whole {
		t.Errorf("of an older copy the journal tells %d changes, whole: %v; want %d", len(entries), whole, 2+others)
	}
}

// TestJournalFails has the journal not take a change that was applied: it gets the
// change with a later heartbeat.
func TestJournalFails(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	url := hallpasstest.Postgres(t)
	here, there := hallpasstest.OpenPostgres(t, url), hallpasstest.OpenPostgres(t, url)
	write(t, there, func(tx *store.Tx) error { return tx.Begin("test") })
	first, second := newToken(t, there, "first"), newToken(t, there, "second")
	j := hallpasstest.OpenJournal(t, t.TempDir())
	n := hallpasstest.NewNodeOf(t, here, j, node.Options{MaxStaleness: time.Hour})
	if _, err := n.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	heartbeats := func(until hallpass.Version) {
		t.Helper()
		for n.Applied() < until {
			if err := n.Heartbeat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	mend, err := j.Break()
	if err != nil {
		t.Fatal(err)
	}
	var revoking sync.WaitGroup
	revoking.Go(func() { revoke(t, there, first) })
	heartbeats(1)
	revoking.Wait()
	mend()
	revoking.Go(func() { revoke(t, there, second) })
	heartbeats(2)
	revoking.Wait()
	if known := j.Known(); known.Version != 2 {
		t.Errorf("the journal knows version %d, want 2", known.Version)
	}
	fallBack(t, url)
	if entries, whole := hallpasstest.Since(t, there, j); len(entries) != 2 || !whole {
		t.Errorf("of an older copy the journal tells %+v, whole: %v; want both revocations", entries, whole)
	}
}
