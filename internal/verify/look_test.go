package verify_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestLook shares a look that ends well, one that panics, and one for which somebody does
// not wait to the end.
func TestLook(t *testing.T) {
	type answer struct {
		n    int
		mine bool
		err  error
	}
	for name, tt := range map[string]struct {
		read        func() (int, error)
		mine, other answer
		giveUp      bool
	}{
		"found":    {func() (int, error) { return 7, nil }, answer{7, true, nil}, answer{7, false, nil}, false},
		"failed":   {func() (int, error) { return 0, hallpass.NotFound }, answer{0, true, hallpass.NotFound}, answer{0, false, hallpass.NotFound}, false},
		"panics":   {func() (int, error) { panic("a fault") }, answer{}, answer{0, false, hallpass.Unavailable}, false},
		"given up": {func() (int, error) { return 7, nil }, answer{7, true, nil}, answer{0, false, hallpass.Unavailable}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var ls verify.Looks
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			begun, release, joined := make(chan struct{}), make(chan struct{}), make(chan struct{})
			first, second := make(chan answer, 1), make(chan answer, 1)
			go func() {
				var a answer
				defer func() { _ = recover(); first <- a }() // the request of a panic ends elsewhere
				a.n, a.mine, a.err = ls.Look(t.Context(), "key", func() (int, error) {
					close(begun)
					<-release
					return tt.read()
				}, nil)
			}()
			<-begun
			go func() {
				var a answer
				a.n, a.mine, a.err = ls.Look(ctx, "key", nil, func() { close(joined) })
				second <- a
			}()
			<-joined
			check := func(who string, got chan answer, want answer) {
				t.Helper()
				var a answer
				select {
				case a = <-got:
				case <-time.After(hallpasstest.Patience):
					t.Fatalf("%s is not answered", who)
				}
				if a.n != want.n || a.mine != want.mine || !errors.Is(a.err, want.err) {
					t.Errorf("%s: %+v, want %+v", who, a, want)
				}
			}
			if tt.giveUp {
				giveUp()
				check("the other", second, tt.other)
			}
			close(release)
			check("the first", first, tt.mine)
			if !tt.giveUp {
				check("the other", second, tt.other)
			}
			n, mine, err := ls.Look(t.Context(), "key", func() (int, error) { return 9, nil }, nil)
			if n != 9 || !mine || err != nil {
				t.Errorf("afterwards: %d, %v, %v; want a look of its own", n, mine, err)
			}
		})
	}
}
