package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// Settings returns the server's settings that the caller may read. A scope as
// "settings:auth.basic:*" allows one section of them.
func (a *Admin) Settings(ctx context.Context, c hallpass.Caller) (Settings, error) {
	if err := a.AuthorizeOnServer(ctx, c, hallpass.SettingsRead, ""); err != nil {
		return nil, err
	}
	visible := make(Settings)
	for section, keys := range a.o.Settings {
		for key, value := range keys {
			if !c.CanOnServer(hallpass.SettingsRead, hallpass.Scope("settings:"+section+":"+key)) {
				continue
			}
			if visible[section] == nil {
				visible[section] = make(map[string]string)
			}
			visible[section][key] = value
		}
	}
	return visible, nil
}

// Totals counts what the server holds.
func (a *Admin) Totals(ctx context.Context, c hallpass.Caller) (t store.Totals, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServerStatsRead, where: onServer}, func(tx *store.Tx) error {
		t, err = tx.Totals(a.now())
		return err
	})
	return t, err
}

// MaySeeNodes returns nil if the caller may see the nodes, and else records the
// refusal and returns it.
func (a *Admin) MaySeeNodes(ctx context.Context, c hallpass.Caller) error {
	return a.AuthorizeOnServer(ctx, c, hallpass.ServerStatsRead, "")
}
