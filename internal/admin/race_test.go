//go:build race

package admin_test

// How many coalitions there are, and how much each tries. The race detector
// makes SQLite, which is Go here, ten times slower, and has little to find in
// what one goroutine does.
const coalitions, moves = 1, 50
