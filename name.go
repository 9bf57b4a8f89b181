package hallpass

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name, in characters.
const MaxName = 190

// TidyName removes the spaces around s. It returns an Invalid error that names the
// field if s cannot be a name: s has no visible character, is longer than MaxName
// characters, is not UTF-8, or holds the secret of a token, a control character, an
// invisible character, or one that changes the direction of text (with these a name
// can look like another).
func TidyName(field string, s *string) error {
	*s = strings.TrimFunc(*s, unicode.IsSpace)
	if err := ValidateTitle(field, *s); err != nil {
		return err
	}
	if strings.ContainsFunc(*s, invisible) {
		return Invalidf(field, "%s holds an invisible character", field)
	}
	if key := NameKey(*s); key == "." || key == ".." { // clients take these out of a path, encoded or not
		return Invalidf(field, "%s is a step of a path", field)
	}
	return nil
}

// ValidateTitle returns an Invalid error if s breaks the rules of a title. A title
// identifies nothing, so two titles may look the same.
func ValidateTitle(field, s string) error {
	if err := ValidateText(field, s, MaxName); err != nil {
		return err
	}
	if !strings.ContainsFunc(s, visible) {
		return Invalidf(field, "%s is required", field)
	}
	if utf8.RuneCountInString(NameKey(s)) > MaxName { // some characters stand for many, and no index takes any length
		return tooLong(field, MaxName)
	}
	return nil
}

// visible reports whether r shows anything.
func visible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !invisible(r) && !joins(r)
}

// joins reports whether r shows nothing itself but changes how its neighbours
// are drawn, as scripts and emoji need it. A name may hold such characters, and
// is the same name without them.
func joins(r rune) bool {
	return r == '\u200c' || r == '\u200d' || unicode.Is(unicode.Variation_Selector, r)
}

// invisible reports whether r is drawn as nothing, or as a space though it is not one.
func invisible(r rune) bool {
	const braillePatternBlank = '\u2800'
	return !joins(r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) &&
		(r == braillePatternBlank || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point))
}

// ValidateText returns an Invalid error if an optional text is longer than longest
// characters or breaks another rule of a title. It may be empty.
func ValidateText(field, s string, longest int) error {
	if !utf8.ValidString(s) {
		return Invalidf(field, "%s is not valid UTF-8", field)
	}
	if utf8.RuneCountInString(s) > longest {
		return tooLong(field, longest)
	}
	if strings.ContainsFunc(s, forbiddenRune) {
		return Invalidf(field, "%s holds a control character", field)
	}
	return ValidateNoToken(field, s)
}

// ValidateNoToken returns an Invalid error if s holds the secret of a token: people
// who must not be able to use the token can read what is stored.
func ValidateNoToken(field, s string) error {
	if HoldsToken(s) {
		return Invalidf(field, "%s holds a token: a secret belongs nowhere but in Authorization", field)
	}
	return nil
}

func tooLong(field string, longest int) error {
	return Invalidf(field, "%s is longer than %d characters", field, longest)
}

// TidyLogin is TidyName for what a user signs in by, a login or an e-mail address.
// It also refuses what could not be used to sign in: a colon, which ends the user
// name of a Basic credential; APIKeyLogin, with which that credential carries a token;
// and the form of service accounts' logins.
func TidyLogin(field string, s *string) error {
	if err := TidyName(field, s); err != nil {
		return err
	}
	key := NameKey(*s)
	switch {
	case strings.Contains(key, ":"):
		return Invalidf(field, "%s holds a colon", field)
	case key == APIKeyLogin || serviceAccountLogin(key):
		return Invalidf(field, "%s is reserved", field)
	}
	return nil
}

// APIKeyLogin is the user name under which a Basic credential holds a token.
const APIKeyLogin = "api_key"

// serviceAccountLogin reports whether the key is of the form sa-1-name.
func serviceAccountLogin(key string) bool {
	rest, found := strings.CutPrefix(key, "sa-")
	org, _, more := strings.Cut(rest, "-")
	_, number := ParseID(org)
	return found && more && number
}

// NameRule names the rule of NameKey: programs with the same NameRule make the same
// keys. Its number goes up with each change of NameKey; what else it names are the
// tables of Unicode that NameKey reads.
const NameRule = "1 " + norm.Version + " " + unicode.Version

// NameKey folds s for comparison. Names that differ only in case, in the composition
// of their letters, in spaces or in invisible characters have the same key on every
// database. NUL and invalid UTF-8, which PostgreSQL refuses, become a character that
// no name can hold, so any text may be looked up.
func NameKey(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < utf8.RuneSelf && s[i] != 0
	}
	if ascii {
		return collapseSpaces(strings.ToLower(s))
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case joins(r) || invisible(r):
			return -1
		case r == 0:
			return utf8.RuneError
		}
		return r
	}, s)
	for range 4 { // a second round changes little, a third nothing
		folded := strings.ToLower(strings.ToUpper(norm.NFKC.String(s)))
		if folded == s {
			break
		}
		s = folded
	}
	return collapseSpaces(s)
}

// collapseSpaces removes the spaces around s and leaves one between its words.
func collapseSpaces(s string) string {
	if !strings.ContainsFunc(s, unicode.IsSpace) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}
