package test_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

const adminPassword = "violet lamps hum at noon"

// binary builds the program once for all tests; with the command in
// HALLPASS_TEST_BUILD where make bench measures what is released.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hallpass-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "hallpass")
	build := exec.Command("sh", "-c", cmp.Or(os.Getenv("HALLPASS_TEST_BUILD"), "go build")+` -o "$0" ./cmd/hallpass`, path)
	build.Dir = ".."
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // a file that stays in the temporary folder does no harm
	}
	_ = os.RemoveAll(emptyCluster.dir) // likewise
	os.Exit(code)
}

// binaryAndAddress returns the program's path and an address to listen on.
func binaryAndAddress(t testing.TB) (path, address string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path, hallpasstest.FreeAddress(t)
}

// listens reports whether a server accepts connections at the address.
func listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, hallpasstest.Patience)
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was sent
	return true
}

// process is a running `hallpass serve`.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	data string // its data directory
	out  *lockedBuffer
	done chan error
}

// serve starts the program on the data directory and waits until it answers.
func serve(t *testing.T, data string, args ...string) *process {
	t.Helper()
	p := start(t, data, nil, args...)
	p.await()
	return p
}

// start starts the program on the data directory, with more variables in the environment.
func start(t *testing.T, data string, env []string, args ...string) *process {
	t.Helper()
	return startUnder(t, nil, data, env, args...)
}

// startUnder is start with a command that runs the program.
func startUnder(t *testing.T, under []string, data string, env []string, args ...string) *process {
	t.Helper()
	out := &lockedBuffer{}
	p := startWriting(t, out, under, data, env, args...)
	p.out = out
	return p
}

// startWriting is startUnder with the writer of the program's output.
func startWriting(t *testing.T, out io.Writer, under []string, data string, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, data: data}
	p.run(path, out, under, env, args...)
	return p
}

// run starts the program at path, under a command that runs it, unless that is empty.
func (p *process) run(path string, out io.Writer, under, env []string, args ...string) {
	p.t.Helper()
	address := hallpasstest.FreeAddress(p.t)
	p.url, p.done = "http://"+address, make(chan error, 1)
	line := append(append(under, path, "serve", "--data", p.data, "--listen", address), args...)
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Env = append(append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD="+adminPassword), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	p.t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended already, as a rule
}

// lockedBuffer is a buffer that a process writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await waits until the server is ready.
func (p *process) await() {
	p.t.Helper()
	hallpasstest.Eventually(p.t, "the server to get ready", func() bool {
		select {
		case err := <-p.done:
			p.t.Fatalf("the server ended: %v\n%s", err, p.out)
		default:
		}
		res, err := http.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close() // nothing was read
		return res.StatusCode == http.StatusOK
	})
}

// kill ends the process with kill -9.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
}

// stop sends SIGTERM, waits for the process and returns its error.
func (p *process) stop() error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return <-p.done
}

// refusesToStart waits until the process ends with an error, and its output has the text.
func (p *process) refusesToStart(says string) {
	p.t.Helper()
	select {
	case err := <-p.done:
		if err == nil || !strings.Contains(p.out.String(), says) {
			p.t.Errorf("it ended with %v\n%s", err, p.out)
		}
	case <-time.After(hallpasstest.Patience):
		p.t.Fatal("the server started")
	}
}

// call sends a request and decodes the answer into out, unless out is nil. With the token
// "" it sends the admin's password. It returns the status, or an error when the answer is
// not complete.
func (p *process) call(client *http.Client, token, method, path, body string, out any) (int, error) {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, p.url+path, in)
	if err != nil {
		return 0, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token == "" {
		r.SetBasicAuth("admin", adminPassword)
	} else {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if out != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			return 0, err
		}
	}
	return res.StatusCode, nil
}
