package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/wire"
)

// terminal opens a pseudo-terminal: what the test writes to keys is typed on screen.
func terminal(t *testing.T) (keys, screen *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = keys.Close() }) // this ends a read that still waits on screen, so screen is not closed here
	var unlock, n int32
	ioctl(t, keys, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	ioctl(t, keys, syscall.TIOCGPTN, unsafe.Pointer(&n))
	if screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return keys, screen
}

func ioctl(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	c, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errno syscall.Errno
	if err := c.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg)) }); err != nil || errno != 0 {
		t.Fatal(err, errno)
	}
}

// echoes waits until the terminal shows, or does not show, what is typed.
func echoes(t *testing.T, screen *os.File, want bool) {
	t.Helper()
	hallpasstest.Eventually(t, fmt.Sprintf("the terminal to show what is typed: %v", want), func() bool {
		var state syscall.Termios
		ioctl(t, screen, syscall.TCGETS, unsafe.Pointer(&state))
		return (state.Lflag&syscall.ECHO != 0) == want
	})
}

func write(t *testing.T, keys *os.File, text string) {
	t.Helper()
	if _, err := keys.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// shown returns what the terminal shows within a short time.
func shown(t *testing.T, keys *os.File) string {
	t.Helper()
	if err := keys.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	b := make([]byte, 1024)
	for {
		n, err := keys.Read(b)
		text.Write(b[:n])
		if err != nil {
			return text.String()
		}
	}
}

// TestTerminalHidesSecrets types a password and a token when the command asks for
// them: the terminal does not show them.
func TestTerminalHidesSecrets(t *testing.T) {
	s := hallpasstest.New(t)
	home(t)
	keys, screen := terminal(t)
	done := make(chan ran, 1)
	start := func(args ...string) {
		go func() { done <- run(t.Context(), screen, args...) }()
		echoes(t, screen, false)
	}
	start("login", s.URL, "--user", "admin")
	write(t, keys, hallpasstest.AdminPassword+"\n")
	if r := <-done; r.err != nil || !strings.HasPrefix(r.errs, "Password: \nLogged in") {
		t.Fatalf("login says %q", r.errs)
	}

	start("user", "create", "ana")
	write(t, keys, "a pass phrase of some length\n")
	echoes(t, screen, false)
	write(t, keys, "a pass phrase of some other length\n")
	if r := <-done; r.err == nil || !strings.Contains(r.errs, "Password: \nRepeat it: \nhallpass: the two entries differ") {
		t.Errorf("user create says %q", r.errs)
	}

	start("login", s.URL)
	write(t, keys, "\n")
	if r := <-done; r.err == nil || !strings.Contains(r.errs, "no token was entered") {
		t.Errorf("login says %q", r.errs)
	}
	if text := shown(t, keys); strings.Contains(text, "lamps") || strings.Contains(text, "phrase") {
		t.Errorf("the terminal shows %q", text)
	}
	echoes(t, screen, true)
}

// TestTerminalAsks types answers: only yes deletes.
func TestTerminalAsks(t *testing.T) {
	deleted := 0
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			deleted++
		}
		answer(t, w, wire.Team{ID: 7, Name: "devs", MemberCount: 3})
	})
	for typed, want := range map[string]int{"y\n": 1, "YES\n": 1, "n\n": 0, "\n": 0, "yep\n": 0, "\x04": 0} {
		keys, screen := terminal(t)
		deleted = 0
		write(t, keys, typed)
		r := run(t.Context(), screen, "team", "delete", "7")
		if !strings.HasPrefix(r.errs, "Delete the team devs (id 7, 3 members)? [y/N] ") || deleted != want || (r.err == nil) != (want == 1) {
			t.Errorf("%q: it says %q and deletes %d times, want %d", typed, r.errs, deleted, want)
		}
	}
}

// TestTerminalInterrupted ends a command that waits for a secret, as Ctrl-C
// does: it ends at once, and the terminal shows again what is typed.
func TestTerminalInterrupted(t *testing.T) {
	home(t)
	_, screen := terminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan ran, 1)
	go func() { done <- run(ctx, screen, "login", "http://127.0.0.1:1") }()
	echoes(t, screen, false)
	cancel()
	select {
	case r := <-done:
		if !errors.Is(r.err, context.Canceled) || !strings.HasSuffix(r.errs, "hallpass: interrupted\n") {
			t.Errorf("it says %q", r.errs)
		}
	case <-time.After(hallpasstest.Patience):
		t.Fatal("it waits on")
	}
	echoes(t, screen, true)
}
