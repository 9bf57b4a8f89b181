// Package server is the assembly: it opens the store, builds verify and admin on
// it, mounts the doors, listens, and stops. It owns every goroutine and timer.
package server
