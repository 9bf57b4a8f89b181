package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const maxDays = 36500 // a century, which fits 32 bits of seconds

// parseSpan reads a duration in whole seconds, as 30d, 12h or 1d12h; ok is false if the
// text is none. Zero is one.
func parseSpan(s string) (seconds int64, ok bool) {
	rest, days := s, 0
	if before, after, found := strings.Cut(s, "d"); found {
		n, err := strconv.Atoi(before)
		if err != nil || n < 0 || n > maxDays {
			return 0, false
		}
		days, rest = n, after
	}
	d := time.Duration(0)
	if rest != "" || s == "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil || d < 0 || d > maxDays*24*time.Hour {
			return 0, false
		}
	}
	return int64(days)*24*60*60 + int64(d/time.Second), d%time.Second == 0
}

// parseTTL returns a lifetime in seconds. "never" is 0, as in the API.
func parseTTL(s string) (int64, error) {
	if s == "" {
		return 0, errors.New("--ttl is required: the lifetime of the token, such as 30d, 12h or never")
	}
	if s == "never" {
		return 0, nil
	}
	seconds, ok := parseSpan(s)
	if !ok || seconds < 1 {
		return 0, errors.New("--ttl must be a lifetime such as 30d, 12h, 1d12h or never, in whole seconds")
	}
	return seconds, nil
}

// seconds returns the value of a flag that is a duration.
func seconds(flag, s string) (int64, error) {
	n, ok := parseSpan(s)
	if !ok {
		return 0, fmt.Errorf("--%s must be a duration such as 30d, 12h, 15m or 1d12h, in whole seconds", flag)
	}
	return n, nil
}

// days returns the value of a flag that is a duration in whole days.
func days(flag, s string) (int, error) {
	n, ok := parseSpan(s)
	if !ok || n%(24*60*60) != 0 {
		return 0, fmt.Errorf("--%s must be a number of days such as 30d", flag)
	}
	return int(n / (24 * 60 * 60)), nil
}

// given returns the seconds of a flag, nil if the command line does not have it.
func (s *session) given(flag, value string) (*int64, error) {
	if !s.cmd.Flags().Changed(flag) {
		return nil, nil
	}
	n, err := seconds(flag, value)
	return &n, err
}

// spanText returns so many seconds as flags take them: 600 as "10m".
func spanText(n int64) string {
	if n <= 0 {
		return "0s"
	}
	text := ""
	for _, unit := range []struct {
		seconds int64
		letter  string
	}{{24 * 60 * 60, "d"}, {60 * 60, "h"}, {60, "m"}, {1, "s"}} {
		if n >= unit.seconds {
			text += strconv.FormatInt(n/unit.seconds, 10) + unit.letter
			n %= unit.seconds
		}
	}
	return text
}

// relative says roughly how long before or after now something is: "3m ago", "in 30d";
// "never" for nil. An end that is set for 30 days is "in 30d" for an hour.
func relative(at *time.Time, now time.Time) string {
	if at == nil || at.IsZero() {
		return "never"
	}
	d := now.Sub(*at).Abs()
	for _, u := range []struct {
		least, unit, short time.Duration
		letter             string
	}{
		{48 * time.Hour, 24 * time.Hour, time.Hour, "d"}, {time.Hour, time.Hour, time.Minute, "h"},
		{time.Minute, time.Minute, time.Second, "m"}, {time.Second, time.Second, time.Second / 2, "s"},
	} {
		switch {
		case at.After(now) && d+u.short >= u.least:
			return "in " + number(int64((d+u.short)/u.unit)) + u.letter
		case !at.After(now) && d >= u.least:
			return number(int64(d/u.unit)) + u.letter + " ago"
		}
	}
	return "just now"
}
