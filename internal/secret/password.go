package secret

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed" // the list of common passwords
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/hallpass-dev/hallpass"
)

// Cost of a password hash: argon2id with 19 MiB, two passes, one lane (OWASP's
// minimum; about 40 ms of one core).
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	saltLen     = 16
	keyLen      = 32
)

// Lengths of a password: the minimum counts characters (NIST SP 800-63B for a
// password that is the only factor), the maximum bytes.
const (
	MinPassword = 15
	MaxPassword = 1024
)

// HashPassword returns the argon2id hash of p in PHC form. It waits for its
// turn, and fails with ErrBusy when that does not come, and with ctx.
func HashPassword(ctx context.Context, p Text) (string, error) {
	var salt [saltLen]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand aborts the program instead
	if err := hashing.enter(ctx, true); err != nil {
		return "", err
	}
	defer hashing.leave()
	key := argon2.IDKey([]byte(p.s), salt[:], argonTime, argonMemory, argonLanes, keyLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt[:]), b64.EncodeToString(key)), nil
}

// nobodysHash is checked when no user has the login, so that an unknown login takes
// the same time as a known one.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// CheckPassword reports whether p is the password of hash, in PHC form. An
// empty or unreadable hash fits no password, and a password over MaxPassword
// bytes fits no hash; both cost the same time. It waits for its turn; known callers
// come before strangers. Then it calls still, if that is not nil, which says whether
// the check is still wanted. It fails with ErrBusy when the turn does not come, with
// ctx's error, and with that of still.
func CheckPassword(ctx context.Context, hash string, p Text, known bool, still func() error) (bool, error) {
	salt, want, passes, memory, lanes, ok := parsePHC(hash)
	if !ok {
		salt, want, passes, memory, lanes, _ = parsePHC(nobodysHash)
	}
	if len(p.s) > MaxPassword {
		p, ok = Text{}, false
	}
	if err := hashing.enter(ctx, known); err != nil {
		return false, err
	}
	defer hashing.leave()
	if still != nil {
		if err := still(); err != nil {
			return false, err
		}
	}
	got := argon2.IDKey([]byte(p.s), salt, passes, memory, lanes, keyLen)
	return subtle.ConstantTimeCompare(got, want) == 1 && ok, nil
}

func parsePHC(s string) (salt, key []byte, passes, memory uint32, lanes uint8, ok bool) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, 0, 0, 0, false
	}
	if n, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); n != 3 || err != nil || passes < 1 || lanes < 1 || memory > 1<<21 {
		return nil, nil, 0, 0, 0, false
	}
	b64 := base64.RawStdEncoding
	salt, err1 := b64.DecodeString(f[4])
	key, err2 := b64.DecodeString(f[5])
	return salt, key, passes, memory, lanes, err1 == nil && err2 == nil && len(key) == keyLen
}

//go:embed common.txt
var commonText string

var common = func() map[string]bool {
	m := make(map[string]bool)
	for s := bufio.NewScanner(strings.NewReader(commonText)); s.Scan(); {
		m[s.Text()] = true
	}
	return m
}()

// CheckLength refuses as Invalid a password that is longer than any can be.
func CheckLength(p Text) error {
	if len(p.s) > MaxPassword {
		return passwordError("Password is longer than %d bytes", MaxPassword)
	}
	return nil
}

// ValidatePassword holds a new password of the user with that login to the
// policy: MinPassword characters at least, MaxPassword bytes at most, and not
// among those that guessers try first. Without the policy only an empty
// password and one over MaxPassword bytes are refused. The error is Invalid.
func ValidatePassword(p Text, login string, policy bool) error {
	if p.s == "" {
		return passwordError("Password is required")
	}
	if err := CheckLength(p); err != nil {
		return err
	}
	if !policy {
		return nil
	}
	if utf8.RuneCountInString(p.s) < MinPassword {
		return passwordError("Password is shorter than %d characters", MinPassword)
	}
	lower := strings.ToLower(p.s)
	if squeezed := strings.ReplaceAll(lower, " ", ""); common[lower] || common[squeezed] || tooPlain(lower) || login != "" && strings.Trim(lower, "0123456789!@#$._- ") == strings.ToLower(login) {
		return passwordError("Password is too easily guessed")
	}
	return nil
}

// CheckTyped refuses as Invalid a password that a person cannot type at a form: one with a
// control character, such as the end of a line, with the mark that some programs put at the
// begin of a file, or that is not UTF-8. Programs may have such passwords; who reads one
// from a file for a person has a file that holds something else than was meant.
func CheckTyped(p Text) error {
	if !utf8.ValidString(p.s) || strings.ContainsFunc(p.s, func(r rune) bool { return unicode.IsControl(r) || r == '\uFEFF' }) {
		return passwordError("Password holds a character that nobody can type, such as the end of a line")
	}
	return nil
}

func passwordError(format string, args ...any) error {
	return &hallpass.Error{Kind: hallpass.Invalid, ID: "user.password-invalid", Field: "password", Message: fmt.Sprintf(format, args...)}
}

// tooPlain reports whether s repeats a short piece, or is a run along the keyboard
// or the alphabet.
func tooPlain(s string) bool {
	for period := 1; period <= 8 && period*2 <= len(s); period++ {
		if strings.HasPrefix(s, s[len(s)-len(s)%period:]) && strings.Repeat(s[:period], len(s)/period) == s[:len(s)-len(s)%period] {
			return true
		}
	}
	for _, row := range []string{"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p"} {
		if strings.Contains(row, s) || strings.Contains(reverse(row), s) {
			return true
		}
	}
	return false
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
