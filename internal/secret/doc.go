// Package secret is the only package that handles plaintext. It makes, parses, hashes
// and compares tokens, session ids and passwords, and keeps them out of logs.
package secret
