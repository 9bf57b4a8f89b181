package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// MaySeeNodes returns nil if the caller may see the nodes, else the refusal,
// which is in the audit log then.
func (a *Admin) MaySeeNodes(ctx context.Context, c hallpass.Caller) error {
	return a.read(ctx, c, need{action: hallpass.ServerStatsRead, where: onServer}, func(*store.Tx) error { return nil })
}
