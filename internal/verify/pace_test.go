package verify_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestRest holds the pace of last uses to made-up costs.
func TestRest(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	for _, tt := range []struct {
		name            string
		last, cost, ago time.Duration
		left            int
		want            time.Duration
	}{
		{"nothing to write", 0, 0, 0, 0, 2 * s},
		{"a few rows: the next pass begins after the least time", 5 * ms, 5 * ms, 5 * ms, 0, 1995 * ms},
		{"a tenth of the least time is written without a rest", 20 * ms, 200 * ms, 200 * ms, 3, 0},
		{"what costs more rests nine times as long as it wrote", 20 * ms, 220 * ms, 220 * ms, 3, 180 * ms},
		{"the next pass begins when this one was a tenth of the time", 20 * ms, 500 * ms, 3 * s, 0, 2 * s},
		{"no pass rests beyond the longest", 20 * ms, s, 20 * s, 100, 100 * ms},
		{"nor before the next one", 20 * ms, 10 * s, 29 * s, 0, s},
		{"what is late does not rest", 20 * ms, 20 * s, 31 * s, 100, 0},
		{"nor before the next one, however much it costs", 20 * ms, 31 * s, 31 * s, 0, 0},
	} {
		if got := verify.Rest(tt.last, tt.cost, tt.ago, tt.left); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// useTokens uses each of the tokens once.
func (w *world) useTokens(texts []string) {
	w.t.Helper()
	w.wind(time.Second)
	for _, text := range texts {
		if _, err := w.verify.Bearer(w.t.Context(), text, 0, home); err != nil {
			w.t.Fatal(err)
		}
	}
}

// manyTokens makes tokens of one account, and uses and writes each once.
func (w *world) manyTokens(n int) (a hallpass.ServiceAccountID, texts []string) {
	w.t.Helper()
	a = w.account("ci")
	for i := range n {
		_, text := w.token(a, fmt.Sprint("t", i), 0)
		texts = append(texts, text)
	}
	w.useTokens(texts)
	if err := w.verify.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return a, texts
}

// TestPace writes few uses at the least delay; a pass that cost much makes the
// delay grow, and the one after it brings it back.
func TestPace(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, texts := w.manyTokens(2)
	flush := func() (pause, late time.Duration) {
		t.Helper()
		w.useTokens(texts)
		if err := w.verify.FlushUses(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.verify.Stats().UsesWaiting; n != 0 {
			t.Errorf("%d uses wait", n)
		}
		return w.verify.Pause(), w.verify.Stats().UsesLate
	}
	const most = 30 * time.Second
	if pause, late := flush(); pause > most/2 || late > most {
		t.Errorf("few uses are written every %v, told %v late", pause, late)
	}
	w.verify.Spend(time.Hour)
	if pause, late := w.verify.Pause(), w.verify.Stats().UsesLate; pause < most/2 || late < most {
		t.Errorf("costly uses are written every %v, told %v late", pause, late)
	}
	flush()
	if pause, late := flush(); pause > most/2 || late > most {
		t.Errorf("few uses are written every %v again, told %v late", pause, late)
	}
}

// TestFlushAll writes, when the server stops, what a costly pass left and what came
// meanwhile.
func TestFlushAll(t *testing.T) {
	w := newWorld(t, verify.Options{})
	a, texts := w.manyTokens(3)
	w.useTokens(texts)
	w.verify.Spend(time.Hour)
	if err := w.verify.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, _, err := w.admin.Tokens(t.Context(), w.caller, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range tokens {
		if !tok.LastUse.At.Equal(w.admin.Now()) {
			t.Errorf("token %d: last used %v is stored", tok.ID, tok.LastUse.At)
		}
	}
}

// TestFirstUsesGoFirst writes a first use and leaves later ones to their pace.
func TestFirstUsesGoFirst(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, texts := w.manyTokens(3)
	_, fresh := w.token(w.account("new"), "t", 0)
	w.useTokens(append(texts, fresh))
	if n := w.verify.Stats().UsesWaiting; n < 3 {
		t.Errorf("%d uses wait, want the 3 later ones", n)
	}
	if err := w.verify.FlushFirst(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.verify.Stats().UsesWaiting; n != 3 {
		t.Errorf("%d uses wait, want the 3 later ones", n)
	}
}

// TestRoomForUses asks for a flush when many uses wait, takes no more than twice as
// many, and writes the use of a token that had no room when it is used again.
func TestRoomForUses(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, texts := w.manyTokens(5)
	w.verify.RoomForUses(2)
	ended, end := context.WithCancel(t.Context())
	end()
	w.useTokens(texts)
	select {
	case <-w.verify.Many():
	default:
		t.Error("nobody asks for a flush")
	}
	if s := w.verify.Stats(); s.UsesWaiting != 4 || s.UsesDropped != 1 {
		t.Errorf("%d uses wait, %d were dropped; want 4 and 1", s.UsesWaiting, s.UsesDropped)
	}
	if err := w.verify.FlushUses(ended); err == nil {
		t.Fatal("the flush did not fail")
	}
	if s := w.verify.Stats(); s.UsesWaiting != 4 {
		t.Errorf("%d uses wait, want 4", s.UsesWaiting)
	}
	if err := w.verify.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.useTokens(texts[4:])
	if s := w.verify.Stats(); s.UsesWaiting != 1 {
		t.Errorf("%d uses wait, want the one that was dropped", s.UsesWaiting)
	}
}

// TestPassGoesOn has the first transaction of a pass fail: the next flush writes
// what is left of the pass, and then what failed.
func TestPassGoesOn(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, texts := w.manyTokens(store.UsesInOne + 1)
	w.useTokens(texts)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := w.verify.FlushUses(ended); err == nil {
		t.Fatal("the flush did not fail")
	}
	for _, want := range []int{store.UsesInOne, 0} {
		if err := w.verify.FlushUses(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.verify.Stats().UsesWaiting; n != want {
			t.Errorf("%d uses wait, want %d", n, want)
		}
	}
}
