package httpd

import (
	"encoding/base64"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// A Form is the way in which a request presents its credential.
type Form uint8

// The forms of a credential. The zero value is a request without one.
const (
	NoCredential       Form = iota // no Authorization header
	SeveralCredentials             // more than one Authorization header; none of them is read
	OtherScheme                    // a scheme that no door takes, or no scheme, or nothing after it
	MalformedBasic                 // Basic, and not the base64 of a login, a colon and a password
	BearerToken
	BasicToken // Basic with the login hallpass.APIKeyLogin: the password is a token
	BasicPassword
)

// A Credential is what a request presents in its Authorization header. Nothing
// about it is verified.
type Credential struct {
	Form   Form
	Login  string // of BasicToken and BasicPassword
	Secret string // the token or the password; "" where the form has none
}

// ReadAuthorization reads the values of a request's Authorization headers: the
// scheme, in any case of ASCII, one or more spaces, and the credential (RFC 9110,
// 11.4). It allocates nothing unless the scheme is Basic.
func ReadAuthorization(values []string) Credential {
	switch len(values) {
	case 0:
		return Credential{}
	case 1:
	default:
		return Credential{Form: SeveralCredentials}
	}
	scheme, credential, _ := strings.Cut(values[0], " ")
	credential = strings.TrimLeft(credential, " ")
	switch {
	case credential == "":
		return Credential{Form: OtherScheme}
	case EqualASCII(scheme, "Bearer"):
		return Credential{Form: BearerToken, Secret: credential}
	case EqualASCII(scheme, "Basic"):
		return readBasic(credential)
	}
	return Credential{Form: OtherScheme}
}

// readBasic reads what follows the scheme Basic (RFC 7617).
func readBasic(credential string) Credential {
	text, err := base64.StdEncoding.DecodeString(credential)
	if err != nil {
		return Credential{Form: MalformedBasic}
	}
	login, password, ok := strings.Cut(string(text), ":")
	switch {
	case !ok:
		return Credential{Form: MalformedBasic}
	case login == hallpass.APIKeyLogin:
		return Credential{Form: BasicToken, Login: login, Secret: password}
	}
	return Credential{Form: BasicPassword, Login: login, Secret: password}
}

// basic reports whether the scheme of the credential is Basic.
func (c Credential) basic() bool {
	return c.Form == MalformedBasic || c.Form == BasicToken || c.Form == BasicPassword
}
