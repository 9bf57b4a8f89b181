package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hallpass-dev/hallpass/internal/provision"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// Check returns an error for each thing that would stop a server with these settings and
// can be known without starting it: a file of TLS that does not fit, a socket where
// something else is, a folder that is none, a provisioning file with a mistake. It changes nothing. What a check of the
// settings alone finds is Validate's.
func (c *Config) Check() error {
	_, unfit := c.Auth.GenericOAuth.provider(nil)
	return errors.Join(newCertificates(c.Server, slog.New(slog.DiscardHandler)).load(), c.Server.checkSocket(), c.checkFolders(), c.checkFiles(), c.checkFirstPassword(), unfit)
}

// checkSocket returns an error if no server could listen on the socket, or one does.
func (c ServerConfig) checkSocket() error {
	if c.Socket == "" {
		return nil
	}
	info, err := os.Lstat(c.Socket)
	switch {
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("server.socket: %s is there already and is not a socket: choose another path, or move it away", c.Socket)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("server.socket: %w", err)
	}
	return isFolder("server.socket", filepath.Dir(c.Socket))
}

// checkFolders returns an error for each folder that is needed and is none. The start makes
// the data directory, with what leads to it.
func (c *Config) checkFolders() error {
	data := isFolder("--data", c.DataDir)
	if errors.Is(data, fs.ErrNotExist) {
		data = nil
	}
	if c.Database.postgres() || c.Database.Path == "" {
		return data
	}
	return errors.Join(data, isFolder("database.path", filepath.Dir(c.Database.Path)))
}

// checkFiles returns an error if a provisioning file is not valid. Whether the files fit what
// is there, the server finds out.
func (c *Config) checkFiles() error {
	if c.Provisioning.Path == "" {
		return nil
	}
	if _, err := provision.Read(c.Provisioning.Path); err != nil {
		return fmt.Errorf("provisioning.path: %w", err)
	}
	return nil
}

// isFolder returns an error that names the key unless path is a folder.
func isFolder(key, path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// checkFirstPassword returns an error if a first start would refuse the password of the
// first admin. Later starts do not read it.
func (c *Config) checkFirstPassword() error {
	if c.Database.postgres() || c.Security.AdminPassword.Empty() || c.Security.DisableInitialAdminCreation {
		return nil
	}
	if _, err := os.Stat(databasePath(*c)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	login, password := c.Security.AdminUser, c.Security.AdminPassword
	if err := secret.ValidatePassword(password, login, c.Auth.Basic.PasswordPolicy); err != nil {
		return fmt.Errorf("security.admin_password: %w", hintPolicy(err, login, password))
	}
	return nil
}
