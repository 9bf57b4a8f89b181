package store_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestOldAcknowledgement makes a change after another node was seen to be far
// ahead, as it is before a failover to an older copy: what was seen then says
// nothing about the change, which waits for the lease of that node.
func TestOldAcknowledgement(t *testing.T) {
	db := begun(t, hallpasstest.OpenPostgres(t, hallpasstest.Postgres(t)))
	const lease = time.Second
	var waited time.Duration
	db.OnAcknowledged(func(d time.Duration) { waited = d })
	change := func() time.Duration {
		t.Helper()
		write(t, db, func(tx *store.Tx) error { return tx.Change(hallpass.Change{Kind: hallpass.OrgChanged, ID: 1}) })
		return waited
	}
	applied := func(v hallpass.Version) {
		t.Helper()
		write(t, db, func(tx *store.Tx) error { return tx.SetApplied("other", v, lease) })
	}

	applied(1000)
	if d := change(); d >= lease {
		t.Errorf("a change that the node has applied waited for %v", d)
	}
	applied(0)
	if d := change(); d < lease {
		t.Errorf("a change that the node has not applied waited for %v, want %v at least", d, lease)
	}
}
