// Package secret is the one room that sees plaintext: it makes, parses, hashes
// and compares tokens, session ids and passwords, and keeps them out of logs.
package secret
