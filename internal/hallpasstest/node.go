package hallpasstest

import (
	"testing"

	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// NewNode returns a node on db with an empty journal, and closes it when the test
// ends. Where the database is shared it has no lease until it joins.
func NewNode(t testing.TB, db *store.DB, o node.Options) *node.Node {
	t.Helper()
	return NewNodeOf(t, db, OpenJournal(t, t.TempDir()), o)
}

// NewNodeOf is NewNode with a journal.
func NewNodeOf(t testing.TB, db *store.DB, j *node.Journal, o node.Options) *node.Node {
	t.Helper()
	if o.Name == "" {
		o.Name = "test"
	}
	n := node.New(db, j, o)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// OpenJournal opens the journal in dir and closes it when the test ends.
func OpenJournal(t testing.TB, dir string) *node.Journal {
	t.Helper()
	j, err := node.OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // a test may have closed it
	return j
}

// Keep has the journal hear of all changes in db.
func Keep(t testing.TB, db *store.DB, j *node.Journal) {
	t.Helper()
	if err := NewNodeOf(t, db, j, node.Options{}).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Since returns what the journal knows and db does not.
func Since(t testing.TB, db *store.DB, j *node.Journal) (entries []store.JournalEntry, whole bool) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		entries, whole, err = j.Since(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries, whole
}
