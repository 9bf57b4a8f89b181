package httpd

import (
	"net"
	"sync/atomic"
	"time"
)

// http2Preface is how many bytes a client of HTTP/2 sends before its first frame.
const http2Preface = len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

// KeepFirstDeadline returns a listener for a server of net/http that takes HTTP/2
// without TLS beside HTTP/1. A later deadline does not replace the one that a
// connection was given first for reading, until the client has sent more than that
// server reads to know the protocol.
//
// The server waits for these bytes under the deadline for the headers of the first
// request, and then sets that deadline anew. A client that sends nothing would be cut
// after twice the time.
func KeepFirstDeadline(l net.Listener) net.Listener { return prefacedListener{l} }

type prefacedListener struct{ net.Listener }

// Accept is for net.Listener.
func (l prefacedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &prefacedConn{Conn: c}, nil
}

// prefacedConn is a connection of KeepFirstDeadline.
type prefacedConn struct {
	net.Conn
	read  int         // bytes, until begun; belongs to whoever reads
	begun atomic.Bool // more was read than the preface
	first time.Time   // the deadline that holds until then; belongs to whoever accepted, until begun
}

// Read is for net.Conn.
func (c *prefacedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.begun.Load() {
		if c.read += n; c.read > http2Preface {
			c.begun.Store(true)
		}
	}
	return n, err
}

// SetReadDeadline is for net.Conn. The server calls it from one goroutine until the
// first request is read.
func (c *prefacedConn) SetReadDeadline(t time.Time) error {
	if !c.begun.Load() && !t.IsZero() {
		if !c.first.IsZero() && t.After(c.first) {
			return nil
		}
		c.first = t
	}
	return c.Conn.SetReadDeadline(t)
}

// CloseWrite ends what is sent, if the connection can.
func (c *prefacedConn) CloseWrite() error { return closeWrite(c.Conn) }
