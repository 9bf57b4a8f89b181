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
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestGuessesFromOneAddress guesses the passwords of many logins at once from
// one address: ten are heard, whichever accounts they are for.
func TestGuessesFromOneAddress(t *testing.T) {
	w := newWorld(t, verify.Options{})
	from := hallpass.From{Address: "10.9.0.1"}
	guess := func(login string) error {
		_, err := w.verify.Password(t.Context(), login, secret.NewText("a guess, and a wrong one"), 0, from, "")
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
	if _, err := w.verify.Password(t.Context(), "admin", password, 0, home, ""); err != nil {
		t.Errorf("the admin, elsewhere: %v", err)
	}
	w.wind(time.Minute)
	if err := guess("admin"); !errors.Is(err, hallpass.Unauthenticated) {
		t.Errorf("a minute later: %v, want it heard", err)
	}
}

// TestSpellings counts wrong passwords for one user from one address together,
// however the login is spelt.
func TestSpellings(t *testing.T) {
	w := newWorld(t, verify.Options{})
	spellings := []string{"admin", "ADMIN", "Admin", "admin@localhost", "ADMIN@localhost"}
	for i := range 11 {
		want := hallpass.Unauthenticated
		if i == 10 {
			want = hallpass.Limited
		}
		if err := w.try(w.verify, spellings[i%len(spellings)], wrongPassword, home, ""); !errors.Is(err, want) {
			t.Errorf("guess %d: %v, want %v", i, err, want)
		}
	}
}

// TestRightPasswordsStay makes changes for everybody and for another user: a password
// that was right is not checked again. After a change of its user it is.
func TestRightPasswordsStay(t *testing.T) {
	w := newWorld(t, verify.Options{})
	checked := 0
	w.db.OnAudit(func(e hallpass.AuditEntry) {
		if e.Action == "password.verify" {
			checked++
		}
	})
	for _, tt := range []struct {
		name   string
		change hallpass.Change
		want   int // how often the password is checked after it
	}{
		{"permissions everywhere", hallpass.Change{Kind: hallpass.PermissionsChanged}, 0},
		{"permissions in the org", hallpass.Change{Kind: hallpass.PermissionsChanged, ID: 1}, 0},
		{"by hand", hallpass.Change{Kind: hallpass.ChangedByHand}, 0},
		{"another user", hallpass.Change{Kind: hallpass.UserChanged, ID: 99}, 0},
		{"the user", hallpass.Change{Kind: hallpass.UserChanged, ID: int64(w.caller.User())}, 1},
	} {
		if err := w.try(w.verify, "admin", password, home, ""); err != nil {
			t.Fatal(err)
		}
		checked = 0
		if err := w.db.Write(t.Context(), func(tx *store.Tx) error { return tx.Change(tt.change) }); err != nil {
			t.Fatal(err)
		}
		if err := w.try(w.verify, "admin", password, home, ""); err != nil {
			t.Fatal(err)
		}
		if checked != tt.want {
			t.Errorf("%s: the password was checked %d times, want %d", tt.name, checked, tt.want)
		}
	}
}

// Places to try from.
var (
	attacker = hallpass.From{Address: "10.6.6.6"}
	fresh    = hallpass.From{Address: "10.7.7.7"}
)

var wrongPassword = secret.NewText("a guess, and a wrong one")

func (w *world) try(v *verify.Verifier, login string, p secret.Text, from hallpass.From, device string) error {
	_, err := v.Password(w.t.Context(), login, p, 0, from, device)
	return err
}

// guess tries n wrong passwords for the login and returns how many were heard.
func (w *world) guess(v *verify.Verifier, login string, from hallpass.From, n int) (heard int) {
	w.t.Helper()
	for range n {
		switch err := w.try(v, login, wrongPassword, from, ""); {
		case errors.Is(err, hallpass.Unauthenticated):
			heard++
		case !errors.Is(err, hallpass.Limited):
			w.t.Fatalf("a guess: %v", err)
		}
	}
	return heard
}

func (w *world) flush(v *verify.Verifier) {
	w.t.Helper()
	if err := v.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// full fills the account's own count, as guessers at many addresses do.
func (w *world) full(user hallpass.UserID) {
	w.t.Helper()
	account := []store.WrongPasswords{{Bucket: fmt.Sprint("u", user), N: 100, Until: w.admin.Now().Add(time.Minute)}}
	if err := w.db.SaveTries(w.t.Context(), account, nil); err != nil {
		w.t.Fatal(err)
	}
}

// TestLockout is the table of who is heard, here, on another node and after a
// restart, after others guessed: of the same user, who knows the right password.
func TestLockout(t *testing.T) {
	const device, none = "a browser's cookie", ""
	for _, tt := range []struct {
		name   string
		before func(*world) // what happened
		from   hallpass.From
		device string
		heard  bool
	}{
		{"one address guessed: from it", func(w *world) { w.guess(w.verify, "admin", attacker, 25) }, attacker, none, false},
		{"one address guessed: from a new one", func(w *world) { w.guess(w.verify, "admin", attacker, 25) }, fresh, none, true},
		{"one address guessed at other logins: from it", func(w *world) {
			for i := range 5 {
				w.guess(w.verify, fmt.Sprint("user", i), attacker, 2)
			}
		}, attacker, none, false},
		{"many addresses guessed: from a new one", func(w *world) { w.full(1) }, fresh, none, false},
		{"many addresses guessed: from a known one", func(w *world) { w.full(1) }, home, none, true},
		{"many addresses guessed: by a known browser, elsewhere", func(w *world) { w.full(1) }, fresh, device, true},
		{"many addresses guessed: by another browser", func(w *world) { w.full(1) }, fresh, "another cookie", false},
		{"a stranger behind the user's own proxy guessed at many logins", func(w *world) {
			for i := range 12 {
				w.guess(w.verify, fmt.Sprint("user", i), home, 1)
			}
		}, home, none, true},
		{"a stranger behind the user's own proxy guessed at the user", func(w *world) { w.guess(w.verify, "admin", home, 12) }, home, none, false},
		{"the same, by a known browser", func(w *world) { w.guess(w.verify, "admin", home, 12) }, home, device, true},
		{"a stranger in the same IPv6 network guessed", func(w *world) {
			for i := range 12 {
				w.guess(w.verify, "admin", hallpass.From{Address: fmt.Sprint("2001:db8::", i)}, 1)
			}
		}, hallpass.From{Address: "2001:db8::77"}, none, false},
		{"in another IPv6 network", func(w *world) { w.guess(w.verify, "admin", hallpass.From{Address: "2001:db8::1"}, 12) }, hallpass.From{Address: "2001:db8:0:1::1"}, none, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, verify.Options{}) // the admin has signed in from home
			if err := w.try(w.verify, "admin", password, home, device); err != nil {
				t.Fatal(err)
			}
			w.flush(w.verify)
			tt.before(w)
			w.flush(w.verify)
			another := hallpasstest.NewNode(t, w.db, node.Options{Now: w.admin.Now})
			elsewhere := verify.New(w.db, another, verify.Options{})
			keepLease(t, another)
			for name, v := range map[string]*verify.Verifier{"here": w.verify, "by another node, or after a restart": elsewhere} {
				err := w.try(v, "admin", password, tt.from, tt.device)
				if tt.heard && err != nil || !tt.heard && !errors.Is(err, hallpass.Limited) {
					t.Errorf("%s: %v, want heard %v", name, err, tt.heard)
				}
			}
			w.wind(61 * time.Second)
			if err := w.try(w.verify, "admin", password, tt.from, ""); err != nil {
				t.Errorf("a minute later: %v", err)
			}
		})
	}
}

