package test_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// sqlite opens the database file of a running server.
func sqlite(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestChangedByHand has another process revoke a token in the database file. Within a
// second the server refuses the token. The server does not take its own writes for writes
// of others.
func TestChangedByHand(t *testing.T) {
	data := t.TempDir()
	p := serve(t, data)
	c := p.mint()
	other := p.mint()
	if status := p.use(c.key); status != 200 {
		t.Fatal(status)
	}
	p.end(0, other)
	time.Sleep(time.Second) // meanwhile it must not report a write of others
	if strings.Contains(p.out.String(), "another process changed the database file") {
		t.Errorf("the server takes its own changes for another's\n%s", p.out)
	}
	if status := p.use(c.key); status != 200 {
		t.Fatal(status)
	}
	if _, err := sqlite(t, filepath.Join(data, "hallpass.db")).Exec("UPDATE tokens SET revoked_us = 1 WHERE id = $1", c.token); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	hallpasstest.Eventually(t, "the server to refuse what another process revoked", func() bool { return p.use(c.key) != 200 })
	t.Logf("refused after %s", time.Since(changed))
	hallpasstest.Eventually(t, "the log to tell", func() bool { return strings.Contains(p.out.String(), "another process changed the database file") })
}

// small mounts a file system of that size in bytes and returns its folder.
func small(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		t.Skipf("a small file system cannot be mounted here, which root may: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the file system of dir is full, and returns its path.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "fill")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDiskFull fills the disk under the database. Tokens are still verified, nothing new
// is created, and revocations take effect and stay. When there is room again, everything
// works as before (SEC-41).
func TestDiskFull(t *testing.T) {
	data := small(t, 48<<20)
	p := serve(t, data)
	kept := p.mint()
	var gone []credential
	for range rounds(t, "HALLPASS_TEST_FULL_REVOCATIONS", 2*len(ends)) {
		gone = append(gone, p.mint())
	}
	for _, c := range append(gone, kept) {
		if status := p.use(c.key); status != 200 {
			t.Fatal(status)
		}
	}
	filled := fill(t, data)
	var refused bool
	for i := 0; i < 50 && !refused; i++ { // the database files have some free pages
		status, err := p.call(quick, "", "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"full-%d"}`, i), nil)
		if err != nil || status != 201 && status != 503 && status != 507 {
			t.Fatalf("create on a full disk: %d, %v\n%s", status, err, p.out)
		}
		refused = status != 201
	}
	if !refused {
		t.Fatal("the disk was not full")
	}
	for i, c := range gone {
		p.end(i, c)
		if status := p.use(c.key); status == 200 {
			t.Errorf("ended in the way %d on a full disk, and answered 200", i)
		}
		if status := p.use(kept.key); status != 200 {
			t.Errorf("a good token on a full disk: %d", status)
		}
		if status, err := p.call(quick, "", "POST", "/api/serviceaccounts", `{"name":"still full"}`, nil); err != nil || status != 503 && status != 507 {
			t.Errorf("create on a disk that is still full: %d, %v", status, err)
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		if status, err := p.call(quick, "", "GET", path, "", nil); err != nil || status != want {
			t.Errorf("%s on a full disk: %d, %v, want %d", path, status, err, want)
		}
	}
	right := func(when string) {
		t.Helper()
		if status := p.use(kept.key); status != 200 {
			t.Errorf("%s: a good token is answered with %d", when, status)
		}
		for i, c := range gone { // a refusal that must be recorded first, and cannot be, is a 503
			if status := p.use(c.key); status != 401 && status != 403 && status != 503 {
				t.Errorf("%s: ended in the way %d, and answered %d", when, i, status)
			}
		}
	}
	right("on a full disk")
	p.kill()
	p = serve(t, data)
	right("killed and started on a full disk")
	if err := os.Remove(filled); err != nil {
		t.Fatal(err)
	}
	hallpasstest.Eventually(t, "something to be made with room again", func() bool {
		status, err := p.call(quick, "", "POST", "/api/serviceaccounts", `{"name":"room again"}`, nil)
		return err == nil && status == 201
	})
	p.end(0, p.mint())
	right("with room again")
	p.right(kept, gone...)
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v\n%s", err, p.out)
	}
	// The disk is full before the server starts.
	fill(t, data)
	p = serve(t, data)
	right("started on a full disk")
	p.end(0, kept)
	if status := p.use(kept.key); status != 401 {
		t.Errorf("ended on a disk that was full at the start: %d", status)
	}
	if strings.Contains(p.out.String(), "another process changed the database file") {
		t.Errorf("the server takes its own changes for another's\n%s", p.out)
	}
}

// TestLocked has another process lock the database. Changes are answered in time with 503
// and Retry-After, and change nothing. Tokens are still verified, those in memory and
// others. When the lock is gone everything works again (SEC-42).
func TestLocked(t *testing.T) {
	data := t.TempDir()
	p := serve(t, data)
	known, unknown := p.mint(), p.mint()
	if status := p.use(known.key); status != 200 {
		t.Fatal(status)
	}
	other := sqlite(t, filepath.Join(data, "hallpass.db"))
	if _, err := other.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			method, path, body := "POST", "/api/serviceaccounts", `{"name":"half written"}`
			if i%2 == 1 {
				method, path, body = ends[0](known)
			}
			r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			r.SetBasicAuth("admin", adminPassword)
			began := time.Now()
			res, err := quick.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()                                                                                                  // nothing was read
			if took := time.Since(began); res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || took > 15*time.Second { // six are promised; the machine may be busy
				t.Errorf("%s beside a locked database: %d after %s, Retry-After %q", method, res.StatusCode, took, res.Header.Get("Retry-After"))
			}
		})
	}
	for _, c := range []credential{known, unknown, known} {
		if status := p.use(c.key); status != 200 {
			t.Errorf("a good token beside a locked database: %d", status)
		}
	}
	writers.Wait()
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if status := p.use(known.key); status != 200 {
		t.Errorf("a revocation that was refused changed something: %d", status)
	}
	p.must(201, "POST", "/api/serviceaccounts", `{"name":"half written"}`, nil)
	p.end(0, known)
	if status := p.use(known.key); status != 401 {
		t.Errorf("ended, and answered %d", status)
	}
}
