//go:build !linux

package server

// monotonicMicros is 0: nobody asks for it where there is no systemd.
func monotonicMicros() int64 { return 0 }
