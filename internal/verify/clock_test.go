package verify_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestClockJumps has the clock jump, forward and back, while time goes on: what
// expired once stays expired, and what is good stays good until its time is over.
func TestClockJumps(t *testing.T) {
	var boot atomic.Int64
	boot.Store(int64(time.Hour))
	w := newWorldOf(t, node.Options{MaxStaleness: 1000 * time.Hour, Boot: func() time.Duration { return time.Duration(boot.Load()) }}, verify.Options{})
	a := w.account("ci")
	pass := func(d time.Duration) { // time goes on, and the clock with it
		boot.Add(int64(d))
		w.wind(d)
	}
	want := func(what, text, id string) {
		t.Helper()
		for range 2 { // once from the database perhaps, once from memory
			if got := w.refused(text, 0); got != id {
				t.Errorf("%s: %q, want %q", what, got, id)
			}
		}
	}
	const expired = "api-key.expired"
	_, short := w.token(a, "short", 60)
	_, unused := w.token(a, "unused", 90)
	_, long := w.token(a, "long", 3*3600)
	_, day := w.token(a, "day", 24*3600)
	_, forever := w.token(a, "forever", 0)
	want("in time", short, "")

	pass(60 * time.Second)
	want("at its end", short, expired)
	w.wind(-time.Millisecond)
	want("a step back", short, expired)
	w.wind(-5 * time.Hour)
	want("a jump back", short, expired)
	want("not yet over, after a jump back", unused, "")
	pass(30 * time.Second)
	want("over since the jump back", unused, expired)
	want("never over, after a jump back", forever, "")
	if behind := w.node.ClockBehind(); behind < 5*time.Hour || behind > 5*time.Hour+time.Second {
		t.Errorf("the clock is behind by %s, want about five hours", behind)
	}
	for range 6 * 60 { // it has passed the time from which it jumped, and is as far behind as before
		pass(time.Minute)
		w.refused(forever, 0)
	}
	want("the clock where it was when it jumped", short, expired)
	want("three hours, six hours later", long, expired)
	want("a day, six hours later", day, "")

	w.wind(5*time.Hour + 2*time.Second)
	want("the clock set right", day, "")
	if behind := w.node.ClockBehind(); behind != 0 {
		t.Errorf("set right, the clock is behind by %s", behind)
	}
	w.wind(20 * time.Hour)
	want("a jump forward", day, expired)
	w.wind(-20 * time.Hour)
	want("and back", day, expired)
	want("never over, after both", forever, "")
}

// TestReplacedWhenTheClockJumps has the clock jump back after the time of a replaced token
// was over: it works no more, and the job that ends it does not have it work again.
func TestReplacedWhenTheClockJumps(t *testing.T) {
	var boot atomic.Int64
	boot.Store(int64(time.Hour))
	w := newWorldOf(t, node.Options{MaxStaleness: 1000 * time.Hour, Boot: func() time.Duration { return time.Duration(boot.Load()) }}, verify.Options{})
	job := admin.New(w.db, admin.Options{Now: w.node.Now}) // by the clock of the node, as in a server
	a, grace := w.account("ci"), time.Minute
	id, text := w.token(a, "t", 0)
	next, err := job.RotateToken(t.Context(), w.caller, a, id, admin.Rotate{Grace: &grace})
	if err != nil {
		t.Fatal(err)
	}
	want := func(what, want string) {
		t.Helper()
		for _, from := range []string{"memory", "the database"} {
			if got := w.refused(text, 0); got != want {
				t.Errorf("%s, from %s: %q, want %q", what, from, got, want)
			}
			w.db.AnnounceAll()
		}
		if got := w.refused(next.Secret.Reveal(), 0); got != "" {
			t.Errorf("%s: the new one is refused: %s", what, got)
		}
	}
	want("while both work", "")
	boot.Add(int64(time.Minute))
	w.wind(time.Minute)
	want("its time is over", "api-key.rotated")
	w.wind(-5 * time.Hour)
	want("after a jump back", "api-key.rotated")
	for range 2 {
		if err := job.CloseRotations(t.Context(), w.verify.Uses); err != nil {
			t.Fatal(err)
		}
		want("ended by the job", "api-key.rotated")
		w.wind(-24 * time.Hour)
	}
	old, err := job.Token(t.Context(), w.caller, a, id)
	if err != nil || old.Ended != hallpass.EndedRotated {
		t.Errorf("the job left it as %+v, %v", old, err)
	}
}

// TestClockIsTheDatabases has tokens expire by the clock of a shared database,
// not by this machine's, which nobody compares with others'.
func TestClockIsTheDatabases(t *testing.T) {
	if !hallpasstest.OnPostgres() {
		t.Skip("only PostgreSQL is shared")
	}
	db := hallpasstest.OpenStore(t)
	var ahead atomic.Int64 // of the boot clock
	n := hallpasstest.NewNode(t, db, node.Options{MaxStaleness: time.Hour, Boot: func() time.Duration { return store.BootClock() + time.Duration(ahead.Load()) }})
	v := verify.New(db, n, verify.Options{})
	a := admin.New(db, admin.Options{Now: n.Now})
	if err := a.Begin(t.Context(), admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: password}); err != nil {
		t.Fatal(err)
	}
	if err := n.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, text := firstToken(t, a, v, 600)
	if _, err := v.Bearer(t.Context(), text, 0, home); err != nil {
		t.Errorf("in time: %v", err)
	}
	ahead.Store(int64(11 * time.Minute))
	if _, err := v.Bearer(t.Context(), text, 0, home); idOf(err) != "api-key.expired" {
		t.Errorf("over by the database's clock, and not by this machine's: %v", err)
	}
}
