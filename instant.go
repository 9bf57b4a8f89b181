package hallpass

import "time"

// firstTime and lastTime bound the times that can be told. The wire has years of four
// digits, and no time is the zero time, which means that there is none.
var (
	firstTime = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// WithinTime returns t in UTC, or the nearest time that can be told; the zero time stays.
func WithinTime(t time.Time) time.Time {
	switch t = t.UTC(); {
	case t.IsZero():
		return time.Time{}
	case t.Before(firstTime):
		return firstTime
	case t.After(lastTime):
		return lastTime
	}
	return t
}

// CanBeTold reports whether t is a time between 1971 and 9999 in UTC, as people mean who
// write one: an earlier one is a mistake, and might be read as none at all.
func CanBeTold(t time.Time) bool {
	year := t.UTC().Year()
	return year > 1970 && year <= lastTime.Year()
}
