package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
)

// The form of a token: "glsa_", 32 characters of 0-9A-Za-z, "_", and the CRC-32
// of all before that underscore as 8 lower-case hex digits, little-endian
// (Grafana's satokengen).
const (
	Prefix      = "glsa_"
	secretLen   = 32
	checksumLen = 8
	bodyLen     = len(Prefix) + secretLen
	// TokenLen is the length of every token in bytes.
	TokenLen = bodyLen + 1 + checksumLen
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// NewToken returns a fresh token of 190 random bits.
func NewToken() Text {
	body := Prefix + randomText(alphabet, secretLen)
	return Text{body + "_" + checksum(body)}
}

// ParseToken returns the hash under which a token is kept, or false if s is
// not a well-formed token. It looks at nothing but s and allocates nothing.
func ParseToken(s string) (hash [32]byte, ok bool) {
	if hash, ok = HashToken(s); !ok || !WellFormed(s) {
		return [32]byte{}, false
	}
	return hash, true
}

// HashToken is ParseToken without a look at the characters and the checksum: of
// what has a token's length, prefix and separator it returns the hash. A hash
// that is known needs no more: only a token has that. It allocates nothing.
func HashToken(s string) (hash [32]byte, ok bool) {
	if len(s) != TokenLen || s[:len(Prefix)] != Prefix || s[bodyLen] != '_' {
		return hash, false
	}
	h := hashers.Get().(*hasher)
	hash = h.sumOf(s)
	hashers.Put(h)
	return hash, true
}

// WellFormed reports whether s, which HashToken took, has a token's characters and
// the checksum that goes with them. It allocates nothing.
func WellFormed(s string) bool {
	if len(s) != TokenLen {
		return false
	}
	for i := len(Prefix); i < bodyLen; i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	crc := ^uint32(0) // by hand: crc32.ChecksumIEEE would move its input to the heap
	for i := range bodyLen {
		crc = crc32.IEEETable[byte(crc)^s[i]] ^ crc>>8
	}
	crc = ^crc
	for i := range checksumLen {
		shift := 8*(i/2) + 4*(1-i%2)
		if s[bodyLen+1+i] != "0123456789abcdef"[crc>>shift&15] {
			return false
		}
	}
	return true
}

// Hash returns the SHA-256 of the whole text, under which a token or session
// id is stored.
func (t Text) Hash() [32]byte { return sha256.Sum256([]byte(t.s)) }

// LastFour returns the last four characters, which tell tokens apart on
// screen.
func (t Text) LastFour() string { return t.s[max(0, len(t.s)-4):] }

// NewSession returns a fresh session id of 256 random bits, as 64 hex digits.
func NewSession() Text {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return Text{hex.EncodeToString(b[:])}
}

// ParseSession returns the hash under which a session is kept, or false if s
// does not look like a session id.
func ParseSession(s string) (hash [32]byte, ok bool) {
	if len(s) != 64 {
		return hash, false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return hash, false
		}
	}
	return sha256.Sum256([]byte(s)), true
}

// NewUID returns a short random name for something: 14 characters of 0-9a-z,
// a letter first, so that it is never a number. It is no secret.
func NewUID() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return randomText(letters, 1) + randomText("0123456789"+letters, 13)
}

// NewPassword returns a random password of 24 characters, 142 bits.
func NewPassword() Text { return Text{randomText(alphabet, 24)} }

func checksum(body string) string {
	crc := crc32.ChecksumIEEE([]byte(body))
	return hex.EncodeToString([]byte{byte(crc), byte(crc >> 8), byte(crc >> 16), byte(crc >> 24)})
}

// randomText returns n characters, each uniform over the letters: a random
// byte that would favour some of them is thrown away.
func randomText(letters string, n int) string {
	fair := 256 - 256%len(letters)
	out := make([]byte, 0, n)
	var b [64]byte
	for len(out) < n {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
		for _, c := range b {
			if int(c) < fair && len(out) < n {
				out = append(out, letters[int(c)%len(letters)])
			}
		}
	}
	return string(out)
}
