package test_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// A visitor runs curl as a user does.
type visitor struct {
	t    *testing.T
	url  string   // of the server, as a visitor writes it
	curl []string // how it is reached
	http string   // the version that is spoken: 1.1 or 2
}

// call sends a request. It returns the body of the answer, whose status must be want.
func (c visitor) call(want int, method, path string, args ...string) string {
	c.t.Helper()
	line := append([]string{"-sS", "-X", method, "-w", "\n%{http_code} %{http_version}"}, c.curl...)
	cmd := exec.Command("curl", append(append(line, args...), c.url+path)...)
	cmd.Env = append(os.Environ(), "no_proxy=*")
	out, err := cmd.CombinedOutput()
	body, status, _ := cutLastLine(string(out))
	if err != nil || status != fmt.Sprintf("%d %s", want, c.http) {
		c.t.Fatalf("%s %s: %v, %q, want %d over HTTP/%s\n%s", method, path, err, status, want, c.http, body)
	}
	return body
}

func cutLastLine(s string) (before, last string, ok bool) {
	i := strings.LastIndexByte(s, '\n')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// story signs in, creates an account and a token, calls with the token, revokes it, and
// calls with it again.
func (c visitor) story() {
	c.t.Helper()
	jar, origin := filepath.Join(c.t.TempDir(), "cookies"), "Origin: "+c.url
	c.call(303, "POST", "/login", "-c", jar, "-H", origin, "-d", "user=admin", "--data-urlencode", "password="+adminPassword)
	if kept, err := os.ReadFile(jar); err != nil || strings.Contains(string(kept), "__Host-") != strings.HasPrefix(c.url, "https") {
		c.t.Errorf("cookies are kept as %s, %v", kept, err)
	}
	change := func(want int, method, path, body string, out any) {
		c.t.Helper()
		text := c.call(want, method, path, "-b", jar, "-H", origin, "-H", "Content-Type: application/json", "-d", body)
		if err := json.Unmarshal([]byte(text), out); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	var account struct{ UID string }
	change(201, "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"sync %s %s","role":"Viewer"}`, c.http, c.url), &account)
	var token struct {
		ID  int
		Key string
	}
	change(200, "POST", "/api/serviceaccounts/"+account.UID+"/tokens", `{"name":"ci-dashboard-sync-token","secondsToLive":86400}`, &token)
	bearer := []string{"-H", "Authorization: Bearer " + token.Key}
	if text := c.call(200, "GET", "/api/org", bearer...); !strings.Contains(text, `"name":"Main Org."`) {
		c.t.Errorf("the token is answered %s", text)
	}
	change(200, "DELETE", fmt.Sprintf("/api/serviceaccounts/%s/tokens/%d", account.UID, token.ID), "{}", new(struct{}))
	if text := c.call(401, "GET", "/api/org", bearer...); !strings.Contains(text, "api-key.invalid") {
		c.t.Errorf("the token that was revoked is answered %s", text)
	}
}

// healthy waits until the healthcheck with the settings of a server says so in one line.
func healthy(t *testing.T, p *process, env []string, args ...string) {
	t.Helper()
	line := append([]string{"healthcheck", "--ready"}, args...)
	if p != nil {
		line = append(line, "--data", p.data)
	}
	var out string
	if !hallpasstest.Within(hallpasstest.Patience, func() (ok bool) {
		if p != nil {
			select {
			case err := <-p.done:
				t.Fatalf("the server ended: %v\n%s", err, p.out)
			default:
			}
		}
		var status int
		status, out = execute(t, env, line...)
		return status == 0
	}) {
		t.Fatalf("the healthcheck says %s", out)
	}
	if !strings.HasPrefix(out, "ready: ") || strings.Count(out, "\n") != 1 {
		t.Errorf("the healthcheck says %q", out)
	}
}

// TestServing runs the program in each way in which it serves, and lives through the same
// with curl: over TLS with HTTP/1.1 and HTTP/2, with certificates of clients, on a unix
// socket and behind nginx there, on a socket that systemd opened, and over IPv6.
func TestServing(t *testing.T) {
	needs(t, "curl")
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"TLS": servesTLS, "certificates of clients": servesClientsWithCertificates, "socket": servesSocket, "activation": servesActivated, "IPv6": servesIPv6,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

// withTLS returns the settings of TLS with these files.
func withTLS(certFile, keyFile string) []string {
	return []string{"HALLPASS_SERVER_PROTOCOL=https", "HALLPASS_SERVER_CERT_FILE=" + certFile, "HALLPASS_SERVER_CERT_KEY=" + keyFile}
}

// servesTLS also writes other files: new connections get their certificate without a
// signal, and one from before goes on.
func servesTLS(t *testing.T) {
	authority, dir := hallpasstest.NewAuthority(t, "test"), t.TempDir()
	env := withTLS(authority.Issue(dir, time.Hour))
	p := start(t, t.TempDir(), env)
	address := strings.TrimPrefix(p.url, "http://")
	healthy(t, p, env, "--listen", address)
	trusts := &tls.Config{RootCAs: authority.Pool}
	serial := func(conn *tls.Conn) string { return conn.ConnectionState().PeerCertificates[0].SerialNumber.String() }
	kept, err := tls.Dial("tcp", address, trusts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }() // the test is over
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusts, ForceAttemptHTTP2: true}}
	before := get2(t, client, "https://"+address+"/healthz")
	authority.Issue(dir, time.Hour)
	for flag, version := range map[string]string{"--http1.1": "1.1", "--http2": "2"} {
		visitor{t, "https://" + address, []string{"--cacert", authority.File, flag}, version}.story()
	}
	hallpasstest.Eventually(t, "the new certificate", func() bool {
		conn, err := tls.Dial("tcp", address, trusts)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // nothing was sent
		return serial(conn) != serial(kept)
	})
	if after := get2(t, client, "https://"+address+"/healthz"); after != before {
		t.Errorf("a connection from before had the certificate %s, and now it has %s", before, after)
	}
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.out)
	}
}

