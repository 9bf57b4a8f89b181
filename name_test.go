package hallpass_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
)

func TestValidateName(t *testing.T) {
	const (
		required = "name is required"
		long     = "name is longer than 190 characters"
		control  = "name holds a control character"
		notUTF8  = "name is not valid UTF-8"
	)
	for _, tt := range []struct {
		name, in, want string
	}{
		{"plain", "ci-dashboard-sync-token", ""},
		{"inner and outer spaces", " a b ", ""},
		{"other scripts", "Ключ 鍵 مفتاح 🔑", ""},
		{"an emoji of several", "👩\u200d🔧", ""},
		{"markup", "<script>alert(1)</script>", ""},
		{"SQL", "'; DROP TABLE tokens; --%_", ""},
		{"longest", strings.Repeat("é", 190), ""},
		{"too long", strings.Repeat("e", 191), long},
		{"empty", "", required},
		{"spaces", "  ", required},
		{"a no-break space", "\u00a0", required},
		{"a zero-width space", "\u200b", required},
		{"a byte order mark", "\ufeff", required},
		{"tab", "a\tb", control},
		{"newline", "a\nb", control},
		{"NUL", "a\x00", control},
		{"delete", "a\x7f", control},
		{"a C1 control", "a\u0085b", control},
		{"line separator", "a\u2028b", control},
		{"paragraph separator", "a\u2029b", control},
		{"right-to-left override", "a\u202eb", control},
		{"left-to-right isolate", "a\u2066b", control},
		{"Arabic letter mark", "a\u061cb", control},
		{"the replacement of broken text", "a\ufffdb", control},
		{"a stray byte", "a\xff", notUTF8},
		{"half a character", "\xc3", notUTF8},
		{"an encoded surrogate", "\xed\xa0\x80", notUTF8},
		{"an overlong NUL", "\xc0\x80", notUTF8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := hallpass.ValidateName("name", tt.in)
			if tt.want == "" {
				if err != nil {
					t.Errorf("ValidateName(%q) = %v, want nil", tt.in, err)
				}
				return
			}
			var e *hallpass.Error
			if !errors.As(err, &e) || e.Kind != hallpass.Invalid || e.ID != hallpass.MalformedID || e.Field != "name" || e.Message != tt.want {
				t.Errorf("ValidateName(%q) = %#v, want Invalid of name: %s", tt.in, err, tt.want)
			}
		})
	}
}

func TestValidateText(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		longest  int
		ok       bool
	}{
		{"empty is fine", "", 3, true},
		{"blank is fine", " ", 3, true},
		{"as long as may be", "äöü", 3, true},
		{"too long", "äöüß", 3, false},
		{"control", "\x1b[0m", 10, false},
	} {
		if err := hallpass.ValidateText("city", tt.in, tt.longest); (err == nil) != tt.ok {
			t.Errorf("%s: ValidateText(%q) = %v, want it to pass: %v", tt.name, tt.in, err, tt.ok)
		}
	}
}

func FuzzValidateName(f *testing.F) {
	for _, seed := range []string{"ci", "", " ", "\u200b", "\u202e", "a\x00", "\xff", strings.Repeat("é", 190), strings.Repeat("e", 191)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if hallpass.ValidateName("name", s) != nil {
			return
		}
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 190 || strings.TrimSpace(s) == "" {
			t.Errorf("%q is taken for a name", s)
		}
		for _, r := range s {
			if r < ' ' || r == 0x7f || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
				t.Errorf("%q is taken for a name, with %U in it", s, r)
			}
		}
		if key := hallpass.NameKey(s); hallpass.NameKey(key) != key {
			t.Errorf("NameKey(%q) = %q, whose own key is %q", s, key, hallpass.NameKey(key))
		}
	})
}

func TestNameKey(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"CI", "ci", true},
		{"Ärger", "äRGER", true},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{"Kelvin", "\u212aelvin", true},
		{"ſecret", "secret", true},
		{"a", "b", false},
		{"a", "a ", false},
		{"straße", "strasse", false},
		{"e\u0301", "e", false},
	} {
		if same := hallpass.NameKey(tt.a) == hallpass.NameKey(tt.b); same != tt.same {
			t.Errorf("NameKey(%q) == NameKey(%q) is %v, want %v", tt.a, tt.b, same, tt.same)
		}
	}
}

// TestNameKeyFoldsEveryLetter goes through all of Unicode: letters that Go
// calls equal but for case have one key, and a key is its own key.
func TestNameKeyFoldsEveryLetter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		key := hallpass.NameKey(string(r))
		if other := hallpass.NameKey(string(unicode.SimpleFold(r))); other != key {
			t.Errorf("%U has the key %q, its other case %U %q", r, key, unicode.SimpleFold(r), other)
		}
		if again := hallpass.NameKey(key); again != key {
			t.Errorf("%U has the key %q, which has the key %q", r, key, again)
		}
	}
}
