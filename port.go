package hallpass

import "strconv"

// ValidPort reports whether a URL or an address may name the port: it is a number from 1 to
// 65535 (RFC 9293), or empty, which is the port of the URL's scheme.
func ValidPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// ValidListenPort reports whether a server may listen on the port: it is a number up to
// 65535, and 0 is one that is free.
func ValidListenPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}
