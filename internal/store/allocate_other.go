//go:build !linux

package store

import "os"

// allocate has the file take so many bytes of the disk.
func allocate(f *os.File, size int64) error { return write(f, size) }
