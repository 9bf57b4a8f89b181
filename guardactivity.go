package hallpass

import "time"

// GuardMinutes is how many minutes a GuardActivity goes back.
const GuardMinutes = 60

// A GuardActivity is what one node decided for a guard lately. It is a plain value.
type GuardActivity struct {
	Since   time.Time                 // from when on the node has counted
	Minutes [GuardMinutes]GuardMinute // oldest first; the last one still runs
	Last    GuardMinute               // of the last minute until now; what is older than 55 seconds may be missing
	// Asked says when each door was last asked about the guard, by the door's name, as
	// "nginx" or "built-in". The time is up to five seconds too late.
	Asked map[string]time.Time
}

// A GuardMinute is how many requests a guard decided about in one minute.
type GuardMinute struct{ Allowed, Refused int64 }

// Sum returns how many requests the guard decided about in the last hour.
func (a GuardActivity) Sum() (sum GuardMinute) {
	for _, m := range a.Minutes {
		sum.Allowed, sum.Refused = sum.Allowed+m.Allowed, sum.Refused+m.Refused
	}
	return sum
}
