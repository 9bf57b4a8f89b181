package httpd

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// KeepTimers returns a listener whose connections keep every deadline that they are
// given and seldom set a timer for it.
//
// net/http moves the deadlines of a connection eight times in a request, and nearly
// always to a later time. A timer that is set for an earlier time is then left as
// it is. If it ever goes off, whoever waits sets it for the deadline and waits on.
// So no wait ends before its deadline or after it.
func KeepTimers(l net.Listener) net.Listener { return timedListener{l} }

type timedListener struct{ net.Listener }

// Accept is for net.Listener.
func (l timedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newTimedConn(c), nil
}

// timedConn is a connection of KeepTimers.
type timedConn struct {
	net.Conn
	read, write deadline
}

func newTimedConn(c net.Conn) *timedConn {
	return &timedConn{Conn: c, read: deadline{conn: c}, write: deadline{conn: c, write: true}}
}

// Read is for net.Conn.
func (c *timedConn) Read(p []byte) (int, error) {
	for c.read.begin(); ; {
		n, err := c.Conn.Read(p)
		if n > 0 || err == nil || !c.read.waitOn(err) {
			return n, err
		}
	}
}

// Write is for net.Conn.
func (c *timedConn) Write(p []byte) (int, error) {
	written := 0
	for c.write.begin(); ; {
		n, err := c.Conn.Write(p[written:])
		if written += n; err == nil || !c.write.waitOn(err) {
			return written, err
		}
	}
}

// SetDeadline is for net.Conn.
func (c *timedConn) SetDeadline(t time.Time) error {
	return errors.Join(c.read.set(t), c.write.set(t))
}

// SetReadDeadline is for net.Conn.
func (c *timedConn) SetReadDeadline(t time.Time) error { return c.read.set(t) }

// SetWriteDeadline is for net.Conn.
func (c *timedConn) SetWriteDeadline(t time.Time) error { return c.write.set(t) }

// CloseWrite ends what is sent, if the connection can: net/http does so before it
// closes one whose request it did not read to its end.
func (c *timedConn) CloseWrite() error { return closeWrite(c.Conn) }

// closeWrite ends what is sent on a connection that can be half closed.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// deadline is one direction's of a connection. It is safe for concurrent use: a
// deadline may move while somebody waits.
type deadline struct {
	conn  net.Conn
	write bool        // else it is the deadline for reading
	cut   atomic.Bool // the timer is set for long ago: every wait ends at once

	mu    sync.Mutex
	at    time.Time // zero: none
	timed time.Time // what the timer is set for, zero: nothing. It may have gone off
}

// set moves the deadline. A timer that goes off no later than that is left.
func (d *deadline) set(t time.Time) error {
	d.mu.Lock()
	d.at = t
	if t.IsZero() || !d.timed.IsZero() && !t.Before(d.timed) {
		d.mu.Unlock()
		return nil
	}
	err := d.setTimer(t)
	d.mu.Unlock()
	return err
}

// setTimer sets the timer. The caller holds mu.
func (d *deadline) setTimer(t time.Time) error {
	d.timed = t
	d.cut.Store(!t.IsZero() && t.Before(longAgo))
	if d.write {
		return d.conn.SetWriteDeadline(t)
	}
	return d.conn.SetReadDeadline(t)
}

// longAgo is a time that no deadline was ever meant to be kept at. That a deadline
// is earlier is seen without a look at the clock.
var longAgo = time.Now()

// untilMoved is for how long the timer is set after a cut: a little less than any
// time-out of a server, so that the deadlines that follow are later.
const untilMoved = 4 * time.Second

// begin readies a wait. net/http cuts a wait short at the end of each request, and
// takes the deadline back; the timer is then still set for long ago.
func (d *deadline) begin() {
	if !d.cut.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if soon := now.Add(untilMoved); d.at.IsZero() || d.at.After(soon) {
		_ = d.setTimer(soon) // fails where the connection is closed, as the wait then does
	} else if d.at.After(now) {
		_ = d.setTimer(d.at) // as above
	}
}

// waitOn reports whether a wait that ended with err is to begin again: the timer
// went off before the deadline, and is set for that now.
func (d *deadline) waitOn(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.at.IsZero() && time.Until(d.at) <= 0 {
		return false
	}
	return d.setTimer(d.at) == nil
}
