package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// HoldsToken reports whether a JSON text holds a well-formed token: plain, with JSON
// escapes, percent-encoded, or in base64 as in a header's credential.
func HoldsToken(text []byte) bool {
	text = unescaped(text, []byte(`\u00`))
	if holdsPlain(text) || holdsBase64(text) {
		return true
	}
	for range maxEncodings {
		decoded := unescaped(text, []byte("%"))
		if len(decoded) == len(text) {
			return false
		}
		if text = decoded; holdsPlain(text) || holdsBase64(text) {
			return true
		}
	}
	return false
}

// maxEncodings is how often a text is percent-decoded. A link in a link in a link is
// encoded three times.
const maxEncodings = 3

// unescaped replaces each mark with two hex digits after it by the byte that the
// digits stand for.
func unescaped(text, mark []byte) []byte {
	if !bytes.Contains(text, mark) {
		return text
	}
	out := make([]byte, 0, len(text))
	for {
		i := bytes.Index(text, mark)
		if i < 0 {
			return append(out, text...)
		}
		out = append(out, text[:i]...)
		text = text[i:]
		var b [1]byte
		after := len(mark) + 2
		if len(text) < after {
			return append(out, text...)
		}
		if _, err := hex.Decode(b[:], text[len(mark):after]); err != nil {
			out, text = append(out, text[:len(mark)]...), text[len(mark):]
			continue
		}
		out, text = append(out, b[0]), text[after:]
	}
}

func holdsPlain(text []byte) bool {
	for {
		i := bytes.Index(text, []byte(Prefix))
		if i < 0 {
			return false
		}
		text = text[i:]
		if len(text) >= TokenLen {
			if _, ok := ParseToken(string(text[:TokenLen])); ok {
				return true
			}
		}
		text = text[len(Prefix):]
	}
}

// base64Prefixes are the beginnings of a token in base64, one for each of the three
// offsets in a group, with the number of characters of the group before it.
var base64Prefixes = []struct {
	text   string
	before int
}{{"Z2xzYV", 0}, {"dsc2Ff", 2}, {"nbHNhX", 3}}

// encodedLen is the length of a token in base64, with the whole groups at its ends.
const encodedLen = (TokenLen + 4) / 3 * 4

func holdsBase64(text []byte) bool {
	for _, p := range base64Prefixes {
		for rest := text; ; {
			i := bytes.Index(rest, []byte(p.text))
			if i < 0 {
				break
			}
			if start := i - p.before; start >= 0 && holdsPlain(fromBase64(rest[start:min(start+encodedLen, len(rest))])) {
				return true
			}
			rest = rest[i+len(p.text):]
		}
	}
	return false
}

// base64Letters is the standard alphabet, then the URL alphabet.
const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" +
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// fromBase64 decodes the base64 at the beginning of text, in either alphabet.
func fromBase64(text []byte) []byte {
	std := make([]byte, 0, encodedLen)
	for _, c := range text {
		i := strings.IndexByte(base64Letters, c)
		if i < 0 {
			break
		}
		std = append(std, base64Letters[i%64])
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(std)))
	n, _ := base64.RawStdEncoding.Decode(out, std)
	return out[:n]
}
