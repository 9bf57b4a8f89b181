//go:build !linux

package store

import "time"

var started = time.Now()

// BootClock reads Go's monotonic clock, which may stand still while the machine
// is suspended. Nodes that share a database belong on Linux.
func BootClock() time.Duration { return time.Since(started) }
