package hallpass

import (
	"slices"
	"time"
)

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

// SetTimeout sets how long the API may take to begin its answer, by a text such as
// "90s"; "" is DefaultGuardTimeout.
func (g *Guard) SetTimeout(text string) *Error {
	if text == "" {
		g.Timeout = 0
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d == 0 {
		return Invalidf("timeout", "The timeout is not a duration like 90s")
	}
	g.Timeout = d
	return nil
}

// A WrittenRule is a GuardRule as it is written down: in a configuration file, in JSON
// and in a form. Exactly one of Public, Role and Action says what a request needs. Other
// rooms have types with the same fields and tags of their own, and convert to it.
type WrittenRule struct {
	Methods  []string
	Path     string
	Public   bool
	Role     string
	Action   string
	Scope    string
	Captures map[string]string
	Split    string
	Set      map[string]string
}

// Written returns the rule as it is written down.
func (r GuardRule) Written() WrittenRule {
	w := WrittenRule{Methods: r.Methods, Path: r.Path, Captures: r.Captures, Split: r.Split, Set: r.Set}
	switch r.Need.Kind {
	case NeedNothing:
		w.Public = true
	case NeedRole:
		w.Role = r.Need.Role.String()
	case NeedPermission:
		w.Action, w.Scope = string(r.Need.Action), r.Need.Scope
	}
	return w
}

// AddRule reads a rule and puts it behind the guard's others. It tells only what is
// wrong with what the rule needs; Validate tells the rest.
func (g *Guard) AddRule(w WrittenRule) *Error {
	need, err := needOf(w)
	if err != nil {
		return err.InRule(len(g.Rules))
	}
	g.Rules = append(g.Rules, GuardRule{Methods: w.Methods, Path: w.Path, Need: need, Captures: w.Captures, Split: w.Split, Set: w.Set})
	return nil
}
