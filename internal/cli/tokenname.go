package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// A named token is one that a command line names, with its account and the tokens of
// that.
type named struct {
	wire.Token
	account wire.ServiceAccountProfile
	all     []wire.Token
}

// named returns the token that the first two arguments name.
func (s *session) named() (named, error) {
	a, err := s.FindServiceAccount(s.ctx, s.args[0])
	if err != nil {
		return named{}, err
	}
	all, err := s.Tokens(s.ctx, a.ID)
	if err != nil {
		return named{}, err
	}
	k, err := currentToken(all, s.args[1])
	return named{k, a, all}, err
}

// say names the token in a sentence.
func (n named) say() string {
	return fmt.Sprintf("the token %s of %s", idName(n.Token), n.account.Name)
}

// idName names a token by its name, its id and the end of its secret.
func idName(k wire.Token) string { return fmt.Sprintf("%s (id %d, …%s)", k.Name, k.ID, k.LastFour) }

// ended reports whether a token is over for good.
func ended(k wire.Token) bool {
	switch state := hallpass.TokenState(k.State); state {
	case hallpass.TokenExpired, hallpass.TokenRotated, hallpass.TokenRevoked:
		return true
	default:
		return k.HasExpired || k.IsRevoked
	}
}

// matching returns the tokens with that id or name. A text of digits is an id.
func matching(all []wire.Token, ref string) (found []wire.Token) {
	id, notNumber := strconv.ParseInt(ref, 10, 64)
	for _, k := range all {
		if notNumber == nil && k.ID == id || notNumber != nil && k.Name == ref {
			found = append(found, k)
		}
	}
	return found
}

// currentToken returns the token with that id or name. Of several with one name it is
// the one that no other replaces and that has not ended.
func currentToken(all []wire.Token, ref string) (wire.Token, error) {
	found := matching(all, ref)
	for _, out := range []func(wire.Token) bool{func(k wire.Token) bool { return k.ReplacedByID != nil }, ended} {
		if rest := slices.DeleteFunc(slices.Clone(found), out); len(rest) > 0 {
			found = rest
		}
	}
	return onlyToken(all, found, ref)
}

// onlyToken returns the one token of found.
func onlyToken(all, found []wire.Token, ref string) (wire.Token, error) {
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var names []string
		for _, k := range all {
			names = append(names, k.Name)
		}
		return wire.Token{}, orMeant(fmt.Sprintf("the account has no token %q", ref), ref, names)
	}
	var ids []string
	for _, k := range found {
		ids = append(ids, number(k.ID))
	}
	return wire.Token{}, fmt.Errorf("%d tokens of the account have the name %q: give the id of one (%s)", len(found), ref, strings.Join(ids, ", "))
}

// tokenOf returns the token with that id; a token without an id if there is none.
func tokenOf(all []wire.Token, id *int64) wire.Token {
	for _, k := range all {
		if id != nil && k.ID == *id {
			return k
		}
	}
	return wire.Token{}
}
