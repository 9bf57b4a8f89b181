//go:build race

package guard_test

// raced says that the race detector watches, which allocates for itself.
const raced = true
