package test_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// newToken makes an account with a token.
func newToken(t *testing.T, p *process, name string) string {
	t.Helper()
	var account struct{ UID string }
	if status, err := p.call(http.DefaultClient, "", "POST", "/api/serviceaccounts", `{"name":"`+name+`"}`, &account); err != nil || status != http.StatusCreated {
		t.Fatalf("create account: %d, %v", status, err)
	}
	var token struct{ Key string }
	if status, err := p.call(http.DefaultClient, "", "POST", "/api/serviceaccounts/"+account.UID+"/tokens", `{"name":"`+name+`"}`, &token); err != nil || status != http.StatusOK {
		t.Fatalf("create token: %d, %v", status, err)
	}
	return token.Key
}

// TestStop sends SIGTERM to a server under load. First /readyz says that the server is
// stopping; only then does it accept no more requests. No earlier request fails, and the
// server exits with 0 (SEC-45).
func TestStop(t *testing.T) {
	p := serve(t, t.TempDir())
	token := newToken(t, p, "stop")
	var told, failed, answered atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for told.Load() == 0 {
				status, err := p.call(client, token, "GET", "/api/org", "", nil)
				if err != nil || status != http.StatusOK {
					t.Logf("a request answered %d, %v", status, err)
					failed.Add(1)
					return
				}
				answered.Add(1)
			}
		})
	}
	hallpasstest.Eventually(t, "the clients to be answered", func() bool { return answered.Load() >= 80 })
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for told.Load() == 0 {
		res, err := http.Get(p.url + "/readyz")
		if err != nil {
			t.Fatalf("/readyz was gone before it said 503: %v", err)
		}
		_ = res.Body.Close() // nothing was read
		if res.StatusCode == http.StatusServiceUnavailable {
			told.Store(1)
		}
	}
	clients.Wait()
	if err := <-p.done; err != nil {
		t.Errorf("the server ended with %v\n%s", err, p.out)
	}
	if failed.Load() > 0 || answered.Load() == 0 {
		t.Errorf("%d requests answered, %d failed; want some and none", answered.Load(), failed.Load())
	}
}

// TestRestingConnection sends a change on a connection that was idle when the server
// began to stop. The change is answered, and the answer says that the connection ends.
func TestRestingConnection(t *testing.T) {
	p := start(t, t.TempDir(), []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=20s"})
	p.await()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // the server closes it
	if err := conn.SetDeadline(time.Now().Add(hallpasstest.Patience)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	send := func(method, path, body string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("admin", adminPassword)
		r.Header.Set("Content-Type", "application/json")
		if err := r.Write(conn); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := send("GET", "/api/org", ""); res.StatusCode != 200 || res.Close {
		t.Fatalf("%d, closed: %v", res.StatusCode, res.Close)
	}
	p.signal(syscall.SIGTERM)
	hallpasstest.Eventually(t, "the server to say that it stops", func() bool {
		status, err := p.call(quick, "", "GET", "/readyz", "", nil)
		return err == nil && status == 503
	})
	if res := send("POST", "/api/serviceaccounts", `{"name":"late"}`); res.StatusCode != 201 || !res.Close {
		t.Errorf("a change while the server stops: %d, closed: %v", res.StatusCode, res.Close)
	}
	p.kill()
}

// TestOneServer starts a second server on the data directory of the first, and on the
// same database from another data directory. The second server must refuse to start, and
// say why (SEC-42).
func TestOneServer(t *testing.T) {
	data := t.TempDir()
	p := serve(t, data)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(data, "hallpass.db")
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for name, where := range map[string][2]string{
		"the same folder": {data, ""}, "another folder, the same file": {t.TempDir(), file}, "another folder, a link to the file": {t.TempDir(), link},
	} {
		cmd := exec.Command(path, "serve", "--data", where[0], "--listen", "127.0.0.1:0")
		cmd.Env = append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD="+adminPassword, "HALLPASS_DATABASE_PATH="+where[1])
		ended := time.AfterFunc(hallpasstest.Patience, func() { _ = cmd.Process.Kill() }) // it serves
		out, err := cmd.CombinedOutput()
		ended.Stop()
		if err == nil || !strings.Contains(string(out), "in use by another hallpass") {
			t.Errorf("%s: the second server ended with %v and said %s", name, err, out)
		}
	}
	if status, err := p.call(http.DefaultClient, "", "GET", "/api/org", "", nil); err != nil || status != http.StatusOK {
		t.Errorf("the first server answers %d, %v", status, err)
	}
}

// TestSlowConnections opens a thousand connections that never finish their headers. They
// are closed within ten seconds, and other requests are served meanwhile (SEC-43).
func TestSlowConnections(t *testing.T) {
	p := serve(t, t.TempDir())
	token := newToken(t, p, "slow")
	const slow = 1000
	var cut sync.WaitGroup
	var late atomic.Int64
	for range slow {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /api/org HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		cut.Go(func() {
			defer func() { _ = conn.Close() }() // the server should have closed it
			if err := conn.SetReadDeadline(time.Now().Add(hallpasstest.Patience)); err != nil {
				late.Add(1)
				return
			}
			if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
				late.Add(1)
			}
		})
	}
	for range 20 {
		if status, err := p.call(http.DefaultClient, token, "GET", "/api/org", "", nil); err != nil || status != http.StatusOK {
			t.Fatalf("beside slow connections: %d, %v", status, err)
		}
	}
	cut.Wait()
	if late.Load() > 0 {
		t.Errorf("%d of %d slow connections were not cut", late.Load(), slow)
	}
}
