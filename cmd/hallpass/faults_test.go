//go:build !client && !windows

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestServeRefuses starts the program where it cannot listen as it is told: each fault has
// a text of its own, which names the key and the file or address. DIR is a folder with a
// certificate, its key, a file, and a socket on which somebody listens; the port TAKEN is somebody's.
func TestServeRefuses(t *testing.T) {
	dir, err := os.MkdirTemp("", "hp") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what stays does no harm
	authority := hallpasstest.NewAuthority(t, "test")
	authority.Issue(dir, time.Hour)
	_, otherKey := authority.Issue(t.TempDir(), time.Hour)
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	unix, err := net.Listen("unix", filepath.Join(dir, "live"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close() }() // the test is over
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }() // likewise
	_, port, err := net.SplitHostPort(tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	stand := strings.NewReplacer("DIR", dir, "TAKEN", port, "OTHERKEY", otherKey)
	for _, tt := range []struct{ name, config, env, says string }{
		{"no certificate named", "[server]\nprotocol = \"https\"", "", "server.cert_file: protocol https needs a certificate"},
		{"no key named", "[server]\nprotocol = \"h2\"\ncert_file = \"DIR/cert.pem\"", "", "server.cert_key: protocol h2 needs the key of the certificate"},
		{"certificate without TLS", "[server]\ncert_file = \"DIR/cert.pem\"", "", `server.cert_file: protocol http has no TLS: set server.protocol = "https" too`},
		{"no certificate there", "[server]\nprotocol = \"https\"\ncert_file = \"DIR/none.pem\"\ncert_key = \"DIR/key.pem\"", "", "server.cert_file: open DIR/none.pem: no such file or directory"},
		{"bad certificate", "[server]\nprotocol = \"https\"\ncert_file = \"DIR/file\"\ncert_key = \"DIR/key.pem\"", "", "server.cert_file: DIR/file: there is no certificate in PEM form"},
		{"no key there", "[server]\nprotocol = \"https\"\ncert_file = \"DIR/cert.pem\"\ncert_key = \"DIR/none.pem\"", "", "server.cert_key: open DIR/none.pem: no such file or directory"},
		{"key that does not fit", "[server]\nprotocol = \"https\"\ncert_file = \"DIR/cert.pem\"\ncert_key = \"OTHERKEY\"", "", "server.cert_key: the key in OTHERKEY does not fit the first certificate in DIR/cert.pem"},
		{"bad authorities of clients", "[server]\nprotocol = \"https\"\ncert_file = \"DIR/cert.pem\"\ncert_key = \"DIR/key.pem\"\nclient_ca_file = \"DIR/file\"", "", "server.client_ca_file: DIR/file: there is no certificate in PEM form"},
		{"browsers sent to http", "[server]\nprotocol = \"https\"\ncert_file = \"DIR/cert.pem\"\ncert_key = \"DIR/key.pem\"\nroot_url = \"http://h.example.com\"", "", `server.root_url: "http://h.example.com" begins with http, and the protocol is https`},
		{"unknown protocol", "", "HALLPASS_SERVER_PROTOCOL=tls", `server.protocol: "tls" is not one of http, https, h2, socket`},
		{"no socket named", "", "HALLPASS_SERVER_PROTOCOL=socket", "server.socket: protocol socket needs the path of the socket"},
		{"socket of a live server", "", "HALLPASS_SERVER_SOCKET=DIR/live", "server.socket: another program listens on DIR/live: stop it, or choose another path"},
		{"socket that is a file", "", "HALLPASS_SERVER_SOCKET=DIR/file", "server.socket: DIR/file is there already and is not a socket: choose another path, or move it away"},
		{"socket that is a folder", "", "HALLPASS_SERVER_SOCKET=DIR", "server.socket: DIR is there already and is not a socket"},
		{"socket in no folder", "", "HALLPASS_SERVER_SOCKET=DIR/none/s", "server.socket: listen on DIR/none/s: there is no directory DIR/none: make it, or choose another path"},
		{"socket below a file", "", "HALLPASS_SERVER_SOCKET=DIR/file/s", "server.socket: lstat DIR/file/s: not a directory"},
		{"long path", "", "HALLPASS_SERVER_SOCKET=/" + strings.Repeat("x", 103), "server.socket: the path has 104 bytes, more than the 103 that a socket may have"},
		{"mode in letters", "", "HALLPASS_SERVER_SOCKET_MODE=rw-rw----", `server.socket_mode: "rw-rw----" is not a mode in octal digits like 0660`},
		{"mode with an 8", "", "HALLPASS_SERVER_SOCKET_MODE=0680", `server.socket_mode: "0680" is not a mode`},
		{"mode that is too large", "", "HALLPASS_SERVER_SOCKET_MODE=01777", `server.socket_mode: "01777" is not a mode`},
		{"mode without quotes", "[server]\nsocket_mode = 660", "", "server.socket_mode: the value must be text in quotes"},
		{"name of a group", "", "HALLPASS_SERVER_SOCKET_GID=www-data", "HALLPASS_SERVER_SOCKET_GID: the value must be a whole number"},
		{"name of a group in the file", "[server]\nsocket_gid = \"www-data\"", "", "server.socket_gid: the value must be a whole number"},
		{"group below zero", "", "HALLPASS_SERVER_SOCKET_GID=-2", "server.socket_gid: -2 is not the number of a group"},
		{"group with another number", "", "HALLPASS_SERVER_SOCKET_GID=4294967329", "server.socket_gid: 4294967329 is not the number of a group, which is at most 4294967294"},
		{"group that would be root", "[server]\nsocket_gid = 4294967296", "", "server.socket_gid: 4294967296 is not the number of a group"},
		{"group that chown leaves", "[server]\nsocket_gid = 4294967295", "", "server.socket_gid: 4294967295 is not the number of a group"},
		{"abstract socket", "", "HALLPASS_SERVER_SOCKET=@hallpass", `server.socket: "@hallpass" would be an abstract socket, to which every user of the machine may connect`},
		{"port that is taken", "", "HALLPASS_SERVER_HTTP_PORT=TAKEN", "server.http_port: listen on 127.0.0.1:TAKEN: bind: address already in use: stop the program that listens there, or choose another port"},
		{"port of metrics that is taken", "[server]\nhttp_port = 0", "HALLPASS_METRICS_HTTP_PORT=TAKEN", "metrics.http_port: listen on 127.0.0.1:TAKEN: bind: address already in use: stop the program"},
		{"port of gRPC that is taken", "[server]\nhttp_port = 0", "HALLPASS_GUARD_GRPC_LISTEN=127.0.0.1:TAKEN", "guard.grpc_listen: listen on 127.0.0.1:TAKEN: bind: address already in use: stop the program"},
		{"port of a guard that is taken", "[server]\nhttp_port = 0\n[guard.app]\nupstream = \"http://127.0.0.1:1\"\nlisten = \"127.0.0.1:TAKEN\"\n[[guard.app.rule]]\npath = \"/\"\nrole = \"Viewer\"", "", "guard.app.listen: listen on 127.0.0.1:TAKEN: bind: address already in use: stop the program"},
		{"address of another machine", "", "HALLPASS_SERVER_HTTP_ADDR=192.0.2.1", "server.http_addr: listen on 192.0.2.1:3080: bind: cannot assign requested address: this machine has no such address"},
		{"address with a port", "", "HALLPASS_SERVER_HTTP_ADDR=127.0.0.1:80", `server.http_addr: "127.0.0.1:80" has a port: that belongs into server.http_port`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			args := []string{"serve", "--data", t.TempDir()}
			if tt.config != "" {
				path := filepath.Join(t.TempDir(), "hallpass.toml")
				if err := os.WriteFile(path, []byte(stand.Replace(tt.config)), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--config", path)
			}
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, environ: []string{stand.Replace(tt.env), "HALLPASS_SECURITY_ADMIN_PASSWORD=violet lamps hum at noon"}}
			if status := p.run(t.Context(), args); status != 1 || !strings.Contains(out.String(), stand.Replace(tt.says)) {
				t.Errorf("exit %d and %s, want 1 and %s", status, out.String(), stand.Replace(tt.says))
			}
		})
	}
	if text, err := os.ReadFile(filepath.Join(dir, "file")); string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}
