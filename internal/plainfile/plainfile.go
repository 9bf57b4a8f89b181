// Package plainfile opens and reads files that somebody else named: settings, keys,
// certificates, databases. It never waits for another process, and never reads without an
// end. It is safe for concurrent use.
package plainfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Open is os.OpenFile for regular files. Anything else, such as a folder, a device or a
// pipe, is an error: the open of a pipe would wait for whoever is at its other end, and
// nothing else would go on, not even the end of the server.
func Open(path string, flag int, perm fs.FileMode) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, flag|nonblock, perm) // #nosec G304 -- the operator named it
	if err != nil {
		if info, unknown := os.Stat(path); unknown == nil && !info.Mode().IsRegular() { // "no such device or address", of a socket, would help nobody
			err = notRegular(path, info.Mode())
		}
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path, info.Mode())
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, nil, err
	}
	return f, info, nil
}

// Validate returns an error if there is something at the path that is not a regular file,
// for the files that a library opens by itself. It is nil if nothing is there.
func Validate(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return notRegular(path, info.Mode())
	}
	return nil
}

// Read returns what the file holds, and what it is. A file that is not a regular one, or
// that has more than so many bytes, is an error, which names it.
func Read(path string, most int64) (text []byte, info fs.FileInfo, err error) {
	f, info, err := Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err = io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	if err != nil {
		return nil, nil, err
	}
	return text, info, nil
}

func notRegular(path string, mode fs.FileMode) error {
	what := "something else"
	switch {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Errorf("%s is %s, not a regular file", path, what)
}

// Write is os.WriteFile for regular files, new ones or old ones.
func Write(path string, text []byte, perm fs.FileMode) error {
	f, _, err := Open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