// get2 asks over HTTP/2 and returns the number of the certificate.
func get2(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // the status says it all
	if res.StatusCode != 200 || res.ProtoMajor != 2 {
		t.Errorf("%s: %s %s", url, res.Proto, res.Status)
	}
	return res.TLS.PeerCertificates[0].SerialNumber.String()
}

// servesClientsWithCertificates has the healthcheck ask at the address of the metrics,
// where clients need none.
func servesClientsWithCertificates(t *testing.T) {
	authority, stranger, dir := hallpasstest.NewAuthority(t, "test"), hallpasstest.NewAuthority(t, "test"), t.TempDir()
	_, port, err := net.SplitHostPort(hallpasstest.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	env := append(withTLS(authority.Issue(dir, time.Hour)), "HALLPASS_SERVER_CLIENT_CA_FILE="+authority.File)
	p := start(t, t.TempDir(), append(env, "HALLPASS_METRICS_HTTP_PORT="+port))
	url := strings.Replace(p.url, "http:", "https:", 1)
	if status, out := execute(t, env, "healthcheck", "--listen", strings.TrimPrefix(p.url, "http://")); status != 1 || !strings.Contains(out, "set server.socket or metrics.http_port") {
		t.Errorf("without another address: exit %d, %s", status, out)
	}
	healthy(t, p, append(env, "HALLPASS_METRICS_HTTP_PORT="+port))
	with := func(a *hallpasstest.Authority) []string {
		cert, key := a.Issue(t.TempDir(), time.Hour)
		return []string{"--cacert", authority.File, "--cert", cert, "--key", key}
	}
	visitor{t, url, append(with(authority), "--http2"), "2"}.story()
	for name, args := range map[string][]string{"no certificate": {"--cacert", authority.File}, "one of others": with(stranger)} {
		if out, err := exec.Command("curl", append(args, "-sS", url+"/healthz")...).CombinedOutput(); err == nil {
			t.Errorf("a client with %s is answered %s", name, out)
		}
	}
}

// servesSocket serves on a unix socket, and behind nginx there. nginx's clients have
// addresses of their own.
func servesSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "hp") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what stays does no harm
	address, socket := freeAddress(t), filepath.Join(dir, "s")
	env := []string{"HALLPASS_SERVER_PROTOCOL=socket", "HALLPASS_SERVER_SOCKET=" + socket, "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1", "HALLPASS_SERVER_ROOT_URL=http://" + address}
	p := start(t, t.TempDir(), env)
	healthy(t, p, env)
	visitor{t, "http://localhost", []string{"--unix-socket", socket}, "1.1"}.story()
	if listens(strings.TrimPrefix(p.url, "http://")) {
		t.Error("it listens on TCP too")
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Log("no nginx on this machine: `make test` installs it")
		return
	}
	put(t, filepath.Join(dir, "nginx.conf"), nginxMain(dir, "server {\nlisten "+address+";\nlocation / {\nproxy_pass http://unix:"+socket+":;\n"+
		"proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-For $remote_addr;\nproxy_set_header X-Forwarded-Proto $scheme;\n}\n}"))
	daemon(t, address, nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-g", "daemon off;")
	from := visitor{t, "http://" + address, []string{"--interface", "127.0.0.9"}, "1.1"}
	from.story()
	if !strings.Contains(p.out.String(), `"address":"127.0.0.9"`) {
		t.Errorf("the log does not tell the address of nginx's client\n%s", p.out)
	}
}

// servesActivated has systemd's own program open the socket: it starts the server at the
// first connection.
func servesActivated(t *testing.T) {
	program, err := exec.LookPath("systemd-socket-activate")
	if err != nil {
		t.Skip("no systemd-socket-activate on this machine; TestSocketActivation does the same without it")
	}
	path, address := binaryAndAddress(t)
	daemonOf := exec.Command(program, "--listen="+address, "--fdname=web", "-E", "HALLPASS_SECURITY_ADMIN_PASSWORD="+adminPassword, path, "serve", "--data", t.TempDir(), "--listen", "192.0.2.1:1")
	var out lockedBuffer
	daemonOf.Stdout, daemonOf.Stderr = &out, &out
	if err := daemonOf.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemonOf.Process.Kill() // the test is over
		_ = daemonOf.Wait()         // it was killed
		if t.Failed() {
			t.Logf("%s", out.String())
		}
	})
	healthy(t, nil, nil, "--listen", address)
	visitor{t, "http://" + address, nil, "1.1"}.story()
}

func servesIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p := start(t, t.TempDir(), nil, "--listen", address)
	healthy(t, p, nil, "--listen", address)
	visitor{t, "http://" + address, []string{"-g"}, "1.1"}.story()
}
