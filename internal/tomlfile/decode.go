package tomlfile

import (
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxKeyParts is how many parts the keys of one line may have in all. No setting has more
// than four; the parser's time grows with the square of it, so that 80 kilobytes of dots
// would take minutes.
const maxKeyParts = 64

// Decode is toml.Decode for files of any content: a line with more parts of keys than any
// of ours has is a [toml.ParseError].
func Decode(text string, v any) (toml.MetaData, error) {
	for i, line := range strings.Split(text, "\n") {
		if dotsOutsideTexts(line) >= maxKeyParts {
			return toml.MetaData{}, toml.ParseError{Message: fmt.Sprintf("Key has more than %d parts", maxKeyParts), Position: toml.Position{Line: i + 1}}
		}
	}
	return toml.Decode(text, v)
}

// dotsOutsideTexts counts the dots of the line that are neither in a text nor in a comment.
func dotsOutsideTexts(line string) (n int) {
	var quote rune // that ends the text; 0: there is none
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			escaped = quote == '"' && r == '\\'
		case r == '"' || r == '\'':
			quote = r
		case r == '#':
			return n
		case r == '.':
			n++
		}
	}
	return n
}
