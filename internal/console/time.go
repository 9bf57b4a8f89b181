package console

import (
	"time"
)

// moment is a time as pages tell it: how far from now, and exactly.
type moment struct{ at, now time.Time }

func (v *visit) moment(at time.Time) moment { return moment{at, v.o.Admin.Now()} }

// Zero reports whether there is no such time.
func (m moment) Zero() bool { return m.at.IsZero() }

// RFC returns the time for programs.
func (m moment) RFC() string { return m.at.UTC().Format(time.RFC3339) }

// Micro returns the time for programs that tell one call from the next.
func (m moment) Micro() string { return m.at.UTC().Format("2006-01-02T15:04:05.000000Z") }

// Day returns the UTC day as a date field has it.
func (m moment) Day() string { return m.at.UTC().Format(time.DateOnly) }

// Exact returns the time to the second, with its zone.
func (m moment) Exact() string { return m.at.UTC().Format("2006-01-02 15:04:05 UTC") }

// Long returns the time spelled out, with weekday and zone.
func (m moment) Long() string { return m.at.UTC().Format("Monday, 2 January 2006, 15:04 UTC") }

// Relative returns how far the time is from now: "4 minutes ago", "in 12 days".
func (m moment) Relative() string {
	d := m.now.Sub(m.at)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	return span(d) + " ago"
}
