package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/plainfile"
	"github.com/hallpass-dev/hallpass/internal/provision"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// Check returns an error for each thing that would stop a server with these settings and
// can be known without starting it: a file of TLS that does not fit, a socket where
// something else is, a folder that is none, a provisioning file with a mistake. A note tells
// of what could not be known now, and stops nothing. Check changes nothing. With an empty
// DataDir it does not look at the data directory. What a check of the settings alone finds
// is Validate's.
func (c *Config) Check() (notes []string, err error) {
	_, unfit := c.Auth.GenericOAuth.provider(nil)
	certificates := newCertificates(c.Server, slog.New(slog.DiscardHandler)).load()
	note, socket := c.Server.checkSocket()
	for _, n := range []string{c.unseenData(), note} {
		if n != "" {
			notes = append(notes, n)
		}
	}
	return notes, errors.Join(certificates, socket, c.checkFolders(), c.checkDataFiles(), c.checkFiles(), c.checkFirstPassword(), unfit)
}

// unseenData returns the note about what is not known without the data directory; empty if
// it is known.
func (c *Config) unseenData() string {
	switch {
	case c.DataDir != "":
		return ""
	case c.firstPasswordMatters() && c.Database.Path == "":
		return "--data was not given: the data directory was not looked at, nor whether a first start would take security.admin_password"
	}
	return "--data was not given: the data directory was not looked at"
}

// checkSocket returns an error if no server could listen on the socket. That a program
// listens on it is only a note, for settings are checked while their server runs. So is a
// folder below /run that is not there: systemd makes it when it starts the unit, and
// removes it when the unit stops.
func (c ServerConfig) checkSocket() (note string, err error) {
	if c.Socket == "" {
		return "", nil
	}
	info, err := os.Lstat(c.Socket)
	switch {
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return "", fmt.Errorf("server.socket: %s is there already and is not a socket: choose another path, or move it away", c.Socket)
	case err == nil:
		if taken := nobodyListens(c.Socket); taken != nil {
			return fmt.Sprintf("server.socket: %v. A server that runs with these settings is such a program", taken), nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("server.socket: %w", err)
	}
	folder := filepath.Dir(c.Socket)
	err = isFolder("server.socket", folder)
	for _, run := range []string{"/run/", "/var/run/"} {
		if name, below := strings.CutPrefix(folder, run); below && errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("server.socket: there is no %s now: systemd makes it at the start of a unit that has RuntimeDirectory=%s", folder, name), nil
		}
	}
	return "", err
}

// checkFolders returns an error for each folder that is needed and is none. The start makes
// the data directory, with what leads to it.
func (c *Config) checkFolders() error {
	var data error
	if c.DataDir != "" {
		data = c.checkDirectory()
	}
	if c.Database.postgres() || c.Database.Path == "" {
		return data
	}
	if err := isFolder("database.path", filepath.Dir(c.Database.Path)); err != nil {
		return errors.Join(data, err)
	}
	return errors.Join(data, checkDatabase(c.Database.Path))
}

// checkDataFiles returns an error for each file that a start opens and that is no regular
// one.
func (c *Config) checkDataFiles() error {
	var files []string
	if c.DataDir != "" {
		files = append(files, filepath.Join(c.DataDir, "lock"), filepath.Join(c.DataDir, "journal"), c.firstPasswordFile())
	}
	if !c.Database.postgres() && (c.DataDir != "" || c.Database.Path != "") {
		for _, suffix := range databaseFiles {
			files = append(files, databasePath(*c)+suffix)
		}
	}
	var errs []error
	for _, path := range files {
		errs = append(errs, plainfile.Validate(path))
	}
	return errors.Join(errs...)
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

// firstPasswordMatters reports whether a first start would set security.admin_password, and
// a look at the files finds out whether the next start is the first.
func (c *Config) firstPasswordMatters() bool {
	return !c.Database.postgres() && !c.Security.AdminPassword.Empty() && !c.Security.DisableInitialAdminCreation
}

// checkFirstPassword returns an error if a first start would refuse the password of the
// first admin. Later starts do not read it.
func (c *Config) checkFirstPassword() error {
	if !c.firstPasswordMatters() || c.DataDir == "" && c.Database.Path == "" {
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
