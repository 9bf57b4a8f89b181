package main

import (
	"runtime"
	"strings"
)

// ballastSize is what the heap is made to look larger by.
const ballastSize = 32 << 20

// ballast is memory that is never touched, so no page of it is ever real. The
// collector runs when the heap has doubled; the few megabytes that a small
// installation keeps would have it run dozens of times a second under load.
// With the ballast it lets at least as much garbage gather as that is large.
// A larger GOGC would do the same for a small heap, and let a large cache of
// tokens grow to a multiple of its size.
var ballast []byte

// takeBallast lets garbage gather, unless the operator has a say in that.
func (p *program) takeBallast() {
	for _, v := range p.environ {
		if strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=") {
			return
		}
	}
	ballast = make([]byte, ballastSize)
	runtime.KeepAlive(ballast) // nothing reads it
}
