package server

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/provision"
)

// files are the provisioning files of a server. It is safe for concurrent use.
type files struct {
	wake chan struct{} // what was applied is to be told

	mu     sync.Mutex         // held while files are applied
	wanted ProvisioningConfig // that was asked for last; guarded by mu
	failed error              // why it does not hold; nil: it does; guarded by mu
	told   bool               // whoever asked was told of failed, and the background work was not; guarded by mu
}

func newFiles(c ProvisioningConfig) *files {
	return &files{wake: make(chan struct{}, 1), wanted: c}
}

// applyFiles applies the provisioning files that this server began with.
func (s *Server) applyFiles(ctx context.Context) error {
	return s.ApplyFiles(ctx, s.config.Provisioning)
}

// ApplyFiles makes true what the provisioning files declare, for every node, and returns
// when every node decides by it. With an error in a file, or a file that does not fit what
// is there, nothing changes, and the background work tries again; it logs the error only
// when that lasts, so the caller does. Without a folder nothing changes. It is safe for
// concurrent use.
func (s *Server) ApplyFiles(ctx context.Context, c ProvisioningConfig) error {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.wanted = c
	s.files.failed = s.apply(ctx, c)
	s.files.told = s.files.failed != nil
	ask(s.files.wake)
	return s.files.failed
}

// followFiles applies the files again that could not be applied when somebody asked for
// it. Its first run after that, at once, is there to have the failure counted and shown.
func (s *Server) followFiles(ctx context.Context) error {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	if s.files.told {
		s.files.told = false
		return toldError{s.files.failed}
	}
	if s.files.failed != nil {
		s.files.failed = s.apply(ctx, s.files.wanted)
	}
	return s.files.failed
}

// apply reads the files and applies them, and logs what it did.
func (s *Server) apply(ctx context.Context, c ProvisioningConfig) error {
	if c.Path == "" {
		return nil
	}
	list, err := provision.Read(c.Path)
	if err != nil {
		return err
	}
	steps, err := s.admin.Provision(ctx, list, c.Prune)
	for _, step := range steps {
		switch {
		case err != nil && step.Do == "":
		case step.Note != "":
			s.log.Warn("a provisioning file says what does not come true", "file", step.File(), "section", step.Section(), "why", step.Note)
		case step.Do != "":
			s.log.Info("a provisioning file was applied", "file", step.File(), "section", step.Section(), "did", string(step.Do))
		}
	}
	return err
}

// PlanFiles returns what ApplyFiles would do with an installation, which may serve
// meanwhile. It changes nothing. Where there is no installation yet, that is what its
// first start would do. A database with the schema of another version is an error.
func PlanFiles(ctx context.Context, c Config) (steps []hallpass.ProvisionStep, err error) {
	list, err := provision.Read(c.Provisioning.Path)
	if err != nil {
		return nil, err
	}
	s := newServer(c, slog.New(slog.DiscardHandler))
	if _, missing := os.Stat(databasePath(c)); !c.Database.postgres() && errors.Is(missing, os.ErrNotExist) {
		return s.planFirst(ctx, list)
	}
	if s.db, err = openUnmigrated(ctx, c); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if err := s.db.Current(ctx); err != nil {
		return nil, err
	}
	planner := admin.New(s.db, admin.Options{Now: time.Now, TokenPolicy: c.tokenPolicy(), Itself: c.itself(), AnyPermission: !c.RBAC.PermissionValidationEnabled})
	return planner.PlanProvision(ctx, list, c.Provisioning.Prune)
}

// planFirst is PlanFiles for an installation that there is not: it makes one in a
// temporary folder.
func (s *Server) planFirst(ctx context.Context, list [][]hallpass.Declaration) (steps []hallpass.ProvisionStep, err error) {
	dir, err := os.MkdirTemp("", "hallpass-plan")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s.config.DataDir, s.config.Database.Path = dir, ""
	if err := s.prepare(ctx, nil); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.admin.PlanProvision(ctx, list, s.config.Provisioning.Prune)
}

// Provision applies the provisioning files to a stopped installation, which it makes if
// there is none. A database that servers share may be in use.
func Provision(ctx context.Context, c Config, log *slog.Logger) (err error) {
	s := newServer(c, log)
	if err := s.prepare(ctx, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.await(ctx, s.applyFiles)
}
