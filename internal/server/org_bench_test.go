package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkOrg measures what the doors add to net/http when GET /api/org is
// asked with a token that is known.
func BenchmarkOrg(b *testing.B) {
	c := server.DefaultConfig()
	c.DataDir = b.TempDir()
	c.Security.AdminPassword = secret.NewText("violet lamps hum at noon")
	s, err := server.Open(b.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	made, err := s.Quickstart(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/api/org", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:40000"
	r.RequestURI = "/api/org"
	r.Header = http.Header{"Authorization": {"Bearer " + made.Secret.Reveal()}, "User-Agent": {"bench"}, "Host": {"localhost"}}
	h := s.Handler()
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		w.status = 0
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatalf("status %d, %s", w.status, strings.Join(w.header["Content-Type"], ""))
		}
	}
}
