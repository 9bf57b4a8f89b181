package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// serving starts a server as the program does, with a log that nobody reads, and
// returns it with its URL and a token that it knows. It trusts whoever asks from this
// machine, and has the guard app with a hundred rules.
func serving(t testing.TB) (s *server.Server, url, token string) {
	t.Helper()
	c := server.DefaultConfig()
	c.DataDir, c.Server.HTTPPort, c.Server.ShutdownDelay = t.TempDir(), 0, "0s"
	c.Server.TrustedProxies = []string{"127.0.0.1"}
	c.Security.AdminPassword = secret.NewText("violet lamps hum at noon")
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.Quickstart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := hallpass.Guard{Name: "app", Org: 1}
	for i := range 100 {
		g.Rules = append(g.Rules, hallpass.GuardRule{Methods: []string{"GET"}, Path: fmt.Sprintf("/app/v%d/{name}/values", i), Need: hallpass.Need{Kind: hallpass.NeedRole, Role: hallpass.RoleViewer}})
	}
	hallpasstest.NewGuard(t, s.Store(), g)
	address, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, "http://" + address, made.Secret.Reveal()
}

// bareServer answers 200 to everything and does nothing else.
func bareServer(t testing.TB) string {
	t.Helper()
	bare := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	bare.Config.ReadHeaderTimeout = 5 * time.Second
	bare.Start()
	t.Cleanup(bare.Close)
	return bare.URL
}

// guardPath is the door at which nginx asks the guard app, and original is how it tells
// the original request, which the last rule lets pass.
const (
	guardPath = "/guard/nginx/app"
	original  = "X-Original-Method: GET\r\nX-Original-Uri: /app/v99/x/values?query=up\r\nX-Original-Host: app.example\r\nX-Real-Ip: 192.0.2.1\r\n"
)

// tellOriginal has the request tell the original one.
func tellOriginal(r *http.Request) {
	for line := range strings.SplitSeq(strings.TrimSpace(original), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
}

// asker sends one request again and again on one connection.
type asker struct {
	t       testing.TB
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func newAsker(t testing.TB, url, path, token string) *asker {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // all was read
	return &asker{t, conn, bufio.NewReader(conn), []byte("GET " + path + " HTTP/1.1\r\nHost: x\r\nUser-Agent: ci\r\nAuthorization: Bearer " + token + "\r\n" + original + "\r\n")}
}

// ask sends the request and reads the answer, which must be 200 and in one piece.
// It allocates nothing.
func (a *asker) ask() {
	if _, err := a.conn.Write(a.request); err != nil {
		a.t.Fatal(err)
	}
	line, err := a.in.ReadSlice('\n')
	if err != nil || !strings.HasPrefix(string(line), "HTTP/1.1 200 ") {
		a.t.Fatalf("%q, %v", line, err)
	}
	if _, err := a.in.Discard(a.in.Buffered()); err != nil {
		a.t.Fatal(err)
	}
}

// moreAllocations is how many allocations a verification may cost above the
// bare server.
const moreAllocations = 6

// TestAllocationsOfARequest counts what the process allocates for one request on a
// connection that is kept, from the first byte read to the last one written.
func TestAllocationsOfARequest(t *testing.T) {
	count := func(a *asker) float64 {
		a.ask()
		var counts []float64
		for range 7 { // the median: the server's own jobs allocate now and then
			counts = append(counts, testing.AllocsPerRun(500, a.ask))
		}
		return slices.Sorted(slices.Values(counts))[len(counts)/2]
	}
	_, url, token := serving(t)
	for _, path := range []string{guardPath, "/guard/verify"} {
		ours, bare := count(newAsker(t, url, path, token)), count(newAsker(t, bareServer(t), path, token))
		t.Logf("%s: %.0f allocations of a request, %.0f of the bare one, %.0f more", path, ours, bare, ours-bare)
		if ours-bare > moreAllocations && !raced {
			t.Errorf("%s: %.0f allocations above the bare server's, want %d at most", path, ours-bare, moreAllocations)
		}
	}
}

// TestFewHeaders counts the headers of the answers that are asked for most: the map
// that holds them has room for eight, and becomes a larger one for a ninth. Date
// and Content-Length are not in it.
func TestFewHeaders(t *testing.T) {
	_, url, token := serving(t)
	for _, path := range []string{"/guard/verify", guardPath, "/api/org"} {
		for _, credential := range []string{"Bearer " + token, "Bearer x"} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", credential)
			tellOriginal(r)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close() // its headers say it
			names := slices.Sorted(maps.Keys(res.Header))
			if names = slices.DeleteFunc(names, func(n string) bool { return n == "Date" || n == "Content-Length" }); len(names) > 8 {
				t.Errorf("%s: %d, with the headers %q", path, res.StatusCode, names)
			}
		}
	}
}

// BenchmarkRequest measures whole requests on a connection that is kept, beside the
// bare server's.
func BenchmarkRequest(b *testing.B) {
	_, url, token := serving(b)
	for _, tt := range []struct{ name, url, path string }{
		{"bare", bareServer(b), "/guard/verify"}, {"verify", url, "/guard/verify"}, {"nginx", url, guardPath}, {"org", url, "/api/org"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			a := newAsker(b, tt.url, tt.path, token)
			b.ReportAllocs()
			for b.Loop() {
				a.ask()
			}
		})
	}
}

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkDoors measures what the doors add to net/http where a token is known.
func BenchmarkDoors(b *testing.B) {
	s, _, token := serving(b)
	for _, path := range []string{"/api/org", "/guard/verify", guardPath} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RemoteAddr, r.RequestURI = "127.0.0.1:40000", path
			r.Header = http.Header{"Authorization": {"Bearer " + token}, "User-Agent": {"bench"}}
			tellOriginal(r)
			h, w := s.Handler(), &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				w.status = 0
				h.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatalf("status %d", w.status)
				}
			}
		})
	}
}
