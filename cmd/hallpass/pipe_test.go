//go:build !client && !windows

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestPipesAreRefused puts a pipe to which nobody writes in the place of each file that a
// server opens at its start: the start and the check of the settings say so, and neither waits.
func TestPipesAreRefused(t *testing.T) {
	const https = "[server]\nprotocol = \"https\"\nhttp_port = 0\ncert_file = \"DIR/cert.pem\"\ncert_key = \"DIR/key.pem\"\n"
	for _, tt := range []struct{ pipe, config string }{
		{"DIR/hallpass.toml", ""},
		{"DIR/cert.pem", https},
		{"DIR/key.pem", https},
		{"DIR/ca.pem", https + "client_ca_file = \"DIR/ca.pem\""},
		{"DIR/ca.pem", "[auth.generic_oauth]\nenabled = true\nclient_id = \"x\"\nauth_url = \"https://c.example.com/a\"\ntoken_url = \"https://c.example.com/t\"\napi_url = \"https://c.example.com/u\"\ntls_client_ca = \"DIR/ca.pem\""},
		{"DIR/key", "[notices]\nwebhook_key_file = \"DIR/key\""},
		{"DIR/key", "[notices]\nwhsec_file = \"DIR/key\""},
		{"DIR/a.toml", "[provisioning]\npath = \"DIR\""},
		{"DIR/other.db", "[database]\npath = \"DIR/other.db\""},
		{"DATA/lock", ""},
		{"DATA/journal", ""},
		{"DATA/initial-admin-password", ""},
		{"DATA/hallpass.db", ""},
		{"DATA/hallpass.db-wal", ""},
		{"DATA/hallpass.db-reserve", ""},
		{"DATA/hallpass.db.lock", ""},
	} {
		dir, data := t.TempDir(), t.TempDir()
		hallpasstest.NewAuthority(t, "test").Issue(dir, time.Hour)
		stand := strings.NewReplacer("DIR", dir, "DATA", data)
		pipe, config := stand.Replace(tt.pipe), filepath.Join(dir, "hallpass.toml")
		if err := os.WriteFile(config, []byte(stand.Replace(tt.config)), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(pipe) // most are not there
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		for command, want := range map[string]int{"serve": 1, "config check": notValid} {
			var out bytes.Buffer
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, environ: []string{"HALLPASS_SERVER_HTTP_PORT=0"}}
			args := append(strings.Fields(command), "--data", data, "--config", config)
			ctx, stop := context.WithCancel(t.Context())
			p.stdout, p.stderr = &untilServing{&out, stop}, &untilServing{&out, stop}
			status := p.run(ctx, args)
			stop()
			if status != want || !strings.Contains(out.String(), pipe+" is a pipe, not a regular file") {
				t.Errorf("%s, %s: exit %d and %s", tt.pipe, command, status, out.String())
			}
		}
	}
}

// untilServing is an output that stops a server that says that it serves.
type untilServing struct {
	*bytes.Buffer
	stop func()
}

func (u *untilServing) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"serving"`)) {
		u.stop()
	}
	return u.Buffer.Write(p)
}
