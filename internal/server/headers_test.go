package server_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestHeadersByDoor looks at what each door sends beside its own: a page all
// that browsers heed, data the two that keep a browser from running or framing it, the
// guard nothing of that (SEC-19, docs/decisions/0020-headers-by-door.md).
func TestHeadersByDoor(t *testing.T) {
	plain := hallpasstest.New(t)
	https := hallpasstest.New(t, func(c *server.Config) { c.Server.RootURL = "https://hallpass.example" })
	data := map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
	page := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'",
	}
	asked := []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Strict-Transport-Security"}
	for _, tt := range []struct {
		method, path string
		as           hallpasstest.Credential
		status       int
		want         map[string]string
	}{
		{"GET", "/guard/verify", hallpasstest.Nobody, 401, nil},
		{"GET", "/guard/nosuch", hallpasstest.Nobody, 404, nil},
		{"GET", "/guard/jwks.json", hallpasstest.Nobody, 200, data},
		{"POST", "/guard/jwks.json", hallpasstest.Nobody, 405, data},
		{"POST", "/oauth2/introspect", hallpasstest.Nobody, 401, data},
		{"GET", "/oauth2/introspect", hallpasstest.Nobody, 405, data},
		{"GET", "/api/org", hallpasstest.Admin, 200, data},
		{"GET", "/api/org", hallpasstest.Nobody, 401, data},
		{"GET", "/api/nosuch", hallpasstest.Admin, 404, data},
		{"DELETE", "/api/org", hallpasstest.Admin, 405, data},
		{"GET", "/healthz", hallpasstest.Nobody, 200, data},
		{"GET", "/metrics", hallpasstest.Nobody, 200, data},
		{"GET", "/openapi.json", hallpasstest.Nobody, 200, data},
		{"GET", "/docs", hallpasstest.Nobody, 200, page},
		{"GET", "/login", hallpasstest.Nobody, 200, page},
		{"GET", "/nosuch", hallpasstest.Nobody, 404, page},
		{"GET", "/api//org", hallpasstest.Admin, 404, data},
		{"GET", "/../etc", hallpasstest.Nobody, 404, page},
	} {
		for _, s := range []*hallpasstest.Server{plain, https} {
			r := s.Do(tt.as, tt.method, tt.path, "", "Accept: text/html")
			want := map[string]string{}
			maps.Copy(want, tt.want)
			if s == https && tt.want != nil {
				want["Strict-Transport-Security"] = "max-age=31536000"
			}
			if r.StatusCode != tt.status {
				t.Errorf("%s %s: %d, want %d", tt.method, tt.path, r.StatusCode, tt.status)
			}
			for _, name := range asked {
				values := r.Header.Values(name)
				if begin, ok := want[name]; len(values) > 1 || ok != (len(values) == 1) || ok && !strings.HasPrefix(values[0], begin) {
					t.Errorf("%s %s: %s is %q, want %q", tt.method, tt.path, name, values, want[name])
				}
			}
			if got := r.Header.Values("Cache-Control"); len(got) != 1 {
				t.Errorf("%s %s: Cache-Control is %q", tt.method, tt.path, got)
			}
		}
	}
}
