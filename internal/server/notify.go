package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// A supervisor is what started this process and watches it, such as systemd
// (sd_notify(3), sd_watchdog_enabled(3)). The zero value stands for none. It is safe for
// concurrent use.
type supervisor struct {
	socket   string        // where it is told; "": it asked for nothing
	watchdog time.Duration // how long it hears nothing before it ends this process; 0: for ever
}

// newSupervisor reads what the environment tells of the supervisor.
func newSupervisor() supervisor {
	v := supervisor{socket: os.Getenv("NOTIFY_SOCKET")}
	if pid := os.Getenv("WATCHDOG_PID"); v.socket == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return v
	}
	if us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		v.watchdog = time.Duration(us) * time.Microsecond
	}
	return v
}

// tell sends the states, as "READY=1".
func (v supervisor) tell(states ...string) error {
	if v.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: v.socket, Net: "unixgram"}) // a name that begins with @ is abstract, as there
	if err != nil {
		return fmt.Errorf("notify the supervisor: %w", err)
	}
	_, err = conn.Write([]byte(strings.Join(states, "\n")))
	return errors.Join(err, conn.Close())
}

// notify tells the supervisor, and logs when that fails: the supervisor may end the
// process for it.
func (s *Server) notify(states ...string) {
	if err := s.supervisor.tell(states...); err != nil {
		s.log.Warn("the supervisor of NOTIFY_SOCKET cannot be told what this server does, and may end it", "states", strings.Join(states, " "), "error", err)
	}
}

// Reloading tells the supervisor that the settings are read again, until the returned
// function is called.
func (s *Server) Reloading() (done func()) {
	s.notify("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonicMicros(), 10))
	return func() { s.notify("READY=1") }
}

// errUnhealthy ends a run of the watchdog's job without a word to the supervisor.
var errUnhealthy = errors.New("the server does not answer /healthz itself")

// tellAlive tells the supervisor that this server is healthy, if it is: a request to
// /healthz is answered, through all that requests go through. A database that is away
// is no reason to end the process, which may still verify from memory.
func (s *Server) tellAlive(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/healthz", nil)
	if err != nil {
		return err
	}
	r.RemoteAddr = "127.0.0.1:0"
	var w statusOf
	s.handler.ServeHTTP(&w, r)
	if w.status != http.StatusOK {
		return errUnhealthy
	}
	return s.supervisor.tell("WATCHDOG=1")
}

// statusOf is the status of an answer that nobody reads.
type statusOf struct {
	header http.Header
	status int
}

// Header is for http.ResponseWriter.
func (w *statusOf) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// Write is for http.ResponseWriter.
func (w *statusOf) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return len(b), nil
}

// WriteHeader is for http.ResponseWriter.
func (w *statusOf) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
