package hallpass

import "slices"

// The words for how a guard answers preflights.
const (
	refusePreflight = "refuse"
	allowPreflight  = "allow"
)

// Preflight is the word for how the guard answers a browser's preflight without a
// token: "refuse" or "allow".
func (g Guard) Preflight() string {
	if g.AllowPreflight {
		return allowPreflight
	}
	return refusePreflight
}

// SetPreflight sets how the guard answers preflights, by the word; "" is "refuse".
func (g *Guard) SetPreflight(word string) *Error {
	switch word {
	case "", refusePreflight, allowPreflight:
		g.AllowPreflight = word == allowPreflight
		return nil
	}
	return Invalidf("preflight", "%q is neither refuse nor allow", word)
}

// The words for how an API learns who calls.
const (
	identityHeaders = "headers"
	identityJWT     = "jwt"
)

// Identity lists how the API learns who calls: "headers" always, and "jwt" if it gets
// a signed token too.
func (g Guard) Identity() []string {
	if g.JWT {
		return []string{identityHeaders, identityJWT}
	}
	return []string{identityHeaders}
}

// SetIdentity sets how the API learns who calls, by the words of Identity. The headers
// are there whether they are named or not.
func (g *Guard) SetIdentity(words []string) *Error {
	for _, w := range words {
		if w != identityHeaders && w != identityJWT {
			return Invalidf("identity", "%q is neither headers nor jwt", w)
		}
	}
	g.JWT = slices.Contains(words, identityJWT)
	return nil
}
