// Package guard is the door for proxies that protect other APIs. Before a proxy
// lets a request pass, it asks here whether it may. Decide makes the decision. A
// dialect, a file beside it, reads the question as one kind of proxy writes it
// and turns the verdict into the answer that this proxy understands.
package guard
