package hallpasstest

import (
	"testing"

	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// NewNode returns a node on db, and closes it when the test ends. Where the database
// is shared it has no lease until it joins.
func NewNode(t testing.TB, db *store.DB, o node.Options) *node.Node {
	t.Helper()
	if o.Name == "" {
		o.Name = "test"
	}
	n := node.New(db, o)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}
