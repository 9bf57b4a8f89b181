package hallpass

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name, in characters.
const MaxName = 190

// ValidateName reports as an Invalid error, naming the field, what keeps s from
// being the name of something: it shows nothing, is longer than MaxName
// characters, not UTF-8, or holds a control character or one that changes the
// direction of text (which lets a name look like another).
func ValidateName(field, s string) error {
	if err := ValidateText(field, s, MaxName); err != nil {
		return err
	}
	if !strings.ContainsFunc(s, visible) {
		return Invalidf(field, "%s is required", field)
	}
	return nil
}

// visible reports whether r is more than a space or an invisible format
// character.
func visible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// ValidateText holds optional text to the rules of a name, with another length.
func ValidateText(field, s string, longest int) error {
	if !utf8.ValidString(s) {
		return Invalidf(field, "%s is not valid UTF-8", field)
	}
	if utf8.RuneCountInString(s) > longest {
		return Invalidf(field, "%s is longer than %d characters", field, longest)
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return Invalidf(field, "%s holds a control character", field)
		}
	}
	return nil
}

// NameKey folds s for comparison, so that names which differ by case alone are
// one name on every database.
func NameKey(s string) string {
	return strings.ToLower(strings.ToUpper(s))
}
