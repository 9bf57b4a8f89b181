package hallpass

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clients send secrets in wrong fields: a token in a User-Agent, a path, a name.
// Redact and Clean remove secrets from texts before they are stored, shown or
// logged. Where a text must be returned as it was sent, callers refuse it if
// HoldsToken reports true.

// Redacted replaces a secret in a text.
const Redacted = "[secret]"

const (
	tokenPrefix = "glsa_"
	tokenSecret = 32 // characters of a token's secret: the checksum after them can be computed
	tokenShown  = 4  // of them may be shown
	sessionLen  = 64 // hex digits of a session id
)

// Clean makes a text that a client chose safe to store, show and log: it removes
// secrets, cuts the text to longest bytes, makes it valid UTF-8, and puts a question
// mark for each character that ValidateText refuses.
func Clean(s string, longest int) string {
	if needsNoCleaning(s, longest) {
		return s
	}
	s = Redact(s)
	if len(s) > longest {
		s = s[:longest]
	}
	return strings.Map(func(r rune) rune {
		if forbiddenRune(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// needsNoCleaning is a quick test: true means that Clean would change nothing. For some
// texts it is false though nothing needs cleaning.
func needsNoCleaning(s string, longest int) bool {
	if len(s) > longest {
		return false
	}
	run := 0
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == '_' || c == '%' {
			return false
		}
		if run++; !base64Letter(c) {
			run = 0
		}
		if run >= tokenSecret {
			return false
		}
	}
	return true
}

// Redact returns s without secrets. Four characters of a token, whole or in part, or
// of a session id stay; none of a token in base64. Redact also finds tokens that are
// percent-encoded.
func Redact(s string) string {
	return redactSessions(redactEncoded(redactTokens(s)))
}

// HoldsToken reports whether s holds the secret of a token, plain,
// percent-encoded or in base64. Whether its checksum is right makes no
// difference: anybody can compute it.
func HoldsToken(s string) bool {
	for i := range len(s) {
		if _, n, _ := tokenAt(s, i); n >= tokenSecret {
			return true
		}
	}
	_, _, found := encodedToken(s, 0)
	return found
}

// tokenAt reports whether a token begins at s[i]: the text that may be shown of
// it, how many characters there are after the prefix, and where it ends. n is
// -1 where none begins.
func tokenAt(s string, i int) (shown string, n, end int) {
	if c := s[i]; c != 'g' && c != 'G' && c != '%' {
		return "", -1, i
	}
	var b [len(tokenPrefix) + tokenShown]byte
	at := 0
	for end = i; end < len(s); at++ {
		c, next := percentDecoded(s, end)
		switch {
		case at < len(tokenPrefix) && (c|0x20 != tokenPrefix[at]|0x20 || (c == '_') != (tokenPrefix[at] == '_')):
			return "", -1, i
		case at >= len(tokenPrefix) && !alphanumeric(c) && c != '_':
			return string(b[:min(at, len(b))]), at - len(tokenPrefix), end
		}
		if at < len(b) {
			b[at] = c
		}
		end = next
	}
	if at < len(tokenPrefix) {
		return "", -1, i
	}
	return string(b[:min(at, len(b))]), at - len(tokenPrefix), end
}

// percentDecoded returns the byte at s[i], percent-encoded once or several times
// or not at all, and where the next one begins.
func percentDecoded(s string, i int) (c byte, next int) {
	if s[i] != '%' {
		return s[i], i + 1
	}
	j := i + 1
	for strings.HasPrefix(s[j:], "25") { // %2567 is a g that was encoded twice
		j += 2
	}
	if j+2 > len(s) || !hexDigit(s[j]) || !hexDigit(s[j+1]) {
		return '%', i + 1
	}
	return unhex(s[j])<<4 | unhex(s[j+1]), j + 2
}

func redactTokens(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		shown, n, end := tokenAt(s, i)
		if n <= tokenShown {
			continue
		}
		b.WriteString(s[from:i])
		b.WriteString(shown)
		b.WriteString(Redacted)
		from, i = end, end-1
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// base64Prefixes is how the prefix of a token looks in base64, at each of the
// three places where it can begin.
var base64Prefixes = [...]string{"Z2xzYV", "dsc2Ff", "nbHNhX"}

// encodedToken returns the first run of base64 from s[from] on that holds a
// token.
func encodedToken(s string, from int) (start, end int, found bool) {
	const long = tokenSecret * 4 / 3
	for start = from; start < len(s); start = end + 1 {
		for end = start; end < len(s) && base64Letter(s[end]); end++ {
		}
		if end-start < long {
			continue
		}
		for _, p := range base64Prefixes {
			if strings.Contains(s[start:end], p) {
				return start, end, true
			}
		}
	}
	return 0, 0, false
}

func redactEncoded(s string) string {
	for from := 0; ; {
		start, end, found := encodedToken(s, from)
		if !found {
			return s
		}
		s, from = s[:start]+Redacted+s[end:], start+len(Redacted)
	}
}

// redactSessions cuts runs of as many hex digits as a session id has.
func redactSessions(s string) string {
	for i := 0; i < len(s); i++ {
		end := i
		for end < len(s) && alphanumeric(s[end]) {
			end++
		}
		if end-i == sessionLen && strings.Trim(s[i:end], "0123456789abcdef") == "" {
			return s[:i+tokenShown] + Redacted + redactSessions(s[end:])
		}
		i = max(i, end-1)
	}
	return s
}

// forbiddenRune reports whether no text of ours may hold r: a control character, or
// one that changes the direction of text, which lets a name look like another.
func forbiddenRune(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
}

func alphanumeric(c byte) bool { return letter(c) || '0' <= c && c <= '9' }

func base64Letter(c byte) bool {
	return alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

func hexDigit(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
