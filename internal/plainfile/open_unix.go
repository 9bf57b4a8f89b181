//go:build unix

package plainfile

import "syscall"

// nonblock has an open return at once, and a terminal that is opened stay a stranger to
// this process.
const nonblock = syscall.O_NONBLOCK | syscall.O_NOCTTY
