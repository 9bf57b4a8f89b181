package secret_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// Grafana's own tokens and the hashes it stores for them, from its unit test
// and two computed alike: they prove prefix, secret and checksum to be where
// Grafana has them.
var vectors = []struct{ token, grafanaHash string }{
	{"glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a", "26cd2524985150529dc5f32109f544860512b999766e11bc8f3d5711bf0ba6e7020099f9f21538b5df94d577782f7431dd27"},
	{"glsa_Kx7Q0nD3vT9bYw2LmZ5RcH8sJf4GpA1u_43afe73d", "47b9291bd745796595666261b953d487e75ef641418a12bba53b527551cc98b90f26a12d47dc32c09646e193fa7e651b906e"},
	{"glsa_LXIIu5S2Kh2oJgajFaTnuWf66NK4L5ci_055f8391", "c62088a1b7c4f95a313e8b4b601da21787e988d520c3dfdeaad207eb3f00883884dfb9edb9e7c9a14d4820bf7ca6e608cacc"},
}

func TestParseTokenVectors(t *testing.T) {
	for _, v := range vectors {
		hash, ok := secret.ParseToken(v.token)
		if !ok || hash != sha256.Sum256([]byte(v.token)) {
			t.Errorf("ParseToken(%q) = %x, %v; want its SHA-256", v.token, hash, ok)
		}
		parts := strings.Split(v.token, "_")
		key, err := pbkdf2.Key(sha256.New, parts[1], []byte(parts[2]), 10000, 50)
		if err != nil || hex.EncodeToString(key) != v.grafanaHash {
			t.Errorf("Grafana's hash of %q = %x, %v; want %s", v.token, key, err, v.grafanaHash)
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	good := vectors[0].token
	for name, s := range map[string]string{
		"empty":               "",
		"checksum changed":    good[:len(good)-1] + "b",
		"checksum upper case": good[:38] + strings.ToUpper(good[38:]),
		"secret changed":      "glsa_z" + good[6:],
		"other service":       "glxx_" + good[5:],
		"no prefix":           good[5:],
		"upper-case prefix":   "GLSA_" + good[5:],
		"too short":           good[:45],
		"too long":            good + "a",
		"trailing newline":    good + "\n",
		"leading space":       " " + good[:45],
		"dash in the secret":  "glsa_-scW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a",
		"very long":           strings.Repeat("a", 1<<20),
	} {
		if _, ok := secret.ParseToken(s); ok {
			t.Errorf("%s: ParseToken took it", name)
		}
	}
}

func TestNewTokenIsUniformAndParses(t *testing.T) {
	seen := map[byte]int{}
	const n = 4000
	for range n {
		s := secret.NewToken().Reveal()
		if _, ok := secret.ParseToken(s); !ok {
			t.Fatal("a fresh token does not parse")
		}
		for _, c := range []byte(s[5:37]) {
			seen[c]++
		}
	}
	if len(seen) != 62 {
		t.Fatalf("%d different characters, want 62", len(seen))
	}
	mean := n * 32 / 62.0
	for c, k := range seen { // five standard deviations
		if d := float64(k) - mean; d > 5*45.5 || d < -5*45.5 {
			t.Errorf("character %q came %d times, mean %.0f", c, k, mean)
		}
	}
}

func TestParseTokenAllocatesNothing(t *testing.T) {
	s := vectors[0].token
	if n := testing.AllocsPerRun(100, func() { secret.ParseToken(s) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzParseToken(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.token)
	}
	f.Add("glsa_")
	f.Fuzz(func(t *testing.T, s string) {
		hash, ok := secret.ParseToken(s)
		if ok && (len(s) != secret.TokenLen || !strings.HasPrefix(s, secret.Prefix) || hash != sha256.Sum256([]byte(s))) {
			t.Errorf("took %q", s)
		}
	})
}

func FuzzParseSession(f *testing.F) {
	f.Add(secret.NewSession().Reveal())
	f.Fuzz(func(t *testing.T, s string) {
		if hash, ok := secret.ParseSession(s); ok && hash != secret.NewText(s).Hash() {
			t.Errorf("took %q under another hash", s)
		}
	})
}

func TestTextNeverShows(t *testing.T) {
	s := secret.NewText("hunter2-hunter2")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "in", struct{ S secret.Text }{s})
	js, err := json.Marshal(map[string]any{"s": s, "p": &s})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d %v", s, s, s, s, s, s, s, []secret.Text{s}) + log.String() + string(js)
	if strings.Contains(all, "hunter2") || strings.Contains(all, "68756e746572") {
		t.Errorf("the secret shows in %s", all)
	}
	if s.Reveal() != "hunter2-hunter2" {
		t.Error("Reveal hides it")
	}
}

func TestPassword(t *testing.T) {
	ctx := context.Background()
	p := secret.NewText("a quiet morning in the archive")
	hash, err := secret.HashPassword(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, hash string
		p          secret.Text
		want       bool
	}{
		{"right", hash, p, true},
		{"wrong", hash, secret.NewText("a quiet morning in the archivE"), false},
		{"no hash", "", p, false},
		{"broken hash", "$argon2id$v=19$m=1,t=0,p=0$$", p, false},
		{"absurd cost", strings.Replace(hash, "m=19456", "m=4294967295", 1), p, false},
	} {
		if got, err := secret.CheckPassword(ctx, tt.hash, tt.p, false, nil); got != tt.want || err != nil {
			t.Errorf("%s: CheckPassword = %v, %v; want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestValidatePassword(t *testing.T) {
	for _, tt := range []struct {
		name, password string
		policy, ok     bool
	}{
		{"empty", "", false, false},
		{"short without policy", "12345", false, true},
		{"14 characters", "kT9#vQ2m!xW7pL", true, false},
		{"15 characters", "kT9#vQ2m!xW7pLa", true, true},
		{"15 characters of three bytes", strings.Repeat("日本語漢字", 3)[:45], true, true},
		{"words", "violet lamps hum at noon", true, true},
		{"64 characters", "a long and winding sentence that nobody else would come to write", true, true},
		{"common", "passwordpassword", true, false},
		{"common in capitals", "PasswordPassword", true, false},
		{"the comic's", "correct horse battery staple", true, false},
		{"one letter", strings.Repeat("a", 20), true, false},
		{"a word repeated", "adminadminadminadm", true, false},
		{"digits in a row", "1234567890123456", true, false},
		{"keyboard row", "qwertyuiopasdfghj", true, false},
		{"login and digits", "platform-engineer2026", true, false},
		{"odd bytes", "\x01\xff\x02 and some more of it", true, true},
		{"too long", strings.Repeat("xy z", 300), true, false},
	} {
		err := secret.ValidatePassword(secret.NewText(tt.password), "platform-engineer", tt.policy)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, hallpass.Invalid) {
			t.Errorf("%s: %v, want ok = %v", tt.name, err, tt.ok)
		}
	}
}

func BenchmarkParseToken(b *testing.B) {
	s := vectors[0].token
	b.ReportAllocs()
	for b.Loop() {
		secret.ParseToken(s)
	}
}

// TestStillWanted has a check that is no longer wanted when its turn comes, and
// one of a password that is longer than any.
func TestStillWanted(t *testing.T) {
	no := errors.New("no")
	if _, err := secret.CheckPassword(t.Context(), "", secret.NewText("p"), true, func() error { return no }); !errors.Is(err, no) {
		t.Errorf("CheckPassword = %v, want %v", err, no)
	}
	long := secret.NewText(strings.Repeat("p", secret.MaxPassword+1))
	hash, err := secret.HashPassword(t.Context(), secret.NewText(""))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := secret.CheckPassword(t.Context(), hash, long, true, nil); ok || err != nil {
		t.Errorf("CheckPassword = %v, %v; no password is so long", ok, err)
	}
}
