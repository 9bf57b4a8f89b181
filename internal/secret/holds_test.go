package secret_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// TestHoldsToken looks for tokens in JSON, in each way in which they come there,
// at each place, and takes nothing else for one.
func TestHoldsToken(t *testing.T) {
	token := secret.NewToken().Reveal()
	escape := func(form string, every int) string {
		var b strings.Builder
		for i := range len(token) {
			if i%every == 0 {
				fmt.Fprintf(&b, form, token[i])
			} else {
				b.WriteByte(token[i])
			}
		}
		return b.String()
	}
	percent := escape("%%%02x", 3)
	forms := map[string]string{
		"plain": token, "escaped": escape(`\u%04x`, 1), "one escaped": strings.Replace(token, "_", `\u005F`, 1),
		"percent": percent, "twice": url.QueryEscape(percent), "three times": url.QueryEscape(url.QueryEscape(percent)),
		"percent, escaped": strings.ReplaceAll(percent, "%", `\u0025`),
	}
	for n := range 7 {
		for name, alphabet := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64 raw": base64.RawStdEncoding, "base64 url": base64.URLEncoding, "base64 raw url": base64.RawURLEncoding} {
			forms[fmt.Sprintf("%s after %d", name, n)] = alphabet.EncodeToString([]byte(strings.Repeat("?", n) + token))
			forms[fmt.Sprintf("%s before %d", name, n)] = alphabet.EncodeToString([]byte("api_key:" + token + strings.Repeat("~", n)))
		}
	}
	for name, form := range forms {
		for _, around := range []string{"%s", `{"a":"%s"}`, `{"a":"Basic %s and more"}`, `{"%s":1}`, `{"glsa_":"%%","b":"\u00","c":"%s"}`} {
			if text := strings.Replace(around, "%s", form, 1); !secret.HoldsToken([]byte(text)) {
				t.Errorf("%s is not found in %s", name, text)
			}
		}
	}
	for _, text := range []string{
		"", "glsa_", "%", "%2", `\u00`, `\u00g0`, "Z2xzYV", "dsc2Ff", "nbHNhX", token[:45], token[1:], strings.Repeat("glsa_", 20), "glsa_" + strings.Repeat("x", 32),
		"glsa_" + strings.Repeat("X", 32) + "_00000000", strings.Repeat("Z2xzYV", 30), strings.Repeat("%25", 100), base64.StdEncoding.EncodeToString([]byte(token[:45])),
	} {
		if secret.HoldsToken([]byte(text)) {
			t.Errorf("a token is seen in %q", text)
		}
	}
}
