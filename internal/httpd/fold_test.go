package httpd_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// TestFold has strangers and a known caller cause every kind of line many times. The
// log stays short, has each request of the known caller, and counts each request of
// the strangers.
func TestFold(t *testing.T) {
	var lines strings.Builder
	log := slog.New(slog.NewTextHandler(&lines, nil))
	fold := httpd.NewFold(log)
	type answer struct {
		status int
		err    error
		caller string
	}
	var now answer
	handler := httpd.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpd.EventOf(r.Context()).Caller = now.caller
		if now.status == 0 {
			panic("a fault")
		}
		httpd.EventOf(r.Context()).Err = now.err
		w.WriteHeader(now.status)
	}), httpd.Options{Log: log, Fold: fold})
	call := func(address string) {
		r := httptest.NewRequest("POST", "/"+fmt.Sprint(time.Now().UnixNano()), nil)
		r.RemoteAddr = address
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	count := func(part string) int { return strings.Count(lines.String(), part) }

	refusal := &hallpass.Error{Kind: hallpass.Unauthenticated, ID: "api-key.invalid"}
	for _, status := range []int{0, 303, 400, 401, 403, 404, 405, 413, 415, 429, 431, 503} {
		lines.Reset()
		now = answer{status: status, err: refusal}
		for range 500 {
			call("192.0.2.1:1")
			call("[2001:db8::1]:1")
			call("[2001:db8::ffff]:1") // the same client
		}
		if got := count("msg=request "); got != 2 {
			t.Errorf("%d: %d lines of 1,500 requests from two strangers, want 2", status, got)
		}
		fold.Tell(time.Now().Add(59 * time.Second))
		if got := count("more requests"); got != 0 {
			t.Errorf("%d: %d counts before the minute is over", status, got)
		}
		fold.Tell(time.Now().Add(61 * time.Second))
		if count("count=499") != 1 || count("count=999") != 1 || count("more requests") != 2 {
			t.Errorf("%d: the counts are\n%s", status, &lines)
		}
	}

	lines.Reset()
	now = answer{status: 403, err: refusal, caller: "ana"}
	for range 100 {
		call("192.0.2.1:1")
	}
	if got := count("caller=ana"); got != 100 {
		t.Errorf("%d lines of 100 requests of a known caller", got)
	}
	lines.Reset()
	now.status = 503
	for range 100 {
		call("192.0.2.77:1")
	}
	if got := count("msg=request "); got != 1 {
		t.Errorf("%d lines of 100 requests that could not be answered, want 1", got)
	}

	// Another kind of error is logged at once, and so is another fault.
	lines.Reset()
	now = answer{status: 401, err: errors.New("another")}
	call("192.0.2.1:1")
	if count("msg=request ") != 1 {
		t.Error("another kind of refusal was not told at once")
	}

	// A stranger with very many addresses.
	fold.Tell(time.Time{})
	fold.Tell(time.Time{})
	lines.Reset()
	now = answer{status: 401, err: refusal}
	for i := range 5000 {
		call(fmt.Sprintf("10.1.%d.%d:1", i/250, i%250))
	}
	if got := count("\n"); got > 300 {
		t.Errorf("%d lines of 5,000 addresses", got)
	}
	first := count("msg=request ")
	fold.Tell(time.Time{})
	if got := count("\n"); got > 600 || count(fmt.Sprintf("count=%d ", 5000-first)) != 1 {
		t.Errorf("after the minute there are %d lines, the last ones\n%s", got, lines.String()[max(0, lines.Len()-400):])
	}
}
