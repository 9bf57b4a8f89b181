package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// lastUse returns the last use of the account's only token, as it is stored.
func (w *world) lastUse(a hallpass.ServiceAccountID) hallpass.Use {
	w.t.Helper()
	tokens, _, err := w.admin.Tokens(w.t.Context(), w.caller, a)
	if err != nil || len(tokens) != 1 {
		w.t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	return tokens[0].LastUse
}

// TestLastUseOfSeveralNodes uses a token on two nodes whose clocks differ, and
// which write in any order: the last use never goes back.
func TestLastUseOfSeveralNodes(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	_, text := w.token(a, "t", 0)
	const ahead = 10 * time.Second
	later := hallpasstest.NewNode(t, w.db, node.Options{Now: func() time.Time { return w.admin.Now().Add(ahead) }})
	other := verify.New(w.db, later, verify.Options{})
	keepLease(t, later)
	there := hallpass.From{Address: "10.0.0.2", UserAgent: "there"}
	use := func(v *verify.Verifier, from hallpass.From) hallpass.Use {
		t.Helper()
		if _, err := v.Bearer(t.Context(), text, 0, from); err != nil {
			t.Fatal(err)
		}
		at := w.admin.Now()
		if v == other {
			at = at.Add(ahead)
		}
		return hallpass.Use{At: at, Address: from.Address, UserAgent: from.UserAgent}
	}
	flush := func(v *verify.Verifier) {
		t.Helper()
		if err := v.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	use(w.verify, home)
	want := use(other, there)
	flush(other)
	w.wind(time.Second)
	use(w.verify, home) // earlier, by the clock of this node
	flush(w.verify)
	if got := w.lastUse(a); got != want {
		t.Errorf("last used %v, want %v", got, want)
	}
	w.wind(time.Minute)
	use(other, there)
	w.wind(time.Minute)
	want = use(w.verify, home)
	flush(w.verify)
	flush(other) // the earlier one, written later
	if got := w.lastUse(a); got != want {
		t.Errorf("last used %v, want %v", got, want)
	}
}

// TestClockGoesBack uses a token by a clock that was set back: its last use does
// not go back with it.
func TestClockGoesBack(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	_, text := w.token(a, "t", 0)
	began := w.admin.Now()
	for range 2 {
		if _, err := w.verify.Bearer(t.Context(), text, 0, home); err != nil {
			t.Fatal(err)
		}
		w.wind(-time.Minute)
	}
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.lastUse(a); got.At.Before(began) {
		t.Errorf("last used %v, which is before %v", got.At, began)
	}
}

// TestFailedFlush has a flush fail: what it was to write is kept, once for each
// token, and the next one writes the last of it.
func TestFailedFlush(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a := w.account("ci")
	_, text := w.token(a, "t", 0)
	use := func() {
		t.Helper()
		w.wind(time.Minute)
		if _, err := w.verify.Bearer(t.Context(), text, 0, home); err != nil {
			t.Fatal(err)
		}
	}
	use()
	first := w.lastUse(a)
	ended, end := context.WithCancel(t.Context())
	end()
	for range 3 {
		use()
		if err := w.verify.Flush(ended); err == nil {
			t.Fatal("the flush did not fail")
		}
	}
	if got := w.lastUse(a); got != first {
		t.Errorf("last used %v is stored, want %v", got, first)
	}
	if n := w.verify.Stats().UsesWaiting; n != 1 {
		t.Errorf("%d uses wait, want 1", n)
	}
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.lastUse(a); !got.At.Equal(w.admin.Now()) {
		t.Errorf("last used %v is stored, want %v", got.At, w.admin.Now())
	}
	if n := w.verify.Stats().UsesWaiting; n != 0 {
		t.Errorf("%d uses wait, want none", n)
	}
}
