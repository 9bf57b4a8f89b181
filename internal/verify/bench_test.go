package verify_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestHitAllocatesNothing holds the hot path to its promise.
func TestHitAllocatesNothing(t *testing.T) {
	w := newWorld(t, verify.Options{})
	_, text := w.token(w.account("ci"), "t", 0)
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := w.verify.Bearer(ctx, text, 0, home); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a verification allocates %v times, want 0", n)
	}
}

// BenchmarkVerify measures one verification: hit is a token that was verified
// before, miss one that must be read from the database, malformed one with a
// wrong checksum. Revocation measures the deletion of a token that is known.
func BenchmarkVerify(b *testing.B) {
	b.Run("hit", func(b *testing.B) {
		w := newWorld(b, verify.Options{})
		_, text := w.token(w.account("ci"), "t", 0)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.verify.Bearer(b.Context(), text, 0, home); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("miss", func(b *testing.B) {
		w := newWorld(b, verify.Options{CacheSize: 8})
		a := w.account("ci")
		var texts []string
		for i := range 64 {
			_, text := w.token(a, fmt.Sprint("t", i), 0)
			texts = append(texts, text)
			if _, err := w.verify.Bearer(b.Context(), text, 0, home); err != nil { // the first use is written now
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := w.verify.Bearer(b.Context(), texts[i%len(texts)], 0, home); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unknown", func(b *testing.B) { // not through the gate's pace, but what each costs
		w := newWorld(b, verify.Options{})
		texts := make([]string, 90) // fewer than need a pause
		for i := range texts {
			texts[i] = secret.NewToken().Reveal()
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%len(texts) == 0 {
				b.StopTimer()
				time.Sleep(30 * time.Millisecond) // the gate allows as many again by then
				b.StartTimer()
			}
			if _, err := w.verify.Bearer(b.Context(), texts[i%len(texts)], 0, home); !errors.Is(err, hallpass.Unauthenticated) {
				b.Fatal(err)
			}
		}
	})
	b.Run("malformed", func(b *testing.B) {
		w := newWorld(b, verify.Options{})
		text := secret.NewToken().Reveal()
		text = text[:len(text)-1] + "x"
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.verify.Bearer(b.Context(), text, 0, home); err == nil {
				b.Fatal("a malformed token was taken")
			}
		}
	})
	b.Run("revocation", func(b *testing.B) {
		w := newWorld(b, verify.Options{})
		a := w.account("ci")
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			id, text := w.token(a, "t", 0)
			if got := w.refused(text, 0); got != "" {
				b.Fatal(got)
			}
			b.StartTimer()
			if err := w.admin.DeleteToken(b.Context(), w.caller, a, id); err != nil {
				b.Fatal(err)
			}
		}
	})
}
