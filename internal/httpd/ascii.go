package httpd

import "strings"

// EqualASCII reports whether two words of a protocol are the same in any case of
// ASCII, as protocols have it: strings.EqualFold takes "Ba\u017fic" for "Basic".
// It allocates nothing.
func EqualASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// LowerASCII returns s with the capitals of ASCII made small.
func LowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