// TestTriesAreForgotten lets everything that is kept of tries grow old.
func TestTriesAreForgotten(t *testing.T) {
	w := newWorld(t, verify.Options{})
	w.guess(w.verify, "admin", attacker, 3)
	w.flush(w.verify)
	left := func() (n int) {
		t.Helper()
		tables, err := w.db.Stored(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			if table.Name == "wrong_passwords" || table.Name == "known_places" {
				n += int(table.Rows)
			}
		}
		return n
	}
	if n := left(); n != 4 { // the place, the address, the account; where the admin is known
		t.Errorf("%d rows, want 4", n)
	}
	for _, step := range []struct {
		wind time.Duration
		want int
	}{{time.Minute, 1}, {31 * 24 * time.Hour, 0}} {
		w.wind(step.wind)
		if err := w.verify.ForgetTries(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := left(); n != step.want {
			t.Errorf("after %v %d rows are left, want %d", step.wind, n, step.want)
		}
	}
}

// TestGuessesAreWrittenTogether flushes while somebody guesses: what is written
// does not count twice, and what could not be written is not lost.
func TestGuessesAreWrittenTogether(t *testing.T) {
	w := newWorld(t, verify.Options{})
	heard := 0
	for range 12 {
		heard += w.guess(w.verify, "admin", attacker, 1)
		if heard == 3 {
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			_ = w.verify.Flush(gone) // fails
			continue
		}
		w.flush(w.verify)
	}
	if heard != 10 {
		t.Errorf("%d guesses were heard, want 10", heard)
	}
}

// TestStrangeLogins signs in with logins that are no text, or no login: nobody
// has them, on either database.
func TestStrangeLogins(t *testing.T) {
	w := newWorld(t, verify.Options{})
	for i, login := range hallpasstest.StrangeTexts() {
		from := hallpass.From{Address: fmt.Sprint("10.8.0.", i)}
		for _, as := range []string{login, "admin" + login + "x"} {
			if hallpass.NameKey(as) == "admin" {
				continue // another spelling
			}
			if _, err := w.verify.Password(t.Context(), as, password, 0, from, ""); !errors.Is(err, hallpass.Unauthenticated) {
				t.Errorf("%.30q: %v, want it unknown", as, err)
			}
		}
	}
}
