//go:build !race

package api_test

// attackEvery means that one of so many attacks is tried.
const attackEvery = 1
