// Package guard is the door of the guard: proxies ask here whether a request
// may pass, before they let it through to what they protect.
package guard
