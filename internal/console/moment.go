package console

import (
	"fmt"
	"regexp"
	"strings"
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

// span returns a length of time in its greatest unit. A day that lacks less
// than an hour is a day: what was just given 30 days lasts 30.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d < 365*24*time.Hour:
		return count(int((d+time.Hour)/(24*time.Hour)), "day")
	case d < 2*365*24*time.Hour:
		return count(int(d/(30*24*time.Hour)), "month")
	}
	return count(int(d/(365*24*time.Hour)), "year")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// browsers finds a browser's own name in what all of them say.
var browsers = regexp.MustCompile(`(Edg|OPR|Firefox|Chrome|Version)/([0-9]+)`)

// client returns the short name of a user agent: the first product, or the
// browser.
func client(agent string) string {
	first, _, _ := strings.Cut(agent, " ")
	if first == "" {
		return "a client without a name"
	}
	if !strings.HasPrefix(first, "Mozilla/") {
		return first
	}
	found := ""
	for _, m := range browsers.FindAllStringSubmatch(agent, -1) {
		name := map[string]string{"Edg": "Edge", "OPR": "Opera", "Version": "Safari"}[m[1]]
		if name == "" {
			name = m[1]
		}
		if found == "" || name == "Edge" || name == "Opera" {
			found = name + " " + m[2]
		}
	}
	if found == "" {
		return "a browser"
	}
	return found
}
