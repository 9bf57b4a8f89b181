package server_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// settingsFor returns settings that name the address.
func settingsFor(t *testing.T, address string) server.Config {
	t.Helper()
	c := server.DefaultConfig()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.HTTPPort, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	c.Server.HTTPAddr = host
	return c
}

// TestHealthcheck asks servers that listen in different ways, by their own settings.
func TestHealthcheck(t *testing.T) {
	authority, dir, path := hallpasstest.NewAuthority(t, "test"), t.TempDir(), socketPath(t)
	authority.Issue(dir, time.Hour)
	for name, tt := range map[string]struct {
		change func(*server.Config)
		says   string
	}{
		"http":              {func(*server.Config) {}, "http://127.0.0.1:"},
		"every address":     {func(c *server.Config) { c.Server.HTTPAddr = "0.0.0.0" }, "http://127.0.0.1:"},
		"https":             {withTLS("https", dir), "https://127.0.0.1:"},
		"a socket":          {func(c *server.Config) { c.Server.Protocol, c.Server.Socket = "socket", path }, " at " + path},
		"a socket with TLS": {func(c *server.Config) { withTLS("h2", dir)(c); c.Server.Socket = path }, " at " + path},
		"certificates of clients and a socket": {func(c *server.Config) {
			withTLS("h2", dir)(c)
			c.Server.Socket, c.Server.ClientCAFile = path, authority.File
		}, " at " + path},
	} {
		t.Run(name, func(t *testing.T) {
			s := hallpasstest.New(t, tt.change)
			c := server.DefaultConfig()
			if _, address, ok := strings.Cut(s.URL, "://127"); ok {
				c = settingsFor(t, "127"+address)
			}
			port := c.Server.HTTPPort
			tt.change(&c)
			c.Server.HTTPPort = port
			for _, path := range []string{"/healthz", "/readyz"} {
				if asked, err := server.Healthcheck(t.Context(), c, path); err != nil || !strings.Contains(asked, tt.says) || !strings.Contains(asked, path) {
					t.Errorf("%s: %q, %v, want %s", path, asked, err, tt.says)
				}
			}
		})
	}
}

// TestHealthcheckSaysNo asks what is no healthy server, and what cannot be asked.
func TestHealthcheckSaysNo(t *testing.T) {
	says := func(c server.Config, want string) {
		t.Helper()
		if _, err := server.Healthcheck(t.Context(), c, "/readyz"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	stopping := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("{\"state\":\"stopping\",\n\"reason\":\"The server is stopping\"}\n")) // the test sees what is missing
	}))
	defer stopping.Close()
	other := httptest.NewServer(http.RedirectHandler("/login", http.StatusFound))
	defer other.Close()
	says(settingsFor(t, strings.TrimPrefix(other.URL, "http://")), "/readyz says 302 Found")
	address := strings.TrimPrefix(stopping.URL, "http://")
	says(settingsFor(t, address), stopping.URL+`/readyz says 503 Service Unavailable: {"state":"stopping", "reason":"The server is stopping"}`)
	free := hallpasstest.FreeAddress(t)
	says(settingsFor(t, free), "http://"+free+"/readyz: dial tcp "+free+": connect: connection refused")
	c := settingsFor(t, address)
	c.Server.HTTPPort = 0
	says(c, "server.http_port: with 0 the port is not known")
	c = settingsFor(t, address)
	c.Server.Protocol, c.Server.ClientCAFile = "https", "ca.pem"
	says(c, "server.client_ca_file: the server takes only clients with a certificate")
	c.Server.Socket = "/nosuch/s"
	says(c, "/readyz at /nosuch/s: dial unix /nosuch/s: connect: no such file or directory")
}

// TestHealthcheckOfASilentServer asks one that takes requests and answers none, until the
// time is over.
func TestHealthcheckOfASilentServer(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := server.Healthcheck(ctx, settingsFor(t, strings.TrimPrefix(silent.URL, "http://")), "/healthz"); err == nil || !strings.Contains(err.Error(), "no answer within 5s") {
		t.Error(err)
	}
}
