package verify_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestOneLookForMany has many ask at once for one token that is not in memory.
func TestOneLookForMany(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, text := w.token(w.account("ci"), "t", 0)
	release := w.verify.HoldLookUps()
	var asking sync.WaitGroup
	for range 50 {
		asking.Go(func() {
			if got := w.refused(text, 0); got != "" {
				t.Error(got)
			}
		})
	}
	hallpasstest.Eventually(t, "all to ask", func() bool { return w.verify.Stats().Misses >= 50 })
	if n := w.verify.LookUps(); n != 1 {
		t.Errorf("%d looks for one token, want 1", n)
	}
	release()
	asking.Wait()
	if n := w.verify.LookUps(); n != 0 {
		t.Errorf("%d looks are left over", n)
	}
}

// TestNobodyJoinsAnOldLook begins a look at the database, announces a change,
// and asks again: what the first look finds may be of before, so the second
// must be another.
func TestNobodyJoinsAnOldLook(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	other, _ := w.token(a, "other", 0)
	hash := secret.NewToken().Hash()
	first, mine := w.verify.Join(hash)
	if !mine {
		t.Fatal("there was a look before the first")
	}
	if f, mine := w.verify.Join(hash); mine || f != first {
		t.Error("a second look began though nothing was announced")
	}
	if err := w.admin.DeleteToken(t.Context(), w.caller, a, other); err != nil {
		t.Fatal(err)
	}
	second, mine := w.verify.Join(hash)
	if !mine {
		t.Fatal("a look of before the change was joined after it")
	}
	w.verify.Finish(hash, first)
	if f, mine := w.verify.Join(hash); mine || f != second {
		t.Error("the end of the first look ended the second")
	}
	w.verify.Finish(hash, second)
}

// TestRevocationOfWhatIsNotInMemory is TestRevocationIsAtOnce with a cache so
// small that most verifications look into the database, many of them together.
func TestRevocationOfWhatIsNotInMemory(t *testing.T) {
	w := newWorld(t, verify.Options{CacheSize: 8})
	a := w.account("ci")
	crowd := make([]string, 32)
	for i := range crowd {
		_, crowd[i] = w.token(a, fmt.Sprint("crowd", i), 0)
	}
	for i := range 20 {
		w.endUnderLoad(a, i, 40, func(n int) {
			_, _ = w.verify.Bearer(context.Background(), crowd[n%len(crowd)], 0, home) // pushes the other out
		})
	}
}

// TestFlood tries tokens that do not exist as fast as it can: good ones stay in
// memory, a new one works at its first try, and the flood is held to its pace.
func TestFlood(t *testing.T) {
	w := newWorld(t, verify.Options{CacheSize: 64})
	a := w.account("ci")
	_, good := w.token(a, "good", 0)
	if got := w.refused(good, 0); got != "" {
		t.Fatal(got)
	}
	began := time.Now()
	var stop atomic.Bool
	var tried atomic.Int64
	var flood sync.WaitGroup
	for range 16 {
		flood.Go(func() {
			for !stop.Load() {
				if _, err := w.verify.Bearer(context.Background(), secret.NewToken().Reveal(), 0, home); !errors.Is(err, hallpass.Unauthenticated) {
					t.Error(err)
					return
				}
				tried.Add(1)
			}
		})
	}
	for i := range 5 {
		before := tried.Load()
		hallpasstest.Eventually(t, "the flood to go on", func() bool { return tried.Load() >= before+150 })
		_, text := w.token(a, fmt.Sprint("new", i), 0)
		for _, text := range []string{text, good} {
			if got := w.refused(text, 0); got != "" {
				t.Errorf("in the flood: %s", got)
			}
		}
	}
	stop.Store(true)
	flood.Wait()
	took := time.Since(began)
	s := w.verify.Stats()
	if s.Hits != 5 || s.Misses != uint64(tried.Load())+6 || s.Entries != 6 {
		t.Errorf("%d hits, %d misses, %d entries; want 5, %d, 6", s.Hits, s.Misses, s.Entries, tried.Load()+6)
	}
	if most := 4000*took.Seconds() + 200; float64(tried.Load()) > most {
		t.Errorf("%d unknown tokens were looked up in %v, want %.0f at most", tried.Load(), took, most)
	}
}

// TestNoTurn has no turn come: the caller is asked to come back.
func TestNoTurn(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, text := w.token(w.account("ci"), "t", 0)
	release := w.verify.HoldLookUps()
	_, err := w.verify.Bearer(t.Context(), text, 0, home)
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Kind != hallpass.Unavailable || e.RetryAfter <= 0 {
		t.Errorf("%v, want Unavailable with a time to come back", err)
	}
	release()
	if got := w.refused(text, 0); got != "" {
		t.Error(got)
	}
}
