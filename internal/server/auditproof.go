package server

import (
	"context"
	"errors"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// ProveAudit follows the chain of the audit in the configured database, whether servers run
// or not. known are marks that were kept elsewhere.
func ProveAudit(ctx context.Context, c Config, known ...hallpass.AuditMark) (hallpass.AuditReport, error) {
	db, err := openUnmigrated(ctx, c)
	return proveAudit(ctx, db, err, known)
}

// ProveAuditFile is ProveAudit of the SQLite file at path.
func ProveAuditFile(ctx context.Context, path string, known ...hallpass.AuditMark) (hallpass.AuditReport, error) {
	db, err := store.OpenAsItIs(ctx, path)
	return proveAudit(ctx, db, err, known)
}

func proveAudit(ctx context.Context, db *store.DB, opened error, known []hallpass.AuditMark) (report hallpass.AuditReport, err error) {
	if opened != nil {
		return report, opened
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.ProveAudit(ctx, known...)
}
