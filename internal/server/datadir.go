package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// Mode bits of files and folders of the data directory.
const (
	groupAndOthers = 0o077
	others         = 0o007
	othersWrite    = 0o002
)

// checkDirectory returns an error if no server would take the folder as its data
// directory: everybody may write to it, so that others may have replaced its files, or it
// would have to be closed to others and is theirs, such as a home folder or /. A folder
// that is not there, or is empty, or has only plain files, such as a log, will do.
func (c *Config) checkDirectory() error {
	info, err := os.Stat(c.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("--data: %w", err)
	case !info.IsDir():
		return fmt.Errorf("--data: %s is not a folder", c.DataDir)
	case info.Mode().Perm()&othersWrite != 0:
		return fmt.Errorf("--data: everybody may write to %[1]s (mode %04[2]o), so what is in it may be anybody's: look at it, then chmod 700 %[1]s, or choose a folder below it with --data",
			c.DataDir, info.Mode().Perm())
	}
	if info.Mode().Perm()&others == 0 {
		return nil
	}
	files, err := os.ReadDir(c.DataDir)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	for _, file := range files {
		if c.ownFile(file.Name()) || strings.HasPrefix(file.Name(), "hallpass.") { // settings and a socket may be there before the first start
			return nil
		}
	}
	for _, file := range files {
		name := file.Name()
		if name == "lost+found" { // which is in every volume
			continue
		}
		if file.IsDir() || strings.HasPrefix(name, ".") {
			return fmt.Errorf("--data: %s seems to be a folder for other things: it has %s and nothing of Hallpass, which would close it to others. Choose a folder of its own, such as %s",
				c.DataDir, name, filepath.Join(c.DataDir, "hallpass"))
		}
	}
	return nil
}

// secureDirectory makes the data directory, or removes the access of others to
// it: a reader of the database learns every name and address in it, and a writer
// controls every account. A folder that only its group may enter stays as it is. Of the
// files it changes only those that a server makes, and logs that.
func (c *Config) secureDirectory(log *slog.Logger) error {
	if err := c.checkDirectory(); err != nil {
		return err
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	info, err := os.Stat(c.DataDir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if info.Mode().Perm()&others != 0 {
		if err := closeToOthers(c.DataDir, info, log); err != nil {
			return err
		}
	}
	files, err := os.ReadDir(c.DataDir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	for _, file := range files {
		if !c.ownFile(file.Name()) {
			continue
		}
		if err := secureFile(filepath.Join(c.DataDir, file.Name()), log); err != nil {
			return err
		}
	}
	return nil
}

// ownFile reports whether a server or a restore makes a file with that name in the data
// directory.
func (c *Config) ownFile(name string) bool {
	path := filepath.Join(c.DataDir, name)
	return strings.HasPrefix(name, "hallpass.db") || name == "journal" || strings.HasPrefix(name, "journal.") ||
		name == "initial-admin-password" || strings.HasPrefix(name, "webhook-key") || name == "lock" ||
		!c.Database.postgres() && path == filepath.Clean(databasePath(*c))
}

// sqliteHead begins every SQLite file that is not empty.
const sqliteHead = "SQLite format 3\x00"

// checkDatabase returns an error if something else than a SQLite database is at the path.
// What is not there will do.
func checkDatabase(path string) error {
	f, _, err := plainfile.Open(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("database.path: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	head := make([]byte, len(sqliteHead))
	if n, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("database.path: %w", err)
	} else if n > 0 && string(head) != sqliteHead {
		return fmt.Errorf("database.path: %s is not a SQLite database", path)
	}
	return nil
}

// databaseFiles end the names of the SQLite file and of those that are kept next to it.
var databaseFiles = []string{"", "-wal", "-shm", "-reserve", ".lock"}

// secureDatabase removes the access of other users to the SQLite file and the files
// next to it, also outside the data directory. It refuses what is no regular file.
func secureDatabase(path string, log *slog.Logger) error {
	if checkDatabase(path) != nil { // it is no database of ours, or damaged: opening it tells, and restore replaces it
		return nil
	}
	for _, suffix := range databaseFiles {
		if err := errors.Join(plainfile.Validate(path+suffix), secureFile(path+suffix, log)); err != nil {
			return err
		}
	}
	return nil
}

// secureFile removes the access of other users to a file. A file that does not exist
// is not an error, and neither is a symbolic link, which leads to a file of somebody else.
func secureFile(path string, log *slog.Logger) error {
	info, err := os.Lstat(path)
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
