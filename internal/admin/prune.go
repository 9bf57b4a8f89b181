package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// pruneBatch is how many entries a transaction deletes: changes wait for it on
// SQLite.
const pruneBatch = 500

// PruneAudit deletes the audit entries of the UTC days that ended longer ago than
// keep, and leaves one entry of what went; nothing when there are none. Of several
// processes with one database, one at a time does it, in the name of holder. It
// rests twice as long as it works, so that it holds nobody up, and goes on where
// one that was killed left off.
func (a *Admin) PruneAudit(ctx context.Context, keep time.Duration, holder string) (store.Pruned, error) {
	before := a.now().Add(-keep).Truncate(24 * time.Hour)
	for {
		began := time.Now()
		n, err := a.db.PruneAudit(ctx, holder, a.now(), before, pruneBatch)
		if err != nil {
			return store.Pruned{}, err
		}
		if n < pruneBatch {
			break
		}
		select {
		case <-ctx.Done():
			return store.Pruned{}, ctx.Err()
		case <-time.After(2 * time.Since(began)):
		}
	}
	var p store.Pruned
	err := a.db.Write(ctx, func(tx *store.Tx) (err error) {
		if p, err = tx.Pruned(holder, a.now()); err != nil || p.Entries == 0 {
			return err
		}
		entry := a.entry(hallpass.Caller{}, hallpass.AuditPrune, "audit")
		entry.Reason = fmt.Sprintf("deleted %d entries, of the days %s to %s, SHA-256 %s; %s",
			p.Entries, p.First.Format(time.DateOnly), p.Last.Format(time.DateOnly), hallpass.DigestText(p.Digest), p.Chain)
		_, err = tx.Audit(entry)
		return err
	})
	return p, err
}
