package guard_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/node"
)

// TestActivity asks about a guard through two doors over more than an hour: each minute
// is counted once, whether its counts were taken for the database or not, and is
// forgotten after the hour.
func TestActivity(t *testing.T) {
	began := time.Now().UTC().Truncate(time.Hour)
	now := began
	d, db, key := deciderWith(t, node.Options{Now: func() time.Time { return now }})
	id := newGuard(t, db, app)
	ask := func(door, target string, n int) {
		for range n {
			d.Decide(t.Context(), guard.Check{Door: door, Guard: "app", Method: "GET", Target: target, Authorization: []string{"Bearer " + key}})
		}
	}
	expect := func(when string, want map[int]hallpass.GuardMinute) {
		t.Helper()
		for _, taken := range []string{"", ", taken"} {
			a := d.Activity(id)
			for ago := range hallpass.GuardMinutes {
				if got := a.Minutes[hallpass.GuardMinutes-1-ago]; got != want[ago] {
					t.Errorf("%s%s, %d minutes ago: %+v, want %+v", when, taken, ago, got, want[ago])
				}
			}
			d.Usage()
		}
	}
	expect("before", nil)
	ask("nginx", "/api/x", 3)
	ask("envoy", "/admin/x", 2)
	expect("at first", map[int]hallpass.GuardMinute{0: {Allowed: 3, Refused: 2}})
	now = began.Add(59 * time.Minute)
	ask("envoy", "/api/x", 1)
	expect("59 minutes later", map[int]hallpass.GuardMinute{59: {Allowed: 3, Refused: 2}, 0: {Allowed: 1}})
	ask("built-in", "/api/x", 1)
	expect("through another door", map[int]hallpass.GuardMinute{59: {Allowed: 3, Refused: 2}, 0: {Allowed: 2}})
	a := d.Activity(id)
	if sum := a.Sum(); sum != (hallpass.GuardMinute{Allowed: 5, Refused: 2}) || !a.Since.Equal(began) {
		t.Errorf("the sum is %+v since %s", sum, a.Since)
	}
	for door, at := range map[string]time.Duration{"nginx": 0, "envoy": 59 * time.Minute, "built-in": 59 * time.Minute} {
		if got := a.Asked[door]; !got.Equal(began.Add(at)) {
			t.Errorf("%s asked at %s, want %s later than the start", door, got, at)
		}
	}
	for _, later := range []int64{0, 50, 60} {
		now = began.Add(59*time.Minute + time.Duration(later)*time.Second)
		want := hallpass.GuardMinute{Allowed: 2}
		if later == 60 {
			want = hallpass.GuardMinute{}
		}
		if a := d.Activity(id); a.Last != want {
			t.Errorf("%d seconds later, in the last minute: %+v, want %+v", later, a.Last, want)
		}
	}
	now = began.Add(60 * time.Minute)
	expect("an hour later", map[int]hallpass.GuardMinute{1: {Allowed: 2}})
	now = began.Add(500 * time.Minute)
	expect("long after", nil)
	if other := d.Activity(id + 1); other.Sum() != (hallpass.GuardMinute{}) || len(other.Asked) > 0 {
		t.Errorf("another guard: %+v", other)
	}
	if len(d.Activity(id).Asked) != 3 {
		t.Error("it is forgotten who asked")
	}
}
