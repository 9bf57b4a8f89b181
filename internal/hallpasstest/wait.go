package hallpasstest

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what should happen: longer than the
// busiest machine needs. Only a test that fails waits so long.
const Patience = time.Minute

// Eventually asks ok again and again until it reports true. It fails the test
// when that takes longer than Patience; what names in the failure what was
// waited for.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Within(Patience, ok) {
		t.Fatalf("waited %s for %s", Patience, what)
	}
}

// Within asks ok again and again until it reports true, and returns true then,
// or false after the limit. It asks once at least.
func Within(limit time.Duration, ok func() bool) bool {
	pause := time.Millisecond
	for end := time.Now().Add(limit); !ok(); pause = min(2*pause, 20*time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(pause) // between two questions
	}
	return true
}
