package server

import "golang.org/x/sys/unix"

// monotonicMicros reads the clock by which systemd orders what it is told, in
// microseconds.
func monotonicMicros() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("server: the monotonic clock cannot be read: " + err.Error()) // every Linux has it
	}
	return ts.Nano() / 1000
}
