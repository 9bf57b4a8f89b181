package hallpass_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

func TestSessionLive(t *testing.T) {
	const us, idle = time.Microsecond, time.Hour
	for _, tt := range []struct {
		name          string
		expires, seen time.Time
		want          bool
	}{
		{"in use", noon.Add(idle), noon, true},
		{"expires in a moment", noon.Add(us), noon, true},
		{"expires now", noon, noon, false},
		{"expired", noon.Add(-us), noon, false},
		{"rested almost too long", noon.Add(idle), noon.Add(us - idle), true},
		{"rested too long", noon.Add(idle), noon.Add(-idle), false},
		{"seen by a clock ahead of ours", noon.Add(idle), noon.Add(idle), true},
		{"never seen", noon.Add(idle), time.Time{}, false},
		{"the zero session", time.Time{}, time.Time{}, false},
	} {
		s := hallpass.Session{ExpiresAt: tt.expires, SeenAt: tt.seen}
		if got := s.Live(noon, idle); got != tt.want {
			t.Errorf("%s: Live = %v, want %v", tt.name, got, tt.want)
		}
	}
}
