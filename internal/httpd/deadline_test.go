package httpd_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// one is a listener with one connection.
type one struct {
	net.Listener
	conn net.Conn
}

func (o one) Accept() (net.Conn, error) { return o.conn, nil }

// timed returns both ends of a pipe; the first keeps its timers.
func timed(t *testing.T) (ours, theirs net.Conn, timers *atomic.Int64) {
	t.Helper()
	a, b := net.Pipe()
	c := &counted{Conn: a}
	ours, err := httpd.KeepTimers(one{conn: c}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	return ours, b, &c.timers
}

// counted counts how often a timer is set.
type counted struct {
	net.Conn
	timers atomic.Int64
}

// SetReadDeadline is for net.Conn.
func (c *counted) SetReadDeadline(t time.Time) error {
	c.timers.Add(1)
	return c.Conn.SetReadDeadline(t)
}

// TestDeadlines gives a connection and one that keeps its timers the same
// deadlines, before and during waits: both must end each wait at the same time.
func TestDeadlines(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			plain, far := net.Pipe()
			ours, theirs, _ := timed(t)
			defer func() { _, _, _, _ = plain.Close(), far.Close(), ours.Close(), theirs.Close() }() // pipes
			begun := time.Now()
			for step := range 20 {
				before, during := after(random), after(random)
				const pause = 700 * time.Millisecond
				var ended [2]time.Duration
				done := make(chan struct{})
				for i, c := range []net.Conn{plain, ours} {
					set, wait := c.SetReadDeadline, c.Read
					if step%2 == 1 {
						set, wait = c.SetWriteDeadline, c.Write
					}
					if err := set(before); err != nil {
						t.Error(err)
					}
					go func() {
						if n, err := wait([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Errorf("%d, %v", n, err)
						}
						ended[i] = time.Since(begun)
						done <- struct{}{}
					}()
					go func() {
						time.Sleep(pause)
						if err := set(during); err != nil {
							t.Error(err)
						}
						time.Sleep(time.Minute)
						if err := set(time.Now()); err != nil { // whoever waits still
							t.Error(err)
						}
						done <- struct{}{}
					}()
				}
				for range 4 {
					<-done
				}
				if ended[0] != ended[1] {
					t.Fatalf("seed %d, step %d: a wait ended at %s, want %s", seed, step, ended[1], ended[0])
				}
			}
		})
	}
}

// after returns a deadline: none, one that was over long ago, or some seconds from
// now.
func after(random *rand.Rand) time.Time {
	switch n := random.IntN(12); n {
	case 0, 1:
		return time.Time{}
	case 2:
		return time.Unix(1, 0)
	default:
		return time.Now().Add(time.Duration(n*n) * 100 * time.Millisecond)
	}
}

// TestDeadlinesMeet has data come after a timer went off too early, and in the
// middle of a Write.
func TestDeadlinesMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs, _ := timed(t)
		defer func() { _, _ = ours.Close(), theirs.Close() }() // pipes
		for _, seconds := range []time.Duration{5, 90} {       // the timer stays at 5
			if err := ours.SetDeadline(time.Now().Add(seconds * time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			time.Sleep(20 * time.Second)
			_, _ = theirs.Write([]byte("late")) // the reader says it
			got := make([]byte, 3)
			for range 2 {
				time.Sleep(20 * time.Second)
				_, _ = io.ReadFull(theirs, got) // as above
			}
		}()
		got := make([]byte, 10)
		if n, err := ours.Read(got); string(got[:n]) != "late" || err != nil {
			t.Errorf("%q, %v", got[:n], err)
		}
		if n, err := ours.Write([]byte("answer")); n != 6 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// TestTimersOfARequest counts how often the timer for reading is set in a thousand
// requests on one connection: net/http cuts its own wait for the client's end
// short in each, and the next wait sets the timer anew.
func TestTimersOfARequest(t *testing.T) {
	ours, theirs, timers := timed(t)
	s := &http.Server{
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 9 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 90 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
	}
	ready := make(chan net.Conn, 1)
	ready <- ours
	l := &queue{conns: ready, closed: make(chan struct{})}
	go func() { _ = s.Serve(l) }() // until it is closed
	defer func() { _ = s.Close() }()
	const requests = 1000
	answer := make([]byte, 1024)
	for range requests {
		if _, err := io.WriteString(theirs, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		n, err := theirs.Read(answer)
		if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 204") {
			t.Fatalf("%q, %v", answer[:n], err)
		}
	}
	if n := timers.Load(); n > 2*requests+10 {
		t.Errorf("the timer was set %d times in %d requests", n, requests)
	}
}

// queue is a listener of connections that are there already.
type queue struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}
func (q *queue) Close() error   { close(q.closed); return nil }
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowClients has clients that stop in the middle of the headers, of the body
// and of reading the answer, on a connection that was used before: each is cut off
// at its deadline.
func TestSlowClients(t *testing.T) {
	const earlier = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, tt := range map[string]struct {
		sends string
		after time.Duration
	}{
		"headers": {"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 5 * time.Second},
		"a body":  {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", 9 * time.Second},
		"reading": {"GET /long HTTP/1.1\r\nHost: x\r\n\r\n", 30 * time.Second},
		"idle":    {"", 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs, _ := timed(t)
				closed := make(chan time.Time, 1)
				conns := make(chan net.Conn, 1)
				conns <- told{ours, sync.OnceFunc(func() { closed <- time.Now() })}
				s := &http.Server{
					ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 9 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 90 * time.Second,
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if _, err := io.Copy(io.Discard, r.Body); err != nil {
							panic(http.ErrAbortHandler)
						}
						if r.URL.Path == "/long" {
							_, _ = w.Write(make([]byte, 1<<20)) // the client does not read it
						}
					}),
				}
				go func() { _ = s.Serve(&queue{conns: conns, closed: make(chan struct{})}) }() // until it is closed
				defer func() { _ = s.Close() }()
				for range 3 {
					if _, err := io.WriteString(theirs, earlier); err != nil {
						t.Fatal(err)
					}
					if n, err := theirs.Read(make([]byte, 1024)); n == 0 || err != nil {
						t.Fatalf("%d, %v", n, err)
					}
					time.Sleep(3 * time.Second)
				}
				from := time.Now()
				if tt.sends == "" {
					from = from.Add(-3 * time.Second) // it is idle since its answer
				}
				_, _ = io.WriteString(theirs, tt.sends) // nobody reads the rest of it
				if elapsed := (<-closed).Sub(from); elapsed != tt.after {
					t.Errorf("cut off after %s, want %s", elapsed, tt.after)
				}
			})
		})
	}
}

// told tells when it is closed, once.
type told struct {
	net.Conn
	close func()
}

func (c told) Close() error { c.close(); return c.Conn.Close() }
