package hallpass_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// TestGuardWords reads the words of a guard's settings, and writes them again.
func TestGuardWords(t *testing.T) {
	for word, want := range map[string]string{"": "refuse", "refuse": "refuse", "allow": "allow", "Allow": "", "yes": ""} {
		g := hallpass.Guard{AllowPreflight: true}
		if err := g.SetPreflight(word); (err != nil) != (want == "") || err == nil && g.Preflight() != want {
			t.Errorf("preflight %q: %q, %v", word, g.Preflight(), err)
		}
	}
	for _, tt := range []struct{ words, want []string }{
		{nil, []string{"headers"}}, {[]string{"headers"}, []string{"headers"}}, {[]string{"jwt"}, []string{"headers", "jwt"}}, {[]string{"jwt", "headers"}, []string{"headers", "jwt"}},
		{[]string{"headers", "cookie"}, nil}, {[]string{""}, nil},
	} {
		g := hallpass.Guard{JWT: true}
		if err := g.SetIdentity(tt.words); (err != nil) != (tt.want == nil) || err == nil && !slices.Equal(g.Identity(), tt.want) {
			t.Errorf("identity %q: %q, %v", tt.words, g.Identity(), err)
		}
	}
	for text, want := range map[string]time.Duration{"": 0, "90s": 90 * time.Second, "1h": time.Hour, "0": -1, "0s": -1, "90": -1, "soon": -1} {
		g := hallpass.Guard{Timeout: time.Minute}
		if err := g.SetTimeout(text); (err != nil) != (want < 0) || err == nil && g.Timeout != want {
			t.Errorf("timeout %q: %s, %v", text, g.Timeout, err)
		}
	}
}
