package node_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestClockThroughAFreeze has the process stand still in the middle of a
// heartbeat: the database's answer is as old as that, and no clock went back.
func TestClockThroughAFreeze(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	db := begun(t)
	const frozen = time.Minute
	var ahead atomic.Int64 // of the boot clock
	var freeze atomic.Bool // as soon as the time was looked at
	n := hallpasstest.NewNode(t, db, node.Options{MaxStaleness: time.Hour, Boot: func() time.Duration {
		now := store.BootClock() + time.Duration(ahead.Load())
		if freeze.CompareAndSwap(true, false) {
			ahead.Add(int64(frozen))
		}
		return now
	}})
	beat := func() {
		t.Helper()
		if err := n.Heartbeat(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	beat()
	beat()
	before := n.Now()
	freeze.Store(true)
	beat()
	if passed := n.Now().Sub(before); passed < frozen {
		t.Errorf("%s passed by the clock, want at least %s", passed, frozen)
	}
	ahead.Add(int64(2 * time.Second)) // past what a clock that is set by small steps explains
	n.Now()
	if behind := n.ClockBehind(); behind != 0 {
		t.Errorf("the clock is said to have gone back by %s", behind)
	}
}

// TestClockNeverGoesBack winds the outer clock and the boot clock, each by itself:
// the time goes on at the outer clock's pace, and when that jumps back at the boot
// clock's, from the latest time that was told.
func TestClockNeverGoesBack(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	wall, boot := noon, time.Hour
	n := hallpasstest.NewNode(t, hallpasstest.OpenStore(t), node.Options{Now: func() time.Time { return wall }, Boot: func() time.Duration { return boot }})
	for _, step := range []struct {
		name       string
		wall, boot time.Duration // how far each clock goes
		want       time.Duration // after noon
		behind     time.Duration
	}{
		{"at the start", 0, 0, 0, 0},
		{"both clocks go on", time.Minute, time.Minute, time.Minute, 0},
		{"a small step back", -time.Millisecond, 0, time.Minute, 0},
		{"and on again", time.Minute + time.Millisecond, time.Minute, 2 * time.Minute, 0},
		{"a jump back", -time.Hour, 0, 2 * time.Minute, time.Hour},
		{"on after the jump", 30 * time.Second, 30 * time.Second, 150 * time.Second, time.Hour},
		{"set right", time.Hour + time.Second, 0, 151 * time.Second, 0},
		{"a jump forward", time.Hour, 0, time.Hour + 151*time.Second, 0},
		{"and back", -time.Hour, 0, time.Hour + 151*time.Second, time.Hour},
	} {
		wall, boot = wall.Add(step.wall), boot+step.boot
		if got := n.Now().Sub(noon); got != step.want {
			t.Errorf("%s: %s after noon, want %s", step.name, got, step.want)
		}
		if got := n.ClockBehind(); got != step.behind {
			t.Errorf("%s: behind by %s, want %s", step.name, got, step.behind)
		}
	}
	n.NotBefore(n.Now().Add(time.Minute))
	if got, want := n.Now().Sub(noon), time.Hour+211*time.Second; got != want {
		t.Errorf("not before a minute later: %s after noon, want %s", got, want)
	}
}
