package test_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// activated starts the program as systemd does, with files that it opened before. pid is
// what the program is told of its own process: a word of sh.
func activated(t *testing.T, pid string, env []string, files ...*os.File) *process {
	t.Helper()
	path, address := binaryAndAddress(t)
	p := &process{t: t, url: "http://" + address, data: t.TempDir(), out: &lockedBuffer{}, done: make(chan error, 1)}
	p.cmd = exec.Command("sh", "-c", "LISTEN_PID="+pid+` exec "$0" "$@"`, path, "serve", "--data", p.data, "--listen", address)
	p.cmd.Env = append(append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD="+adminPassword), env...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = p.out, p.out, files
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended already, as a rule
	return p
}

// file returns the file of a listener, as a supervisor hands it over.
func file(t *testing.T, l net.Listener) *os.File {
	t.Helper()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // the program has its own
	return f
}

// TestSocketActivation starts the program with sockets that a supervisor opened: it
// listens on these and nowhere else, and leaves them open for the next start. A file that
// is no socket is refused, and sockets for another process are left alone.
func TestSocketActivation(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	two := []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=web:local"}
	p := activated(t, "$$", two, file(t, tcp), file(t, unix))
	elsewhere := strings.TrimPrefix(p.url, "http://")
	p.url = "http://" + tcp.Addr().String()
	p.await()
	p.must(200, "GET", "/api/org", "", nil)
	local := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	res, err := local.Get("http://localhost/readyz")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("at the unix socket: %v, %v", res, err)
	}
	_ = res.Body.Close() // the status says it all
	if listens(elsewhere) {
		t.Error("it also listens where --listen says")
	}
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.out)
	}
	again := activated(t, "$$", two, file(t, tcp), file(t, unix))
	again.url = p.url
	again.await()

	other := activated(t, "1", two, file(t, tcp), file(t, unix))
	other.await() // where --listen says

	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }() // nothing was read
	for says, env := range map[string][]string{
		"LISTEN_FDS: socket 1, web, takes no connections": {"LISTEN_FDS=1", "LISTEN_FDNAMES=web"},
		`LISTEN_FDS: \"x\" is not a number of sockets`:    {"LISTEN_FDS=x"},
	} {
		p := activated(t, "$$", env, plain)
		if err := <-p.done; err == nil || !strings.Contains(p.out.String(), strings.ReplaceAll(says, `\"`, `"`)) {
			t.Errorf("it ended with %v, want %s\n%s", err, says, p.out)
		}
	}
}

// TestCertificateBySignal gives a server another certificate while it runs: it takes it
// at SIGHUP, and one that does not fit changes nothing and is told. A request and a
// connection from before go on.
func TestCertificateBySignal(t *testing.T) {
	authority, dir := hallpasstest.NewAuthority(t, "test"), t.TempDir()
	certFile, keyFile := authority.Issue(dir, time.Hour)
	p := start(t, t.TempDir(), []string{"HALLPASS_SERVER_PROTOCOL=https", "HALLPASS_SERVER_CERT_FILE=" + certFile, "HALLPASS_SERVER_CERT_KEY=" + keyFile})
	says := func(text string) {
		t.Helper()
		hallpasstest.Eventually(t, "the log to say "+text, func() bool { return strings.Contains(p.out.String(), text) })
	}
	says(`"msg":"serving"`)
	address := strings.TrimPrefix(p.url, "http://")
	serial := func() string {
		t.Helper()
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: authority.Pool})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // nothing was sent
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool}, ForceAttemptHTTP2: true}}
	get := func() string {
		t.Helper()
		res, err := client.Get("https://" + address + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }() // it was read
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(res.Status, err)
		}
		return res.TLS.PeerCertificates[0].SerialNumber.String() + " " + res.Proto + " " + string(text)
	}
	first, whole := serial(), get()
	authority.Issue(dir, time.Hour)
	p.signal(syscall.SIGHUP)
	hallpasstest.Eventually(t, "the new certificate", func() bool { return serial() != first })
	if got := get(); got != whole || !strings.Contains(got, "HTTP/2.0 Ok") {
		t.Errorf("a connection from before: %s, want %s", got, whole)
	}
	second := serial()
	if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	says("server.cert_key: " + keyFile + " holds no private key in PEM form")
	says("the certificate from before stays in use")
	if got := serial(); got != second {
		t.Error("the certificate from before is no longer given")
	}
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.out)
	}
}

// TestReloadIsTold has a supervisor hear that the program serves, that it reads its
// settings again at SIGHUP, and that it stops.
func TestReloadIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the test is over
	hears := func(want string) {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(hallpasstest.Patience)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1<<10)
		if n, err := l.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), want) {
			t.Fatalf("the supervisor hears %q, %v, want %s", b[:n], err, want)
		}
	}
	p := start(t, t.TempDir(), []string{"NOTIFY_SOCKET=" + path})
	hears("READY=1")
	p.must(200, "GET", "/api/org", "", nil) // at once
	p.signal(syscall.SIGHUP)
	hears("RELOADING=1\nMONOTONIC_USEC=")
	hears("READY=1")
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.out)
	}
	hears("STOPPING=1")
}
