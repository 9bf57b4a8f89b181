// Package admin is the change side. Every door that changes anything goes through
// here: a method validates the input, and then, in one transaction, reads the
// caller anew, authorizes it, makes the change and writes the audit entry (see
// Turn). The reads that need a permission are here too.
package admin
