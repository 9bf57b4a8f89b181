package hallpass_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// TestWithinTime has whatever time there is be one that JSON can hold, and keeps those that
// it can.
func TestWithinTime(t *testing.T) {
	west := time.FixedZone("", -14*3600)
	first, last := time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	for _, tt := range []struct {
		name    string
		t, want time.Time
		told    bool
	}{
		{"none", time.Time{}, time.Time{}, false},
		{"none, in another zone", time.Time{}.In(west), time.Time{}, false},
		{"the year 10000 in UTC", time.Date(9999, 12, 31, 23, 59, 59, 0, west), last, false},
		{"the last", last, last, true},
		{"the year 9999 in UTC", time.Date(10000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)), time.Date(9999, 12, 31, 10, 0, 0, 0, time.UTC), true},
		{"the latest of the database", time.UnixMicro(math.MaxInt64), last, false},
		{"the first of the database", time.UnixMicro(math.MinInt64), first, false},
		{"before the first year", time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC), first, false},
		{"where the database counts from", time.Unix(0, 0), time.Unix(0, 0), false},
		{"now", time.Date(2026, 3, 14, 1, 0, 0, 0, west), time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := hallpass.WithinTime(tt.t)
			if !got.Equal(tt.want) || got.IsZero() != tt.t.IsZero() {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Error(err)
			}
			if told := hallpass.CanBeTold(tt.t); told != tt.told {
				t.Errorf("can be told: %v", told)
			}
		})
	}
}
