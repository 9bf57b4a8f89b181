package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// SQLiteFile returns the path of the database of a SQLite installation in the data
// directory.
func (c Config) SQLiteFile() string { return filepath.Join(c.DataDir, "hallpass.db") }

// Migrate copies the SQLite database at from into the configured PostgreSQL
// database, which must be empty, and returns what was copied. It first
// completes the journal in the data directory, which the new database continues. No
// server may run on either database.
func Migrate(ctx context.Context, c Config, from string) (copied []Table, err error) {
	if !c.Database.postgres() {
		return nil, fmt.Errorf(`database.type: it is %s: set it to "postgres", and database.url to an empty database`, c.Database.Type)
	}
	if _, err := os.Stat(from); err != nil {
		return nil, fmt.Errorf("there is nothing to migrate: %w", err)
	}
	to, err := openDatabase(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	c.Database.Type, c.Database.Path = "sqlite3", from
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.lockDataDir(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := isInstallation(ctx, c); err != nil {
		return nil, err
	}
	if s.db, err = openDatabase(ctx, c, nil); err != nil {
		return nil, err
	}
	if _, err := s.newNode(nil).Settle(ctx); err != nil {
		return nil, err
	}
	return store.Copy(ctx, s.db, to)
}

// isInstallation returns an error, before anything is written, if the database is not
// one of Hallpass.
func isInstallation(ctx context.Context, c Config) error {
	db, err := openUnmigrated(ctx, c)
	if err != nil {
		return err
	}
	return db.Close()
}
