//go:build race

package api_test

// attackEvery is how many attacks stand for one that is tried. The race detector
// makes SQLite, which is Go here, ten times slower, and has little to find in
// what is done one after another.
const attackEvery = 19
