package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// firstPassword is the password that the server made for the first admin.
type firstPassword struct {
	text  secret.Text
	path  string // of the file that keeps it; empty: it has been changed
	fresh bool   // made at this start
}

func (s *Server) firstPasswordFile() string { return s.config.firstPasswordFile() }

func (c Config) firstPasswordFile() string {
	return filepath.Join(c.DataDir, "initial-admin-password")
}

// FirstPassword returns the password that was made for the first admin, the
// file that keeps it until it is changed, and whether it was made at this
// start. The path is empty when the operator chose the password or it has been
// changed since.
func (s *Server) FirstPassword() (text secret.Text, path string, fresh bool) {
	return s.first.text, s.first.path, s.first.fresh
}

// begin makes the first org and admin, once. A begin that the database did not
// confirm may be called again.
func (s *Server) begin(ctx context.Context) error {
	begun, err := s.admin.Begun(ctx)
	if err != nil {
		return err
	}
	if begun {
		return s.readFirstPassword(ctx)
	}
	first := admin.FirstAdmin{}
	if !s.config.Security.DisableInitialAdminCreation {
		first = admin.FirstAdmin{Login: s.config.Security.AdminUser, Email: s.config.Security.AdminEmail, Password: s.config.Security.AdminPassword}
		if first.Password.Empty() {
			if err := s.makeFirstPassword(&first); err != nil {
				return err
			}
		}
	}
	err = s.admin.Begin(ctx, first)
	if errors.Is(err, hallpass.Conflict) { // another node was first, and its password holds
		return s.readFirstPassword(ctx)
	}
	var e *hallpass.Error
	if errors.As(err, &e) {
		switch e.Field {
		case "password":
			return fmt.Errorf("security.admin_password: %w", hintPolicy(err, first.Login, first.Password))
		case "login":
			return fmt.Errorf("security.admin_user: %s", e.Message)
		case "email":
			return fmt.Errorf("security.admin_email: %s", e.Message)
		}
	}
	return err
}

// refold recomputes the keys of names, and logs each name that has the key of
// another name.
func (s *Server) refold(ctx context.Context) error {
	twins, err := s.db.Refold(ctx)
	for _, t := range twins {
		s.log.Warn("a name looks like that of another row and is found by its ID alone: give one of them another name", "table", t.Table, "id", t.ID)
	}
	return err
}

// hintPolicy adds to the refusal of a password the setting that caused it, if one
// did.
func hintPolicy(err error, login string, password secret.Text) error {
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Field != "password" {
		return err
	}
	if secret.ValidatePassword(password, login, false) != nil {
		return errors.New(e.Message)
	}
	return fmt.Errorf("%s (auth.basic.password_policy = false allows any that is not empty)", e.Message)
}

// maxPasswordFile is the most bytes that the file of the first password has.
const maxPasswordFile = 4 << 10

// readFirstPassword reads the file of the first password, if that is still the
// admin's.
func (s *Server) readFirstPassword(ctx context.Context) error {
	if err := s.forgetFirstPassword(ctx); err != nil {
		return err
	}
	made := s.first.fresh // by a begin that was not confirmed
	s.first = firstPassword{}
	if kept, _, err := plainfile.Read(s.firstPasswordFile(), maxPasswordFile); err == nil {
		s.first = firstPassword{text: secret.NewText(string(kept)), path: s.firstPasswordFile(), fresh: made}
	}
	return nil
}

// makeFirstPassword writes the password to its file before the admin gets it, so that
// a crash in between locks nobody out. When begin is called again the password stays:
// the admin may have got it.
func (s *Server) makeFirstPassword(first *admin.FirstAdmin) error {
	if s.first.fresh {
		first.Password = s.first.text
		return nil
	}
	first.Password = secret.NewPassword()
	path := s.firstPasswordFile()
	if err := plainfile.Write(path, []byte(first.Password.Reveal()), 0o600); err != nil {
		return fmt.Errorf("keep the first admin's password: %w", err)
	}
	s.first = firstPassword{text: first.Password, path: path, fresh: true}
	return nil
}

// onChange starts a check of the first password when a user changed, a look at the
// addresses of guards when a guard changed, and an update of the journal when anything
// changed. On a shared database the heartbeat updates the journal.
func (s *Server) onChange(e store.ChangeEvent) {
	if e.Phase != store.Settled {
		return
	}
	if !s.db.Shared() {
		ask(s.changed)
	}
	for _, c := range e.Changes {
		r := c.Reach()
		if r.Everybody || r.User != 0 {
			ask(s.userMove)
		}
		if r.Everybody || r.Guard != 0 || r.Org != 0 {
			ask(s.guarding)
		}
	}
}

// ask asks a job for a run, unless it is asked already.
func ask(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// forgetFirstPassword removes the file of the first password if the admin has another
// password now.
func (s *Server) forgetFirstPassword(ctx context.Context) error {
	kept, _, err := plainfile.Read(s.firstPasswordFile(), maxPasswordFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("first admin's password: %w", err)
	}
	var u hallpass.User
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		u, err = tx.UserByLogin(s.config.Security.AdminUser)
		return err
	})
	if err != nil && !errors.Is(err, hallpass.NotFound) {
		return err
	}
	still, err := secret.CheckPassword(ctx, u.PasswordHash, secret.NewText(string(kept)), true, nil)
	if err != nil || still {
		return err
	}
	if err := os.Remove(s.firstPasswordFile()); err != nil {
		return fmt.Errorf("first admin's password: %w", err)
	}
	return nil
}

// ResetPassword gives the user with that login another password. It locks the data
// directory: the server must be stopped.
func ResetPassword(ctx context.Context, c Config, login string, password secret.Text) (err error) {
	if !c.Database.postgres() {
		if _, err := os.Stat(databasePath(c)); err != nil {
			return fmt.Errorf("there is no installation here: %w", err)
		}
	}
	s := newServer(c, slog.New(slog.DiscardHandler))
	if err := s.prepare(ctx, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.admin.ResetPassword(ctx, login, password); err != nil {
		return hintPolicy(err, login, password)
	}
	return s.forgetFirstPassword(ctx)
}

// AdminLogin returns the login of the first admin.
func (s *Server) AdminLogin() string { return s.config.Security.AdminUser }
