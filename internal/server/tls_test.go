package server_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// withTLS has a server speak TLS with the certificate that the authority wrote to dir.
func withTLS(protocol, dir string) func(*server.Config) {
	return func(c *server.Config) {
		c.Server.Protocol, c.Server.CertFile, c.Server.CertKey = protocol, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	}
}

// overTLS returns a client that speaks HTTP/2 or HTTP/1.1. It opens a connection for each
// request.
func overTLS(config *tls.Config, http2 bool) *http.Client {
	p := new(http.Protocols)
	p.SetHTTP2(http2)
	p.SetHTTP1(!http2)
	config = config.Clone() // a transport adds the protocols that it speaks
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: config, Protocols: p, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// asked sends a request, to the API with the admin's password, and returns the answer and its body.
func asked(t *testing.T, client *http.Client, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		hallpasstest.Admin(r)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return do(t, client, r)
}

// do sends the request and returns the answer and its body.
func do(t *testing.T, client *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// TestTLS speaks TLS with each address of a server: API and console answer over HTTP/2 and
// HTTP/1.1, cookies are those of https, and neither plain HTTP nor an old TLS is served.
func TestTLS(t *testing.T) {
	authority, dir := hallpasstest.NewAuthority(t, "test"), t.TempDir()
	authority.Issue(dir, time.Hour)
	api := newOpenAPI(t)
	for _, protocol := range []string{"https", "h2"} {
		s := hallpasstest.New(t, withTLS(protocol, dir), ofFile(api.at("app", "127.0.0.1:0")), func(c *server.Config) { c.Guard.GRPCListen = "127.0.0.1:0" })
		config := &tls.Config{RootCAs: authority.Pool}
		if !strings.HasPrefix(s.URL, "https://127.0.0.1:") {
			t.Fatalf("%s: it is at %s", protocol, s.URL)
		}
		for version, http2 := range map[string]bool{"HTTP/2.0": true, "HTTP/1.1": false} {
			client := overTLS(config, http2)
			if res, text := asked(t, client, "GET", s.URL+"/api/org", ""); res.StatusCode != 200 || res.Proto != version || !strings.Contains(text, "Main Org.") || res.Header.Get("Strict-Transport-Security") == "" {
				t.Errorf("%s, %s: %s %d %s", protocol, version, res.Proto, res.StatusCode, text)
			}
			if res, text := asked(t, client, "GET", s.URL+"/login", ""); res.StatusCode != 200 || !strings.Contains(text, "</html>") {
				t.Errorf("%s, %s: the page is %d", protocol, version, res.StatusCode)
			}
			login := `{"user":"admin","password":"` + hallpasstest.AdminPassword + `"}`
			res, _ := asked(t, client, "POST", s.URL+"/login", login, "Content-Type: application/json", "Origin: "+s.URL)
			if cookie := res.Header.Get("Set-Cookie"); res.StatusCode != 200 || !strings.HasPrefix(cookie, "__Host-") || !strings.Contains(cookie, "Secure") {
				t.Errorf("%s, %s: the sign-in is %d with %s", protocol, version, res.StatusCode, cookie)
			}
			if res, _ := asked(t, client, "POST", s.URL+"/login", login, "Content-Type: application/json", "Origin: https://other.example"); res.StatusCode != 403 {
				t.Errorf("%s, %s: from another origin %d", protocol, version, res.StatusCode)
			}
			if res, text := asked(t, client, "GET", "https://"+s.GuardAddress("app")+"/x", ""); res.StatusCode != 200 || text != "/x" {
				t.Errorf("%s, %s: the guard says %d %s", protocol, version, res.StatusCode, text)
			}
		}
		if res, text := asked(t, http.DefaultClient, "GET", strings.Replace(s.URL, "https", "http", 1)+"/api/org", ""); res.StatusCode != 400 || !strings.Contains(text, "HTTPS") {
			t.Errorf("%s: plain HTTP is answered %d %s", protocol, res.StatusCode, text)
		}
		if _, err := overTLS(&tls.Config{RootCAs: authority.Pool, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, false).Get(s.URL); err == nil { // #nosec G402 -- it is refused
			t.Errorf("%s: TLS 1.1 is spoken", protocol)
		}
		healthy(t, s.GRPCAddress(), config)
		healthy(t, strings.TrimPrefix(s.URL, "https://"), config)
	}
}

// healthy asks over gRPC with TLS whether the server is.
func healthy(t *testing.T, address string, config *tls.Config) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // it was answered
	ctx, cancel := context.WithTimeout(t.Context(), hallpasstest.Patience)
	defer cancel()
	if answer, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}); err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("gRPC at %s: %v, %v", address, answer, err)
	}
}

