package console

import (
	"fmt"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// timestamp is a time as pages show it, by one rule:
//   - a time that stands by itself is relative to now, with the exact one in its title (the
//     part "time");
//   - in a sentence what is over is relative to now, and what lies ahead is a date
//     (timestamp.Date), because somebody plans by it;
//   - a duration is told in its largest unit (roughly).
//
// All are of UTC. The script adds the reader's zone to the titles.
type timestamp struct{ at, now time.Time }

func (req *request) timestamp(at time.Time) timestamp { return timestamp{at, req.o.Admin.Now()} }

// Zero reports whether the time is not set.
func (m timestamp) Zero() bool { return m.at.IsZero() }

// RFC returns the time for programs.
func (m timestamp) RFC() string { return m.at.UTC().Format(time.RFC3339) }

// Micro returns the time in microseconds, which tells one use from the next.
func (m timestamp) Micro() string { return m.at.UTC().Format("2006-01-02T15:04:05.000000Z") }

// Day returns the UTC day as a date field has it.
func (m timestamp) Day() string { return m.at.UTC().Format(time.DateOnly) }

// Exact returns the time to the second, with its zone, as titles have it.
func (m timestamp) Exact() string { return m.at.UTC().Format("2006-01-02 15:04:05 UTC") }

// Date returns the time to the minute, with weekday and zone, as sentences have it: "Wed 24
// Feb 2027, 09:42 UTC". The script writes dates in the same way.
func (m timestamp) Date() string { return m.at.UTC().Format("Mon 2 Jan 2006, 15:04 UTC") }

// Clock returns the time of the day, and the day too unless it is today.
func (m timestamp) Clock() string {
	if m.at.UTC().Format(time.DateOnly) == m.now.UTC().Format(time.DateOnly) {
		return m.at.UTC().Format("15:04 UTC")
	}
	return m.at.UTC().Format("2006-01-02 15:04 UTC")
}

// Relative returns the distance from now: "4 minutes ago", "in 12 days".
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

// roughly returns a duration in its largest unit. A day that is short of less than an
// hour is a day, so that a token that was just created for 30 days shows 30 days.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return hallpass.Counted(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return hallpass.Counted(int(d/time.Hour), "hour")
	case d < 365*24*time.Hour:
		return hallpass.Counted(int((d+time.Hour)/(24*time.Hour)), "day")
	case d < 2*365*24*time.Hour:
		return hallpass.Counted(int(d/(30*24*time.Hour)), "month")
	}
	return hallpass.Counted(int(d/(365*24*time.Hour)), "year")
}

// secondsText returns a number of seconds in words.
func secondsText(seconds int64) string {
	for _, unit := range []struct {
		seconds int64
		noun    string
	}{{daySeconds, "day"}, {60 * 60, "hour"}, {60, "minute"}} {
		if seconds%unit.seconds == 0 {
			return hallpass.Counted(int(seconds/unit.seconds), unit.noun)
		}
	}
	return hallpass.Counted(int(seconds), "second")
}

// durationText returns a short duration in milliseconds or seconds.
func durationText(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
