// Package admin is the change side: each of its methods authorizes the caller,
// validates the input, makes the change and writes the audit entry, the last
// two in one transaction. Every door that changes anything goes through here.
package admin
