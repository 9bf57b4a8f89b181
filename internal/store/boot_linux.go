package store

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootClock reads a clock that never jumps and, unlike Go's monotonic one, goes
// on while the machine is suspended: what was current before a night's sleep
// must not be so after it.
func BootClock() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("store: the boot clock cannot be read: " + err.Error()) // every Linux since 2.6.39 has it
	}
	return time.Duration(ts.Nano())
}
