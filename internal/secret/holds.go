package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// HoldsToken reports whether there is a well-formed token in a text of JSON: as it
// is, with characters escaped as JSON has them, percent-encoded, or in base64, as
// the credential of a header is.
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

// maxEncodings is how often a text is percent-decoded: a link in a link in a link.
const maxEncodings = 3

// unescaped returns text with the byte in the place of each mark that two hex
// digits follow.
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

// base64Prefixes is how a token begins in base64, at each of the three places of a
// group where it can, and how much of the group stands before that.
var base64Prefixes = []struct {
	text   string
	before int
}{{"Z2xzYV", 0}, {"dsc2Ff", 2}, {"nbHNhX", 3}}

// encodedLen is the length of a token in base64, with the rest of the groups that
// its ends stand in.
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

// base64Letters is the one alphabet and then the other.
const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" +
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// fromBase64 decodes what there is of base64 at the beginning of text, in either
// alphabet.
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
