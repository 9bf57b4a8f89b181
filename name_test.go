package hallpass_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
)

func TestTidyName(t *testing.T) {
	const (
		required = "name is required"
		long     = "name is longer than 190 characters"
		control  = "name holds a control character"
		notUTF8  = "name is not valid UTF-8"
		unseen   = "name holds an invisible character"
		token    = "name holds a token: a secret belongs nowhere but in Authorization"
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
		{"a zero-width space within", "a\u200bb", unseen},
		{"a soft hyphen", "a\u00adb", unseen},
		{"a byte order mark within", "a\ufeffb", unseen},
		{"a Hangul filler", "a\u3164b", unseen},
		{"a halfwidth Hangul filler", "a\uffa0", unseen},
		{"a blank of Braille", "a\u2800b", unseen},
		{"tag characters", "a\U000e0061\U000e007f", unseen},
		{"a word joiner", "a\u2060b", unseen},
		{"a grapheme joiner", "a\u034fb", unseen},
		{"an annotation", "a\ufff9b", unseen},
		{"a joiner alone", "\u200d", required},
		{"a filler alone", "\u3164", required},
		{"Persian", "می\u200cخواهم", ""},
		{"a heart in colour", "❤\ufe0f", ""},
		{"a variant of an ideograph", "葛\U000e0100", ""},
		{"many in one character", strings.Repeat("\ufdfa", 50), long},
		{"a token", "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a", token},
		{"a token with a wrong checksum", "x glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_00000000", token},
		{"a token without a checksum", "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G", token},
		{"an encoded token", "%67lsa%5F%79scW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a", token},
		{"this folder", ".", "name is a step of a path"},
		{"the folder above, wide", "\uff0e\uff0e", "name is a step of a path"},
		{"more dots", "...", ""},
		{"the form of a token", "glsa_…_checksum", ""},
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
			err := hallpass.TidyName("name", &tt.in)
			if tt.want == "" {
				if err != nil {
					t.Errorf("TidyName(%q) = %v, want nil", tt.in, err)
				}
				return
			}
			var e *hallpass.Error
			if !errors.As(err, &e) || e.Kind != hallpass.Invalid || e.ID != hallpass.MalformedID || e.Field != "name" || e.Message != tt.want {
				t.Errorf("TidyName(%q) = %#v, want Invalid of name: %s", tt.in, err, tt.want)
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

func FuzzTidyName(f *testing.F) {
	for _, seed := range []string{"ci", "", " ", "\u200b", "\u202e", "a\x00", "\xff", strings.Repeat("é", 190), strings.Repeat("e", 191)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if hallpass.TidyName("name", &s) != nil {
			return
		}
		if again := s; hallpass.TidyName("name", &again) != nil || again != s {
			t.Errorf("%q is no name any more: %q", s, again)
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
		{"a", "\u2003a ", true},
		{"a b", "a \u00a0 b", true},
		{"a b", "ab", false},
		{"e\u0301", "é", true},
		{"\uff21\uff22\uff11", "ab1", true},
		{"ﬁn", "FIN", true},
		{"a\u200db", "ab", true},
		{"a\u200bb\u3164", "ab", true},
		{"❤\ufe0f", "❤", true},
		{"\u212b", "å", true},
		{"раypal", "paypal", false},
		{"straße", "strasse", false},
		{"e\u0301", "e", false},
	} {
		if same := hallpass.NameKey(tt.a) == hallpass.NameKey(tt.b); same != tt.same {
			t.Errorf("NameKey(%q) == NameKey(%q) is %v, want %v", tt.a, tt.b, same, tt.same)
		}
	}
}

// TestNameKeyCanBeLookedFor has keys of what no name can hold: every database takes
// them, and none is the key of a name.
func TestNameKeyCanBeLookedFor(t *testing.T) {
	for _, s := range []string{"\x00", "admin\x00", "\x00admin", "é\x00", "admin\xff", "\xc3", "ad\xed\xa0\x80min", "\x00\u200b"} {
		key := hallpass.NameKey(s)
		if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
			t.Errorf("NameKey(%q) = %q", s, key)
		}
		if name := key; hallpass.TidyName("name", &name) == nil {
			t.Errorf("NameKey(%q) = %q, which is a name", s, key)
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

func TestTidyNameTrims(t *testing.T) {
	for in, want := range map[string]string{" a ": "a", "\u00a0a b\u3000": "a b", "\ta\r\n": "a", "a": "a"} {
		got := in
		if err := hallpass.TidyName("name", &got); err != nil || got != want {
			t.Errorf("TidyName(%q) leaves %q, %v; want %q", in, got, err, want)
		}
	}
}

// TestNoNameHasATwin puts every character of Unicode into a name: what is not
// seen is refused, or is no part of the key.
func TestNoNameHasATwin(t *testing.T) {
	key := hallpass.NameKey("ab")
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		name := "a" + string(r) + "b"
		err := hallpass.TidyName("name", &name)
		unseen := unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
		if unseen && err == nil && hallpass.NameKey(name) != key {
			t.Errorf("%U is not seen, and makes another name", r)
		}
		if !unseen && err == nil && hallpass.NameKey(name) == key {
			t.Errorf("%U is seen, and makes no other name", r)
		}
	}
}

func TestTidyLogin(t *testing.T) {
	for _, login := range []string{"a:b", "a\uff1ab", ":", "api_key", "API_KEY", " Api_Key ", "api_\uff4bey", "api\u200d_key", "sa-1-ci", "SA-12-x", "sa-1-", "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G"} {
		if s := login; hallpass.TidyLogin("login", &s) == nil {
			t.Errorf("%q is taken", login)
		}
	}
	for _, login := range []string{"admin", "pat@example.com", "sa-team", "sa-x-1", "api key", "12345", "CORP\\pat", "o'neil", "-"} {
		if s := login; hallpass.TidyLogin("login", &s) != nil {
			t.Errorf("%q is refused", login)
		}
	}
}
