package httpd_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestKeepFirstDeadline moves the deadline of a connection on before and after the
// client has sent enough.
func TestKeepFirstDeadline(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent string
		want time.Duration // when the wait for more ends
	}{
		{"nothing", "", 5 * time.Second},
		{"as much as is read to know the protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 5 * time.Second},
		{"more", "GET / HTTP/1.1\r\nHost: x\r\n", 8 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				defer func() { _, _ = a.Close(), b.Close() }() // pipes
				c, err := httpd.KeepFirstDeadline(one{conn: a}).Accept()
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				set := func(d time.Duration) {
					t.Helper()
					if err := c.SetReadDeadline(began.Add(d)); err != nil {
						t.Fatal(err)
					}
				}
				set(5 * time.Second)
				if tt.sent != "" {
					go func() { _, _ = io.WriteString(b, tt.sent) }() // all of it is read
				}
				if _, err := io.ReadFull(c, make([]byte, len(tt.sent))); err != nil {
					t.Fatal(err)
				}
				time.Sleep(3 * time.Second) // in the time of synctest
				set(8 * time.Second)
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != tt.want {
					t.Errorf("the wait ended after %s with %v, want %s", time.Since(began), err, tt.want)
				}
				if err := c.SetReadDeadline(time.Time{}); err != nil { // as for HTTP/2 once it is known
					t.Fatal(err)
				}
				go func() { _, _ = b.Write([]byte("x")) }() // it is read
				time.Sleep(time.Minute)                     // in the time of synctest
				if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
					t.Errorf("without a deadline: %d, %v", n, err)
				}
			})
		})
	}
}

// TestSlowClientIsCut has a server of net/http that takes both protocols, and clients
// that send little: all are cut at the deadline for headers, and not after twice that.
func TestSlowClientIsCut(t *testing.T) {
	for _, sent := range []string{"", "GET", "GET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2.0\r\n\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			conns := make(chan net.Conn, 1)
			conns <- a
			l := accepting{conns}
			protocols := new(http.Protocols)
			protocols.SetHTTP1(true)
			protocols.SetUnencryptedHTTP2(true)
			s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Protocols: protocols, Handler: http.NotFoundHandler()}
			done := make(chan error, 1)
			go func() { done <- s.Serve(httpd.KeepFirstDeadline(httpd.KeepTimers(l))) }()
			began := time.Now()
			if _, err := io.WriteString(b, sent); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, bufio.NewReader(b)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("%q: cut after %s", sent, took)
			}
			close(conns)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			<-done
		})
	}
}

// accepting is a listener of the connections that somebody made.
type accepting struct{ conns chan net.Conn }

// Accept is for net.Listener.
func (l accepting) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

// Close is for net.Listener.
func (accepting) Close() error { return nil }

// Addr is for net.Listener.
func (accepting) Addr() net.Addr { return &net.TCPAddr{} }
