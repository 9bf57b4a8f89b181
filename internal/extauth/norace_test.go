//go:build !race

package extauth_test

const raced = false
