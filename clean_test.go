package hallpass_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
)

const someToken = "glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a"

// disguises are the forms in which a token that works, or the part of it from
// which one can be computed, may come by mistake.
func disguises() map[string]string {
	every := func(s string, encode func(byte) string) string {
		var b strings.Builder
		for i := range len(s) {
			b.WriteString(encode(s[i]))
		}
		return b.String()
	}
	percent := func(c byte) string { return fmt.Sprintf("%%%02x", c) }
	return map[string]string{
		"plain": someToken, "wrong checksum": someToken[:38] + "00000000", "no checksum": someToken[:37], "more behind it": someToken + "x", "upper-case prefix": "GLSA_" + someToken[5:],
		"encoded": every(someToken, percent), "encoded in capitals": every(someToken, func(c byte) string { return fmt.Sprintf("%%%02X", c) }),
		"encoded twice": url.QueryEscape(every(someToken, percent)), "half encoded": strings.ReplaceAll(strings.ReplaceAll(someToken, "_", "%5F"), "s", "%73"),
		"Basic": base64.StdEncoding.EncodeToString([]byte("api_key:" + someToken)), "base64": base64.StdEncoding.EncodeToString([]byte(someToken)),
		"base64, one before": base64.RawURLEncoding.EncodeToString([]byte(":" + someToken)), "base64, two before": base64.RawURLEncoding.EncodeToString([]byte("k:" + someToken)),
	}
}

func TestRedact(t *testing.T) {
	for name, secret := range disguises() {
		for _, around := range []string{"%s", "curl %s", "/api/%s/x", "a%%20%s", "%s%s", "http://api_key:%[1]s@host/?a=%[1]s&b", "x=%s;", "\xff%s", "%s…", "a\n%s"} {
			text := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(around, "%[1]s", "%s"), "%s", secret), "%%", "%")
			if !hallpass.HoldsToken(text) {
				t.Errorf("%s in %q is not seen", name, around)
			}
			for what, clean := range map[string]string{"Redact": hallpass.Redact(text), "Clean": hallpass.Clean(text, 10_000), "a short Clean": hallpass.Clean(text, 60)} {
				if hallpass.HoldsToken(clean) || strings.Contains(clean, secret[len(secret)/2:]) {
					t.Errorf("%s of %s in %q leaves %q", what, name, around, clean)
				}
				if again := hallpass.Redact(clean); again != clean {
					t.Errorf("%s of %s in %q: %q, and again %q", what, name, around, clean, again)
				}
			}
		}
	}
	session := strings.Repeat("0123456789abcdef", 4)
	for in, want := range map[string]string{
		someToken: "glsa_yscW[secret]", "a glsa_abcdefg b": "a glsa_abcd[secret] b", "glsa_abcd": "glsa_abcd", "glsa_": "glsa_", "glsa": "glsa", "": "", "%": "%", "100%25 sure": "100%25 sure", "%zz%2": "%zz%2",
		"id=" + session + ";": "id=0123[secret];", session + "0": session + "0", "a/b-c_d": "a/b-c_d", "/api/serviceaccounts/fe1xejlha91xce/tokens/12": "/api/serviceaccounts/fe1xejlha91xce/tokens/12",
	} {
		if got := hallpass.Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"curl/8.5.0": "curl/8.5.0", "a\x00b\x1b[0m": "a?b?[0m", "a\xffb": "a?b", "a\u202eb": "a?b", "a\u2028b": "a?b", "Zoë": "Zoë", strings.Repeat("é", 15): strings.Repeat("é", 10), strings.Repeat("x", 30): strings.Repeat("x", 20),
	} {
		if got := hallpass.Clean(in, 20); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	for _, agent := range []string{"curl/8.5.0", "Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-grafana/3.7.0", "Go-http-client/1.1", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"} {
		if n := testing.AllocsPerRun(100, func() { hallpass.Clean(agent, 200) }); n != 0 || hallpass.Clean(agent, 200) != agent {
			t.Errorf("%s: %v allocations, want 0 and no change: %s", agent, n, hallpass.Clean(agent, 200))
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, secret := range disguises() {
		f.Add(secret, "x")
	}
	f.Add("gl%73a_", someToken)
	f.Fuzz(func(t *testing.T, before, after string) {
		clean := hallpass.Clean(before+someToken+after, 300)
		if !utf8.ValidString(clean) || len(clean) > 300+len(before)+len(after)+100 || strings.Contains(clean, someToken[9:37]) {
			t.Errorf("Clean(%q) = %q", before+someToken+after, clean)
		}
		if hallpass.Redact(clean) != clean && hallpass.HoldsToken(clean) {
			t.Errorf("%q still holds a token", clean)
		}
	})
}
