package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Mode bits of files and folders of the data directory.
const (
	groupAndOthers = 0o077
	othersWrite    = 0o002
)

// secureDirectory makes the data directory, or removes the access of other users to
// it: a reader of the database learns every name and address in it, and a writer
// controls every account. It refuses a folder that everybody may write to, because
// others may have replaced its files. If others may read the folder or one of our
// files in it, it changes the mode, and logs that.
func secureDirectory(dir string, log *slog.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("data directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("data directory: %s is not a folder", dir)
	case info.Mode().Perm()&othersWrite != 0:
		return fmt.Errorf("data directory: everybody may write to %s (mode %04o), so what is in it may be anybody's: look at it, then chmod 700 %s, or choose a folder below it with --data",
			dir, info.Mode().Perm(), dir)
	}
	if err := closeToOthers(dir, info, log); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	for _, file := range files {
		if !ownFile(file.Name()) {
			continue
		}
		if err := secureFile(filepath.Join(dir, file.Name()), log); err != nil {
			return err
		}
	}
	return nil
}

// ownFile reports whether a server, a backup or a restore makes a file with that
// name in the data directory.
func ownFile(name string) bool {
	return strings.HasPrefix(name, "hallpass.db") || strings.HasPrefix(name, "journal") || strings.HasSuffix(name, ".db") ||
		name == "initial-admin-password" || strings.HasPrefix(name, "webhook-key") || name == "lock"
}

// secureDatabase removes the access of other users to the SQLite file and the files
// that SQLite keeps next to it, also outside the data directory.
func secureDatabase(path string, log *slog.Logger) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-reserve", ".lock"} {
		if err := secureFile(path+suffix, log); err != nil {
			return err
		}
	}
	return nil
}

// secureFile removes the access of other users to a file. A file that does not exist
// is not an error.
func secureFile(path string, log *slog.Logger) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	return closeToOthers(path, info, log)
}

func closeToOthers(path string, info fs.FileInfo, log *slog.Logger) error {
	was := info.Mode().Perm()
	if was&groupAndOthers == 0 {
		return nil
	}
	is := info.Mode() &^ groupAndOthers
	if err := os.Chmod(path, is); err != nil {
		return fmt.Errorf("%s is open to others (mode %04o) and cannot be closed: run as its owner, or choose a folder below it with --data: %w", path, was, err)
	}
	log.Warn("others could look into "+path+": it is closed to them now", "was", fmt.Sprintf("%04o", was), "is", fmt.Sprintf("%04o", is.Perm()))
	return nil
}
