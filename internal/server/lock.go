package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// locks are files that this process has locked. The operating system releases the
// locks when the process ends, also when it is killed.
type locks []*os.File

// lockFiles locks the data directory and the database, which may be elsewhere, for
// this process.
func lockFiles(paths ...string) (held locks, err error) {
	for _, path := range paths {
		f, err := lockFile(path)
		if err != nil {
			return nil, errors.Join(err, held.close())
		}
		held = append(held, f)
	}
	return held, nil
}

func lockFile(path string) (*os.File, error) {
	f, _, err := plainfile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%s belongs to somebody else: run as its owner, or choose another folder with --data: %w", filepath.Dir(path), err)
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 32)
		n, _ := f.Read(holder) // for the message alone; may be empty
		err = fmt.Errorf("%s is in use by another hallpass (process %s): stop it first, or choose another folder with --data",
			filepath.Dir(path), strings.TrimSpace(string(holder[:n])))
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
	}
	_, _ = fmt.Fprintf(f, "%d\n", os.Getpid()) // for the message of another process alone; fails on a full disk
	return f, nil
}

func (l locks) close() error {
	var err error
	for _, f := range l {
		err = errors.Join(err, f.Close())
	}
	return err
}
