package httpd

import "strings"

// EqualASCII reports whether two words of a protocol are equal, ignoring the case
// of ASCII letters only. strings.EqualFold would also take "Ba\u017fic" for "Basic".
// EqualASCII allocates nothing.
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

// LowerASCII returns s with its ASCII letters in lower case.
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
