package verify_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestGuessesFromOneAddress guesses the passwords of many logins at once from
// one address: ten are heard, whichever accounts they are for.
func TestGuessesFromOneAddress(t *testing.T) {
	w := newWorld(t, verify.Options{})
	from := hallpass.From{Address: "10.9.0.1"}
	guess := func(login string) error {
		_, err := w.verify.Password(t.Context(), login, secret.NewText("a guess, and a wrong one"), 0, from)
		return err
	}
	var heard, stopped atomic.Int64
	var guessers sync.WaitGroup
	for i := range 50 {
		guessers.Go(func() {
			switch err := guess(fmt.Sprint("user", i)); {
			case errors.Is(err, hallpass.Limited):
				stopped.Add(1)
			case errors.Is(err, hallpass.Unauthenticated):
				heard.Add(1)
			}
		})
	}
	guessers.Wait()
	if heard.Load() != 10 || stopped.Load() != 40 {
		t.Errorf("%d guesses were heard and %d stopped, want 10 and 40", heard.Load(), stopped.Load())
	}
	var e *hallpass.Error
	if err := guess("admin"); !errors.As(err, &e) || e.Kind != hallpass.Limited || e.RetryAfter <= 0 || e.RetryAfter > time.Minute {
		t.Errorf("one more: %v, want it limited, with when to come again", err)
	}
	if _, err := w.verify.Password(t.Context(), "admin", password, 0, home); err != nil {
		t.Errorf("the admin, elsewhere: %v", err)
	}
	w.wind(time.Minute)
	if err := guess("admin"); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("a minute later: %v, want it heard", err)
	}
}

// TestSpellings counts wrong passwords for one user together, however the
// login is spelt.
func TestSpellings(t *testing.T) {
	w := newWorld(t, verify.Options{})
	spellings := []string{"admin", "ADMIN", "Admin", "admin@localhost", "ADMIN@localhost"}
	for i := range 11 {
		_, err := w.verify.Password(t.Context(), spellings[i%len(spellings)], secret.NewText("a guess, and a wrong one"), 0, hallpass.From{Address: fmt.Sprint("10.9.1.", i)})
		want := hallpass.Unauthenticated
		if i == 10 {
			want = hallpass.Limited
		}
		if !errors.Is(err, want) {
			t.Errorf("guess %d: %v, want %v", i, err, want)
		}
	}
}
