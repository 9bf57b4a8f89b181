package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Audit returns the entries that f picks, newest first, and the cursor to go on
// from, zero at the end. An admin sees the own org; a server admin every org,
// or the one that f names.
func (a *Admin) Audit(ctx context.Context, c hallpass.Caller, f hallpass.AuditFilter) (entries []hallpass.AuditEntry, next hallpass.AuditID, err error) {
	if err := a.Authorize(ctx, c, hallpass.AuditRead, ""); err != nil {
		return nil, 0, err
	}
	if !c.ServerAdmin {
		f.Org = c.Org
	}
	want := f.Limit
	f.Limit++
	err = a.db.FlushNotes(ctx) // so that the list has what has just happened
	if err != nil {
		return nil, 0, err
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		entries, err = tx.AuditEntries(ctx, f)
		return err
	})
	if len(entries) > want {
		entries = entries[:want]
		next = entries[want-1].ID
	}
	return entries, next, err
}
