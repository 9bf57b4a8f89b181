// Package webhooks holds the library of Standard Webhooks against what a real server
// sends. It is a module of its own, so that the product does not depend on that library.
package webhooks
