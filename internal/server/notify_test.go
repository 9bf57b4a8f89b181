package server_test

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// supervised sets the environment as systemd does, and returns what reads the next thing
// that it is told, "" if there is nothing yet.
func supervised(t *testing.T) (told func() string) {
	t.Helper()
	path := socketPath(t)
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test is over
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		if err := l.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1<<10)
		n, _ := l.Read(b) // an error is that nothing came
		return string(b[:n])
	}
}

// TestSupervisorIsTold looks at what a supervisor hears of a server: that it serves, that
// it is alive, that it reads its settings again, and that it stops.
func TestSupervisorIsTold(t *testing.T) {
	told := supervised(t)
	t.Setenv("WATCHDOG_USEC", "90000")
	s := hallpasstest.New(t)
	hears := func(want string) {
		t.Helper()
		hallpasstest.Eventually(t, "the supervisor to hear "+want, func() bool { return strings.HasPrefix(told(), want) })
	}
	hears("READY=1")
	hears("WATCHDOG=1")
	hears("WATCHDOG=1")
	done := s.Reloading()
	hears("RELOADING=1\nMONOTONIC_USEC=")
	done()
	hears("READY=1")
	s.Restart()
	hears("STOPPING=1")
	hears("READY=1")
}

// TestWatchdogNeedsHealth has a server that does not answer tell its supervisor nothing.
func TestWatchdogNeedsHealth(t *testing.T) {
	told := supervised(t)
	c := server.DefaultConfig()
	c.DataDir = t.TempDir()
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // it never served
	if err := s.TellAlive(t.Context()); err != nil || told() != "WATCHDOG=1" {
		t.Errorf("of a healthy server it does not hear: %v", err)
	}
	s.AnswerWith(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	if err := s.TellAlive(t.Context()); err == nil || !strings.Contains(err.Error(), "/healthz") {
		t.Errorf("the error is %v", err)
	}
	if got := told(); got != "" {
		t.Errorf("it hears %q of a server that does not answer", got)
	}
}

// TestSupervisorIsAway starts a server whose supervisor cannot be told: it serves, and
// the log warns.
func TestSupervisorIsAway(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/nosuch/notify")
	s := hallpasstest.New(t)
	hallpasstest.Eventually(t, "a warning", func() bool { return strings.Contains(s.Log(), "the supervisor of NOTIFY_SOCKET cannot be told") })
	if r := s.Do(hallpasstest.Admin, "GET", "/api/org", ""); r.StatusCode != 200 {
		t.Errorf("it answers %d", r.StatusCode)
	}
}
