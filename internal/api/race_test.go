//go:build race

package api_test

// attackEvery means that one of so many attacks is tried. The race detector makes SQLite,
// which is compiled from Go, ten times slower, and attacks that run one after another have
// few races to find.
const attackEvery = 19
