package console

import (
	"time"
)

// timestamp is a time as pages tell it: how far from now, and exactly.
type timestamp struct{ at, now time.Time }

func (req *request) timestamp(at time.Time) timestamp { return timestamp{at, req.o.Admin.Now()} }

// Zero reports whether there is no such time.
func (m timestamp) Zero() bool { return m.at.IsZero() }

// RFC returns the time for programs.
func (m timestamp) RFC() string { return m.at.UTC().Format(time.RFC3339) }

// Micro returns the time for programs that tell one call from the next.
func (m timestamp) Micro() string { return m.at.UTC().Format("2006-01-02T15:04:05.000000Z") }

// Day returns the UTC day as a date field has it.
func (m timestamp) Day() string { return m.at.UTC().Format(time.DateOnly) }

// Exact returns the time to the second, with its zone.
func (m timestamp) Exact() string { return m.at.UTC().Format("2006-01-02 15:04:05 UTC") }

// Long returns the time spelled out, with weekday and zone.
func (m timestamp) Long() string { return m.at.UTC().Format("Monday, 2 January 2006, 15:04 UTC") }

// Relative returns how far the time is from now: "4 minutes ago", "in 12 days".
func (m timestamp) Relative() string {
	d := m.now.Sub(m.at)
	if d < 0 {
		return "in " + roughly(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	return roughly(d) + " ago"
}
