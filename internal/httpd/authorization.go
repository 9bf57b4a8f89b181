package httpd

import (
	"encoding/base64"
	"strings"
)

// A Scheme is how an Authorization header presents its credential.
type Scheme uint8

// The schemes that anybody here takes.
const (
	NoScheme Scheme = iota // none, another one, or nothing after it
	Bearer
	Basic
)

// SplitAuthorization returns the scheme of an Authorization header, in any case
// of ASCII, and the credential after one or more spaces (RFC 9110, 11.4). It
// allocates nothing.
func SplitAuthorization(header string) (Scheme, string) {
	name, credential, _ := strings.Cut(header, " ")
	credential = strings.TrimLeft(credential, " ")
	switch {
	case credential == "":
		return NoScheme, ""
	case EqualASCII(name, "Bearer"):
		return Bearer, credential
	case EqualASCII(name, "Basic"):
		return Basic, credential
	}
	return NoScheme, ""
}

// SplitBasic returns the login and password of a Basic credential (RFC 7617);
// not ok if it is malformed.
func SplitBasic(credential string) (login, password string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(credential)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}
