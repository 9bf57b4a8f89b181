package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate has the file take so many bytes of the disk.
func allocate(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return write(f, size)
	}
	return err
}
