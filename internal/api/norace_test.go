//go:build !race

package api_test

// attackEvery is how many attacks stand for one that is tried.
const attackEvery = 1
