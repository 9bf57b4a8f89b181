package test_test

import (
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

// TestSignals sends a server every signal that by default ends a process at once. The
// server still answers requests. At SIGHUP it reads its settings again: the level of the
// log changes, other changed settings are named, and a file that is not valid changes
// nothing.
func TestSignals(t *testing.T) {
	config := filepath.Join(t.TempDir(), "hallpass.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[log]\nlevel = \"warn\"\n")
	p := serve(t, t.TempDir(), "--config", config)
	says := func(text string) {
		t.Helper()
		hallpasstest.Eventually(t, "the log to say "+text, func() bool { return strings.Contains(p.out.String(), text) })
	}
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE} {
		p.signal(s)
		p.must(200, "GET", "/api/org", "", nil)
	}
	if strings.Contains(p.out.String(), `"path":"/api/org"`) {
		t.Fatalf("the level of the log does not hold from the start\n%s", p.out)
	}
	write("[log]\nlevel = \"debug\"\n[metrics]\nenabled = false\n")
	p.signal(syscall.SIGHUP)
	says(`"restart_for":"metrics.enabled"`)
	p.must(200, "GET", "/api/org", "", nil)
	says(`"path":"/api/org"`)
	write("[log]\nlevel = \"loud\"\n")
	p.signal(syscall.SIGHUP)
	says("log.level: \\\"loud\\\" is not one of")
	p.must(200, "GET", "/api/org", "", nil)
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.out)
	}
}

// TestGuardsAreReloaded changes the guards of a server's file: at SIGHUP the server
// decides by them. A file that is not valid changes nothing, and the log says why.
func TestGuardsAreReloaded(t *testing.T) {
	config := filepath.Join(t.TempDir(), "hallpass.toml")
	write := func(guard string) {
		t.Helper()
		if err := os.WriteFile(config, []byte("[server]\ntrusted_proxies = [\"127.0.0.1/32\"]\n"+guard), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rule := func(path string) string { return "[[guard.app.rule]]\npath = \"" + path + "\"\npublic = true\n" }
	write(rule("/a"))
	p := serve(t, t.TempDir(), "--config", config)
	asks := func(path string) int {
		r, err := http.NewRequest("GET", p.url+"/guard/nginx/app", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Original-Method", "GET")
		r.Header.Set("X-Original-Uri", path)
		answer, err := quick.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // the status says it all
		return answer.StatusCode
	}
	if a, b := asks("/a"), asks("/b"); a != 200 || b != 401 {
		t.Fatalf("at first: %d and %d", a, b)
	}
	write(rule("/b"))
	p.signal(syscall.SIGHUP)
	hallpasstest.Eventually(t, "the new rule to decide", func() bool { return asks("/b") == 200 })
	if got := asks("/a"); got != 401 {
		t.Errorf("what the file no longer opens: %d", got)
	}
	for text, says := range map[string]string{rule("no path"): "guard.app: Rule 1:", "[guard.app]\norg = 77\n" + rule("/a"): "guard.app.org: 77"} {
		write(text)
		p.signal(syscall.SIGHUP)
		hallpasstest.Eventually(t, "the log to say "+says, func() bool { return strings.Contains(p.out.String(), says) })
		if a, b := asks("/a"), asks("/b"); a != 401 || b != 200 {
			t.Errorf("after a bad file: %d and %d", a, b)
		}
	}
	write("")
	p.signal(syscall.SIGHUP)
	hallpasstest.Eventually(t, "the guard to be gone", func() bool { return asks("/b") == 401 })
}

// TestNobodyReads closes the other end of the log while a server runs. The server still
// answers, and stops in order.
func TestNobodyReads(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := startWriting(t, in, nil, t.TempDir(), []string{"HALLPASS_LOG_LEVEL=debug"})
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	p.await()
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		p.must(200, "GET", "/api/org", "", nil)
	}
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestFirstPassword starts a server that creates a password. A terminal shows the password;
// a log only names the file that has it. A server whose terminal is closed stops in order.
func TestFirstPassword(t *testing.T) {
	made := []string{"HALLPASS_SECURITY_ADMIN_PASSWORD="}
	kept := func(data string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(data, "initial-admin-password"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	data := t.TempDir()
	p := start(t, data, made)
	p.await()
	if out := p.out.String(); strings.Contains(out, kept(data)) || strings.Count(out, "initial-admin-password") != 1 {
		t.Errorf("the log holds the password, or does not say where it is\n%s", out)
	}

	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("there is no command that makes a terminal")
	}
	data = t.TempDir()
	path, address := binaryAndAddress(t)
	terminal := &process{t: t, url: "http://" + address, out: &lockedBuffer{}, done: make(chan error, 1)}
	terminal.cmd = exec.Command(script, "-qec", "exec "+path+" serve --data "+data+" --listen "+address, "/dev/null")
	terminal.cmd.Env = append(os.Environ(), made...)
	terminal.cmd.Stdout = terminal.out
	keys, err := terminal.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = keys.Close() }() // nothing is typed
	if err := terminal.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { terminal.done <- terminal.cmd.Wait() }()
	terminal.await()
	// What goes through the terminal arrives after the server answers on a busy machine.
	hallpasstest.Eventually(t, "a terminal that shows the password", func() bool {
		return strings.Contains(terminal.out.String(), kept(data))
	})
	terminal.kill() // closes the terminal
	hallpasstest.Eventually(t, "the server to stop when its terminal is closed", func() bool { return !listens(address) })
	again := start(t, data, made)
	again.await() // the data directory is no longer locked
}

// TestPipeForCertificate puts a pipe in the place of the certificate of a server that runs,
// and has it read its files again: it says what is wrong, and stops when it is told to.
func TestPipeForCertificate(t *testing.T) {
	cert, key := hallpasstest.NewAuthority(t, "test").Issue(t.TempDir(), time.Hour)
	p := start(t, t.TempDir(), []string{"HALLPASS_SERVER_PROTOCOL=https", "HALLPASS_SERVER_CERT_FILE=" + cert, "HALLPASS_SERVER_CERT_KEY=" + key})
	says := func(text string) {
		t.Helper()
		hallpasstest.Eventually(t, "the log to say "+text, func() bool { return strings.Contains(p.out.String(), text) })
	}
	says(`"msg":"serving"`)
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(cert, 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	says("server.cert_file: " + cert + " is a pipe, not a regular file")
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.out)
	}
}
