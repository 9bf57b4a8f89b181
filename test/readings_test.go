package test_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// readings returns every path that some server could read in the target of a request: all
// that come out when the steps of careless servers are taken in any order.
func readings(target string) map[string]bool {
	first, _, _ := strings.Cut(target, "?")                    // every server ends the path here
	first = hexLetter.ReplaceAllStringFunc(first, decodedByte) // means the same everywhere (RFC 3986, section 6.2.2.2)
	found := map[string]bool{first: true}
	for left := []string{first}; len(left) > 0 && len(found) < 2000; left = left[1:] {
		for _, step := range carelessSteps {
			if next := step(left[0]); !found[next] {
				found[next] = true
				left = append(left, next)
			}
		}
	}
	return found
}

var (
	wholeURL    = regexp.MustCompile(`^(?i:[a-z][a-z0-9+.-]*:)?//[^/\\?#]*`)
	parameters  = regexp.MustCompile(`;[^/]*`)
	hexPair     = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	hexWide     = regexp.MustCompile(`%[uU]00[0-9A-Fa-f]{2}`)
	hexLetter   = regexp.MustCompile(`%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])`)
	manySlashes = regexp.MustCompile(`/{2,}`)
	overlong    = strings.NewReplacer("\xc0\xae", ".", "\xc0\xaf", "/", "\xc1\x9c", `\`, "\xe0\x80\xae", ".", "\xe0\x80\xaf", "/", "\xf0\x80\x80\xae", ".", "\xf0\x80\x80\xaf", "/")
	controls    = regexp.MustCompile("[\x00-\x20\x7f]+")
)

var carelessSteps = []func(string) string{
	func(s string) string { return wholeURL.ReplaceAllString(s, "") },
	func(s string) string { return parameters.ReplaceAllString(s, "") },
	func(s string) string { return hexPair.ReplaceAllStringFunc(s, decodedByte) },
	func(s string) string { return hexWide.ReplaceAllStringFunc(s, decodedByte) },
	func(s string) string { return strings.ReplaceAll(s, `\`, "/") },
	func(s string) string { return manySlashes.ReplaceAllString(s, "/") },
	func(s string) string { return overlong.Replace(s) },
	func(s string) string { return controls.ReplaceAllString(s, "") },
	func(s string) string { return cutAny(s, "#") },
	func(s string) string { return cutAny(s, "?") },
	func(s string) string { return cutAny(s, "\x00\r\n") },
	withoutSteps,
}

// decodedByte decodes %2e and %u002e.
func decodedByte(s string) string {
	b, err := url.PathUnescape("%" + s[len(s)-2:])
	if err != nil {
		return s
	}
	return b
}

func cutAny(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}

// withoutSteps follows the segments "." and "..".
func withoutSteps(s string) string {
	var kept []string
	parts := strings.Split(s, "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case part == "." || part == "..":
			if part == ".." && len(kept) > 1 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "/")
}

// TestReadings shows that readings finds what a spelling can mean. Otherwise the attacks
// of TestAttacks would prove nothing.
func TestReadings(t *testing.T) {
	for _, forbidden := range append(forbiddenSpellings(), "/api/../admin/x", "/api/..%5cadmin/x", "/api/%252e%252e%252fadmin/x", "/api/..;/admin/x", "/api/%c0%ae%c0%ae/admin/x", "http://x/admin/x", "//admin/x") {
		if unread := outside(forbidden, "/api/"); unread == "" {
			t.Errorf("%q is not read as a path outside /api/", forbidden)
		}
	}
	for _, harmless := range []string{"/api/", "/api/x", "/api/x%20y", "/api/caf%C3%A9", "/api/a:b@c~d", "/api/x?u=/../y", "/api/x?y=%2e%2e/#"} {
		if read := outside(harmless, "/api/"); read != "" {
			t.Errorf("%q is read as %q", harmless, read)
		}
	}
}

// outside returns a reading of the target that does not begin with the prefix, "" if none.
func outside(target, prefix string) string {
	for read := range readings(target) {
		if !strings.HasPrefix(read, prefix) {
			return read + " "
		}
	}
	return ""
}