// serialAt returns the number of the certificate that a new connection gets.
func serialAt(t *testing.T, s *hallpasstest.Server) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.URL, "https://"), &tls.Config{InsecureSkipVerify: true}) // #nosec G402 -- it is looked at alone
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// TestCertificateIsReplaced writes other files while a server runs: new connections get
// the new certificate. While the new files do not fit, they get the one from before, and
// the server says so.
func TestCertificateIsReplaced(t *testing.T) {
	authority, dir := hallpasstest.NewAuthority(t, "test"), t.TempDir()
	certFile, keyFile := authority.Issue(dir, time.Hour)
	s := hallpasstest.New(t, withTLS("https", dir))
	first := serialAt(t, s)
	authority.Issue(dir, time.Hour)
	if err := s.ReloadCertificates(); err != nil {
		t.Fatal(err)
	}
	second := serialAt(t, s)
	if second == first {
		t.Error("the first certificate is still given")
	}
	renewed := t.TempDir()
	authority.Issue(renewed, time.Hour)
	copyFile(t, filepath.Join(renewed, "cert.pem"), certFile) // the key comes later
	if err := s.ReloadCertificates(); err == nil || !strings.Contains(err.Error(), "server.cert_key: the key in "+keyFile+" does not fit the first certificate in "+certFile) || !strings.Contains(err.Error(), "the certificate from before stays in use") {
		t.Errorf("half of a new pair: %v", err)
	}
	if err := s.FollowCertificates(t.Context()); err != nil {
		t.Errorf("whoever writes the files may not be done, and yet: %v", err)
	}
	if err := s.FollowCertificates(t.Context()); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("half of a new pair that stays: %v", err)
	}
	if got := serialAt(t, s); got != second {
		t.Error("the certificate from before is no longer given")
	}
	copyFile(t, filepath.Join(renewed, "key.pem"), keyFile)
	if err := s.FollowCertificates(t.Context()); err != nil {
		t.Error(err)
	}
	if got := serialAt(t, s); got == second {
		t.Error("the renewed certificate is not given")
	}
	if !strings.Contains(s.Log(), "new connections get this certificate") {
		t.Error("the log does not say which certificate is given")
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if err := s.ReloadCertificates(); err == nil || !strings.Contains(err.Error(), "server.cert_key: open "+keyFile) {
		t.Errorf("no key: %v", err)
	}
	serialAt(t, s)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateRefused starts servers with files that cannot be used: none starts, and
// the error names the setting, the file and what is wrong.
func TestCertificateRefused(t *testing.T) {
	authority := hallpasstest.NewAuthority(t, "test")
	for name, tt := range map[string]struct {
		change func(dir string, c *server.ServerConfig)
		says   string
	}{
		"no certificate file":       {func(dir string, _ *server.ServerConfig) { remove(t, dir+"/cert.pem") }, "server.cert_file: open DIR/cert.pem: no such file"},
		"no key file":               {func(dir string, _ *server.ServerConfig) { remove(t, dir+"/key.pem") }, "server.cert_key: open DIR/key.pem: no such file"},
		"an empty certificate":      {func(dir string, _ *server.ServerConfig) { write(t, dir+"/cert.pem", "") }, "server.cert_file: DIR/cert.pem: there is no certificate in PEM form"},
		"a key for a certificate":   {func(dir string, _ *server.ServerConfig) { copyFile(t, dir+"/key.pem", dir+"/cert.pem") }, "server.cert_file: DIR/cert.pem: there is no certificate in PEM form"},
		"a certificate for a key":   {func(dir string, _ *server.ServerConfig) { copyFile(t, dir+"/cert.pem", dir+"/key.pem") }, "server.cert_key: DIR/key.pem holds no private key"},
		"a broken certificate":      {func(dir string, _ *server.ServerConfig) { write(t, dir+"/cert.pem", block("CERTIFICATE")) }, "server.cert_file: DIR/cert.pem: block 1: x509: malformed"},
		"a broken key":              {func(dir string, _ *server.ServerConfig) { write(t, dir+"/key.pem", block("PRIVATE KEY")) }, "server.cert_key: the key in DIR/key.pem does not fit"},
		"an encrypted key":          {func(dir string, _ *server.ServerConfig) { write(t, dir+"/key.pem", block("ENCRYPTED PRIVATE KEY")) }, "server.cert_key: the key in DIR/key.pem is encrypted with a password"},
		"the key of another":        {func(dir string, _ *server.ServerConfig) { copyFile(t, otherKey(t, authority), dir+"/key.pem") }, "server.cert_key: the key in DIR/key.pem does not fit the first certificate in DIR/cert.pem"},
		"authorities of clients":    {func(dir string, c *server.ServerConfig) { c.ClientCAFile = dir + "/key.pem" }, "server.client_ca_file: DIR/key.pem: there is no certificate in PEM form"},
		"no authorities of clients": {func(dir string, c *server.ServerConfig) { c.ClientCAFile = dir + "/none.pem" }, "server.client_ca_file: open DIR/none.pem"},
		"half an authority": {func(dir string, c *server.ServerConfig) {
			half(t, dir+"/cert.pem", dir+"/ca.pem")
			c.ClientCAFile = dir + "/ca.pem"
		}, "server.client_ca_file: DIR/ca.pem: block 2 begins and does not end"},
		"half a certificate":         {func(dir string, _ *server.ServerConfig) { half(t, dir+"/cert.pem", dir+"/cert.pem") }, "server.cert_file: DIR/cert.pem: block 2 begins and does not end"},
		"a folder for a certificate": {func(dir string, c *server.ServerConfig) { c.CertFile = dir }, "server.cert_file: DIR is a folder, not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			c, dir := server.DefaultConfig(), t.TempDir()
			c.DataDir = filepath.Join(t.TempDir(), "data")
			authority.Issue(dir, time.Hour)
			withTLS("https", dir)(&c)
			tt.change(dir, &c.Server)
			s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
			if err == nil {
				_ = s.Close() // the test has failed
			}
			if want := strings.ReplaceAll(tt.says, "DIR", dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			if _, err := os.Stat(c.DataDir); err == nil {
				t.Error("a server that does not start made a data directory")
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// half writes the certificate in from to a file, and half of it once more.
func half(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text)+string(text[:len(text)/2]))
}

// block is PEM of that kind with nothing useful inside.
func block(kind string) string {
	return "-----BEGIN " + kind + "-----\nAAAA\n-----END " + kind + "-----\n"
}

func otherKey(t *testing.T, authority *hallpasstest.Authority) string {
	t.Helper()
	_, key := authority.Issue(t.TempDir(), time.Hour)
	return key
}

// TestEndedCertificate starts a server with a certificate that has ended: it starts, and
// the log warns.
func TestEndedCertificate(t *testing.T) {
	authority, dir := hallpasstest.NewAuthority(t, "test"), t.TempDir()
	authority.Issue(dir, -time.Minute)
	s := hallpasstest.New(t, withTLS("https", dir))
	if !strings.Contains(s.Log(), "the certificate has ended") {
		t.Errorf("the log does not warn\n%s", s.Log())
	}
}

// TestClientCertificates demands certificates of clients, and takes those of its
// authorities alone; where they are optional, clients without one are served too.
func TestClientCertificates(t *testing.T) {
	authority, stranger, dir := hallpasstest.NewAuthority(t, "test"), hallpasstest.NewAuthority(t, "test"), t.TempDir()
	authority.Issue(dir, time.Hour)
	with := func(a *hallpasstest.Authority) []tls.Certificate {
		pair, err := tls.LoadX509KeyPair(a.Issue(t.TempDir(), time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{pair}
	}
	for auth, want := range map[string]string{"require": "served refused refused", "optional": "served refused served"} {
		s := hallpasstest.New(t, withTLS("https", dir), func(c *server.Config) { c.Server.ClientCAFile, c.Server.ClientAuth = authority.File, auth })
		var got []string
		for _, certificates := range [][]tls.Certificate{with(authority), with(stranger), nil} {
			config := &tls.Config{RootCAs: authority.Pool, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &append(certificates, tls.Certificate{})[0], nil // also one that the server did not ask for
			}}
			res, err := overTLS(config, true).Get(s.URL + "/healthz")
			if err != nil {
				got = append(got, "refused")
				continue
			}
			_ = res.Body.Close() // the status says it all
			got = append(got, map[bool]string{true: "served"}[res.StatusCode == 200])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", auth, got, want)
		}
	}
}
