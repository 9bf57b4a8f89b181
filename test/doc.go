// Package test holds the tests that need real processes: kill -9, a real
// browser, load, and clients of others in modules of their own.
package test
