package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// socketPath returns the path of a socket that is short enough.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what stays does no harm
	return filepath.Join(dir, "s")
}

// throughSocket returns a client of the socket; from is what its end is bound to, "" is
// nothing.
func throughSocket(path, from string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{}
		if from != "" {
			d.LocalAddr = &net.UnixAddr{Net: "unix", Name: from}
		}
		return d.DialContext(ctx, "unix", path)
	}}}
}

// TestSocket serves on a unix socket, alone and beside TCP. Its clients count as
// 127.0.0.1, whatever their end is bound to, and a proxy there is one at 127.0.0.1.
func TestSocket(t *testing.T) {
	for _, protocol := range []string{"socket", "http"} {
		path := socketPath(t)
		s := hallpasstest.New(t, func(c *server.Config) {
			c.Server.Protocol, c.Server.Socket, c.Server.SocketMode, c.Server.TrustedProxies = protocol, path, "0620", []string{"127.0.0.1"}
		})
		info, err := os.Stat(path)
		if err != nil || info.Mode() != os.ModeSocket|0o620 {
			t.Errorf("%s: the socket is %v, %v", protocol, info.Mode(), err)
		}
		if alone := s.URL == "http://localhost"; alone != (protocol == "socket") {
			t.Errorf("%s: it is at %s", protocol, s.URL)
		}
		t.Chdir(t.TempDir()) // for the name that a client chooses
		for agent, from := range map[string]string{"plain": "", "named": "192.0.2.7:80"} {
			if res, text := asked(t, throughSocket(path, from), "GET", "http://any/api/org", "", "User-Agent: "+agent); res.StatusCode != 200 || !strings.Contains(text, "Main Org.") {
				t.Errorf("%s, %s: %d %s", protocol, agent, res.StatusCode, text)
			}
		}
		asked(t, throughSocket(path, ""), "GET", "http://any/api/teams/77", "", "X-Forwarded-For: 203.0.113.9")
		log := s.Log()
		if strings.Contains(log, "192.0.2.7") || strings.Count(log, `"path":"/api/org","status":200`) != 2 || strings.Count(log, `"address":"127.0.0.1"`) < 2 || !strings.Contains(log, `"address":"203.0.113.9"`) {
			t.Errorf("%s: the addresses of clients are not 127.0.0.1 and that of the proxy's client\n%s", protocol, log)
		}
		if protocol == "http" {
			if r := s.Do(hallpasstest.Admin, "GET", "/api/org", ""); r.StatusCode != 200 {
				t.Errorf("beside the socket: %d", r.StatusCode)
			}
		}
	}
}

// open opens a server with the configuration, has it listen, and returns why it does not.
func open(t *testing.T, change func(*server.Config)) error {
	t.Helper()
	c := server.DefaultConfig()
	c.DataDir, c.Server.HTTPPort = t.TempDir(), 0
	change(&c)
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	_, err = s.Listen()
	if closing := s.Close(); closing != nil {
		t.Error(closing)
	}
	return err
}

// TestSocketTaken gives a server the path of something else: it does not start, says why,
// and leaves that as it is. What a killed server left is replaced.
func TestSocketTaken(t *testing.T) {
	on := func(path string) func(*server.Config) {
		return func(c *server.Config) { c.Server.Protocol, c.Server.Socket = "socket", path }
	}
	taken, file := socketPath(t), socketPath(t)
	l, err := net.Listen("unix", taken)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the test is over
	write(t, file, "precious")
	for path, says := range map[string]string{
		taken:                  "server.socket: another program listens on " + taken,
		file:                   "server.socket: " + file + " is there already and is not a socket",
		filepath.Dir(file):     "is there already and is not a socket",
		"/nosuch/folder/s":     "server.socket: listen on /nosuch/folder/s: ",
		strings.Repeat("x", 9): "",
	} {
		if strings.HasPrefix(path, "x") {
			t.Chdir(t.TempDir())
		}
		if err := open(t, on(path)); says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
	if text, err := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if conn, err := net.Dial("unix", taken); err != nil {
		t.Error(err)
	} else {
		_ = conn.Close() // it was there
	}
	stale := socketPath(t)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: stale})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, on(stale)); err != nil {
		t.Errorf("what a killed server left: %v", err)
	}
	if _, err := os.Lstat(stale); err == nil {
		t.Error("a server that ended leaves its socket")
	}
}

// TestSocketOfAnother stops a server whose socket somebody removed, after another began to
// listen at the same path: that one keeps its socket.
func TestSocketOfAnother(t *testing.T) {
	path := socketPath(t)
	listening := func() *server.Server {
		t.Helper()
		c := server.DefaultConfig()
		c.DataDir, c.Server.Protocol, c.Server.Socket = t.TempDir(), "socket", path
		s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Listen(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	closed := func(s *server.Server) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	first := listening()
	remove(t, path)
	second := listening()
	closed(first)
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket of the second server is gone: %v", err)
	}
	closed(second)
	if _, err := os.Lstat(path); err == nil {
		t.Error("the second server left its socket")
	}
}

// TestSocketGroup gives the socket another group.
func TestSocketGroup(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may give a file any group")
	}
	path := socketPath(t)
	hallpasstest.New(t, func(c *server.Config) { c.Server.Socket, c.Server.SocketGID = path, 7 })
	info, err := os.Stat(path)
	if err != nil || info.Sys().(*syscall.Stat_t).Gid != 7 || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v, %v", info, err)
	}
}

// TestIPv6 serves on an address of IPv6, which is written with brackets or without: it is
// in the log, and a root_url may hold it.
func TestIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"::1", "[::1]", "::"} {
		s := hallpasstest.New(t, func(c *server.Config) { c.Server.HTTPAddr = address })
		_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", "[::1]:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // it was read
		if _, err := fmt.Fprintf(conn, "GET /api/org HTTP/1.1\r\nHost: [::1]:%s\r\nConnection: close\r\n\r\n", port); err != nil {
			t.Fatal(err)
		}
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 401 {
			t.Errorf("%s: %v, %v", address, res, err)
		}
		hallpasstest.Eventually(t, "the log to tell the address", func() bool { return strings.Contains(s.Log(), `"address":"::1"`) })
		if r := s.Do(hallpasstest.Admin, "GET", "/api/org", ""); r.StatusCode != 200 {
			t.Errorf("%s: at %s it is %d", address, s.URL, r.StatusCode)
		}
	}
}
