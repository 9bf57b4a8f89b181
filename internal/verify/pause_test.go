package verify_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestPause pauses a token for a minute: it is refused from the next request on, until
// the minute is over by the clock, and neither asks the database.
func TestPause(t *testing.T) {
	db := hallpasstest.OpenStore(t)
	begun := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var now atomic.Int64
	now.Store(begun.UnixMicro())
	clock := func() time.Time { return time.UnixMicro(now.Load()).UTC() }
	n := hallpasstest.NewNode(t, db, node.Options{Now: clock})
	a, v := admin.New(db, admin.Options{Now: clock}), verify.New(db, n, verify.Options{})
	if err := a.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: password}); err != nil {
		t.Fatal(err)
	}
	keepLease(t, n)
	boss, text := firstToken(t, a, v, 0)
	c, err := v.Bearer(t.Context(), text, 0, home)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := a.UpdateToken(t.Context(), boss, c.ServiceAccount(), c.Token, hallpass.TokenPatch{Paused: &yes, PausedFor: time.Minute}); err != nil {
		t.Fatal(err)
	}
	refusal := func() string {
		t.Helper()
		_, err := v.Bearer(t.Context(), text, 0, home)
		var e *hallpass.Error
		if errors.As(err, &e) {
			return e.ID + ": " + e.Message
		}
		return ""
	}
	const paused = "api-key.paused: This API key is paused until 2026-11-23T12:01:00Z"
	if got := refusal(); got != paused {
		t.Errorf("while it is paused: %q, want %q", got, paused)
	}
	misses := v.Stats().Misses
	for _, tt := range []struct {
		at   time.Duration
		want string
	}{{30 * time.Second, paused}, {time.Minute - time.Microsecond, paused}, {time.Minute, ""}, {time.Hour, ""}} {
		now.Store(begun.Add(tt.at).UnixMicro())
		if got := refusal(); got != tt.want {
			t.Errorf("%s after it was paused: %q, want %q", tt.at, got, tt.want)
		}
	}
	if more := v.Stats().Misses - misses; more != 0 {
		t.Errorf("the database was asked %d times", more)
	}
}
