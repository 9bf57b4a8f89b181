//go:build race

package extauth_test

// raced says that the race detector watches, which allocates for itself.
const raced = true
