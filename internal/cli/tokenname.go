package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

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

// named returns the token that the first two arguments name. Of the two tokens of a
// rotation a name means the new one.
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

// shown is named for a command that only shows. It says which token a name means when
// the token before it works too.
func (s *session) shown() (named, error) {
	n, err := s.named()
	if err != nil {
		return n, err
	}
	return n, s.sayWhich(n.all, n.Token, s.args[1])
}

// sayWhich says which token a name means when the token before it works too.
func (s *session) sayWhich(all []wire.Token, k wire.Token, ref string) error {
	if list := rotating(all, ref); len(list) > 1 {
		return s.say("%s is being replaced: this is the new token, id %d. The other: %s", ref, k.ID, idsText(slices.DeleteFunc(list, func(o wire.Token) bool { return o.ID == k.ID })))
	}
	return nil
}

// toChange is named for a command that changes one token. A name that fits both tokens
// of a rotation is refused.
func (s *session) toChange() (named, error) {
	n, err := s.named()
	if list := rotating(n.all, s.args[1]); err == nil && len(list) > 1 {
		return n, s.several(list, n.ID)
	}
	return n, err
}

// several is the error about a name that fits several tokens, with the command line that
// goes on with the one of the id.
func (s *session) several(list []wire.Token, id int64) error {
	return fmt.Errorf("%w, as in: %s", manyTokens(list, s.args[1]), s.again(number(id)))
}

// manyTokens is the error about a name that fits several tokens.
func manyTokens(list []wire.Token, ref string) error {
	return fmt.Errorf("%d tokens of the account have the name %q: %s. Give the id of one", len(list), ref, idsText(list))
}

// again returns the command line that was typed, about another token.
func (s *session) again(token string) string {
	line := append(strings.Fields(s.cmd.CommandPath())[1:], s.args[0], token)
	s.cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			switch f.NoOptDefVal { // what the flag alone means
			case "":
				line = append(line, "--"+f.Name, v)
			case v:
				line = append(line, "--"+f.Name)
			default:
				line = append(line, "--"+f.Name+"="+v)
			}
		}
	})
	return shellLine(line...)
}

// idsText lists tokens by their ids, with the end of their secrets and their states.
func idsText(list []wire.Token) string {
	var texts []string
	for _, k := range list {
		texts = append(texts, fmt.Sprintf("id %d (…%s, %s)", k.ID, k.LastFour, stateOf(k, false)))
	}
	return strings.Join(texts, ", ")
}

// rotating returns the tokens of a rotation that may all work and that ref fits, a name;
// none if it fits one alone.
func rotating(all []wire.Token, ref string) []wire.Token {
	list := slices.DeleteFunc(matching(all, ref), ended)
	for _, k := range list {
		if k.ReplacedByID != nil && slices.ContainsFunc(list, func(o wire.Token) bool { return o.ID == *k.ReplacedByID }) {
			return list
		}
	}
	return nil
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
// the one that has not ended and that no other replaces which has not ended.
func currentToken(all []wire.Token, ref string) (wire.Token, error) {
	found := matching(all, ref)
	replaced := func(k wire.Token) bool {
		return k.ReplacedByID != nil && (ended(k) || !ended(tokenOf(all, k.ReplacedByID)))
	}
	for _, out := range []func(wire.Token) bool{replaced, ended} {
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
	return wire.Token{}, manyTokens(found, ref)
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
