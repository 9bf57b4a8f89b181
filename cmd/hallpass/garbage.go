//go:build !client && !windows

package main

import (
	"runtime"
	"strings"
)

// ballastSize is the size of the ballast in bytes.
const ballastSize = 32 << 20

// ballast is memory that is never touched, so the system assigns no page to it. The
// garbage collector runs when the heap has doubled; with the few megabytes of a small
// installation it would run dozens of times a second under load. With the ballast at
// least ballastSize of garbage gathers between two runs.
// A larger GOGC would do the same for a small heap, and let a large cache of
// tokens grow to a multiple of its size.
var ballast []byte

// takeBallast allocates the ballast, unless the operator set GOGC or GOMEMLIMIT.
func (p *program) takeBallast() {
	for _, v := range p.environ {
		if strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=") {
			return
		}
	}
	ballast = make([]byte, ballastSize)
	runtime.KeepAlive(ballast) // nothing reads it
}
