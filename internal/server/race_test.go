//go:build race

package server_test

// raced says that the race detector watches, which allocates for itself.
const raced = true
