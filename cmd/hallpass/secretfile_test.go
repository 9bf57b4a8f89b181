//go:build !client && !windows

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestSecretFiles reads each secret from a file that its variable names. The end of the
// last line is left out, and nothing else.
func TestSecretFiles(t *testing.T) {
	texts := map[string]string{"violet": "violet", "violet\n": "violet", "violet\r\n": "violet", " vio\nlet \n\n": " vio\nlet \n"}
	c := server.DefaultConfig()
	secrets := 0
	for _, s := range settings(&c) {
		if !s.secret() {
			continue
		}
		secrets++
		for text, want := range texts {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
				t.Fatal(err)
			}
			r := reading{config: server.DefaultConfig(), origins: make(map[string]string)}
			if err := r.readEnv([]string{s.env + "_FILE=" + path}); err != nil || len(r.warnings) > 0 {
				t.Fatal(err, r.warnings)
			}
			for _, now := range settings(&r.config) {
				if now.key == s.key && now.value.Interface() != secret.NewText(want) {
					t.Errorf("%s from %q is not %q", s.key, text, want)
				}
			}
			if got := r.origins[s.key]; got != s.env+"_FILE="+path {
				t.Errorf("%s is from %q", s.key, got)
			}
		}
	}
	if secrets < 6 {
		t.Errorf("%d secrets", secrets)
	}
}

// TestBadSecretFiles starts the program with files that hold no secret: it names variable
// and file, and repeats nothing of what is in them.
func TestBadSecretFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	const name = "HALLPASS_SECURITY_ADMIN_PASSWORD_FILE"
	for _, tt := range []struct {
		name, says string
		environ    []string
	}{
		{"both", "HALLPASS_SECURITY_ADMIN_PASSWORD and " + name + " are both set: keep one of them", []string{name + "=" + file("good", "hunter2"), "HALLPASS_SECURITY_ADMIN_PASSWORD="}},
		{"none", name + ": it names no file", []string{name + "="}},
		{"missing", name + ": open " + filepath.Join(dir, "missing") + ": no such file", []string{name + "=" + filepath.Join(dir, "missing")}},
		{"empty", name + ": " + filepath.Join(dir, "empty") + " is empty", []string{name + "=" + file("empty", "\n")}},
		{"folder", name + ": " + dir + " is a folder, not a regular file", []string{name + "=" + dir}},
		{"pipe", name + ": " + pipe + " is a pipe, not a regular file", []string{name + "=" + pipe}},
		{"large", "is larger than 65536 bytes", []string{name + "=" + file("large", strings.Repeat("hunter2", 10000))}},
		{"short", name + "=" + file("short", "hunter2\n") + ": security.admin_password: Password is shorter than 15 characters", []string{name + "=" + filepath.Join(dir, "short")}},
		{"no secret", "HALLPASS_SERVER_ROOT_URL_FILE: only secrets are read from files, and server.root_url is none: set HALLPASS_SERVER_ROOT_URL", []string{"HALLPASS_SERVER_ROOT_URL_FILE=/x"}},
		{"mistyped", "unknown environment variable HALLPASS_SMTP_PASSWORDFILE: did you mean HALLPASS_SMTP_PASSWORD_FILE?", []string{"HALLPASS_SMTP_PASSWORDFILE=/x"}},
	} {
		var out, errs bytes.Buffer
		p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, environ: tt.environ}
		status := p.run(t.Context(), []string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"})
		if status != 1 || !strings.Contains(errs.String(), tt.says) || strings.Contains(errs.String(), "hunter") {
			t.Errorf("%s: exit %d and %q, want %q", tt.name, status, errs.String(), tt.says)
		}
	}
}

// TestReadableSecretFile reads a secret from a file that everybody may read: it counts, and
// there is a warning.
func TestReadableSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("violet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // #nosec G302 -- the warning is what is tested
		t.Fatal(err)
	}
	r := reading{config: server.DefaultConfig(), origins: make(map[string]string)}
	if err := r.readEnv([]string{"HALLPASS_SMTP_PASSWORD_FILE=" + path}); err != nil || !r.config.SMTP.Password.Equal("violet") {
		t.Fatal(err)
	}
	if len(r.warnings) != 1 || !strings.Contains(r.warnings[0], "everybody on this machine may read "+path+" (mode 0644)") {
		t.Errorf("%q", r.warnings)
	}
}

// TestCredentials hands secrets over as systemd does: those of hallpass.service are read,
// unless the environment says another.
func TestCredentials(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join("..", "..", "packaging", "systemd", "hallpass.service"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := server.DefaultConfig()
	secrets := 0
	for _, s := range settings(&c) {
		if !s.secret() {
			continue
		}
		secrets++
		if !strings.Contains(string(unit), "\nLoadCredential=hallpass."+s.key+"\n") {
			t.Errorf("hallpass.service does not hand over %s", s.key)
		}
		if err := os.WriteFile(filepath.Join(dir, "hallpass."+s.key), []byte("of "+s.key+"\n"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(string(unit), "\nLoadCredential="); n != secrets {
		t.Errorf("hallpass.service hands over %d secrets of %d", n, secrets)
	}
	r := reading{config: server.DefaultConfig(), origins: make(map[string]string)}
	if err := r.readEnv([]string{"CREDENTIALS_DIRECTORY=" + dir, "HALLPASS_SMTP_PASSWORD=another"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings(&r.config) {
		want := "of " + s.key
		if s.key == "smtp.password" {
			want = "another"
		}
		if s.secret() && s.value.Interface() != secret.NewText(want) {
			t.Errorf("%s is from %q and not %q", s.key, r.origins[s.key], want)
		}
	}
	r = reading{config: server.DefaultConfig(), origins: make(map[string]string)}
	if err := r.readEnv([]string{"CREDENTIALS_DIRECTORY=" + t.TempDir()}); err != nil || len(r.origins) > 0 {
		t.Errorf("no credentials: %v, %v", err, r.origins)
	}
}
