package store

import (
	"context"
	"fmt"

	"github.com/hallpass-dev/hallpass"
)

// Grant gives the principal permissions in the org beside its role. What it
// holds already stays.
func (tx *Tx) Grant(ctx context.Context, org hallpass.OrgID, principal int64, held ...hallpass.Permission) error {
	for _, p := range held {
		_, err := tx.exec(ctx, `
			INSERT INTO permissions (org_id, principal_id, action, scope) VALUES ($1, $2, $3, $4)
			ON CONFLICT (org_id, principal_id, action, scope) DO NOTHING`, org, principal, p.Action, p.Scope)
		if err != nil {
			return fmt.Errorf("store: grant to principal %d: %w", principal, err)
		}
	}
	return nil
}

// Granted returns what the principal holds in the org beside its role.
func (tx *Tx) Granted(ctx context.Context, org hallpass.OrgID, principal int64) ([]hallpass.Permission, error) {
	list, err := all(ctx, tx, func(r row) (p hallpass.Permission, err error) {
		err = r.Scan(&p.Action, &p.Scope)
		return p, err
	}, `SELECT action, scope FROM permissions WHERE org_id = $1 AND principal_id = $2 ORDER BY action, scope`, org, principal)
	if err != nil {
		return nil, fmt.Errorf("store: granted to principal %d: %w", principal, err)
	}
	return list, nil
}
