// Package server is the assembly: it opens the store, builds the two sides on
// it, mounts the doors, listens, and stops. It owns every goroutine and timer.
package server
