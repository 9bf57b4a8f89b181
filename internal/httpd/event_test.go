package httpd_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// lines gathers a server's log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func serve(t *testing.T, h http.HandlerFunc) (url string, log *lines, stop func()) {
	t.Helper()
	log = &lines{}
	s := httptest.NewServer(httpd.Handler(h, httpd.Options{Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	t.Cleanup(s.Close)
	return s.URL, log, s.Close
}

// TestLogHasNoToken puts a token where people put them by mistake.
func TestLogHasNoToken(t *testing.T) {
	url, log, stop := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	token := secret.NewToken().Reveal()
	for _, path := range []string{"/api/" + token, "/" + token + "/x", "/api?token=" + token, "/api/x" + token + token} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	stop()
	if got := log.String(); strings.Contains(got, token[5:]) || strings.Count(got, `"path":"/`) != 4 {
		t.Errorf("the log is %s", got)
	}
}

// TestBrokenOff panics in the middle of an answer: the client must not take
// what it has for the whole.
func TestBrokenOff(t *testing.T) {
	url, log, stop := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "the first half") // what matters is what the client reads
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic("no second half")
	})
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r.Body); err == nil {
		t.Errorf("the client read %q as a whole answer", b)
	}
	_ = r.Body.Close() // it failed above
	stop()
	if !strings.Contains(log.String(), "panic: no second half") {
		t.Errorf("the log is %s", log)
	}
}

// TestStatusOfSilence logs what a handler that says nothing is answered with.
func TestStatusOfSilence(t *testing.T) {
	url, log, stop := serve(t, func(http.ResponseWriter, *http.Request) {})
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		t.Error(err)
	}
	stop()
	var line struct{ Status int }
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil || line.Status != r.StatusCode {
		t.Errorf("logged %d, %v; answered %d", line.Status, err, r.StatusCode)
	}
}

// TestForeignAnswer passes on another server's failure, after an interim answer: the log
// has the status of the answer, and not as our fault.
func TestForeignAnswer(t *testing.T) {
	url, log, stop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		httpd.EventOf(r.Context()).Foreign = r.URL.Path == "/foreign"
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusInternalServerError)
	})
	for _, path := range []string{"/foreign", "/ours"} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	stop()
	got := log.String()
	if strings.Count(got, `"status":500`) != 2 || strings.Count(got, `"level":"ERROR"`) != 1 || strings.Count(got, `"level":"INFO"`) != 1 {
		t.Errorf("the log is %s", got)
	}
}
